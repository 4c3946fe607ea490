"""Whom the host's question goes to: the bot that runs on the data folder, or else the database itself.

The database has one opener at a time: the bot, or whoever holds the lock that it would hold.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import msgspec
import typer
from filelock import FileLock, Timeout

from bot import texts
from bot.control import NoAnswer, NobodyAnswers, ask_host
from bot.errors import Refusal
from bot.host import Host
from bot.host_desk import Desk
from bot.host_questions import (
    AskDraining,
    DatabaseQuestion,
    Declined,
    Drain,
    HostAnswer,
    HostQuestion,
    Undrain,
)
from bot.store import DatabaseTooNew, Store

LOCK, DATABASE = "lock", "moonsketch.sqlite3"


_A = TypeVar("_A", bound=msgspec.Struct)


class Stuck(Exception):
    """str() is the sentence that says why the question got no answer, or why the answer is no."""


class NoBot(Stuck):
    """It can be asked of a running bot only, and none runs."""


async def ask(folder: Path, question: HostQuestion, expected: type[_A]) -> _A:
    """Raises Stuck; then nothing was changed."""
    try:
        answer = await ask_host(folder, question)
    except NobodyAnswers:
        if isinstance(question, Drain | Undrain | AskDraining):
            raise NoBot(texts.NO_BOT_TO_DRAIN) from None
        answer = await _ask_database(folder, question)
    except NoAnswer as error:
        raise Stuck(f"There is a Moonsketch on the data folder {folder}, but: {error}") from error
    if isinstance(answer, Declined):
        raise Stuck(answer.sentence)
    if not isinstance(answer, expected):
        raise Stuck(f"What answers on the data folder {folder} is no Moonsketch of this version.")
    return answer


async def _ask_database(folder: Path, question: DatabaseQuestion) -> HostAnswer:
    try:
        async with _own_store(folder) as store:
            answer = await Desk(store, Host(store, now=time.time), now=time.time).answer(question)
    except Refusal as error:
        raise Stuck(texts.for_terminal(str(error))) from error
    except DatabaseTooNew:
        raise Stuck(f"The database in {folder} was written by a later Moonsketch. Update this one.") from None
    except (OSError, sqlite3.DatabaseError) as error:
        raise Stuck(f"The database in {folder} cannot be used: {error}.") from error
    typer.echo(texts.NO_BOT_SO_DATABASE, err=True)
    return answer


@asynccontextmanager
async def _own_store(folder: Path) -> AsyncGenerator[Store, None]:
    """While this is open no bot can start on the folder. Raises Stuck, and what Store.open raises."""
    if not (folder / DATABASE).is_file():
        raise Stuck(f"{folder}: {texts.NO_DATABASE}")
    if sys.platform != "win32" and (folder / DATABASE).stat().st_uid != os.geteuid():
        # A journal that we left there might be closed to the bot.
        raise Stuck(f"{folder}: {texts.DATABASE_IS_ANOTHERS}")
    try:
        with FileLock(folder / LOCK, timeout=0):
            store = await Store.open(folder)
            try:
                yield store
            finally:
                await store.close()
    except Timeout:
        raise Stuck(f"{folder}: {texts.DATABASE_IS_BUSY}") from None
