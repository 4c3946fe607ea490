"""What becomes of pictures that the engine's safety check takes for unsafe.

The engine looks (`docs/safety.md`); here stands how strictly it does for a job, and what happens then: a picture that
is kept back is neither stored nor posted nor charged, moderators read in their log that there was one, and never
whose words it came of.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec
import structlog

from bot import texts
from bot.asker import Asker
from bot.audit import Audit
from bot.errors import NotAllowed
from bot.rules import Rules
from bot.store import (
    AuditEntry,
    Job,
    JobState,
    NewJob,
    Picture,
    PictureKind,
    Standing,
    Store,
    Transaction,
)
from inference import Engine, SampleDone, Strictness, Unsafe

log = structlog.get_logger(__name__)

NOT_LOOKED_AT = "not looked at"
"""In place of the check's own word."""


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
        return (await self._rules.limits(guild_id, standing)).safety

    async def check_shown(self, asker: Asker, picture: Picture) -> None:
        """It is to be shown to everybody where somebody asks; it may be of another place. Raises NotAllowed."""
        if picture.unsafe and await self.strictness(asker.guild_id, asker.standing) is Strictness.BLOCK:
            raise NotAllowed(texts.MAY_NOT_BE_SHOWN)

    async def unseen(self, new: NewJob) -> NewJob:
        """What is sent along counts as unsafe until it was looked at, however the job ends before that."""
        strict = await self.strictness(new.guild_id, new.standing) is not Strictness.OFF
        if new.upload is None or not strict:
            return new
        return msgspec.structs.replace(new, upload=msgspec.structs.replace(new.upload, unsafe=NOT_LOOKED_AT))

    async def hides_start(self, job: Job) -> bool:
        """What somebody sent is not shown before it was looked at, and that is certain once the job is drawn."""
        if job.state in (JobState.RENDERED, JobState.POSTED):
            return False
        return await self.strictness(job.guild_id, job.standing) is not Strictness.OFF

    async def refuse(self, job: Job, why: Unsafe) -> None:
        """The job ends because of the picture that it was to start from; one that somebody sent is not kept."""
        sent = await self._sent(job)
        entry = self._entry(job, texts.DID_REFUSE_PICTURE, [why.category])
        async with self._audit.change(entry) as tx:
            await self._store.fail(tx, job.id, texts.start_is_unsafe(was_sent=sent is not None))
            if sent is not None:
                await self._store.entomb(tx, sent.id, self._now())
        log.info("an unsafe picture was refused", job=job.id, category=why.category)
        await self._store.erase_doomed()

    async def keep_all_back(self, job: Job, blocked: Mapping[int, str]) -> None:
        """The job ends without a picture. blocked: what was found, by sample."""
        async with self._audit.change(self._kept_back(job, blocked.values())) as tx:
            await self._looked_at(tx, job, None)
            await self._store.fail(tx, job.id, texts.all_kept_back(len(blocked)))
        log.info("every picture was kept back", job=job.id, categories=sorted(set(blocked.values())))

    async def note(
        self, tx: Transaction, job: Job, results: Sequence[SampleDone], blocked: Mapping[int, str]
    ) -> AuditEntry | None:
        """Remember with the results what was found: on the card, in the log, and of the picture they began from.

        Returns what is to be published once the transaction is through.
        """
        # Every result of an unsafe picture is said to be unsafe; where all are, the picture may well be.
        await self._looked_at(
            tx, job, results[0].unsafe if all(result.unsafe for result in results) else None
        )
        if not blocked:
            return None
        entry = self._kept_back(job, blocked.values())
        await self._store.add_note(tx, job, texts.kept_back(len(blocked), len(job.request.seeds)))
        await self._audit.note(tx, entry)
        log.info("pictures were kept back", job=job.id, categories=sorted(set(blocked.values())))
        return entry

    async def _looked_at(self, tx: Transaction, job: Job, category: str | None) -> None:
        if (sent := await self._sent(job)) is not None:
            await self._store.mark_unsafe(tx, sent.id, category)

    async def publish(self, entry: AuditEntry) -> None:
        """Show moderators what `note` wrote."""
        await self._audit.publish(entry)

    async def _sent(self, job: Job) -> Picture | None:
        """What the job starts from, if somebody sent it: with this job, or with an earlier one that was never drawn."""
        source_id = job.upload_id or job.parent_id
        source = await self._store.picture(source_id) if source_id is not None else None
        if source is None or job.request.init is None or source.file != job.request.init.ref:
            return None
        sent = source.id == job.upload_id or source.kind in (PictureKind.UPLOADED, PictureKind.PAINTED)
        return source if sent else None

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
            reason=texts.job_numbered(job.id),
        )
