"""Engines for the tests of the playground."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path

from inference import Blob, Catalogue, EngineConfig, Event, ImageRequest, Park, PictureRef, SampleDone
from inference.config import STAND_IN
from inference.local import LocalEngine


class HeldResults(LocalEngine):
    """The real engine and its worker, with the stand-in; results wait until the test has seen the previews."""

    def __init__(self, models_dir: Path, park: Park) -> None:
        super().__init__(
            EngineConfig(catalogue=Catalogue(models={STAND_IN: None}), models_dir=models_dir), park=park
        )
        self._held_park = park
        self.results_may_come = asyncio.Event()

    async def generate(
        self, request: ImageRequest, blobs: Mapping[PictureRef, Blob]
    ) -> AsyncGenerator[Event, None]:
        async with aclosing(super().generate(request, blobs)) as events:
            async for event in events:
                if isinstance(event, SampleDone):
                    await self._held_park(self.results_may_come.wait(), "the test's permission")
                yield event
