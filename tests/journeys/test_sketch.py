"""Journeys: /sketch and /imagine, from the command to the pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference import EngineState, RequestFailed
from inference.fake import FakeEngine
from tests.journeys.world import buttons_of, held_engine, opened, pictures_of, png, said, text_of, world


async def test_a_sketch_becomes_pictures_in_a_thread_of_its_own(tmp_path: Path) -> None:
    """The answer is private and names the thread; the card there ends with the pictures and one plain line."""
    async with world(tmp_path) as here:
        answer = await here.sketch(
            image=("moon.png", png((1600, 900))), candidates=2, seed=4711, strength=0.75
        )
        (card,) = here.cards()
        pictures = [await opened(file) for file in pictures_of(card)]

        assert answer.ephemeral
        assert here.thread().mention in answer.response.content
        assert not any(message.attachments for message in here.channel.history())
        assert [picture.size for picture in pictures] == [(683, 384), (683, 384)]
        assert pictures[0].tobytes() != pictures[1].tobytes()
        assert (
            "1600×900 as 704×384 cropped to 683×384, strength 0.75: 22 of 30 steps, seeds 4711 to 4712, 0.0 s"
            in text_of(card)
        )
        assert "sketch.webp" in [file.filename for file in card.attachments]
        assert list(buttons_of(card)) == ["1", "2", "Again", "Subtle", "Strong", "Refine…", "Delete"]


async def test_a_card_shows_place_then_previews_then_pictures(tmp_path: Path) -> None:
    """While somebody else's job runs, the card says the place; then steps and previews; then the result."""
    async with world(tmp_path, lambda park: FakeEngine(park=park, held=True, row_credits=2)) as here:
        await here.sketch(who=here.other, candidates=3, steps=20, strength=0.5)
        answer = await here.sketch(candidates=1, steps=20, strength=0.5)
        (waiting,) = here.cards(here.thread(1))
        place = text_of(waiting)
        here.fake.release(13)
        await here.env.settle()
        (running,) = here.cards(here.thread(1))
        here.fake.release(7)
        await here.env.settle()
        (done,) = here.cards(here.thread(1))

        assert "You are next, in" in answer.response.content
        assert "Next." in place
        assert "Step 3 of 10" in text_of(running)
        assert [file.filename for file in running.attachments] == ["sketch.webp", "preview-3.webp"]
        assert list(buttons_of(running)) == ["Cancel", "Delete"]
        assert "Done." in text_of(done)
        assert len(pictures_of(done)) == 1
        assert waiting.id == running.id == done.id


@pytest.mark.parametrize("precise", [True, False])
async def test_what_had_to_be_computed_again_is_said(tmp_path: Path, precise: bool) -> None:
    """A card without half precision takes longer; its pictures say why, and those of other cards do not."""
    async with world(tmp_path, lambda park: FakeEngine(park=park, precise=precise)) as here:
        await here.sketch()
        (card,) = here.cards()

    assert ("computed again in float32" in text_of(card)) is precise


async def test_the_private_answer_says_place_and_estimate(tmp_path: Path) -> None:
    """Once a job has run, the third in line reads its place and roughly how long it will take."""
    async with world(tmp_path, lambda park: FakeEngine(park=park, held=True, row_credits=2)) as here:
        await here.sketch(candidates=1, steps=10, strength=1.0)
        await here.env.advance_time(6)
        here.fake.release(10)
        await here.env.settle()
        await here.sketch(who=here.other, candidates=3, steps=10, strength=1.0)
        await here.sketch(who=here.mod, candidates=1, steps=10, strength=1.0)
        answer = await here.sketch(candidates=1, steps=10, strength=1.0)

        assert f"You are 2nd in line, about 30 s, in {here.thread(3).mention}." == answer.response.content


async def test_imagine_makes_a_picture_without_a_sketch(tmp_path: Path) -> None:
    """/imagine needs words alone; a size gives the shape."""
    async with world(tmp_path) as here:
        await here.you.slash(here.channel, "imagine", prompt="a lonely deck chair", size="16:9", candidates=1)
        (card,) = here.cards()
        (picture,) = [await opened(file) for file in pictures_of(card)]

        assert picture.size == (704, 384)
        assert here.fake.requests[0].init is None
        assert "704×384, 30 steps" in text_of(card)
        assert "sketch.webp" not in [file.filename for file in card.attachments]


