"""Journeys: the strength strip."""

from __future__ import annotations

from pathlib import Path

import discord
import msgspec
import pytest
from PIL import ImageChops

from bot.images import opened
from bot.remix import STRIP
from inference import InitKind
from tests.journeys.test_more import more
from tests.journeys.world import (
    World,
    buttons_of,
    held_engine,
    pictures_of,
    png,
    said,
    text_of,
    world,
)

LABELS = ["0.3", "0.45", "0.6", "0.75", "0.9"]
MORE = "Strength strip"


async def strip(here: World, **options: object) -> discord.Message:
    await here.you.slash(
        here.channel, "strip", image=("moon.png", png()), prompt="the surface of the moon", **options
    )
    return here.cards(here.channel.threads[-1])[-1]


def alt_texts(card: discord.Message) -> list[str | None]:
    view = discord.ui.LayoutView.from_message(card)
    galleries = [item for item in view.walk_children() if isinstance(item, discord.ui.MediaGallery)]
    return [item.description for gallery in galleries for item in gallery.items]


async def test_a_strip_shows_one_sketch_at_five_strengths(tmp_path: Path) -> None:
    """One job, one seed; the buttons and the texts for those who cannot see them say the strengths."""
    async with world(tmp_path) as here:
        card = await strip(here, seed=7, style="crayon", steps=20)
        (request,) = here.fake.requests

        assert (request.strengths, request.seeds, request.steps) == (STRIP, (7,) * 5, 20)
        assert "drawing by a child" in request.prompt
        assert [label for label in buttons_of(card) if label[0] == "0"] == LABELS
        assert [text.split(":")[0] for text in alt_texts(card) if text] == [
            f"Candidate {number}, strength {label}" for number, label in enumerate(LABELS, start=1)
        ]
        assert len(pictures_of(card)) == 5
        assert "strengths 0.3, 0.45, 0.6, 0.75 and 0.9: 6 to 18 of 20 steps, seed 7" in text_of(card)
        assert "a strip of strengths" in text_of(card)


async def test_a_strip_is_as_far_as_its_slowest_picture(tmp_path: Path) -> None:
    """Those of little strength are done early; the card counts the steps of the others."""
    async with world(tmp_path, held_engine) as here:
        card = await strip(here, steps=10)
        here.fake.release(5)
        await here.env.settle()
        (after_five,) = here.cards()
        here.fake.release(100)
        await here.env.settle()

        assert "Step 5 of 9, 5 pictures" in text_of(after_five)
        assert len(pictures_of(here.cards()[0])) == 5
        assert card.id == after_five.id


async def test_picking_and_replying_go_on_from_one_strength(tmp_path: Path) -> None:
    """What follows is an ordinary request: from the picked picture, with the usual number of pictures."""
    async with world(tmp_path) as here:
        card = await strip(here)
        await here.you.click(card, custom_id=buttons_of(card)["0.45"])
        (picked,) = here.cards()
        await here.you.send(here.thread(), "at night", reply_to=card)
        for button in ("Subtle", "Strong"):
            await here.you.click(card, custom_id=buttons_of(card)[button])
        second = (await here.store.candidates(1))[1]
        requests = here.fake.requests[1:]

        assert f"<@{here.you.id}> goes on from strength 0.45" in text_of(picked)
        assert [request.strengths for request in requests] == [(), (), ()]
        assert [len(request.seeds) for request in requests] == [2, 2, 2]
        assert [request.strength for request in requests] == [0.55, 0.35, 0.75]
        for request in requests:
            assert request.init is not None
            assert (request.init.kind, request.init.ref) == (InitKind.LATENTS, second.latents)


async def test_again_is_the_same_strip_with_another_seed(tmp_path: Path) -> None:
    """One new seed for all five."""
    async with world(tmp_path) as here:
        card = await strip(here)
        await here.you.click(card, custom_id=buttons_of(card)["Again"])
        first, second = here.fake.requests

        assert len(set(second.seeds)) == 1
        assert second.seeds != first.seeds
        assert msgspec.structs.replace(second, seeds=first.seeds) == first
        assert [label for label in buttons_of(here.cards()[1]) if label[0] == "0"] == LABELS


