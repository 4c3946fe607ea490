"""Journeys: what a picture was made with, in its file, in the More… list, and of other people's files."""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal
from pathlib import Path
from typing import Any

import discord
import numpy as np
import pytest
from PIL import Image
from simcord.results import InteractionResult

from bot.png_text import text_of as words_in_file
from bot.png_text import with_text
from bot.scene import parameters
from bot.store import JobState, NewPicture, PictureKind
from inference import ImageRequest, InitKind, Sampler
from tests.journeys.forms import fields, send
from tests.journeys.test_more import command_in, more, options_in, same_but
from tests.journeys.test_real_worker import over, real_engine, started
from tests.journeys.world import World, buttons_of, pictures_of, png, said, walk, world

SHOW, SKETCH = "Show recipe", "Use as sketch"
ELSEWHERE = (
    "a deck chair on the moon\nNegative prompt: clouds\n"
    "Steps: 20, Sampler: Euler a, CFG scale: 6, Seed: 99, Size: 768x512, Model: dreams, Denoising strength: 0.6"
)


async def told_by(file: discord.Attachment) -> str | None:
    return words_in_file(await file.read())


async def press(here: World, answer: InteractionResult, label: str) -> InteractionResult:
    assert answer.response is not None
    buttons = {item["label"]: item for item in walk(answer.response.components) if item["type"] == 2}
    return await here.you.click(answer.response, custom_id=buttons[label]["custom_id"])


async def posted_elsewhere(here: World, words: str = ELSEWHERE) -> discord.Message:
    file = with_text(png((300, 200), "blue"), words) if words else png((300, 200), "blue")
    return await here.other.send(here.channel, "look", attachments=[("chair.png", file)])


# In the files


async def test_every_delivered_picture_says_how_it_was_made(tmp_path: Path) -> None:
    """On its card and wherever it is shown again, each with its own seed; the stored pixels stay clean."""
    async with world(tmp_path) as here:
        await here.sketch(
            candidates=2, negative="clouds", sampler="euler-a", steps=20, strength=0.6, guidance=6.0
        )
        (card,) = here.cards()
        on_card = [await told_by(file) for file in pictures_of(card)]
        sheet = await here.you.slash(here.thread(), "undo")
        shown = await here.you.slash(here.thread(), "redo")
        assert shown.response is not None
        again = [await told_by(file) for file in shown.response.attachments]
        (request,) = here.fake.requests
        stored = [await here.store.files.get(each.file) for each in await here.store.candidates(1)]
        read = parameters.read(on_card[0] or "")

        assert on_card == [parameters.write(request, sample, "flat-1") for sample in (0, 1)]
        assert again == on_card[1:]
        assert sheet.response is not None
        assert await told_by(sheet.response.attachments[0]) is None
        assert [words_in_file(each) for each in stored] == [None, None]
        assert read is not None
        assert (read.prompt, read.negative, read.steps, read.strength) == (
            "the surface of the moon",
            "clouds",
            20,
            0.6,
        )
        assert (read.sampler, read.seed) == (Sampler.EULER_A, request.seeds[0])


async def test_a_server_may_turn_that_off(tmp_path: Path) -> None:
    """From then on its files say nothing; those of direct messages and other servers do."""
    async with world(tmp_path) as here:
        change = await here.limit("recipes", "off")
        await here.sketch(candidates=1)
        quiet = await told_by(pictures_of(here.cards()[0])[0])
        await here.mod.slash(here.channel, "limits reset")
        await here.sketch(candidates=1)
        told = await told_by(pictures_of(here.cards(here.thread(1))[0])[0])

        assert "**recipes**: on → off" in said(change)
        assert quiet is None
        assert told is not None


async def test_the_file_of_a_card_stays_the_same_file(tmp_path: Path) -> None:
    """An edit of the card keeps it: its name stands for its bytes."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=2)
        before = [(file.id, file.filename) for file in pictures_of(here.cards()[0])]
        await here.you.click(here.cards()[0], custom_id=buttons_of(here.cards()[0])["2"])
        after = [(file.id, file.filename) for file in pictures_of(here.cards()[0])]

        assert before == after


# Of our pictures


async def test_show_recipe_on_a_card_is_that_of_ones_pick_with_all_steps(tmp_path: Path) -> None:
    """Private; the command, then a line for each picture that led there."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=2, strength=0.8)
        await here.you.click(here.cards()[0], custom_id=buttons_of(here.cards()[0])["2"])
        await here.you.send(here.thread(), "rounder --strength 0.3 --n 1", reply_to=here.cards()[0])
        answer = await here.other.context_menu(here.thread(), SHOW, here.cards()[1])
        by_list = await more(here, here.cards()[1], "Recipe")
        lines = said(answer).split("**How it came about**\n")[1].split("\n")

        assert answer.ephemeral
        assert "Reply to picture 3 with this:" in said(answer)
        assert lines == [
            "1 uploaded",
            "3 from a sketch: “the surface of the moon”, 30 steps, strength 0.8, seed 1001",
            "4 refined: “rounder”, 30 steps, strength 0.3, seed 1100",
        ]
        assert said(by_list) == said(answer)


