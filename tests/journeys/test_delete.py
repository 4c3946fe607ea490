"""Journeys: deleting a card or one of its pictures. The bytes go, a tombstone stays."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import discord
import pytest
from simcord.actors import MemberActor
from simcord.results import InteractionResult

from bot.custom_ids import Target
from bot.errors import Gone
from bot.store import JobState
from tests.journeys.forms import send
from tests.journeys.world import World, buttons_of, held_engine, pictures_of, said, text_of, walk, world


def moderator(here: World) -> MemberActor:
    role = here.guild.create_role("Moderators", permissions=discord.Permissions(manage_messages=True))
    return here._member("moderator", role)


async def ask(here: World, card: discord.Message, who: MemberActor | None = None) -> InteractionResult:
    return await (who or here.you).click(card, custom_id=buttons_of(card)["Delete"])


async def confirm(question: InteractionResult, who: MemberActor) -> InteractionResult:
    assert question.response is not None
    (yes,) = [item for item in walk(question.response.components) if item["type"] == 2]
    return await who.click(question.response, custom_id=yes["custom_id"])


async def delete(here: World, card: discord.Message, who: MemberActor | None = None) -> InteractionResult:
    return await confirm(await ask(here, card, who), who or here.you)


async def more(here: World, card: discord.Message, label: str, who: MemberActor | None = None) -> Any:
    view = discord.ui.LayoutView.from_message(card)
    select = next(item for item in view.walk_children() if isinstance(item, discord.ui.Select))
    value = next(option.value for option in select.options if option.label == label)
    return await (who or here.you).select(card, custom_id=select.custom_id, values=[value])


def files_of(folder: Path) -> set[str]:
    return {path.name for path in (folder / "pictures").rglob("*") if path.is_file()}


async def test_deleting_a_card_removes_its_message_and_its_bytes(tmp_path: Path) -> None:
    """First a question that names what goes; then pictures, latents and the sketch are gone, their numbers stay."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=2)
        (card,) = here.cards()
        before = files_of(tmp_path)
        question = await ask(here, card)
        asked, kept = said(question), files_of(tmp_path)
        answer = await confirm(question, here.you)
        pictures = [entry.picture for entry in await here.store.history(1)]

        assert "Delete pictures 1, 2 and 3 and this card for good?" in asked
        assert question.ephemeral
        assert kept == before
        assert len(before) == 5
        assert files_of(tmp_path) == set()
        assert here.cards() == []
        assert "Deleted pictures 1, 2 and 3." in said(answer)
        assert [(picture.number, picture.deleted) for picture in pictures] == [
            (1, True),
            (2, True),
            (3, True),
        ]


async def test_nothing_is_deleted_by_the_question_alone(tmp_path: Path) -> None:
    """Whoever lets the question stand has lost nothing."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        await ask(here, here.cards()[0])
        (card,) = here.cards()

        assert len(pictures_of(card)) == 1
        assert len(files_of(tmp_path)) == 3
        assert not any(entry.picture.deleted for entry in await here.store.history(1))


async def test_what_was_made_from_it_stays(tmp_path: Path) -> None:
    """A child keeps its own picture, its place below the tombstone, and can be gone on from."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        (parent_card,) = here.cards()
        await here.other.click(parent_card, custom_id=buttons_of(parent_card)["Strong"])
        await delete(here, parent_card)
        (child_card,) = here.cards()
        await here.other.click(child_card, custom_id=buttons_of(child_card)["Subtle"])
        child = (await here.store.candidates(2))[0]
        parent = await here.store.picture(child.parent_id or 0)

        assert parent is not None
        assert parent.deleted
        assert len(pictures_of(child_card)) == 1
        assert len(here.fake.requests) == 3
        assert len(here.cards()) == 2


async def test_a_childs_card_shows_the_deleted_picture_no_more(tmp_path: Path) -> None:
    """The small picture of what it started from goes from its card; its own picture stays."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        (parent_card,) = here.cards()
        await here.other.click(parent_card, custom_id=buttons_of(parent_card)["Strong"])
        before = [file.filename for file in here.cards()[1].attachments]
        await delete(here, parent_card)
        (child_card,) = here.cards()

        assert before == ["sketch.webp", "moonsketch-2-1.png"]
        assert [file.filename for file in child_card.attachments] == ["moonsketch-2-1.png"]


async def test_bytes_that_another_picture_is_made_of_stay(tmp_path: Path) -> None:
    """Two people sent the same sketch: the file goes with the last of the two."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        await here.sketch(who=here.other, candidates=1)
        sketch = (await here.store.history(1))[0].picture.file
        await delete(here, here.cards(here.thread(0))[0])
        after_one = files_of(tmp_path)
        await delete(here, here.cards(here.thread(1))[0], here.other)

        assert (await here.store.history(2))[0].picture.file == sketch
        assert sketch in after_one
        assert files_of(tmp_path) == set()


