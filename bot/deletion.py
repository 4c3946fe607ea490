"""Deleting a card or one of its pictures: who may, what goes, and what stays.

The bytes go (unless another Picture is made of the same), and every message that shows them. A tombstone keeps the
Picture's number and its place in the Scene's tree; what was made from it stays. First the rows say so, in one
transaction; files and messages follow, and the next start makes up for what a crash left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import structlog

from bot import texts
from bot.audit import Audit
from bot.custom_ids import Target
from bot.delivery import Delivery
from bot.errors import DeliveryFailed, Gone, NotAllowed
from bot.jobs import Jobs
from bot.store import AuditEntry, Job, Picture, Store

log = structlog.get_logger(__name__)


class Condemned(msgspec.Struct, frozen=True, kw_only=True):
    """What would go, or went. job: None where its card stays, or where no job made the picture."""

    job: Job | None
    pictures: tuple[Picture, ...]

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(picture.number for picture in self.pictures)


class Deletion:
    def __init__(
        self, store: Store, jobs: Jobs, delivery: Delivery, audit: Audit, *, now: Callable[[], float]
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._delivery = delivery
        self._audit = audit
        self._now = now
        self._one_at_a_time = asyncio.Lock()

    async def ask(self, target: Target, person_id: int, *, moderates: bool) -> Condemned:
        """What deleting it would take along. Raises Gone, and NotAllowed for people who may not."""
        condemned = await self._picture(target) if target.picture_id else await self._card(target.job_id)
        author_id, scene_id = _author_and_scene(condemned)
        scene = await self._store.scene(scene_id)
        if not moderates and person_id not in (author_id, scene.owner_id):
            raise NotAllowed(texts.NOT_FOR_YOU_TO_DELETE)
        return condemned

    async def delete(self, target: Target, person_id: int, *, moderates: bool) -> Condemned:
        """Do it. Of two people who press at once the second reads that it is done. Raises as `ask`."""
        async with self._one_at_a_time:
            condemned = await self.ask(target, person_id, moderates=moderates)
            entry = await self._entry(condemned, person_id)
            async with self._store.transaction() as tx:
                if condemned.job is not None:
                    await self._store.delete_job(tx, condemned.job.id, self._now())
                for picture in condemned.pictures:
                    await self._store.entomb(tx, picture.id, self._now())
                if entry is not None:
                    await self._audit.note(tx, entry)
        if entry is not None:
            await self._audit.publish(entry)
        log.info("deleted", by=person_id, job=target.job_id, pictures=condemned.numbers)
        if condemned.job is not None:
            await self._jobs.deleted(condemned.job.id)
        await self.carry_out()
        for picture in condemned.pictures:
            await self._redraw_without(picture)
        return condemned

    async def carry_out(self) -> None:
        """Remove the files and messages of whatever was deleted; also what an earlier process could not."""
        await self._store.erase_doomed()
        for post in await self._store.condemned_posts():
            await self._delivery.remove(post)

    async def _entry(self, condemned: Condemned, person_id: int) -> AuditEntry | None:
        """For the log, where somebody does it who may only as a moderator."""
        author_id, scene_id = _author_and_scene(condemned)
        scene = await self._store.scene(scene_id)
        if person_id in (author_id, scene.owner_id):
            return None
        return AuditEntry(
            guild_id=scene.guild_id,
            at=self._now(),
            actor_id=person_id,
            action=texts.DID_DELETE,
            subject=texts.pictures_of(author_id, condemned.numbers, scene.place_id),
        )

    async def _card(self, job_id: int) -> Condemned:
        job = await self._store.job(job_id)
        if job is None or job.deleted:
            raise Gone(texts.DELETED_ALREADY)
        pictures = await self._store.candidates(job.id)
        if job.upload_id is not None and not await self._store.others_start_from(job.id, job.upload_id):
            upload = await self._store.picture(job.upload_id)
            pictures = [upload, *pictures] if upload is not None and not upload.deleted else pictures
        return Condemned(job=job, pictures=tuple(pictures))

    async def _picture(self, target: Target) -> Condemned:
        picture = await self._store.picture(target.picture_id)
        if picture is None or picture.deleted:
            raise Gone(texts.DELETED_ALREADY)
        if picture.job_id is not None and len(await self._store.candidates(picture.job_id)) == 1:
            return await self._card(picture.job_id)  # a card without any picture left says nothing
        return Condemned(job=None, pictures=(picture,))

    async def _redraw_without(self, picture: Picture) -> None:
        """The card it was on, and those that show it beside their words."""
        shown_on = {job.id for job in await self._store.jobs_started_from(picture.id)}
        if picture.job_id is not None:
            shown_on.add(picture.job_id)
        for job_id in sorted(shown_on):
            try:
                await self._jobs.redraw(job_id)
            except DeliveryFailed as error:
                log.info("a card still shows a deleted picture", job=job_id, why=str(error))


def _author_and_scene(condemned: Condemned) -> tuple[int, int]:
    of = condemned.job or condemned.pictures[0]
    return of.author_id, of.scene_id
