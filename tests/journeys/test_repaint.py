"""Journeys: /repaint. A part of a picture is drawn anew, by its name on the grid or by a mask; the rest stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import discord
import numpy as np
import pytest
from PIL import Image
from simcord.results import InteractionResult, ResponseMessage

from inference import InitKind
from tests.journeys.forms import fields, labels, send
from tests.journeys.painting import changed, outside, painter, painting, pictures, region_of, stored
from tests.journeys.test_more import more
from tests.journeys.world import (
    World,
    buttons_of,
    encoded,
    opened,
    pictures_of,
    png,
    said,
    text_of,
    walk,
    world,
)


async def begin(here: World, size: tuple[int, int] = (512, 512), **options: Any) -> None:
    """A Scene with a sketch (picture 1) and one Candidate (picture 2), as large as the canvas."""
    await here.sketch(image=("moon.png", png(size)), **{"candidates": 1, **options})


async def repaint(here: World, **options: Any) -> InteractionResult:
    return await here.you.slash(here.thread(), "repaint", **{"prompt": "a lake", "candidates": 1, **options})


def answer_of(result: InteractionResult) -> ResponseMessage:
    assert result.response is not None
    return result.response


def button_in(message: ResponseMessage) -> str:
    (button,) = [item for item in walk(message.components) if item["type"] == 2]
    return str(button["custom_id"])


async def test_a_named_part_becomes_something_else(tmp_path: Path) -> None:
    """Outside the cells that were named not a bit differs from the picture before; inside, all of it may."""
    async with world(tmp_path, painter) as here:
        await begin(here)
        answer = await repaint(here, region="B2:D4")
        *_, before, after = await pictures(here)
        old, new = await stored(here, before), await stored(here, after)
        _, request = here.fake.requests
        cells = np.zeros((512, 512), bool)
        cells[64:256, 64:256] = True

        assert "I am on it" in said(answer)
        assert (before.number, after.parent_id) == (2, before.id)
        assert not changed(old, new)[~cells].any()
        assert changed(old, new)[cells].mean() > 0.9
        assert not np.asarray(await region_of(here, request))[~cells].any()
        assert (request.prompt, request.strength) == ("a lake", 0.75)
        assert request.init is not None
        assert (request.init.kind, request.init.ref) == (InitKind.PIXELS, before.file)


async def test_the_card_says_and_shows_which_part(tmp_path: Path) -> None:
    """Its words name the picture; its thumbnail has the part ringed and the rest dimmed."""
    async with world(tmp_path, painter) as here:
        await begin(here)
        await repaint(here, region="B2:D4")
        card = here.cards()[-1]
        (thumbnail,) = [file for file in card.attachments if file.filename == "sketch.webp"]
        shown = np.asarray((await opened(thumbnail)).convert("RGB"), int)
        whole = (await stored(here, (await pictures(here))[1])).convert("RGB").resize(shown.shape[1::-1])
        dimmed = np.abs(shown - np.asarray(whole, int)).mean(axis=2)

        assert "a part repainted" in text_of(card)
        assert "From picture 2. Only the part that is outlined above is drawn anew" in text_of(card)
        assert dimmed[70:170, 70:170].mean() < 10 < dimmed[250:, 250:].mean()
        assert "Whole picture instead" not in buttons_of(card)


async def test_a_mask_file_says_which_part(tmp_path: Path) -> None:
    """White is drawn anew, in a file of another size as well; black stays to the bit."""
    mask = Image.new("L", (256, 256))
    mask.paste(255, (100, 100, 200, 200))
    async with world(tmp_path, painter) as here:
        await begin(here)
        await repaint(here, mask=("mask.png", encoded(mask, "PNG")))
        *_, before, after = await pictures(here)
        difference = changed(await stored(here, before), await stored(here, after))

        assert difference[202:398, 202:398].mean() > 0.9
        assert not difference[:198].any()
        assert not difference[:, 402:].any()


async def test_a_mask_may_be_transparent_where_it_is_to_change(tmp_path: Path) -> None:
    """The picture itself with a part rubbed out is a mask, too, and nobody is told that it became white."""
    async with world(tmp_path, painter) as here:
        await begin(here)
        picture = (await stored(here, (await pictures(here))[1])).convert("RGBA")
        picture.paste((0, 0, 0, 0), (0, 0, 100, 100))
        await repaint(here, mask=("mask.png", encoded(picture, "PNG")))
        *_, before, after = await pictures(here)
        difference = changed(await stored(here, before), await stored(here, after))

        assert difference[:100, :100].mean() > 0.9
        assert not difference[102:].any()
        assert "white" not in text_of(here.cards()[-1])


async def test_any_picture_of_the_scene_can_be_repainted_by_number(tmp_path: Path) -> None:
    """Also one's own sketch, which no model made; the options of a request hold as everywhere."""
    async with world(tmp_path, painter) as here:
        await begin(here)
        await repaint(
            here, region="top left", picture=1, strength=0.4, steps=20, seed=7, negative="boats", candidates=2
        )
        request = here.fake.requests[-1]
        first, _, *candidates = await pictures(here)
        old = await stored(here, first)
        differences = [changed(old, await stored(here, picture)) for picture in candidates]

        assert (request.strength, request.steps, request.negative_prompt) == (0.4, 20, "boats")
        assert request.seeds == (7, 8)
        assert [picture.parent_id for picture in candidates] == [first.id, first.id]
        assert [bool(difference[180:].any()) for difference in differences] == [False, False]
        assert [bool(difference[:160, :160].any()) for difference in differences] == [True, True]


