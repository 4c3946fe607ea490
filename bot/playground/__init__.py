"""`moonsketch playground`: the real bot and its real worker in a simulated Discord, in a browser. No account needed.

::

    browser ◀──▶ front ◀──▶ simcord's preview ◀──▶ simcord's Discord ◀──▶ ArtBot ◀──▶ engine
                   │                                     ▲
                   └────────────── one lock ─────────── clock

`simulation` holds the world and everything that knows simcord's Python side, `front` what knows its pages' protocol,
`page/` what is added to those pages. Nothing outlives the playground: its data folder is a temporary one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import tempfile
import webbrowser
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bot import logs, texts
from bot.engine_setup import build_engine
from bot.playground.front import Front
from bot.playground.installed import PlaygroundUnavailable, check_installed
from bot.settings import LogLevel, Settings, SettingsWrong
from inference import Engine, Park

if TYPE_CHECKING:
    from bot.playground.simulation import World

__all__ = ["PlaygroundUnavailable", "main", "play", "playground"]

TICK_SECONDS = 0.25

EngineMaker = Callable[[Park], Engine]


def main(settings: Settings, *, port: int = 0, open_browser: bool = True) -> str | None:
    """Run until Ctrl-C. Returns the sentence that says why it could not, None when all went well."""
    _configure_logs(settings.log)
    try:
        asyncio.run(play(lambda park: build_engine(settings, park), port=port, open_browser=open_browser))
    except (PlaygroundUnavailable, SettingsWrong) as error:
        return str(error)
    except KeyboardInterrupt:
        pass  # the usual way to end it
    typer.echo(texts.PLAYGROUND_ENDED)
    return None


def _configure_logs(level: LogLevel) -> None:
    """The line with the URL must not drown: only what went wrong is logged, unless everything is wanted."""
    if level is LogLevel.INFO:
        level = LogLevel.WARNING
    logs.configure(level)
    if level is not LogLevel.DEBUG:
        # It warns of what only voice needs, and of the tries that the simulation makes with it.
        logging.getLogger("discord").setLevel(logging.ERROR)


async def play(make_engine: EngineMaker, *, port: int = 0, open_browser: bool = True) -> None:
    """Run until cancelled, asked to terminate, or ended on the page. Raises PlaygroundUnavailable."""
    check_installed()
    stopping = asyncio.Event()
    with contextlib.suppress(NotImplementedError):  # Windows knows no such signal
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    async with playground(make_engine, port=port) as (world, url):
        typer.echo(texts.playground_runs(url))
        if open_browser and _has_display():
            await asyncio.to_thread(webbrowser.open, url)
        ends = [asyncio.create_task(stopping.wait()), asyncio.create_task(world.preview.wait_closed())]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()


@asynccontextmanager
async def playground(make_engine: EngineMaker, *, port: int = 0) -> AsyncGenerator[tuple[World, str], None]:
    """The running playground and its page's URL; at the end nothing of it is left. Raises PlaygroundUnavailable."""
    # It may not be installed, and only this function needs it.
    from bot.playground.simulation import open_world

    folder = tempfile.TemporaryDirectory(prefix="moonsketch-", ignore_cleanup_errors=True)
    lock = asyncio.Lock()
    async with AsyncExitStack() as closing:
        data = Path(closing.enter_context(folder))
        world = await closing.enter_async_context(open_world(data, make_engine))
        front = Front(world.preview.url, lock, world.hand_files)
        closing.push_async_callback(front.close)
        await front.start(port)
        clock = asyncio.create_task(_keep_time(world, lock), name="the playground's clock")
        closing.push_async_callback(_end, clock)
        yield world, front.url


async def _keep_time(world: World, lock: asyncio.Lock) -> None:
    while True:
        async with lock:
            await world.tick()
        await asyncio.sleep(TICK_SECONDS)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()


def _has_display() -> bool:
    """Is there a screen? Without one, some systems would open a text browser in the terminal."""
    return sys.platform in ("win32", "darwin") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
