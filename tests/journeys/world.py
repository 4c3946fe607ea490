"""A simulated Discord with our bot in it: one server, one channel, a few people. Journeys are told with it."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import discord
import simcord
from PIL import Image
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle
from simcord.results import InteractionResult

from bot.client import ArtBot
from bot.delivery import unthrottled
from bot.errors import Refusal
from bot.store import Store
from inference import Engine, EngineState, Park
from inference.fake import FakeEngine
from tests.discord.watch import Watch, watch

EngineMaker = Callable[[Park], Engine]


def fake_engine(park: Park) -> FakeEngine:
    return FakeEngine(park=park)


def held_engine(park: Park) -> FakeEngine:
    return FakeEngine(park=park, held=True)


class World:
    """What a journey acts on. `you` draws, `other` is somebody else, `mod` may manage the server."""

    def __init__(self, folder: Path, make_engine: EngineMaker, options: dict[str, Any]) -> None:
        self._folder = folder
        self._make_engine = make_engine
        self._options = options
        self.seeds = iter(range(1000, 1_000_000, 100))

    async def start(self) -> None:
        self.store = await Store.open(self._folder)
        self.engine = self._make_engine(self._park)
        self.bot = self._make_bot()
        self.env = simcord.Env(self.bot, approved_intents=discord.Intents.default())
        self.watch: Watch = watch(self.env)
        await self.env.start()
        self.guild = self.env.create_guild("Studio")
        self.channel = self.guild.create_text_channel("art")
        self.you = self._member("you")
        self.other = self._member("other")
        manager = self.guild.create_role("Managers", permissions=discord.Permissions(manage_guild=True))
        self.mod = self._member("mod", manager)
        await self.env.settle()

    async def restart(self) -> None:
        """End the bot as a crash would (nothing is told to anybody) and start a new one on the same data folder."""
        old_bot, old_engine = self.bot, self.engine
        self.engine = self._make_engine(self._park)
        self.bot = self._make_bot()
        await self.env.restart_bot(self.bot)
        await old_bot.decoder.close()
        await old_engine.close()
        await self.env.settle()

    async def close(self) -> None:
        await self.env.shutdown()
        await self.bot.decoder.close()
        await self.engine.close()
        await self.store.close()

    @property
    def fake(self) -> FakeEngine:
        assert isinstance(self.engine, FakeEngine)
        return self.engine

    async def sketch(self, who: MemberActor | None = None, **options: Any) -> Any:
        """/sketch as a person uses it; returns the private answer."""
        given = {"image": ("sketch.png", png((160, 90))), "prompt": "the surface of the moon", **options}
        return await (who or self.you).slash(self.channel, "sketch", **given)

    async def limit(self, rule: str, value: object, **scope: Any) -> InteractionResult:
        """A moderator turns one limit; returns the private answer."""
        return await self.mod.slash(self.channel, "limits set", rule=rule, value=str(value), **scope)

    def start_engine_in(self, state: EngineState, detail: str) -> None:
        """The engine of the next restart begins, and stays, like this."""
        make = self._make_engine

        def unable(park: Park) -> Engine:
            engine = make(park)
            assert isinstance(engine, FakeEngine)
            engine.starts_in(state, detail)
            return engine

        self._make_engine = unable

    async def engine_becomes(self, state: EngineState, detail: str = "") -> None:
        """The engine's status changes by itself, as it does when a worker comes up or dies."""
        with self.env._bot_scope():  # what follows is the bot's own work, on its clock
            self.fake.become(state, detail)
        await self.env.settle()

    def pinged_by(self, message: discord.Message) -> list[int]:
        """Whom a message notifies; `Message.mentions` also names those who are only shown."""
        return self.env.backend.get_message(message.channel.id, message.id).ping_user_ids

    async def guild_owner_deletes(self, message: discord.Message) -> None:
        with self.env._bot_scope():
            self.env.backend.delete_message(message.channel.id, message.id)
        await self.env.settle()

    async def delete_thread(self, thread: ChannelHandle) -> None:
        with self.env._bot_scope():
            self.env.backend.delete_channel(thread.id)
        await self.env.settle()

    def expire_files(self) -> None:
        """Discord keeps the files of commands and forms for a while only; from now on it has none at all."""
        self.env.backend.cdn.get = lambda _url: None  # type: ignore[assignment]  # what simcord never does itself

    def assert_nothing_broke(self) -> None:
        """simcord counts a refusal as an error of the command; only other errors are ours to mend."""
        causes = [getattr(error, "original", error) for error in self.env.errors]
        assert [cause for cause in causes if not isinstance(cause, Refusal)] == []

    def move_to_channel_without(self, *permissions: str) -> None:
        """From now on `channel` is one in which a moderator denied the bot these permissions."""
        assert self.bot.user is not None
        denied = discord.PermissionOverwrite(**dict.fromkeys(permissions, False))
        self.channel = self.guild.create_text_channel("strict", overwrites={self.bot.user: denied})

    def thread(self, index: int = 0) -> ChannelHandle:
        return self.channel.threads[index]

    def cards(self, place: ChannelHandle | None = None) -> list[discord.Message]:
        """Messages of the bot that are cards, oldest first."""
        assert self.bot.user is not None
        messages = (place or self.thread()).history()
        return [
            message for message in messages if message.author.id == self.bot.user.id and message.components
        ]

    async def park(self, awaitable: Any, reason: str) -> Any:
        return await self._park(awaitable, reason)

    async def _park(self, awaitable: Any, reason: str) -> Any:
        return await self.env.external_wait(awaitable, reason=reason)

    def _make_bot(self) -> ArtBot:
        options = {"shard_count": 1, "edit_gap": 0.0, "throttles": unthrottled, **self._options}
        return ArtBot(
            self.store, self.engine, park=self._park, fresh_seed=lambda: next(self.seeds), **options
        )

    def _member(self, name: str, *roles: Any) -> MemberActor:
        return self.guild.add_member(self.env.create_user(name), roles=list(roles))


