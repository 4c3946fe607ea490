"""Changing a picture's shape as a whole, and showing two of them together."""

from __future__ import annotations

import io
import math
from collections.abc import Collection
from enum import StrEnum

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from bot import texts
from bot.errors import BadOption, BadPicture
from bot.scene.cutting import LEAST_SIDE
from bot.scene.regions import on_white
from inference import Box, Size

MOST_SIDE = 4096
_LEAST_SHARE, _MOST_SHARE = 0.05, 1.0
_COMPARED_HEIGHT, _COMPARED_WIDTH = 768, 2048
_BLINK_SIDE, _BLINK_BYTES, _BLINK_MILLISECONDS = 1024, 2 * 2**20, 900

_EXACT: dict[float, Image.Transpose] = {
    90: Image.Transpose.ROTATE_270,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}
"""Clockwise degrees to Pillow's names, which count the other way."""


class Side(StrEnum):
    LEFT = "left"
    RIGHT = "right"
    TOP = "top"
    BOTTOM = "bottom"


def crop(image: Image.Image, box: Box) -> Image.Image:
    """Raises BadPicture for a part with next to nothing in it."""
    if min(box.width, box.height) < LEAST_SIDE:
        raise BadPicture(texts.piece_too_small(box.size, LEAST_SIDE))
    return image.crop((box.left, box.top, box.left + box.width, box.top + box.height))


def extend(image: Image.Image, share: float, sides: Collection[Side]) -> tuple[Image.Image, Image.Image]:
    """A larger canvas, and the region of it that is new.

    It grows by `share` of the picture's own width or height on each of `sides`. The new part
    carries on the colours of the edge, blurred: a run can go on from them. (A mirrored picture would make it draw
    everything near the edge a second time.) Raises BadOption, or BadPicture beyond 4096.
    """
    if not _LEAST_SHARE <= share <= _MOST_SHARE:
        raise BadOption(texts.share_out_of_range(_LEAST_SHARE, _MOST_SHARE))
    across, down = max(1, round(image.width * share)), max(1, round(image.height * share))
    left, right = across * (Side.LEFT in sides), across * (Side.RIGHT in sides)
    top, bottom = down * (Side.TOP in sides), down * (Side.BOTTOM in sides)
    size = Size(image.width + left + right, image.height + top + bottom)
    _check_side(size)
    blur = ImageFilter.GaussianBlur(max(size.width, size.height) / 80)
    edges = np.asarray(image.filter(blur))
    canvas = Image.fromarray(np.pad(edges, ((top, bottom), (left, right), (0, 0)), mode="edge")).filter(blur)
    canvas.paste(image, (left, top))
    region = Image.new("L", canvas.size, 255)
    region.paste(0, (left, top, left + image.width, top + image.height))
    return canvas, region


def turn(image: Image.Image, degrees: float) -> Image.Image:
    """Clockwise. By quarters to the bit; otherwise cut to the largest part of the same shape without empty corners."""
    degrees %= 360
    if degrees == 0:
        return image.copy()
    if exact := _EXACT.get(degrees):
        return image.transpose(exact)
    sine, cosine = abs(math.sin(math.radians(degrees))), abs(math.cos(math.radians(degrees)))
    width, height = image.size
    scale = min(width / (width * cosine + height * sine), height / (width * sine + height * cosine))
    inner = math.floor(width * scale), math.floor(height * scale)
    if min(inner) < LEAST_SIDE:
        raise BadOption(texts.NO_CORNER_LEFT)
    turned = image.rotate(-degrees, Image.Resampling.BICUBIC)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    return turned.crop((left, top, left + inner[0], top + inner[1]))


def flip(image: Image.Image, *, upside_down: bool = False) -> Image.Image:
    return ImageOps.flip(image) if upside_down else ImageOps.mirror(image)


def upscale(image: Image.Image, factor: int) -> Image.Image:
    """Lanczos. Raises BadPicture for more than 4096 pixels on the longer side."""
    size = Size(image.width * factor, image.height * factor)
    _check_side(size)
    return image.resize((size.width, size.height), Image.Resampling.LANCZOS)


def side_by_side(a: Image.Image, b: Image.Image, labels: tuple[str, str]) -> Image.Image:
    """Both at one height with a label above each, RGB."""
    height = min(_COMPARED_HEIGHT, a.height, b.height)
    height = min(height, int(_COMPARED_WIDTH * height / sum(_width_at(each, height) for each in (a, b))))
    gap = max(4, height // 64)
    letters = max(14, height // 24)
    font, bar = ImageFont.load_default(size=letters), round(letters * 1.6)
    widths = [_width_at(each, height) for each in (a, b)]
    sheet = Image.new("RGB", (sum(widths) + gap, height + bar), (43, 45, 49))
    draw = ImageDraw.Draw(sheet)
    for each, width, left, label in zip((a, b), widths, (0, widths[0] + gap), labels, strict=True):
        sheet.paste(on_white(each).resize((width, height), Image.Resampling.LANCZOS), (left, bar))
        draw.text((left + gap, bar // 2), label, font=font, fill="white", anchor="lm")
    return sheet


def blink(a: Image.Image, b: Image.Image) -> bytes:
    """An animated WebP that changes between the two, at most 2 MiB; `b` takes the shape of `a`."""
    scale = min(1.0, _BLINK_SIDE / max(a.size))
    size = max(1, round(a.width * scale)), max(1, round(a.height * scale))
    first, second = (on_white(each).resize(size, Image.Resampling.LANCZOS) for each in (a, b))
    for quality in (88, 70, 40):
        data = _animated(first, second, quality)
        if len(data) <= _BLINK_BYTES:
            break
    return data


def _animated(first: Image.Image, second: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    first.save(
        file,
        "WEBP",
        save_all=True,
        append_images=[second],
        duration=_BLINK_MILLISECONDS,
        loop=0,
        quality=quality,
        method=2,
    )
    return file.getvalue()


def _check_side(size: Size) -> None:
    if max(size.width, size.height) > MOST_SIDE:
        raise BadPicture(texts.becomes_too_large(size, MOST_SIDE))


def _width_at(image: Image.Image, height: int) -> int:
    return max(1, round(image.width * height / image.height))
