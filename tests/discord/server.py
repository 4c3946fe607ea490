"""A fake Discord on 127.0.0.1: HTTP API v10, gateway and CDN, for a bot in a process of its own.

Such a bot can be killed with SIGKILL between any two requests and started anew, while the world it talks to goes
on in the test. Requests can be met by an accident: see `before` and `after`.
"""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
import io
import itertools
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import discord
from aiohttp import web
from simcord.backend import serializers
from simcord.backend.models import Channel, Interaction, Message, User
from simcord.gateway import FakeGateway

from tests.discord.limits import Request, Upload
from tests.discord.openapi import OpenApiChecker
from tests.discord.watch import Watch
from tests.discord.world import File, Received, World

API = "/api/v10"
TOKEN = "a.fake.token"

_UNSIGNED = ("/interactions/", "/webhooks/")
"""Routes whose token stands in the path."""

_INVALID = (401, 403, 429)
"""Answers that Discord counts; 10,000 of them in ten minutes lock a bot out."""


@dataclass(frozen=True)
class Answer:
    """Answers instead of Discord. retry_after in seconds, for 429."""

    status: int
    code: int = 0
    retry_after: float = 0.0

    async def __call__(self, request: Request) -> web.Response | None:  # noqa: ARG002 - an accident's signature
        body = {"code": self.code, "message": f"an accident: {self.status}", "global": False}
        if self.status == 429:
            body["retry_after"] = self.retry_after
        # discord.py takes a 429 without Via for a ban by the proxy in front of Discord.
        return _json(body, status=self.status, headers={"Via": "1.1 fake"})


class Reset:
    """The connection breaks: the bot cannot know whether the request was carried out."""


Accident = Callable[[Request], Awaitable[web.Response | type[Reset] | None]]
"""What happens to a request: an answer, a broken connection, or (None) it only looked on."""


async def reset(request: Request) -> type[Reset]:  # noqa: ARG001 - an accident's signature
    return Reset


@dataclass
class Hook:
    """Meets the matching requests after the first `skip` of them, `times` often. `met` are those it met."""

    method: str
    path: str
    accident: Accident
    times: int = 1
    skip: int = 0
    met: list[Request] = field(default_factory=list)

    @property
    def spent(self) -> bool:
        return len(self.met) >= self.times

    def meets(self, request: Request) -> bool:
        """Whether it is this request's turn; counts it."""
        matches = fnmatch.fnmatchcase(request.method, self.method) and fnmatch.fnmatchcase(
            request.path, self.path
        )
        if not matches or self.spent:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.met.append(request)
        return True


