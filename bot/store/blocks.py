"""Whom a server's moderators keep from using the bot there. It outlives /forget-me: else that would lift it."""

from __future__ import annotations

import msgspec

from bot.store.database import Database, Transaction


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """until, set_at: seconds since 1970; until None: for good."""

    guild_id: int
    person_id: int
    reason: str
    until: float | None
    set_by: int
    set_at: float


class Blocks:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, guild_id: int, person_id: int, now: float) -> Block | None:
        """The one that holds now. One that has run out is none."""
        row = await self._database.one(
            "SELECT * FROM block WHERE guild_id = ? AND person_id = ? AND (until IS NULL OR until > ?)",
            guild_id,
            person_id,
            now,
        )
        return None if row is None else msgspec.convert(dict(row), Block)

    async def add(self, tx: Transaction, block: Block) -> None:
        """In the place of one that has run out, if there is one."""
        await tx.run(
            "INSERT OR REPLACE INTO block VALUES (?, ?, ?, ?, ?, ?)", *msgspec.structs.astuple(block)
        )

    async def remove(self, tx: Transaction, guild_id: int, person_id: int) -> None:
        await tx.run("DELETE FROM block WHERE guild_id = ? AND person_id = ?", guild_id, person_id)
