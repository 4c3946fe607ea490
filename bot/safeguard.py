"""What becomes of pictures that the engine's safety check takes for unsafe.

The engine looks (`docs/safety.md`); here stands how strictly it does for a job, and what happens then: a picture that
is kept back is neither stored nor posted nor charged, moderators read in their log that there was one, and never
whose words it came of.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import structlog

from bot import texts
from bot.audit import Audit
from bot.rules import Rules
from bot.store import AuditEntry, Job, JobState, Standing, Store, Transaction
from inference import Engine, SampleDone, Strictness, Unsafe

log = structlog.get_logger(__name__)


class Safeguard:
    def __init__(
        self, store: Store, engine: Engine, rules: Rules, audit: Audit, *, now: Callable[[], float]
    ) -> None:
        self._store = store
        self._engine = engine
        self._rules = rules
        self._audit = audit
        self._now = now

    async def strictness(self, guild_id: int | None, standing: Standing) -> Strictness:
        """How strict it is with somebody in a place, as the rules are now; OFF where the host has no check."""
        if not self._engine.checks:
            return Strictness.OFF
        return Strictness((await self._rules.limits(guild_id, standing)).safety)

    async def hides_start(self, job: Job) -> bool:
        """What was sent along is not shown before it was looked at, and that is known once the job is done."""
        if job.upload_id is None or job.state in (JobState.RENDERED, JobState.POSTED):
            return False
        return await self.strictness(job.guild_id, job.standing) is not Strictness.OFF

    async def refuse(self, job: Job, why: Unsafe) -> None:
        """The job ends because of the picture that it was to start from; one that was sent along is not kept."""
        entry = self._entry(job, texts.DID_REFUSE_PICTURE, [why.category])
        async with self._audit.change(entry) as tx:
            await self._store.fail(tx, job.id, texts.start_is_unsafe(sent_along=job.upload_id is not None))
            if job.upload_id is not None:
                await self._store.entomb(tx, job.upload_id, self._now())
        log.info("an unsafe picture was refused", job=job.id, category=why.category)
        await self._store.erase_doomed()

    async def keep_all_back(self, job: Job, blocked: Mapping[int, str]) -> None:
        """The job ends without a picture. blocked: what was found, by sample."""
        async with self._audit.change(self._kept_back(job, blocked.values())) as tx:
            await self._store.fail(tx, job.id, texts.all_kept_back(len(blocked)))
        log.info("every picture was kept back", job=job.id, categories=sorted(set(blocked.values())))

    async def note(
        self, tx: Transaction, job: Job, results: Sequence[SampleDone], blocked: Mapping[int, str]
    ) -> None:
        """Remember with the results what was found: on the card, in the log, and of the picture they began from."""
        if blocked:
            await self._store.add_note(tx, job, texts.kept_back(len(blocked), len(job.request.seeds)))
            await self._audit.note(tx, self._kept_back(job, blocked.values()))
        if job.upload_id is not None and results and all(result.unsafe for result in results):
            # Every result of an unsafe picture is said to be unsafe; where all are, the picture may well be.
            await self._store.mark_unsafe(tx, job.upload_id, results[0].unsafe)

    async def publish(self, job: Job, blocked: Mapping[int, str]) -> None:
        """Once the transaction of `note` is through."""
        if blocked:
            log.info("pictures were kept back", job=job.id, categories=sorted(set(blocked.values())))
            await self._audit.publish(self._kept_back(job, blocked.values()))

    def _kept_back(self, job: Job, found: Collection[str]) -> AuditEntry:
        return self._entry(job, texts.DID_KEEP_BACK, found)

    def _entry(self, job: Job, action: str, found: Collection[str]) -> AuditEntry:
        """found: one for each picture."""
        return AuditEntry(
            guild_id=job.guild_id,
            at=self._now(),
            actor_id=None,
            action=action,
            subject=texts.mention(job.author_id),
            after=texts.found_unsafe(found),
            reason=texts.in_job(job.id),
        )
