"""`moonsketch status`: what the running bot says of itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import typer

from bot.control import NoAnswer, NobodyAnswers, Status, ask_status
from bot.recent_troubles import Trouble
from bot.settings import Settings
from bot.store import JobState


def main(settings: Settings) -> str | None:
    """Print how the bot is. Returns the sentence that says why nobody can tell, None when it told."""
    try:
        status = asyncio.run(ask_status(settings.data))
    except NobodyAnswers:
        return f"No Moonsketch runs on the data folder {settings.data}. Start it with: moonsketch run"
    except NoAnswer as error:
        return (
            f"There is a Moonsketch on the data folder {settings.data}, but it cannot tell how it is. {error}"
        )
    for line in lines(status):
        typer.echo(line)
    return None


def lines(status: Status) -> Iterator[str]:
    where = f"connected, in {_count(status.servers, 'server')}" if status.connected else "not connected"
    held = [
        f"{count} {how}" for count, how in ((status.paused, "paused"), (status.banned, "banned")) if count
    ]
    yield f"Moonsketch {status.version}, process {status.pid}, up for {duration(status.uptime_seconds)}"
    yield f"Discord   {where}" + (f" ({', '.join(held)})" if held else "")
    yield f"Line      {_line(status)}"
    yield f"Engine    {_engine(status)}"
    yield f"Rows      {status.rows_given} given to the engine, which steps {status.row_credits} at once"
    yield f"Trouble   {_count(len(status.troubles), 'warning') + ' lately' if status.troubles else 'none'}"
    yield from map(_trouble, status.troubles)


def _line(status: Status) -> str:
    waiting, running, rendered = (
        status.line.get(state, 0) for state in (JobState.QUEUED, JobState.RUNNING, JobState.RENDERED)
    )
    first = status.oldest_wait_seconds
    since = f" (the oldest for {duration(first)})" if first is not None else ""
    draining = "; draining, so nothing new is begun" if status.draining else ""
    return f"{waiting} waiting{since}, {running} running, {rendered} done but not yet posted{draining}"


def _engine(status: Status) -> str:
    pid = status.engine.worker_pid
    parts = [str(status.engine.state), f"worker process {pid}" if pid is not None else "no worker process"]
    return ", ".join(parts) + (f": {status.engine.detail}" if status.engine.detail else "")


def _trouble(trouble: Trouble) -> str:
    at = datetime.fromtimestamp(trouble.at, tz=UTC).astimezone()
    return f"  {at:%Y-%m-%d %H:%M:%S} {trouble.level} {trouble.source}: {trouble.sentence}"


def duration(seconds: float) -> str:
    """In the two largest units that matter: 42 s, 3 min, 5 h 12 min, 2 days 3 h."""
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86400)
    if minutes < 1:
        return f"{max(0, int(seconds))} s"
    if hours < 1:
        return f"{minutes} min"
    return f"{hours} h {minutes % 60} min" if days < 1 else f"{_count(days, 'day')} {hours % 24} h"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
