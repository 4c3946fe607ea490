"""Laying pieces over a picture. Layers are plain data; composing them is one function, for the preview and for good."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec.structs import replace
from PIL import Image, ImageChops, ImageOps
from scipy import ndimage

from bot.scene.cutting import background_cleared
from bot.scene.regions import on_white, soften
from bot.scene.spots import anchor_in, point_in
from inference import Box, Size

_LEAST_PIXELS, _MOST_TIMES = 4, 4
_STILL_SEEN = 8
"""Pixels of a piece, or half of a smaller one, that nudges leave within the picture."""

_SHOWN_SIDE = 1024


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """One piece on a picture.

    x, y: its centre as shares of the picture's width and height, 0 to 1 from the top left, or outside. width: as a
    share of the picture's width, before turning; the height follows. turn: degrees clockwise. flip: mirrored, before
    turning. opacity: 0 to 1. feather: how far its edge fades inwards, as a share of its shorter side. cut_out: its
    flat background is taken away, if it has one.
    """

    piece_id: int
    x: float = 0.5
    y: float = 0.5
    width: float = 0.4
    turn: float = 0.0
    flip: bool = False
    opacity: float = 1.0
    feather: float = 0.0
    cut_out: bool = False


Placed = Sequence[tuple[Layer, Image.Image]]
"""Layers with their pieces' pictures, from the back to the front."""


# Composing


def compose(base: Image.Image, placed: Placed) -> Image.Image:
    """The pieces over the picture, at its size; RGBA where it is, RGB otherwise. Elsewhere it stays to the bit."""
    result = base.convert("RGBA" if base.mode == "RGBA" else "RGB")
    for layer, piece in placed:
        if (drawn := _drawn(layer, piece, base.size)) is None:
            continue
        picture, corner = drawn
        if result.mode == "RGBA":
            result.alpha_composite(picture, corner)
        else:
            result.paste(picture, corner, picture)
    return result


def shown(base: Image.Image, placed: Placed) -> bytes:
    """A preview: what `compose` gives, at most 1024 pixels on the longer side, as WebP."""
    picture = on_white(compose(base, placed))
    picture.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=85, method=1)
    return file.getvalue()


def covered(base: Size, placed: Placed) -> Image.Image:
    """The region that the pieces take up together, as soft as they are; empty where none can be seen."""
    region = Image.new("L", (base.width, base.height))
    for alpha, corner in _alphas(base, placed):
        box = (*corner, corner[0] + alpha.width, corner[1] + alpha.height)
        region.paste(ImageChops.lighter(region.crop(box), alpha), box)
    return region


def band(base: Size, placed: Placed, width: float) -> Image.Image:
    """The region of the seams: along every visible edge of a piece, on the picture or on another piece.

    width: of the band, as a share of the picture's longer side; it fades over as much again. Empty where there is no
    edge, as when a piece covers the whole picture.
    """
    top_most = Image.new("L", (base.width, base.height))
    for number, (alpha, corner) in enumerate(_alphas(base, placed), start=1):
        top_most.paste(number, corner, alpha.point([0] * 128 + [255] * 128))
    radius = max(1, round(width * max(base.width, base.height) / 2))
    return soften(_edges(np.asarray(top_most), radius), radius)


def _edges(numbers: npt.NDArray[np.uint8], radius: int) -> Image.Image:
    size = 2 * radius + 1
    mixed = ndimage.maximum_filter(numbers, size=size) != ndimage.minimum_filter(numbers, size=size)
    return Image.fromarray(np.uint8(mixed) * 255)


def _alphas(base: Size, placed: Placed) -> list[tuple[Image.Image, tuple[int, int]]]:
    drawn = [_drawn(layer, piece, (base.width, base.height)) for layer, piece in placed]
    return [(each[0].getchannel("A"), each[1]) for each in drawn if each is not None]


# One layer


def footprint(layer: Layer, base: Size, piece: Size) -> Size:
    """Of a piece on the picture, as it is turned, in pixels."""
    width, height = _sides(layer, base, piece)
    sine, cosine = _sine_cosine(layer)
    return Size(
        max(1, round(abs(width * cosine) + abs(height * sine))),
        max(1, round(abs(width * sine) + abs(height * cosine))),
    )


def _drawn(
    layer: Layer, piece: Image.Image, base: tuple[int, int]
) -> tuple[Image.Image, tuple[int, int]] | None:
    """The part of the turned piece that lies on the picture, RGBA, and where its corner is; None if none does.

    Only that part is computed, so that a piece four times as large as the picture costs no more than the picture.
    """
    sizes = Size(*base), Size(*piece.size)
    box = _visible_box(layer, *sizes)
    if box is None:
        return None
    width, height = _sides(layer, *sizes)
    source = _shrunk(_prepared(layer, piece), max(1, round(width)), max(1, round(height)))
    source = _faded(source, layer)
    matrix = _matrix(layer, box, sizes[0], (width, height), source.size)
    # A clear rim, so that turned edges are smooth; Pillow resamples RGBA by premultiplied colours.
    rimmed = ImageOps.expand(source, border=_RIM, fill=(0, 0, 0, 0))
    picture = rimmed.transform(
        (box.width, box.height), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC
    )
    return picture, (box.left, box.top)


_RIM = 2


def _prepared(layer: Layer, piece: Image.Image) -> Image.Image:
    picture = background_cleared(piece) if layer.cut_out else None
    picture = picture or piece.convert("RGBA")
    return ImageOps.mirror(picture) if layer.flip else picture


def _shrunk(picture: Image.Image, width: int, height: int) -> Image.Image:
    """Made smaller where it is placed smaller; making larger is left to the one resampling that turns it."""
    size = min(width, picture.width), min(height, picture.height)
    return picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS)


