"""The engine of the dry runs keeps to masks, windows and strengths as the real one does, with flat colours."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from inference import (
    BadRequest,
    Blob,
    Box,
    Event,
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
from inference.fake import FLAT, FakeEngine

PICTURE, MASK = PictureRef("a" * 64), PictureRef("b" * 64)
COLOURS = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
CANVAS = Frame(canvas=Size(64, 64), content=Size(64, 48), top=8)
MARKED = (slice(10, 20), slice(30, 50))


def blobs() -> dict[PictureRef, Blob]:
    grey = np.zeros((48, 64), np.uint8)
    grey[MARKED] = 255
    return {PICTURE: Pixels(64, 48, COLOURS.tobytes()), MASK: Grey(64, 48, grey.tobytes())}


async def draw(beside: Mapping[PictureRef, Blob], **changes: Any) -> list[Event]:
    init = Init(kind=InitKind.PIXELS, ref=PICTURE)
    settings = {"seeds": (7,), "frame": CANVAS, "init": init, "steps": 10, **changes}
    engine = FakeEngine()
    await engine.start()
    async with aclosing(
        engine.generate(ImageRequest(model=FLAT.name, prompt="a moon", **settings), beside)
    ) as events:
        return [event async for event in events]


def results(events: list[Event]) -> list[npt.NDArray[np.uint8]]:
    done = sorted((one for one in events if isinstance(one, SampleDone)), key=lambda one: one.sample)
    return [
        np.frombuffer(one.pixels.data, np.uint8).reshape(one.pixels.height, one.pixels.width, 3)
        for one in done
    ]


async def test_only_what_is_marked_gets_another_colour() -> None:
    """One flat colour there, the very pixels of the init elsewhere."""
    (drawn,) = results(await draw(blobs(), mask=MASK))

    kept = np.ones((48, 64), bool)
    kept[MARKED] = False
    assert np.array_equal(drawn[kept], COLOURS[kept])
    assert len(np.unique(drawn[MARKED].reshape(-1, 3), axis=0)) == 1
    assert not np.array_equal(drawn[MARKED], COLOURS[MARKED])


async def test_of_a_window_only_its_pixels_count() -> None:
    """It starts from their mean colour, and the result has the size of the frame's content."""
    window = Box(30, 10, 20, 10)
    start = Init(kind=InitKind.PIXELS, ref=PICTURE, window=window)
    barely = {"init": start, "strength": 1e-9}

    (flat,) = results(await draw(blobs(), **barely))
    (whole,) = results(await draw(blobs(), strength=1e-9))
    (masked,) = results(await draw(blobs(), mask=MASK, **barely))

    assert flat.shape == masked.shape == (48, 64, 3)
    assert np.abs(flat[0, 0].astype(float) - COLOURS[MARKED].mean((0, 1))).max() <= 1
    assert not np.array_equal(flat, whole)
    assert np.array_equal(masked, flat), "all of the window is marked"


async def test_each_sample_has_its_own_strength() -> None:
    """Its steps, and how far it goes; who is done first is told first."""
    strengths = (0.9, 0.1, 0.5)
    events = await draw(blobs(), seeds=(7,) * 3, strengths=strengths)
    alone = [results(await draw(blobs(), strength=each))[0] for each in strengths]

    assert [one.sample for one in events if isinstance(one, SampleDone)] == [1, 2, 0]
    assert {(one.sample, one.steps) for one in events if isinstance(one, Progress)} == {
        (0, 9),
        (1, 1),
        (2, 5),
    }
    assert all(map(np.array_equal, results(events), alone))
    assert len({picture.tobytes() for picture in alone}) == 3


async def test_a_masked_result_can_be_gone_on_from() -> None:
    """Its latents are its mean colour."""
    masked = next(one for one in await draw(blobs(), mask=MASK) if isinstance(one, SampleDone))
    from_latents = Init(kind=InitKind.LATENTS, ref=PICTURE)

    (drawn,) = results(await draw({PICTURE: masked.latents}, init=from_latents, strength=1e-9))

    mean = np.frombuffer(masked.pixels.data, np.uint8).reshape(-1, 3).mean(0)
    assert np.abs(drawn[0, 0] - mean).max() <= 1


async def test_a_missing_mask_is_refused() -> None:
    """As by the real engine."""
    with pytest.raises(BadRequest, match="mask"):
        await draw({PICTURE: blobs()[PICTURE]}, mask=MASK)
