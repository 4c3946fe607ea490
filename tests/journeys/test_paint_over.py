"""Journeys: people save a picture, paint on it, and send it back. What they painted on is drawn anew, and only that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import discord
import numpy as np
import pytest
from PIL import Image, ImageOps

from bot.store import Picture, PictureKind
from inference import InitKind
from tests.journeys.forms import send
from tests.journeys.painting import (
    changed,
    erased,
    held_small_painter,
    outside,
    painting,
    pictures,
    region_of,
    scribble,
    small_painter,
    stored,
)
from tests.journeys.world import World, buttons_of, encoded, opened, pictures_of, png, said, text_of, world

HERE = (150, 160, 200, 215)
"""Where they paint, unless it is said."""


async def begin(here: World, **options: Any) -> None:
    """A Scene with a sketch (picture 1) and, unless it is said, one Candidate (picture 2)."""
    await here.sketch(image=("moon.png", png((256, 256))), **{"candidates": 1, **options})


async def posted(here: World, number: int = 0, card: int = -1) -> Image.Image:
    """A result as people save it from a card."""
    return (await opened(pictures_of(here.cards()[card])[number])).convert("RGB")


async def answer(here: World, *copies: Image.Image | bytes, text: str = "a chair", **who: Any) -> None:
    """Reply to the newest card with edited copies, saved as a phone does."""
    files = [copy if isinstance(copy, bytes) else encoded(copy, "JPEG", quality=90) for copy in copies]
    attached = [(f"copy-{number}.jpg", data) for number, data in enumerate(files)]
    target = who.get("to") or here.cards()[-1]
    await who.get("by", here.you).send(here.thread(), text, reply_to=target, attachments=attached)


async def last_two(here: World) -> tuple[Picture, Picture]:
    """What was painted on, as it is kept, and what came of it."""
    *_, painted, result = await pictures(here)
    return painted, result


async def test_what_was_painted_on_is_drawn_anew_and_nothing_else(tmp_path: Path) -> None:
    """Which of three Candidates it was is found out; outside of what was painted not a bit differs from it."""
    async with world(tmp_path, small_painter) as here:
        await begin(here, candidates=3)
        await answer(here, scribble(await posted(here, 1), HERE), text="a chair --n 1")
        request = here.fake.requests[-1]
        _, _, second, _, painted, result = await pictures(here)
        region = await region_of(here, request)
        difference = changed(await stored(here, second), await stored(here, result))

        assert (painted.kind, painted.parent_id) == (PictureKind.PAINTED, second.id)
        assert result.parent_id == painted.id
        assert not difference[outside(region)].any()
        assert difference[170:205, 160:190].mean() > 0.9
        assert np.asarray(region)[180:195, 165:185].min() == 255
        assert outside(region).mean() > 0.8
        assert request.init is not None
        assert (request.init.kind, request.init.ref) == (InitKind.PIXELS, painted.file)


async def test_what_is_kept_of_the_copy_is_the_picture_with_paint_on_it(tmp_path: Path) -> None:
    """JPEG's noise all over it is gone: outside of the region it is the Candidate to the bit."""
    async with world(tmp_path, small_painter) as here:
        await begin(here)
        copy = scribble(await posted(here), HERE)
        await answer(here, encoded(copy, "JPEG", quality=70))
        before = (await pictures(here))[1]
        painted, _ = await last_two(here)
        kept, region = await stored(here, painted), await region_of(here, here.fake.requests[-1])
        difference = changed(await stored(here, before), kept)

        assert not difference[outside(region)].any()
        assert np.abs(np.asarray(kept, int)[185, 175] - (255, 0, 0)).max() < 20
        assert (painted.width, painted.height) == (before.width, before.height)


async def test_the_card_says_and_shows_what_was_understood(tmp_path: Path) -> None:
    """The number of the picture, that only a part is drawn anew, and that part outlined; and it offers the whole."""
    async with world(tmp_path, small_painter) as here:
        await begin(here)
        await answer(here, scribble(await posted(here), HERE))
        card = here.cards()[-1]
        (thumbnail,) = [file for file in card.attachments if file.filename == "sketch.webp"]
        shown = np.asarray((await opened(thumbnail)).convert("RGB"), int)
        painted, _ = await last_two(here)
        plain = np.asarray((await stored(here, painted)).resize(shown.shape[1::-1]), int)
        dimmed = np.abs(shown - plain).mean(axis=2)

        assert "a part repainted" in text_of(card)
        assert "You painted on picture 2. Only the part that is outlined above" in text_of(card)
        assert "From picture" not in text_of(card)
        assert dimmed[262:300, 245:280].mean() < 20 < dimmed[:150, :150].mean()
        assert "Whole picture instead" in buttons_of(card)


