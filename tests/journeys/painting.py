"""An engine that paints pictures one can tell apart, and people who paint on them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from bot.store import Picture
from inference import (
    Blob,
    Event,
    ImageRequest,
    Park,
    PictureRef,
    Pixels,
    SampleDone,
    Size,
    Strictness,
    size_table,
)
from inference.fake import FLAT, FakeEngine
from tests.journeys.world import World

Box: TypeAlias = tuple[int, int, int, int]
Where: TypeAlias = NDArray[np.bool_]


class Painter(FakeEngine):
    """What it paints follows from prompt and seed, and covers the whole canvas even where only a part is asked for:
    that nothing else changes is then the bot's own doing."""

    async def generate(
        self,
        request: ImageRequest,
        blobs: Mapping[PictureRef, Blob],
        strictness: Strictness = Strictness.OFF,
    ) -> AsyncGenerator[Event, None]:
        async with aclosing(super().generate(request, blobs, strictness)) as events:
            async for event in events:
                if isinstance(event, SampleDone):
                    name = f"{request.prompt} {request.seeds[event.sample]}"
                    image = painting(name, (event.pixels.width, event.pixels.height))
                    pixels = Pixels(image.width, image.height, image.tobytes())
                    yield msgspec.structs.replace(event, pixels=pixels)
                else:
                    yield event


def painter(park: Park) -> Painter:
    return Painter(park=park)


SMALL = msgspec.structs.replace(FLAT, sizes=size_table(Size(256, 256)), native=Size(256, 256))
"""Its pictures are looked at in no time."""


def small_painter(park: Park) -> Painter:
    return Painter(park=park, models=[SMALL])


def held_small_painter(park: Park) -> Painter:
    return Painter(park=park, models=[SMALL], held=True)


def painting(name: str, size: tuple[int, int]) -> Image.Image:
    """Soft colours and thirty things on them, each name others."""
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]))
    image = Image.fromarray(rng.integers(40, 216, (6, 8, 3), np.uint8)).resize(size, Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for number in range(30):
        x, y, width, height = rng.integers((0, 0, 8, 8), (*size, size[0] // 5, size[1] // 5)).tolist()
        box = (x, y, x + width, y + height)
        colour = tuple(rng.integers(0, 256, 3).tolist())
        (draw.ellipse if number % 2 else draw.rectangle)(box, fill=colour)
    return image


async def stored(here: World, picture: Picture) -> Image.Image:
    """The picture to the bit, as it lies on disk."""
    return Image.open(io.BytesIO(await here.store.files.get(picture.file)))


async def pictures(here: World, scene_id: int = 1) -> list[Picture]:
    return [shown.picture for shown in await here.store.history(scene_id)]


async def region_of(here: World, request: ImageRequest) -> Image.Image:
    """The stored mask of a request."""
    assert request.mask is not None
    return Image.open(io.BytesIO(await here.store.files.get(request.mask)))


def scribble(image: Image.Image, box: Box, colour: str = "red") -> Image.Image:
    """A copy with something painted on it."""
    copy = image.convert("RGB")
    ImageDraw.Draw(copy).ellipse(box, fill=colour)
    return copy


def erased(image: Image.Image, box: Box) -> Image.Image:
    """A copy of which a part was rubbed out."""
    copy = image.convert("RGBA")
    copy.paste((0, 0, 0, 0), box)
    return copy


def changed(before: Image.Image, after: Image.Image) -> Where:
    """(h, w): where any channel differs."""
    assert (before.size, before.mode) == (after.size, after.mode)
    difference: Where = np.any(np.asarray(before) != np.asarray(after), axis=-1)
    return difference


def outside(region: Image.Image) -> Where:
    kept: Where = np.asarray(region) == 0
    return kept
