"""What goes by itself, once a day and at the start: Scenes that nobody uses, what a server left behind, files without
a row. In small steps, so that nobody who draws meanwhile has to wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection

import structlog

from bot.jobs import Jobs
from bot.privacy import LEFT_DAYS, USAGE_DAYS
from bot.store import Store
from inference import Park

log = structlog.get_logger(__name__)

DAY_SECONDS = 86_400

_SCENES_AT_ONCE = 10
_FILES_LIE_FOR = DAY_SECONDS
"""A file is stored before the row that names it, and stays without one if that row is refused."""


class Retention:
    def __init__(
        self,
        store: Store,
        jobs: Jobs,
        *,
        days_of: Callable[[int | None], Awaitable[int]],
        now: Callable[[], float],
        park: Park,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """days_of: what a server set, or direct messages have. wall_clock: that of the files' own times."""
        self._store = store
        self._jobs = jobs
        self.days_of = days_of
        self._now = now
        self._park = park
        self._wall_clock = wall_clock

    async def run(self) -> None:
        """Sweep, and again every day. Ends only when it is cancelled."""
        while True:
            try:
                await self.sweep()
            except Exception:
                # Whatever breaks today (a full disk, a row that cannot be read) may be well again tomorrow.
                log.exception("what was due could not all be deleted")
            await self._park(asyncio.sleep(DAY_SECONDS), "the next day")

    async def sweep(self) -> None:
        """Delete whatever is due."""
        now = self._now()
        scenes = await self._delete_unused(now)
        servers = await self._delete_left(now)
        async with self._store.transaction() as tx:
            await self._store.expiry.forget_usage(tx, int(now // DAY_SECONDS) - USAGE_DAYS)
            await self._store.forgettings.end_of_day(tx, int(now // DAY_SECONDS))
        files = await self._doom_files_without_row()
        await self._store.erase_doomed()
        await self._store.scrub()
        if scenes or servers or files:
            log.info("what was due is deleted", scenes=scenes, servers=servers, files_without_row=files)

    # Servers

    async def left(self, guild_id: int) -> None:
        """The bot was removed from that server."""
        async with self._store.transaction() as tx:
            await self._store.servers.set(tx, guild_id, left_at=self._now())
        log.info("left a server", server=guild_id)

    async def joined(self, guild_id: int) -> None:
        """It is in that server (again)."""
        if (await self._store.servers.of(guild_id)).left_at is not None:
            async with self._store.transaction() as tx:
                await self._store.servers.set(tx, guild_id, left_at=None)

    async def compare(self, present: Collection[int]) -> None:
        """What was missed while the bot was away. present: every server it is in, also those that are out of order."""
        left = {server.guild_id for server in await self._store.servers.all() if server.left_at is not None}
        for guild_id in left & set(present):
            await self.joined(guild_id)
        for guild_id in await self._store.expiry.known_servers() - left - set(present):
            await self.left(guild_id)

    async def _delete_left(self, now: float) -> int:
        due = [
            server.guild_id
            for server in await self._store.servers.all()
            if server.left_at is not None and server.left_at < now - LEFT_DAYS * DAY_SECONDS
        ]
        for guild_id in due:
            await self._delete_server(guild_id)
        return len(due)

    async def _delete_server(self, guild_id: int) -> None:
        unfinished = await self._store.expiry.unfinished_jobs_of(guild_id)
        async with self._store.transaction() as tx:
            for job_id in unfinished:
                await self._store.delete_job(tx, job_id, self._now())
        for job_id in unfinished:
            await self._jobs.deleted(job_id)
        while scenes := await self._store.expiry.scenes_of(guild_id, _SCENES_AT_ONCE):
            await self._delete(scenes)
        async with self._store.transaction() as tx:
            await self._store.expiry.delete_server(tx, guild_id)

    # Scenes and files

    async def _delete_unused(self, now: float) -> int:
        """Their messages stay in Discord: people may want them, and pressing a button there gets a sentence."""
        count = 0
        for guild_id in await self._store.expiry.places_with_scenes():
            before = now - await self.days_of(guild_id) * DAY_SECONDS
            while due := await self._store.expiry.unused_scenes(guild_id, before, _SCENES_AT_ONCE):
                await self._delete(due)
                count += len(due)
            async with self._store.transaction() as tx:
                await self._store.expiry.forget_discarded_drafts(tx, guild_id, before)
        return count

    async def _delete(self, scene_ids: Collection[int]) -> None:
        async with self._store.transaction() as tx:
            await self._store.expiry.delete_scenes(tx, scene_ids)

    async def _doom_files_without_row(self) -> int:
        count, before = 0, self._wall_clock() - _FILES_LIE_FOR
        for folder in await self._store.files.folders():
            orphans = await self._store.expiry.without_row(await self._store.files.older(folder, before))
            if orphans:
                async with self._store.transaction() as tx:
                    await self._store.expiry.doom(tx, orphans)
            count += len(orphans)
        return count