async def test_a_long_way_is_told_in_short(tmp_path: Path) -> None:
    """Where it began and the last steps; the answer still fits into a message."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        (drawn,) = await here.store.candidates(1)
        for number in range(3, 51):
            new = NewPicture(
                kind=PictureKind.SHAPED,
                author_id=here.you.id,
                file=drawn.file,
                size=drawn.size,
                parent_id=number - 1,
                made=f"cropped to what is left after {number} cuts",
            )
            await here.bot.showing.keep(1, new)
        with here.env._bot_scope():
            await here.bot.showing.show(await here.bot.reach.living(50), "Here it is.")
        answer = said(await here.you.context_menu(here.thread(), SHOW, here.cards()[-1]))

        assert len(answer) <= 2000
        assert re.search(r"\n1 uploaded\n… and \d+ steps in between\n", answer)
        assert answer.endswith("\n50 cropped to what is left after 50 cuts")


async def test_a_recipe_of_a_film_is_that_of_its_last_picture(tmp_path: Path) -> None:
    """It is what one goes on from there as well."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        await here.you.slash(here.thread(), "timelapse")
        answer = await here.you.context_menu(here.thread(), SHOW, here.cards()[-1])

        assert "Attach the sketch (picture 1)" in said(answer)


# Of other people's files


async def test_a_strangers_file_becomes_a_command_that_works(tmp_path: Path) -> None:
    """What we understand of it; what we do not have is named and not in the command."""
    async with world(tmp_path) as here:
        answer = await here.you.context_menu(here.channel, SHOW, await posted_elsewhere(here))
        given = options_in(command_in(answer))
        name = given.pop("")
        await here.you.slash(here.channel, name[1:], image=("chair.png", png((300, 200))), **given)
        (request,) = here.fake.requests

        assert answer.ephemeral
        assert name == "/sketch"
        assert "It also says: the model dreams." in said(answer)
        assert asked_for(request) == ("a deck chair on the moon", "clouds", 0.6, 20, 6.0, Sampler.EULER_A, 99)


async def test_its_button_opens_a_form_filled_with_it(tmp_path: Path) -> None:
    """The picture itself is the sketch; nothing runs before the form is sent."""
    async with world(tmp_path) as here:
        answer = await here.you.context_menu(here.channel, SHOW, await posted_elsewhere(here))
        form = await press(here, answer, "Use as sketch with this")
        before = len(here.fake.requests)
        await send(here.you, form)
        (request,) = here.fake.requests

        assert before == 0
        assert fields(form) == {
            "prompt": "a deck chair on the moon",
            "negative": "clouds",
            "strength": "0.6",
            "flags": "--steps 20 --seed 99 --guidance 6 --sampler euler-a",
        }
        assert asked_for(request) == ("a deck chair on the moon", "clouds", 0.6, 20, 6.0, Sampler.EULER_A, 99)
        assert request.init is not None
        assert request.init.kind is InitKind.PIXELS


async def test_use_as_sketch_without_a_prompt_offers_the_files_own(tmp_path: Path) -> None:
    """A form cannot wait for the file: left empty it comes back filled, before anything runs. What was typed stays."""
    async with world(tmp_path) as here:
        shown = await here.you.context_menu(here.channel, SKETCH, await posted_elsewhere(here))
        offer = await send(here.you, shown, flags="--n 1")
        before = len(here.fake.requests)
        form = await press(here, offer, "Edit and send again")
        await send(here.you, form)
        (request,) = here.fake.requests

        assert before == 0
        assert "the file says what it was made with: here it is" in said(offer)
        assert fields(form) == {
            "prompt": "a deck chair on the moon",
            "negative": "clouds",
            "strength": "0.6",
            "flags": "--n 1",
        }
        assert (request.prompt, request.strength, len(request.seeds)) == ("a deck chair on the moon", 0.6, 1)


async def test_use_as_sketch_without_any_prompt(tmp_path: Path) -> None:
    """A file that says nothing cannot help: the form comes back as it was."""
    async with world(tmp_path) as here:
        shown = await here.you.context_menu(here.channel, SKETCH, await posted_elsewhere(here, ""))
        answer = await send(here.you, shown)

        assert "The prompt is empty." in said(answer)
        assert here.fake.requests == []