async def test_paint_gets_the_freedom_of_a_sketch_and_the_words_of_the_picture(tmp_path: Path) -> None:
    """What is not said is as it was; the strength is a first sketch's unless one is said."""
    async with world(tmp_path, small_painter) as here:
        await begin(here, guidance=4.0, negative="clouds", steps=20)
        copy = scribble(await posted(here), HERE)
        await answer(here, copy, text="")
        await answer(here, copy, text="a chair --strength 0.4 --seed 7 --n 2", to=here.cards()[0])
        _, silent, spoken = here.fake.requests

        assert (silent.prompt, silent.negative_prompt) == ("the surface of the moon", "clouds")
        assert (silent.guidance, silent.steps, silent.strength) == (4.0, 20, 0.75)
        assert (spoken.prompt, spoken.strength, spoken.seeds) == ("a chair", 0.4, (7, 8))
        assert silent.mask is not None
        assert spoken.mask is not None


async def test_what_was_rubbed_out_has_its_old_colours_underneath(tmp_path: Path) -> None:
    """Transparent in the file, it is drawn anew from what was there; nobody is told that it counts as white."""
    async with world(tmp_path, small_painter) as here:
        await begin(here)
        await answer(here, encoded(erased(await posted(here), HERE), "PNG"))
        before = (await pictures(here))[1]
        painted, result = await last_two(here)
        old, region = await stored(here, before), await region_of(here, here.fake.requests[-1])
        difference = changed(old, await stored(here, result))

        assert not changed(old, await stored(here, painted)).any()
        assert not difference[outside(region)].any()
        assert difference[165:210, 155:195].mean() > 0.9
        assert "white" not in text_of(here.cards()[-1])


async def test_the_whole_picture_instead_at_any_time(tmp_path: Path) -> None:
    """While it waits, when it is done, after a restart: the same words on all of it, as a job of its own."""
    async with world(tmp_path, held_small_painter) as here:
        await begin(here)
        here.fake.release(1000)
        await here.env.settle()
        first = here.fake.requests[0]
        await here.restart()
        await answer(here, scribble(await posted(here), HERE), text="a chair --steps 20")
        waiting = here.cards()[-1]
        await here.you.click(waiting, custom_id=buttons_of(waiting)["Whole picture instead"])
        here.fake.release(1000)
        await here.env.settle()
        part, whole = here.fake.requests
        _, done, at_once = here.cards()
        await here.restart()
        await here.other.click(done, custom_id=buttons_of(done)["Whole picture instead"])
        here.fake.release(1000)
        await here.env.settle()
        (later,) = here.fake.requests

        assert part.mask is not None
        assert part.init is not None
        for request in (whole, later):
            assert (request.mask, request.init) == (None, part.init)
            assert (request.prompt, request.strength, request.steps) == ("a chair", 0.75, 20)
            assert request.frame == first.frame
            assert request.seeds != part.seeds
        assert "All of the picture this time" in text_of(at_once)
        assert "Whole picture instead" not in buttons_of(at_once)


async def test_whoever_painted_over_nearly_all_means_all_of_it(tmp_path: Path) -> None:
    """No part is outlined then, and the card says so."""
    async with world(tmp_path, small_painter) as here:
        await begin(here)
        copy = erased(await posted(here), (8, 8, 248, 248))
        await answer(here, encoded(copy, "PNG"))
        request = here.fake.requests[-1]

        assert request.mask is None
        assert "You painted over nearly all of picture 2, so all of it" in text_of(here.cards()[-1])


@pytest.mark.parametrize("quality", [70, 95])
async def test_a_picture_that_was_only_saved_again_is_that_picture(tmp_path: Path, quality: int) -> None:
    """Nothing was painted: it goes on from what is stored of it, as a reply without a file does, and says so."""
    async with world(tmp_path, small_painter) as here:
        await begin(here, candidates=2)
        await answer(here, encoded(await posted(here, 1), "JPEG", quality=quality))
        request = here.fake.requests[-1]
        _, _, second, *new = await pictures(here)

        assert request.mask is None
        assert request.init is not None
        assert (request.init.kind, request.init.ref) == (InitKind.LATENTS, second.latents)
        assert {picture.parent_id for picture in new} == {second.id}
        assert "That is picture 3, and I found nothing painted on it" in text_of(here.cards()[-1])


