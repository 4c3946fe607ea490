"""What the host allows at most, in every server. Named as the fields of Limits in bot/limits.py."""

from __future__ import annotations

from typing import Any

import msgspec

from bot.store.database import Database, Transaction


class Ceilings:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> dict[str, Any]:
        """Name → value, of those that were set."""
        rows = await self._database.all("SELECT name, value FROM ceiling ORDER BY name")
        return {row["name"]: msgspec.json.decode(row["value"]) for row in rows}

    async def set(self, tx: Transaction, name: str, value: Any, now: float) -> None:
        """value: anything that JSON holds."""
        await tx.run(
            "INSERT OR REPLACE INTO ceiling VALUES (?, ?, ?)",
            name,
            msgspec.json.encode(value).decode(),
            now,
        )

    async def remove(self, tx: Transaction, name: str) -> None:
        await tx.run("DELETE FROM ceiling WHERE name = ?", name)
