"""Journeys: the bot ends in every state of a job, and a new process takes it up. (Real `kill -9`: tests/processes.)"""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.store import JobState
from inference import EngineState
from tests.journeys.world import World, buttons_of, held_engine, pictures_of, text_of, world


async def state(here: World, job_id: int = 1) -> JobState:
    job = await here.store.job(job_id)
    assert job is not None
    return job.state


async def test_a_waiting_and_a_running_job_are_taken_up_in_order(tmp_path: Path) -> None:
    """Both run again on the new process, on the cards that were already there."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=4)
        await here.sketch(who=here.other, candidates=4)
        here.fake.release(3)
        await here.env.settle()
        before = (await state(here, 1), await state(here, 2))
        await here.restart()
        again = (await state(here, 1), await state(here, 2))
        here.fake.release(1000)
        await here.env.settle()

        assert before == again == (JobState.RUNNING, JobState.QUEUED)
        for thread in here.channel.threads:
            (card,) = here.cards(thread)
            assert len(pictures_of(card)) == 4
        job = await here.store.job(1)
        assert job is not None
        assert (job.state, job.attempt) == (JobState.POSTED, 2)


@pytest.mark.parametrize("status", [500, 403])
async def test_a_rendered_job_is_posted_by_the_next_process(tmp_path: Path, status: int) -> None:
    """Discord was unwell when the result was ready: it stays rendered, and is posted later without a new run."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=1)
        here.env.inject_error("PATCH", "/channels/*/messages/*", status=status, times=2)
        here.fake.release(1000)
        await here.env.settle()
        before = await state(here)
        await here.restart()
        (card,) = here.cards()

        if status == 500:
            assert before is JobState.RENDERED
            assert await state(here) is JobState.POSTED
            assert len(pictures_of(card)) == 1
        else:
            assert before is JobState.FAILED
        assert len(await here.store.candidates(1)) == 1


async def test_a_result_is_posted_as_soon_as_discord_is_back(tmp_path: Path) -> None:
    """Without a restart the same result is tried again after a while."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=1)
        here.env.inject_error("PATCH", "/channels/*/messages/*", status=503, times=2)
        here.fake.release(1000)
        await here.env.settle()
        before = await state(here)
        await here.env.advance_time(15)

        assert before is JobState.RENDERED
        assert await state(here) is JobState.POSTED
        assert len(pictures_of(here.cards()[0])) == 1


async def test_recovery_leaves_alone_what_runs_already(tmp_path: Path) -> None:
    """Discord may send a command before it says "ready": that job runs on, in its first attempt, and is delivered."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=1)
        before = await state(here)
        await here.bot.jobs.recover()
        here.fake.release(1000)
        await here.env.settle()

        assert before is JobState.RUNNING
        assert await state(here) is JobState.POSTED
        assert len(pictures_of(here.cards()[0])) == 1


async def test_a_finished_job_stays_as_it_is(tmp_path: Path) -> None:
    """A restart edits nothing that is done."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        before = len(here.env.http_requests)
        await here.restart()
        since = [entry.path for entry in here.env.http_requests[before:]]

        assert await state(here) is JobState.POSTED
        assert not any("messages" in path for path in since)


async def test_commands_are_registered_once(tmp_path: Path) -> None:
    """Discord counts registrations per day: an unchanged bot does not register again."""
    async with world(tmp_path) as here:
        await here.restart()
        registrations = [entry for entry in here.env.http_requests if entry.method == "PUT"]

        assert len([entry for entry in registrations if entry.path.endswith("/commands")]) == 1


async def test_a_card_that_a_moderator_deleted_comes_back_while_the_job_runs(tmp_path: Path) -> None:
    """A deleted card is only detached: the running job posts a new one, and finishes there."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=1)
        (card,) = here.cards()
        await here.guild_owner_deletes(card)
        here.fake.release(1000)
        await here.env.settle()
        (new_card,) = here.cards()

        assert new_card.id != card.id
        assert len(pictures_of(new_card)) == 1


async def test_the_card_was_deleted_while_the_bot_was_away(tmp_path: Path) -> None:
    """The next process finds no message and posts the result on a new one."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=1)
        (card,) = here.cards()
        here.env.backend.delete_message(card.channel.id, card.id)
        await here.restart()
        here.fake.release(1000)
        await here.env.settle()
        (new_card,) = here.cards()

        assert new_card.id != card.id
        assert len(pictures_of(new_card)) == 1


async def test_a_result_after_an_hour_comes_as_a_new_message(tmp_path: Path) -> None:
    """Discord limits edits of old messages: the result gets a message of its own."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=1)
        await here.env.advance_time(3601)
        here.fake.release(1000)
        await here.env.settle()
        _, late = here.cards()[:2]

        assert len(pictures_of(late)) == 1


