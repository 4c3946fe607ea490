"""Journeys: the menus of a message with a picture. No privileged intent is on."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference import InitKind
from tests.journeys.forms import fields, labels, send
from tests.journeys.world import buttons_of, held_engine, pictures_of, png, said, text_of, world

SKETCH, REFINE = "Use as sketch", "Refine this picture"


@pytest.mark.parametrize("menu, strength", [(SKETCH, "0.75"), (REFINE, "0.55")])
async def test_somebody_elses_attachment_becomes_a_sketch(tmp_path: Path, menu: str, strength: str) -> None:
    """The bot sees the message it was pointed at; a Scene of one's own begins with its picture."""
    async with world(tmp_path) as here:
        message = await here.other.send(
            here.channel, "look", attachments=[("chair.png", png((300, 200), "blue"))]
        )
        shown = await here.you.context_menu(here.channel, menu, message)
        answer = await send(here.you, shown, prompt="a deck chair", flags="--n 1")
        (request,) = here.fake.requests
        (card,) = here.cards()
        scene = await here.store.scene(1)

        assert fields(shown) == {"prompt": "", "negative": "", "strength": strength, "flags": ""}
        assert "I am on it" in said(answer)
        assert (request.prompt, request.strength) == ("a deck chair", float(strength))
        assert request.init is not None
        assert request.init.kind is InitKind.PIXELS
        assert scene.owner_id == here.you.id
        assert len(pictures_of(card)) == 1


async def test_of_several_pictures_the_first_is_taken(tmp_path: Path) -> None:
    """And the card says so; files that are no pictures do not count."""
    async with world(tmp_path) as here:
        files = [("notes.txt", b"hello"), ("a.png", png((300, 200))), ("b.PNG", png((90, 160)))]
        message = await here.other.send(here.channel, "look", attachments=files)
        await send(here.you, await here.you.context_menu(here.channel, SKETCH, message), prompt="a chair")
        (card,) = here.cards()

        assert "That message has 2 pictures; I took the first." in text_of(card)
        assert here.fake.requests[0].frame.content.width > here.fake.requests[0].frame.content.height


async def test_refining_our_own_card_is_what_its_button_does(tmp_path: Path) -> None:
    """One's own pick is the parent, with its words and from its latents."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=2)
        (card,) = here.cards()
        await here.you.click(card, custom_id=buttons_of(card)["2"])
        by_button = await here.you.click(card, custom_id=buttons_of(card)["Refine…"])
        by_menu = await here.you.context_menu(here.thread(), REFINE, card)
        await send(here.you, by_menu, prompt="rounder")
        picked = (await here.store.candidates(1))[1]

        assert fields(by_menu) == fields(by_button)
        assert labels(by_menu) == labels(by_button)
        assert here.fake.requests[1].init is not None
        assert here.fake.requests[1].init.ref == picked.latents
        assert len(here.channel.threads) == 1


async def test_our_own_picture_as_a_sketch_stays_in_its_scene(tmp_path: Path) -> None:
    """Its pixels are drawn over with a first sketch's freedom; the tree knows where it came from."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        (card,) = here.cards()
        shown = await here.you.context_menu(here.thread(), SKETCH, card)
        await send(here.you, shown, prompt="in crayon")
        (picture,) = await here.store.candidates(1)
        job = await here.store.job(2)

        assert fields(shown)["strength"] == "0.75"
        assert here.fake.requests[1].init is not None
        assert (here.fake.requests[1].init.kind, here.fake.requests[1].init.ref) == (
            InitKind.PIXELS,
            picture.file,
        )
        assert job is not None
        assert (job.parent_id, job.scene_id) == (picture.id, 1)


@pytest.mark.parametrize("menu", [SKETCH, REFINE])
async def test_a_message_without_a_picture_opens_no_form(tmp_path: Path, menu: str) -> None:
    """Words, other files and embedded links are no pictures: a private sentence says what is."""
    async with world(tmp_path) as here:
        talk = await here.other.send(here.channel, "https://example.org/cat.png")
        notes = await here.other.send(here.channel, "notes", attachments=[("notes.txt", b"hello")])
        answers = [await here.you.context_menu(here.channel, menu, message) for message in (talk, notes)]

        assert all(answer.modal is None and answer.ephemeral for answer in answers)
        assert all("That message has no picture attached" in said(answer) for answer in answers)


async def test_a_card_without_pictures_yet_opens_no_form(tmp_path: Path) -> None:
    """There is nothing to refine before the first result."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch()
        answer = await here.you.context_menu(here.thread(), REFINE, here.cards()[0])
        here.fake.release(1000)
        await here.env.settle()

        assert "has no picture" in said(answer)


async def test_a_file_too_heavy_is_refused_before_anybody_types(tmp_path: Path) -> None:
    """Nobody fills in a form for nothing."""
    async with world(tmp_path) as here:
        message = await here.other.send(
            here.channel, "", attachments=[("big.png", b"\x89PNG" + bytes(11 * 2**20))]
        )
        answer = await here.you.context_menu(here.channel, SKETCH, message)

        assert "I read at most 10 MB" in said(answer)


async def test_a_menus_form_that_is_open_while_the_bot_starts_again(tmp_path: Path) -> None:
    """The file is forgotten: a sentence, everything typed for copying, nothing stored."""
    async with world(tmp_path) as here:
        message = await here.other.send(here.channel, "", attachments=[("chair.png", png())])
        shown = await here.you.context_menu(here.channel, SKETCH, message)
        await here.restart()
        answer = await send(here.you, shown, prompt="a deck chair", negative="clouds")

        assert "Use the menu of the message once more" in said(answer)
        assert "```\na deck chair\n```" in said(answer)
        assert "```\nclouds\n```" in said(answer)
        assert await here.store.job(1) is None


async def test_a_file_that_is_gone_from_discord(tmp_path: Path) -> None:
    """Its message may be deleted while the form is open: a sentence, and what was typed."""
    async with world(tmp_path) as here:
        message = await here.other.send(here.channel, "", attachments=[("chair.png", png())])
        shown = await here.you.context_menu(here.channel, SKETCH, message)
        here.expire_files()
        answer = await send(here.you, shown, prompt="a deck chair")

        assert "Discord did not hand me that file" in said(answer)
        assert "a deck chair" in said(answer)
        assert await here.store.job(1) is None
