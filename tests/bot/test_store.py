"""The database: transactions that nothing can tear, and what the bot remembers in it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

import bot.store
from bot.store import JobKind, JobState, NewJob, NewPicture, Post, Scope, SetRule, Store, Transaction
from inference import PictureRef
from tests.bot.cancelling import Driven
from tests.bot.records import (
    ANNA,
    BEN,
    CHANNEL,
    GUILD,
    NOW,
    generated,
    new_job,
    opened,
    request,
    uploaded,
)

FIRST_TABLES = {"current_picture", "job", "memo", "pick", "picture", "post", "scene", "server_limit"}
NEW_TABLES = {"audit", "block", "ceiling", "forgetting", "rule", "server", "trace", "usage", "word"}
SECOND_TABLES = FIRST_TABLES | {"doomed_file", "person"}
THIRD_TABLES = SECOND_TABLES | {"also_shows", "draft", "style", "undone"}
TABLES = THIRD_TABLES - {"server_limit"} | NEW_TABLES
DATABASE = "moonsketch.sqlite3"


async def accepted(store: Store, new: NewJob | None = None) -> int:
    async with store.transaction() as tx:
        return (await store.accept(tx, new or new_job(), NOW)).id


async def running(store: Store, job_id: int) -> Any:
    async with store.transaction() as tx:
        return await store.start_attempt(tx, job_id, request(), NOW)


async def rendered(store: Store, pictures: Sequence[NewPicture], new: NewJob | None = None) -> int:
    """A job that ran and is not yet posted."""
    job_id = await accepted(store, new)
    job = await running(store, job_id)
    async with store.transaction() as tx:
        assert await store.finish(
            tx, job, pictures, seconds=6.2, gpu_seconds=6.2, model_version="v1", now=NOW
        )
    return job_id


async def state_of(store: Store, job_id: int) -> JobState:
    job = await store.job(job_id)
    assert job is not None
    return job.state


def tables_in(path: Path) -> set[str]:
    """What a freshly opened connection finds, after it found the file in order."""
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
        return {name for (name,) in rows}
    finally:
        connection.close()


def sources_in(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return [source for (source,) in connection.execute("SELECT source FROM job ORDER BY id")]
    finally:
        connection.close()


async def open_and_close(folder: Path) -> None:
    async with opened(folder):
        pass


# Opening and migrating


async def test_an_empty_folder_gets_the_whole_schema(tmp_path: Path) -> None:
    """And the settings of the connection that the promises rest on."""
    names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
    async with opened(tmp_path) as store, store.transaction() as tx:
        pragmas = {name: (await tx.all(f"PRAGMA {name}"))[0][0] for name in names}

    assert tables_in(tmp_path / DATABASE) == TABLES
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "busy_timeout": 5000,
    }


async def test_opening_again_migrates_nothing_twice(tmp_path: Path) -> None:
    """The schema stays as it is and so does what is in it."""
    async with opened(tmp_path) as store:
        job_id = await accepted(store)
        before = await store.job(job_id)
    async with opened(tmp_path) as store:
        after = await store.job(job_id)

    assert before is not None
    assert after == before
    assert tables_in(tmp_path / DATABASE) == TABLES


_MIGRATES_UNTIL_KILLED = """
import asyncio, itertools, os, signal, sys
from pathlib import Path
from bot.store import Store

async def migrate(folder):
    await (await Store.open(folder)).close()

def endlessly(folder):
    for number in itertools.count():
        place = folder / str(number)
        place.mkdir(parents=True)
        asyncio.run(migrate(place))

asyncio.run(migrate(Path(sys.argv[1])))  # whatever is loaded late is loaded now
for kill in range(int(sys.argv[2])):
    child = os.fork()
    if child == 0:
        # A timer whose signal nobody handles ends a process as suddenly as kill -9. It counts the process's own time,
        # so that a machine that is busy with something else kills at the same places.
        signal.setitimer(signal.ITIMER_PROF, 0.002 + kill * 0.001)
        endlessly(Path(sys.argv[1]) / f"kill-{kill}")
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGPROF, status
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forks of one warm process")
def test_a_kill_during_the_migration_leaves_the_old_schema_or_the_new(tmp_path: Path) -> None:
    """Never something in between; and the next start finishes what was begun."""
    kills = 16
    child = [sys.executable, "-c", _MIGRATES_UNTIL_KILLED, str(tmp_path), str(kills)]
    subprocess.run(child, check=True, timeout=60)
    killed = list(tmp_path.glob(f"kill-*/*/{DATABASE}"))

    left = {path: tables_in(path) for path in killed}
    assert all(
        tables in (set(), FIRST_TABLES, SECOND_TABLES, THIRD_TABLES, TABLES) for tables in left.values()
    )
    torn = [path for path, tables in left.items() if tables != TABLES]
    assert torn  # at least one kill hit a migration
    for path in torn:
        asyncio.run(open_and_close(path.parent))
        assert tables_in(path) == TABLES


