"""`moonsketch run`: opens what the bot needs in one place, and closes it in reverse."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
from contextlib import AsyncExitStack

import aiohttp
import discord
import structlog
from asyncio_throttle.throttler import Throttler
from filelock import FileLock, Timeout

from bot import control, logs
from bot.client import ArtBot
from bot.engine_setup import build_engine
from bot.recent_troubles import noting_troubles
from bot.reporter import Reporter
from bot.settings import Settings, SettingsWrong
from bot.store import DatabaseTooNew, Store
from inference import Engine

log = structlog.get_logger(__name__)

EDITS_PER_CHANNEL, EDIT_PERIOD_SECONDS = 4, 5.0
"""Discord does not publish its limit of posts and edits per channel; people report five in five seconds."""

BAD_TOKEN = (
    "Discord does not accept MOONSKETCH_TOKEN. Copy the bot's token once more (not the client secret)."
)
NO_INTENT = (
    "MOONSKETCH_MESSAGE_CONTENT is on, but the portal does not allow it: switch on Message Content Intent under Bot,"
    " or set it to false. Nothing depends on it."
)


class ChannelThrottles:
    """One asyncio-throttle per channel, made when first needed; every Scene has a channel, so the oldest are let go."""

    def __init__(self, most: int = 1000) -> None:
        self._most = most
        self._by_channel: dict[int, Throttler] = {}

    def __call__(self, channel_id: int) -> Throttler:
        throttle = self._by_channel.pop(channel_id, None) or Throttler(
            EDITS_PER_CHANNEL, EDIT_PERIOD_SECONDS, retry_interval=0.05
        )
        self._by_channel[channel_id] = throttle  # now the youngest
        if len(self._by_channel) > self._most:
            del self._by_channel[next(iter(self._by_channel))]
        return throttle


def run_bot(settings: Settings) -> str | None:
    """Run until stopped. Returns the sentence that says why it could not, None when all went well."""
    logs.configure(settings.log)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a service manager's stop is a Ctrl-C
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return f"The data folder {settings.data} cannot be used: {error.strerror}."
    try:
        # One process per data folder: two would deliver every job twice (see also bot/store/database.py).
        with FileLock(settings.data / "lock", timeout=0):
            asyncio.run(serve(settings, build_engine(settings)))
    except Timeout:
        return f"Another Moonsketch runs on the data folder {settings.data}. Stop it, or set MOONSKETCH_DATA."
    except SettingsWrong as error:
        return str(error)
    except DatabaseTooNew:
        return f"The database in {settings.data} was written by a later Moonsketch. Update this one."
    except sqlite3.DatabaseError as error:
        return f"The database in {settings.data} cannot be used: {error}. Put back a backup of that folder."
    except aiohttp.ClientError as error:
        return f"Discord cannot be reached: {error}"
    except discord.LoginFailure:
        return BAD_TOKEN
    except discord.PrivilegedIntentsRequired:
        return NO_INTENT
    except (discord.HTTPException, discord.GatewayNotFound) as error:
        return f"Discord did not let the bot in just now: {error}"
    except (KeyboardInterrupt, asyncio.CancelledError):
        log.info("stopped")
    return None


async def serve(settings: Settings, engine: Engine) -> None:
    """Connect to Discord and stay there. The data folder must be this process's own."""
    assert settings.token is not None  # the command line has checked it
    this = asyncio.current_task()
    if this is not None and sys.platform != "win32":
        # An exception out of nowhere, as `default_int_handler` raises it, could leave a transaction half closed.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    token = settings.token.get_secret_value()
    async with AsyncExitStack() as closing:
        troubles = closing.enter_context(noting_troubles(hide=[token]))
        store = await Store.open(settings.data)
        closing.push_async_callback(store.close)
        bot = ArtBot(
            store,
            engine,
            throttles=ChannelThrottles(),
            message_content=settings.message_content,
            shard_count=settings.shards,
        )
        await closing.enter_async_context(control.serving(settings.data, Reporter(bot, troubles).answer))
        await closing.enter_async_context(bot)
        await bot.start(token)
