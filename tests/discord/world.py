"""The simulated Discord without a bot in its process: people, channels, messages, and the events they cause.

simcord's backend holds the state, so that there is one idea of what Discord does; what is added here is what a bot
in a process of its own needs: real time, links to files, nonces. simcord calls its backend internal; it is pinned to
one version, and this module and `server` are the only ones that touch it.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from PIL import Image, UnidentifiedImageError
from simcord import interactions
from simcord._clock import Clock
from simcord.backend import Backend, serializers
from simcord.backend.cdn import CdnStore
from simcord.backend.errors import BackendError
from simcord.backend.models import AllowedMentions, Channel, Guild, Interaction, Message, User
from simcord.components import walk_components
from simcord.http import router

from tests.discord.limits import MAX_FILE_BYTES, Request

T = TypeVar("T")

File = tuple[str, bytes]
"""Name and content."""

APPLICATION_COMMAND, MESSAGE_COMPONENT = 2, 3
ATTACHMENT = 11
DEADLOCK_SECONDS = 60.0

_SEEN_TYPES = (0, 19, 20, 23)
"""Messages that were written: plain, reply, answer to a command or a context menu; not "started a thread"."""


@dataclass(frozen=True)
class Received:
    """One file of a request, as simcord takes it."""

    filename: str
    fp: io.BytesIO
    description: str | None = None


class World:
    """What is there and what people do. `changed` is called after everything that happens."""

    def __init__(self) -> None:
        self.cdn = Files()
        self.backend = Backend(clock=RealClock())
        self.backend.cdn = self.cdn
        self.backend.subscribers.append(self._remember)
        self.bot = self.backend.bot_user
        self.posted: dict[int, Message] = {}
        self.edits: Counter[int] = Counter()
        self.story: list[str] = []
        self.reads_content = False
        self._nonces: dict[str, int] = {}
        self._changed = asyncio.Event()

    # What is there

    def guild(self, name: str = "Studio") -> Guild:
        return self.backend.create_guild(name)

    def channel(self, guild: Guild, name: str = "art") -> Channel:
        return self.backend.create_channel(guild.id, name)

    def person(self, name: str, *guilds: Guild) -> User:
        """Somebody who is a member of these guilds; everybody can be written to directly."""
        user = self.backend.make_user(name)
        for guild in guilds:
            self.backend.add_member(guild.id, user.id)
        return user

    def dm(self, user: User) -> Channel:
        return self.backend.get_dm_channel(user.id)

    def threads(self, channel: Channel) -> list[Channel]:
        return [each for each in self.backend.channels.values() if each.parent_id == channel.id]

    def messages(self, channel_id: int) -> list[Message]:
        """Everything in a channel, ephemeral answers included, oldest first."""
        return list(self.backend.messages[channel_id].values())

    def file(self, attachment: Mapping[str, Any]) -> bytes:
        """The content of one entry of a message's `attachments`."""
        content = self.cdn.get(attachment["url"])
        assert content is not None, f"there is no file at {attachment['url']}"
        return content

    # What people do; `server` adds that they find the bot online

    def use_command(self, user: User, channel: Channel, name: str, options: Mapping[str, Any]) -> Interaction:
        """A slash command ("group command" for a subcommand). A file option's value is a File."""
        command = self.backend.find_command(name.split()[0], channel.guild_id)
        assert command is not None, f"the bot has no command /{name}"
        leaf, nesting = interactions.walk_to_subcommand(command, name.split()[1:])
        given = interactions.check_options(name, leaf, dict(options))
        kinds = {option["name"]: option["type"] for option in leaf.get("options") or []}
        resolved: dict[str, Any] = {}
        filled = []
        for key, value in given.items():
            if kinds[key] == ATTACHMENT:
                (stored,) = self.backend.store_attachments(channel.id, [value])
                resolved.setdefault("attachments", {})[stored["id"]] = {**stored, "ephemeral": True}
                value = stored["id"]
            filled.append({"name": key, "type": kinds[key], "value": value})
        data = {"id": command["id"], "name": command["name"], "type": command["type"], "resolved": resolved}
        data["options"] = interactions.nest_options(command, nesting, filled)
        return self._interact(APPLICATION_COMMAND, user, channel, data)

    def press(self, user: User, message: Message, custom_id: str, values: Sequence[str] = ()) -> Interaction:
        """Press a button of a message, or choose `values` in its select."""
        offered = {
            each["custom_id"]: each for each in walk_components(message.components) if "custom_id" in each
        }
        assert custom_id in offered, f"no {custom_id} on this message, only {', '.join(offered) or 'nothing'}"
        pressed = offered[custom_id]
        assert not pressed.get("disabled"), f"{custom_id} is disabled"
        data: dict[str, Any] = {
            "custom_id": custom_id,
            "component_type": pressed["type"],
            "id": pressed["id"],
        }
        if values:
            data["values"] = list(values)
        channel = self.backend.get_channel(message.channel_id)
        return self._interact(MESSAGE_COMPONENT, user, channel, data, message)

    def write(
        self,
        user: User,
        channel: Channel | int,
        content: str,
        files: Iterable[File] = (),
        to: Message | None = None,
        ping: bool = True,
    ) -> Message:
        """A message; with `to` a reply, whose ping may be off."""
        channel_id = channel if isinstance(channel, int) else channel.id
        reference = {"channel_id": str(to.channel_id), "message_id": str(to.id)} if to else None
        return self.backend.create_message(
            channel_id,
            user.id,
            content,
            reference=reference,
            attachments=self.backend.store_attachments(channel_id, list(files)),
            allowed_mentions=AllowedMentions(replied_user=ping),
        )

    def delete(self, message: Message) -> None:
        """A person deletes a message; that the bot posts it anew is then no repetition."""
        self.posted.pop(message.id, None)
        self.backend.delete_message(message.channel_id, message.id)

    def forget_nonces(self) -> None:
        """Discord remembers a nonce for a few minutes."""
        self._nonces.clear()

    # What the bot does

    def apply(self, request: Request, files: list[Received], params: Mapping[str, str]) -> tuple[int, Any]:
        """Carry out a request of the bot: the status and the JSON that answer it."""
        earlier = self._sent_before(request)
        if earlier is not None:
            return 200, self._answer_again(request, earlier)
        try:
            answer = router.dispatch(
                self.backend,
                request.method,
                request.path,
                json=request.body,
                params=dict(params),
                files=files,
                message_content_access=self.reads_content,
            )
        except BackendError as error:
            return error.status, error.to_json()
        if isinstance(request.body, dict) and request.body.get("enforce_nonce"):
            self._nonces[str(request.body["nonce"])] = int(answer["id"])
            answer["nonce"] = request.body["nonce"]
        return (204, None) if answer is None else (200, answer)

    def _sent_before(self, request: Request) -> Message | None:
        if (
            request.method != "POST"
            or not isinstance(request.body, dict)
            or not request.body.get("enforce_nonce")
        ):
            return None
        message_id = self._nonces.get(str(request.body.get("nonce")))
        return next((each[message_id] for each in self.backend.messages.values() if message_id in each), None)

    def _answer_again(self, request: Request, message: Message) -> dict[str, Any]:
        return {**serializers.message_payload(self.backend, message), "nonce": request.body["nonce"]}

    # What a person sees

    def assert_nothing_twice(self, same: Callable[[Message], Hashable] | None = None) -> None:
        """Fails if two posts of the bot are the same to a person.

        same: what makes them so, None for a post that may be repeated. By default their words, buttons and pictures.
        """
        same = same or self._look
        seen: dict[Hashable, Message] = {}
        for message in self.posted.values():
            look = same(message)
            if look is not None:
                first = seen.setdefault(look, message)
                assert first is message, f"posted twice: {look!r}\n{self.told()}"

    def _look(self, message: Message) -> Hashable:
        parts = list(walk_components(message.components))
        words = [message.content, *(str(part["content"]) for part in parts if "content" in part)]
        buttons = [str(part["custom_id"]) for part in parts if "custom_id" in part]
        files = [hashlib.sha256(self.file(each)).hexdigest() for each in message.attachments]
        return message.channel_id, tuple(words), tuple(buttons), tuple(files)

    # Waiting

    async def wait_for(self, what: Callable[[], T | None], meaning: str = "") -> T:
        """The first true value of `what`, which is asked again after everything that happens.

        Fails after DEADLOCK_SECONDS without it, or at once when `stuck` says that nothing can happen any more.
        """
        try:
            async with asyncio.timeout(DEADLOCK_SECONDS):
                while not (value := what()):
                    self._changed.clear()
                    reason = self.stuck()
                    assert not reason, f"{meaning or 'waiting'}: {reason}\n{self.told()}"
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"{meaning or 'waiting'}: it did not happen\n{self.told()}") from None
        return value

    def stuck(self) -> str:
        """Why nothing more can be expected, empty while something can."""
        return ""

    def changed(self, event: str) -> None:
        self.story.append(event)
        self._changed.set()

    def told(self) -> str:
        return "\n".join(["What happened last:", *self.story[-40:]])

    def _remember(self, event: str, payload: Mapping[str, Any]) -> None:
        if event in ("MESSAGE_CREATE", "MESSAGE_UPDATE") and int(payload["author"]["id"]) == self.bot.id:
            message = self.backend.messages[int(payload["channel_id"])][int(payload["id"])]
            if event == "MESSAGE_UPDATE":
                self.edits[message.id] += 1
            elif message.type in _SEEN_TYPES:
                self.posted[message.id] = message
        self.changed(event)

    def _interact(
        self, kind: int, user: User, channel: Channel, data: dict[str, Any], source: Message | None = None
    ) -> Interaction:
        record, payload = interactions.base_payload(
            self.backend,
            type=kind,
            channel_id=channel.id,
            guild_id=channel.guild_id,
            user_id=user.id,
            data=data,
        )
        # Three seconds of real time would make a busy machine fail the test; the deadline is simcord's to test.
        record.initial_response_deadline = None
        payload["attachment_size_limit"] = MAX_FILE_BYTES
        if source is not None:
            record.source_message_id = source.id
            payload["message"] = dict(serializers.message_payload(self.backend, source))
        self.backend.emit("INTERACTION_CREATE", payload)
        return record


class RealClock(Clock):
    """The bot compares ids and times with its own clock, so this one shows the same time, plus what was added."""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.elapsed)


class Files(CdnStore):
    """Attachments behind links that can be fetched, with the size that Discord finds out for pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.base = ""
        self._content: dict[str, bytes] = {}

    def store_attachment(
        self, attachment_id: int, channel_id: int, filename: str, data: bytes, description: str | None
    ) -> dict[str, Any]:
        stored = super().store_attachment(attachment_id, channel_id, filename, data, description)
        stored["url"] = stored["proxy_url"] = f"{self.base}/{channel_id}/{attachment_id}/{filename}"
        self._content[stored["url"]] = bytes(data)
        try:
            with Image.open(io.BytesIO(data)) as picture:
                stored["width"], stored["height"] = picture.size
        except (UnidentifiedImageError, Image.DecompressionBombError):
            pass  # not a picture, or one that Discord would not look into either
        return stored

    def get(self, url: str) -> bytes | None:
        return self._content.get(url)