# Transactions


async def test_what_a_transaction_wrote_is_kept(tmp_path: Path) -> None:
    """The control of the tests below: without a failure the row is there."""
    async with opened(tmp_path) as store:
        job_id = await accepted(store)

        assert await state_of(store, job_id) is JobState.QUEUED


async def test_an_exception_rolls_back(tmp_path: Path) -> None:
    """Everything that the failed transaction wrote is gone, and the next one works."""
    async with opened(tmp_path) as store:

        async def fail() -> None:
            async with store.transaction() as tx:
                await store.accept(tx, new_job(source="lost", upload=uploaded()), NOW)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        await accepted(store, new_job(source="kept"))

        jobs = await store.unfinished_jobs()
        assert [job.source for job in jobs] == ["kept"]
        assert await store.picture(1) is None


async def test_a_statement_that_fails_rolls_back_those_before_it(tmp_path: Path) -> None:
    """A constraint that is hurt leaves nothing half done."""
    async with opened(tmp_path) as store:

        async def name_a_scene_that_is_not_there() -> None:
            async with store.transaction() as tx:
                await store.accept(tx, new_job(), NOW)
                await store.add_picture(tx, 999, None, uploaded(), NOW)

        with pytest.raises(sqlite3.IntegrityError):
            await name_a_scene_that_is_not_there()

        assert await store.unfinished_jobs() == []


async def write_three(store: Store, name: str = "") -> None:
    async with store.transaction() as tx:
        for number in (1, 2, 3):
            await store.accept(tx, new_job(source=f"{name}{number}", upload=uploaded()), NOW)


async def sources(store: Store) -> set[str]:
    return {job.source for job in await store.unfinished_jobs()}


@pytest.mark.parametrize("cancellations", [1, 2], ids=["once", "twice"])
async def test_a_cancellation_at_any_await_leaves_all_or_nothing(tmp_path: Path, cancellations: int) -> None:
    """Cancelled while it waits for the lock, begins, writes, reads or commits (and again while it cleans up):
    the rows are all there or none is, another task's rows are unharmed, and the next transaction works."""
    outcomes: list[tuple[bool, int]] = []
    expected: set[str] = set()
    async with opened(tmp_path) as store:
        while not outcomes or not outcomes[-1][0]:
            at = len(outcomes) + 1
            before = await sources(store)
            ended = await Driven(range(at, at + cancellations)).run(write_three(store, f"at {at}: "))
            written = await sources(store) - before
            await accepted(store, new_job(source=f"after {at}"))

            assert written in (set(), {f"at {at}: {number}" for number in (1, 2, 3)})
            expected |= written | {f"after {at}"}
            assert await sources(store) == expected
            outcomes.append((ended, len(written)))

    assert len(outcomes) > 20  # there were that many awaits to be cancelled at
    assert outcomes[0] == (False, 0)
    assert outcomes[-1] == (True, 3)


async def test_a_commit_that_has_begun_is_not_cancelled(tmp_path: Path) -> None:
    """Once the body is through the rows are kept, although the task ends as cancelled."""
    async with opened(tmp_path / "counted", make=True) as store:
        counted = Driven(())
        await counted.run(write_three(store))
    async with opened(tmp_path / "cancelled", make=True) as store:
        ended = await Driven({counted.awaits}).run(write_three(store))

        assert not ended
        assert await sources(store) == {"1", "2", "3"}


async def test_transactions_of_two_tasks_do_not_mix(tmp_path: Path) -> None:
    """One fails in the middle while the other waits in the middle: only the failed one's rows are lost."""
    async with opened(tmp_path) as store:
        both_began = asyncio.Event()

        async def fails() -> None:
            async with store.transaction() as tx:
                await store.accept(tx, new_job(source="lost"), NOW)
                both_began.set()
                for _ in range(3):
                    await tx.one("SELECT count(*) FROM job")
                raise ZeroDivisionError

        async def succeeds() -> None:
            await both_began.wait()
            async with store.transaction() as tx:
                await store.accept(tx, new_job(source="kept"), NOW)

        results = await asyncio.gather(fails(), succeeds(), return_exceptions=True)

        assert [type(result) for result in results] == [ZeroDivisionError, type(None)]
        assert await sources(store) == {"kept"}


async def test_many_tasks_write_at_once(tmp_path: Path) -> None:
    """Each finds its own rows afterwards: every second one fails, every third one is cancelled."""
    async with opened(tmp_path) as store:

        async def write(number: int) -> None:
            async with store.transaction() as tx:
                await store.accept(tx, new_job(source=f"a{number}"), NOW)
                await store.accept(tx, new_job(source=f"b{number}"), NOW)
                if number % 2:
                    raise ZeroDivisionError

        work: list[Coroutine[Any, Any, object]] = [
            Driven({number} if number % 3 == 0 else ()).run(write(number)) for number in range(24)
        ]
        ended = await asyncio.gather(*work, return_exceptions=True)
        written = await sources(store)

        assert {name[0] for name in written} == {"a", "b"}
        for number, result in enumerate(ended):
            assert (f"a{number}" in written) == (f"b{number}" in written)
            if result is True:
                assert f"a{number}" in written
            if number % 2:
                assert f"a{number}" not in written


