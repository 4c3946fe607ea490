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
        self,
        guild_id: int,
        limit: int,
        *,
        skip: int = 0,
        person_id: int | None = None,
        subject: str | None = None,
        action: str | None = None,
    ) -> list[AuditEntry]:
        """Newest first. person_id: only what they did or what was done to them. skip: to turn pages."""
        rows = await self._database.all(
            "SELECT * FROM audit WHERE guild_id = ?1 AND (?2 IS NULL OR actor_id = ?2 OR instr(subject, ?3))"
            " AND (?4 IS NULL OR action = ?4) AND (?5 IS NULL OR subject = ?5) ORDER BY id DESC LIMIT ?6 OFFSET ?7",
            guild_id,
            person_id,
            f"<@{person_id}>",
            action,
            subject,
            limit,
            skip,
        )
        return [msgspec.convert(dict(row), AuditEntry) for row in rows]

    async def latest_of(self, guild_id: int | None, limit: int) -> list[AuditEntry]:
        """Newest first; None: of all servers, and the host's own."""
        rows = await self._database.all(
            "SELECT * FROM audit WHERE ?1 IS NULL OR guild_id = ?1 ORDER BY id DESC LIMIT ?2", guild_id, limit
        )
        return [msgspec.convert(dict(row), AuditEntry) for row in rows]
