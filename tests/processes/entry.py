"""The bot as `moonsketch run` serves it, on a worker with the toy runner: quick to start, made to be killed."""

from __future__ import annotations

import asyncio

from bot import logs
from bot.engine_setup import engine_config
from bot.run import serve
from bot.settings import read_settings
from inference.local import LocalEngine
from tests.inference.toys import RUNNER


def main() -> None:
    settings = read_settings(None)
    logs.configure(settings.log)
    asyncio.run(serve(settings, LocalEngine(engine_config(settings), runner=RUNNER)))
