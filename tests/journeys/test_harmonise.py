"""Journeys: what was placed becomes one picture, by its seams or as a whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bot.store import JobKind, PictureKind
from inference import InitKind
from tests.journeys.forms import fields, send
from tests.journeys.placing_world import (
    add_piece,
    begin,
    composed,
    draft,
    ids_of,
    is_draft,
    place,
    press,
    stored,
)
from tests.journeys.world import World, buttons_of, held_engine, png, said, text_of, world


async def placed(here: World) -> None:
    await begin(here)
    await place(here, at="50%,50%", size=30)
    await press(here, "Place")


async def test_right_after_placing_only_the_seams_are_drawn(tmp_path: Path) -> None:
    """With the words of before and the piece's name; away from the seam not a bit changes, in the piece or outside."""
    async with world(tmp_path) as here:
        await placed(here)
        before = np.asarray(await composed(here))
        composite = (await here.store.history(1))[-1].picture
        await here.you.slash(here.thread(), "harmonise", candidates=1)
        request = here.fake.requests[-1]
        job = await here.store.job(2)
        after = np.asarray(await composed(here))
        changed = (before != after).any(axis=2)
        height, width = changed.shape
        left = round(0.35 * width)

        assert job is not None
        assert (job.kind, job.parent_id) == (JobKind.HARMONISE, composite.id)
        assert request.mask is not None
        assert request.init is not None
        assert (request.init.kind, request.init.ref) == (InitKind.PIXELS, composite.file)
        assert (request.strength, request.steps) == (0.35, 50)
        assert request.prompt == "the surface of the moon, red"
        assert changed[height // 2, left - 8 : left + 8].all()
        assert not changed[height // 2, width // 2]
        assert not changed[: height // 8].any()
        assert not changed[:, : width // 8].any()
        assert "Only the seams were drawn anew." in text_of(here.cards()[-1])


async def test_the_whole_picture_is_harmonised_on_request(tmp_path: Path) -> None:
    """At 0.7 and 50 steps, from the composite, with words of one's own."""
    async with world(tmp_path) as here:
        await placed(here)
        composite = (await here.store.history(1))[-1].picture
        await here.you.slash(here.thread(), "harmonise", what="whole", prompt="a detailed photo")
        request = here.fake.requests[-1]
        drawn = await here.store.candidates(2)

        assert request.init is not None
        assert (request.mask, request.init.ref) == (None, composite.file)
        assert (request.strength, request.steps, len(request.seeds)) == (0.7, 50, 2)
        assert request.prompt == "a detailed photo"
        assert [picture.parent_id for picture in drawn] == [composite.id] * 2
        assert [picture.piece for picture in drawn] == [None, None]


@pytest.mark.parametrize("label, strength", [("Mend the seams…", "0.35"), ("Harmonise…", "0.7")])
async def test_the_buttons_below_what_was_placed_open_a_form(
    tmp_path: Path, label: str, strength: str
) -> None:
    """Filled with what is known; sent, also after a restart, it does what the button says."""
    async with world(tmp_path) as here:
        await placed(here)
        shown = await here.you.click(here.cards()[-1], custom_id=buttons_of(here.cards()[-1])[label])
        await here.restart()
        answer = await send(here.you, shown, flags="--n 1")
        request = here.fake.requests[-1]

        assert fields(shown)["prompt"] == "the surface of the moon, red"
        assert fields(shown)["strength"] == strength
        assert "I am on it" in said(answer)
        assert request.strength == float(strength)
        assert (request.mask is None) is (label == "Harmonise…")


@pytest.mark.parametrize("label", ["Place, mend the seams…", "Place, harmonise…"])
async def test_placing_and_harmonising_in_one_go_keeps_the_composite(tmp_path: Path, label: str) -> None:
    """The form is filled with the picture's words and the pieces' names; the composite is the result's parent."""
    async with world(tmp_path) as here:
        await begin(here)
        await place(here, at="50%,50%", size=30)
        shown = await press(here, label)
        kept = len(await here.store.history(1))
        await send(here.you, shown, prompt="a red square on the moon", flags="--n 1")
        entries = await here.store.history(1)
        composite, drawn = entries[-2].picture, entries[-1].picture

        assert fields(shown)["prompt"] == "the surface of the moon, red"
        assert kept == 3
        assert (composite.kind, drawn.parent_id) == (PictureKind.COMPOSED, composite.id)
        assert (here.fake.requests[-1].mask is None) is (label == "Place, harmonise…")
        assert here.fake.requests[-1].prompt == "a red square on the moon"
        assert not any(is_draft(card) for card in here.cards())


async def test_a_refusal_after_placing_loses_neither_picture_nor_words(tmp_path: Path) -> None:
    """The sentence says that it is placed; sent again it harmonises that picture and places nothing twice."""
    async with world(tmp_path) as here:
        await begin(here)
        await place(here, at="50%,50%", size=30)
        shown = await press(here, "Place, harmonise…")
        refused = await send(here.you, shown, prompt="a red square", flags="--steps 150")
        assert refused.response is not None
        again = await here.you.click(refused.response, label="Edit and send again")
        await send(here.you, again, flags="--steps 20")
        entries = await here.store.history(1)

        assert "It is placed as picture 4, but was not harmonised: 150 steps" in said(refused)
        assert fields(again)["prompt"] == "a red square"
        assert [entry.picture.kind for entry in entries].count(PictureKind.COMPOSED) == 1
        assert (here.fake.requests[-1].prompt, here.fake.requests[-1].steps) == ("a red square", 20)


async def test_a_wrong_field_places_nothing(tmp_path: Path) -> None:
    """What can be told beforehand is told before anything is placed."""
    async with world(tmp_path) as here:
        await begin(here)
        await place(here)
        shown = await press(here, "Place, mend the seams…")
        refused = await send(here.you, shown, strength="much")

        assert "needs a number" in said(refused)
        assert is_draft(draft(here))
        assert len(await here.store.history(1)) == 3


async def test_any_picture_can_be_harmonised_as_a_whole(tmp_path: Path) -> None:
    """Without a placing that is what is meant; its seams nobody knows."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        await here.you.slash(here.thread(), "harmonise", candidates=1)
        request = here.fake.requests[-1]
        refused = await here.you.slash(here.thread(), "harmonise", what="seams")

        assert (request.prompt, request.strength, request.mask) == ("the surface of the moon", 0.7, None)
        assert "I know where seams are only in a picture that has just been placed together" in said(refused)
        assert len(here.fake.requests) == 2


async def test_a_newer_picture_that_nobody_picked_is_pointed_out(tmp_path: Path) -> None:
    """It goes on from one's own pick, and says so when there is something newer."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=2)
        card = here.cards()[-1]
        await here.you.click(card, custom_id=buttons_of(card)["1"])
        await here.you.slash(here.thread(), "harmonise", candidates=1)
        both_were_there = text_of(here.cards()[-1])
        await here.you.click(card, custom_id=buttons_of(card)["1"])
        await here.other.send(here.thread(), "a crater --n 2", reply_to=card)
        await here.you.slash(here.thread(), "harmonise", candidates=1)

        assert "Picture 3 is newer, but 2 is the one you picked last" in both_were_there
        assert "Picture 6 is newer, but 2 is the one you picked last" in text_of(here.cards()[-1])


async def test_nothing_is_pointed_out_to_those_who_go_on_from_the_latest(tmp_path: Path) -> None:
    """The control of the one before."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        await here.you.slash(here.thread(), "harmonise", candidates=1)

        assert "is newer" not in text_of(here.cards()[-1])


async def test_a_repainted_picture_offers_to_be_harmonised(tmp_path: Path) -> None:
    """What was repainted often clashes with the rest: its card has a button that opens the form for all of it."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        assert "Harmonise…" not in buttons_of(here.cards()[-1])
        await here.you.slash(here.thread(), "repaint", region="B2:D4", prompt="a chair", candidates=1)
        card = here.cards()[-1]
        form = await here.you.click(card, custom_id=buttons_of(card)["Harmonise…"])
        await send(here.you, form)
        request = here.fake.requests[-1]

        assert (request.prompt, request.strength, request.mask) == ("a chair", 0.7, None)
        assert request.init is not None


async def test_a_large_picture_is_drawn_round_the_seams_only(tmp_path: Path) -> None:
    """Its pixels far from the piece are not even sent through the model."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1, image=("big.png", png((1600, 900), "green")))
        await add_piece(here, "red")
        await here.bot.doors.go_back(1, 1, here.you.id)
        await place(here, at="top left", size=10)
        await press(here, "Place")
        before = np.asarray(await composed(here))
        await here.you.slash(here.thread(), "harmonise", prompt="a red square on grass", candidates=1)
        window = here.fake.requests[-1].init.window  # type: ignore[union-attr]  # there is a picture to start from
        after = np.asarray(await composed(here))

        assert window is not None
        assert window.width < 1600
        assert before.shape == after.shape == (900, 1600, 3)
        assert (before != after).any()
        assert (before[450:] == after[450:]).all()


async def test_without_words_nothing_is_harmonised(tmp_path: Path) -> None:
    """An uploaded picture says nothing of what it shows."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        await here.bot.doors.go_back(1, 1, here.you.id)
        answer = await here.you.slash(here.thread(), "harmonise")

        assert "The prompt is empty." in said(answer)
        assert len(here.fake.requests) == 1


async def test_defaults_stay_within_a_servers_limits(tmp_path: Path) -> None:
    """Nobody is refused for a number that they did not say."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        await here.limit("steps", 20)
        await here.limit("candidates", 1)
        await here.you.slash(here.thread(), "harmonise")
        request = here.fake.requests[-1]

        assert (request.steps, len(request.seeds)) == (20, 1)


async def test_seams_of_a_deleted_piece_are_not_known(tmp_path: Path) -> None:
    """The picture itself stays, and can be harmonised as a whole."""
    async with world(tmp_path) as here:
        await placed(here)
        (post,) = [card for card in here.cards() if "Place…" in ids_of(card)]
        question = await here.you.click(post, custom_id=ids_of(post)["Delete"])
        assert question.response is not None
        await here.you.click(question.response, label="Delete for good")
        seams = await here.you.slash(here.thread(), "harmonise", what="seams")
        await here.you.slash(here.thread(), "harmonise", what="whole", candidates=1)

        assert "A piece of it was deleted" in said(seams)
        assert len(here.fake.requests) == 2


async def test_a_piece_over_everything_has_no_seams(tmp_path: Path) -> None:
    """There is no edge to be seen; the sentence says what to do instead."""
    async with world(tmp_path) as here:
        await begin(here)
        await place(here, at="50%,50%", size=200)
        await press(here, "Place")
        answer = await here.you.slash(here.thread(), "harmonise")

        assert "There is no seam to be seen" in said(answer)
        assert len(here.fake.requests) == 1


async def test_a_job_may_still_run_while_one_places(tmp_path: Path) -> None:
    """Placing waits for no engine."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=1, steps=2, strength=1.0)
        here.fake.release(2)
        await here.env.settle()
        await add_piece(here, "red")
        await here.you.slash(here.thread(), "imagine", prompt="a beach")
        await place(here, at="50%,50%", size=30)
        await press(here, "Place")
        composite = (await here.store.history(1))[-1].picture
        middle = (await stored(here, composite)).getpixel((composite.width // 2, composite.height // 2))

        assert composite.kind is PictureKind.COMPOSED
        assert middle == (255, 0, 0)
