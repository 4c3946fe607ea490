"""What the browser talks to: it passes everything on to simcord's preview, and adds what that lacks.

- Messages with pictures: the preview's composer takes only words. Ours sends both here; the pictures are handed to the
  person who speaks, and the preview gets the words.
- One thing at a time: what people do waits for the clock and the other way round; the simulation allows no overlap.
- A press on a page that is a moment old is forgiven, as long as what was pressed is still there.
- Pictures go to the browser as they are: the preview re-makes each in a process of its own, slower than previews come,
  and refuses to show more than eight new ones at a time.

All that this module knows of simcord is what its page and its server say to each other (protocol 3).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
from aiohttp import web

from bot import texts
from bot.playground import drawings
from bot.playground.installed import PlaygroundUnavailable

Json = dict[str, Any]
Body = bytes | aiohttp.JsonPayload | aiohttp.FormData

HandFiles = Callable[[str, Sequence[tuple[str, bytes]]], None]
"""Called with a viewer's id and the files that go out with their next message, by name and content."""

_MOST_BYTES = 32 * 2**20
"""A little over what the preview takes in one action."""

_MOST_PAGES = 32
_CONTEXT = "X-Simcord-Context"
_PASSED_ON = ("X-Simcord-Capability", _CONTEXT, "Content-Type", "Accept")
_NOT_PASSED_BACK = ("Content-Length", "Content-Encoding", "Transfer-Encoding", "Connection", "Date", "Server")
_SHOWN_AS_THEY_ARE = ("image/png", "image/jpeg", "image/webp")
_OURS = {"page.js": "text/javascript", "page.css": "text/css"}
_IN_HEAD = """\
  <link rel="icon" href="/playground/icon.png">
    <link rel="stylesheet" href="/playground/page.css">
    <script src="/playground/page.js" defer></script>
  </head>"""


class Upload(msgspec.Struct, frozen=True):
    """One file of an action. field: which option or control it fills."""

    field: str
    name: str
    data: bytes


