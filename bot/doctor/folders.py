"""The data folder: may it be written, who has it, is its database sound, is there room."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from bot.control import NoAnswer, NobodyAnswers, ask_database
from bot.doctor.findings import Finding, gigabytes, mend, note, ok
from bot.doctor.running import Holder, Running
from bot.settings import Settings
from bot.store import integrity

DATABASE = "moonsketch.sqlite3"
LITTLE_ROOM, TOO_LITTLE_ROOM = 5e9, 0.5e9
_RESTORE = "Stop the bot, put back a backup of the data folder, and keep the broken one to look at."


async def look_at_folders(settings: Settings, running: Running) -> Sequence[Finding]:
    folder = settings.data
    findings = [_folder(folder)]
    if running.holder is not Holder.NO_FOLDER:
        findings += [_lock(folder, running), await _database(folder, running)]
    return [*findings, *_room(settings)]


def _folder(folder: Path) -> Finding:
    if not folder.exists():
        nearest = _nearest(folder)
        if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
            return ok("data", f"{folder} will be made at the first start.")
        return mend("data", f"{folder} cannot be made: {nearest} may not be written.", _CHOOSE)
    if not folder.is_dir():
        return mend("data", f"{folder} is not a folder.", _CHOOSE)
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return mend("data", f"{folder} may not be written.", _CHOOSE)
    if sys.platform != "win32" and folder.stat().st_mode & 0o077:
        return note("data", f"Others on this machine may look into {folder}.", f"chmod 700 {folder}")
    return ok("data", f"{folder} may be written.")


_CHOOSE = "Allow it to the user who runs the bot, or set MOONSKETCH_DATA to another folder."


def _lock(folder: Path, running: Running) -> Finding:
    match running.holder:
        case Holder.BOT:
            assert running.status is not None  # that is what makes it one
            return ok("lock", f"A bot runs on it: process {running.status.pid}.")
        case Holder.SILENT:
            who = "A process" if running.pid is None else f"Process {running.pid}"
            return mend(
                "lock",
                f"{who} holds {folder} and does not tell how it is. {running.why}",
                "Look again in a minute; if it is still so, end that process and start the bot.",
            )
        case Holder.ANOTHER_OWNER:
            return note(
                "lock", f"{folder} belongs to another user.", "Run doctor as the user who runs the bot."
            )
        case _:
            return ok("lock", "No bot runs on it.")


async def _database(folder: Path, running: Running) -> Finding:
    path = folder / DATABASE
    if not path.exists():
        return ok("database", "There is none yet; it is made at the first start.")
    match running.holder:
        case Holder.NOBODY:
            return _verdict(await asyncio.to_thread(integrity.problems_of_file, path))
        case Holder.BOT:
            try:
                return _verdict(await ask_database(folder))
            except (NobodyAnswers, NoAnswer) as error:
                return note("database", f"The bot was asked to check it. {error}", "Look again in a minute.")
        case _:
            return note("database", "It was not checked: only who holds the data folder may open it.")


def _verdict(problems: Sequence[str]) -> Finding:
    if not problems:
        return ok("database", "It is sound.")
    return mend("database", " ".join(problems), _RESTORE)


def _room(settings: Settings) -> list[Finding]:
    """One line per disk."""
    disks: dict[int, list[Path]] = {}
    for folder in (settings.data, settings.models):
        disks.setdefault(_nearest(folder).stat().st_dev, []).append(folder)
    return [_room_for(folders) for folders in disks.values()]


def _room_for(folders: Sequence[Path]) -> Finding:
    free = shutil.disk_usage(_nearest(folders[0])).free
    sentence = f"{gigabytes(free)} are free for {' and '.join(map(str, folders))}."
    if free < TOO_LITTLE_ROOM:
        return mend("disk", sentence, "Make room: without it no job can be accepted.")
    if free < LITTLE_ROOM:
        return note("disk", sentence, "A model takes 2 to 5 GB, a picture about 1 MB.")
    return ok("disk", sentence)


def _nearest(folder: Path) -> Path:
    """The folder itself, or what is there of the way to it."""
    absolute = folder.absolute()
    return next(path for path in (absolute, *absolute.parents) if path.exists())