@asynccontextmanager
async def world(
    folder: Path, make_engine: EngineMaker = fake_engine, **options: Any
) -> AsyncGenerator[World, None]:
    """A running world; at its end every request that the bot made must have been one that Discord accepts."""
    place = World(folder, make_engine, options)
    await place.start()
    try:
        yield place
        place.assert_nothing_broke()
    finally:
        await place.close()
    place.watch.assert_clean()


def png(size: tuple[int, int] = (160, 90), colour: str = "red", mode: str = "RGB") -> bytes:
    return encoded(Image.new(mode, size, colour), "PNG")


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def text_of(message: discord.Message) -> str:
    """All words that a person reads in a message, content or components."""
    view = discord.ui.LayoutView.from_message(message) if message.flags.components_v2 else None
    shown = (
        [item.content for item in view.walk_children() if isinstance(item, discord.ui.TextDisplay)]
        if view
        else []
    )
    return "\n".join([message.content, *shown]).strip()


def buttons_of(message: discord.Message) -> dict[str, str]:
    """Label → custom_id of every button that can be pressed."""
    view = discord.ui.LayoutView.from_message(message)
    return {
        str(item.label): str(item.custom_id)
        for item in view.walk_children()
        if isinstance(item, discord.ui.Button) and not item.disabled
    }


def pictures_of(message: discord.Message) -> list[discord.Attachment]:
    """The result files on a card, in order."""
    return [file for file in message.attachments if file.filename.startswith("moonsketch-")]


def said(answer: InteractionResult) -> str:
    """The last thing a command or button answered."""
    shown = [answer.response, *answer.followups]
    return next(message.content for message in reversed(shown) if message is not None)


def walk(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every component of a message, at any depth."""
    found = []
    for component in components:
        found += [component, *walk(component.get("components", []))]
    return found


async def opened(attachment: discord.Attachment) -> Image.Image:
    return Image.open(io.BytesIO(await attachment.read()))


async def until(condition: Callable[[], bool], turns: int = 200_000) -> None:
    """Let the event loop run until something is so. Fails if it never is, rather than waiting for ever."""
    for _ in range(turns):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never came to that")
