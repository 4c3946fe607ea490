"""How long something holds, as people type it."""

from __future__ import annotations

import pytest

from bot.durations import seconds_of
from bot.errors import BadOption

MINUTE, HOUR, DAY = 60, 3600, 86_400


@pytest.mark.parametrize(
    "typed, seconds",
    [
        ("30m", 30 * MINUTE),
        ("2h", 2 * HOUR),
        ("7d", 7 * DAY),
        ("2w", 14 * DAY),
        ("10 minutes", 10 * MINUTE),
        (" 1 Hour ", HOUR),
        ("1d12h", 36 * HOUR),
        ("1 day, 12 hours", 36 * HOUR),
        ("a week", 7 * DAY),
        ("an hour", HOUR),
        ("365d", 365 * DAY),
    ],
)
def test_times_are_read(typed: str, seconds: float) -> None:
    """In short and in words, and several together."""
    assert seconds_of(typed) == seconds


@pytest.mark.parametrize("typed", ["forever", "Permanent", "for  good"])
def test_for_good_has_no_end(typed: str) -> None:
    """Whatever people call it."""
    assert seconds_of(typed) is None


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "soon",
        "7",
        "0m",
        "-1h",
        "1.5h",
        "366d",
        "9999999w",
        "2 moons",
        "7d please",
        "1h 1h 1",
        "７d",
        "ah",
    ],
)
def test_anything_else_is_refused_with_a_hint(typed: str) -> None:
    """Nothing is guessed, and no time and more than a year are none."""
    with pytest.raises(BadOption, match="Write `30m`, `2h`, `7d` or `2w`"):
        seconds_of(typed)