async def test_what_was_typed_wins_over_the_file(tmp_path: Path) -> None:
    """Whoever writes a prompt has said what they want."""
    async with world(tmp_path) as here:
        shown = await here.you.context_menu(here.channel, SKETCH, await posted_elsewhere(here))
        await send(here.you, shown, prompt="a cat")
        (request,) = here.fake.requests

        assert (request.prompt, request.negative_prompt, request.strength) == ("a cat", "", 0.75)


@pytest.mark.parametrize(
    "files, sentence",
    [
        ([("chair.png", png())], "That file does not say how it was made."),
        ([("chair.png", with_text(png(), "what a lovely day"))], "That file does not say how it was made."),
        ([("chair.png", b"no picture")], "That file is not a picture I can read."),
        ([], "That message has no picture attached"),
    ],
)
async def test_files_without_a_recipe(tmp_path: Path, files: list[Any], sentence: str) -> None:
    """A sentence each, in private."""
    async with world(tmp_path) as here:
        message = await here.other.send(here.channel, "look", attachments=files)
        answer = await here.you.context_menu(here.channel, SHOW, message)

        assert sentence in said(answer)
        assert answer.ephemeral


async def test_a_hostile_recipe_is_only_words(tmp_path: Path) -> None:
    """No block is broken out of, nobody is mentioned, and it fits into one message."""
    hostile = (
        "``` @everyone **x** " * 100
        + "\nNegative prompt: "
        + "`" * 1500
        + "\nSteps: 20, Model: <@1>, Seed: 1"
    )
    async with world(tmp_path) as here:
        answer = await here.you.context_menu(here.channel, SHOW, await posted_elsewhere(here, hostile))

        assert len(said(answer)) <= 2000
        assert said(answer).count("```") == 2
        assert "\\<\\@1>" in said(answer)


async def test_the_button_after_a_restart(tmp_path: Path) -> None:
    """The file is forgotten: a sentence says what to do."""
    async with world(tmp_path) as here:
        answer = await here.you.context_menu(here.channel, SHOW, await posted_elsewhere(here))
        await here.restart()
        pressed = await press(here, answer, "Use as sketch with this")

        assert "Use the menu of the message once more" in said(pressed)


# Once more


async def test_a_recipe_run_again_gives_the_same_picture(tmp_path: Path) -> None:
    """On the real worker, now among others: at most 1/255 off, on 0.02 % of values. With another seed it does not."""
    async with world(tmp_path, real_engine(tmp_path)) as here:
        pid = await started(here)
        sketch = png((320, 200), "navy")
        await here.sketch(image=("moon.png", sketch), strength=0.8, steps=5, candidates=1, seed=7)
        await over(here, 1)
        given = options_in(command_in(await more(here, here.cards()[0], "Recipe")))
        command = given.pop("")[1:]
        os.kill(pid, signal.SIGSTOP)  # so that they are there together when it goes on
        await here.sketch(who=here.other, image=("m.png", sketch), steps=6, strength=1.0, candidates=1)
        await here.you.slash(here.channel, command, image=("m.png", sketch), **given)
        await here.you.slash(here.channel, command, image=("m.png", sketch), **given | {"seed": 8})
        together = [job.state for job_id in (2, 3, 4) if (job := await here.store.job(job_id)) is not None]
        os.kill(pid, signal.SIGCONT)
        for job_id in (2, 3, 4):
            await over(here, job_id)
        first, same, other = [await pixels(here, job_id) for job_id in (1, 3, 4)]
        requests = [job.request for job_id in (1, 3) if (job := await here.store.job(job_id)) is not None]

        assert together == [JobState.RUNNING] * 3
        assert same_but(*requests) == []
        assert off_by_more_than_rounding(first, same) == 0
        assert share_that_differs(first, same) <= 0.0002
        assert share_that_differs(first, other) > 0.1


def asked_for(request: ImageRequest) -> tuple[Any, ...]:
    return (
        request.prompt,
        request.negative_prompt,
        request.strength,
        request.steps,
        request.guidance,
        request.sampler,
        request.seeds[0],
    )


async def pixels(here: World, job_id: int) -> np.ndarray[Any, Any]:
    """The first picture of a job, as it is stored."""
    picture = (await here.store.candidates(job_id))[0]
    image = await asyncio.to_thread(_decoded, await here.store.files.get(picture.file))
    return np.asarray(image, dtype=np.int16)


def _decoded(stored: bytes) -> Image.Image:
    return Image.open(io.BytesIO(stored)).convert("RGB")


def off_by_more_than_rounding(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> int:
    return int((np.abs(one - other) > 1).sum())


def share_that_differs(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float:
    return float((one != other).mean())
