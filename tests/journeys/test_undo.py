"""Journeys: /undo and /redo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from simcord.actors import MemberActor
from simcord.results import InteractionResult, ResponseMessage

from tests.journeys.forms import fields, send
from tests.journeys.world import World, buttons_of, said, text_of, walk, world


def words_of(answer: InteractionResult) -> str:
    """What an answer with components says."""
    return "\n".join(item["content"] for item in walk(_message(answer).components) if item["type"] == 10)


def _message(answer: InteractionResult) -> ResponseMessage:
    assert answer.response is not None
    return answer.response


async def press(here: World, answer: InteractionResult, label: str) -> InteractionResult:
    buttons = {
        item["label"]: item["custom_id"] for item in walk(_message(answer).components) if item["type"] == 2
    }
    return await here.you.click(_message(answer), custom_id=buttons[label])


async def go(here: World, command: str, who: MemberActor | None = None) -> InteractionResult:
    return await (who or here.you).slash(here.thread(), command)


async def current(here: World, who: MemberActor) -> int:
    picture = await here.store.current_picture(1, who.id)
    assert picture is not None
    return picture.number


async def a_chain(here: World, *more: str) -> None:
    """A sketch (1), a picture (2), and one refinement after the other (3, 4 …)."""
    await here.sketch(candidates=1)
    for words in more:
        await here.you.send(here.thread(), words, reply_to=here.cards()[-1])


async def test_undo_goes_to_the_parent_and_redo_back_again(tmp_path: Path) -> None:
    """Step by step as far as the sketch, each answer private and with the picture; forward again the same way."""
    async with world(tmp_path) as here:
        await a_chain(here, "rounder", "at night")
        back = [await go(here, "undo") for _ in range(3)]
        at_sketch = await current(here, here.you)
        forward = [await go(here, "redo") for _ in range(3)]

        assert words_of(back[0]).startswith("You are back at picture 3; you were at 4.")
        assert [words_of(answer).split(";")[0] for answer in back] == [
            f"You are back at picture {number}" for number in (3, 2, 1)
        ]
        assert [words_of(answer).split(";")[0] for answer in forward] == [
            f"You are forward at picture {number}" for number in (2, 3, 4)
        ]
        assert (at_sketch, await current(here, here.you)) == (1, 4)
        assert all(answer.ephemeral and len(_message(answer).attachments) == 1 for answer in back + forward)
        assert len(here.cards()) == 3


async def test_undo_at_the_root_says_so(tmp_path: Path) -> None:
    """And one stays where one is; a step before it is not forgotten."""
    async with world(tmp_path) as here:
        await a_chain(here)
        await go(here, "undo")
        answer = await go(here, "undo")
        await go(here, "redo")

        assert "Picture 1 is where this began" in said(answer)
        assert await current(here, here.you) == 2


async def test_redo_without_an_undo_says_so(tmp_path: Path) -> None:
    """It goes along what was undone, and nowhere else."""
    async with world(tmp_path) as here:
        await a_chain(here)
        answer = await go(here, "redo")

        assert "There is nothing to redo" in said(answer)
        assert await current(here, here.you) == 2


@pytest.mark.parametrize("command", ["undo", "redo"])
async def test_without_a_scene_there_is_nothing_to_undo(tmp_path: Path, command: str) -> None:
    """In a channel where one has drawn nothing one reads how to begin."""
    async with world(tmp_path) as here:
        answer = await here.you.slash(here.channel, command)

        assert "There is no Scene here yet." in said(answer)


async def test_two_people_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Each has a place of their own in the same tree, and a way forward of their own."""
    async with world(tmp_path) as here:
        await a_chain(here, "rounder")
        mine_before = await current(here, here.you)
        await go(here, "undo", here.other)
        await go(here, "undo", here.other)
        mine_after = await current(here, here.you)
        refused = await go(here, "redo")
        await go(here, "undo")
        await go(here, "redo", here.other)

        assert mine_before == mine_after == 3
        assert "There is nothing to redo" in said(refused)
        assert await current(here, here.you) == 2
        assert await current(here, here.other) == 2


async def _pick(here: World) -> None:
    (card, *_) = here.cards()
    await here.you.click(card, custom_id=buttons_of(card)["2"])


async def _result(here: World) -> None:
    await here.you.send(here.thread(), "other --n 1", reply_to=here.cards()[0])


async def _several_results(here: World) -> None:
    await here.you.send(here.thread(), "other --n 2", reply_to=here.cards()[0])


