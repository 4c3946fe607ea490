"""What travels beside a request fits it, or the request is refused with a sentence before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from inference import (
    BadRequest,
    Blob,
    Box,
    Frame,
    Grey,
    ImageRequest,
    Init,
    InitKind,
    PictureRef,
    Pixels,
    Size,
)
from inference.blobs import checked

PICTURE, MASK, STRANGER = (PictureRef(letter * 64) for letter in "abc")
PIXELS = Pixels(40, 30, bytes(40 * 30 * 3))
INIT = Init(kind=InitKind.PIXELS, ref=PICTURE)
STORED = Init(kind=InitKind.LATENTS, ref=PICTURE)


def mask(x: int = 20, y: int = 10, *, width: int = 40, height: int = 30, grey: int = 128) -> Grey:
    """One pixel is marked."""
    data = bytearray(width * height)
    data[y * width + x] = grey
    return Grey(width, height, bytes(data))


def window(left: int, top: int, width: int, height: int) -> Init:
    return Init(kind=InitKind.PIXELS, ref=PICTURE, window=Box(left, top, width, height))


def request(init: Init | None = INIT, **changes: Any) -> ImageRequest:
    frame = Frame(canvas=Size(64, 64), content=Size(64, 48))
    settings = {"mask": None if init is None else MASK, **changes}
    return ImageRequest(model="moon", prompt="", seeds=(1,), frame=frame, init=init, **settings)


@pytest.mark.parametrize(
    "asked, blobs, needed",
    [
        pytest.param(request(None), {STRANGER: b""}, set(), id="from text"),
        pytest.param(request(mask=None), {PICTURE: PIXELS, MASK: mask()}, {PICTURE}, id="a picture"),
        pytest.param(request(STORED, mask=None), {PICTURE: b"latents"}, {PICTURE}, id="latents"),
        pytest.param(
            request(), {PICTURE: PIXELS, MASK: mask(), STRANGER: b""}, {PICTURE, MASK}, id="a masked picture"
        ),
        pytest.param(
            request(STORED),
            {PICTURE: b"latents", MASK: mask(width=64, height=48)},
            {PICTURE, MASK},
            id="masked latents",
        ),
        pytest.param(
            request(window(20, 10, 20, 20)), {PICTURE: PIXELS, MASK: mask()}, {PICTURE, MASK}, id="a window"
        ),
    ],
)
def test_what_fits_is_passed_on_and_nothing_else(
    asked: ImageRequest, blobs: Mapping[PictureRef, Blob], needed: set[PictureRef]
) -> None:
    """The worker gets the bytes that the request names."""
    assert checked(asked, blobs) == {ref: blobs[ref] for ref in needed}


@pytest.mark.parametrize(
    "asked, blobs, sentence",
    [
        pytest.param(request(), {MASK: mask()}, "picture to start from is missing", id="no picture"),
        pytest.param(request(STORED), {PICTURE: PIXELS}, "picture to start from is missing", id="no latents"),
        pytest.param(request(), {PICTURE: b"", MASK: mask()}, "start from is missing", id="no pixels"),
        pytest.param(request(), {PICTURE: mask(), MASK: mask()}, "start from is missing", id="only a mask"),
        pytest.param(request(), {PICTURE: PIXELS}, "The mask .* is missing", id="no mask"),
        pytest.param(request(), {PICTURE: PIXELS, MASK: PIXELS}, "The mask .* is missing", id="no grey"),
        pytest.param(
            request(),
            {PICTURE: PIXELS, MASK: mask(width=30, height=40)},
            "30×40 .* 40×30",
            id="a turned mask",
        ),
        pytest.param(
            request(STORED), {PICTURE: b"", MASK: mask()}, "40×30 .* 64×48", id="not the size of the result"
        ),
        pytest.param(request(), {PICTURE: PIXELS, MASK: mask(grey=127)}, "Nothing is marked", id="too dark"),
        *[
            pytest.param(
                request(window(*box)),
                {PICTURE: PIXELS, MASK: mask()},
                "Nothing is marked",
                id=f"beside {box}",
            )
            for box in [(21, 0, 10, 30), (0, 0, 20, 30), (0, 11, 40, 10), (0, 0, 40, 10)]
        ],
        *[
            pytest.param(
                request(window(*box), mask=None),
                {PICTURE: PIXELS},
                "outside the picture.* 40×30",
                id=str(box),
            )
            for box in [(21, 0, 20, 30), (0, 1, 40, 30), (40, 0, 1, 1)]
        ],
    ],
)
def test_what_does_not_fit_is_refused(
    asked: ImageRequest, blobs: Mapping[PictureRef, Blob], sentence: str
) -> None:
    """With a sentence that says what is wrong."""
    with pytest.raises(BadRequest, match=sentence):
        checked(asked, blobs)
