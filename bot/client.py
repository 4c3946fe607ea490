"""ArtBot: the Discord client that puts the parts together. Who needs a part asks the client for it."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import discord
import structlog
from discord import app_commands

from bot import texts
from bot.answers import answer_error
from bot.audit import Audit
from bot.blocks import Blocks, admits
from bot.chronicle import Chronicle
from bot.commands import add_commands
from bot.components.buttons import ActionButton
from bot.components.deleting import DeleteButton
from bot.components.draft import DraftButton
from bot.components.filling import FillButton
from bot.components.forgetting import ForgetButton
from bot.components.forms import FormButton, Offers, on_form
from bot.components.help import HelpSelect
from bot.components.history import HistorySelect
from bot.components.holding import HoldButton
from bot.components.keeping import KeepButton
from bot.components.line import LineButton
from bot.components.log_pages import LogButton
from bot.components.more import MoreSelect
from bot.components.pieces import PieceSelect, PlaceButton
from bot.components.queue import QueueButton
from bot.components.repainting import GridButton, WhichButton
from bot.components.sharing import ShareButton
from bot.components.stepping import ShowButton, StepButton
from bot.deletion import Deletion
from bot.delivery import EDIT_GAP_SECONDS, REFUSALS, Delivery, Throttles
from bot.doors import Doors
from bot.forgetting import Forgetting
from bot.gate import Gate
from bot.harmonising import Harmonising
from bot.holding import Holding
from bot.host import Host
from bot.images import Decoder
from bot.jobs import Jobs
from bot.line_admin import LineAdmin
from bot.moderating import Moderating
from bot.pieces import Pieces
from bot.placing import Placing
from bot.reach import Reach
from bot.repainting import Repainting
from bot.replies import on_reply
from bot.retention import Retention
from bot.rules import Rules
from bot.safeguard import Safeguard
from bot.screening import Screening
from bot.shaping import Shaping
from bot.showing import Showing
from bot.store import Standing, Store
from bot.styles import Styles
from bot.tasks import Tasks
from bot.undoing import Undoing
from bot.uploads import Uploads
from bot.vocabulary import Vocabulary
from bot.words import Words
from inference import MAX_SEED, Engine, Park, unparked

log = structlog.get_logger(__name__)


def wall_clock() -> float:
    """Seconds since 1970 by Discord's own clock helper, so that message ages and our times agree."""
    return discord.utils.utcnow().timestamp()


_ITEMS = (
    ActionButton,
    DeleteButton,
    DraftButton,
    FillButton,
    ForgetButton,
    FormButton,
    GridButton,
    HelpSelect,
    HistorySelect,
    HoldButton,
    KeepButton,
    LogButton,
    LineButton,
    MoreSelect,
    PieceSelect,
    PlaceButton,
    QueueButton,
    ShareButton,
    WhichButton,
    ShowButton,
    StepButton,
)
"""Whatever people press; each is known by its custom_id alone."""


