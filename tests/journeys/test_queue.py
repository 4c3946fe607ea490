"""Journeys: /queue, one's own jobs with their places, and stopping them from there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simcord.results import InteractionResult, ResponseMessage

from bot.store import JobState
from inference import EngineState, Park
from inference.fake import FakeEngine
from tests.journeys.world import World, held_engine, pictures_of, said, text_of, walk, world


def shown_by(result: InteractionResult) -> ResponseMessage:
    message = result.followups[-1] if result.followups else result.response
    assert message is not None
    return message


def words_of(message: ResponseMessage) -> str:
    return "\n".join(item["content"] for item in walk(message.components) if item["type"] == 10)


def buttons_of(message: ResponseMessage) -> list[str]:
    sections = [item for item in walk(message.components) if item["type"] == 9]
    return [section["accessory"]["custom_id"] for section in sections]


async def queue(here: World, who: Any = None) -> ResponseMessage:
    return shown_by(await (who or here.you).slash(here.channel, "queue"))


def small_engine(park: Park) -> FakeEngine:
    return FakeEngine(park=park, held=True, row_credits=2)


async def test_queue_shows_ones_own_jobs_in_the_order_of_their_turn(tmp_path: Path) -> None:
    """Privately: what runs first, then each place with its estimate, a link to the card; nobody else's."""
    async with world(tmp_path, small_engine) as here:
        await here.sketch(candidates=1, steps=10, strength=1.0)
        await here.env.advance_time(6)
        here.fake.release(10)
        await here.env.settle()
        await here.sketch(prompt="first", candidates=3, steps=10, strength=1.0)
        await here.sketch(who=here.other, prompt="theirs", candidates=1, steps=10, strength=1.0)
        await here.sketch(prompt="second", candidates=1, steps=10, strength=1.0)
        mine = await queue(here)
        card = here.cards(here.thread(1))[-1]

        assert mine.ephemeral
        assert "**You have 2 jobs waiting or running**" in words_of(mine)
        assert f"**first**\nRunning. [Its card]({card.jump_url}) is in <#{here.thread(1).id}>." in words_of(
            mine
        )
        assert "**second**\n2nd in line, about 30 s. [Its card](" in words_of(mine)
        assert "theirs" not in words_of(mine)
        assert buttons_of(mine) == ["art:queue:2:0", "art:queue:4:0"]


async def test_cancelling_there_stops_the_job_and_shows_the_list_anew(tmp_path: Path) -> None:
    """In the same message: the job is gone from it, its card says so, and the next in line moves up."""
    async with world(tmp_path, small_engine) as here:
        await here.sketch(prompt="first", candidates=3)
        await here.sketch(prompt="second", candidates=3)
        await here.sketch(prompt="third", candidates=1)
        mine = await queue(here)
        pressed = await here.you.click(mine, custom_id="art:queue:2:0")
        after = words_of(mine)
        await here.you.click(mine, custom_id="art:queue:1:0")
        (first,) = here.cards(here.thread(0))
        here.fake.release(1000)
        await here.env.settle()

        assert pressed.followups == []
        assert after.startswith("Cancelled. Nothing was charged.\n**You have 2 jobs waiting or running**")
        assert "**third**\nNext." in after
        assert "second" not in after
        assert "Cancelled." in text_of(first)
        assert here.fake.closed_early == 1
        assert [request.prompt for request in here.fake.requests] == ["first", "third"]
        assert "**You have 1 job waiting or running**\n**third**\n" in words_of(mine)


async def test_an_empty_queue_says_how_to_begin(tmp_path: Path) -> None:
    """Before the first job, after the last one is cancelled, and in a direct message: a hint and no button."""
    async with world(tmp_path, held_engine) as here:
        before = await queue(here)
        await here.sketch()
        some = await queue(here)
        filled = words_of(some)
        await here.you.click(some, custom_id="art:queue:1:0")
        direct = shown_by(await here.you.user.slash("queue"))

        assert "Begin with `/sketch` or `/imagine`" in words_of(before)
        assert "Begin with" not in filled
        assert words_of(before) == words_of(direct)
        assert words_of(some) == f"Cancelled. Nothing was charged.\n{words_of(before)}"
        assert buttons_of(before) == buttons_of(some) == buttons_of(direct) == []


async def test_its_buttons_work_after_a_restart(tmp_path: Path) -> None:
    """A new process knows the job by the button's id alone."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch()
        mine = await queue(here)
        await here.restart()
        await here.you.click(mine, custom_id="art:queue:1:0")
        job = await here.store.job(1)

        assert job is not None
        assert job.state is JobState.CANCELLED
        assert "Begin with" in words_of(mine)


async def test_a_job_that_ended_meanwhile_is_not_cancelled(tmp_path: Path) -> None:
    """The list was old: it says that the job is over, shows what is left, and the pictures stay."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=1)
        mine = await queue(here)
        here.fake.release(1000)
        await here.env.settle()
        await here.you.click(mine, custom_id="art:queue:1:0")

        assert words_of(mine).startswith("That job is over already.\nYou have nothing waiting or running.")
        assert len(pictures_of(here.cards()[0])) == 1


async def test_nobody_else_can_press_it(tmp_path: Path) -> None:
    """The message is private; even its button in other hands stops nothing."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch()
        theirs = await queue(here, here.other)
        await here.sketch(who=here.other)
        theirs = await queue(here, here.other)
        for item in walk(here.env.backend.get_message(here.channel.id, theirs.id).components):
            if item["type"] == 9:
                item["accessory"]["custom_id"] = "art:queue:1:0"
        answer = await here.other.click(theirs, custom_id="art:queue:1:0")
        job = await here.store.job(1)

        assert "Only the person who asked" in said(answer)
        assert job is not None
        assert job.state is JobState.RUNNING


async def test_what_keeps_the_line_from_moving_is_said_once(tmp_path: Path) -> None:
    """With the engine not set up, each job keeps its place and the reason stands above them."""
    async with world(tmp_path, held_engine) as here:
        await here.engine_becomes(EngineState.SETUP_FAILED, "The folder is missing.")
        await here.sketch()
        await here.sketch()
        mine = words_of(await queue(here))

        assert mine.count("The engine could not be set up: The folder is missing.") == 1
        assert "Next." in mine
        assert "2nd in line." in mine


async def test_a_long_queue_shows_its_beginning(tmp_path: Path) -> None:
    """Where the server allows more than a message holds, the first ten are there and the number of all."""
    async with world(tmp_path, held_engine) as here:
        await here.limit("waiting-per-person", 20)
        for _ in range(12):
            await here.sketch(candidates=1)
        mine = await queue(here)

        assert "**You have 12 jobs waiting or running** (the first 10)" in words_of(mine)
        assert buttons_of(mine) == [f"art:queue:{number}:0" for number in range(1, 11)]
