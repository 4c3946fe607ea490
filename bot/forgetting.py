"""/forget-me: everything that is a person's own goes, and nothing of it can be had back.

First the rows, in one transaction; then the bytes, and what SQLite leaves of deleted rows in its files; both take
seconds. What Discord still shows follows message by message, as fast as Discord lets us: what is left of it is stored,
so that the next start goes on where a crash has ended it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import chain, repeat
from typing import NamedTuple

import discord
import structlog

from bot import texts
from bot.delivery import NOBODY, REFUSALS, Throttles
from bot.jobs import Jobs
from bot.store import Belongings, Forgotten, Store
from bot.tasks import Tasks
from bot.traces import Outcome, Traces
from inference import Park

log = structlog.get_logger(__name__)

PROGRESS_SECONDS = 5.0
"""Between two edits of the message that tells how far it is."""

_RETRIES = (10.0, 60.0, 300.0)


class Progress(NamedTuple):
    """Messages of ours: how many are deleted, how many Discord would not delete, and how many there were."""

    deleted: int
    refused: int
    messages: int
    done: bool


class Forgetting:
    def __init__(
        self,
        client: discord.Client,
        store: Store,
        jobs: Jobs,
        tasks: Tasks,
        *,
        throttles: Throttles,
        park: Park,
        now: Callable[[], float],
    ) -> None:
        self._client = client
        self._store = store
        self._jobs = jobs
        self._tasks = tasks
        self._traces = Traces(client, store, jobs, throttles=throttles)
        self._park = park
        self._now = now
        self._one_at_a_time = asyncio.Lock()
        self._tidying: set[int] = set()

    async def belongings(self, person_id: int) -> Belongings | None:
        """What would go; None if nothing is kept of them."""
        if not await self._store.forgettings.knows(person_id, self._now()):
            return None
        return await self._store.forgettings.belongings(person_id)

    async def progress(self, person_id: int) -> Progress | None:
        """Of a forgetting that was asked for today, or is not done; None where there is none."""
        forgotten = await self._store.forgettings.get(person_id)
        if forgotten is None:
            return None
        left = await self._store.forgettings.messages_left(person_id)
        deleted = forgotten.messages - forgotten.refused - left
        return Progress(deleted, forgotten.refused, forgotten.messages, forgotten.done_at is not None)

    async def forget(self, person_id: int) -> Progress:
        """Rows and bytes are gone when it returns; messages follow. Doing it twice does no harm."""
        async with self._one_at_a_time:
            await self._stop_jobs(person_id)
            async with self._store.transaction() as tx:
                late = await self._store.forgettings.unfinished_jobs_of(person_id)
                await self._store.forgettings.erase(
                    tx,
                    person_id,
                    self._now(),
                    nobody=texts.FORGOTTEN_PERSON,
                    title=texts.FORGOTTEN_SCENE,
                )
            log.info("a person is forgotten")  # and not who
            for job_id in late:
                await self._jobs.deleted(job_id)
            try:
                await self._wipe()
            finally:
                self._begin(person_id)
        progress = await self.progress(person_id)
        assert progress is not None  # asked for just now
        return progress

    async def recover(self) -> None:
        """Go on with whatever was not done when the last process ended."""
        people = await self._store.forgettings.under_way()
        if people:
            await self._wipe()
        for person_id in people:
            self._begin(person_id)

    async def _stop_jobs(self, person_id: int) -> None:
        """Theirs, without a card that says so; and others' that wait with their words."""
        for job_id in await self._store.forgettings.others_in_their_words(person_id):
            await self._jobs.refuse(job_id, texts.WORDS_WERE_FORGOTTEN)
        unfinished = await self._store.forgettings.unfinished_jobs_of(person_id)
        async with self._store.transaction() as tx:
            for job_id in unfinished:
                await self._store.delete_job(tx, job_id, self._now())
        for job_id in unfinished:
            await self._jobs.deleted(job_id)

    async def _wipe(self) -> None:
        await self._store.scrub()
        await self._store.erase_doomed()

    # What Discord still shows

    def _begin(self, person_id: int) -> None:
        if person_id not in self._tidying:
            self._tidying.add(person_id)
            self._tasks.spawn(self._tidy(person_id), name="messages of a person who is forgotten")

    async def _tidy(self, person_id: int) -> None:
        try:
            while not await self._take_away_all(person_id):
                pass  # they asked once more meanwhile
        finally:
            self._tidying.discard(person_id)
        await self._show(person_id)

    async def _take_away_all(self, person_id: int) -> bool:
        store, shown_at = self._store.forgettings, -PROGRESS_SECONDS
        waits = _waits()
        while (trace := await store.next_trace(person_id)) is not None:
            if self._now() - shown_at >= PROGRESS_SECONDS:
                await self._show(person_id)
                shown_at = self._now()
            outcome = await self._traces.take_away(trace)
            if outcome is Outcome.LATER:
                await self._park(asyncio.sleep(next(waits)), "Discord to come back")
                continue
            waits = _waits()
            async with self._store.transaction() as tx:
                await store.settle(tx, trace, refused=outcome is Outcome.REFUSED)
        async with self._store.transaction() as tx:
            return await store.done(tx, person_id, self._now())

    async def _show(self, person_id: int) -> None:
        """Tell them how far it is, in direct messages; who takes none can ask with /forget-me."""
        progress = await self.progress(person_id)
        forgotten = await self._store.forgettings.get(person_id)
        if progress is None or forgotten is None or not progress.messages:
            return
        try:
            await self._tell(forgotten, texts.forgetting_progress(*progress))
        except REFUSALS as error:
            log.info("nobody could be told how far a forgetting is", why=str(error))

    async def _tell(self, forgotten: Forgotten, sentence: str) -> None:
        if forgotten.channel_id is not None and forgotten.message_id is not None:
            there = self._client.get_partial_messageable(forgotten.channel_id)
            shown = there.get_partial_message(forgotten.message_id)
            await shown.edit(content=sentence, allowed_mentions=NOBODY)
            return
        place = await self._client.create_dm(discord.Object(forgotten.person_id))
        message = await place.send(sentence, nonce=f"f{forgotten.person_id}", silent=True)
        async with self._store.transaction() as tx:
            await self._store.forgettings.show_at(tx, forgotten.person_id, place.id, message.id)


def _waits() -> chain[float]:
    return chain(_RETRIES, repeat(_RETRIES[-1]))