async def test_another_picture_is_a_new_sketch(tmp_path: Path) -> None:
    """It is taken whole as ever, and the card says that it is no copy of anything here."""
    async with world(tmp_path, small_painter) as here:
        await begin(here)
        await answer(here, painting("something else", (600, 400)))
        request = here.fake.requests[-1]
        uploaded, _ = await last_two(here)

        assert request.mask is None
        assert (uploaded.kind, uploaded.width) == (PictureKind.UPLOADED, 600)
        assert request.strength == 0.55
        assert (
            "From picture 2. What you sent is no edited copy of picture 2 or of another one here"
            in text_of(here.cards()[-1])
        )


async def test_a_copy_of_an_earlier_picture_is_found_from_any_card(tmp_path: Path) -> None:
    """Who answers the wrong card still means the picture that they painted on."""
    async with world(tmp_path, small_painter) as here:
        await begin(here)
        copy = scribble(await posted(here), HERE)
        await here.you.send(here.thread(), "at night", reply_to=here.cards()[-1])
        await answer(here, copy)
        second = (await pictures(here))[1]
        painted, _ = await last_two(here)

        assert painted.parent_id == second.id
        assert "You painted on picture 2." in text_of(here.cards()[-1])


@pytest.mark.parametrize("how", ["smaller", "in a border"])
async def test_a_copy_that_is_not_of_the_same_size_is_understood(tmp_path: Path, how: str) -> None:
    """Phones scale pictures down and take them with what is round them; the result has the old size and place."""
    async with world(tmp_path, small_painter) as here:
        await begin(here)
        copy = scribble(await posted(here), HERE)
        sent = copy.resize((180, 180)) if how == "smaller" else ImageOps.expand(copy, (4, 10), "black")
        await answer(here, encoded(sent, "PNG"))
        before = (await pictures(here))[1]
        _, result = await last_two(here)
        difference = changed(await stored(here, before), await stored(here, result))
        region = await region_of(here, here.fake.requests[-1])

        assert (result.width, result.height) == (256, 256)
        assert not difference[outside(region)].any()
        assert difference[170:205, 160:190].mean() > 0.9
        assert not difference[:125].any()