@pytest.mark.parametrize("done", [_pick, _result, _several_results])
async def test_a_new_step_ends_the_way_forward(tmp_path: Path, done: Any) -> None:
    """Whoever picks or makes another picture is on another branch: the old way forward would lead elsewhere."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=2)
        await here.you.send(here.thread(), "rounder --n 1", reply_to=here.cards()[0])
        await go(here, "undo")
        await done(here)
        answer = await go(here, "redo")

        assert "There is nothing to redo" in said(answer)


async def test_what_somebody_else_makes_does_not(tmp_path: Path) -> None:
    """The control: their picture is on their way, not on mine."""
    async with world(tmp_path) as here:
        await a_chain(here, "rounder")
        await go(here, "undo")
        await here.other.send(here.thread(), "a chair", reply_to=here.cards()[0])
        answer = await go(here, "redo")

        assert "forward at picture 3" in words_of(answer)


async def test_deleted_pictures_are_passed_over_with_a_word(tmp_path: Path) -> None:
    """Two in a row; redo comes back to where one was."""
    async with world(tmp_path) as here:
        await a_chain(here, "rounder", "at night")
        async with here.store.transaction() as tx:
            for picture_id in (2, 3):
                await here.store.entomb(tx, picture_id, 0.0)
        answer = await go(here, "undo")
        at = await current(here, here.you)
        await go(here, "redo")

        assert "You are back at picture 1; you were at 4." in words_of(answer)
        assert "I passed over pictures 2 and 3: deleted." in words_of(answer)
        assert (at, await current(here, here.you)) == (1, 4)


async def test_where_all_before_was_deleted_one_stays(tmp_path: Path) -> None:
    """A tombstone is no place to go on from."""
    async with world(tmp_path) as here:
        await a_chain(here)
        async with here.store.transaction() as tx:
            await here.store.entomb(tx, 1, 0.0)
        answer = await go(here, "undo")

        assert "All that came before picture 2 was deleted" in said(answer)
        assert await current(here, here.you) == 2


async def test_redo_passes_over_what_was_deleted_meanwhile(tmp_path: Path) -> None:
    """A tombstone is no place to go on from; the step before it is."""
    async with world(tmp_path) as here:
        await a_chain(here, "rounder", "at night")
        for _ in range(3):
            await go(here, "undo")
        async with here.store.transaction() as tx:
            await here.store.entomb(tx, 2, 0.0)
        answer = await go(here, "redo")

        assert "forward at picture 3" in words_of(answer)


async def test_the_buttons_below_take_further_steps_in_place(tmp_path: Path) -> None:
    """Undo and Redo change the same answer; after a restart as well."""
    async with world(tmp_path) as here:
        await a_chain(here, "rounder")
        answer = await go(here, "undo")
        await here.restart()
        await press(here, answer, "Undo")
        after_undo = words_of(answer)
        await press(here, answer, "Redo")

        assert "You are back at picture 1; you were at 2." in after_undo
        assert "You are forward at picture 2; you were at 1." in words_of(answer)
        assert [file.filename for file in _message(answer).attachments] == ["moonsketch-picture-2.png"]


async def test_one_can_go_on_from_the_answer(tmp_path: Path) -> None:
    """Refine… opens a form about that picture; Show here posts it, and a reply to that goes on from it."""
    async with world(tmp_path) as here:
        await a_chain(here, "rounder")
        answer = await go(here, "undo")
        form = await press(here, answer, "Refine…")
        await send(here.you, form, prompt="in crayon")
        by_form = await here.store.job(3)
        shown = await press(here, answer, "Show here")
        post = here.cards()[-1]
        await here.other.send(here.thread(), "at dawn", reply_to=post)
        by_reply = await here.store.job(4)

        assert fields(form)["prompt"] == "the surface of the moon"
        assert by_form is not None
        assert by_reply is not None
        assert (by_form.parent_id, by_reply.parent_id) == (2, 2)
        assert "Picture 2 is the newest message here" in said(shown)
        assert f"<@{here.you.id}> shows picture 2." in text_of(post)
        assert here.pinged_by(post) == []


async def test_a_picture_that_was_deleted_meanwhile_is_not_shown(tmp_path: Path) -> None:
    """The answer may stand on somebody's screen for long."""
    async with world(tmp_path) as here:
        await a_chain(here, "rounder")
        answer = await go(here, "undo")
        async with here.store.transaction() as tx:
            await here.store.entomb(tx, 2, 0.0)
        shown = await press(here, answer, "Show here")

        assert "That picture was deleted" in said(shown)
        assert len(here.cards()) == 2
