"""Is the database sound? SQLite's own checks, by whichever process may open it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from importlib import resources
from pathlib import Path
from typing import Any

from bot.store.database import Transaction

_PAGES_AND_INDEXES = "PRAGMA integrity_check(10)"
_REFERENCES = "PRAGMA foreign_key_check"
_MOST_NAMED = 10


async def problems(tx: Transaction) -> tuple[str, ...]:
    """In the running bot, on its own connection: nothing is written meanwhile."""
    return _sentences(await tx.all(_PAGES_AND_INDEXES), await tx.all(_REFERENCES))


def problems_of_file(path: Path) -> tuple[str, ...]:
    """While no bot runs: the caller holds the data folder's lock. Reads only, and leaves no file behind."""
    try:
        with closing(sqlite3.connect(_address(path), uri=True)) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > _newest_version():
                return ("It was written by a later Moonsketch. Update this one.",)
            pages, references = (
                connection.execute(check).fetchall() for check in (_PAGES_AND_INDEXES, _REFERENCES)
            )
    except sqlite3.DatabaseError as error:
        return (f"It cannot be read: {error}.",)
    return _sentences(pages, references)


def _address(path: Path) -> str:
    """A reader of a WAL database makes files of its own beside it, unless it is told that nothing will change.

    With a journal that a killed bot left the files are there already, and what it holds counts.
    """
    journal = path.with_name(f"{path.name}-wal")
    left = journal.exists() and journal.stat().st_size > 0
    return f"{path.resolve().as_uri()}?{'mode=ro' if left else 'immutable=1'}"


def _sentences(pages: Iterable[Sequence[Any]], references: Sequence[Sequence[Any]]) -> tuple[str, ...]:
    """Rows of the two checks: 'ok' or what is wrong; table, row id, table that is referred to, number of the key."""
    broken = [str(row[0]) for row in pages if row[0] != "ok"]
    dangling = [f"{row[0]} {row[1]} refers to a {row[2]} that is not there" for row in references]
    more = len(dangling) - _MOST_NAMED
    if more > 0:
        dangling[_MOST_NAMED:] = [f"and {more} more of that kind"]
    return tuple(f"{problem[0].upper()}{problem[1:]}." for problem in (*broken, *dangling))


def _newest_version() -> int:
    folder = resources.files("bot.store") / "migrations"
    return max(int(file.name[:4]) for file in folder.iterdir() if file.name.endswith(".sql"))