def _faded(picture: Image.Image, layer: Layer) -> Image.Image:
    pixels = round(layer.feather * min(picture.size))
    if pixels < 1 and layer.opacity >= 1:
        return picture
    alpha = picture.getchannel("A")
    if pixels:
        clear = ImageChops.invert(ImageOps.expand(alpha, border=1, fill=0))
        alpha = ImageChops.invert(soften(clear, pixels)).crop((1, 1, alpha.width + 1, alpha.height + 1))
    faded = picture.copy()
    faded.putalpha(alpha.point([round(v * layer.opacity) for v in range(256)]))
    return faded


def _matrix(
    layer: Layer, box: Box, base: Size, sides: tuple[float, float], source: tuple[int, int]
) -> tuple[float, ...]:
    """From pixels of the box to pixels of the rimmed source, as Image.transform wants it."""
    sine, cosine = _sine_cosine(layer)
    across, down = source[0] / sides[0], source[1] / sides[1]
    centre_x, centre_y = _centre(layer, base, sides)
    left, top = box.left - centre_x, box.top - centre_y
    a, b, d, e = cosine * across, sine * across, -sine * down, cosine * down
    return (
        a,
        b,
        a * left + b * top + source[0] / 2 + _RIM,
        d,
        e,
        d * left + e * top + source[1] / 2 + _RIM,
    )


def _centre(layer: Layer, base: Size, sides: tuple[float, float]) -> tuple[float, float]:
    """On whole pixels for a piece that is not turned, so that it stays as sharp as it was."""
    x, y = layer.x * base.width, layer.y * base.height
    if layer.turn % 360:
        return x, y
    return round(x - sides[0] / 2) + sides[0] / 2, round(y - sides[1] / 2) + sides[1] / 2


def _visible_box(layer: Layer, base: Size, piece: Size) -> Box | None:
    size = footprint(layer, base, piece)
    x, y = layer.x * base.width, layer.y * base.height
    left, top = max(0, math.floor(x - size.width / 2) - 1), max(0, math.floor(y - size.height / 2) - 1)
    right = min(base.width, math.ceil(x + size.width / 2) + 1)
    bottom = min(base.height, math.ceil(y + size.height / 2) + 1)
    return Box(left, top, right - left, bottom - top) if left < right and top < bottom else None


def _sides(layer: Layer, base: Size, piece: Size) -> tuple[float, float]:
    """Width and height on the picture before turning; whole pixels, so that a piece that fits is not resampled."""
    width = max(1, round(layer.width * base.width))
    return width, max(1, round(width * piece.height / piece.width))


def _sine_cosine(layer: Layer) -> tuple[float, float]:
    """To the bit at quarters: 6e-17 in place of 0 would resample what only changes places."""
    angle = math.radians(layer.turn)
    return round(math.sin(angle), 12), round(math.cos(angle), 12)


# Nudges


def moved(layer: Layer, dx: float, dy: float, base: Size, piece: Size) -> Layer:
    """By shares of the picture's width and height; some of it stays in the picture."""
    return _kept_in_sight(replace(layer, x=layer.x + dx, y=layer.y + dy), base, piece)


def scaled(layer: Layer, factor: float, base: Size, piece: Size) -> Layer:
    """Between 4 pixels each way and 4 times the picture."""
    per_height = piece.width / piece.height / base.width  # its width as a share, for each pixel of its height
    least = max(_LEAST_PIXELS / base.width, _LEAST_PIXELS * per_height)
    most = min(_MOST_TIMES, _MOST_TIMES * base.height * per_height)
    width = min(max(layer.width * factor, least), max(least, most))
    return _kept_in_sight(replace(layer, width=width), base, piece)


def turned(layer: Layer, degrees: float, base: Size, piece: Size) -> Layer:
    """Clockwise; the result's turn is from 0 to below 360."""
    turn = (layer.turn + degrees) % 360 % 360  # a hair below 0 becomes 360.0 the first time
    return _kept_in_sight(replace(layer, turn=turn), base, piece)


def parse_place(text: str, base: Size, placed: Size) -> tuple[float, float]:
    """Where the centre of a piece of that footprint goes: an anchor keeps all of it inside. Raises BadOption."""
    anchor = anchor_in(text)
    if anchor is None:
        return point_in(text, base)
    x, y = anchor
    return x + (0.5 - x) * placed.width / base.width, y + (0.5 - y) * placed.height / base.height


def _kept_in_sight(layer: Layer, base: Size, piece: Size) -> Layer:
    """Drawn back towards the picture, only as far as it must be."""
    inside_x, inside_y = min(max(layer.x, 0.0), 1.0), min(max(layer.y, 0.0), 1.0)
    for step in range(33):
        back = step / 32
        kept = replace(
            layer,
            x=layer.x + (inside_x - layer.x) * back,
            y=layer.y + (inside_y - layer.y) * back,
        )
        if _in_sight(kept, base, piece):
            break
    return kept


def _in_sight(layer: Layer, base: Size, piece: Size) -> bool:
    """Two rectangles overlap if their shadows do along the sides of both."""
    width, height = _sides(layer, base, piece)
    sine, cosine = _sine_cosine(layer)
    x, y = (layer.x - 0.5) * base.width, (layer.y - 0.5) * base.height
    turned_base = (
        abs(base.width * cosine) + abs(base.height * sine),
        abs(base.width * sine) + abs(base.height * cosine),
    )
    box = footprint(layer, base, piece)
    shadows = (
        (x, box.width, base.width),
        (y, box.height, base.height),
        (x * cosine + y * sine, width, turned_base[0]),
        (y * cosine - x * sine, height, turned_base[1]),
    )
    least = min(_STILL_SEEN, min(width, height) / 2)
    return all((one + other) / 2 - abs(apart) >= least for apart, one, other in shadows)