async def test_a_strip_of_a_card_starts_from_what_that_card_started_from(tmp_path: Path) -> None:
    """With the seed of the picture that was picked: it is among the five, were it drawn at one of their strengths."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=3, style="oil", strength=0.6)
        (card,) = here.cards()
        await here.you.click(card, custom_id=buttons_of(card)["2"])
        await more(here, card, MORE)
        first, made = here.fake.requests
        files = [picture.file for picture in await here.store.candidates(1)]
        strip_files = [picture.file for picture in await here.store.candidates(2)]

        assert (made.strengths, made.seeds) == (STRIP, (first.seeds[1],) * 5)
        assert (made.init, made.prompt) == (first.init, first.prompt)
        assert strip_files[STRIP.index(0.6)] == files[1]
        assert files[0] not in strip_files
        assert "style oil" in text_of(here.cards()[1])


async def test_a_strip_of_a_picture_from_words_starts_from_that_picture(tmp_path: Path) -> None:
    """Words alone have no strength."""
    async with world(tmp_path) as here:
        await here.you.slash(here.channel, "imagine", prompt="the planet earth", candidates=2)
        (card,) = here.cards()
        await here.you.click(card, custom_id=buttons_of(card)["2"])
        await more(here, card, MORE)
        made = here.fake.requests[1]
        second = (await here.store.candidates(1))[1]

        assert made.strengths == STRIP
        assert made.init is not None
        assert made.init.ref == second.latents
        assert len(set(made.seeds)) == 1


async def test_a_strip_of_a_repainted_part_stays_in_that_part(tmp_path: Path) -> None:
    """The rest of all five is the picture that it is a part of, to the bit."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        await here.bot.doors.go_back(1, 1, here.you.id)
        await here.you.slash(here.thread(), "repaint", prompt="a dog", region="top left", candidates=1)
        await more(here, here.cards()[-1], MORE)
        made = here.fake.requests[-1]
        sketch = await here.store.picture(1)
        assert sketch is not None
        before = opened(await here.store.files.get(sketch.file)).convert("RGB")
        drawn = [
            opened(await here.store.files.get(each.file)).convert("RGB")
            for each in await here.store.candidates(3)
        ]
        touched = [ImageChops.difference(before, each).getbbox() for each in drawn]

        assert made.strengths == STRIP
        assert made.mask is not None
        assert len(drawn) == 5
        assert all(box is not None and box[:2] == (0, 0) for box in touched)
        assert all(box is not None and box[2] < before.width // 2 for box in touched)


async def test_a_strip_counts_as_four_pictures(tmp_path: Path) -> None:
    """A server that allows fewer at once gets none; one that allows four does."""
    async with world(tmp_path) as here:
        await here.limit("candidates", 3)
        refused = await here.you.slash(here.channel, "strip", image=("moon.png", png()), prompt="a moon")
        await here.limit("candidates", 4)
        await strip(here)

        assert "as much work as 4 pictures, and 3 at once are allowed here" in said(refused)
        assert len(here.fake.requests) == 1


async def test_a_strip_of_what_somebody_keeps_for_themselves(tmp_path: Path) -> None:
    """Is theirs to make."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        await here.you.slash(here.channel, "share", who="mine")
        answer = await more(here, here.cards()[0], MORE, here.other)

        assert "who keeps it for themselves" in said(answer)
        assert len(here.fake.requests) == 1


async def test_a_strip_of_a_deleted_sketch(tmp_path: Path) -> None:
    """There is nothing to start from any more, and the answer says so."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        (card,) = here.cards()
        async with here.store.transaction() as tx:
            await here.store.entomb(tx, 1, 0.0)
        answer = await more(here, card, MORE)

        assert "was deleted" in said(answer)
        assert len(here.fake.requests) == 1


@pytest.mark.parametrize("options, sentence", [({"style": "crayn"}, "crayon"), ({"model": "x"}, "flat")])
async def test_bad_options_of_a_strip(tmp_path: Path, options: dict[str, str], sentence: str) -> None:
    """As at every command."""
    async with world(tmp_path) as here:
        answer = await here.you.slash(
            here.channel, "strip", image=("moon.png", png()), prompt="a moon", **options
        )

        assert sentence in said(answer)
        assert "/strip prompt: a moon" in said(answer)
        assert here.fake.requests == []


async def test_a_strip_survives_a_restart(tmp_path: Path) -> None:
    """Its buttons say the strengths again, and work."""
    async with world(tmp_path) as here:
        card = await strip(here)
        await here.restart()
        await here.you.click(card, custom_id=buttons_of(card)["0.9"])
        await here.you.send(here.thread(), "at night", reply_to=card)
        fifth = (await here.store.candidates(1))[4]
        (request,) = here.fake.requests
        shown = here.cards()[0]

        assert request.init is not None
        assert request.init.ref == fifth.latents
        assert [label for label in buttons_of(shown) if label[0] == "0"] == LABELS
