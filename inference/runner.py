"""What the worker process drives: the seam between the process side and the torch side.

`worker` talks to the parent and knows no torch; a Runner does the drawing and knows no pipes. One thread calls it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Protocol

import msgspec

from inference.types import Blob, ImageRequest, PictureRef, Progress, SampleBlocked, SampleDone

DEFAULT_RUNNER = "inference.batching:step_runner_factory"
"""MODULE:CALLABLE; called with the configuration and the models' folders, it gives a RunnerFactory."""


class Phase(StrEnum):
    """What the worker is doing; each phase has a deadline of its own."""

    IDLE = "idle"
    LOAD = "load"
    ENCODE = "encode"
    STEP = "step"
    DECODE = "decode"
    CHECK = "check"


class SampleFailed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One sample cannot be finished; the rest of the batch goes on. `sentence` is fit to show.

    kind: the name of a class of `inference.errors`.
    """

    sample: int
    sentence: str
    kind: str = "RequestFailed"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a step did for the request known by `key`."""

    key: int
    event: Progress | SampleDone | SampleBlocked | SampleFailed


class Runner(Protocol):
    """Samples of many requests, stepped together. `entering` is called before each phase begins."""

    def load(self, model: str) -> None:
        """Have the model ready; quick when it is. Raises ModelUnavailable."""

    def admit(self, key: int, request: ImageRequest, sample: int, blobs: Mapping[PictureRef, Blob]) -> None:
        """Put one sample in line. It takes its rows at a later step, when they are free."""

    def drop(self, key: int) -> None:
        """Forget every sample of the request; its rows are free from the next step on."""

    @property
    def row_limit(self) -> int:
        """Rows that one forward pass may hold."""

    @property
    def active(self) -> frozenset[int]:
        """Keys of the requests that hold rows now: those a crash would be blamed on."""

    @property
    def waiting(self) -> bool:
        """True while a step has something to do."""

    def step(self) -> list[Outcome]:
        """Admit what fits, run one forward pass, book the results. Raises only what should end the process."""


RunnerFactory = Callable[[Callable[[Phase], None]], Runner]
