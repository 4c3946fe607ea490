"""Which part of a picture is meant: said in words, drawn as a mask, shown on the picture, and where it is drawn.

A region is a picture of mode "L" and of the picture's size: 0 keeps, 255 draws anew, greys are a soft edge.
"""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont
from scipy import ndimage

from bot import texts
from bot.errors import BadOption, BadPicture
from bot.scene.spots import Grid, Spot, cell_name, grid_of, spots_in
from inference import Box, Frame, Size, fit

__all__ = [
    "Grid",
    "bounds",
    "draw_grid",
    "grid_of",
    "grown",
    "is_empty",
    "on_white",
    "outline",
    "parse_region",
    "read_mask",
    "soften",
    "window_for",
]

DRAWN_ANEW = 128
"""From this grey on the engine draws anew."""

LEAST_SCALE = 0.9
"""A picture that would be scaled down further than this is drawn in a window."""

_GRID_SIDE = 1280
"""Large enough for crisp labels, small enough for a phone's connection."""

_LEAST_MARGIN = 64
_NEARLY = 16
"""Greys that JPEG makes of black and white."""

_COLOURED, _COLOURED_SHARE = 64, 0.02
_DIMMED = 0.6


# Saying it


def draw_grid(image: Image.Image) -> Image.Image:
    """The picture with its cells and their names over it, RGB, at a size that can be read on a phone."""
    scale = _GRID_SIDE / max(image.size)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    picture = on_white(image).resize(size, Image.Resampling.LANCZOS)
    lines = Image.new("RGBA", size)
    _draw_cells(ImageDraw.Draw(lines), size, grid_of(Size(*image.size)))
    picture.paste(lines, mask=lines)
    return picture


def parse_region(text: str, size: Size) -> Image.Image:
    """What the words name, hard: "L" of that size with 0 and 255 only. Raises BadOption."""
    region = Image.new("L", (size.width, size.height))
    draw = ImageDraw.Draw(region)
    for spot in spots_in(text, size):
        _fill(draw, spot, size)
    if is_empty(region):
        raise BadOption(texts.REGION_TOO_SMALL)
    return region


def read_mask(image: Image.Image, size: Size) -> Image.Image:
    """A mask file for a picture of `size`: what is white in it, or transparent, is drawn anew. Raises BadPicture."""
    mask = Size(*image.size)
    if abs(mask.width * size.height / size.width - mask.height) > max(1.5, 0.01 * mask.height):
        raise BadPicture(texts.mask_has_another_shape(mask, size))
    grey = _grey_of(image).resize((size.width, size.height), Image.Resampling.BILINEAR)
    region = grey.point([0 if v < _NEARLY else 255 if v > 255 - _NEARLY else v for v in range(256)])
    anew = np.asarray(region) >= DRAWN_ANEW
    if not anew.any():
        raise BadPicture(texts.MASK_IS_EMPTY)
    if anew.all():
        raise BadPicture(texts.MASK_IS_FULL)
    return region


# Working on it


def is_empty(region: Image.Image) -> bool:
    return region.getbbox() is None


def bounds(region: Image.Image) -> Box:
    """The smallest box round everything that is not 0. The region must not be empty."""
    box = region.getbbox()
    assert box is not None
    left, top, right, bottom = box
    return Box(left, top, right - left, bottom - top)


def soften(region: Image.Image, pixels: int) -> Image.Image:
    """Feathered outwards: what was 255 stays so, what lies further than `pixels` away stays 0."""
    if pixels < 1:
        return region.copy()
    # Grown by one half and blurred by the other, so the blur never reaches what was 255.
    blur = pixels // 2
    return ImageChops.lighter(region, grown(region, pixels - blur).filter(ImageFilter.BoxBlur(blur)))


def grown(region: Image.Image, pixels: int) -> Image.Image:
    """Every value spread to the square of that radius round it."""
    return Image.fromarray(ndimage.maximum_filter(np.asarray(region), size=2 * pixels + 1))


def outline(image: Image.Image, region: Image.Image) -> Image.Image:
    """The picture with the region ringed in dashes of two colours and the rest dimmed, RGB, its size unchanged."""
    picture = on_white(image)
    hard = region.point([0] * DRAWN_ANEW + [255] * (256 - DRAWN_ANEW))
    shown = Image.composite(picture, picture.point([int(v * _DIMMED) for v in range(256)] * 3), hard)
    thick = max(1, round(max(image.size) / 240))
    ring = ImageChops.subtract(grown(hard, thick), hard)
    rows, columns = np.indices((image.height, image.width), sparse=True)
    dash = thick * 6
    is_light = (
        columns // dash + rows // dash
    ) % 2 == 0  # of a chessboard, so edges of any slant change colour
    shown.paste((20, 20, 20), mask=ring)
    shown.paste((255, 255, 255), mask=ImageChops.darker(ring, Image.fromarray(np.uint8(is_light) * 255)))
    return shown