async def test_a_part_of_a_large_picture_is_drawn_in_a_window(tmp_path: Path) -> None:
    """Nothing is scaled down: the picture keeps its size, and what is drawn has the canvas for itself."""
    async with world(tmp_path, painter) as here:
        await begin(here, (1600, 1200))
        await repaint(here, region="C3", picture=1)
        request = here.fake.requests[-1]
        first, *_, last = await pictures(here)
        difference = changed(await stored(here, first), await stored(here, last))

        assert request.init is not None
        assert request.init.window is not None
        assert request.init.window.width < 800
        assert (last.width, last.height) == (1600, 1200)
        assert difference[420:580, 420:580].mean() > 0.9
        assert not difference[:400].any()
        assert not difference[600:].any()
        assert "-# a part of " in text_of(here.cards()[-1])


async def test_ten_rounds_leave_everything_else_as_it_was(tmp_path: Path) -> None:
    """No generational loss: whatever no round was about is to the bit as in the first picture."""
    cells = ["A1", "C2", "E5", "H8", "B7", "D4", "G2", "F6", "A5", "H1"]
    async with world(tmp_path, painter) as here:
        await begin(here)
        touched = np.zeros((512, 512), bool)
        for number, cell in enumerate(cells):
            await repaint(here, region=cell, prompt=f"thing {number}")
            touched |= ~outside(await region_of(here, here.fake.requests[-1]))
        _, first, *rounds = await pictures(here)
        difference = changed(await stored(here, first), await stored(here, rounds[-1]))

        assert len(rounds) == len(cells)
        assert [picture.parent_id for picture in rounds] == [
            first.id,
            *(picture.id for picture in rounds[:-1]),
        ]
        assert touched.mean() == pytest.approx(10 / 64)
        assert not difference[~touched].any()
        assert difference[touched].mean() > 0.9


@pytest.mark.parametrize("action, strength", [("Subtle", 0.35), ("Strong", 0.75)])
async def test_a_change_of_a_repainted_picture_stays_in_its_region(
    tmp_path: Path, action: str, strength: float
) -> None:
    """Mask and window are kept; it starts from the picture that was picked, and nothing else changes."""
    async with world(tmp_path, painter) as here:
        await begin(here, (1600, 1200))
        await repaint(here, region="C3", picture=1)
        card = here.cards()[-1]
        await here.you.click(card, custom_id=buttons_of(card)[action])
        *_, second, third = here.fake.requests
        *_, before, after = await pictures(here)
        difference = changed(await stored(here, before), await stored(here, after))

        assert second.init is not None
        assert third.init is not None
        assert (third.mask, third.init.window, third.frame) == (second.mask, second.init.window, second.frame)
        assert (third.init.ref, third.strength) == (before.file, strength)
        assert not difference[outside(await region_of(here, third))].any()
        assert difference.any()


async def test_again_repaints_the_same_part_once_more(tmp_path: Path) -> None:
    """From the same picture, with another seed."""
    async with world(tmp_path, painter) as here:
        await begin(here)
        await repaint(here, region="B2:D4")
        card = here.cards()[-1]
        await here.you.click(card, custom_id=buttons_of(card)["Again"])
        *_, second, third = here.fake.requests
        _, before, once, again = await pictures(here)
        old = await stored(here, before)
        difference = changed(old, await stored(here, again))

        assert (third.mask, third.init) == (second.mask, second.init)
        assert third.seeds != second.seeds
        assert again.parent_id == once.parent_id == before.id
        assert not difference[outside(await region_of(here, third))].any()
        assert changed(await stored(here, once), await stored(here, again)).any()


async def test_a_strength_strip_of_a_repaint_is_about_the_same_part(tmp_path: Path) -> None:
    """Five strengths of one part; everything else is the same in all of them."""
    async with world(tmp_path, painter) as here:
        await begin(here)
        await repaint(here, region="B2:D4")
        await more(here, here.cards()[-1], "Strength strip")
        request = here.fake.requests[-1]
        _, before, _, *strip = await pictures(here)
        old, kept = await stored(here, before), outside(await region_of(here, request))

        assert len(strip) == len(request.strengths) == 5
        assert [bool(changed(old, await stored(here, picture))[kept].any()) for picture in strip] == [
            False
        ] * 5


