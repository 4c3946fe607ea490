"""Getting Cards into Discord and keeping them up to date.

A Card is a regular message with a nonce of its own, never the answer to an interaction: only a reply to a regular
message can be read without the message-content intent, and the 15 minutes of an interaction's token do not matter.
The intent to post is stored before the send, so that a crash in between leads back to the same message.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import PurePosixPath
from typing import NamedTuple, Protocol, TypeVar, cast
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

import aiohttp
import discord
import msgspec
import structlog
from discord import ui

from bot import texts
from bot.custom_ids import names_job
from bot.errors import DeliveryDelayed, DeliveryFailed, DeliveryRefused, PlaceGone
from bot.places import Place, thread_name, threads_like
from bot.store import Job, Post, Scene, Store
from bot.tasks import Tasks
from inference import Park

log = structlog.get_logger(__name__)

REFUSALS = (discord.HTTPException, discord.RateLimited, aiohttp.ClientError, OSError)
"""How a request that was not carried out shows: Discord's no, its wish to wait for too long, a broken connection."""

NOBODY = discord.AllowedMentions.none()
EDIT_GAP_SECONDS = 2.5
NONCE_SECONDS = 120.0
"""Discord remembers a nonce for "a few minutes"; after two we look for the message itself."""

RETRY_SECONDS = 10.0
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
        self.edit_gap = edit_gap
        self._cards: dict[int, _Card] = {}
        self._opening: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

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
            self._looked_after(job)  # it may have been deleted while another edit was under way
            place = await self.place_of(job)
            if await self._message(card, job, place) is None:
                await self._send(card, job, place)
        return place

    async def finish(self, job: Job) -> discord.Message:
        """Show the final state for certain, then look after the card no longer. Raises DeliveryFailed."""
        card = self._looked_after(job)
        card.dirty = False
        async with card.sending:
            self._looked_after(job)
            place = await self.place_of(job)
            message = await self._message(card, job, place)
            if message is None or self._is_old(message) or not await self._edit(card, message):
                await self._send(card, job, place)
            assert card.message is not None  # edited or sent just now
        self._cards.pop(job.id, None)
        return card.message

    def detach(self, message_id: int) -> None:
        """The message is gone in Discord: the next refresh or finish posts a new one."""
        for card in self._cards.values():
            if card.message is not None and card.message.id == message_id:
                card.message = None
                self.refresh(card.job_id)

    def drop(self, job_id: int) -> None:
        """Look after this card no longer."""
        self._cards.pop(job_id, None)

    async def let_go(self, job_id: int) -> None:
        """The same, once whatever is being sent for it has been: from now on no message of it comes."""
        card = self._cards.pop(job_id, None)
        if card is not None:
            async with card.sending:
                card.dirty = False

    async def redraw(self, job: Job, render: Render) -> None:
        """Show a card anew that is looked after no more, where it still is. Raises DeliveryFailed."""
        post = await self._store.latest_post_of_job(job.id)
        if post is None or post.gone or post.message_id is None:
            return
        card = _Card(job.id, render)
        place = await self._find(post.channel_id)
        await self._edit(card, await _discord(place.fetch_message(post.message_id)))

    async def remove(self, post: Post) -> bool:
        """Delete a message of ours. False while Discord does not answer; a place that is closed keeps its message."""
        assert post.message_id is not None  # only what was sent can be removed
        try:
            place = await self._find(post.channel_id)
            message = discord.PartialMessage(channel=place, id=post.message_id)
            await _discord(message.delete())
        except DeliveryDelayed as error:
            log.warning("a message could not be deleted yet", message=post.message_id, why=str(error))
            return False
        except DeliveryFailed as error:
            log.info("a message could not be deleted", message=post.message_id, why=str(error))
        await self._store.forget_message(post.message_id)
        return True

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

    async def intend(
        self,
        place: Place,
        *,
        job_id: int | None = None,
        picture_id: int | None = None,
        draft_id: int | None = None,
    ) -> Post:
        """A row for a message that is about to be sent, with the next free nonce. One of the three is given."""
        what = f"{job_id}:card" if job_id else f"p{picture_id}:show" if picture_id else f"d{draft_id}:show"
        async with self._store.transaction() as tx:
            post = Post(
                nonce=f"{what}:{await self._store.count_posts(tx, job_id, picture_id, draft_id)}",
                job_id=job_id,
                picture_id=picture_id,
                draft_id=draft_id,
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
            while card.dirty and self._cards.get(card.job_id) is card:
                wait = card.last_edit + self.edit_gap - self._now()
                if wait > 0:
                    await self._park(asyncio.sleep(wait), "the next edit of a card")
                try:
                    async with card.sending:
                        await self._show(card)
                except DeliveryDelayed as error:
                    log.warning("a card is not up to date", job=card.job_id, why=str(error))
                    card.dirty = True
                    await self._park(asyncio.sleep(RETRY_SECONDS), "Discord to come back")
        except (PlaceGone, DeliveryRefused) as error:
            log.info("a card cannot be shown", job=card.job_id, why=str(error))
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
        if message is None or not await self._edit(card, message):
            await self._send(card, job, place)

    async def _message(self, card: _Card, job: Job, place: Place) -> discord.Message | None:
        """The card's message, known or found again after a restart; None where one has to be sent."""
        if card.message is None:
            post = await self._store.latest_post_of_job(job.id)
            if post is not None and not post.gone:
                card.message = await self._find_again(post, job, place)
        return card.message

    def _is_old(self, message: discord.Message) -> bool:
        return self._now() - message.created_at.timestamp() > CARD_SECONDS

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
            if message.author != self._client.user or not _carries(message, job.id):
                continue
            if await self._store.post_of_message(message.id) is None:  # not an earlier card of the same job
                async with self._store.transaction() as tx:
                    await self._store.posted_as(tx, post.nonce, message.id)
                return message
        return None

    async def _send(self, card: _Card, job: Job, place: Place) -> None:
        """Post a message for this card. One that was meant to be sent, and perhaps was, keeps its nonce."""
        post = await self._store.latest_post_of_job(job.id)
        if post is None or post.gone or post.message_id is not None:
            post = await self.intend(place, job_id=job.id)
        content = await card.render(job.id)
        files = [NewFile(name, await content.bytes_of(name)) for name in content.needs]
        card.message = await self.send(place, post, content.view, files)
        card.last_edit = self._now()

    async def _edit(self, card: _Card, message: discord.Message) -> bool:
        """False if this message cannot be edited any more and a new one has to take its place."""
        content = await card.render(card.job_id)
        there = {file.filename: file for file in files_on(message)}
        attachments: list[discord.Attachment | discord.File] = []
        for name in content.needs:
            if name in there:
                attachments.append(there[name].as_attachment)
            else:
                attachments.append(discord.File(io.BytesIO(await content.bytes_of(name)), name))
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
        async with self._opening.setdefault(channel.id, asyncio.Lock()):
            try:
                thread = await self._thread_for(channel, scene)
            except (PlaceGone, DeliveryRefused) as error:
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
        kind = discord.ChannelType.news_thread if channel.is_news() else discord.ChannelType.public_thread
        return await _discord(channel.create_thread(name=name, type=kind))


class _MessageGone(PlaceGone):
    """This message is deleted or can no longer be edited; the place may still be there."""


class KeptFile(NamedTuple):
    """A file that is already on a message, as an edit names those that are to stay."""

    id: int
    filename: str

    def to_dict(self) -> dict[str, object]:
        return {"id": self.id, "filename": self.filename}

    @property
    def as_attachment(self) -> discord.Attachment:
        """discord.py asks the attachments of an edit for their `to_dict` and nothing else."""
        return cast("discord.Attachment", self)


def files_on(message: discord.Message) -> list[KeptFile]:
    """The files of a message, wherever it holds them.

    Files that a component shows are not in `Message.attachments` (Discord's api-docs, discussion 8279, calls that
    intended); the component itself tells the attachment's id.
    """
    kept = [KeptFile(file.id, file.filename) for file in message.attachments]
    kept += [
        KeptFile(media.attachment_id, PurePosixPath(urlsplit(media.url).path).name)
        for component in message.components
        for media in _media_of(component)
        if media.attachment_id is not None
    ]
    return list({file.id: file for file in kept}.values())


def _media_of(component: object) -> Iterator[discord.UnfurledMediaItem]:
    """Every picture that a component or one inside it shows. (`ui.Thumbnail` forgets the attachment's id.)"""
    match component:
        case discord.Container(children=children):
            for child in children:
                yield from _media_of(child)
        case discord.SectionComponent(accessory=discord.ThumbnailComponent(media=media)):
            yield media
        case discord.MediaGalleryComponent(items=items):
            yield from (item.media for item in items)


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
        refused = 400 <= error.status < 500 and error.status != 429
        raise (DeliveryRefused if refused else DeliveryDelayed)(str(error)) from error
    except REFUSALS as error:
        raise DeliveryDelayed(str(error)) from error
