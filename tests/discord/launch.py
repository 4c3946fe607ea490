"""Starts a bot with every address of discord.py pointed at a fake Discord.

    python -m tests.discord.launch MODULE:FUNCTION [ARGUMENT …]

FAKE_DISCORD holds the address of the fake. The function is called without arguments, sys.argv is what its own
command line would be. When the starting process ends, so does the bot: its standard input is held by it.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import os
import sys
import threading
from functools import wraps
from typing import Any

import discord
import yarl
from discord.asset import Asset
from discord.gateway import DiscordWebSocket
from discord.http import Route


def point_to(base: str) -> None:
    """discord.py reads these when it makes a request, a connection, a link; attachments carry links of their own."""
    Route.BASE = f"{base}/api/v10"
    Asset.BASE = f"{base}/cdn"
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(base).with_scheme("ws") / "gateway"


def wait_less() -> None:
    """discord.py is ready when no guild was announced for two seconds; the fake announces all of them at once."""
    make = discord.Client.__init__

    @wraps(make)
    def make_impatient(self: discord.Client, **options: Any) -> None:
        make(self, **{"guild_ready_timeout": 0.05, **options})

    discord.Client.__init__ = make_impatient  # type: ignore[method-assign]  # a bot under test has no such setting


def end_with_parent() -> None:
    def wait_for_end() -> None:
        while os.read(0, 1):
            pass
        os._exit(1)

    threading.Thread(target=wait_for_end, name="end with parent", daemon=True).start()


def main() -> None:
    point_to(os.environ["FAKE_DISCORD"])
    wait_less()
    end_with_parent()
    target = sys.argv.pop(1)
    module, _, function = target.partition(":")
    sys.argv[0] = module
    result = getattr(importlib.import_module(module), function)()
    sys.exit(asyncio.run(result) if inspect.iscoroutine(result) else result)


if __name__ == "__main__":
    main()
