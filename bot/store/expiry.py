"""What goes by itself: Scenes that nobody uses, what a server left behind, files that no row names."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from bot.store.database import Database, Transaction
from inference import PictureRef

_TABLES_OF_SERVERS = ("rule", "block", "word", "audit", "usage", "style")


class Expiry:
    def __init__(self, database: Database) -> None:
        self._database = database

    # Scenes

    async def places_with_scenes(self) -> list[int | None]:
        """Servers that have any; None: direct messages do."""
        rows = await self._database.all("SELECT DISTINCT guild_id FROM scene")
        return [row["guild_id"] for row in rows]

    async def unused_scenes(self, guild_id: int | None, before: float, limit: int) -> list[int]:
        """Scenes of a server that were last used before that time, are not pinned and have no job that is not over."""
        rows = await self._database.all(
            "SELECT id FROM scene WHERE guild_id IS ? AND NOT pinned AND coalesce(used_at, created_at) < ?"
            " AND NOT EXISTS (SELECT 1 FROM job WHERE scene_id = scene.id AND NOT shown) ORDER BY id LIMIT ?",
            guild_id,
            before,
            limit,
        )
        return [row["id"] for row in rows]

    async def scenes_of(self, guild_id: int, limit: int) -> list[int]:
        rows = await self._database.all("SELECT id FROM scene WHERE guild_id = ? LIMIT ?", guild_id, limit)
        return [row["id"] for row in rows]

    async def unfinished_jobs_of(self, guild_id: int) -> list[int]:
        rows = await self._database.all("SELECT id FROM job WHERE guild_id = ? AND NOT shown", guild_id)
        return [row["id"] for row in rows]

    async def delete_scenes(self, tx: Transaction, scene_ids: Collection[int]) -> None:
        """Whole Scenes, with everything in them; their bytes are doomed."""
        await delete_scenes(tx, scene_ids)

    async def forget_discarded_drafts(self, tx: Transaction, guild_id: int | None, before: float) -> None:
        """Placings in a server that were given up, and begun before that time."""
        await tx.run(
            "DELETE FROM draft WHERE state = 'discarded' AND created_at < ?"
            " AND scene_id IN (SELECT id FROM scene WHERE guild_id IS ?)",
            before,
            guild_id,
        )

    async def forget_usage(self, tx: Transaction, before_day: int) -> None:
        await tx.run("DELETE FROM usage WHERE day < ?", before_day)

    # Servers

    async def known_servers(self) -> set[int]:
        """Every server that anything is kept of, but for what the host decided."""
        tables = ("scene", "job", *_TABLES_OF_SERVERS)
        union = " UNION ".join(f"SELECT guild_id FROM {table}" for table in tables)
        rows = await self._database.all(
            f"{union} UNION SELECT guild_id FROM server WHERE paused_for IS NOT NULL"
            " OR log_channel_id IS NOT NULL OR left_at IS NOT NULL"
        )
        return {row["guild_id"] for row in rows if row["guild_id"]}

    async def delete_server(self, tx: Transaction, guild_id: int) -> None:
        """All but its Scenes, which go before. What the host decided about it stays: its weight, and a ban."""
        for table in _TABLES_OF_SERVERS:
            await tx.run(f"DELETE FROM {table} WHERE guild_id = ?", guild_id)
        await tx.run("DELETE FROM server WHERE guild_id = ? AND banned_for IS NULL AND weight = 1", guild_id)
        await tx.run(
            "UPDATE server SET paused_for = NULL, log_channel_id = NULL, left_at = NULL WHERE guild_id = ?",
            guild_id,
        )

    # Files

    async def without_row(self, files: Sequence[PictureRef]) -> list[PictureRef]:
        """Those that neither a living Picture nor a job names. All of them begin alike: they lie in one folder."""
        if not files:
            return []
        first, end = min(files), f"{max(files)}g"
        rows = await self._database.all(
            "SELECT file FROM picture WHERE deleted_at IS NULL AND file BETWEEN ?1 AND ?2 UNION"
            " SELECT latents FROM picture WHERE deleted_at IS NULL AND latents BETWEEN ?1 AND ?2 UNION"
            " SELECT json_extract(request, '$.mask') FROM job WHERE deleted_at IS NULL"
            " AND json_extract(request, '$.mask') BETWEEN ?1 AND ?2",
            first,
            end,
        )
        held = {row[0] for row in rows}
        return [file for file in files if file not in held]

    async def doom(self, tx: Transaction, files: Collection[PictureRef]) -> None:
        """`Store.erase_doomed` removes them, unless a row names them by then or is about to."""
        for file in files:
            await tx.run("INSERT OR IGNORE INTO doomed_file VALUES (?)", file)


async def delete_scenes(tx: Transaction, scene_ids: Collection[int]) -> None:
    """See Expiry.delete_scenes."""
    # Pictures and jobs name each other: whether all of it fits is asked once, at the commit.
    await tx.run("PRAGMA defer_foreign_keys = ON")
    await doom_files(tx, "scene_id IN (SELECT value FROM json_each(?))", _json(scene_ids))
    here = "(SELECT id FROM picture WHERE scene_id IN (SELECT value FROM json_each(?1)))"
    elsewhere = "scene_id NOT IN (SELECT value FROM json_each(?1))"
    for table, column in (("picture", "parent_id"), ("job", "parent_id"), ("job", "upload_id")):
        await tx.run(
            f"UPDATE {table} SET {column} = NULL WHERE {column} IN {here} AND {elsewhere}", _json(scene_ids)
        )
    await tx.run("DELETE FROM scene WHERE id IN (SELECT value FROM json_each(?))", _json(scene_ids))


async def doom_files(tx: Transaction, whose: str, value: int | str) -> None:
    """The bytes of pictures and the regions of jobs for which `whose`, SQL with one parameter, is true."""
    mask = "json_extract(request, '$.mask')"
    for file, table in (("file", "picture"), ("latents", "picture"), (mask, "job")):
        await tx.run(
            f"INSERT OR IGNORE INTO doomed_file SELECT {file} FROM {table} WHERE {file} IS NOT NULL AND {whose}",
            value,
        )


def _json(ids: Collection[int]) -> str:
    return msgspec.json.encode(list(ids)).decode()