async def test_a_transaction_that_waits_for_the_lock_can_be_cancelled(tmp_path: Path) -> None:
    """It has begun nothing, and whoever holds the lock goes on."""
    async with opened(tmp_path) as store:
        async with store.transaction() as tx:
            waiting = asyncio.create_task(write_three(store))
            await store.accept(tx, new_job(source="kept"), NOW)
            waiting.cancel()
            await asyncio.wait([waiting])

        assert waiting.cancelled()
        assert await sources(store) == {"kept"}


async def test_closing_waits_for_the_transaction_that_runs(tmp_path: Path) -> None:
    """What was begun before the end is committed."""
    store = await Store.open(tmp_path)
    began = asyncio.Event()

    async def write() -> None:
        async with store.transaction() as tx:
            began.set()
            await store.accept(tx, new_job(source="kept"), NOW)

    task = asyncio.create_task(write())
    await began.wait()
    await store.close()
    await task

    assert sources_in(tmp_path / DATABASE) == ["kept"]


# Crashes


def copy_as_a_crash_would_leave_it(folder: Path, to: Path) -> Path:
    """The files as they are on disk now; nobody had the chance to close anything."""
    to.mkdir()
    for name in (DATABASE, f"{DATABASE}-wal"):
        shutil.copy(folder / name, to / name)
    return to / DATABASE


async def test_after_a_crash_every_committed_row_is_there(tmp_path: Path) -> None:
    """And nothing of the transaction that was under way."""
    (tmp_path / "live").mkdir()
    async with opened(tmp_path / "live") as store:
        for number in range(5):
            await accepted(store, new_job(source=f"s{number}", upload=uploaded()))
        async with store.transaction() as tx:
            await store.accept(tx, new_job(source="unfinished"), NOW)
            copy_as_a_crash_would_leave_it(tmp_path / "live", tmp_path / "crashed")
    async with opened(tmp_path / "crashed") as store:
        recovered = await store.unfinished_jobs()
        pictures = [await store.picture(job.upload_id or 0) for job in recovered]

    assert [job.source for job in recovered] == [f"s{number}" for number in range(5)]
    assert None not in pictures
    assert sources_in(tmp_path / "crashed" / DATABASE) == [f"s{number}" for number in range(5)]


