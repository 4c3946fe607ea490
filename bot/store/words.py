"""The words that servers block, hold for a moderator, or let through although the default list would not."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from bot.store.database import Database, Transaction


class Verdict(StrEnum):
    """block: refused at once. hold: a moderator decides. allow: nothing happens."""

    BLOCK = "block"
    HOLD = "hold"
    ALLOW = "allow"


class OwnWord(msgspec.Struct, frozen=True, kw_only=True):
    """word: as the moderator typed it. set_at: seconds since 1970."""

    guild_id: int
    word: str
    verdict: Verdict
    set_by: int
    set_at: float


class OwnWords:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, guild_id: int) -> list[OwnWord]:
        """A server's own, in the order of the alphabet."""
        rows = await self._database.all("SELECT * FROM word WHERE guild_id = ? ORDER BY word", guild_id)
        return [msgspec.convert(dict(row), OwnWord) for row in rows]

    async def set(self, tx: Transaction, word: OwnWord) -> None:
        """In the place of the same word with another verdict, if there is one."""
        await tx.run("INSERT OR REPLACE INTO word VALUES (?, ?, ?, ?, ?)", *msgspec.structs.astuple(word))

    async def remove(self, tx: Transaction, guild_id: int, word: str) -> None:
        await tx.run("DELETE FROM word WHERE guild_id = ? AND word = ?", guild_id, word)
