"""An engine that paints flat colours at once: for tests and dry runs, without torch or a worker.

A real implementation of the contract, only with a very simple picture: the mean colour of the init, drawn by
`strength` towards a colour that follows from prompt and seed.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

from inference.engine import Park, unparked
from inference.errors import EngineClosed, UnknownModel
from inference.sizes import size_table
from inference.types import (
    Blob,
    EngineState,
    EngineStatus,
    Event,
    ImageRequest,
    InitKind,
    ModelInfo,
    PictureRef,
    Pixels,
    Progress,
    SampleDone,
    Size,
)

Colour = tuple[int, int, int]

FLAT = ModelInfo(
    name="flat",
    title="flat colours",
    notice="A dry run: it paints flat colours, not pictures.",
    sizes=size_table(Size(512, 512)),
    native=Size(512, 512),
    version="flat-1",
    latents="flat",
)


class FakeEngine:
    """See the module. `held` engines take each step only when `release` lets them, so that tests see the middle.

    precise: say of every result that it had to be computed again in float32.
    """

    def __init__(
        self,
        *,
        models: Sequence[ModelInfo] = (FLAT,),
        row_credits: int = 8,
        held: bool = False,
        precise: bool = False,
        park: Park = unparked,
    ) -> None:
        self.requests: list[ImageRequest] = []
        self.blobs: list[Mapping[PictureRef, Blob]] = []
        self.closed_early = 0
        self._models = tuple(models)
        self._row_credits = row_credits
        self._steps_allowed = asyncio.Semaphore(0) if held else None
        self._park = park
        self._precise = precise
        self._failures: list[Exception] = []
        self._watchers: list[Callable[[EngineStatus], None]] = []
        self._status = EngineStatus(state=EngineState.STARTING)
        self._first = (EngineState.READY, "")

    async def start(self) -> None:
        self.become(*self._first)

    def starts_in(self, state: EngineState, detail: str) -> None:
        """`start` leads here and not to READY."""
        self._first = (state, detail)

    async def close(self) -> None:
        self.become(EngineState.CLOSED)
        if self._steps_allowed is not None:
            self.release(1_000_000)

    @property
    def status(self) -> EngineStatus:
        return self._status

    @property
    def row_credits(self) -> int:
        return self._row_credits

    def watch(self, changed: Callable[[EngineStatus], None]) -> None:
        self._watchers.append(changed)

    def models(self) -> Sequence[ModelInfo]:
        return self._models

    def become(self, state: EngineState, detail: str = "") -> None:
        """Change the status, as a worker that died or came back would."""
        self._status = EngineStatus(state=state, detail=detail)
        for changed in self._watchers:
            changed(self._status)

    def fail_next(self, error: Exception) -> None:
        """The next request raises `error` after its first step."""
        self._failures.append(error)

    def release(self, steps: int) -> None:
        """Let a held engine take that many steps, whoever's turn it is."""
        if self._steps_allowed is None:
            raise ValueError("only a held engine is released")
        for _ in range(steps):
            self._steps_allowed.release()

    async def generate(
        self, request: ImageRequest, blobs: Mapping[PictureRef, Blob]
    ) -> AsyncGenerator[Event, None]:
        if request.model not in {model.name for model in self._models}:
            raise UnknownModel(f"There is no model called {request.model}.")
        self.requests.append(request)
        self.blobs.append(dict(blobs))
        colours = [_colour(request, seed, blobs) for seed in request.seeds]
        finished = False
        try:
            for step in range(1, request.planned_steps + 1):
                await self._next_step()
                for sample, colour in enumerate(colours):
                    preview = _paint(Size(8, 8), colour)
                    yield Progress(sample=sample, step=step, steps=request.planned_steps, preview=preview)
                if self._failures:
                    raise self._failures.pop(0)
            for sample, colour in enumerate(colours):
                yield SampleDone(
                    sample=sample,
                    pixels=_paint(request.frame.content, colour),
                    latents=bytes(colour),
                    precise=self._precise,
                )
            finished = True
        finally:
            self.closed_early += not finished

    async def _next_step(self) -> None:
        if self._steps_allowed is None:
            await asyncio.sleep(0)
        else:
            await self._park(self._steps_allowed.acquire(), "a fake engine's next step")
        if self._status.state is EngineState.CLOSED:
            raise EngineClosed("The engine was closed.")


def _colour(request: ImageRequest, seed: int, blobs: Mapping[PictureRef, Blob]) -> Colour:
    digest = hashlib.sha256(f"{request.prompt}\0{request.negative_prompt}\0{seed}".encode()).digest()
    wanted = (digest[0], digest[1], digest[2])
    if request.init is None:
        return wanted
    start = _start_colour(request.init.kind, blobs[request.init.ref])
    red, green, blue = (
        round(old + (new - old) * request.strength) for old, new in zip(start, wanted, strict=True)
    )
    return red, green, blue


def _start_colour(kind: InitKind, blob: Blob) -> Colour:
    if isinstance(blob, bytes):
        if kind is not InitKind.LATENTS:
            raise TypeError("an init of pixels came as latents")
        return blob[0], blob[1], blob[2]
    area = blob.size.area
    return sum(blob.data[0::3]) // area, sum(blob.data[1::3]) // area, sum(blob.data[2::3]) // area


def _paint(size: Size, colour: Colour) -> Pixels:
    return Pixels(size.width, size.height, bytes(colour) * size.area)
