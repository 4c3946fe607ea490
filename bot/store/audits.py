"""Who changed what from what to what, and every refusal by safety."""

from __future__ import annotations

import msgspec

from bot.store.database import Database, Transaction


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a server's log. actor_id: None for the bot itself or its host. Never a prompt.

    action: a few words, for instance "limit changed". subject: what or whom it was done to: a mention or a name.
    """

    guild_id: int | None
    at: float
    actor_id: int | None
    action: str
    subject: str = ""
    before: str = ""
    after: str = ""
    reason: str = ""


class Audits:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, tx: Transaction, entry: AuditEntry) -> None:
        await tx.run(
            "INSERT INTO audit (guild_id, at, actor_id, action, subject, before, after, reason)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            *msgspec.structs.astuple(entry),
        )

    async def latest(
        self, guild_id: int, limit: int, before_id: int | None = None
    ) -> list[tuple[int, AuditEntry]]:
        """With their ids, newest first; those before that id, to turn pages."""
        rows = await self._database.all(
            "SELECT * FROM audit WHERE guild_id = ?1 AND (?2 IS NULL OR id < ?2) ORDER BY id DESC LIMIT ?3",
            guild_id,
            before_id,
            limit,
        )
        return [(row["id"], msgspec.convert(dict(row), AuditEntry)) for row in rows]
