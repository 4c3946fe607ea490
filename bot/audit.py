"""The log that moderators read: written with the change itself, shown in a channel if the server wants that."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import discord
import msgspec
import structlog

from bot import texts
from bot.delivery import NOBODY, REFUSALS
from bot.store import AuditEntry, Store, Transaction
from bot.tasks import Tasks

log = structlog.get_logger(__name__)


class Audit:
    """Every change that a moderator, the host or safety makes goes through here."""

    def __init__(self, client: discord.Client, store: Store, tasks: Tasks) -> None:
        self._client = client
        self._store = store
        self._tasks = tasks

    @asynccontextmanager
    async def change(self, entry: AuditEntry) -> AsyncGenerator[Transaction, None]:
        """A transaction with the entry in it, published once it is through; without either if the body raises."""
        async with self._store.transaction() as tx:
            yield tx
            await self.note(tx, entry)
        await self.publish(entry)

    async def note(self, tx: Transaction, entry: AuditEntry) -> None:
        """In the transaction of what it tells, so that there is never one without the other."""
        await self._store.audits.add(tx, entry)

    async def publish(self, entry: AuditEntry) -> None:
        """Once that transaction is over: show it in the server's log channel, if it has one.

        Beside whatever is done, which must neither wait nor fail for it: the entry itself is kept.
        """
        if entry.guild_id:
            self._tasks.spawn(self._post(entry, entry.guild_id), name=f"log of server {entry.guild_id}")

    async def _post(self, entry: AuditEntry, guild_id: int) -> None:
        channel_id = (await self._store.servers.of(guild_id)).log_channel_id
        if channel_id is None:
            return
        channel = self._client.get_partial_messageable(channel_id, guild_id=guild_id)
        try:
            await channel.send(
                texts.log_entry(entry), silent=True, allowed_mentions=NOBODY, nonce=_nonce_of(entry)
            )
        except REFUSALS as error:
            log.warning("a log channel took no entry", server=guild_id, channel=channel_id, why=str(error))


def _nonce_of(entry: AuditEntry) -> str:
    """The same for the same entry; Discord takes 25 characters."""
    return f"a{hashlib.sha256(msgspec.json.encode(entry)).hexdigest()[:20]}"
