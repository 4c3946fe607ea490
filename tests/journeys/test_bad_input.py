"""Journeys: what strangers send. A clear sentence; nothing lost, stored or charged."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from bot.store import JobState
from tests.journeys.world import (
    World,
    encoded,
    held_engine,
    opened,
    pictures_of,
    png,
    said,
    text_of,
    world,
)


def gradient(width: int, height: int) -> Image.Image:
    return Image.linear_gradient("L").resize((width, height)).convert("RGB")


REFUSED = {
    "a text file": (b"hello, I am a picture", "not a picture I can read"),
    "a GIF": (encoded(Image.new("P", (8, 8)), "GIF"), "not a picture I can read"),
    "nothing at all": (b"", "not a picture I can read"),
    "a truncated PNG": (encoded(gradient(300, 300), "PNG")[:-400], "damaged or was cut short"),
    "a truncated JPEG": (encoded(gradient(900, 900), "JPEG")[:2000], "damaged or was cut short"),
    "too many pixels": (encoded(Image.new("1", (6000, 6000)), "PNG"), "I read at most 16 million"),
    "too many bytes": (b"\x89PNG" + bytes(11 * 2**20), "I read at most 10 MB"),
    "too long and thin": (png((900, 20)), "too long and thin"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_file_that_cannot_be_used_gets_a_sentence(tmp_path: Path, name: str) -> None:
    """The private answer says what is wrong with the file; no thread, no job."""
    data, sentence = REFUSED[name]
    async with world(tmp_path) as here:
        answer = await here.sketch(image=("sketch.png", data))

        assert sentence in said(answer)
        assert answer.ephemeral
        await nothing_happened(here)


async def test_an_animated_picture_counts_as_its_first_frame(tmp_path: Path) -> None:
    """It is used, and the card says which part of it."""
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    data = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    async with world(tmp_path) as here:
        await here.sketch(image=("moving.webp", data), strength=0.01, candidates=1)
        (card,) = here.cards()
        (picture,) = [await opened(file) for file in pictures_of(card)]
        red, _, blue = picture.getpixel((9, 9))  # type: ignore[misc]  # an RGB pixel

        assert "That picture moves: I used its first frame." in text_of(card)
        assert red > 200 > 50 > blue


async def test_transparent_parts_count_as_white(tmp_path: Path) -> None:
    """A sketch with alpha is accepted, and the card says what became of it."""
    async with world(tmp_path) as here:
        await here.sketch(
            image=("clear.png", png((64, 64), "#00000000", "RGBA")), strength=0.01, candidates=1
        )
        (card,) = here.cards()
        (picture,) = [await opened(file) for file in pictures_of(card)]

        assert "Its transparent parts count as white." in text_of(card)
        assert min(picture.getpixel((9, 9))) > 250  # type: ignore[arg-type]  # an RGB pixel


async def test_a_prompt_of_spaces_is_empty(tmp_path: Path) -> None:
    """Discord wants one character; a space is not a prompt."""
    async with world(tmp_path) as here:
        answer = await here.sketch(prompt="   ")

        assert "The prompt is empty." in said(answer)
        await nothing_happened(here)


async def test_a_strength_too_small_for_one_step_runs_one(tmp_path: Path) -> None:
    """int(10 × 0.05) is no step at all: one is run and the card says so."""
    async with world(tmp_path) as here:
        await here.sketch(strength=0.05, steps=10, candidates=1)
        (card,) = here.cards()

        assert "strength 0.05: 1 of 10 steps (fewer than one was asked for)" in text_of(card)


async def test_a_thread_deleted_while_its_job_runs(tmp_path: Path) -> None:
    """The engine is freed at once; the channel reads why, and the next person's job runs."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=4)
        await here.sketch(who=here.other, candidates=4)
        here.fake.release(2)
        await here.env.settle()
        await here.delete_thread(here.thread(0))
        here.fake.release(1000)
        await here.env.settle()
        job = await here.store.job(1)

        assert job is not None
        assert job.state is JobState.CANCELLED
        assert here.fake.closed_early == 1
        assert "was deleted, so its jobs were stopped" in here.channel.history()[-1].content
        assert len(pictures_of(here.cards(here.thread(0))[0])) == 4


async def test_mentions_and_markdown_in_a_prompt_do_nothing(tmp_path: Path) -> None:
    """A prompt is shown as it was typed: nobody is pinged, nothing is formatted."""
    async with world(tmp_path) as here:
        await here.sketch(
            prompt=f"@everyone <@{here.other.id}> **bold** [x](https://example.org)", candidates=1
        )
        (card,) = here.cards()

        assert here.pinged_by(card) == []
        assert not card.mention_everyone
        assert "\\*\\*bold\\*\\*" in text_of(card)
        assert "\\<\\@" in text_of(card)
        assert "](https://" not in text_of(card)


async def nothing_happened(here: World) -> None:
    assert here.channel.threads == []
    assert here.fake.requests == []
    assert await here.store.job(1) is None
