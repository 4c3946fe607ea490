"""An engine that paints flat colours at once: for tests and dry runs, without torch or a worker.

A real implementation of the contract, only with a very simple picture: the mean colour of the init (or of its window),
drawn by `strength` towards a colour that follows from prompt and seed. With a mask only what is to be drawn anew has
that colour; the rest is the init's own pixels. The latents are the result's mean colour.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence

from inference.blobs import checked
from inference.engine import Park, unparked
from inference.errors import EngineClosed, UnknownModel, Unsafe
from inference.sizes import size_table
from inference.types import (
    Blob,
    Box,
    EngineState,
    EngineStatus,
    Event,
    Grey,
    ImageRequest,
    InitKind,
    ModelInfo,
    PictureRef,
    Pixels,
    Progress,
    SampleBlocked,
    SampleDone,
    Size,
    Strictness,
)

UNSAFE = "test"
"""The category of all that a fake engine finds unsafe, and the name of its check."""

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
    unsafe_seeds, unsafe_inputs: the results and the pictures to start from that its safety check finds unsafe. If both
    are empty it has no check.
    """

    def __init__(
        self,
        *,
        models: Sequence[ModelInfo] = (FLAT,),
        row_credits: int = 8,
        held: bool = False,
        precise: bool = False,
        park: Park = unparked,
        unsafe_seeds: Collection[int] = (),
        unsafe_inputs: Collection[PictureRef] = (),
    ) -> None:
        self.requests: list[ImageRequest] = []
        self.strictnesses: list[Strictness] = []
        self.blobs: list[Mapping[PictureRef, Blob]] = []
        self.closed_early = 0
        self._models = tuple(models)
        self._row_credits = row_credits
        self._steps_allowed = asyncio.Semaphore(0) if held else None
        self._park = park
        self._precise = precise
        self._unsafe_seeds = unsafe_seeds
        self._unsafe_inputs = unsafe_inputs
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

    @property
    def checks(self) -> str:
        return UNSAFE if self._unsafe_seeds or self._unsafe_inputs else ""

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
        self,
        request: ImageRequest,
        blobs: Mapping[PictureRef, Blob],
        strictness: Strictness = Strictness.OFF,
    ) -> AsyncGenerator[Event, None]:
        if request.model not in {model.name for model in self._models}:
            raise UnknownModel(f"There is no model called {request.model}.")
        start = _start(request, checked(request, blobs))
        self.requests.append(request)
        self.blobs.append(dict(blobs))
        self.strictnesses.append(strictness)
        if strictness is Strictness.BLOCK and self._starts_unsafe(request):
            raise Unsafe("The picture to start from is not safe enough for this place.", UNSAFE)
        colours = [_colour(request, sample, start) for sample in range(len(request.seeds))]
        finished = False
        try:
            for step in range(1, request.planned_steps + 1):
                await self._next_step()
                stepped = [at for at in range(len(request.seeds)) if step <= request.steps_of(at)]
                for at in stepped:
                    preview = _flat(Size(8, 8), colours[at])
                    yield Progress(sample=at, step=step, steps=request.steps_of(at), preview=preview)
                if self._failures:
                    raise self._failures.pop(0)
                for at in stepped:
                    if step == request.steps_of(at):
                        pixels = _painted(request, colours[at], start, blobs)
                        yield self._ended(request, at, pixels, colours[at], strictness)
            finished = True
        finally:
            self.closed_early += not finished

    def _ended(
        self, request: ImageRequest, sample: int, pixels: Pixels, colour: Colour, strictness: Strictness
    ) -> SampleDone | SampleBlocked:
        unsafe = ""
        if request.seeds[sample] in self._unsafe_seeds or self._starts_unsafe(request):
            unsafe = UNSAFE
        if strictness is Strictness.BLOCK and unsafe:
            return SampleBlocked(sample=sample, category=unsafe)
        return SampleDone(
            sample=sample,
            pixels=pixels,
            latents=bytes(colour if request.mask is None else _mean(pixels)),
            precise=self._precise,
            unsafe="" if strictness is Strictness.OFF else unsafe,
        )

    def _starts_unsafe(self, request: ImageRequest) -> bool:
        """Latents are a result of ours, which was checked when it was made."""
        init = request.init
        return init is not None and init.kind is InitKind.PIXELS and init.ref in self._unsafe_inputs

    async def _next_step(self) -> None:
        if self._steps_allowed is None:
            await asyncio.sleep(0)
        else:
            await self._park(self._steps_allowed.acquire(), "a fake engine's next step")
        if self._status.state is EngineState.CLOSED:
            raise EngineClosed("The engine was closed.")


def _start(request: ImageRequest, blobs: Mapping[PictureRef, Blob]) -> Pixels | None:
    """What of the init is drawn. That of latents is of one colour."""
    if request.init is None:
        return None
    blob = blobs[request.init.ref]
    if not isinstance(blob, Pixels):
        data = blob.data if isinstance(blob, Grey) else blob
        return _flat(request.frame.content, (data[0], data[1], data[2]))
    return blob if request.init.window is None else _cut(blob, request.init.window)


def _colour(request: ImageRequest, sample: int, start: Pixels | None) -> Colour:
    texts = f"{request.prompt}\0{request.negative_prompt}\0{request.seeds[sample]}"
    digest = hashlib.sha256(texts.encode()).digest()
    wanted = (digest[0], digest[1], digest[2])
    if start is None:
        return wanted
    strength = request.strength_of(sample)
    red, green, blue = (
        round(old + (new - old) * strength) for old, new in zip(_mean(start), wanted, strict=True)
    )
    return red, green, blue


def _cut(pixels: Pixels, window: Box) -> Pixels:
    begins = (3 * (y * pixels.width + window.left) for y in range(window.top, window.top + window.height))
    rows = [pixels.data[begin : begin + 3 * window.width] for begin in begins]
    return Pixels(window.width, window.height, b"".join(rows))


def _painted(
    request: ImageRequest, colour: Colour, start: Pixels | None, blobs: Mapping[PictureRef, Blob]
) -> Pixels:
    mask = None if request.mask is None else blobs[request.mask]
    if request.init is None or start is None or not isinstance(mask, Grey):
        return _flat(request.frame.content, colour)
    from inference.framing import crop, place, place_mask  # numpy and Pillow only where there is a mask

    canvas = place(start, request.frame)
    canvas[place_mask(mask, request.frame, request.init.window)] = colour
    return crop(canvas, request.frame)


def _mean(pixels: Pixels) -> Colour:
    area = pixels.size.area
    return sum(pixels.data[0::3]) // area, sum(pixels.data[1::3]) // area, sum(pixels.data[2::3]) // area


def _flat(size: Size, colour: Colour) -> Pixels:
    return Pixels(size.width, size.height, bytes(colour) * size.area)
