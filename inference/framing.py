"""Between the pictures people have and the canvas a model works on: scale, pad by reflection, crop back.

Pictures here are (height, width, 3) uint8 RGB; masks are (height, width) bool, true where the canvas is drawn anew.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from inference.types import DRAWN_ANEW, Box, Frame, Grey, Pixels, Size

RGB: TypeAlias = npt.NDArray[np.uint8]
Mask: TypeAlias = npt.NDArray[np.bool_]


def place(pixels: Pixels, frame: Frame, window: Box | None = None) -> RGB:
    """Scale a picture, or only what a window shows of it, to the frame's content (Lanczos), and fill the rest of the
    canvas with its reflection."""
    return _padded(np.asarray(_scaled(pixels, frame.content, window)), frame)


def place_mask(mask: Grey, frame: Frame, window: Box | None = None) -> Mask:
    """Where the canvas is drawn anew.

    A pixel of the content is, if any pixel of the mask that it overlaps is: the thinnest stroke survives any scaling.
    The pad is the mask's reflection, as it is the picture's: what is kept there would show the model, mirrored, what
    is to go.
    """
    marked = np.frombuffer(mask.data, np.uint8).reshape(mask.height, mask.width) >= DRAWN_ANEW
    if window is not None:
        marked = marked[window.top :, window.left :][: window.height, : window.width]
    rows = _overlapped(marked, frame.content.height)
    return _padded(_overlapped(rows.T, frame.content.width).T, frame)


def crop(canvas: RGB, frame: Frame) -> Pixels:
    """The frame's content of a finished canvas."""
    width, height = frame.content.width, frame.content.height
    content = canvas[frame.top : frame.top + height, frame.left : frame.left + width]
    return Pixels(width, height, content.tobytes())


def crop_preview(small: RGB, frame: Frame) -> Pixels:
    """The frame's content of a canvas that was drawn small, at 1/8 of the content's size.

    The content's edges may lie between two of the small pixels, so it is resampled, not cut.
    """
    share = small.shape[1] / frame.canvas.width
    left, top = frame.left * share, frame.top * share
    box = (left, top, left + frame.content.width * share, top + frame.content.height * share)
    size = max(1, round(frame.content.width / 8)), max(1, round(frame.content.height / 8))
    image = Image.fromarray(small).resize(size, Image.Resampling.BILINEAR, box=box)
    return Pixels(*size, image.tobytes())


def quantise(values: npt.NDArray[np.float32]) -> RGB:
    """Colours from 0 to 1 as bytes, rounded as the diffusers pipelines do."""
    return (values * 255).round().astype(np.uint8)


def _scaled(pixels: Pixels, size: Size, window: Box | None) -> Image.Image:
    image = Image.frombytes("RGB", (pixels.width, pixels.height), pixels.data)
    if window is not None:
        image = image.crop((window.left, window.top, window.left + window.width, window.top + window.height))
    if image.size == (size.width, size.height):
        return image
    return image.resize((size.width, size.height), Image.Resampling.LANCZOS)


def _overlapped(marked: Mask, length: int) -> Mask:
    """Scaled along the first axis: what overlaps a marked line is marked."""
    begins = [at * len(marked) // length for at in range(length)]
    ends = [-(-(at + 1) * len(marked) // length) for at in range(length)]
    return np.stack([marked[begin:end].any(axis=0) for begin, end in zip(begins, ends, strict=True)])


def _padded(content: npt.NDArray[Any], frame: Frame) -> npt.NDArray[Any]:
    rows = _reflected(np.arange(frame.canvas.height) - frame.top, frame.content.height)
    columns = _reflected(np.arange(frame.canvas.width) - frame.left, frame.content.width)
    return np.ascontiguousarray(content[rows][:, columns])


def _reflected(positions: npt.NDArray[np.int_], length: int) -> npt.NDArray[np.int_]:
    """Indices into a row of `length` that goes on as its own mirror image, without repeating the edge.

    The pad may be longer than the row itself: the mirror image is then mirrored again.
    """
    if length == 1:
        return np.zeros_like(positions)
    period = 2 * (length - 1)
    folded = positions % period
    return np.minimum(folded, period - folded)
