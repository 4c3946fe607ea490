"""What servers, their channels and their roles set: the rules of `bot/limits.py`, as JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from bot.store.database import Database, Transaction
from bot.store.records import Scope


class SetRule(msgspec.Struct, frozen=True, kw_only=True):
    """One value that somebody set. scope_id: the channel's or role's id; of a server its own."""

    scope: Scope
    scope_id: int
    name: str
    value: Any


class SetRules:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, guild_id: int) -> list[SetRule]:
        rows = await self._database.all(
            "SELECT scope, scope_id, name, value FROM rule WHERE guild_id = ? ORDER BY scope, scope_id, name",
            guild_id,
        )
        return [
            SetRule(
                scope=Scope(row["scope"]),
                scope_id=row["scope_id"],
                name=row["name"],
                value=msgspec.json.decode(row["value"]),
            )
            for row in rows
        ]

    async def set(self, tx: Transaction, guild_id: int, rule: SetRule, *, by: int, now: float) -> None:
        await tx.run(
            "INSERT OR REPLACE INTO rule VALUES (?, ?, ?, ?, ?, ?, ?)",
            guild_id,
            rule.scope,
            rule.scope_id,
            rule.name,
            msgspec.json.encode(rule.value).decode(),
            by,
            now,
        )

    async def reset(
        self, tx: Transaction, guild_id: int, scope: Scope, scope_id: int, name: str | None = None
    ) -> int:
        """Without a name all of that scope. Returns how many were set."""
        return await tx.run(
            "DELETE FROM rule WHERE guild_id = ? AND scope = ? AND scope_id = ? AND ?4 IN (name, '*')",
            guild_id,
            scope,
            scope_id,
            name or "*",
        )