async def test_painting_goes_on_and_on_without_wearing_anything_out(tmp_path: Path) -> None:
    """Ten times a picture is saved, painted on and sent back: what nobody touched is as in the first one."""
    async with world(tmp_path, small_painter) as here:
        await begin(here)
        first = (await pictures(here))[1]
        touched = np.zeros((256, 256), bool)
        for number in range(10):
            left, top = 20 + 45 * (number % 5), 30 + 100 * (number // 5)
            copy = scribble(await posted(here), (left, top, left + 25, top + 30), "lime")
            await answer(here, encoded(copy, "JPEG", quality=75), text=f"thing {number}")
            touched |= ~outside(await region_of(here, here.fake.requests[-1]))
        _, last = await last_two(here)
        difference = changed(await stored(here, first), await stored(here, last))

        assert not difference[~touched].any()
        assert touched.mean() < 0.4
        assert difference[touched].mean() > 0.5


async def twins(here: World) -> Image.Image:
    """Two Candidates of different cards that nobody can tell apart (pictures 3 and 4), the newest card of another."""
    await begin(here)
    for _ in range(2):
        await here.you.send(here.thread(), "at night --seed 7", reply_to=here.cards()[0])
    twin = await posted(here)
    await here.you.send(here.thread(), "at noon", reply_to=here.cards()[0])
    return scribble(twin, HERE)


def question(here: World) -> discord.Message:
    return here.thread().history()[-1]


async def test_where_two_pictures_are_alike_it_is_asked(tmp_path: Path) -> None:
    """As an answer that pings nobody; the one who sent it presses a button, and it goes on with their words."""
    async with world(tmp_path, small_painter) as here:
        await answer(here, await twins(here), text="a chair --n 1")
        asked = question(here)
        before, pinged = len(here.fake.requests), here.pinged_by(asked)
        pressed = await here.you.click(asked, custom_id=buttons_of(asked)["Picture 4"])
        fourth = (await pictures(here))[3]
        painted, _ = await last_two(here)
        request = here.fake.requests[-1]

        assert "looks like pictures 3 and 4 alike" in asked.content
        assert list(buttons_of(asked)) == ["Picture 3", "Picture 4", "The picture as it is"]
        assert (before, pinged) == (4, [])
        assert "I am on it" in said(pressed)
        assert pressed.ephemeral
        assert (fourth.number, painted.parent_id) == (4, fourth.id)
        assert (request.prompt, request.mask is not None) == ("a chair", True)
        assert "looks like" not in question(here).content


async def test_the_question_can_be_answered_after_a_restart(tmp_path: Path) -> None:
    """Here with "as it is": a new sketch, and no word about copies."""
    async with world(tmp_path, small_painter) as here:
        await answer(here, await twins(here))
        asked = question(here)
        await here.restart()
        await here.you.click(asked, custom_id=buttons_of(asked)["The picture as it is"])
        uploaded, _ = await last_two(here)

        assert uploaded.kind is PictureKind.UPLOADED
        assert here.fake.requests[-1].mask is None
        assert "copy" not in text_of(here.cards()[-1])


async def test_only_who_sent_the_picture_answers(tmp_path: Path) -> None:
    """Somebody else reads whose question it is; nothing is started, and it still stands."""
    async with world(tmp_path, small_painter) as here:
        await answer(here, await twins(here))
        asked = question(here)
        pressed = await here.other.click(asked, custom_id=buttons_of(asked)["Picture 3"])

        assert "for the person who sent the picture" in said(pressed)
        assert len(here.fake.requests) == 4
        assert question(here).id == asked.id


async def test_a_question_whose_message_is_gone(tmp_path: Path) -> None:
    """The words and the file were in it: a sentence says what to do."""
    async with world(tmp_path, small_painter) as here:
        await answer(here, await twins(here))
        asked, sent = reversed(here.thread().history()[-2:])
        await here.guild_owner_deletes(sent)
        pressed = await here.you.click(asked, custom_id=buttons_of(asked)["Picture 3"])

        assert "Send the picture once more" in said(pressed)
        assert len(here.fake.requests) == 4


async def test_a_copy_in_the_form_is_understood_as_well(tmp_path: Path) -> None:
    """With the strength of a sketch: what stood in that field when the form opened, nobody said."""
    async with world(tmp_path, small_painter) as here:
        await begin(here, candidates=2)
        card = here.cards()[-1]
        file = encoded(scribble(await posted(here, 1), HERE), "JPEG", quality=90)
        for strength in ("0.55", "0.3"):
            form = await here.you.click(card, custom_id=buttons_of(card)["Refine…"])
            await send(here.you, form, prompt="a chair", strength=strength, file=[("copy.jpg", file)])
        _, usual, spoken = here.fake.requests

        assert "You painted on picture 3." in text_of(here.cards()[-1])
        assert (usual.prompt, usual.strength, spoken.strength) == ("a chair", 0.75, 0.3)
        assert usual.mask is not None


async def test_in_the_form_the_picture_that_it_is_about_is_meant(tmp_path: Path) -> None:
    """Nobody can be asked there, for the file is gone with the form; the card says what was taken."""
    async with world(tmp_path, small_painter) as here:
        file = ("copy.jpg", encoded(await twins(here), "JPEG", quality=90))
        *_, twin, other = here.cards()
        for card in (other, twin):
            form = await here.you.click(card, custom_id=buttons_of(card)["Refine…"])
            await send(here.you, form, prompt="a chair", file=[file])
        from_other, from_twin = here.cards()[-2:]

        assert "looks like a copy of pictures 3 and 4 alike; I took picture 3" in text_of(from_other)
        assert "You painted on picture 3." in text_of(from_other)
        assert "You painted on picture 4." in text_of(from_twin)
        assert "alike" not in text_of(from_twin)


async def test_a_copy_of_what_somebody_keeps_for_themselves(tmp_path: Path) -> None:
    """It is not gone on from by others, whichever card they answer; its author may."""
    async with world(tmp_path, small_painter) as here:
        await begin(here)
        copy = scribble(await posted(here), HERE)
        first = here.cards()[-1]
        await here.other.send(here.thread(), "at night", reply_to=first)
        theirs = here.cards()[-1]
        await here.you.slash(here.thread(), "share", who="mine")
        for target in (first, theirs):
            await answer(here, copy, to=target, by=here.other)
        refused = [message.content for message in here.thread().history() if not message.components]
        await answer(here, copy, to=theirs)

        assert sum("who keeps it for themselves" in text for text in refused) == 2
        assert len(here.fake.requests) == 3
        assert "You painted on picture 2." in text_of(here.cards()[-1])


async def test_deleting_the_card_takes_what_was_painted_along(tmp_path: Path) -> None:
    """The copy, its mask and the result leave the disk; the picture that was painted on stays."""
    async with world(tmp_path, small_painter) as here:
        await begin(here)
        await answer(here, scribble(await posted(here), HERE))
        card = here.cards()[-1]
        mask = here.fake.requests[-1].mask
        assert mask is not None
        ask = await here.you.click(card, custom_id=buttons_of(card)["Delete"])
        assert ask.response is not None
        await here.you.click(ask.response, label="Delete for good")
        _, before, painted, result = await pictures(here)

        assert (before.deleted, painted.deleted, result.deleted) == (False, True, True)
        files = {file.name for file in (tmp_path / "pictures").glob("*/*")}
        assert before.file in files
        assert not files & {painted.file, result.file, mask}
