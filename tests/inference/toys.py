"""The test's side of the toy runner: an engine on a real worker process, and the line to whoever runs in it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from inference import (
    Blob,
    Catalogue,
    Engine,
    EngineConfig,
    EngineState,
    EngineStatus,
    Event,
    Frame,
    ImageRequest,
    ModelEntry,
    PictureRef,
    SampleDone,
    Size,
    Strictness,
)
from inference.local import LocalEngine

RUNNER = "tests.inference.toy_runner:factory"
SMALL = Frame(canvas=Size(64, 64), content=Size(64, 48), top=8)

QUICK: dict[str, Any] = {"backoff_seconds": (0.01,), "grace_seconds": 5.0}
"""Settings that make restarts quick; all deadlines stay far away."""


class Turn:
    """Something the toy is about to do; it waits for the answer."""

    def __init__(self, writer: asyncio.StreamWriter, told: dict[str, Any]) -> None:
        self.name: str = told.pop("turn")
        self.pid: int = told.pop("pid")
        self.details = told
        self._writer = writer

    def answer(self, word: str) -> None:
        self._writer.write(json.dumps(word).encode() + b"\n")

    def __repr__(self) -> str:
        return f"{self.name}{ {key: value for key, value in self.details.items() if key != 'environment'} }"


class Stage:
    """Hears every turn of every toy. `decide` gives the answer; None leaves the toy waiting for the test's own."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.decide: Callable[[Turn], str | None] = lambda _: "go"
        self._news = asyncio.Condition()
        self.port = 0

    async def until(self, wanted: Callable[[Turn], bool], *, after: int = 0) -> Turn:
        """The first turn, from the one with index `after` on, that is as wanted."""
        async with self._news:
            await self._news.wait_for(lambda: any(map(wanted, self.turns[after:])))
        return next(filter(wanted, self.turns[after:]))

    def named(self, name: str) -> list[Turn]:
        return [turn for turn in self.turns if turn.name == name]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                turn = Turn(writer, json.loads(line))
                async with self._news:
                    self.turns.append(turn)
                    self._news.notify_all()
                if (word := self.decide(turn)) is not None:
                    turn.answer(word)
        except ConnectionError:
            pass  # the toy was killed
        finally:
            writer.close()


@asynccontextmanager
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """A stage, and the folder of a model called `toy` whose worker finds it."""
    held = Stage()
    server = await asyncio.start_server(held.serve, "127.0.0.1", 0)
    held.port = server.sockets[0].getsockname()[1]
    make_folder(tmp_path / "toy", held.port)
    try:
        yield held
    finally:
        server.close()


def make_folder(folder: Path, port: int = 0) -> None:
    """What the engine takes for a model's folder."""
    folder.mkdir(parents=True)
    if port:
        (folder / "toy.json").write_text(json.dumps({"port": port}))
    (folder / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')


def toy_config(tmp_path: Path, *further: str, **settings: Any) -> EngineConfig:
    models = {name: ModelEntry(folder=str(tmp_path / name), native=64) for name in ("toy", *further)}
    return EngineConfig(
        catalogue=Catalogue(models=dict(models)), models_dir=tmp_path / "models", **(QUICK | settings)
    )


@asynccontextmanager
async def toy_engine(config: EngineConfig, *, ready: bool = True) -> AsyncIterator[LocalEngine]:
    engine = LocalEngine(config, runner=RUNNER)
    await engine.start()
    try:
        if ready:
            await until_state(engine, EngineState.READY)
        yield engine
    finally:
        await engine.close()


async def until_status(engine: Engine, wanted: Callable[[EngineStatus], bool]) -> EngineStatus:
    """Wait for a status; the present one counts."""
    found: asyncio.Future[EngineStatus] = asyncio.get_running_loop().create_future()

    def look(status: EngineStatus) -> None:
        if wanted(status) and not found.done():
            found.set_result(status)

    engine.watch(look)
    look(engine.status)
    return await found


async def until_state(engine: Engine, *states: EngineState) -> EngineStatus:
    return await until_status(engine, lambda status: status.state in states)


def request(prompt: str = "a moon", **changes: Any) -> ImageRequest:
    plain = ImageRequest(model="toy", prompt=prompt, seeds=(7,), frame=SMALL, steps=3, guidance=1.0)
    return msgspec.structs.replace(plain, **changes)


async def draw(
    engine: Engine,
    wanted: ImageRequest,
    blobs: Mapping[PictureRef, Blob] | None = None,
    strictness: Strictness = Strictness.OFF,
) -> list[Event]:
    """Every event of the request, to its end."""
    async with aclosing(engine.generate(wanted, blobs or {}, strictness)) as events:
        return [event async for event in events]


def results(events: Sequence[Event]) -> list[SampleDone]:
    return [event for event in events if isinstance(event, SampleDone)]


def exit_of(pid: int) -> asyncio.Future[None]:
    """Done when the process, which need not be our child, has ended. Linux only."""
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    handle = os.pidfd_open(pid)

    def note() -> None:
        loop.remove_reader(handle)
        os.close(handle)
        ended.set_result(None)

    loop.add_reader(handle, note)
    return ended
