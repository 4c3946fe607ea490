"""What moderators do to their own server's line: pause it, end jobs in it, move one to its front. Logged with why."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from bot import texts
from bot.audit import Audit
from bot.errors import Gone, LimitReached, NotAllowed
from bot.jobs import Jobs
from bot.moderating import Moderating
from bot.store import AuditEntry, Job, JobState, Store


class LineAdmin:
    """by: who does it. reason: what the people concerned read on their cards."""

    def __init__(
        self, store: Store, jobs: Jobs, audit: Audit, moderating: Moderating, *, now: Callable[[], float]
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._audit = audit
        self._moderating = moderating
        self._now = now

    async def pause(self, guild_id: int, *, by: int, reason: str) -> int:
        """Returns how many jobs wait there now. Raises NotAllowed if it is paused already."""
        async with self._audit.change(self._entry(guild_id, by, texts.DID_PAUSE, reason)) as tx:
            paused_for = (await self._store.servers.of(guild_id)).paused_for
            if paused_for is not None:
                raise NotAllowed(texts.was_paused_already(paused_for))
            await self._store.servers.set(tx, guild_id, paused_for=reason)
        self._jobs.line.pause(guild_id, reason)
        return len(await self._waiting(guild_id))

    async def resume(self, guild_id: int, *, by: int) -> None:
        """Raises NotAllowed if it is not paused."""
        async with self._audit.change(self._entry(guild_id, by, texts.DID_RESUME)) as tx:
            if (await self._store.servers.of(guild_id)).paused_for is None:
                raise NotAllowed(texts.NOT_PAUSED)
            await self._store.servers.set(tx, guild_id, paused_for=None)
        self._jobs.line.resume(guild_id)

    async def drop(self, guild_id: int, job_id: int, *, by: int, reason: str) -> Job:
        """End a job that waits or runs. Raises Gone for one of another server, and for one that is over."""
        job = await self.job(guild_id, job_id)
        if not await self._jobs.refuse(job.id, texts.dropped_for(reason)):
            raise Gone(texts.NO_SUCH_JOB_HERE)
        entry = self._entry(guild_id, by, texts.DID_DROP, reason, texts.job_of(job.id, job.author_id))
        async with self._audit.change(entry):
            pass
        return job

    async def move(self, guild_id: int, job_id: int, *, by: int, reason: str) -> Job:
        """To the front of its server's line. Raises as `drop`, and LimitReached for one that is not in the line."""
        job = await self.job(guild_id, job_id)
        subject = texts.job_of(job.id, job.author_id)
        turn = self._jobs.line.turn(job.id)
        entry = self._entry(guild_id, by, texts.DID_MOVE, reason, subject)
        entry = msgspec.structs.replace(
            entry, before=texts.ordinal(turn.place) if turn else "", after=texts.ordinal(1)
        )
        async with self._audit.change(entry) as tx:
            if turn is None or not await self._store.move(tx, job.id, reason):
                raise LimitReached(texts.CANNOT_MOVE)
        self._jobs.line.first(job.id)
        return job

    async def clear(self, guild_id: int, person_id: int | None, *, by: int, reason: str) -> int:
        """End what waits there, of one person or of all; returns how many. Raises LimitReached if there is nothing."""
        waiting = await self._waiting(guild_id)
        chosen = [job for job in waiting if person_id in (None, job.author_id)]
        ended = [job for job in chosen if await self._jobs.refuse(job.id, texts.dropped_for(reason))]
        if not ended:
            nobody = texts.NOBODY_WAITS if person_id is None else texts.nobody_of_theirs_waits(person_id)
            raise LimitReached(nobody)
        subject = "" if person_id is None else texts.mention(person_id)
        entry = self._entry(guild_id, by, texts.DID_CLEAR, reason, subject)
        async with self._audit.change(msgspec.structs.replace(entry, before=texts.jobs_in_line(len(ended)))):
            pass
        return len(ended)

    async def job(self, guild_id: int, job_id: int) -> Job:
        """One of that server that waits or runs. Raises Gone."""
        job = await self._store.job(job_id)
        if job is None or job.guild_id != guild_id or not job.state.waits_or_runs:
            raise Gone(texts.NO_SUCH_JOB_HERE)
        return job

    async def _waiting(self, guild_id: int) -> Sequence[Job]:
        """In the line, or held for a moderator."""
        return [job for job in await self._moderating.jobs_in(guild_id) if job.state is JobState.QUEUED]

    def _entry(self, guild_id: int, by: int, action: str, reason: str = "", subject: str = "") -> AuditEntry:
        return AuditEntry(
            guild_id=guild_id, at=self._now(), actor_id=by, action=action, subject=subject, reason=reason
        )