class FakeDiscord(World):
    """Use as `async with FakeDiscord() as world`. Every body is held against Discord's description and limits."""

    def __init__(self) -> None:
        super().__init__()
        self.watch = Watch(OpenApiChecker.load())
        self.base = ""
        self.token = TOKEN
        self.session: Session | None = None
        self.invalid_requests = 0
        self.unknown_routes: list[str] = []
        self.failed = ""
        self._before: list[Hook] = []
        self._after: list[Hook] = []
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> FakeDiscord:
        # Bodies beyond Discord's limit are to be reported, not cut off.
        application = web.Application(client_max_size=2**27)
        application.router.add_get("/gateway", self._gateway)
        application.router.add_get("/cdn/{path:.*}", self._cdn)
        application.router.add_route("*", API + "/{path:.*}", self._api)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self.cdn.base = f"{self.base}/cdn"
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.drop_connection()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def connected(self) -> bool:
        return self.session is not None and self.session.connected

    # What people do

    async def online(self) -> None:
        """Wait until the bot is connected and has been told of every guild."""
        await self.wait_for(lambda: self.session and self.session.ready, "waiting for the bot to come online")

    async def slash(self, user: User, channel: Channel, name: str, /, **options: Any) -> Interaction:
        """Use a slash command as soon as the bot is online; a file option's value is (name, bytes)."""
        await self.online()
        return self.use_command(user, channel, name, options)

    async def click(self, user: User, message: Message, custom_id: str) -> Interaction:
        await self.online()
        return self.press(user, message, custom_id)

    async def choose(self, user: User, message: Message, custom_id: str, *values: str) -> Interaction:
        await self.online()
        return self.press(user, message, custom_id, values)

    async def reply(
        self, user: User, message: Message, content: str, files: tuple[File, ...] = (), *, ping: bool = True
    ) -> Message:
        """Reply to a message. Without the ping the bot gets neither words nor files: it may not read them."""
        await self.online()
        return self.write(user, message.channel_id, content, files, to=message, ping=ping)

    async def say(self, user: User, channel: Channel, content: str, files: tuple[File, ...] = ()) -> Message:
        await self.online()
        return self.write(user, channel, content, files)

    # Accidents

    def before(self, method: str, path: str, accident: Accident, *, times: int = 1, skip: int = 0) -> Hook:
        """Have requests meet an accident instead of Discord. method and path may hold `*`."""
        hook = Hook(method, path, accident, times, skip)
        self._before.append(hook)
        return hook

    def after(self, method: str, path: str, accident: Accident, *, times: int = 1, skip: int = 0) -> Hook:
        """Have requests carried out, and then an accident happen to their answer."""
        hook = Hook(method, path, accident, times, skip)
        self._after.append(hook)
        return hook

    async def drop_connection(self, *, resumable: bool = True) -> None:
        """The gateway breaks off; the bot may resume and then gets what it missed, or has to identify anew."""
        session = self.session
        if not resumable:
            self._end_session()
        if session is not None:
            await session.close()

    def repeat(self, event: str, which: Callable[[Mapping[str, Any]], bool] = lambda _: True) -> None:
        """The gateway delivers an event once more: the last one of that kind, or the last such one."""
        assert self.session is not None, "the bot was never online"
        self.session.repeat(event, which)

    def stuck(self) -> str:
        return self.failed

    def assert_clean(self) -> None:
        """Fails with everything that the bot sent and real Discord would refuse or lock it out for."""
        assert not self.unknown_routes, f"not in this fake: {self.unknown_routes}"
        self.watch.assert_clean()

    # HTTP

    async def _api(self, request: web.Request) -> web.Response:
        try:
            sent, files = await _read(request)
        except (ConnectionError, web.RequestPayloadError):
            return web.Response()  # the bot was killed while it sent
        try:
            return await self._meet(sent, files, request)
        except Exception as error:
            # The bot would take it for a fault of Discord and try again and again; the test has to hear of it.
            self.failed = f"the fake Discord failed at {sent}: {error!r}"
            self.changed(self.failed)
            raise

    async def _meet(self, sent: Request, files: list[Received], request: web.Request) -> web.Response:
        self.watch.see(sent)
        outcome = await self._happen(self._before, sent)
        if outcome is None:
            answer = self._carry_out(sent, files, request)
            outcome = await self._happen(self._after, sent) or answer
        if isinstance(outcome, web.Response):
            self.invalid_requests += outcome.status in _INVALID
            self.changed(f"{sent} → {outcome.status}")
            return outcome
        self.changed(f"{sent} → connection reset")
        _break_off(request)
        return web.Response()

    async def _happen(self, hooks: list[Hook], sent: Request) -> web.Response | type[Reset] | None:
        for hook in hooks:
            if hook.meets(sent):
                outcome = await hook.accident(sent)
                if outcome is not None:
                    return outcome
        return None

    def _carry_out(self, sent: Request, files: list[Received], request: web.Request) -> web.Response:
        signed = request.headers.get("Authorization") == f"Bot {self.token}"
        if not signed and not sent.path.startswith(_UNSIGNED):
            return _json({"code": 0, "message": "401: Unauthorized"}, status=401)
        if sent == Request("GET", "/gateway/bot"):
            return _json(self._gateway_bot())
        status, answer = self.apply(sent, files, request.query)
        if status == 501:
            self.unknown_routes.append(str(sent))
        return web.Response(status=status) if answer is None else _json(answer, status=status)

    def _gateway_bot(self) -> dict[str, Any]:
        limit = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
        return {"url": self.gateway_url, "shards": 1, "session_start_limit": limit}

    async def _cdn(self, request: web.Request) -> web.Response:
        content = self.cdn.get(f"{self.cdn.base}/{request.match_info['path']}")
        return web.Response(status=404) if content is None else web.Response(body=content)

    # Gateway

    @property
    def gateway_url(self) -> str:
        return self.base.replace("http://", "ws://") + "/gateway"

    async def _gateway(self, request: web.Request) -> web.WebSocketResponse:
        connection = web.WebSocketResponse()
        await connection.prepare(request)
        await connection.send_json({"op": 10, "d": {"heartbeat_interval": 40_000}})
        teller: asyncio.Task[None] | None = None
        try:
            async for message in connection:
                teller = await self._hear(connection, message.json()) or teller
        finally:
            if teller is not None:
                teller.cancel()
                await asyncio.gather(teller, return_exceptions=True)
            self.changed("the gateway connection ended")
        return connection

    async def _hear(
        self, connection: web.WebSocketResponse, said: Mapping[str, Any]
    ) -> asyncio.Task[None] | None:
        """Op codes: 1 heartbeat, 11 its acknowledgement, 2 identify, 6 resume, 9 resume refused."""
        if said["op"] == 1:
            await connection.send_json({"op": 11})
        elif said["op"] == 2:
            self._end_session()
            self.session = Session(self, said["d"]["intents"])
            self.reads_content = self.session.intents.message_content
            self.changed("the bot identified itself")
            return asyncio.create_task(self.session.tell(connection, after=0))
        elif said["op"] == 6:
            if self.session is not None and self.session.id == said["d"]["session_id"]:
                self.session.add("RESUMED", {})
                self.changed("the bot resumed its session")
                return asyncio.create_task(self.session.tell(connection, after=said["d"]["seq"]))
            await connection.send_json({"op": 9, "d": False})
        return None

    def _end_session(self) -> None:
        if self.session is not None:
            self.backend.subscribers.remove(self.session.feed)
            self.session = None


