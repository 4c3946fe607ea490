"""The records that cross the face: what to draw, and what happened while it was drawn.

Everything here is plain data (scalars, enums, bytes): it is what SQLite stores, what a Recipe holds and what
goes over the pipe to the worker. Nothing in this module knows torch, Discord or a file system.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import NewType

import msgspec

from inference.errors import BadRequest

PictureRef = NewType("PictureRef", str)
"""Names one stored blob: the SHA-256 of its bytes, in hex. The engine treats it as an opaque key."""

MAX_SEED = 2**32 - 1
MAX_GUIDANCE = 30.0
MAX_SAMPLES = 16

DRAWN_ANEW = 128
"""A mask's grey from which on a pixel is drawn anew; below it is kept."""

LCM_SCHEDULE = 50
"""Steps of the schedule that latent consistency models are distilled on (Luo et al. 2023); a run takes some of them."""


class Sampler(StrEnum):
    """How noise is taken away step by step; which diffusers class that is stands in `inference/samplers.py`."""

    DDIM = "ddim"
    DPMPP_2M = "dpmpp-2m"
    DPMPP_2M_KARRAS = "dpmpp-2m-karras"
    EULER = "euler"
    EULER_A = "euler-a"
    UNIPC = "unipc"
    LCM = "lcm"


class InitKind(StrEnum):
    """What a run starts from: pixels go through the VAE encoder, latents skip it (no generational loss)."""

    PIXELS = "pixels"
    LATENTS = "latents"


class Strictness(StrEnum):
    """What becomes of a picture that the safety check finds unsafe, where the engine has such a check.

    It goes beside an ImageRequest and not in it, because it is a property of the place that the picture is for: what
    is drawn does not depend on it, and neither does the Recipe.
    """

    OFF = "off"
    SPOILER = "spoiler"
    BLOCK = "block"


class Size(msgspec.Struct, frozen=True, order=True):
    """Width and height in pixels."""

    width: int
    height: int

    @property
    def area(self) -> int:
        return self.width * self.height

    def __str__(self) -> str:
        return f"{self.width}×{self.height}"


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """Where a picture lies on the canvas that the model works on.

    `canvas` is one of the model's sizes. The picture is scaled to `content`, put at (`left`, `top`) and padded to
    the canvas by reflection; the result is cropped back to the same rectangle.
    """

    canvas: Size
    content: Size
    left: int = 0
    top: int = 0

    def __post_init__(self) -> None:
        inside = (
            0 <= self.left <= self.canvas.width - self.content.width
            and 0 <= self.top <= self.canvas.height - self.content.height
        )
        if not inside or self.content.width < 1 or self.content.height < 1:
            raise BadRequest("The picture does not fit on the canvas.")

    @property
    def cropped(self) -> bool:
        return self.content != self.canvas


class Box(msgspec.Struct, frozen=True):
    """A rectangle within a picture, in its pixels, counted from the top left."""

    left: int
    top: int
    width: int
    height: int

    @property
    def size(self) -> Size:
        return Size(self.width, self.height)


class Init(msgspec.Struct, frozen=True, kw_only=True):
    """The picture (or its stored latents) that a run starts from; the bytes travel beside the request.

    window: only this part of the picture is drawn, and `Frame.content` is its size on the canvas; None for all of it.
    Latents have no window.
    """

    kind: InitKind
    ref: PictureRef
    window: Box | None = None

    def __post_init__(self) -> None:
        if self.window is None:
            return
        if self.kind is InitKind.LATENTS:
            raise BadRequest("Only a picture's pixels can be drawn in part.")
        if min(self.window.left, self.window.top) < 0 or min(self.window.width, self.window.height) < 1:
            raise BadRequest("That part lies outside the picture.")


class ImageRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to draw. Valid by construction: a bad value raises `BadRequest` with a sentence fit to show.

    strength: 0 < strength ≤ 1, how much of the schedule is run on an init; ignored without one.
    strengths: where the samples differ in it, one per seed, in place of `strength`; empty where they do not.
    mask: which part of the init is drawn anew: grey pixels of the init picture's size (for latents: of the frame's
        content), at DRAWN_ANEW and above. The rest is kept in every step, blended in the latents: in whole cells of
        8 × 8 pixels of the canvas, and nearly; whoever wants it back to the bit pastes the result into the picture.
    guidance: classifier-free guidance scale (Ho & Salimans 2022, eq. 6); at 1 or below a sample takes one row
        instead of two and the negative prompt is not used.
    seeds: one per sample.
    """

    model: str
    prompt: str
    seeds: tuple[int, ...]
    frame: Frame
    negative_prompt: str = ""
    init: Init | None = None
    strength: float = 0.75
    strengths: tuple[float, ...] = ()
    mask: PictureRef | None = None
    steps: int = 30
    guidance: float = 7.5
    sampler: Sampler = Sampler.DDIM

    def __post_init__(self) -> None:
        if not all(math.isfinite(each) and 0 < each <= 1 for each in (self.strength, *self.strengths)):
            raise BadRequest("Strength must be above 0 and at most 1.")
        if self.strengths and len(self.strengths) != len(self.seeds):
            raise BadRequest("There must be one strength for each seed.")
        if self.mask is not None and self.init is None:
            raise BadRequest("Only a picture can be drawn anew in part.")
        if self.steps < 1:
            raise BadRequest("Steps must be at least 1.")
        if not (math.isfinite(self.guidance) and 0 <= self.guidance <= MAX_GUIDANCE):
            raise BadRequest(f"Guidance must be between 0 and {MAX_GUIDANCE:g}.")
        if not 1 <= len(self.seeds) <= MAX_SAMPLES:
            raise BadRequest(f"A request has 1 to {MAX_SAMPLES} seeds.")
        if not all(0 <= seed <= MAX_SEED for seed in self.seeds):
            raise BadRequest(f"A seed is a whole number from 0 to {MAX_SEED}.")

    @property
    def guided(self) -> bool:
        return self.guidance > 1

    @property
    def rows(self) -> int:
        """Rows that all samples of this request take in a forward pass."""
        return len(self.seeds) * (2 if self.guided else 1)

    def strength_of(self, sample: int) -> float:
        """1 without an init: then all of the schedule is run."""
        if self.init is None:
            return 1.0
        return self.strengths[sample] if self.strengths else self.strength

    @property
    def planned_steps(self) -> int:
        """Denoising steps of the sample that runs the most of them."""
        return max(map(self.steps_of, range(len(self.seeds))))

    @property
    def total_steps(self) -> int:
        """Denoising steps of all samples together."""
        return sum(map(self.steps_of, range(len(self.seeds))))

    def steps_of(self, sample: int) -> int:
        """Denoising steps that a sample runs: int(steps × strength) as diffusers counts, but never none.

        With LCM `steps` are run at any strength: they are spread over the part of its schedule that the strength
        leaves, so there are never more than that part has.
        """
        strength = self.strength_of(sample)
        if self.sampler is Sampler.LCM:
            return max(1, min(self.steps, int(LCM_SCHEDULE * strength)))
        return max(1, min(self.steps, int(self.steps * strength)))


class Pixels(msgspec.Struct, frozen=True, tag=True):
    """8-bit RGB, row by row from the top left, no padding: len(data) == width × height × 3."""

    width: int
    height: int
    data: bytes

    def __post_init__(self) -> None:
        if len(self.data) != self.width * self.height * 3:
            raise BadRequest("The picture's bytes do not match its size.")

    @property
    def size(self) -> Size:
        return Size(self.width, self.height)


class Grey(msgspec.Struct, frozen=True, tag=True):
    """8-bit grey, row by row from the top left, no padding: len(data) == width × height. A mask."""

    width: int
    height: int
    data: bytes

    def __post_init__(self) -> None:
        if len(self.data) != self.width * self.height:
            raise BadRequest("The mask's bytes do not match its size.")

    @property
    def size(self) -> Size:
        return Size(self.width, self.height)


Blob = Pixels | Grey | bytes
"""Pixels of a picture, a mask, or the opaque latent blob of an earlier result."""


class Progress(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A sample has done `step` of `steps` steps. Every step sends one; previews come by time, not by step.

    `step` goes back to 1 where a sample has to start again: after Restarted, and when half precision ran over.

    preview: the sample as it would look now, at 1/8 of the result's size (a linear map, not the decoder). Where the
        result will be checked for safety it is blurred beyond recognition: nobody has checked it.
    """

    sample: int
    step: int
    steps: int
    preview: Pixels | None = None


class SampleDone(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One sample's result: pixels of `frame.content` size, and the canvas's final latents as an opaque blob.

    precise: half precision ran over, and what had failed was computed again in float32. It took longer than usual.
    unsafe: what the safety check found, a category in a word; empty where it found nothing or was not asked. Under
        Strictness.SPOILER only.
    """

    sample: int
    pixels: Pixels
    latents: bytes
    precise: bool = False
    unsafe: str = ""


class SampleBlocked(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """In place of SampleDone under Strictness.BLOCK: the safety check found the result unsafe, so it was thrown away.

    category: what was found, in a word.
    """

    sample: int
    category: str


class Restarted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The worker died under this request; every sample that was not done starts again from its first step."""

    alone: bool


Event = Progress | SampleDone | SampleBlocked | Restarted


class Vocabulary(msgspec.Struct, frozen=True, kw_only=True):
    """All that a model was taught, where that is little enough to be listed.

    groups: each a heading for people and the names under it, in their order. words: whatever else it understands
    (other names for the same, colours, places, articles). Names are lower-case and singular, of one or more words.
    """

    groups: tuple[tuple[str, tuple[str, ...]], ...]
    words: tuple[str, ...] = ()


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a model from its configuration alone: no torch, no running worker.

    name: the word people type after --model. title: what a card calls it. notice: a sentence that every card made
    with it carries, empty for most. version: a fingerprint of the weights, empty while they are not on this machine.
    latents: names what its latent blobs can be fed to again (VAE and scaling); equal strings are interchangeable.
    row_cost: time of one row and step relative to other models, 1.0 where unknown. vocabulary: what it was taught,
    None for a model that takes any words.
    """

    name: str
    title: str
    sizes: tuple[Size, ...]
    native: Size
    version: str = ""
    latents: str = ""
    notice: str = ""
    steps: int = 30
    strength: float = 0.75
    guidance: float = 7.5
    sampler: Sampler = Sampler.DDIM
    samplers: tuple[Sampler, ...] = tuple(Sampler)
    subtle: float = 0.35
    strong: float = 0.75
    row_cost: float = 1.0
    vocabulary: Vocabulary | None = None


class EngineState(StrEnum):
    """What the engine can do now; the words are those of people and logs alike."""

    STARTING = "starting"
    READY = "ready"
    BUSY = "busy"
    SETUP_FAILED = "setup failed"
    UNHEALTHY = "unhealthy"
    CLOSED = "closed"

    @property
    def takes_work(self) -> bool:
        return self in (EngineState.READY, EngineState.BUSY)


class EngineStatus(msgspec.Struct, frozen=True, kw_only=True):
    """State and, where it needs one, a sentence that says why and what to do.

    worker_pid: of the process that owns the GPU now, None while there is none (or none is needed).
    """

    state: EngineState
    detail: str = ""
    worker_pid: int | None = None
