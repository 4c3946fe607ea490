"""Journeys: how often a card is edited, and what happens when stored bytes are gone."""

from __future__ import annotations

from pathlib import Path

from bot import texts
from bot.delivery import files_on
from bot.run import ChannelThrottles
from bot.store import JobState
from inference import InitKind
from tests.journeys.world import World, held_engine, pictures_of, said, text_of, world


def edits(here: World) -> int:
    return sum(
        entry.method == "PATCH" and "/messages/" in entry.path for entry in here.env.http_requests
    ) - answers(here)


def answers(here: World) -> int:
    return sum(
        entry.method == "PATCH" and entry.path.startswith("/webhooks/") for entry in here.env.http_requests
    )


async def test_many_steps_become_few_edits(tmp_path: Path) -> None:
    """Twenty steps within the gap between edits are one edit that shows the latest; the result does not wait."""
    async with world(tmp_path, held_engine, edit_gap=2.5) as here:
        await here.sketch(candidates=1, steps=25, strength=1.0)
        before = edits(here)
        here.fake.release(20)
        await here.env.settle()
        at_once = edits(here) - before
        await here.env.advance_time(2.5)
        later = edits(here) - before
        (card,) = here.cards()
        here.fake.release(5)
        await here.env.settle()
        (done,) = here.cards()

        assert (at_once, later) == (0, 1)
        assert "Step 20 of 25" in text_of(card)
        assert len(pictures_of(done)) == 1


async def test_without_the_gap_the_same_steps_are_many_edits(tmp_path: Path) -> None:
    """The control of the test above."""
    async with world(tmp_path, held_engine, edit_gap=0.0) as here:
        await here.sketch(candidates=1, steps=25, strength=1.0)
        before = edits(here)
        for _ in range(5):
            here.fake.release(1)
            await here.env.settle()

        assert edits(here) - before == 5


async def test_latents_that_are_gone_are_replaced_by_pixels(tmp_path: Path) -> None:
    """A reply goes on from the picture itself, and the card says so."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        (parent,) = await here.store.candidates(1)
        assert parent.latents is not None
        (tmp_path / "pictures" / parent.latents[:2] / parent.latents).unlink()
        (card,) = here.cards()
        await here.you.send(here.thread(), "rounder", reply_to=card)
        _, second = here.fake.requests
        _, refined = here.cards()

        assert second.init is not None
        assert (second.init.kind, second.init.ref) == (InitKind.PIXELS, parent.file)
        assert "I went on from what can be seen of it" in text_of(refined)
        assert len(pictures_of(refined)) == 1


async def test_a_picture_whose_file_is_gone_ends_the_job_with_a_sentence(tmp_path: Path) -> None:
    """Nothing hangs in the line for ever."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=4)
        await here.sketch(who=here.other, candidates=4)
        upload = await here.store.picture(2)
        assert upload is not None
        (tmp_path / "pictures" / upload.file[:2] / upload.file).unlink()
        here.fake.release(1000)
        await here.env.settle()
        job = await here.store.job(2)

        assert job is not None
        assert job.state is JobState.FAILED
        assert job.error == texts.PICTURE_FILE_GONE


async def test_every_channel_has_one_limiter_of_its_own() -> None:
    """All cards of a channel share one, two channels do not; the one that was used longest ago is let go first."""
    throttles = ChannelThrottles(most=2)
    first, second = throttles(1), throttles(2)

    assert throttles(1) is first is not second
    assert throttles(3) is not first
    assert throttles(1) is first
    assert throttles(2) is not second


async def test_the_sketch_is_uploaded_once(tmp_path: Path) -> None:
    """Edits keep what is on the message, also where Discord tells of it only in the components."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=1, steps=25, strength=1.0)
        for _ in range(3):
            here.fake.release(1)
            await here.env.settle()
        uploads = [file.filename for request in here.watch.requests for file in request.uploads]
        (card,) = here.cards()
        listed = {file.filename for file in files_on(card)}
        card.attachments.clear()

        assert uploads.count("sketch.webp") == 1
        assert len(uploads) > 3
        assert {file.filename for file in files_on(card)} == listed == {"sketch.webp", "preview-3.webp"}


async def test_a_card_in_an_archived_thread_is_followed_by_a_new_one(tmp_path: Path) -> None:
    """Discord refuses edits there (50083); a new message opens the thread again and carries the pictures."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=1)
        here.env.inject_error("PATCH", "/channels/*/messages/*", status=400, code=50083, times=1)
        here.fake.release(1000)
        await here.env.settle()
        first, second = here.cards()

        assert (len(pictures_of(first)), len(pictures_of(second))) == (0, 1)


async def test_where_no_more_threads_fit_the_scene_stays_in_the_channel(tmp_path: Path) -> None:
    """The server has as many active threads as it may have (160006): the job is done in the channel."""
    async with world(tmp_path) as here:
        here.env.inject_error("POST", "/channels/*/threads", status=400, code=160006, times=1)
        answer = await here.sketch(candidates=1)
        (card,) = here.cards(here.channel)

        assert here.channel.mention in said(answer)
        assert "I could not open a thread here" in text_of(card)
        assert len(pictures_of(card)) == 1


async def test_a_person_who_cannot_be_added_to_the_thread_gets_the_card_there(tmp_path: Path) -> None:
    """Adding people is a courtesy; that it failed costs nobody the job."""
    async with world(tmp_path) as here:
        here.env.inject_error("PUT", "/channels/*/thread-members/*", status=403, code=50001, times=1)
        await here.sketch(candidates=1)
        (card,) = here.cards()

        assert len(pictures_of(card)) == 1


async def test_a_place_that_is_closed_to_the_bot_ends_the_job_with_a_sentence(tmp_path: Path) -> None:
    """The thread was locked between the check and the card: the person is told, and the line goes on."""
    async with world(tmp_path) as here:
        here.env.inject_error("POST", "/channels/*/messages", status=403, code=50001, times=1)
        answer = await here.sketch(candidates=1)
        after = await here.sketch(candidates=1)
        job = await here.store.job(1)

        assert "is gone, or closed to me. Nothing was charged." in said(answer)
        assert job is not None
        assert job.state is JobState.FAILED
        assert "I am on it" in said(after)
