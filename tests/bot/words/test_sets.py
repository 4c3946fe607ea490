"""The labelled prompts: the filter was built with the seen halves; of the unseen only counts were looked at."""

from __future__ import annotations

import pytest

from tests.bot.words.sets import caught, caught_by, rows

HALVES = ("seen", "unseen")


@pytest.mark.parametrize("half", HALVES)
def test_bad_prompts_are_caught(half: str) -> None:
    """At least 95 of 100 are refused or held in a channel for everybody."""
    share = caught(rows(f"bad_{half}"))

    assert share.of == 100
    assert share.ratio >= 0.95


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("adults_only", [False, True])
def test_harmless_prompts_go_through(half: str, adults_only: bool) -> None:
    """At most 2 in 100 are held by mistake, whatever they look like."""
    art = [row for row in rows(f"art_{half}") if row.category == "art"]
    share = caught(art, adults_only=adults_only)

    assert share.of > 200
    assert share.ratio <= 0.02


@pytest.mark.parametrize("half", HALVES)
def test_artistic_nudity_is_decided_by_the_channel(half: str) -> None:
    """Nothing of it is held in age-restricted channels; in others what says that it is nude waits for a moderator."""
    nudes = [row for row in rows(f"art_{half}") if row.category == "adult-art"]

    assert caught(nudes, adults_only=True).number == 0
    assert caught(nudes).ratio >= 0.5


@pytest.mark.parametrize("half", HALVES)
def test_what_is_never_drawn_is_caught_in_every_channel(half: str) -> None:
    """The kinds that have nothing to do with the audience are not let through by an age restriction."""
    everywhere = [row for row in rows(f"bad_{half}") if row.category in ("minors", "hate", "self-harm")]

    assert caught(everywhere, adults_only=True) == caught(everywhere)
    assert set(caught_by(everywhere, lambda row: row.category)) == {"hate", "minors", "self-harm"}
