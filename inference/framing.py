"""Between the pictures people have and the canvas a model works on: scale, pad by reflection, crop back.

Arrays here are (height, width, 3) uint8 RGB.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from inference.types import Frame, Pixels, Size

RGB: TypeAlias = npt.NDArray[np.uint8]


def place(pixels: Pixels, frame: Frame) -> RGB:
    """Scale a picture to the frame's content (Lanczos) and fill the rest of the canvas with its reflection."""
    scaled = np.asarray(_scaled(pixels, frame.content))
    rows = _reflected(np.arange(frame.canvas.height) - frame.top, frame.content.height)
    columns = _reflected(np.arange(frame.canvas.width) - frame.left, frame.content.width)
    return np.ascontiguousarray(scaled[rows][:, columns])


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


def _scaled(pixels: Pixels, size: Size) -> Image.Image:
    image = Image.frombytes("RGB", (pixels.width, pixels.height), pixels.data)
    if pixels.size == size:
        return image
    return image.resize((size.width, size.height), Image.Resampling.LANCZOS)


def _reflected(positions: npt.NDArray[np.int_], length: int) -> npt.NDArray[np.int_]:
    """Indices into a row of `length` that goes on as its own mirror image, without repeating the edge.

    The pad may be longer than the row itself: the mirror image is then mirrored again.
    """
    if length == 1:
        return np.zeros_like(positions)
    period = 2 * (length - 1)
    folded = positions % period
    return np.minimum(folded, period - folded)
