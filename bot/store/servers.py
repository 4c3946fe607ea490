"""What is known of servers as a whole: their share of the line, and what keeps their jobs from being drawn."""

from __future__ import annotations

import msgspec

from bot.store.database import Database, Transaction, Value


class ServerRow(msgspec.Struct, frozen=True, kw_only=True):
    """Of a server that nothing is known of: the defaults. guild_id 0: the direct messages.

    banned_for, paused_for: why; None where it is not. left_at: seconds since 1970, None while the bot is in it.
    """

    guild_id: int
    weight: float = 1.0
    banned_for: str | None = None
    paused_for: str | None = None
    log_channel_id: int | None = None
    left_at: float | None = None


_COLUMNS = frozenset(ServerRow.__struct_fields__) - {"guild_id"}


class Servers:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, guild_id: int | None) -> ServerRow:
        """None: the direct messages."""
        row = await self._database.one("SELECT * FROM server WHERE guild_id = ?", guild_id or 0)
        return ServerRow(guild_id=guild_id or 0) if row is None else msgspec.convert(dict(row), ServerRow)

    async def all(self) -> list[ServerRow]:
        """Those that anything was ever set of, by id."""
        rows = await self._database.all("SELECT * FROM server ORDER BY guild_id")
        return [msgspec.convert(dict(row), ServerRow) for row in rows]

    async def set(self, tx: Transaction, guild_id: int | None, **changes: Value) -> None:
        """Named as the fields of ServerRow; what is not named stays. Raises KeyError for any other name."""
        if unknown := changes.keys() - _COLUMNS:
            raise KeyError(*unknown)
        await tx.run("INSERT OR IGNORE INTO server (guild_id) VALUES (?)", guild_id or 0)
        for column, value in changes.items():
            await tx.run(f"UPDATE server SET {column} = ? WHERE guild_id = ?", value, guild_id or 0)
