"""One SQLite connection, one writer, one transaction at a time.

SQLite before 3.51.3 can corrupt a WAL database that has two or more connections
(sqlite.org/wal.html#walresetbug), so the bot opens exactly one and nothing else opens the file while it runs.
On one shared connection two tasks would commit and roll back each other's rows: hence `transaction`, a lock round
BEGIN IMMEDIATE … COMMIT. Outside of it the connection is in autocommit and only reads.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import aiosqlite

Value = str | int | float | None
Row = sqlite3.Row

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA fullfsync = ON",  # macOS: fsync alone does not reach the disk there
    "PRAGMA busy_timeout = 5000",
    "PRAGMA secure_delete = ON",
)


class DatabaseTooNew(Exception):
    """A later version of the bot wrote this database; this one would not understand its rows."""


class Transaction:
    """Proof that a write happens inside `Database.transaction`; the only thing that can write."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def run(self, sql: str, *values: Value) -> int:
        """Execute one statement; returns how many rows it changed."""
        async with self._connection.execute(sql, values) as cursor:
            return cursor.rowcount

    async def insert(self, sql: str, *values: Value) -> int:
        """Execute one INSERT; returns the new row's id."""
        async with self._connection.execute(sql, values) as cursor:
            assert cursor.lastrowid is not None  # sqlite3 sets it for every INSERT
            return cursor.lastrowid

    async def one(self, sql: str, *values: Value) -> Row | None:
        return await _one(self._connection, sql, values)

    async def all(self, sql: str, *values: Value) -> list[Row]:
        return await _all(self._connection, sql, values)


class Database:
    """The connection and its rule. Reads see what is committed, and what the running transaction has written."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._writer = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path) -> Database:
        connection = await aiosqlite.connect(path, isolation_level=None)
        connection.row_factory = aiosqlite.Row
        try:
            for pragma in _PRAGMAS:
                await connection.execute_fetchall(pragma)
            database = cls(connection)
            await database._migrate()
            # Only now: a migration that makes a table anew must not take along what refers to its rows.
            await connection.execute_fetchall("PRAGMA foreign_keys = ON")
        except BaseException:
            await connection.close()
            raise
        return database

    async def close(self) -> None:
        async with self._writer:
            await self._connection.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction, None]:
        """Write in here. Any exception rolls back; once the body is through, the commit cannot be cancelled."""
        async with self._writer:
            try:
                await _shielded(self._connection.execute_fetchall("BEGIN IMMEDIATE"))
                yield Transaction(self._connection)
                await _shielded(self._connection.execute_fetchall("COMMIT"))
            except BaseException:
                if self._connection.in_transaction:
                    await _shielded(self._connection.execute_fetchall("ROLLBACK"))
                raise

    async def one(self, sql: str, *values: Value) -> Row | None:
        return await _one(self._connection, sql, values)

    async def all(self, sql: str, *values: Value) -> list[Row]:
        return await _all(self._connection, sql, values)

    async def scrub(self) -> None:
        """Leave nothing of deleted rows in the files. Nobody reads meanwhile: about half a second for 100 MB.

        `secure_delete` alone does not do: pages that SQLite balances keep copies of the rows that moved to another.
        Raises sqlite3.OperationalError where the disk is full.
        """
        async with self._writer:
            await _shielded(self._connection.execute_fetchall("VACUUM"))
            await _shielded(self._connection.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)"))

    async def _migrate(self) -> None:
        """Apply the numbered .sql files that `user_version` says are missing, each in a transaction of its own."""
        row = await self.one("PRAGMA user_version")
        assert row is not None  # the pragma always answers
        migrations = _migrations()
        if row[0] > migrations[-1][0]:
            raise DatabaseTooNew(row[0], migrations[-1][0])
        for number, script in migrations:
            if number > row[0]:
                async with self.transaction() as tx:
                    for statement in _statements(script):
                        await tx.run(statement)
                    await tx.run(f"PRAGMA user_version = {number}")


async def _shielded(work: Any) -> None:
    """Let `work` reach its end even if the awaiting task is cancelled meanwhile, then pass the cancellation on.

    A cancelled BEGIN or COMMIT would leave the shared connection inside somebody's transaction.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error  # and wait on, however often it is repeated
    if cancelled is not None:
        raise cancelled from task.exception()
    task.result()


async def _one(connection: aiosqlite.Connection, sql: str, values: Iterable[Value]) -> Row | None:
    # In one go: a statement that waits for somebody to fetch its next row would keep `scrub` from working.
    return next(iter(await connection.execute_fetchall(sql, values)), None)


async def _all(connection: aiosqlite.Connection, sql: str, values: Iterable[Value]) -> list[Row]:
    return list(await connection.execute_fetchall(sql, values))


def _migrations() -> list[tuple[int, str]]:
    folder = resources.files("bot.store") / "migrations"
    scripts = [
        (int(file.name[:4]), file.read_text("utf-8"))
        for file in folder.iterdir()
        if file.name.endswith(".sql")
    ]
    return sorted(scripts)


def _statements(script: str) -> list[str]:
    """Split a migration at its semicolons. `executescript` would commit behind the transaction's back."""
    statements, pending = [], ""
    for line in script.splitlines(keepends=True):
        pending += line
        if _complete(pending):
            statements.append(pending)
            pending = ""
    if pending.strip() and not all(
        line.lstrip().startswith("--") for line in pending.split("\n") if line.strip()
    ):
        raise ValueError("a migration ends in the middle of a statement")
    return statements


def _complete(sql: str) -> bool:
    return sqlite3.complete_statement(sql) and any(
        line.strip() and not line.lstrip().startswith("--") for line in sql.splitlines()
    )
