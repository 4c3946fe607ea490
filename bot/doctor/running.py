"""Who has the data folder: nobody (then the doctor keeps it while it looks), a bot that answers, or a silent one."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from enum import Enum, auto
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from bot.control import NoAnswer, NobodyAnswers, Status, ask_status

LOCK = "lock"


class Holder(Enum):
    NO_FOLDER = auto()
    NOBODY = auto()
    """The doctor holds the lock itself, or there is none yet: no bot has ever run there."""

    ANOTHER_OWNER = auto()
    """The folder belongs to somebody else; it is not ours to lock."""

    BOT = auto()
    SILENT = auto()


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """status: of a bot that answers. why, pid: of one that holds the folder and does not; pid where that is known."""

    holder: Holder
    status: Status | None = None
    why: str = ""
    pid: int | None = None


@asynccontextmanager
async def find_running(folder: Path) -> AsyncGenerator[Running, None]:
    """While this is open no bot can start on a folder that was free."""
    lock = FileLock(folder / LOCK, timeout=0)
    holder = _try_to_hold(folder, lock)
    try:
        yield Running(holder=holder) if holder is not None else await _who_holds(folder)
    finally:
        lock.release()


def _try_to_hold(folder: Path, lock: FileLock) -> Holder | None:
    """None: another process holds it. A folder in which there never was a bot is left as it is."""
    if not folder.is_dir():
        return Holder.NO_FOLDER
    if _owner_is_another(folder):
        return Holder.ANOTHER_OWNER
    if (folder / LOCK).exists():
        try:
            lock.acquire()
        except Timeout:
            return None
        except PermissionError:  # a read-only folder: that is said elsewhere
            return Holder.ANOTHER_OWNER
    return Holder.NOBODY


async def _who_holds(folder: Path) -> Running:
    try:
        return Running(holder=Holder.BOT, status=await ask_status(folder))
    except NobodyAnswers:
        why = "It has no control socket: it may be starting or ending."
    except NoAnswer as error:
        why = str(error)
    return Running(holder=Holder.SILENT, why=why, pid=_holder_of(folder / LOCK))


def _owner_is_another(folder: Path) -> bool:
    """A lock or a journal that we made there might be closed to the bot."""
    return sys.platform != "win32" and folder.stat().st_uid != os.geteuid()


def _holder_of(lock: Path) -> int | None:
    """As Linux lists locks: '1: FLOCK ADVISORY WRITE 4711 fd:01:131094 0 EOF', with the file's inode at the end."""
    inode = str(lock.stat().st_ino)
    try:
        entries = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    except OSError:
        return None
    holders = [int(entry[4]) for entry in entries if len(entry) > 5 and entry[5].split(":")[-1] == inode]
    return next((holder for holder in holders if holder > 0), None)
