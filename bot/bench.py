"""`moonsketch bench`: is the bot quick and small, also while the worker is busy?

It measures the real bot in a simulated Discord (simcord, in the same process, so memory is an upper bound) on the
real worker with the configured default model:

- ready: from starting a fresh interpreter to the bot's "ready", the worker not started;
- memory: resident set of that process then;
- answers: from a person's command until the bot has nothing more to do for it, while jobs run without a pause;
- stall: the longest time the event loop did not turn during that;
- placing: the preview of three pieces on a picture of 1024 × 1024, from pixels to WebP, the worker not started.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import typer

from bot import logs
from bot.client import ArtBot
from bot.delivery import unthrottled
from bot.engine_setup import build_engine
from bot.settings import LogLevel, Settings
from bot.store import Store
from inference import Engine, EngineState
from inference.fake import FakeEngine

GOALS = {
    "ready_seconds": 2.0,
    "memory_mb": 150.0,
    "answer_p95_ms": 500.0,
    "longest_stall_ms": 200.0,
    "placing_preview_ms": 1000.0,
}
_STARTS, _ANSWERS, _PREVIEWS = 5, 60, 5
_TICK_SECONDS = 0.005
_READY_MARK = "ready"


class Simulated(NamedTuple):
    """A running bot with one person in one channel of a simulated Discord."""

    env: Any
    bot: ArtBot
    channel: Any
    person: Any
    moderator: Any


def main(settings: Settings, json_to: Path | None) -> str | None:
    """Measure and print; returns the sentence that says which goal was missed, None when all were met."""
    try:
        import simcord  # noqa: F401 - asked for here, so that its absence is a sentence
    except ImportError:
        return "The benchmark needs the simulated Discord: pip install 'moonsketch[playground]'"
    logs.configure(LogLevel.ERROR)
    figures = {**_start_figures(), **_placing_figures(), **asyncio.run(_busy_figures(settings))}
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    typer.echo(f"{datetime.now(UTC):%Y-%m-%d}, {machine}")
    for name, goal in GOALS.items():
        typer.echo(f"  {name:20} {figures[name]:8.2f}   goal ≤ {goal:g}")
    if json_to is not None:
        json_to.write_text(json.dumps({"machine": machine, **figures}, indent=2) + "\n")
    typer.echo(f"  the worker was busy at {figures['worker_busy_share']:.0%} of the answers")
    missed = [name for name, goal in GOALS.items() if figures[name] > goal]
    return f"Missed: {', '.join(missed)}" if missed else None


def _start_figures() -> dict[str, float]:
    """Medians over fresh interpreters."""
    seconds, megabytes = [], []
    for _ in range(_STARTS):
        began = time.monotonic()
        child = subprocess.Popen([sys.executable, "-m", "bot.bench"], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        line = child.stdout.readline().split()
        seconds.append(time.monotonic() - began)
        child.wait()
        if line[:1] != [_READY_MARK]:
            raise RuntimeError("the bot did not start")
        megabytes.append(int(line[1]) / 1024)
    return {"ready_seconds": statistics.median(seconds), "memory_mb": statistics.median(megabytes)}


def _placing_figures() -> dict[str, float]:
    """Median of one preview: a piece cut out of its background, one turned and feathered, one see-through."""
    import numpy as np
    from PIL import Image

    from bot.scene.placing import Layer, shown

    noise = np.random.default_rng(0)  # as hard to compress as pictures get
    base, piece = (
        Image.fromarray(noise.integers(0, 256, (side, side, 3), dtype=np.uint8)) for side in (1024, 600)
    )
    framed = Image.new("RGB", (800, 800), "white")
    framed.paste(piece, (100, 100))
    placed = [
        (Layer(piece_id=1, x=0.3, cut_out=True), framed),
        (Layer(piece_id=2, x=0.7, turn=30, feather=0.1), piece),
        (Layer(piece_id=3, y=0.8, width=0.7, turn=-10, flip=True, opacity=0.6), piece),
    ]
    times = []
    for _ in range(_PREVIEWS):
        began = time.monotonic()
        shown(base, placed)
        times.append(time.monotonic() - began)
    return {"placing_preview_ms": statistics.median(times) * 1000}


async def _start_once() -> None:
    """In the fresh interpreter: get ready, say so with the resident kilobytes, end."""
    async with _simulated(FakeEngine()):
        print(_READY_MARK, _resident_kilobytes(), flush=True)  # noqa: T201 - read by the parent


async def _busy_figures(settings: Settings) -> dict[str, float]:
    async with _simulated(None, settings) as here:
        await _until_ready(here.bot.engine)
        await here.moderator.slash(here.channel, "limits set", rule="waiting-per-person", value="20")
        stalls = _Stalls()
        watcher = asyncio.create_task(stalls.watch())
        times, busy = [], 0
        for _ in range(_ANSWERS):
            times.append(await _one_answer(here))
            busy += here.bot.engine.status.state is EngineState.BUSY
        watcher.cancel()
    times.sort()
    return {
        "worker_busy_share": busy / _ANSWERS,
        "answer_median_ms": statistics.median(times) * 1000,
        "answer_p95_ms": times[int(len(times) * 0.95)] * 1000,
        "longest_stall_ms": stalls.longest * 1000,
    }


async def _one_answer(here: Simulated) -> float:
    """Keep the line filled, then take the time of one command in full."""
    if len(await here.bot.store.unfinished_jobs()) < 6:
        await here.person.slash(here.channel, "imagine", prompt="load", steps=50, candidates=4)
    began = time.monotonic()
    await here.person.slash(here.channel, "imagine", prompt="a moon", steps=1, candidates=1)
    took = time.monotonic() - began
    for job in (await here.bot.store.unfinished_jobs())[8:]:
        await here.bot.jobs.cancel(job.id, job.author_id, moderates=True)
    return took


async def _until_ready(engine: Engine) -> None:
    changed = asyncio.Event()
    engine.watch(lambda _status: changed.set())
    while not engine.status.state.takes_work:
        changed.clear()
        await changed.wait()


class _Stalls:
    """How long the loop failed to turn, at the worst."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def watch(self) -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(_TICK_SECONDS)
            self.longest = max(self.longest, time.monotonic() - began - _TICK_SECONDS)


@asynccontextmanager
async def _simulated(
    engine: Engine | None, settings: Settings | None = None
) -> AsyncGenerator[Simulated, None]:
    import discord
    import simcord

    async def park(awaitable: Any, reason: str) -> Any:
        return await env.external_wait(awaitable, reason=reason)

    with tempfile.TemporaryDirectory() as folder:
        store = await Store.open(Path(folder))
        engine = engine or build_engine(settings or Settings(), park)
        bot = ArtBot(store, engine, throttles=unthrottled, edit_gap=0.0, shard_count=1, park=park)
        env = simcord.Env(bot, check_errors=False, settle_timeout=30)
        await env.start()
        guild = env.create_guild("Bench")
        manager = guild.create_role("Managers", permissions=discord.Permissions(manage_guild=True))
        person = guild.add_member(env.create_user("person"))
        moderator = guild.add_member(env.create_user("moderator"), roles=[manager])
        try:
            yield Simulated(env, bot, guild.create_text_channel("art"), person, moderator)
        finally:
            await engine.close()
            await bot.decoder.close()
            await env.shutdown()
            await store.close()


def _resident_kilobytes() -> int:
    """Peak resident set; kilobytes on Linux, bytes on macOS."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak


if __name__ == "__main__":
    logs.configure(LogLevel.ERROR)
    asyncio.run(_start_once())