async def test_a_card_nobody_recorded_is_found_again_by_its_buttons(tmp_path: Path) -> None:
    """A crash between posting and recording, noticed after Discord forgot the nonce: no second card."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=1)
        async with here.store.transaction() as tx:
            await tx.run("UPDATE post SET message_id = NULL")
        await here.env.advance_time(600)
        await here.restart()
        here.fake.release(1000)
        await here.env.settle()

        cards = [message for message in here.cards() if "your picture" not in message.content]
        assert len(cards) == 1
        assert len(pictures_of(cards[0])) == 1


async def test_an_again_button_of_a_cancelled_job_survives(tmp_path: Path) -> None:
    """Cancelled jobs are not taken up again, and can still be asked for once more."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=1)
        (card,) = here.cards()
        await here.you.click(card, custom_id=buttons_of(card)["Cancel"])
        await here.restart()
        (cancelled,) = here.cards()
        await here.you.click(cancelled, custom_id=buttons_of(cancelled)["Again"])
        here.fake.release(1000)
        await here.env.settle()
        _, again = here.cards()

        assert "Cancelled." in text_of(cancelled)
        assert await state(here, 1) is JobState.CANCELLED
        assert len(pictures_of(again)) == 1


async def test_retries_of_a_late_result_post_it_once(tmp_path: Path) -> None:
    """The card is over an hour old and Discord is unwell: every try is the same message, whatever became of it."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=1)
        await here.env.advance_time(3601)
        here.env.inject_error("POST", f"/channels/{here.thread().id}/messages", status=503, times=2)
        here.fake.release(1000)
        await here.env.settle()
        await here.env.advance_time(15)
        sends = [
            entry.json["nonce"]
            for entry in here.env.http_requests
            if entry.method == "POST" and isinstance(entry.json, dict) and "nonce" in entry.json
        ]
        _, late = here.cards()

        assert sends == ["1:card:0", "1:card:1", "1:card:1", "1:card:1", "1:ping:0"]
        assert len(pictures_of(late)) == 1
        assert await state(here) is JobState.POSTED


async def test_a_late_result_lost_between_intent_and_post_is_posted_by_the_next_process(
    tmp_path: Path,
) -> None:
    """The older card of the same job, which carries its buttons too, is not taken for the missing one."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=1)
        await here.env.advance_time(3601)
        here.env.inject_error("POST", f"/channels/{here.thread().id}/messages", status=503, times=1)
        here.fake.release(1000)
        await here.env.settle()
        await here.env.advance_time(1)
        await here.restart()
        await here.env.advance_time(300)
        _, late = here.cards()

        assert len(pictures_of(late)) == 1
        assert await state(here) is JobState.POSTED


async def test_a_cancelled_card_is_brought_up_to_date_when_discord_is_back(tmp_path: Path) -> None:
    """Discord refuses the edit at first: the next job starts all the same, and the card says Cancelled later."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=4)
        await here.sketch(who=here.other, candidates=4)
        (card,) = here.cards(here.thread(0))
        here.env.inject_error("PATCH", "/channels/*/messages/*", status=503, times=1)
        await here.you.click(card, custom_id=buttons_of(card)["Cancel"])
        started = len(here.fake.requests)
        await here.env.advance_time(15)
        (cancelled,) = here.cards(here.thread(0))

        assert started == 2
        assert "Cancelled." in text_of(cancelled)


async def test_an_end_nobody_was_told_of_is_told_by_the_next_process(tmp_path: Path) -> None:
    """The bot dies before the card of a cancelled job is edited: the next one edits it."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=1)
        (card,) = here.cards()
        here.env.inject_error("PATCH", "/channels/*/messages/*", status=503, times=1)
        await here.you.click(card, custom_id=buttons_of(card)["Cancel"])
        before = text_of(here.cards()[0])
        await here.restart()

        assert "Cancelled." not in before
        assert "Cancelled." in text_of(here.cards()[0])


async def test_a_job_that_ran_in_the_last_process_shows_its_place(tmp_path: Path) -> None:
    """While the new engine cannot be set up, the card says so; it does not pretend to run."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=1)
        here.start_engine_in(EngineState.SETUP_FAILED, "The folder is missing.")
        await here.restart()
        (card,) = here.cards()

        assert await state(here) is JobState.QUEUED
        assert "The engine could not be set up: The folder is missing." in text_of(card)


async def test_a_card_is_not_refused_for_ever(tmp_path: Path) -> None:
    """Discord will not take the card with the pictures (413): it says so instead, and the pictures are kept."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=1)
        here.env.inject_error("PATCH", "/channels/*/messages/*", status=413, times=2)
        here.fake.release(1000)
        await here.env.settle()
        (card,) = here.cards()

        assert "They are kept: see /history." in text_of(card)
        assert len(await here.store.candidates(1)) == 1
