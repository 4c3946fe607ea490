"""What moderators do about people: keep somebody from using the bot in their server, or warn them. Logged with why."""

from __future__ import annotations

from collections.abc import Callable

from bot import texts
from bot.audit import Audit
from bot.errors import NotAllowed
from bot.jobs import Jobs
from bot.store import AuditEntry, Block, Job, Store


class Moderating:
    def __init__(self, store: Store, jobs: Jobs, audit: Audit, *, now: Callable[[], float]) -> None:
        self._store = store
        self._jobs = jobs
        self._audit = audit
        self._now = now

    async def block(
        self, guild_id: int, person_id: int, *, by: int, seconds: float | None, reason: str
    ) -> tuple[Block, int]:
        """Returns how many of their jobs there that ended. seconds: None for good. Raises NotAllowed if they are."""
        now = self._now()
        until = None if seconds is None else now + seconds
        block = Block(
            guild_id=guild_id, person_id=person_id, reason=reason, until=until, set_by=by, set_at=now
        )
        entry = AuditEntry(
            guild_id=guild_id,
            at=now,
            actor_id=by,
            action=texts.DID_BLOCK,
            subject=texts.mention(person_id),
            after=texts.until(until),
            reason=reason,
        )
        async with self._audit.change(entry) as tx:
            standing = await self._store.blocks.of(guild_id, person_id, now)
            if standing is not None:
                raise NotAllowed(texts.is_blocked_already(person_id, standing.until))
            await self._store.blocks.add(tx, block)
        return block, await self._end_jobs(block)

    async def unblock(self, guild_id: int, person_id: int, *, by: int, reason: str) -> None:
        """Raises NotAllowed if they are not blocked, or no longer."""
        now = self._now()
        standing = await self._store.blocks.of(guild_id, person_id, now)
        if standing is None:
            raise NotAllowed(texts.is_not_blocked(person_id))
        entry = AuditEntry(
            guild_id=guild_id,
            at=now,
            actor_id=by,
            action=texts.DID_UNBLOCK,
            subject=texts.mention(person_id),
            before=texts.until(standing.until),
            reason=reason,
        )
        async with self._audit.change(entry) as tx:
            await self._store.blocks.remove(tx, guild_id, person_id)

    async def warn(self, guild_id: int, person_id: int, *, by: int, reason: str) -> None:
        """Only the entry: the person is told by whoever can write to them."""
        entry = AuditEntry(
            guild_id=guild_id,
            at=self._now(),
            actor_id=by,
            action=texts.DID_WARN,
            subject=texts.mention(person_id),
            reason=reason,
        )
        async with self._audit.change(entry):
            pass

    async def warnings(self, guild_id: int, person_id: int, most: int) -> list[AuditEntry]:
        """Newest first."""
        return await self._store.audits.latest(
            guild_id, most, subject=texts.mention(person_id), action=texts.DID_WARN
        )

    async def cancel(self, job_id: int, person_id: int, *, moderates: bool) -> None:
        """As `Jobs.cancel`, and logged where only a moderator may. Raises Refusal."""
        await self._jobs.cancel(job_id, person_id, moderates=moderates)
        job = await self._store.job(job_id)
        if job is None or not await _is_anothers(self._store, job, person_id):
            return
        entry = AuditEntry(
            guild_id=job.guild_id,
            at=self._now(),
            actor_id=person_id,
            action=texts.DID_CANCEL,
            subject=texts.job_of(job.id, job.author_id),
        )
        async with self._audit.change(entry):
            pass

    async def jobs_of(self, guild_id: int, person_id: int) -> list[Job]:
        """Theirs in that server that wait or run."""
        return [job for job in await self.jobs_in(guild_id) if job.author_id == person_id]

    async def jobs_in(self, guild_id: int) -> list[Job]:
        unfinished = await self._store.unfinished_jobs()
        return [job for job in unfinished if job.guild_id == guild_id and job.state.waits_or_runs]

    async def _end_jobs(self, block: Block) -> int:
        sentence = texts.ended_by_block(block.person_id, block.until, block.reason)
        theirs = await self.jobs_of(block.guild_id, block.person_id)
        return sum([await self._jobs.refuse(job.id, sentence) for job in theirs])


async def _is_anothers(store: Store, job: Job, person_id: int) -> bool:
    """Neither theirs nor in their Scene: then they may by virtue of moderating."""
    return person_id not in (job.author_id, (await store.scene(job.scene_id)).owner_id)
