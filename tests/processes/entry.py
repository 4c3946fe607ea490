"""The bot as `moonsketch run` serves it, on a worker with the toy runner: quick to start, made to be killed."""

from __future__ import annotations

import asyncio
import contextlib
import signal

from filelock import FileLock

from bot import logs
from bot.engine_setup import engine_config
from bot.run import serve
from bot.settings import read_settings
from inference.local import LocalEngine
from tests.inference.toys import RUNNER


def main() -> None:
    settings = read_settings(None)
    logs.configure(settings.log)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with FileLock(settings.data / "lock", timeout=0), contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(settings, LocalEngine(engine_config(settings), runner=RUNNER)))