class ArtBot(discord.AutoShardedClient):
    """Intents: guilds and messages, nothing privileged; message content only where the host switched it on.

    The store is open before the client starts and is closed by whoever opened it; engine and decoder end with `close`.
    `park`, `throttles` and `edit_gap` are seams: see Park, and decision pages on edits in the simulated Discord.
    """

    def __init__(
        self,
        store: Store,
        engine: Engine,
        *,
        throttles: Throttles,
        message_content: bool = False,
        shard_count: int | None = None,
        edit_gap: float = EDIT_GAP_SECONDS,
        park: Park = unparked,
        now: Callable[[], float] = wall_clock,
        fresh_seed: Callable[[], int] = lambda: secrets.randbelow(MAX_SEED + 1),
    ) -> None:
        intents = discord.Intents(
            guilds=True, guild_messages=True, dm_messages=True, message_content=message_content
        )
        super().__init__(
            intents=intents,
            allowed_mentions=discord.AllowedMentions.none(),
            shard_count=shard_count,
            max_messages=None,
            max_ratelimit_timeout=60.0,
        )
        self.store = store
        self.engine = engine
        self.now = now
        self.began = now()
        self.tasks = Tasks()
        self.decoder = Decoder()
        self.delivery = Delivery(
            self, store, self.tasks, park=park, now=now, throttles=throttles, edit_gap=edit_gap
        )
        self.audit = Audit(self, store, self.tasks)
        self.blocks = Blocks(store, now=now)
        self.host = Host(
            store,
            now=now,
            is_draining=lambda: self.jobs.line.draining,
            models=lambda: [model.name for model in engine.models()],
        )
        self.rules = Rules(store, now=now)
        self.words = Words(store)
        self.vocabulary = Vocabulary(store, self.words, self.audit, now=now)
        self.screening = Screening(store, self.words, self.audit, now=now)
        self.gate = Gate(self.host, self.blocks, self.rules, self.screening)
        self.safeguard = Safeguard(store, engine, self.rules, self.audit, now=now)
        self.jobs = Jobs(
            store,
            engine,
            self.delivery,
            self.tasks,
            self.gate,
            self.safeguard,
            now=now,
            park=park,
            weight_of=self._line_weight,
            tell_held=lambda job: self.holding.announce(job),
        )
        self.holding = Holding(self, store, self.jobs, self.screening, self.audit, now=now)
        self.showing = Showing(store, self.delivery, now=now)
        self.moderating = Moderating(store, self.jobs, self.audit, now=now)
        self.line_admin = LineAdmin(store, self.jobs, self.audit, self.moderating, now=now)
        self.deletion = Deletion(store, self.jobs, self.delivery, self.audit, now=now)
        self.forgetting = Forgetting(
            self, store, self.jobs, self.tasks, throttles=throttles, park=park, now=now
        )
        self.retention = Retention(store, self.jobs, days_of=self._retention_days, now=now, park=park)
        self.offers = Offers()
        self.reach = Reach(store)
        self.undoing = Undoing(store)
        self.chronicle = Chronicle(store)
        self.uploads = Uploads(store, self.decoder)
        self.styles = Styles(store)
        parts = store, self.jobs, engine, self.reach, self.uploads, self.styles
        self.repainting = Repainting(*parts, fresh_seed=fresh_seed)
        self.shaping = Shaping(store, self.reach, self.showing, self.repainting)
        self.pieces = Pieces(*parts, self.showing, self.screening, now=now, fresh_seed=fresh_seed)
        self.placing = Placing(
            store, self.reach, self.delivery, self.showing, self.pieces, self.safeguard, now=now
        )
        self.harmonising = Harmonising(
            store, self.jobs, engine, self.reach, self.styles, self.placing, self.rules, fresh_seed=fresh_seed
        )
        self.doors = Doors(*parts, self.repainting, fresh_seed=fresh_seed)
        self.tree = ArtTree(self)
        self._recovered = False

    async def setup_hook(self) -> None:
        self.add_dynamic_items(*_ITEMS)
        add_commands(self.tree)
        await self._sync_if_changed()
        await self.jobs.begin()
        await self.engine.start()

    async def close(self) -> None:
        async with AsyncExitStack() as closing:  # whatever does not close must not keep the rest open
            closing.push_async_callback(super().close)
            closing.push_async_callback(self.decoder.close)
            closing.push_async_callback(self.engine.close)
            closing.push_async_callback(self.tasks.close)

    async def on_ready(self) -> None:
        """Recovery waits for the channels to be known. Discord may say 'ready' again after a reconnect."""
        log.info("ready", user=str(self.user), servers=len(self.guilds))
        if not self._recovered:
            await self.jobs.recover()
            await self.deletion.carry_out()
            await self.forgetting.recover()
            self._recovered = True
            self.tasks.spawn(self.retention.run(), name="what goes by itself")
        await self.retention.compare({guild.id for guild in self.guilds})

    async def on_message(self, message: discord.Message) -> None:
        await on_reply(self, message)

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        await on_form(interaction)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        await self.retention.left(guild.id)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        await self.retention.joined(guild.id)

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        await self._forget_message(event.message_id)

    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        for message_id in event.message_ids:
            await self._forget_message(message_id)

    async def on_raw_thread_delete(self, event: discord.RawThreadDeleteEvent) -> None:
        await self._place_deleted(event.thread_id, event.parent_id)

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        await self._place_deleted(channel.id, None)

    async def on_error(self, event_method: str, /, *_args: Any, **_kwargs: Any) -> None:
        log.error("an event handler failed", event_name=event_method, exc_info=True)  # noqa: LOG014 - called in one

    async def _forget_message(self, message_id: int) -> None:
        if await self.store.post_of_message(message_id) is not None:
            await self.store.forget_message(message_id)
            self.delivery.detach(message_id)

    async def _place_deleted(self, place_id: int, parent_id: int | None) -> None:
        """Stop the jobs of a deleted thread; who waited reads it in the channel that the thread hung under."""
        stopped = await self.jobs.place_deleted(place_id)
        parent = self.get_channel(parent_id) if parent_id is not None else None
        if not stopped or not isinstance(parent, discord.TextChannel):
            return
        scene = await self.store.scene(stopped[0].scene_id)
        try:
            await parent.send(texts.thread_deleted(scene.title), silent=True, nonce=f"t{place_id}:gone")
        except REFUSALS as error:
            log.info("nobody could be told of a deleted thread", thread=place_id, why=str(error))

    async def _line_weight(self, guild_id: int | None, standing: Standing) -> float:
        return (await self.rules.limits(guild_id, standing)).role_weight

    async def _retention_days(self, guild_id: int | None) -> int:
        return (await self.rules.limits(guild_id)).retention_days

    async def _sync_if_changed(self) -> None:
        """Discord counts command changes per day: register only when the commands are not those of the last time."""
        payload = [command.to_dict(self.tree) for command in self.tree.get_commands()]
        wanted = f"{self.application_id}:{hashlib.sha256(json.dumps(payload).encode()).hexdigest()}"
        if await self.store.remembered("commands") == wanted:
            return
        await self.tree.sync()
        await self.store.remember("commands", wanted)
        log.info("commands registered", count=len(payload))


class ArtTree(app_commands.CommandTree[ArtBot]):
    """Slash commands; their errors are answered like everybody else's."""

    async def interaction_check(self, interaction: discord.Interaction[ArtBot], /) -> bool:
        return await admits(interaction)

    async def on_error(
        self, interaction: discord.Interaction[ArtBot], error: app_commands.AppCommandError
    ) -> None:
        cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
        await answer_error(interaction, cause)
