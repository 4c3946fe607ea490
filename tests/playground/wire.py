"""A page without a browser: the requests that simcord's page makes, one by one."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from bot.playground import playground
from bot.playground.drawings import example_sketch
from inference import Park
from inference.fake import FakeEngine

Json = dict[str, Any]


class Wire:
    """One open page. `seen` is what it was told last, as it would show it."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        parts = urlsplit(url)
        self.base = f"{parts.scheme}://{parts.netloc}"
        self.headers = {"X-Simcord-Capability": parts.fragment}
        self.seen: Json = {}
        self._session = session
        self._numbers = itertools.count(1)

    async def open(self) -> None:
        self.seen = await self._asked("POST", "/api/pages", json={})
        self.headers["X-Simcord-Context"] = self.seen["context"]["id"]

    async def look(self) -> Json:
        self.seen = await self._asked("GET", "/api/state")
        return self.seen

    async def look_until(self, words: str) -> None:
        """Look again and again until some message has these words."""
        while words not in json.dumps((await self.look())["messages"]):
            pass

    async def press(self, label: str, *, on: Json | None = None, past_the_front: str | None = None) -> Json:
        """Press a button that is there in `seen` or, by somebody who has not looked since, in `on`."""
        seen = on or self.seen
        control = next(control for control in controls(seen) if control["label"] == label)
        key = control["control_key"]
        body = self._action("click", seen, control_key=key, target_id=key.split(":")[1])
        return await self._act(past_the_front or self.base, json=body)

    async def say(self, words: str) -> Json:
        return await self._act(self.base, json=self._action("send_message", await self.look(), content=words))

    async def sketch(self, prompt: str) -> None:
        """/sketch with a file."""
        entries = (await self._asked("GET", "/api/commands"))["entries"]
        command = next(entry for entry in entries if entry["invocation"] == "sketch")
        body = self._action(
            "run_command",
            self.seen,
            command_id=command["commandId"],
            path=command["path"],
            schema_fingerprint=command["schemaFingerprint"],
            options={"image": {"upload": 0}, "prompt": prompt},
        )
        form = aiohttp.FormData({"payload": json.dumps(body)})
        form.add_field("file:image", example_sketch(), filename="sketch.png")
        receipt = await self._act(self.base, data=form)
        assert receipt["settlement"] == "settled", receipt
        await self.look()

    def _action(self, kind: str, seen: Json, **body: Any) -> Json:
        number = next(self._numbers)
        return {
            "protocol_version": 3,
            "sequence": number,
            "request_id": f"request-{number}",
            "generation": seen["context"]["generation"],
            "bot_generation": seen["botGeneration"],
            "published_revision": seen["publishedRevision"],
            "kind": kind,
            **body,
        }

    async def _act(self, base: str, **given: Any) -> Json:
        async with self._session.post(f"{base}/api/action", headers=self.headers, **given) as answer:
            assert answer.status == 200
            receipt: Json = await answer.json()
        if receipt["rejected"]:  # such an action has no number
            self._numbers = itertools.count(receipt["expectedSequence"] + 1)
        return receipt

    async def _asked(self, method: str, path: str, **given: Any) -> Json:
        async with self._session.request(
            method, f"{self.base}{path}", headers=self.headers, **given
        ) as answer:
            assert answer.status == 200
            found: Json = await answer.json()
        return found


class Wires:
    """A running playground on a held engine, and its pages. preview: the address that the front passes things on to."""

    def __init__(self, session: aiohttp.ClientSession, url: str, preview: str, engine: FakeEngine) -> None:
        self.url = url
        self.preview = preview.partition("/#")[0]
        self.engine = engine
        self.session = session

    async def page(self) -> Wire:
        wire = Wire(self.session, self.url)
        await wire.open()
        return wire


@asynccontextmanager
async def wired() -> AsyncGenerator[Wires, None]:
    engines: list[FakeEngine] = []

    def make_engine(park: Park) -> FakeEngine:
        engines.append(FakeEngine(park=park, held=True))
        return engines[0]

    async with playground(make_engine) as (world, url), aiohttp.ClientSession() as session:
        yield Wires(session, url, world.preview.url, engines[0])


def controls(state: Json) -> list[Json]:
    """Every button of every message."""
    return [node for node in _objects(state["messages"]) if "control_key" in node and "label" in node]


def _objects(value: object) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
        for child in value.values():
            yield from _objects(child)
    elif isinstance(value, list):
        for child in value:
            yield from _objects(child)