async def test_a_log_that_is_cut_short_loses_the_latest_commits_alone(tmp_path: Path) -> None:
    """Wherever power fails: the file is in order, and what is there is a beginning of what was committed."""
    (tmp_path / "live").mkdir()
    names = [f"s{number}" for number in range(6)]
    async with opened(tmp_path / "live") as store:
        for name in names:
            await accepted(store, new_job(source=name))
        whole = (tmp_path / "live" / f"{DATABASE}-wal").read_bytes()
        lengths = [len(whole) * part // 40 for part in range(41)]
        found = []
        for length in lengths:
            path = copy_as_a_crash_would_leave_it(tmp_path / "live", tmp_path / str(length))
            path.with_name(f"{DATABASE}-wal").write_bytes(whole[:length])
            found.append(sources_in(path) if tables_in(path) else [])

    assert all(names[: len(there)] == there for there in found)
    assert [len(there) for there in found] == sorted(len(there) for there in found)
    assert (found[0], found[-1]) == ([], names)


# Jobs


async def test_the_same_event_is_the_same_job(tmp_path: Path) -> None:
    """Discord may tell us twice: nothing is stored twice, and the first answer is given again."""
    async with opened(tmp_path) as store:
        twice = new_job(source="i1", upload=uploaded())
        first = await accepted(store, twice)
        second = await accepted(store, twice)
        other = await accepted(store, new_job(source="i2", upload=uploaded()))

        assert second == first
        assert other != first
        assert len(await store.unfinished_jobs()) == 2
        assert await store.picture(3) is None
        before = await store.accepted_before("i1")
        assert before is not None
        assert before.id == first
        assert await store.accepted_before("i3") is None


async def test_a_job_is_remembered_as_it_was_asked_for(tmp_path: Path) -> None:
    """Every field comes back, notes and request included, also words that look like something else."""
    async with opened(tmp_path) as store:
        new = new_job(notes=("null", "two"), upload=uploaded())
        job = await store.job(await accepted(store, new))

    assert job is not None
    assert (job.source, job.kind, job.guild_id, job.author_id) == (new.source, new.kind, GUILD, ANNA)
    assert (job.request, job.notes) == (new.request, new.notes)
    assert (job.state, job.attempt, job.error, job.seconds) == (JobState.QUEUED, 0, None, None)
    assert (job.created_at, job.started_at, job.upload_id, job.parent_id) == (NOW, None, 1, None)


async def test_a_job_goes_through_its_states(tmp_path: Path) -> None:
    """queued, running, rendered, posted; each step only from the one before it."""
    async with opened(tmp_path) as store:
        job_id = await accepted(store)
        seen = [await state_of(store, job_id)]
        job = await running(store, job_id)
        seen.append(await state_of(store, job_id))
        async with store.transaction() as tx:
            await store.finish(
                tx, job, [generated(1)], seconds=6.2, gpu_seconds=6.2, model_version="v1", now=NOW
            )
        seen.append(await state_of(store, job_id))
        async with store.transaction() as tx:
            await store.shown(tx, job_id)
        done = await store.job(job_id)

    assert seen == [JobState.QUEUED, JobState.RUNNING, JobState.RENDERED]
    assert done is not None
    assert (done.state, done.attempt, done.seconds, done.model_version) == (JobState.POSTED, 1, 6.2, "v1")


async def test_a_result_of_an_older_attempt_is_ignored(tmp_path: Path) -> None:
    """No picture of it is stored; that of the newer attempt is."""
    async with opened(tmp_path) as store:
        job_id = await accepted(store)
        stale = await running(store, job_id)
        fresh = await running(store, job_id)
        async with store.transaction() as tx:
            stale_kept = await store.finish(
                tx, stale, [generated(1)], seconds=1, gpu_seconds=1, model_version="", now=NOW
            )
            before = await tx.all("SELECT * FROM picture")
        async with store.transaction() as tx:
            fresh_kept = await store.finish(
                tx, fresh, [generated(1)], seconds=1, gpu_seconds=1, model_version="", now=NOW
            )
        pictures = await store.candidates(job_id)

    assert (stale_kept, before) == (False, [])
    assert (fresh_kept, len(pictures)) == (True, 1)


async def test_an_older_attempt_cannot_put_the_job_back_in_line(tmp_path: Path) -> None:
    """Only the attempt that runs may say that it did not run."""
    async with opened(tmp_path) as store:
        job_id = await accepted(store)
        stale = await running(store, job_id)
        fresh = await running(store, job_id)
        async with store.transaction() as tx:
            await store.requeue(tx, stale)
        after_stale = await state_of(store, job_id)
        async with store.transaction() as tx:
            await store.requeue(tx, fresh)

        assert after_stale is JobState.RUNNING
        assert await state_of(store, job_id) is JobState.QUEUED


async def test_a_job_that_is_over_stays_over(tmp_path: Path) -> None:
    """Cancelled, failed and posted jobs cannot be started, cancelled or failed."""
    async with opened(tmp_path) as store:
        cancelled, failed = await accepted(store), await accepted(store)
        posted = await rendered(store, [generated(1)])
        async with store.transaction() as tx:
            assert await store.cancel(tx, cancelled)
            assert await store.fail(tx, failed, "It broke.")
            await store.shown(tx, posted)
        async with store.transaction() as tx:
            for job_id in (cancelled, failed, posted):
                assert await store.start_attempt(tx, job_id, request(), NOW) is None
                assert not await store.cancel(tx, job_id)
                assert not await store.fail(tx, job_id, "Again.")

        states = [await state_of(store, job_id) for job_id in (cancelled, failed, posted)]
        assert states == [JobState.CANCELLED, JobState.FAILED, JobState.POSTED]
        assert await store.unfinished_jobs() == []


async def test_a_rendered_job_is_not_cancelled(tmp_path: Path) -> None:
    """Its pictures are there; only posting them is left, and that may still fail."""
    async with opened(tmp_path) as store:
        job_id = await rendered(store, [generated(1)])
        async with store.transaction() as tx:
            cancelled = await store.cancel(tx, job_id)
            failed = await store.fail(tx, job_id, "The place is gone.")

        assert (cancelled, failed) == (False, True)


async def test_unfinished_jobs_come_in_the_order_they_were_accepted(tmp_path: Path) -> None:
    """Queued, running and rendered ones; that is what a start takes up."""
    async with opened(tmp_path) as store:
        queued, ran = await accepted(store), await accepted(store)
        drawn, over = await rendered(store, [generated(1)]), await accepted(store)
        await running(store, ran)
        async with store.transaction() as tx:
            await store.cancel(tx, over)

        assert [job.id for job in await store.unfinished_jobs()] == [queued, ran, drawn]


async def test_waiting_jobs_are_counted_by_person_and_server(tmp_path: Path) -> None:
    """Queued and running ones, of this server alone; direct messages are a place of their own."""
    async with opened(tmp_path) as store:
        for guild_id, author_id in [(GUILD, ANNA), (GUILD, ANNA), (GUILD, BEN), (11, ANNA), (None, ANNA)]:
            job_id = await accepted(store, new_job(guild_id=guild_id, author_id=author_id))
            if author_id == BEN:
                await running(store, job_id)
        await rendered(store, [generated(1)])
        async with store.transaction() as tx:
            counts = {
                (guild_id, author_id): await store.count_waiting(tx, guild_id, author_id)
                for guild_id in (GUILD, 11, None, 12)
                for author_id in (ANNA, BEN)
            }

    assert counts == {
        (GUILD, ANNA): (2, 3),
        (GUILD, BEN): (1, 3),
        (11, ANNA): (1, 1),
        (11, BEN): (0, 1),
        (None, ANNA): (1, 1),
        (None, BEN): (0, 1),
        (12, ANNA): (0, 0),
        (12, BEN): (0, 0),
    }


async def test_notes_are_added_to_those_that_are_stored(tmp_path: Path) -> None:
    """A record that was read earlier does not wipe out what was noted since."""
    async with opened(tmp_path) as store:
        job_id = await accepted(store, new_job(notes=("first",)))
        old = await store.job(job_id)
        assert old is not None
        for note in ('se"cond', "third"):
            async with store.transaction() as tx:
                await store.add_note(tx, old, note)
        job = await store.job(job_id)

    assert job is not None
    assert job.notes == ("first", 'se"cond', "third")


async def test_the_latest_run_times_come_first(tmp_path: Path) -> None:
    """Only of jobs that ran, and no more than were asked for."""
    async with opened(tmp_path) as store:
        await accepted(store)
        for _ in range(3):
            await rendered(store, [generated(1)])

        assert await store.recent_runs(2) == [(request(), 6.2)] * 2
        assert len(await store.recent_runs(20)) == 3


async def test_jobs_are_found_by_the_place_they_are_held_in(tmp_path: Path) -> None:
    """In its thread once there is one, in the channel otherwise."""
    async with opened(tmp_path) as store:
        here, in_thread, over = await accepted(store), await accepted(store), await accepted(store)
        async with store.transaction() as tx:
            await store.set_thread(tx, 2, 77)
            await store.cancel(tx, over)

        assert [job.id for job in await store.jobs_in_place(CHANNEL)] == [here]
        assert [job.id for job in await store.jobs_in_place(77)] == [in_thread]
        assert await store.jobs_in_place(78) == []


# Scenes


async def test_a_thread_holds_exactly_one_scene(tmp_path: Path) -> None:
    """A second one is refused by the database itself; any number may be held without a thread."""
    async with opened(tmp_path) as store:
        await accepted(store)
        await accepted(store)
        async with store.transaction() as tx:
            await store.set_thread(tx, 1, 77)
        with pytest.raises(sqlite3.IntegrityError):
            async with store.transaction() as tx:
                await store.set_thread(tx, 2, 77)

        held = await store.scene_of_thread(77)
        assert held is not None
        assert (held.id, held.place_id, held.awaits_thread) == (1, 77, False)
        second = await store.scene(2)
        assert (second.place_id, second.awaits_thread) == (CHANNEL, True)
        assert await store.scene_of_thread(CHANNEL) is None


async def test_a_scene_whose_thread_could_not_be_opened_stays_in_its_channel(tmp_path: Path) -> None:
    """And does not wait for one any longer."""
    async with opened(tmp_path) as store:
        await accepted(store)
        async with store.transaction() as tx:
            await store.set_thread(tx, 1, None)
        scene = await store.scene(1)

    assert (scene.place_id, scene.awaits_thread) == (CHANNEL, False)


async def test_the_latest_scene_of_a_person_is_the_one_they_last_asked_in(tmp_path: Path) -> None:
    """Not the newest one, and not another person's."""
    async with opened(tmp_path) as store:
        await accepted(store)
        await accepted(store)
        await accepted(store, new_job(author_id=BEN))
        await accepted(store, new_job(scene=1))

        latest = await store.latest_scene_of(ANNA, CHANNEL)
        assert latest is not None
        assert latest.id == 1
        assert await store.latest_scene_of(ANNA, 999) is None


async def test_a_scene_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """A row that names it cannot exist; asking anyway is a mistake of ours."""
    async with opened(tmp_path) as store:
        with pytest.raises(LookupError, match="no scene of that id"):
            await store.scene(1)


# Pictures


async def test_pictures_are_numbered_within_their_scene(tmp_path: Path) -> None:
    """1, 2, 3 in each, uploads and candidates alike; that is what people call them."""
    async with opened(tmp_path) as store:
        first = await rendered(store, [generated(1), generated(2)], new_job(upload=uploaded()))
        await rendered(store, [generated(1)], new_job(upload=uploaded()))
        await rendered(store, [generated(1)], new_job(scene=1))
        history = {scene_id: await store.history(scene_id) for scene_id in (1, 2)}
        candidates = await store.candidates(first)

    assert [entry.picture.number for entry in history[1]] == [1, 2, 3, 4]
    assert [entry.picture.number for entry in history[2]] == [1, 2]
    assert [entry.request and entry.request.prompt for entry in history[1]] == [
        None,
        *["the surface of the moon"] * 3,
    ]
    assert [entry.kind for entry in history[1]] == [None, *[JobKind.IMAGINE] * 3]
    assert [(picture.number, picture.candidate) for picture in candidates] == [(2, 1), (3, 2)]


async def test_a_picture_is_remembered_as_it_came(tmp_path: Path) -> None:
    """File, size, parent and latents: what refining it needs."""
    new = NewPicture(
        kind=generated(1).kind,
        author_id=BEN,
        file=PictureRef("c" * 64),
        size=request().frame.content,
        parent_id=1,
        latents=PictureRef("d" * 64),
        latents_of="null",
        candidate=1,
    )
    async with opened(tmp_path) as store:
        job_id = await rendered(store, [new], new_job(upload=uploaded()))
        picture = await store.picture(2)

    assert picture is not None
    assert (picture.file, picture.size, picture.author_id) == (new.file, new.size, BEN)
    assert (picture.parent_id, picture.latents, picture.latents_of) == (1, new.latents, "null")
    assert (picture.job_id, picture.candidate, picture.created_at) == (job_id, 1, NOW)


async def current(store: Store, person_id: int, scene_id: int = 1) -> int | None:
    picture = await store.current_picture(scene_id, person_id)
    return picture.number if picture else None


async def test_the_current_picture_is_the_scenes_latest(tmp_path: Path) -> None:
    """For everybody who has picked nothing, uploads included; an empty Scene has none."""
    async with opened(tmp_path) as store:
        await accepted(store)
        in_an_empty_scene = await current(store, ANNA)
        await accepted(store, new_job(scene=1, upload=uploaded()))
        after_an_upload = await current(store, ANNA)
        await rendered(store, [generated(1), generated(2)], new_job(scene=1))

        assert in_an_empty_scene is None
        assert after_an_upload == 1
        assert (await current(store, ANNA), await current(store, BEN)) == (3, 3)


async def test_a_pick_is_one_persons_in_one_scene(tmp_path: Path) -> None:
    """It stays when newer pictures come, can be changed, and moves nobody else's."""
    async with opened(tmp_path) as store:
        job_id = await rendered(store, [generated(1), generated(2)])
        await rendered(store, [generated(1), generated(2)])
        picks = []
        for picked in (1, 2):
            async with store.transaction() as tx:
                await store.pick(tx, (await store.candidates(job_id))[picked - 1], ANNA)
            picks.append(await store.picks_among(job_id))
        await rendered(store, [generated(1), generated(2)], new_job(scene=1, author_id=BEN))

        assert picks == [{ANNA: 1}, {ANNA: 2}]
        assert (await current(store, ANNA), await current(store, BEN)) == (2, 4)
        assert await current(store, ANNA, scene_id=2) == 2


async def test_a_single_candidate_picks_itself(tmp_path: Path) -> None:
    """It becomes current for the person who asked, and stays so when newer pictures come; of two neither does."""
    async with opened(tmp_path) as store:
        await rendered(store, [generated(1)], new_job(author_id=BEN))
        await rendered(store, [generated(1), generated(2)], new_job(scene=1))

        assert (await current(store, BEN), await current(store, ANNA)) == (1, 3)


async def test_a_pick_stays_when_another_picture_becomes_current(tmp_path: Path) -> None:
    """What one chose on a card is one thing, where one is in the Scene another."""
    async with opened(tmp_path) as store:
        job_id = await rendered(store, [generated(1), generated(2)])
        async with store.transaction() as tx:
            await store.pick(tx, (await store.candidates(job_id))[1], ANNA)
            await store.set_current(tx, 1, ANNA, 1)

        assert await store.picks_among(job_id) == {ANNA: 2}
        assert await current(store, ANNA) == 1


# Posts, memos, limits


def post(nonce: str, job_id: int, message_id: int | None = None) -> Post:
    return Post(
        nonce=nonce,
        job_id=job_id,
        picture_id=None,
        channel_id=CHANNEL,
        message_id=message_id,
        created_at=NOW,
    )


async def test_a_post_is_intended_before_it_is_sent(tmp_path: Path) -> None:
    """First without a message, then with it; the newest one is the job's card."""
    async with opened(tmp_path) as store:
        job_id = await accepted(store)
        async with store.transaction() as tx:
            await store.intend_post(tx, post("1:card:0", job_id))
        intended = await store.latest_post_of_job(job_id)
        async with store.transaction() as tx:
            await store.posted_as(tx, "1:card:0", 500)
            await store.intend_post(tx, post("1:card:1", job_id))
            count = await store.count_posts(tx, job_id, None)

        assert intended == post("1:card:0", job_id)
        assert await store.post_of_message(500) == post("1:card:0", job_id, 500)
        assert await store.latest_post_of_job(job_id) == post("1:card:1", job_id)
        assert count == 2
        assert await store.post_of_message(501) is None


async def test_a_nonce_is_used_once(tmp_path: Path) -> None:
    """Discord would silently hand back the earlier message."""
    async with opened(tmp_path) as store:
        job_id = await accepted(store)

        async def intend_twice() -> None:
            async with store.transaction() as tx:
                await store.intend_post(tx, post("1:card:0", job_id))
                await store.intend_post(tx, post("1:card:0", job_id))

        with pytest.raises(sqlite3.IntegrityError):
            await intend_twice()

        assert await store.latest_post_of_job(job_id) is None


async def test_a_deleted_message_is_remembered_as_gone(tmp_path: Path) -> None:
    """The row stays, for its nonce is used up; the job stays too."""
    async with opened(tmp_path) as store:
        job_id = await accepted(store)
        async with store.transaction() as tx:
            await store.intend_post(tx, post("1:card:0", job_id, 500))
        await store.forget_message(500)

        left = await store.latest_post_of_job(job_id)
        assert left is not None
        assert left.gone
        assert await state_of(store, job_id) is JobState.QUEUED


async def test_small_things_are_remembered(tmp_path: Path) -> None:
    """By name; the latest value holds, and what was never said is None."""
    async with opened(tmp_path) as store:
        await store.remember("commands", "a")
        await store.remember("commands", "b")

        assert await store.remembered("commands") == "b"
        assert await store.remembered("something else") is None


async def test_rules_are_kept_per_server_and_scope(tmp_path: Path) -> None:
    """Changing and resetting those of one server, or of one role, leaves all others alone."""
    async with opened(tmp_path) as store:

        async def set_steps(tx: Transaction, guild_id: int, scope: Scope, scope_id: int, value: int) -> None:
            rule = SetRule(scope=scope, scope_id=scope_id, name="most_steps", value=value)
            await store.rules.set(tx, guild_id, rule, by=ANNA, now=NOW)

        async with store.transaction() as tx:
            await set_steps(tx, 10, Scope.SERVER, 10, 5)
            await set_steps(tx, 10, Scope.SERVER, 10, 6)
            await set_steps(tx, 10, Scope.ROLE, 77, 8)
            await set_steps(tx, 11, Scope.SERVER, 11, 7)
        before = [rule.value for rule in await store.rules.of(10)]
        async with store.transaction() as tx:
            gone = await store.rules.reset(tx, 10, Scope.SERVER, 10, "most_steps")
            none = await store.rules.reset(tx, 10, Scope.ROLE, 78)

        assert sorted(before) == [6, 8]
        assert (gone, none) == (1, 0)
        assert [rule.value for rule in await store.rules.of(10)] == [8]
        assert [rule.value for rule in await store.rules.of(11)] == [7]


async def test_deleting_a_scene_deletes_all_that_hangs_on_it(tmp_path: Path) -> None:
    """Pictures, jobs, picks and posts of that Scene go, those of another stay."""
    async with opened(tmp_path) as store:
        gone = await rendered(store, [generated(1)], new_job(upload=uploaded()))
        kept = await rendered(store, [generated(1)], new_job(upload=uploaded()))
        async with store.transaction() as tx:
            for job_id in (gone, kept):
                await store.intend_post(tx, post(f"{job_id}:card:0", job_id))
            await tx.run("DELETE FROM scene WHERE id = 1")
            picks = await tx.all("SELECT scene_id FROM current_picture")

        assert [job.id for job in await store.unfinished_jobs()] == [kept]
        assert (len(await store.history(1)), len(await store.history(2))) == (0, 2)
        assert await store.latest_post_of_job(gone) is None
        assert await store.latest_post_of_job(kept) is not None
        assert [pick["scene_id"] for pick in picks] == [2]


async def test_a_row_that_names_what_is_not_there_is_refused(tmp_path: Path) -> None:
    """Foreign keys are enforced on the bot's own connection."""
    async with opened(tmp_path) as store:
        with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
            async with store.transaction() as tx:
                await store.set_current(tx, 1, ANNA, 1)


# Deletion


async def test_doomed_bytes_go_with_the_last_picture_that_holds_them(tmp_path: Path) -> None:
    """Two pictures of one file: the first tombstone leaves it, the second takes it along."""
    async with opened(tmp_path) as store:
        file = await store.files.put(b"a moon")
        new = msgspec.structs.replace(generated(1), file=file)
        ones, others = await rendered(store, [new]), await rendered(store, [new])
        left = []
        for job_id in (ones, others):
            (picture,) = await store.candidates(job_id)
            async with store.transaction() as tx:
                await store.entomb(tx, picture.id, NOW)
            await store.erase_doomed()
            left.append([path.name for path in tmp_path.rglob(file)])

    assert left == [[file], []]


async def test_bytes_that_a_picture_is_about_to_hold_are_not_removed(tmp_path: Path) -> None:
    """Somebody sends the same picture again just while it is deleted: it stays for them, and goes with theirs."""
    async with opened(tmp_path) as store:
        file = await store.files.put(b"a moon")
        new = msgspec.structs.replace(generated(1), file=file)
        (old,) = await store.candidates(await rendered(store, [new]))
        await store.files.put(b"a moon")  # the row is still to come
        async with store.transaction() as tx:
            await store.entomb(tx, old.id, NOW)
        await store.erase_doomed()
        meanwhile = await store.files.get(file)
        (again,) = await store.candidates(await rendered(store, [new]))
        await store.erase_doomed()
        held = await store.files.get(file)
        async with store.transaction() as tx:
            await store.entomb(tx, again.id, NOW)
        await store.erase_doomed()

    assert (meanwhile, held) == (b"a moon", b"a moon")
    assert list(tmp_path.rglob(file)) == []


@pytest.mark.parametrize(
    "before, after",
    [
        (JobState.QUEUED, JobState.CANCELLED),
        (JobState.RUNNING, JobState.CANCELLED),
        (JobState.RENDERED, JobState.POSTED),
    ],
)
async def test_a_deleted_job_is_over_and_its_words_are_gone(
    tmp_path: Path, before: JobState, after: JobState
) -> None:
    """No start takes it up again, a result that comes late is not kept, and a second deletion changes nothing."""
    async with opened(tmp_path) as store:
        job_id = await accepted(store)
        job: Any = await running(store, job_id) if before is not JobState.QUEUED else None
        if before is JobState.RENDERED:
            async with store.transaction() as tx:
                await store.finish(tx, job, [], seconds=1, gpu_seconds=1, model_version="", now=NOW)
        async with store.transaction() as tx:
            deleted = [await store.delete_job(tx, job_id, NOW) for _ in range(2)]
            late = job is not None and await store.finish(
                tx, job, [generated(1)], seconds=1, gpu_seconds=1, model_version="", now=NOW
            )
        left = await store.job(job_id)
        taken_up = await store.jobs_to_take_up()

    assert deleted == [True, False]
    assert not late
    assert left is not None
    assert (left.state, left.deleted, left.request.prompt) == (after, True, "")
    assert taken_up == []


async def test_an_old_database_learns_to_delete(tmp_path: Path) -> None:
    """What the first schema holds is still there after the second; nothing of it counts as deleted."""
    script = (Path(bot.store.__file__).parent / "migrations" / "0001_scenes_pictures_jobs.sql").read_text()
    connection = sqlite3.connect(tmp_path / DATABASE)
    connection.executescript(script)
    connection.execute("INSERT INTO scene VALUES (1, 1, 2, NULL, 0, 'the moon', 3, 0.0)")
    connection.execute(
        "INSERT INTO picture VALUES (1, 1, 1, NULL, 'uploaded', 3, ?, 64, 64, NULL, NULL, NULL, NULL, 0.0)",
        ("b" * 64,),
    )
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()
    async with opened(tmp_path) as store:
        (shown,) = await store.history(1)

    assert tables_in(tmp_path / DATABASE) == TABLES
    assert not shown.picture.deleted


async def test_an_old_database_keeps_what_refers_to_its_pictures(tmp_path: Path) -> None:
    """The table of pictures is made anew: parents, picks, posts and current pictures are as they were."""
    migrations = sorted((Path(bot.store.__file__).parent / "migrations").glob("*.sql"))
    connection = sqlite3.connect(tmp_path / DATABASE)
    for script in migrations[:2]:
        connection.executescript(script.read_text())
    connection.executescript(
        "INSERT INTO scene VALUES (1, 1, 2, NULL, 0, 'the moon', 3, 0.0);"
        f"INSERT INTO picture VALUES (1, 1, 1, NULL, 'uploaded', 3, '{'b' * 64}', 64, 64, {'NULL, ' * 4} 0.0, NULL);"
        f"INSERT INTO picture VALUES (2, 1, 2, 1, 'uploaded', 3, '{'c' * 64}', 64, 64, {'NULL, ' * 4} 0.0, NULL);"
        "INSERT INTO current_picture VALUES (1, 3, 1);"
        "INSERT INTO post VALUES ('p2:show:0', NULL, 2, 2, 77, 0, 0.0);"
        "PRAGMA user_version = 2;"
    )
    connection.close()
    async with opened(tmp_path) as store:
        pictures = [shown.picture for shown in await store.history(1)]
        current = await store.current_picture(1, 3)
        post = await store.post_of_message(77)
        async with store.transaction() as tx:
            broken = await tx.all("PRAGMA foreign_key_check")
            with pytest.raises(sqlite3.IntegrityError):
                await tx.run("UPDATE picture SET parent_id = 99 WHERE id = 2")

    assert [(picture.number, picture.parent_id, picture.piece) for picture in pictures] == [
        (1, None, None),
        (2, 1, None),
    ]
    assert current == pictures[0]
    assert post is not None
    assert (post.picture_id, post.draft_id) == (2, None)
    assert broken == []