async def test_a_second_sketch_in_the_thread_joins_its_scene(tmp_path: Path) -> None:
    """A thread that the bot opened holds exactly one Scene: /sketch in it opens no other."""
    async with world(tmp_path) as here:
        await here.sketch()
        thread = here.thread()
        await here.you.slash(thread, "sketch", image=("b.png", png((64, 64))), prompt="the planet earth")

        assert len(here.channel.threads) == 1
        assert len(here.cards(thread)) == 2
        pictures = [entry.picture for entry in await here.store.history(1)]
        assert [picture.number for picture in pictures] == [1, 2, 3, 4, 5, 6]


async def test_a_failed_job_says_why_and_can_be_tried_again(tmp_path: Path) -> None:
    """A request that the engine cannot draw ends with its sentence, frees the line and keeps an Again button."""
    async with world(tmp_path) as here:
        here.fake.fail_next(RequestFailed("The picture came out black."))
        await here.sketch()
        (failed,) = here.cards()
        await here.you.click(failed, custom_id=buttons_of(failed)["Again"])
        _, again = here.cards()

        assert "The picture came out black. Nothing was charged." in text_of(failed)
        assert len(pictures_of(again)) == 2


async def test_a_broken_job_shows_a_sentence_and_no_trace(tmp_path: Path) -> None:
    """What nobody foresaw ends the job with one sentence; the exception's text stays in the log."""
    async with world(tmp_path) as here:
        here.fake.fail_next(RuntimeError("CUDA secret detail"))
        await here.sketch()
        (card,) = here.cards()

        assert "Something broke on my side." in text_of(card)
        assert "secret" not in text_of(card)


async def test_the_line_is_kept_while_the_engine_cannot_be_set_up(tmp_path: Path) -> None:
    """A missing model folder is said on the card; the job runs once the engine is ready."""
    async with world(tmp_path) as here:
        await here.engine_becomes(EngineState.SETUP_FAILED, "The folder models/moon is missing.")
        await here.sketch()
        (waiting,) = here.cards()
        await here.engine_becomes(EngineState.READY)
        (done,) = here.cards()

        assert "The engine could not be set up: The folder models/moon is missing." in text_of(waiting)
        assert "Your place in the line is kept." in text_of(waiting)
        assert "Done." in text_of(done)
        assert len(pictures_of(done)) == 2


async def test_without_the_right_to_open_threads_the_scene_stays_in_the_channel(tmp_path: Path) -> None:
    """No thread permission: the card comes into the channel and says so, and replies still work there."""
    async with world(tmp_path) as here:
        here.move_to_channel_without("create_public_threads")
        await here.sketch()
        (card,) = here.cards(here.channel)
        await here.you.send(here.channel, "rounder", reply_to=card)

        assert "I could not open a thread here" in text_of(card)
        assert len(here.cards(here.channel)) == 2


async def test_a_missing_permission_is_named_before_anything_is_accepted(tmp_path: Path) -> None:
    """Where the bot may not attach files, it says just that and stores no job."""
    async with world(tmp_path) as here:
        here.move_to_channel_without("attach_files")
        answer = await here.sketch()

        assert f"I may not attach files in {here.channel.mention}" in said(answer)
        assert await here.store.unfinished_jobs() == []
        assert await here.store.job(1) is None


async def test_the_permission_that_is_named_is_the_one_that_is_denied(tmp_path: Path) -> None:
    """Without Send Messages Discord denies attaching files as well; only the cause is named."""
    async with world(tmp_path) as here:
        here.move_to_channel_without("send_messages")
        answer = await here.sketch()

        assert f"I may not send messages in {here.channel.mention}" in said(answer)
        assert await here.store.job(1) is None


async def test_a_job_that_took_long_pings_its_owner_once(tmp_path: Path) -> None:
    """Edits notify nobody: after more than a minute the owner, and only the owner, gets one short ping."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(steps=10, strength=1.0)
        await here.env.advance_time(61)
        here.fake.release(10)
        await here.env.settle()
        ping = here.thread().history()[-1]

        assert ping.content == f"<@{here.you.id}> your picture is ready."
        assert here.pinged_by(ping) == [here.you.id]


@pytest.mark.parametrize("count", [1, 4])
async def test_as_many_pictures_as_asked_for(tmp_path: Path, count: int) -> None:
    """One to four candidates, each a file of its own with a description for those who cannot see it."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=count)
        (card,) = here.cards()

        assert len(pictures_of(card)) == count
        assert len(here.fake.requests[0].seeds) == count
