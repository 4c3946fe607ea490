"""Cutting a piece out of a picture: by a region of it, or by taking a flat background away."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops
from scipy import ndimage

from bot import texts
from bot.errors import BadPicture
from bot.scene.regions import bounds
from inference import Size

LEAST_SIDE = 8
"""Pixels of a piece, each way."""

_FLAT_SHARE, _FLAT_SPREAD = 0.7, 40.0
"""So much of the border must be within this distance of its usual colour for it to be a background."""

_LEAST_TOLERANCE = 12.0
_STRONG, _JPEG_WAVES, _JPEG_BLOCK = 90.0, 36.0, 8
_EDGE = 2
"""Pixels that antialiasing and resampling mix with the background."""

_VISIBLE = 8
"""Alpha below which nobody sees a thing."""

_Floats = npt.NDArray[np.float32]
_Flags = npt.NDArray[np.bool_]


def cut(image: Image.Image, region: Image.Image) -> Image.Image:
    """The part of the picture in the region, RGBA, trimmed to what is visible. Raises BadPicture."""
    piece = image.convert("RGBA")
    piece.putalpha(ImageChops.multiply(piece.getchannel("A"), region))
    return _trimmed(piece)


def without_background(image: Image.Image) -> Image.Image | None:
    """What stands before a flat background, RGBA, trimmed to what is visible; None where there is no such background.

    Raises BadPicture where nothing, or nearly nothing, stands before it.
    """
    alone = background_cleared(image)
    return None if alone is None else _trimmed(alone)


def background_cleared(image: Image.Image) -> Image.Image | None:
    """The same, RGBA and of the picture's own size. What is transparent at its border already has no background."""
    piece = image.convert("RGBA")
    pixels = np.asarray(piece)
    if np.median(_border_of(pixels[..., 3])) < _VISIBLE:
        return piece
    colours = pixels[..., :3].astype(np.float32)
    background = np.median(_border_of(colours), axis=0).astype(np.float32)
    distance: _Floats = np.sqrt(((colours - background) ** 2).sum(axis=2))
    if (tolerance := _tolerance(_border_of(distance))) is None:
        return None
    outside = _connected_with_border(_like_background(distance, tolerance))
    outside |= _specks(distance, ~outside)
    alpha = np.where(outside, np.float32(0), np.float32(1))
    _unmix_edge(colours, alpha, outside, background)
    alpha *= pixels[..., 3]
    return Image.fromarray(np.dstack([colours, alpha]).round().clip(0, 255).astype(np.uint8))


def _tolerance(border: _Floats) -> float | None:
    """How far a colour may be from the background's; None where the border has many colours."""
    flat = border[border <= _FLAT_SPREAD]
    if len(flat) < _FLAT_SHARE * len(border):
        return None
    return min(_FLAT_SPREAD, max(_LEAST_TOLERANCE, 1.5 * float(np.percentile(flat, 95))))


def _like_background(distance: _Floats, tolerance: float) -> _Flags:
    """More is let pass beside what differs strongly: there JPEG leaves waves in the flattest background."""
    block = 2 * _JPEG_BLOCK + 1
    beside = ndimage.maximum_filter(distance > _STRONG, size=block)
    alike: _Flags = (distance <= tolerance) | (beside & (distance <= max(tolerance, _JPEG_WAVES)))
    return alike


def _specks(distance: _Floats, inside: _Flags) -> _Flags:
    """Small things that hardly differ from the background: noise. A small star in the night differs."""
    labels, count = ndimage.label(inside)
    area = np.bincount(labels.ravel(), minlength=count + 1)
    strong = np.bincount(labels[distance >= _STRONG], minlength=count + 1)
    noise = (area < max(LEAST_SIDE**2, inside.size / 2000)) & (strong == 0)
    noise[0] = False
    specks: _Flags = noise[labels]
    return specks


def _connected_with_border(alike: _Flags) -> _Flags:
    labels, _count = ndimage.label(alike)
    reached = np.unique(_border_of(labels))
    connected: _Flags = np.isin(labels, reached[reached > 0])
    return connected


def _unmix_edge(colours: _Floats, alpha: _Floats, outside: _Flags, background: _Floats) -> None:
    """Give each pixel at the edge the colour of what it belongs to, and as alpha how much of that is in it.

    In place. A pixel there is a × foreground + (1 - a) × background; the foreground is taken to be the colour
    nearby that differs most from the background.
    """
    grown = ndimage.maximum_filter(outside, size=2 * _EDGE + 1)
    rows, columns = np.nonzero(grown & ~outside)
    seen = colours[rows, columns] - background
    pure, furthest = seen, (seen**2).sum(axis=1)
    height, width = outside.shape
    for down in range(-_EDGE, _EDGE + 1):
        for right in range(-_EDGE, _EDGE + 1):
            near = (rows + down).clip(0, height - 1), (columns + right).clip(0, width - 1)
            other = colours[near] - background
            far = (other**2).sum(axis=1)
            further = far > furthest
            pure, furthest = np.where(further[:, None], other, pure), np.where(further, far, furthest)
    share = ((seen * pure).sum(axis=1) / np.maximum(furthest, 1)).clip(0, 1)
    alpha[rows, columns] = share
    colours[rows, columns] = background + pure


def _border_of(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Rows of the outermost pixels."""
    return np.concatenate([pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1]])


def _trimmed(piece: Image.Image) -> Image.Image:
    visible = piece.getchannel("A").point([0] * _VISIBLE + [255] * (256 - _VISIBLE))
    if visible.getbbox() is None:
        raise BadPicture(texts.PIECE_IS_INVISIBLE)
    box = bounds(visible)
    if min(box.width, box.height) < LEAST_SIDE:
        raise BadPicture(texts.piece_too_small(Size(box.width, box.height), LEAST_SIDE))
    return piece.crop((box.left, box.top, box.left + box.width, box.top + box.height))