def on_white(image: Image.Image) -> Image.Image:
    """RGB, transparent parts on white."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    flat = Image.new("RGBA", image.size, "white")
    flat.alpha_composite(image.convert("RGBA"))
    return flat.convert("RGB")


# Where it is drawn


def window_for(region: Image.Image, size: Size, canvases: tuple[Size, ...]) -> tuple[Box | None, Frame]:
    """Which part of a picture is drawn for a region of it, and how that part lies on the model's canvas.

    None for all of the picture, where it fits a canvas nearly unscaled. Otherwise a window with some of the picture
    round the region, in a canvas's aspect and with at least its pixels as far as the picture has them.
    """
    whole = fit(size, canvases)
    if whole.content.width >= LEAST_SCALE * size.width:
        return None, whole
    box = bounds(region)
    wanted = Size(_with_margin(box.width, size.width), _with_margin(box.height, size.height))
    canvas = min(canvases, key=lambda each: (_apart(each, wanted), -each.area))
    scale = max(1.0, wanted.width / canvas.width, wanted.height / canvas.height)
    full = Size(math.ceil(canvas.width * scale), math.ceil(canvas.height * scale))
    inside = Size(min(full.width, size.width), min(full.height, size.height))
    if inside == size:
        return None, whole
    left = _start(box.left, box.width, inside.width, size.width)
    top = _start(box.top, box.height, inside.height, size.height)
    frame = Frame(canvas=canvas, content=canvas) if inside == full else fit(inside, canvases)
    return Box(left, top, inside.width, inside.height), frame


def _with_margin(side: int, limit: int) -> int:
    return min(limit, side + 2 * max(_LEAST_MARGIN, math.ceil(side / 3)))


def _apart(a: Size, b: Size) -> float:
    """How different two aspects are."""
    return round(abs(math.log(a.width * b.height / (a.height * b.width))), 6)


def _start(start: int, length: int, window: int, limit: int) -> int:
    """Where a window begins that has its middle on the region's, but stays in the picture."""
    return min(max(0, start + (length - window) // 2), limit - window)


# Drawing


def _fill(draw: ImageDraw.ImageDraw, spot: Spot, size: Size) -> None:
    left, right = (round(share * size.width) for share in (spot.left, spot.right))
    top, bottom = (round(share * size.height) for share in (spot.top, spot.bottom))
    if left == right or top == bottom:
        return
    fill = draw.ellipse if spot.round else draw.rectangle
    fill((left, top, right - 1, bottom - 1), fill=255)


def _draw_cells(draw: ImageDraw.ImageDraw, size: tuple[int, int], grid: Grid) -> None:
    width, height = size
    xs = [round(width * column / grid.columns) for column in range(grid.columns + 1)]
    ys = [round(height * row / grid.rows) for row in range(grid.rows + 1)]
    # A dark line beside each light one, so that one of them shows on any picture.
    for colour, shift in (((0, 0, 0, 150), 2), ((255, 255, 255, 190), 0)):
        for x in xs[1:-1]:
            draw.line((x + shift, 0, x + shift, height), fill=colour, width=2)
        for y in ys[1:-1]:
            draw.line((0, y + shift, width, y + shift), fill=colour, width=2)
    font = ImageFont.load_default(size=round(_GRID_SIDE / 26))
    for column, x in enumerate(xs[:-1]):
        for row, y in enumerate(ys[:-1]):
            draw.text(
                (x + 10, y + 6),
                cell_name(column, row),
                font=font,
                fill=(255, 255, 255, 235),
                stroke_width=4,
                stroke_fill=(0, 0, 0, 200),
            )


def _grey_of(image: Image.Image) -> Image.Image:
    """Its transparency turned round where it has any, its brightness otherwise. Raises BadPicture for colours."""
    if image.has_transparency_data:
        alpha = image.convert("RGBA").getchannel("A")
        if alpha.getextrema() != (255, 255):
            return ImageChops.invert(alpha)
    colours = np.asarray(image.convert("RGB"))
    if np.mean(np.ptp(colours, axis=2) > _COLOURED) > _COLOURED_SHARE:
        raise BadPicture(texts.MASK_HAS_COLOURS)
    return image.convert("L")
