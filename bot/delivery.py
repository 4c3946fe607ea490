"""Getting Cards into Discord and keeping them up to date.

A Card is a regular message with a nonce of its own, never the answer to an interaction: only a reply to a regular
message can be read without the message-content intent, and the 15 minutes of an interaction's token do not matter.
The intent to post is stored before the send, so that a crash in between leads back to the same message.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Protocol, TypeVar, cast

import aiohttp
import discord
import msgspec
import structlog
from discord import ui

from bot import texts
from bot.custom_ids import names_job
from bot.errors import DeliveryDelayed, PlaceGone
from bot.places import Place, thread_name, threads_like
from bot.store import Job, Post, Scene, Store
from bot.tasks import Tasks
from inference import Park

log = structlog.get_logger(__name__)

REFUSALS = (discord.HTTPException, discord.RateLimited)
"""How discord.py says that a request was not carried out; the second when Discord asks to wait for too long."""

NOBODY = discord.AllowedMentions.none()
EDIT_GAP_SECONDS = 2.5
NONCE_SECONDS = 120.0
"""Discord remembers a nonce for "a few minutes"; after two we look for the message itself."""

CARD_SECONDS = 3600.0
"""Edits of a message older than an hour are limited much more tightly: then a new message carries the result."""

_HISTORY_LOOKED_AT = 100
_UNKNOWN_MESSAGE, _THREAD_ARCHIVED = 10008, 50083


class NewFile(msgspec.Struct, frozen=True):
    name: str
    data: bytes


class CardContent(msgspec.Struct, frozen=True):
    """One state of a Card: the view, the files it needs by name, and new bytes for those that are not there yet."""

    view: ui.LayoutView
    needs: tuple[str, ...]
    bytes_of: Callable[[str], Awaitable[bytes]]


class Throttles(Protocol):
    """One limiter per channel, shared by all cards there."""

    def __call__(self, channel_id: int) -> AbstractAsyncContextManager[object]: ...


def unthrottled(channel_id: int) -> AbstractAsyncContextManager[object]:  # noqa: ARG001 - the seam's signature
    return nullcontext()


T = TypeVar("T")
Render = Callable[[int], Awaitable[CardContent]]


class Delivery:
    """Posts and edits the Cards of Jobs. `render` says what a Job's card looks like now."""

    def __init__(
        self,
        client: discord.Client,
        store: Store,
        tasks: Tasks,
        *,
        park: Park,
        now: Callable[[], float],
        throttles: Throttles,
        edit_gap: float,
    ) -> None:
        self._client = client
        self._store = store
        self._tasks = tasks
        self._park = park
        self._now = now
        self._throttles = throttles
        self._edit_gap = edit_gap
        self._cards: dict[int, _Card] = {}
        self._opening = asyncio.Lock()

    def card(self, job_id: int, render: Render) -> None:
        """Begin to look after a Job's card."""
        self._cards.setdefault(job_id, _Card(job_id, render))

    def refresh(self, job_id: int) -> None:
        """Show the job's newest state soon. Calls while one is under way or due are folded into one edit."""
        card = self._cards.get(job_id)
        if card is None:
            return
        card.dirty = True
        if not card.refreshing:
            card.refreshing = True
            self._tasks.spawn(self._refresh(card), name=f"card of job {job_id}")

    async def post(self, job: Job) -> Place:
        """Have the job's place open and its card posted; returns the place. Raises DeliveryFailed."""
        card = self._looked_after(job)
        async with card.sending:
            place = await self.place_of(job)
            await self._message(card, job, place)
        return place

    async def finish(self, job: Job) -> discord.Message:
        """Show the final state for certain, then look after the card no longer. Raises DeliveryFailed."""
        card = self._looked_after(job)
        card.dirty = False
        async with card.sending:
            place = await self.place_of(job)
            message = await self._message(card, job, place)
            old = self._now() - message.created_at.timestamp() > CARD_SECONDS
            if old or not await self._edit(card, message):
                message = await self._send(card, job, place)
        self._cards.pop(job.id, None)
        return message

    def detach(self, message_id: int) -> None:
        """The message is gone in Discord: the next refresh or finish posts a new one."""
        for card in self._cards.values():
            if card.message is not None and card.message.id == message_id:
                card.message = None
                self.refresh(card.job_id)

    def drop(self, job_id: int) -> None:
        """Look after this card no longer."""
        self._cards.pop(job_id, None)

    async def place_of_scene(self, scene_id: int) -> Place:
        """Where a Scene is held now. Raises DeliveryFailed."""
        return await self._find((await self._store.scene(scene_id)).place_id)

    async def place_of(self, job: Job) -> Place:
        """The channel or thread of the job's Scene; the thread is opened here. Raises DeliveryFailed."""
        scene = await self._store.scene(job.scene_id)
        place = await self._find(scene.place_id)
        if scene.awaits_thread and isinstance(place, discord.TextChannel):
            return await self._open_thread(place, scene, job)
        return place

    async def send(
        self, place: Place, post: Post, view: ui.LayoutView, files: Collection[NewFile]
    ) -> discord.Message:
        """Post one message under its stored nonce. Raises DeliveryFailed."""
        async with self._throttles(place.id):
            message = await _discord(
                place.send(
                    view=view,
                    files=[discord.File(io.BytesIO(file.data), file.name) for file in files],
                    nonce=post.nonce,
                    silent=True,
                )
            )
        async with self._store.transaction() as tx:
            await self._store.posted_as(tx, post.nonce, message.id)
        return message

    async def intend(self, place: Place, *, job_id: int | None = None, picture_id: int | None = None) -> Post:
        """A row for a message that is about to be sent, with the next free nonce."""
        async with self._store.transaction() as tx:
            count = await self._store.count_posts(tx, job_id, picture_id)
            post = Post(
                nonce=f"{job_id}:card:{count}" if job_id is not None else f"p{picture_id}:show:{count}",
                job_id=job_id,
                picture_id=picture_id,
                channel_id=place.id,
                message_id=None,
                created_at=self._now(),
            )
            await self._store.intend_post(tx, post)
        return post

    def _looked_after(self, job: Job) -> _Card:
        """The job may have been stopped, and its card let go, while somebody was about to post it."""
        card = self._cards.get(job.id)
        if card is None:
            raise PlaceGone(f"the card of job {job.id} is no longer looked after")
        return card

    async def _refresh(self, card: _Card) -> None:
        try:
            while card.dirty:
                wait = card.last_edit + self._edit_gap - self._now()
                if wait > 0:
                    await self._park(asyncio.sleep(wait), "the next edit of a card")
                async with card.sending:
                    await self._show(card)
        except PlaceGone as error:
            log.info("a card has no place any more", job=card.job_id, why=str(error))
        except DeliveryDelayed as error:
            log.warning("a preview was not shown", job=card.job_id, why=str(error))
        finally:
            card.refreshing = False

    async def _show(self, card: _Card) -> None:
        if not card.dirty:  # finished meanwhile
            return
        card.dirty = False
        job = await self._store.job(card.job_id)
        if job is None:
            return
        place = await self.place_of(job)
        message = await self._message(card, job, place)
        if not await self._edit(card, message):
            await self._send(card, job, place)

    async def _message(self, card: _Card, job: Job, place: Place) -> discord.Message:
        """The card's message: known, found again after a restart, or posted now."""
        if card.message is None:
            post = await self._store.latest_post_of_job(job.id)
            if post is None or post.gone:
                return await self._send(card, job, place)
            card.message = await self._find_again(post, job, place)
            if card.message is None:
                return await self._send(card, job, place, None if post.message_id else post)
        return card.message

    async def _find_again(self, post: Post, job: Job, place: Place) -> discord.Message | None:
        if post.message_id is not None:
            try:
                return await _discord(place.fetch_message(post.message_id))
            except PlaceGone:
                await self._store.forget_message(post.message_id)
                return None
        if self._now() - post.created_at < NONCE_SECONDS:
            return None  # the same nonce gives the message that may be there already
        for message in await _discord(_latest(place)):
            if message.author == self._client.user and _carries(message, job.id):
                async with self._store.transaction() as tx:
                    await self._store.posted_as(tx, post.nonce, message.id)
                return message
        return None

    async def _send(self, card: _Card, job: Job, place: Place, post: Post | None = None) -> discord.Message:
        post = post or await self.intend(place, job_id=job.id)
        content = await card.render(job.id)
        files = [NewFile(name, await content.bytes_of(name)) for name in content.needs]
        card.message = await self.send(place, post, content.view, files)
        card.last_edit = self._now()
        return card.message

    async def _edit(self, card: _Card, message: discord.Message) -> bool:
        """False if this message cannot be edited any more and a new one has to take its place."""
        content = await card.render(card.job_id)
        there = {attachment.filename: attachment for attachment in message.attachments}
        attachments: list[discord.Attachment | discord.File] = []
        for name in content.needs:
            kept = there.get(name)
            attachments.append(kept or discord.File(io.BytesIO(await content.bytes_of(name)), name))
        try:
            async with self._throttles(message.channel.id):
                # The client's default for mentions goes only into sends: an edit without its own may ping.
                card.message = await _discord(
                    message.edit(view=content.view, attachments=attachments, allowed_mentions=NOBODY)
                )
        except _MessageGone:
            card.message = None
            await self._store.forget_message(message.id)
            return False
        card.last_edit = self._now()
        return True

    async def _find(self, channel_id: int) -> Place:
        channel = self._client.get_channel(channel_id)
        if channel is None:
            channel = await _discord(self._client.fetch_channel(channel_id))
        if not isinstance(channel, discord.abc.Messageable):
            raise PlaceGone(f"channel {channel_id} takes no messages")
        return cast("Place", channel)

    async def _open_thread(self, channel: discord.TextChannel, scene: Scene, job: Job) -> Place:
        """The Scene's own thread; where that is refused, the channel, and the card says so."""
        async with self._opening:
            try:
                thread = await self._thread_for(channel, scene)
            except (PlaceGone, _NotHere) as error:
                log.info("no thread could be opened", channel=channel.id, why=str(error))
                async with self._store.transaction() as tx:
                    await self._store.set_thread(tx, scene.id, None)
                    await self._store.add_note(tx, job, texts.STAYED_IN_CHANNEL)
                return channel
            async with self._store.transaction() as tx:
                await self._store.set_thread(tx, scene.id, thread.id)
        with contextlib.suppress(*REFUSALS):  # who left cannot be added; the thread still serves
            await thread.add_user(discord.Object(scene.owner_id))
        return thread

    async def _thread_for(self, channel: discord.TextChannel, scene: Scene) -> discord.Thread:
        """A new thread; or the one that was opened for this Scene just before a crash and belongs to no other."""
        name = thread_name(scene.title)
        for thread in threads_like(channel, name, scene.created_at):
            if await self._store.scene_of_thread(thread.id) is None:
                return thread
        return await _discord(channel.create_thread(name=name, type=discord.ChannelType.public_thread))


