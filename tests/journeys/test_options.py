"""Journeys: options at the slash commands, and that nothing that was typed is lost."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from inference import Park, Sampler
from inference.fake import FLAT, FakeEngine
from tests.journeys.world import said, world

FEW_STEPS = msgspec.structs.replace(
    FLAT, name="few-steps", sampler=Sampler.LCM, samplers=(Sampler.LCM, Sampler.EULER_A)
)


def two_models(park: Park) -> FakeEngine:
    return FakeEngine(models=(FLAT, FEW_STEPS), park=park)


async def test_samplers_are_offered_as_the_model_has_them(tmp_path: Path) -> None:
    """All those of the default model, those of a model that was named, and only what goes with the letters typed."""
    async with world(tmp_path, two_models) as here:
        of_default = await here.you.autocomplete(here.channel, "imagine", "sampler", "", prompt="a moon")
        of_few = await here.you.autocomplete(
            here.channel, "imagine", "sampler", "", prompt="a moon", model="few-steps"
        )
        typed = await here.you.autocomplete(here.channel, "sketch", "sampler", "eu", prompt="a moon")

        assert [choice["value"] for choice in of_default] == [str(sampler) for sampler in FLAT.samplers]
        assert [choice["value"] for choice in of_few] == ["lcm", "euler-a"]
        assert [choice["value"] for choice in typed] == ["euler", "euler-a"]


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"sampler": "eulr"}, "Did you mean `euler`?"),
        ({"sampler": "ddim", "model": "few-steps"}, "It has lcm and euler-a."),
        ({"model": "few-stps"}, "Did you mean `few-steps`?"),
        ({"size": "wide"}, "A size is a shape like `3:2`"),
        ({"steps": 60}, "60 steps are more than the 50"),
    ],
)
async def test_a_wrong_option_costs_nothing_that_was_typed(
    tmp_path: Path, options: dict[str, str], sentence: str
) -> None:
    """A private sentence with the nearest right one, and the command for copying; nothing runs."""
    async with world(tmp_path, two_models) as here:
        answer = await here.you.slash(
            here.channel, "imagine", prompt="a ```deck``` chair", negative="clouds", seed=7, **options
        )

        assert answer.ephemeral
        assert sentence in said(answer)
        assert said(answer).count("```") == 2
        assert "/imagine prompt: a ```deck``` chair" in said(answer).replace("\u200b", "")
        assert "negative: clouds" in said(answer)
        assert "seed: 7" in said(answer)
        assert all(f"{name}: {value}" in said(answer) for name, value in options.items())
        assert here.fake.requests == []
        assert await here.store.job(1) is None


async def test_a_right_option_is_taken_however_it_is_written(tmp_path: Path) -> None:
    """The control: the same command with names that exist runs."""
    async with world(tmp_path, two_models) as here:
        await here.you.slash(
            here.channel, "imagine", prompt="a deck chair", sampler="Euler-A", model="Few-Steps", size="3:2"
        )
        (request,) = here.fake.requests

        assert (request.model, request.sampler) == ("few-steps", Sampler.EULER_A)


async def test_a_wrong_flag_in_a_reply_is_answered_with_what_was_written(tmp_path: Path) -> None:
    """The message may scroll away or be deleted; the answer holds it for copying, and pings nobody."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        text = f"rounder <@{here.other.id}> @everyone --stength 0.3"
        await here.you.send(here.thread(), text, reply_to=here.cards()[0])
        answer = here.thread().history()[-1]

        assert "Did you mean `--strength`?" in answer.content
        assert f"```\n{text}\n```" in answer.content
        assert here.pinged_by(answer) == []
        assert not answer.mention_everyone
        assert len(here.fake.requests) == 1


async def test_a_file_that_expired_costs_no_words(tmp_path: Path) -> None:
    """The command is repeated; only its picture has to be attached once more."""
    async with world(tmp_path) as here:
        here.expire_files()
        answer = await here.sketch(prompt="the planet earth")

        assert "Discord did not hand me that file" in said(answer)
        assert "/sketch prompt: the planet earth" in said(answer)
        assert await here.store.job(1) is None