async def test_a_reply_with_words_goes_on_from_the_whole_picture(tmp_path: Path) -> None:
    """A part was repainted, and that is that: the next words are about all of it."""
    async with world(tmp_path, painter) as here:
        await begin(here)
        await repaint(here, region="B2:D4")
        await here.you.send(here.thread(), "at night", reply_to=here.cards()[-1])
        request = here.fake.requests[-1]

        assert request.mask is None
        assert request.prompt == "at night"


async def test_without_a_part_the_grid_is_shown_and_a_form_asks(tmp_path: Path) -> None:
    """Privately: the picture with its cells, then a form with what was typed already; nothing is started before."""
    async with world(tmp_path, painter) as here:
        await begin(here, negative="clouds")
        answer = await repaint(here, prompt="a ```lake```", steps=20, candidates=1)
        shown = answer_of(answer)
        (grid,) = shown.attachments
        picture = await opened(grid)
        form = await here.you.click(shown, custom_id=button_in(shown))
        before = len(here.fake.requests)
        await send(here.you, form, region="B2:D4")
        *_, old, new = await pictures(here)
        difference = changed(await stored(here, old), await stored(here, new))

        assert answer.ephemeral
        assert "picture 2 under its grid" in said(answer)
        assert max(picture.size) > 1000
        assert before == 1
        assert labels(form) == ["Which part", "Prompt", "Not in it", "Strength", "More options"]
        assert fields(form) == {
            "region": "",
            "prompt": "a ```lake```",
            "negative": "clouds",
            "strength": "",
            "flags": "--steps 20 --n 1",
        }
        assert here.fake.requests[-1].steps == 20
        assert difference[80:240, 80:240].any()
        assert not difference[256:].any()


async def test_the_grid_and_its_form_work_after_a_restart(tmp_path: Path) -> None:
    """The button knows the picture, the message what was typed, the form what it is for."""
    async with world(tmp_path, painter) as here:
        await begin(here)
        shown = answer_of(await repaint(here))
        await here.restart()
        form = await here.you.click(shown, custom_id=button_in(shown))
        await here.restart()
        answer = await send(here.you, form, region="top left")

        assert "I am on it" in said(answer)
        assert here.fake.requests[-1].mask is not None
        assert here.fake.requests[-1].prompt == "a lake"


async def test_a_part_that_is_not_understood_costs_nothing_that_was_typed(tmp_path: Path) -> None:
    """A sentence, everything that was typed, and a button that opens the form again with it."""
    async with world(tmp_path, painter) as here:
        await begin(here)
        shown = answer_of(await repaint(here))
        form = await here.you.click(shown, custom_id=button_in(shown))
        answer = await send(here.you, form, region="B2:K9", strength="0.4")
        reopened = await here.you.click(answer_of(answer), custom_id=button_in(answer_of(answer)))
        once_more = await send(here.you, reopened, region="B2:D4")

        assert "`K9` lies outside the picture" in said(answer)
        assert fields(reopened) == {
            "region": "B2:K9",
            "prompt": "a lake",
            "negative": "",
            "strength": "0.4",
            "flags": "--n 1",
        }
        assert "I am on it" in said(once_more)
        assert here.fake.requests[-1].strength == 0.4


async def test_the_list_of_a_card_leads_to_the_grid(tmp_path: Path) -> None:
    """Of one's own pick there; the form opens with the words of that picture."""
    async with world(tmp_path, painter) as here:
        await begin(here, candidates=3)
        card = here.cards()[-1]
        await here.you.click(card, custom_id=buttons_of(card)["2"])
        answer = await more(here, card, "Repaint a part…")
        form = await here.you.click(answer_of(answer), custom_id=button_in(answer_of(answer)))
        await send(here.you, form, region="centre")
        _, _, second, *_, last = await pictures(here)

        assert "picture 3 under its grid" in said(answer)
        assert fields(form)["prompt"] == "the surface of the moon"
        assert fields(form)["strength"] == "0.75"
        assert last.parent_id == second.id