class Session:
    """What an identified bot is told, in order; kept, so that it can resume where its connection broke off.

    simcord's gateway decides what these intents let through and empties messages that may not be read. It takes
    this for discord.py's state: `intents`, and one function per event in `parsers`.
    """

    _numbers = itertools.count(1)

    def __init__(self, world: FakeDiscord, intents: int) -> None:
        self.id = f"session-{next(self._numbers)}"
        self.intents = discord.Intents.none()
        self.intents.value = intents
        self.parsers = _Parsers(self.add)
        self.feed = FakeGateway(world.backend, self).feed
        self.connection: web.WebSocketResponse | None = None
        self._world = world
        self._events: list[dict[str, Any]] = []
        self._told = 0
        self._more = asyncio.Event()
        self._begin()

    @property
    def connected(self) -> bool:
        return self.connection is not None and not self.connection.closed

    @property
    def ready(self) -> bool:
        """Connected, and everything that happened so far was told."""
        return self.connected and self._told == len(self._events)

    def add(self, event: str, payload: Mapping[str, Any]) -> None:
        self._events.append({"op": 0, "t": event, "s": len(self._events) + 1, "d": payload})
        self._more.set()

    def repeat(self, event: str, which: Callable[[Mapping[str, Any]], bool]) -> None:
        said = (each["d"] for each in reversed(self._events) if each["t"] == event)
        self.add(event, next(payload for payload in said if which(payload)))

    async def tell(self, connection: web.WebSocketResponse, after: int) -> None:
        """Send the events after that sequence number, and those to come, until the connection ends."""
        self.connection, self._told = connection, after
        with contextlib.suppress(ConnectionError):  # the bot was killed; it will come back
            while True:
                while self._told < len(self._events):
                    await connection.send_json(self._events[self._told])
                    self._told += 1
                self._world.changed("the bot was told everything")
                self._more.clear()
                await self._more.wait()

    async def close(self) -> None:
        if self.connection is not None:
            await self.connection.close(code=4000)

    def _begin(self) -> None:
        backend = self._world.backend
        guilds = [{"id": str(guild_id), "unavailable": True} for guild_id in backend.guilds]
        ready = {
            "v": 10,
            "user": serializers.user_payload(backend.bot_user),
            "guilds": guilds,
            "session_id": self.id,
            "resume_gateway_url": self._world.gateway_url,
            "shard": [0, 1],
            "application": {"id": str(backend.application_id), "flags": 0},
        }
        self.add("READY", ready)
        for guild in backend.guilds.values():
            self.feed("GUILD_CREATE", serializers.guild_create_payload(backend, guild))
        backend.subscribers.append(self.feed)


class _Parsers(dict[str, Callable[[Mapping[str, Any]], None]]):
    """A function for every event there is."""

    def __init__(self, add: Callable[[str, Mapping[str, Any]], None]) -> None:
        super().__init__()
        self._add = add

    def __missing__(self, event: str) -> Callable[[Mapping[str, Any]], None]:
        return partial(self._add, event)


async def _read(request: web.Request) -> tuple[Request, list[Received]]:
    path = request.path.removeprefix(API)
    if request.content_type != "multipart/form-data":
        text = await request.text()
        return Request(request.method, path, json.loads(text) if text else None), []
    form = await request.post()
    body = json.loads(str(form["payload_json"]))
    described = {str(each["id"]): each.get("description") for each in _attachments(body)}
    files = []
    for name, part in form.items():
        if isinstance(part, web.FileField):
            number = name.removeprefix("files[").removesuffix("]")
            content = io.BytesIO(part.file.read())
            files.append(Received(part.filename, content, described.get(number)))
    uploads = tuple(Upload(file.filename, len(file.fp.getbuffer())) for file in files)
    return Request(request.method, path, body, uploads), files


def _json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    # discord.py takes anything but exactly this type, without a charset, for text.
    body = json.dumps(content).encode()
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


def _attachments(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Of a message, or of the message inside an interaction's answer or a forum post."""
    inner = body.get("data") or body.get("message") or body
    return inner.get("attachments") or []


def _break_off(request: web.Request) -> None:
    """End the connection with a reset, not a polite goodbye."""
    transport = request.transport
    if transport is not None:
        own: socket.socket = transport.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
