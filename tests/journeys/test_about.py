"""Journeys: /about, what the bot is and what it keeps."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bot.commands.about import Origin, origin
from bot.texts import about_models, about_source
from bot.version import version
from inference import EngineState
from inference.fake import FLAT
from tests.journeys.test_queue import shown_by, words_of
from tests.journeys.world import World, world


async def about(here: World) -> str:
    return words_of(shown_by(await here.you.slash(here.channel, "about")))


async def test_about_says_what_it_is_what_draws_and_what_it_keeps(tmp_path: Path) -> None:
    """Privately: version, when it began, the engine, each model with its version, what is kept."""
    async with world(tmp_path) as here:
        began = round(here.bot.began)
        await here.env.advance_time(3600)
        answer = shown_by(await here.you.slash(here.channel, "about"))
        told = words_of(answer)

        assert answer.ephemeral
        assert f"running since <t:{began}:f> (<t:{began}:R>)" in told
        assert version().strip("()") in told.replace("\\", "")
        assert "The engine is ready." in told
        assert "- **flat colours** (`flat`, the default), version flat-1" in told
        assert "`/privacy` says for how long" in told


@pytest.mark.parametrize(
    "state, sentence",
    [
        (EngineState.STARTING, "The engine is starting: It loads."),
        (EngineState.READY, "The engine is ready."),
        (EngineState.BUSY, "The engine is drawing."),
        (EngineState.SETUP_FAILED, "The engine could not be set up: It loads."),
        (EngineState.UNHEALTHY, "The engine is not answering"),
    ],
)
async def test_about_says_how_the_engine_is(tmp_path: Path, state: EngineState, sentence: str) -> None:
    """Each of its states in words."""
    async with world(tmp_path) as here:
        await here.engine_becomes(state, "It loads.")
        told = await about(here)

        assert sentence in told


async def test_about_works_in_a_direct_message(tmp_path: Path) -> None:
    """It needs no place to write in."""
    async with world(tmp_path) as here:
        told = words_of(shown_by(await here.you.user.slash("about")))

        assert "**What I keep**" in told


def test_models_are_listed_with_what_is_known_of_them() -> None:
    """Weights that are not here yet have no version; a long list ends with a number; a title has no effect."""
    fetched = msgspec.structs.replace(FLAT, version="0123456789abcdef")
    absent = msgspec.structs.replace(FLAT, name="moon", title="**@everyone**", version="")

    assert about_models([fetched, absent], 5) == (
        "- **flat colours** (`flat`, the default), version 0123456789ab\n"
        "- **\\*\\*\\@everyone\\*\\*** (`moon`), not fetched yet\n"
        "- and 3 more"
    )


def test_licence_and_source_are_those_of_the_projects_metadata(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plainest address counts; what the metadata does not hold, or nobody installed, is not made up."""
    for name, more in {
        "Told": "License-Expression: MIT\nProject-URL: Homepage, https://a\n",
        "Bare": "",
    }.items():
        folder = tmp_path / f"{name}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n{more}")
    with (tmp_path / "Told-1.0.dist-info" / "METADATA").open("a") as told:
        told.write("Project-URL: Source, https://b\n")
    monkeypatch.syspath_prepend(tmp_path)

    assert about_source("MIT", "https://example.org/moon") == (
        "Free software (MIT licence). Source: <https://example.org/moon>"
    )
    assert about_source("", "") == ""
    assert origin("told") == Origin(licence="MIT", url="https://b")
    assert origin("bare") == origin("no-such-distribution") == Origin()