class _MessageGone(PlaceGone):
    """This message is deleted or can no longer be edited; the place may still be there."""


class _NotHere(DeliveryDelayed):
    """Discord refuses this for good (400): too many threads, for instance."""


class _Card:
    """What is known of one Card while it is looked after."""

    def __init__(self, job_id: int, render: Render) -> None:
        self.job_id = job_id
        self.render = render
        self.message: discord.Message | None = None
        self.sending = asyncio.Lock()
        self.dirty = False
        self.refreshing = False
        self.last_edit = 0.0


async def _latest(place: Place) -> list[discord.Message]:
    return [message async for message in place.history(limit=_HISTORY_LOOKED_AT)]


def _carries(message: discord.Message, job_id: int) -> bool:
    view = ui.LayoutView.from_message(message, timeout=None)
    ids = (getattr(item, "custom_id", None) for item in view.walk_children())
    return any(names_job(custom_id, job_id) for custom_id in ids if custom_id)


async def _discord(call: Awaitable[T]) -> T:
    """Await one call to Discord; its ways of saying no become ours."""
    try:
        return await call
    except discord.NotFound as error:
        raise (_MessageGone if error.code == _UNKNOWN_MESSAGE else PlaceGone)(str(error)) from error
    except discord.Forbidden as error:
        raise PlaceGone(str(error)) from error
    except discord.HTTPException as error:
        if error.code == _THREAD_ARCHIVED:
            raise _MessageGone(str(error)) from error
        raise (_NotHere if error.status == 400 else DeliveryDelayed)(str(error)) from error
    except (discord.RateLimited, aiohttp.ClientError, TimeoutError, OSError) as error:
        raise DeliveryDelayed(str(error)) from error
