"""What the tests of the StepRunner share: requests on a small canvas, and a loop that plays the worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from inference import latents
from inference.batching import StepRunner
from inference.config import Catalogue, Device, EngineConfig, ModelEntry
from inference.models.stable_diffusion import StableDiffusion
from inference.runner import Outcome, Phase, SampleFailed
from inference.types import (
    Blob,
    Frame,
    Grey,
    ImageRequest,
    Init,
    InitKind,
    PictureRef,
    Pixels,
    Progress,
    SampleDone,
    Size,
)
from tests.inference.tiny_models import CANVAS

SKETCH = PictureRef("5" * 64)
LATENTS = PictureRef("1" * 64)
RIGHT_HALF = PictureRef("2" * 64)
SQUARE = Frame(canvas=Size(CANVAS, CANVAS), content=Size(CANVAS, CANVAS))


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Joining(NamedTuple):
    """A request that arrives before the step of that number."""

    request: ImageRequest
    at: int = 0


class Played(NamedTuple):
    """What came of it. rows: of each forward pass. outcomes: of each step."""

    done: dict[int, SampleDone]
    rows: list[int]
    outcomes: list[list[Outcome]]

    def failures(self) -> dict[int, str]:
        flat = [outcome for step in self.outcomes for outcome in step]
        return {one.key: one.event.sentence for one in flat if isinstance(one.event, SampleFailed)}

    def progress(self, key: int = 0) -> list[Progress]:
        flat = [outcome for step in self.outcomes for outcome in step if outcome.key == key]
        return [one.event for one in flat if isinstance(one.event, Progress)]


def config(models: Mapping[str, Path], **settings: Any) -> EngineConfig:
    entries = {name: ModelEntry(folder=str(folder)) for name, folder in models.items()}
    return EngineConfig(catalogue=Catalogue(models=entries), models_dir=Path(), device=Device.CPU, **settings)


def ignore(_phase: Phase) -> None:
    pass


def sketch(size: int = CANVAS) -> Pixels:
    """A bright disc on a gradient: colours, an edge and flat parts."""
    down, across = np.mgrid[0:size, 0:size] / size
    picture = np.stack([across, down, 1 - across], axis=-1) * 255
    picture[(down - 0.5) ** 2 + (across - 0.4) ** 2 < 0.06] = (250, 240, 40)
    return Pixels(size, size, picture.astype(np.uint8).tobytes())


def right_half() -> Grey:
    """A mask of whole latents."""
    return Grey(CANVAS, CANVAS, (bytes(CANVAS // 2) + b"\xff" * (CANVAS // 2)) * CANVAS)


def masked_sketch() -> dict[PictureRef, Blob]:
    return {SKETCH: sketch(), RIGHT_HALF: right_half()}


def stored_latents(fingerprint: str) -> bytes:
    values = torch.randn(1, 4, CANVAS // 8, CANVAS // 8, generator=torch.Generator().manual_seed(5))
    return latents.pack(values, fingerprint)


def request(model: str, init: InitKind | Init | None = None, **changes: Any) -> ImageRequest:
    if isinstance(init, InitKind):
        init = Init(kind=init, ref=SKETCH if init is InitKind.PIXELS else LATENTS)
    settings = {"prompt": "the moon", "seeds": (7,), "frame": SQUARE, "steps": 10, **changes}
    return ImageRequest(model=model, init=init, **settings)


def play(
    runner: StepRunner, joining: Sequence[Joining | ImageRequest], blobs: Mapping[PictureRef, Blob]
) -> Played:
    """Hand the requests over as they arrive and step until nothing is left; keys are their places in the list."""
    played = Played({}, [], [])
    pending = {key: one if isinstance(one, Joining) else Joining(one) for key, one in enumerate(joining)}
    if runner.loaded is None:
        runner.load(next(iter(pending.values())).request.model)
    with _counting_rows(runner, played.rows):
        while pending or runner.waiting:
            for key in [key for key, one in pending.items() if one.at <= len(played.outcomes)]:
                asked = pending.pop(key).request
                for sample in range(len(asked.seeds)):
                    runner.admit(key, asked, sample, blobs)
            played.outcomes.append(runner.step())
    for outcome in (outcome for step in played.outcomes for outcome in step):
        if isinstance(outcome.event, SampleDone):
            played.done[outcome.key] = outcome.event
    return played


def model_of(runner: StepRunner) -> StableDiffusion:
    assert runner.loaded is not None
    return runner.loaded.model


def fingerprint_of(runner: StepRunner) -> str:
    assert runner.loaded is not None
    return runner.loaded.fingerprint


class _counting_rows:  # noqa: N801 - reads as the context it is
    def __init__(self, runner: StepRunner, rows: list[int]) -> None:
        self._runner = runner
        self._rows = rows

    def __enter__(self) -> None:
        self._hook = model_of(self._runner).unet.register_forward_pre_hook(
            lambda _module, inputs: self._rows.append(len(inputs[0]))
        )

    def __exit__(self, *_error: object) -> None:
        self._hook.remove()


def as_floats(runner: StepRunner, done: SampleDone, fingerprint: str) -> npt.NDArray[np.float32]:
    """The result before it is rounded to bytes, (height, width, 3) from 0 to 1."""
    return model_of(runner).decode(latents.unpack(done.latents, fingerprint)).picture


def as_bytes(done: SampleDone) -> npt.NDArray[np.uint8]:
    return np.frombuffer(done.pixels.data, np.uint8).reshape(done.pixels.height, done.pixels.width, 3)
