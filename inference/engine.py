"""The Engine contract: what turns an ImageRequest into events.

Three things satisfy it: `inference.local.LocalEngine` (a worker process on this machine), `inference.fake.FakeEngine`
(flat colours, no torch) and, where one machine is not enough, a cluster. The bot knows only this page.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from inference.types import Blob, EngineStatus, Event, ImageRequest, ModelInfo, PictureRef, Strictness

T = TypeVar("T")


class Park(Protocol):
    """Marks a wait for something outside the process (a worker's next event, a person).

    The real bot awaits it as it is; a simulated Discord needs to be told that such a wait is not unfinished work.
    """

    async def __call__(self, awaitable: Coroutine[Any, Any, T], reason: str) -> T: ...


async def unparked(awaitable: Awaitable[T], reason: str) -> T:  # noqa: ARG001 - the seam's signature
    """The Park of real life: just wait."""
    return await awaitable


class Engine(Protocol):
    """Draws requests; many at once, each as if it were alone."""

    async def start(self) -> None:
        """Begin to load; returns at once. `status` tells how far it is."""

    async def close(self) -> None:
        """End the worker and every running `generate` (they raise EngineClosed)."""

    @property
    def status(self) -> EngineStatus: ...

    def watch(self, changed: Callable[[EngineStatus], None]) -> None:
        """Call `changed` on the event loop whenever `status` becomes another one."""

    @property
    def row_credits(self) -> int:
        """Rows that the engine can step at once; more may be handed over, they wait inside."""

    @property
    def checks(self) -> str:
        """A short name of what checks pictures for safety, empty where nothing does. Reads configuration only."""

    def models(self) -> Sequence[ModelInfo]:
        """Every configured model, the default one first. Reads configuration only."""

    def generate(
        self,
        request: ImageRequest,
        blobs: Mapping[PictureRef, Blob],
        strictness: Strictness = Strictness.OFF,
    ) -> AsyncGenerator[Event, None]:
        """Run one request. `blobs` holds what `request.init` and `request.mask` refer to.

        strictness: what becomes of unsafe pictures; without a checker (`checks` is empty) it changes nothing. Under
        SPOILER an unsafe result says so in `SampleDone.unsafe`, and so does every result of an unsafe picture. Under
        BLOCK an unsafe result is a SampleBlocked, and an unsafe picture to start from raises Unsafe.

        Ends after every sample's SampleDone or SampleBlocked. Closing the generator frees its rows within one step;
        read it inside `contextlib.aclosing`, because a bare `break` leaves it open. Raises the tree of
        `inference.errors`.
        """
