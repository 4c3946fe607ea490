"""Discord's limits that neither its OpenAPI description nor simcord hold: sizes, sums, uniqueness, nonces.

The numbers are Discord's own, for a server without boosts. Where the two checkers overlap, this one gives the
sentence that names the limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MAX_ATTACHMENTS = 10
MAX_FILE_BYTES = 10 * 2**20
MAX_REQUEST_BYTES = 25 * 2**20
MAX_COMPONENTS = 40
MAX_TEXT = 4000
MAX_CONTENT = 2000
MAX_CUSTOM_ID = 100
MAX_BUTTON_LABEL = 80
MAX_FIELD_LABEL = 45
MAX_NONCE = 25
MAX_OPTIONS = 25
MAX_GALLERY = 10
MAX_DESCRIPTION = 1024
MAX_THREAD_NAME = 100
MAX_MODAL_FIELDS = 5
MAX_ROWS = 5

COMPONENTS_V2 = 1 << 15

_ROW, _BUTTON, _SELECT, _TEXT, _GALLERY, _LABEL = 1, 2, 3, 10, 12, 18
_ENTITY_SELECTS = range(5, 9)
_V2_ONLY = frozenset({9, _TEXT, 11, _GALLERY, 13, 14, 17})
_CALLBACK_MESSAGES = (4, 7)
_CALLBACK_MODAL = 9

_SEND = re.compile(r"/channels/\d+/messages|/webhooks/\d+/[^/]+")
_EDIT = re.compile(r"/channels/\d+/messages/\d+|/webhooks/\d+/[^/]+/messages/(\d+|@original)")
_CALLBACK = re.compile(r"/interactions/\d+/[^/]+/callback")
_THREADS = re.compile(r"/channels/\d+/(messages/\d+/)?threads")


@dataclass(frozen=True)
class Upload:
    """One file of a request; size in bytes."""

    filename: str
    size: int


@dataclass(frozen=True)
class Request:
    """What the bot sent. path: below /api/v10, without the query; body: the decoded JSON or None."""

    method: str
    path: str
    body: Any = None
    uploads: tuple[Upload, ...] = ()

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class LimitChecker:
    """Says which limits a request breaks. Remembers nonces: one checker follows one bot through its restarts."""

    _run: int = 0
    _nonces: dict[str, tuple[int, Request]] = field(default_factory=dict)

    def bot_started(self) -> None:
        """A bot that starts anew may repeat a nonce for a send whose answer it never saw."""
        self._run += 1

    def check(self, request: Request) -> list[str]:
        """Problems of one request, each a sentence; empty when there is none."""
        problems = [*_upload_problems(request)]
        body = request.body
        if isinstance(body, dict):
            if request.method == "POST" and _THREADS.fullmatch(request.path):
                problems += _thread_problems(body)
            elif request.method == "POST" and _CALLBACK.fullmatch(request.path):
                problems += _callback_problems(body)
            elif request.method == "POST" and _SEND.fullmatch(request.path):
                problems += _message_problems(body, request.uploads, new=True)
                problems += self._nonce_problems(request)
            elif request.method == "PATCH" and _EDIT.fullmatch(request.path):
                problems += _message_problems(body, request.uploads, new=False)
        return [f"{request}: {problem}" for problem in problems]

    def _nonce_problems(self, request: Request) -> Iterator[str]:
        """A repeated nonce silently returns the earlier message: two different sends must not share one."""
        nonce = request.body.get("nonce")
        if nonce is None:
            return
        if not 1 <= len(str(nonce)) <= MAX_NONCE:
            yield f"nonce {nonce!r} is not 1 to {MAX_NONCE} characters long"
        if not request.body.get("enforce_nonce"):
            yield f"nonce {nonce!r} without enforce_nonce prevents nothing"
        run, earlier = self._nonces.setdefault(str(nonce), (self._run, request))
        same_send = earlier.path == request.path and (run != self._run or earlier == request)
        if not same_send:
            yield f"nonce {nonce!r} was used for another send"


def walk(components: Any) -> Iterator[dict[str, Any]]:
    """Every component of a tree, containers before their children."""
    for component in components if isinstance(components, list) else [components]:
        if isinstance(component, dict):
            yield component
            for key in ("components", "accessory", "component"):
                yield from walk(component.get(key))


def _upload_problems(request: Request) -> Iterator[str]:
    for upload in request.uploads:
        if upload.size > MAX_FILE_BYTES:
            yield f"{upload.filename} has {upload.size} bytes, the limit is {MAX_FILE_BYTES}"
    total = sum(upload.size for upload in request.uploads)
    if total > MAX_REQUEST_BYTES:
        yield f"the files have {total} bytes together, a request may have {MAX_REQUEST_BYTES}"


def _thread_problems(body: dict[str, Any]) -> Iterator[str]:
    name = body.get("name")
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= MAX_THREAD_NAME:
        yield f"the thread's name {name!r} is not 1 to {MAX_THREAD_NAME} characters long"
    if isinstance(body.get("message"), dict):
        yield from _message_problems(body["message"], (), new=True)


def _callback_problems(body: dict[str, Any]) -> Iterator[str]:
    data = body.get("data")
    if not isinstance(data, dict):
        return
    if body.get("type") in _CALLBACK_MESSAGES:
        yield from _message_problems(data, (), new=body["type"] == _CALLBACK_MESSAGES[0])
    elif body.get("type") == _CALLBACK_MODAL:
        yield from _modal_problems(data)


def _modal_problems(data: dict[str, Any]) -> Iterator[str]:
    if not 1 <= len(data.get("title") or "") <= MAX_FIELD_LABEL:
        yield f"the modal's title is not 1 to {MAX_FIELD_LABEL} characters long"
    if not 1 <= len(data.get("components") or []) <= MAX_MODAL_FIELDS:
        yield f"a modal has 1 to {MAX_MODAL_FIELDS} fields"
    components = list(walk(data.get("components")))
    yield from _custom_id_problems([data])
    yield from _custom_id_problems(components)
    for component in components:
        yield from _component_problems(component)


def _message_problems(body: dict[str, Any], uploads: tuple[Upload, ...], *, new: bool) -> Iterator[str]:
    attachments = body.get("attachments")
    files = len(uploads) if attachments is None else len(attachments)
    if max(files, len(uploads)) > MAX_ATTACHMENTS:
        yield f"{max(files, len(uploads))} attachments, a message has at most {MAX_ATTACHMENTS}"
    if len(body.get("content") or "") > MAX_CONTENT:
        yield f"the content is longer than {MAX_CONTENT} characters"
    components = list(walk(body.get("components") or []))
    yield from _layout_problems(body, components, new=new)
    yield from _custom_id_problems(components)
    for component in components:
        yield from _component_problems(component)


def _layout_problems(body: dict[str, Any], components: list[dict[str, Any]], *, new: bool) -> Iterator[str]:
    """Components V2 is a flag of the whole message: content and embeds need it off, layouts need it on."""
    if len(components) > MAX_COMPONENTS:
        yield f"{len(components)} components, a message has at most {MAX_COMPONENTS} with the nested ones"
    text = sum(len(each.get("content") or "") for each in components if each.get("type") == _TEXT)
    if text > MAX_TEXT:
        yield f"{text} characters of text, a message has at most {MAX_TEXT}"
    if (body.get("flags") or 0) & COMPONENTS_V2:
        for key in ("content", "embeds", "poll", "sticker_ids"):
            if body.get(key):
                yield f"{key} next to Components V2"
    elif new:
        if any(component.get("type") in _V2_ONLY for component in components):
            yield "a layout without the Components V2 flag"
        if len(body.get("components") or []) > MAX_ROWS:
            yield f"more than {MAX_ROWS} rows without the Components V2 flag"


def _custom_id_problems(components: list[dict[str, Any]]) -> Iterator[str]:
    seen = set()
    for component in components:
        custom_id = component.get("custom_id")
        if custom_id is None:
            continue
        if not 1 <= len(custom_id) <= MAX_CUSTOM_ID:
            yield f"custom_id {custom_id!r} is not 1 to {MAX_CUSTOM_ID} characters long"
        if custom_id in seen:
            yield f"custom_id {custom_id!r} occurs twice"
        seen.add(custom_id)


def _component_problems(component: dict[str, Any]) -> Iterator[str]:
    kind = component.get("type")
    if kind == _ROW:
        yield from _row_problems(component)
    elif kind == _BUTTON and len(component.get("label") or "") > MAX_BUTTON_LABEL:
        yield f"the button's label {component['label']!r} is longer than {MAX_BUTTON_LABEL} characters"
    elif kind == _LABEL and not 1 <= len(component.get("label") or "") <= MAX_FIELD_LABEL:
        yield f"the field's label {component.get('label')!r} is not 1 to {MAX_FIELD_LABEL} characters long"
    elif kind == _SELECT and not 1 <= len(component.get("options") or []) <= MAX_OPTIONS:
        yield f"a select has 1 to {MAX_OPTIONS} options"
    elif kind == _GALLERY:
        yield from _gallery_problems(component)


def _row_problems(row: dict[str, Any]) -> Iterator[str]:
    children = row.get("components") or []
    buttons = sum(child.get("type") == _BUTTON for child in children)
    selects = sum(child.get("type") in (_SELECT, *_ENTITY_SELECTS) for child in children)
    if buttons > 5 or selects > 1 or (buttons and selects):
        yield f"a row has up to 5 buttons or one select, not {buttons} and {selects}"


def _gallery_problems(gallery: dict[str, Any]) -> Iterator[str]:
    items = gallery.get("items") or []
    if not 1 <= len(items) <= MAX_GALLERY:
        yield f"a gallery has 1 to {MAX_GALLERY} items, not {len(items)}"
    for item in items:
        # Discord takes pictures without one; people who cannot see them do not.
        if not 1 <= len(item.get("description") or "") <= MAX_DESCRIPTION:
            yield f"a picture's description is not 1 to {MAX_DESCRIPTION} characters long"
