"""Where a tile lies in a picture, and how many of them are laid over one another at once.

A tile is a square RGBA picture of one object: a sprite, or what a doodle makes of one. Everything here is batched
and runs on whatever device its tensors are on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

FOOT_GRID = 32
"""Rows and columns of the coarse alpha on which an object's foot is looked for."""

FOOT_ROWS = 3
"""How many of its lowest coarse rows touch the ground."""

SOLID = 0.3
"""The alpha from which on a coarse cell counts as the object."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One object of a scene. Places and sizes are shares of the picture's side, y runs downwards."""

    concept: int
    sprite_set: int
    x: float
    y: float
    size: float
    turn: float = 0.0
    """Degrees, clockwise."""
    flip: bool = False
    shadow: float = 0.0
    """How dark its contact shadow is, 0–1; 0 where it touches nothing."""


def place_layers(
    canvas: Tensor, objects: Sequence[Sequence[Placed]], tiles: Tensor, *, shadows: bool = True
) -> tuple[Tensor, Tensor]:
    """Lays every row's objects over its canvas, back to front.

    canvas: (n, 3, side, side) float in [0, 1], left as it is. objects: n sequences.
    tiles: (all objects, 4, t, t) float in [0, 1], straight alpha, row after row in the order of `objects`.
    Returns the pictures, as the canvas, and their cover: (n, 1, side, side), how much of a pixel is object.
    """
    pictures, side = canvas.clone(), canvas.shape[-1]
    cover = canvas.new_zeros(len(objects), 1, side, side)
    first = _running_count(objects)
    for depth in range(max(map(len, objects), default=0)):
        rows = [row for row, placed in enumerate(objects) if len(placed) > depth]
        placed = [objects[row][depth] for row in rows]
        mine = _premultiplied(tiles[[first[row] + depth for row in rows]])
        below = pictures[rows]
        if shadows:
            below = below * (1 - _contact_shadows(mine, placed, side))
        layer = _warped(mine, placed, side)
        seen = 1 - layer[:, 3:]
        pictures[rows] = below * seen + layer[:, :3]
        cover[rows] = 1 - (1 - cover[rows]) * seen
    return pictures, cover


def _running_count(objects: Sequence[Sequence[Placed]]) -> list[int]:
    first = [0]
    for placed in objects:
        first.append(first[-1] + len(placed))
    return first


def _premultiplied(tiles: Tensor) -> Tensor:
    """So that what lies under transparent pixels does not bleed into the edges when a tile is scaled."""
    return torch.cat([tiles[:, :3] * tiles[:, 3:], tiles[:, 3:]], dim=1)


def _warped(tiles: Tensor, placed: Sequence[Placed], side: int) -> Tensor:
    """(m, 4, t, t) premultiplied to (m, 4, side, side): each tile in its place, nothing elsewhere."""
    theta = _to_tile(placed).to(tiles)
    levels = [_mip_level(tiles.shape[-1] / (each.size * side)) for each in placed]
    layer = tiles.new_zeros(len(placed), 4, side, side)
    for level in sorted(set(levels)):
        rows = [row for row, own in enumerate(levels) if own == level]
        small = functional.avg_pool2d(tiles[rows], 2**level) if level else tiles[rows]
        grid = functional.affine_grid(theta[rows], [len(rows), 4, side, side], align_corners=False)
        layer[rows] = functional.grid_sample(small, grid, align_corners=False)
    return layer


def _mip_level(shrinking: float) -> int:
    """Halvings before the bilinear step, which alone would skip pixels and shimmer."""
    return max(0, round(math.log2(shrinking)))


def _to_tile(placed: Sequence[Placed]) -> Tensor:
    """(m, 2, 3): for each object the matrix from picture to tile coordinates, both -1 … 1."""
    rows = []
    for each in placed:
        turn = math.radians(each.turn)
        across, down = math.cos(turn) / each.size, math.sin(turn) / each.size
        mirror = -1.0 if each.flip else 1.0
        x, y = 2 * each.x - 1, 2 * each.y - 1
        rows.append(
            [
                [mirror * across, mirror * down, -mirror * (across * x + down * y)],
                [-down, across, down * x - across * y],
            ]
        )
    return torch.tensor(rows)


def _contact_shadows(tiles: Tensor, placed: Sequence[Placed], side: int) -> Tensor:
    """(m, 1, side, side), 0 where there is none: a soft dark ellipse under the foot of each tile."""
    middle, half_width, bottom = _feet(tiles[:, 3])
    own = torch.tensor([[p.x, p.y, p.size, -1.0 if p.flip else 1.0, p.shadow] for p in placed]).to(tiles)
    x, y, size, mirror, strength = own.unbind(1)
    across = torch.linspace(0.5 / side, 1 - 0.5 / side, side).to(tiles)
    wide = (half_width * 1.15 + 0.04) * size
    flat = (half_width * 0.22 + 0.02) * size
    dx = (across - (x + mirror * middle * size)[:, None]) / wide[:, None]
    dy = (across - (y + (bottom - 0.01) * size)[:, None]) / flat[:, None]
    # exp(-r²) of an ellipse is a product of one row and one column.
    soft = torch.exp(-(dy**2))[:, :, None] * torch.exp(-(dx**2))[:, None, :]
    return (strength[:, None, None] * soft)[:, None]


def _feet(alpha: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of each (t, t) alpha, in shares of the tile from its centre: middle and half width of what touches the
    ground, and how far down it is."""
    coarse = functional.adaptive_avg_pool2d(alpha[:, None], FOOT_GRID)[:, 0] > SOLID
    lines = torch.arange(FOOT_GRID, device=alpha.device)
    bottom = (coarse.any(2) * lines).amax(1)
    touching = (lines > (bottom - FOOT_ROWS)[:, None]) & (lines <= bottom[:, None])
    columns = (coarse & touching[:, :, None]).any(1)
    right = (columns * lines).amax(1) + 1.0
    left = FOOT_GRID - (columns * (FOOT_GRID - lines)).amax(1).to(alpha)
    return (
        (left + right) / 2 / FOOT_GRID - 0.5,
        (right - left).clamp(min=1) / 2 / FOOT_GRID,
        (bottom + 1.0) / FOOT_GRID - 0.5,
    )
