"""Jobs that wait for a moderator because of their words: who is told, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable

import discord
import structlog

from bot import texts
from bot.audit import Audit
from bot.components.holding import Held, one_held_view
from bot.delivery import NOBODY, REFUSALS
from bot.errors import Gone
from bot.jobs import Jobs
from bot.screening import Screening
from bot.store import AuditEntry, Job, JobState, Store
from bot.words import WordsRefused

log = structlog.get_logger(__name__)


class Holding:
    """by: the moderator who decides."""

    def __init__(
        self,
        client: discord.Client,
        store: Store,
        jobs: Jobs,
        screening: Screening,
        audit: Audit,
        *,
        now: Callable[[], float],
    ) -> None:
        self._client = client
        self._store = store
        self._jobs = jobs
        self._screening = screening
        self._audit = audit
        self._now = now

    async def announce(self, job: Job) -> None:
        """Its card is posted: tell the moderators, where they have a channel for that. Else the card asks them."""
        # Not published: the message with the buttons is what the log channel gets.
        async with self._store.transaction() as tx:
            await self._audit.note(tx, self._entry(job, None, texts.DID_HOLD))
        channel_id = (await self._store.servers.of(job.guild_id)).log_channel_id
        if channel_id is None:
            return
        channel = self._client.get_partial_messageable(channel_id, guild_id=job.guild_id)
        try:
            await channel.send(
                view=one_held_view(await self._line(job)), allowed_mentions=NOBODY, nonce=f"{job.id}:held:0"
            )
        except REFUSALS as error:
            log.warning("moderators could not be told", server=job.guild_id, job=job.id, why=str(error))

    async def let_through(self, guild_id: int, job_id: int, *, by: int) -> Job:
        """Into the line with it. Raises Gone for one of another server, and one that is held no more."""
        job = await self._held(guild_id, job_id)
        if not await self._jobs.release(job.id):
            raise Gone(texts.NOT_HELD_ANY_MORE)
        async with self._audit.change(self._entry(job, by, texts.DID_LET_THROUGH)):
            pass
        return job

    async def refuse(self, guild_id: int, job_id: int, *, by: int) -> Job:
        """Its card says so. Raises as `let_through`."""
        job = await self._held(guild_id, job_id)
        if not await self._jobs.refuse(job.id, texts.not_let_through(job.held_for or "")):
            raise Gone(texts.NOT_HELD_ANY_MORE)
        async with self._audit.change(self._entry(job, by, texts.DID_NOT_LET_THROUGH)):
            pass
        return job

    async def held_in(self, guild_id: int) -> list[Held]:
        """What waits there, the first first."""
        return [await self._line(job) for job in await self._all_held(guild_id)]

    async def look_again(self, guild_id: int) -> tuple[int, int]:
        """The server's words have changed. Returns how many held jobs went into the line, and how many ended."""
        released = ended = 0
        for job in await self._all_held(guild_id):
            try:
                if await self._screening.look_at(job) is None:
                    released += await self._jobs.release(job.id)
            except WordsRefused as refused:
                ended += await self._jobs.refuse(job.id, texts.no_longer_allowed(str(refused)))
        return released, ended

    async def _all_held(self, guild_id: int) -> list[Job]:
        return [job for job in await self._store.unfinished_jobs() if _is_held(job, guild_id)]

    async def _held(self, guild_id: int, job_id: int) -> Job:
        job = await self._store.job(job_id)
        if job is None or not _is_held(job, guild_id):
            raise Gone(texts.NOT_HELD_ANY_MORE)
        return job

    async def _line(self, job: Job) -> Held:
        post = await self._store.latest_post_of_job(job.id)
        if post is not None and post.message_id is not None and not post.gone:
            where = texts.message_link(job.guild_id, post.channel_id, post.message_id)
        else:
            where = texts.job_numbered(job.id)
        return Held(job.id, texts.waits_for_you(job.author_id, where, job.held_for or ""))

    def _entry(self, job: Job, by: int | None, action: str) -> AuditEntry:
        return AuditEntry(
            guild_id=job.guild_id,
            at=self._now(),
            actor_id=by,
            action=action,
            subject=texts.job_of(job.id, job.author_id),
            reason=job.held_for or "",
        )


def _is_held(job: Job, guild_id: int) -> bool:
    return job.guild_id == guild_id and job.state is JobState.QUEUED and job.held_for is not None
