"""The style presets that servers added for themselves."""

from __future__ import annotations

import msgspec

from bot.store.database import Database, Transaction
from bot.store.records import Style


class OwnStyles:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, guild_id: int) -> list[Style]:
        """A server's own, by name."""
        rows = await self._database.all(
            "SELECT name, template, negative, strength FROM style WHERE guild_id = ? ORDER BY name", guild_id
        )
        return [msgspec.convert(dict(row), Style) for row in rows]

    async def add(self, tx: Transaction, guild_id: int, style: Style, *, by: int, now: float) -> None:
        """One whose name the server does not have yet."""
        await tx.run(
            "INSERT INTO style VALUES (?, ?, ?, ?, ?, ?, ?)",
            guild_id,
            style.name,
            style.template,
            style.negative,
            style.strength,
            by,
            now,
        )

    async def remove(self, tx: Transaction, guild_id: int, name: str) -> bool:
        """Pictures that were made in it keep it. False if there is none of that name."""
        return bool(await tx.run("DELETE FROM style WHERE guild_id = ? AND name = ?", guild_id, name))
