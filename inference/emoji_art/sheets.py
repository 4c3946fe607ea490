"""Two pictures for the model card: what the first seeds gave, and which training sprites outputs come closest to."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, interpolate

from inference.emoji_art.art import Sprites

CELL = 160
"""The side of a picture on a sheet, in pixels."""

COLUMNS = 6

_TEXT = 34
_GAP = 8
_QUALITY = 85

_LOOK = 32
"""Outputs and sprites are compared at this many pixels on each side."""
_SIZES = (0.5, 0.6, 0.7, 0.8, 0.9)
_SHIFTS = (-0.08, 0.0, 0.08)
_AT_A_TIME = 24


def contact_sheet(pictures: Tensor, prompts: Sequence[str], path: Path) -> None:
    """Pictures, (n, 3, side, side) in [-1, 1], in rows of six with their prompts under them, as a WebP."""
    _sheet([_image(picture) for picture in pictures], list(prompts), path)


def nearest_sheet(pictures: Tensor, prompts: Sequence[str], sprites: Sprites, path: Path | None) -> float:
    """Each picture beside the training sprite that is most like it, on the colour of the picture's border.

    Pictures: (n, 3, side, side) in [-1, 1], each of one thing before one colour. A sprite may lie anywhere near the
    middle, in several sizes, and mirrored. Returns the mean of the distances: of pixels, 0 … 1. Writes no sheet without
    a path.
    """
    found = [_nearest(picture, sprites) for picture in pictures]
    if path is not None:
        cells: list[Image.Image] = []
        texts: list[str] = []
        for picture, prompt, match in zip(pictures, prompts, found, strict=False):
            cells += [_image(picture), _image(match.picture)]
            texts += [prompt, f"{match.name}, {match.set}: {match.distance:.3f}"]
        _sheet(cells, texts, path)
    return sum(match.distance for match in found) / max(1, len(found))


@dataclass(frozen=True)
class _Match:
    name: str
    set: str
    distance: float
    picture: Tensor


def _nearest(picture: Tensor, sprites: Sprites) -> _Match:
    small = interpolate(picture[None], size=(_LOOK, _LOOK), mode="area")[0].add(1).div(2)
    border = (
        torch.cat([small[:, 0], small[:, -1], small[:, :, 0], small[:, :, -1]], dim=1).median(dim=1).values
    )
    there = sprites.there.nonzero()
    best: tuple[float, int, int] = (float("inf"), 0, 0)
    for start in range(0, len(there), _AT_A_TIME):
        rows = there[start : start + _AT_A_TIME]
        tiles = _tiles(sprites, rows)
        laid = _laid(tiles, border)
        distances = (laid - small).abs().mean((2, 3, 4))
        value, place = distances.flatten().min(0)
        if float(value) < best[0]:
            sprite, way = divmod(int(place), distances.shape[1])
            best = (float(value), start + sprite, way)
    distance, index, way = best
    row, column = there[index].tolist()
    large = _laid(_tiles(sprites, there[index : index + 1]), border, side=CELL)[0, way]
    return _Match(sprites.concepts[row].name, sprites.sets[column], distance, large.mul(2).sub(1))


def _tiles(sprites: Sprites, rows: Tensor) -> Tensor:
    """(sprites, 4, 64, 64) in [0, 1], colours multiplied by alpha."""
    tiles = sprites.pixels[rows[:, 0], rows[:, 1]].float().div(255)
    tiles = torch.cat([tiles[:, :3] * tiles[:, 3:], tiles[:, 3:]], dim=1)
    return interpolate(tiles, size=(64, 64), mode="area")


def _ways() -> Tensor:
    """(ways, 2, 3): from picture to tile coordinates."""
    return torch.tensor(
        [
            [[mirror / size, 0, -2 * mirror * x / size], [0, 1 / size, -2 * y / size]]
            for size in _SIZES
            for x in _SHIFTS
            for y in _SHIFTS
            for mirror in (1.0, -1.0)
        ]
    )


def _laid(tiles: Tensor, border: Tensor, side: int = _LOOK) -> Tensor:
    """(tiles, ways, 3, side, side) in [0, 1]: every tile in every way on the border's colour."""
    ways = _ways()
    grid = affine_grid(ways, [len(ways), 4, side, side], align_corners=False)
    many = tiles.flatten(0, 1)[None].expand(len(ways), -1, -1, -1)
    laid = grid_sample(many, grid, align_corners=False).unflatten(1, (len(tiles), 4)).transpose(0, 1)
    covered: Tensor = laid[:, :, :3] + (1 - laid[:, :, 3:]) * border[:, None, None]
    return covered


def _image(picture: Tensor) -> Image.Image:
    values = picture.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).contiguous()
    image = Image.frombytes("RGB", (values.shape[1], values.shape[0]), bytes(values.flatten().tolist()))
    return image.resize((CELL, CELL), Image.Resampling.LANCZOS)


def _sheet(cells: Sequence[Image.Image], texts: Sequence[str], path: Path) -> None:
    rows = -(-len(cells) // COLUMNS)
    step, drop = CELL + _GAP, CELL + _TEXT + _GAP
    sheet = Image.new("RGB", (_GAP + COLUMNS * step, _GAP + rows * drop), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(11)
    for index, (cell, text) in enumerate(zip(cells, texts, strict=True)):
        left, top = _GAP + index % COLUMNS * step, _GAP + index // COLUMNS * drop
        sheet.paste(cell, (left, top))
        draw.text((left, top + CELL + 2), "\n".join(textwrap.wrap(text, 28)[:2]), fill="black", font=font)
    sheet.save(path, "WEBP", quality=_QUALITY, method=6)