async def test_a_sketch_that_others_went_on_from_stays_with_them(tmp_path: Path) -> None:
    """Again starts from the same sketch: deleting the first card leaves it to the second."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        (first,) = here.cards()
        await here.other.click(first, custom_id=buttons_of(first)["Again"])
        answer = await delete(here, first)
        (second,) = here.cards()
        await here.other.click(second, custom_id=buttons_of(second)["Again"])

        assert "Deleted picture 2." in said(answer)
        assert len(here.fake.requests) == 3
        assert "sketch.webp" in [file.filename for file in second.attachments]


async def test_one_of_several_pictures_can_be_deleted(tmp_path: Path) -> None:
    """Its card stays with the others under their old numbers; a pick of it is gone with it."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=3)
        (card,) = here.cards()
        await here.you.click(card, custom_id=buttons_of(card)["2"])
        question = await more(here, here.cards()[0], "Delete picture 3")
        asked = said(question)
        await confirm(question, here.you)
        (left,) = here.cards()
        await here.you.click(left, custom_id=buttons_of(left)["3"])
        await here.you.click(left, custom_id=buttons_of(left)["Subtle"])
        current = (await here.store.candidates(1))[-1]

        assert "Delete picture 3 for good?" in asked
        assert [file.filename for file in pictures_of(left)] == ["moonsketch-1-1.png", "moonsketch-1-3.png"]
        assert list(buttons_of(left))[:3] == ["1", "3", "Again"]
        assert "goes on from 2" not in text_of(left)
        assert here.fake.requests[1].init is not None
        assert here.fake.requests[1].init.ref == current.latents


async def test_the_last_picture_takes_its_card_along(tmp_path: Path) -> None:
    """A card without pictures says nothing."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=2)
        (card,) = here.cards()
        await confirm(await more(here, card, "Delete picture 2"), here.you)
        found = await here.store.candidates(1)
        await here.bot.deletion.delete(Target(picture_id=found[0].id), here.you.id, moderates=False)
        await here.env.settle()

        assert here.cards() == []
        assert files_of(tmp_path) == set()


async def test_deleting_stops_a_running_job(tmp_path: Path) -> None:
    """The engine is freed within a step, nothing is posted, and the next job runs."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=4)
        await here.sketch(who=here.other, candidates=4)
        here.fake.release(3)
        await here.env.settle()
        question = await ask(here, here.cards(here.thread(0))[0])
        asked = said(question)
        await confirm(question, here.you)
        here.fake.release(1000)
        await here.env.settle()
        job = await here.store.job(1)

        assert "The job is stopped." in asked
        assert here.cards(here.thread(0)) == []
        assert here.fake.closed_early == 1
        assert job is not None
        assert (job.state, job.request.prompt) == (JobState.CANCELLED, "")
        assert len(pictures_of(here.cards(here.thread(1))[0])) == 4


async def test_a_waiting_job_that_is_deleted_never_runs(tmp_path: Path) -> None:
    """It leaves the line, and the others move up."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=4)
        await here.sketch(who=here.other, candidates=4)
        await here.sketch(who=here.mod, candidates=4)
        await delete(here, here.cards(here.thread(1))[0], here.other)
        (third,) = here.cards(here.thread(2))
        here.fake.release(1000)
        await here.env.settle()

        assert "Next." in text_of(third)
        assert len(here.fake.requests) == 2


async def test_a_job_that_waits_for_a_deleted_picture_says_so(tmp_path: Path) -> None:
    """Its start is gone before its turn came: a sentence, and nothing is charged."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(steps=10, strength=1.0, candidates=1)
        here.fake.release(10)
        await here.env.settle()
        (card,) = here.cards()
        await here.sketch(who=here.mod, candidates=4)
        await here.sketch(who=here.mod, candidates=4)
        await here.other.click(card, custom_id=buttons_of(card)["Strong"])
        await delete(here, card)
        here.fake.release(1000)
        await here.env.settle()
        (strong,) = here.cards(here.thread(0))

        assert "The picture it starts from was deleted. Nothing was charged." in text_of(strong)


@pytest.mark.parametrize("who, may", [("you", True), ("other", False), ("mod", False), ("moderator", True)])
async def test_who_may_delete(tmp_path: Path, who: str, may: bool) -> None:
    """The person who made it and those who manage messages; managing the server alone is not enough."""
    async with world(tmp_path) as here:
        person = moderator(here) if who == "moderator" else getattr(here, who)
        await here.sketch(candidates=1)
        question = await ask(here, here.cards()[0], person)
        asked = "for good?" in said(question)

        assert asked is may
        assert ("Only the person who made it" in said(question)) is not may


async def test_a_scenes_owner_may_delete_what_others_made_there(tmp_path: Path) -> None:
    """It is their Scene; the other's own Scenes are not."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        (card,) = here.cards()
        await here.other.click(card, custom_id=buttons_of(card)["Strong"])
        answer = await delete(here, here.cards()[1])

        assert "Deleted picture 3." in said(answer)
        assert len(here.cards()) == 1


async def test_a_right_that_was_lost_between_question_and_answer(tmp_path: Path) -> None:
    """The second press is checked like the first: the question may have been open for long."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        with pytest.raises(Exception, match="Only the person who made it"):
            await here.bot.deletion.delete(Target(job_id=1), here.other.id, moderates=False)

        assert len(files_of(tmp_path)) == 3


