"""The log that moderators read: written with the change itself, shown in a channel if the server wants that."""

from __future__ import annotations

from bot.store import AuditEntry, Store, Transaction


class Audit:
    """Every change that a moderator, the host or safety makes goes through here."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def note(self, tx: Transaction, entry: AuditEntry) -> None:
        """In the transaction of what it tells, so that there is never one without the other."""
        await self._store.audits.add(tx, entry)

    async def publish(self, entry: AuditEntry) -> None:
        """Once that transaction is over: show it in the server's log channel, if it has one."""
