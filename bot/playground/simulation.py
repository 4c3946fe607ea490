"""The simulated Discord: one server, one thread that is already there, and the people one can be in it.

Only public names of simcord are used here. The bot in it is the real one; its idle waits are parked (see Park), and its
clock is simcord's, which `World.tick` keeps at the time of day.
"""

from __future__ import annotations

import io
import os
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import available_timezones

import discord
import simcord
import structlog
from simcord.actors import MemberActor, MessageLike
from simcord.backend.cdn import CDN_BASE
from simcord.builders import ChannelHandle, GuildHandle, UserHandle
from simcord.preview import Preview

from bot import texts
from bot.client import ArtBot
from bot.delivery import unthrottled
from bot.playground import drawings
from bot.store import Store
from inference import Engine, Park

log = structlog.get_logger(__name__)

T = TypeVar("T")
File = tuple[str, bytes]
"""Name and content."""

EDIT_GAP_SECONDS = 1.0
"""Nobody limits edits here, so cards may move faster than on Discord."""

_SETTLE_SECONDS = 60.0
"""How long the bot may work on one action without a parked wait: decoding a huge photo takes the most."""

_NO_WORDS = "\u200b"
"""What the page sends for a message of pictures alone: the preview takes no empty ones."""

_FACES = {"You": "#5865f2", "Other": "#1f8b4c", "Moderator": "#a84300"}


class Person(MemberActor):
    """Somebody who can also send pictures: the preview's own composer knows only words.

    files: what goes out with the next message.
    """

    def __init__(self, env: simcord.Env, guild: GuildHandle, user: UserHandle) -> None:
        super().__init__(env, guild, user)
        self.files: Sequence[File] = ()

    async def send(
        self,
        channel: ChannelHandle,
        content: str = "",
        *,
        reply_to: MessageLike | None = None,
        attachments: Sequence[File] = (),
    ) -> discord.Message:
        files = (*attachments, *self.files)
        self.files = ()
        words = content.replace(_NO_WORDS, "")
        return await super().send(channel, words, reply_to=reply_to, attachments=files)


class World:
    """The running simulation. One thing at a time: whoever acts on it holds one and the same lock."""

    def __init__(self, env: simcord.Env, preview: Preview, people: Sequence[Person]) -> None:
        self.preview = preview
        self._env = env
        self._people = {str(person.id): person for person in people}
        self._shown = -1

    async def tick(self) -> None:
        """Bring the bot's clock to the time of day, and the pages up to date if the bot said anything."""
        behind = (datetime.now(UTC) - self._env.now()).total_seconds()
        try:
            await self._env.advance_time(max(0.0, behind))
            if len(self._env.http_requests) != self._shown:
                self._shown = len(self._env.http_requests)
                await self.preview.refresh()
        except (TimeoutError, simcord.SetupError) as error:
            # Busy for very long, or just being closed: the next tick, if there is one, catches up.
            log.warning("the page was not refreshed", why=str(error))

    def hand_files(self, viewer_id: str, files: Sequence[File]) -> None:
        """What goes out with this person's next message, in place of what was handed over before."""
        if viewer_id in self._people:
            self._people[viewer_id].files = files


@asynccontextmanager
async def open_world(folder: Path, make_engine: Callable[[Park], Engine]) -> AsyncGenerator[World, None]:
    """Start the bot on a data folder, and at the end close everything that was opened, in reverse."""
    envs: list[simcord.Env] = []

    async def park(awaitable: Coroutine[Any, Any, T], reason: str) -> T:
        result: T = await envs[0].external_wait(awaitable, reason=reason)
        return result

    async with AsyncExitStack() as closing:
        store = await Store.open(folder)
        closing.push_async_callback(store.close)
        engine = make_engine(park)
        closing.push_async_callback(engine.close)
        bot = ArtBot(
            store, engine, park=park, throttles=unthrottled, edit_gap=EDIT_GAP_SECONDS, shard_count=1
        )
        closing.push_async_callback(bot.decoder.close)
        env = simcord.Env(
            bot,
            approved_intents=discord.Intents.default(),
            check_errors=False,
            settle_timeout=_SETTLE_SECONDS,
        )
        envs.append(env)
        await env.start()
        closing.push_async_callback(env.shutdown)
        await env.advance_time((datetime.now(UTC) - env.now()).total_seconds())
        thread, people = await _furnish(env, bot)
        preview = await closing.enter_async_context(_preview(env, bot, thread, people))
        yield World(env, preview, people)


async def _furnish(env: simcord.Env, bot: ArtBot) -> tuple[ChannelHandle, list[Person]]:
    """The server, its people and the thread, with the welcome in it."""
    assert bot.user is not None  # the environment has logged it in
    await bot.user.edit(username="Moonsketch")
    guild = env.create_guild("Playground")
    channel = guild.create_text_channel("art")
    manages = discord.Permissions(manage_guild=True, manage_messages=True)
    roles = {"Moderator": [guild.create_role("Moderators", permissions=manages)]}
    people = []
    for name in _FACES:
        user = env.create_user(name.lower(), global_name=name, avatar=name.lower())
        guild.add_member(user, roles=roles.get(name, []))
        people.append(Person(env, guild, user))
    await env.settle()
    parent = bot.get_channel(channel.id)
    assert isinstance(parent, discord.TextChannel)
    thread = await parent.create_thread(name="sketches", type=discord.ChannelType.public_thread)
    await thread.send(
        texts.PLAYGROUND_WELCOME,
        file=discord.File(
            io.BytesIO(drawings.example_sketch()), "sketch.png", description=texts.EXAMPLE_ALT_TEXT
        ),
    )
    await env.settle()
    return channel.threads[0], people


def _preview(env: simcord.Env, bot: ArtBot, thread: ChannelHandle, people: Sequence[Person]) -> Preview:
    assert bot.user is not None
    # The bot can have no picture of its own here: it gets the one that everybody without a picture has.
    faces = {f"{CDN_BASE}/embed/avatars/{bot.user.default_avatar.key}.png": ("moon.png", drawings.moon())}
    for person, (name, colour) in zip(people, _FACES.items(), strict=True):
        face = (f"{name}.png", drawings.initial(name[0], colour))
        faces[f"{CDN_BASE}/avatars/{person.id}/{person.user.avatar}.png"] = face
    return env.preview(thread, viewers=people, layout="channel", timezone=_local_timezone(), assets=faces)


def _local_timezone() -> str:
    """Name of this machine's timezone where the system tells it by name, else UTC."""
    named = os.environ.get("TZ") or os.path.realpath("/etc/localtime").partition("zoneinfo/")[2]
    return named if named in available_timezones() else "UTC"