class Front:
    """Serves the pages; `lock` is held while somebody acts on the simulation. To be made on a running event loop."""

    def __init__(self, preview_url: str, lock: asyncio.Lock, hand_files: HandFiles) -> None:
        parts = urlsplit(preview_url)
        self._preview = f"{parts.scheme}://{parts.netloc}"
        self._capability = parts.fragment
        self._lock = lock
        self._hand_files = hand_files
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))
        self._seen: dict[str, bytes] = {}
        self._hosts: tuple[str, ...] = ()
        app = web.Application(client_max_size=_MOST_BYTES, middlewares=[self._only_from_here])
        app.router.add_get("/", self._index)
        app.router.add_get("/playground/{name}", self._our_file)
        app.router.add_get("/api/assets/{asset}", self._asset)
        app.router.add_post("/api/action", self._action)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)

    async def start(self, port: int) -> None:
        """Listen, on this machine only; port 0 takes a free one. Raises PlaygroundUnavailable if it is in use."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, "127.0.0.1", port).start()
        except OSError as error:
            raise PlaygroundUnavailable(texts.port_not_free(port)) from error
        bound = self._runner.addresses[0][1]
        self._hosts = (f"127.0.0.1:{bound}", f"localhost:{bound}")

    async def close(self) -> None:
        await self._runner.cleanup()
        await self._session.close()

    @property
    def url(self) -> str:
        """Whoever has it can act in the playground: the preview's secret is in it."""
        return f"http://{self._hosts[0]}/#{self._capability}"

    @web.middleware
    async def _only_from_here(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Other sites' pages must not act here, not even under a name of theirs that leads to this machine."""
        origin = request.headers.get("Origin")
        if request.host not in self._hosts or (origin and urlsplit(origin).netloc not in self._hosts):
            raise web.HTTPForbidden
        try:
            return await handler(request)
        except aiohttp.ClientError:
            raise web.HTTPBadGateway from None  # the preview is being closed

    async def _index(self, request: web.Request) -> web.Response:
        response = await self._ask(request, None)
        response.text = (response.text or "").replace("</head>", _IN_HEAD, 1)
        return response

    async def _our_file(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name == "icon.png":
            return web.Response(body=drawings.moon(), content_type="image/png")
        if name not in _OURS:
            raise web.HTTPNotFound
        text = (resources.files("bot.playground") / "page" / name).read_text("utf-8")
        if name == "page.js":
            text = f"const TEXTS = {json.dumps(texts.PLAYGROUND_PAGE)};\n{text}"
        return web.Response(text=text, content_type=_OURS[name], headers={"Cache-Control": "no-store"})

    async def _asset(self, request: web.Request) -> web.Response:
        if not request.query:
            original = await self._ask(request, None, {"download": "1"})
            if original.content_type in _SHOWN_AS_THEY_ARE:
                return original
        return await self._ask(request, None)

    async def _pass_on(self, request: web.Request) -> web.Response:
        response = await self._ask(request, await request.read() or None)
        if request.path in ("/api/state", "/api/pages") and response.status == 200:
            self._remember(response)
        return response

    async def _action(self, request: web.Request) -> web.Response:
        """Something that a person does on a page."""
        body, uploads = await _read_action(request)
        async with self._lock:
            now = await self._state(request)
            if now is not None:
                seen = self._seen.get(request.headers[_CONTEXT])
                body = _forgiven(body, json.loads(seen) if seen else {}, now)
                if body.get("kind") == "send_message":
                    self._hand_files(str(now["viewerId"]), [(upload.name, upload.data) for upload in uploads])
                    uploads = []
            return await self._ask(request, _write_action(body, uploads))

    async def _state(self, request: web.Request) -> Json | None:
        """What this page would be told if it asked now; None if the preview does not know it."""
        async with self._session.get(f"{self._preview}/api/state", headers=_headers(request)) as answer:
            return _object(await answer.read()) if answer.status == 200 else None

    async def _ask(
        self, request: web.Request, body: Body | None, query: Mapping[str, str] | None = None
    ) -> web.Response:
        """The preview's answer to this request, with another body or query where one is given."""
        headers = _headers(request)
        if not isinstance(body, bytes):
            headers.pop("Content-Type", None)  # it brings its own
        ask = self._session.request(
            request.method,
            f"{self._preview}{request.path}",
            params=request.query if query is None else query,
            headers=headers,
            data=body,
        )
        async with ask as answer:
            kept = {name: value for name, value in answer.headers.items() if name not in _NOT_PASSED_BACK}
            return web.Response(body=await answer.read(), status=answer.status, headers=kept)

    def _remember(self, response: web.Response) -> None:
        """What each page was told last. Pages go without a word, so the oldest are dropped."""
        assert isinstance(response.body, bytes)
        context = str(_object(response.body)["context"]["id"])
        self._seen.pop(context, None)
        self._seen[context] = response.body
        if len(self._seen) > _MOST_PAGES:
            del self._seen[next(iter(self._seen))]


async def _read_action(request: web.Request) -> tuple[Json, list[Upload]]:
    """An action comes as JSON or, with files, as a form whose part `payload` is that JSON."""
    if not request.content_type.startswith("multipart/"):
        return _object(await request.read()), []
    form = await request.post()
    uploads = [
        Upload(field, part.filename, part.file.read())
        for field, part in form.items()
        if isinstance(part, web.FileField)
    ]
    return _object(str(form.get("payload", ""))), uploads


def _write_action(body: Json, uploads: Sequence[Upload]) -> Body:
    if not uploads:
        return aiohttp.JsonPayload(body)
    form = aiohttp.FormData({"payload": json.dumps(body)})
    for upload in uploads:
        form.add_field(upload.field, upload.data, filename=upload.name)
    return form


def _headers(request: web.Request) -> dict[str, str]:
    return {name: request.headers[name] for name in _PASSED_ON if name in request.headers}


def _object(text: str | bytes) -> Json:
    try:
        value = json.loads(text)
    except ValueError:
        raise web.HTTPBadRequest from None
    if not isinstance(value, dict):
        raise web.HTTPBadRequest
    return value


def _forgiven(body: Json, seen: Json, now: Json) -> Json:
    """The action as if its page had seen what is there now.

    The page calls a control by its place, and places change: Again may stand where Cancel was a moment ago. So what
    was pressed is found again by its custom_id, as Discord does it; if it is gone, the action is left as it is, and
    the preview refuses it as out of date.
    """
    current = {**body, "published_revision": now["publishedRevision"]}
    if body.get("kind") not in ("click", "select"):
        return current
    pressed = _controls(seen).get(str(body.get("control_key")))
    there = {control: key for key, control in _controls(now).items()}
    return {**current, "control_key": there[pressed]} if pressed in there else body


def _controls(state: Json) -> dict[str, tuple[str, str]]:
    """Every button and select that is shown: what the page calls it, and its message and custom_id."""
    return {
        node["control_key"]: (node["control_key"].partition(":component:")[0], node["custom_id"])
        for node in _objects(state.get("messages"))
        if "control_key" in node and "custom_id" in node
    }


def _objects(value: object) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        yield from _objects(child)