async def test_delete_pressed_twice(tmp_path: Path) -> None:
    """The second time it says that it is done."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        (card,) = here.cards()
        first, second = await ask(here, card), await ask(here, card)
        await confirm(first, here.you)
        answer = await confirm(second, here.you)

        assert "That is deleted already." in said(answer)


async def test_two_people_delete_at_once(tmp_path: Path) -> None:
    """One does it, the other reads that it is done."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        target = Target(job_id=1)
        with here.env._bot_scope():
            ended = await asyncio.gather(
                here.bot.deletion.delete(target, here.you.id, moderates=False),
                here.bot.deletion.delete(target, here.mod.id, moderates=True),
                return_exceptions=True,
            )
        await here.env.settle()

        assert [type(outcome).__name__ for outcome in ended] == ["Condemned", "Gone"]
        assert str(ended[1]) == str(Gone("That is deleted already."))
        assert here.cards() == []


async def test_a_form_about_a_picture_that_was_deleted_meanwhile(tmp_path: Path) -> None:
    """A sentence, and what was typed."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        (card,) = here.cards()
        shown = await here.other.context_menu(here.thread(), "Refine this picture", card)
        await delete(here, card)
        answer = await send(here.other, shown, prompt="a deck chair")

        assert "That picture was deleted" in said(answer)
        assert "a deck chair" in said(answer)
        assert len(here.fake.requests) == 1


async def test_a_reply_to_a_deleted_picture(tmp_path: Path) -> None:
    """Discord may still show the message to somebody: their reply gets a sentence and what they wrote."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        (card,) = here.cards()
        async with here.store.transaction() as tx:  # as after a deletion whose message Discord did not remove
            await here.store.delete_job(tx, 1, 0.0)
        await here.other.send(here.thread(), "rounder --steps 9", reply_to=card)
        answer = here.thread().history()[-1]

        assert "That picture was deleted" in answer.content
        assert "```\nrounder --steps 9\n```" in answer.content
        assert len(here.fake.requests) == 1


async def test_every_message_that_shows_the_picture_goes(tmp_path: Path) -> None:
    """Also the one that going back to it has posted."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        answer = await here.you.slash(here.thread(), "history")
        sheet = answer.followups[-1] if answer.followups else answer.response
        assert sheet is not None
        select = next(item for item in walk(sheet.components) if item["type"] == 3)
        await here.you.select(sheet, custom_id=select["custom_id"], values=[select["options"][0]["value"]])
        card, post = here.cards()
        await delete(here, post)

        assert pictures_of(card)
        assert here.cards() == []


async def test_history_shows_the_living_only(tmp_path: Path) -> None:
    """A deleted picture is not offered, and its number is not given to another."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        (card,) = here.cards()
        await here.you.click(card, custom_id=buttons_of(card)["Strong"])
        await delete(here, here.cards()[1])
        await here.you.click(card, custom_id=buttons_of(card)["Strong"])
        answer = await here.you.slash(here.thread(), "history")
        sheet = answer.followups[-1] if answer.followups else answer.response
        assert sheet is not None
        select = next(item for item in walk(sheet.components) if item["type"] == 3)

        assert [option["label"][:2] for option in select["options"]] == ["4:", "2:", "1:"]


async def test_what_a_crash_left_undone_is_done_at_the_next_start(tmp_path: Path) -> None:
    """The rows said so before the crash; files and messages follow."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        condemned = await here.bot.deletion.ask(Target(job_id=1), here.you.id, moderates=False)
        async with here.store.transaction() as tx:
            await here.store.delete_job(tx, 1, 0.0)
            for picture in condemned.pictures:
                await here.store.entomb(tx, picture.id, 0.0)
        left = len(files_of(tmp_path)), len(here.cards())
        await here.restart()

        assert left == (3, 1)
        assert files_of(tmp_path) == set()
        assert here.cards() == []


async def test_a_message_that_discord_does_not_delete_now_goes_later(tmp_path: Path) -> None:
    """The pictures are gone at once; the message follows at the next start, and cannot be gone on from meanwhile."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        (card,) = here.cards()
        here.env.inject_error("DELETE", "/channels/*/messages/*", status=503, times=1)
        await delete(here, card)
        left = len(files_of(tmp_path)), len(here.cards())
        answer = await here.you.click(card, custom_id=buttons_of(card)["Subtle"])
        await here.restart()

        assert left == (0, 1)
        assert "That picture was deleted" in said(answer)
        assert here.cards() == []


async def test_a_card_that_a_moderator_removed_is_only_detached(tmp_path: Path) -> None:
    """Deleting a message in Discord deletes no picture: that is what the button is for."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        await here.guild_owner_deletes(here.cards()[0])

        assert len(files_of(tmp_path)) == 3
        assert not any(entry.picture.deleted for entry in await here.store.history(1))
