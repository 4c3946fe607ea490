"""Engines for the tests of the playground."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path

from inference import Blob, EngineConfig, Event, ImageRequest, Park, PictureRef, SampleDone, Strictness
from inference.catalogue import ONLY_BUILT_IN
from inference.local import LocalEngine


class HeldResults(LocalEngine):
    """The real engine and its worker, with the built-in model; results wait until the test has seen the previews."""

    def __init__(self, park: Park) -> None:
        super().__init__(EngineConfig(catalogue=ONLY_BUILT_IN, models_dir=Path("models")), park=park)
        self._held_park = park
        self.results_may_come = asyncio.Event()

    async def generate(
        self,
        request: ImageRequest,
        blobs: Mapping[PictureRef, Blob],
        strictness: Strictness = Strictness.OFF,
    ) -> AsyncGenerator[Event, None]:
        async with aclosing(super().generate(request, blobs, strictness)) as events:
            async for event in events:
                if isinstance(event, SampleDone):
                    await self._held_park(self.results_may_come.wait(), "the test's permission")
                yield event