async def test_a_picture_that_is_shown_anew_can_be_repainted(tmp_path: Path) -> None:
    """Its button leads to the grid as well, here of a sketch, and after a restart."""
    async with world(tmp_path, painter) as here:
        await begin(here)
        first = (await pictures(here))[0]
        answer = await here.you.slash(here.thread(), "history")
        sheet = answer.followups[-1] if answer.followups else answer_of(answer)
        select = next(item for item in walk(sheet.components) if item["type"] == 3)
        await here.you.select(sheet, custom_id=select["custom_id"], values=[str(first.id)])
        await here.restart()
        shown = here.cards()[-1]
        grid = await here.you.click(shown, custom_id=buttons_of(shown)["Repaint a part…"])

        assert "picture 1 under its grid" in said(grid)
        assert grid.ephemeral


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"region": "Q9"}, "lies outside the picture: its grid goes from `A1`"),
        ({"region": "the moon"}, "I don't know the place"),
        ({"region": "120,0-130,10%"}, "Percents go from 0 to 100"),
        ({"region": "all"}, "That part is the whole picture"),
        ({"region": "B2", "picture": 9}, "This Scene has no picture 9"),
        ({"region": "B2", "mask": ("m.png", png((64, 64), "white"))}, "which of them do you mean"),
        ({"mask": ("m.png", png((64, 64), "black", "L"))}, "Nothing in that mask"),
        ({"mask": ("m.png", png((64, 64), "white", "L"))}, "That mask covers the whole picture"),
        ({"mask": ("m.png", png((64, 48), "white", "L"))}, "the shapes differ"),
        ({"mask": ("m.png", encoded(painting("x", (64, 64)), "PNG"))}, "A mask is black and white"),
        ({"mask": ("m.png", b"hello")}, "not a picture I can read"),
        ({"region": "B2", "steps": 60}, "60 steps are more than the 50"),
        ({"region": "B2", "model": "nonesuch"}, "I don't know the model"),
    ],
)
async def test_what_cannot_be_done_is_said_and_nothing_starts(
    tmp_path: Path, options: dict[str, Any], sentence: str
) -> None:
    """Each in a sentence of its own, with what to do; nothing is stored or charged."""
    async with world(tmp_path, painter) as here:
        await begin(here)
        answer = await repaint(here, **options)

        assert answer.ephemeral
        assert sentence in said(answer)
        assert len(here.fake.requests) == 1
        assert len(await pictures(here)) == 2


async def test_where_there_is_no_scene_there_is_nothing_to_repaint(tmp_path: Path) -> None:
    """It says how to begin."""
    async with world(tmp_path, painter) as here:
        answer = await here.you.slash(here.channel, "repaint", prompt="a lake", region="B2")

        assert "Start one with /sketch or /imagine" in said(answer)


async def test_what_somebody_keeps_for_themselves_is_not_repainted_by_others(tmp_path: Path) -> None:
    """Neither its grid is shown nor a part of it drawn; its author still may."""
    async with world(tmp_path, painter) as here:
        await begin(here)
        await here.you.slash(here.thread(), "share", who="mine")
        options = {"prompt": "a lake", "picture": 2}
        by_name = await here.other.slash(here.thread(), "repaint", region="B2", **options)
        grid = await here.other.slash(here.thread(), "repaint", **options)
        mine = await repaint(here, region="B2")

        assert "who keeps it for themselves" in said(by_name)
        assert "who keeps it for themselves" in said(grid)
        assert answer_of(grid).attachments == []
        assert "I am on it" in said(mine)
        assert len(here.fake.requests) == 2


async def test_a_deleted_picture_is_not_repainted(tmp_path: Path) -> None:
    """Its number is known, and that it is gone is said."""
    async with world(tmp_path, painter) as here:
        await begin(here)
        shown = answer_of(await repaint(here))
        form = await here.you.click(shown, custom_id=button_in(shown))
        picture = (await pictures(here))[1]
        async with here.store.transaction() as tx:
            await here.store.entomb(tx, picture.id, 1.0)
        by_number = await repaint(here, region="B2", picture=2)
        by_form = await send(here.you, form, region="B2")

        assert "That picture was deleted" in said(by_number)
        assert "That picture was deleted" in said(by_form)
        assert len(here.fake.requests) == 1


async def test_examples_are_offered_while_one_types(tmp_path: Path) -> None:
    """All of them at first, then those that go on as one began; anything else may be typed as well."""
    async with world(tmp_path, painter) as here:
        await begin(here)
        everything = await here.you.autocomplete(here.thread(), "repaint", "region", "")
        tops = await here.you.autocomplete(here.thread(), "repaint", "region", "Top ")

        assert "B2:D4" in [choice["value"] for choice in everything]
        assert [choice["value"] for choice in tops] == ["top left", "top right", "top", "top half"]


async def test_what_was_delivered_is_what_is_stored(tmp_path: Path) -> None:
    """People get the pixels that are kept, and so go on from the same ones when they paint on them."""
    async with world(tmp_path, painter) as here:
        await begin(here)
        await repaint(here, region="B2:D4")
        (file,) = pictures_of(here.cards()[-1])
        last = (await pictures(here))[-1]

        assert isinstance(file, discord.Attachment)
        assert not changed((await opened(file)).convert("RGB"), await stored(here, last)).any()
