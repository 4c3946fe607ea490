"""Where the objects of a scene are put, so that its caption is true and nothing that has weight hangs in the air."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import torch

from inference.emoji_art.art import Sprites
from inference.emoji_art.backgrounds import COLOURS, Background, plain_name, rgb
from inference.emoji_art.layers import Placed

SHADOW = 0.42
"""How dark the shadow is under what stands on the ground."""

EDGE = 0.02
"""What stays free at the picture's sides, as a share of it."""

NATURAL = {"small": 0.8, "medium": 0.95, "large": 1.1}

_GRID = 64

_ALIKE = 0.3
"""Two colours nearer than this in RGB, each channel 0…1, are hard to tell apart in a picture."""

_LOST_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class Outline:
    """What a sprite fills of its tile: distances from the tile's centre, in shares of its side, y downwards.

    lid: the upper edge over the middle fifth: where something can be put on it.
    lost_on: the names of the plain backgrounds before which most of it would not be seen.
    """

    left: float
    top: float
    right: float
    bottom: float
    lid: float
    lost_on: frozenset[str] = frozenset()

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def width(self) -> float:
        return self.right - self.left


@dataclass(frozen=True, slots=True)
class Item:
    """An object that has no place yet. scale: "big", "small" or None, beside the others."""

    concept: int
    sprite_set: int
    outline: Outline
    stands: str
    natural: float
    scale: str | None = None

    def stands_on(self, background: Background) -> bool:
        """Whether it touches the ground there."""
        if background.horizon is None or self.stands == "air":
            return False
        return not (self.stands == "water" and background.name == "underwater")

    @property
    def factor(self) -> float:
        return {"big": 1.15, "small": 0.52, None: self.natural}[self.scale]


@lru_cache(maxsize=2)
def outlines(sprites: Sprites) -> tuple[tuple[Outline, ...], ...]:
    """Of every concept in every set; whatever is not there counts as a full tile."""
    return tuple(tuple(_outline(sprite) for sprite in of_concept) for of_concept in sprites.pixels.cpu())


def _outline(sprite: torch.Tensor) -> Outline:
    """sprite: uint8 (4, height, width)"""
    small = sprite[:, :: sprite.shape[1] // _GRID, :: sprite.shape[2] // _GRID]
    solid = small[3] > 100
    rows, columns = solid.any(1).nonzero()[:, 0].tolist(), solid.any(0).nonzero()[:, 0].tolist()
    if not rows:
        return Outline(-0.5, -0.5, 0.5, 0.5, -0.5)
    middle = solid[:, 2 * _GRID // 5 : 3 * _GRID // 5].any(1).nonzero()[:, 0].tolist()
    return Outline(
        left=columns[0] / _GRID - 0.5,
        top=rows[0] / _GRID - 0.5,
        right=(columns[-1] + 1) / _GRID - 0.5,
        bottom=(rows[-1] + 1) / _GRID - 0.5,
        lid=(middle or rows)[0] / _GRID - 0.5,
        lost_on=_lost_on(small[:3, solid].float() / 255),
    )


def _lost_on(seen: torch.Tensor) -> frozenset[str]:
    """seen: (3, pixels) in [0, 1], what is visible of a sprite."""
    swatches = torch.stack([rgb(code) for code in COLOURS.values()])
    alike = (torch.cdist(swatches, seen.T) < _ALIKE).float().mean(1)
    return frozenset(
        plain_name(colour)
        for colour, share in zip(COLOURS, alike.tolist(), strict=True)
        if share > _LOST_SHARE
    )


# -- one object -------------------------------------------------------------------------------------------------------


def large(rng: random.Random, items: Sequence[Item], background: Background) -> list[Placed]:
    """One object that fills most of the picture: what is learned first."""
    size = rng.uniform(0.55, 0.85)
    x, y = 0.5 + rng.uniform(-0.05, 0.05), 0.5 + rng.uniform(-0.05, 0.05)
    item = items[0]
    if item.stands_on(background):
        base = max(y + size * item.outline.bottom, _ground(rng, background, size))
        return [_standing(rng, item, x, size, base)]
    return [_hovering(rng, item, x, y, size, turn=6)]


def alone(rng: random.Random, items: Sequence[Item], background: Background) -> list[Placed]:
    item = items[0]
    size = {"big": rng.uniform(0.66, 0.8), "small": rng.uniform(0.2, 0.3), None: rng.uniform(0.3, 0.62)}[
        item.scale
    ]
    x = rng.uniform(0.25, 0.75)
    if item.stands_on(background):
        return [_standing(rng, item, x, size, _ground(rng, background, size))]
    return [_hovering(rng, item, x, _height(rng, item, background), size)]


# -- several ----------------------------------------------------------------------------------------------------------


def row(rng: random.Random, items: Sequence[Item], background: Background) -> list[Placed]:
    """Side by side, the first on the left; what is farther away comes first in the result."""
    slot = 1 / len(items)
    size = rng.uniform(0.82, 1.0) * slot * (1.1 if len(items) > 2 else 1.0)
    base, level = _ground(rng, background, size), rng.uniform(0.38, 0.54)
    if not any(item.stands_on(background) for item in items):
        level = _height(rng, items[0], background)
    placed = []
    for place, item in enumerate(items):
        x = (place + 0.5) * slot + rng.uniform(-0.025, 0.025)
        own = min(size * item.factor, slot / item.outline.width)
        if item.stands_on(background):
            placed.append(_standing(rng, item, x, own, base + rng.uniform(-0.02, 0.02)))
        else:
            placed.append(_hovering(rng, item, x, level + rng.uniform(-0.05, 0.05), own))
    return placed


def group(rng: random.Random, items: Sequence[Item], background: Background) -> list[Placed]:
    """Several that are only listed: a row in any order, or three with one of them behind or higher."""
    items = rng.sample(list(items), len(items))
    if len(items) < 3 or rng.random() < 0.6:
        return row(rng, items, background)
    back = _raised(rng, items[0], background)
    return [back, *_pair(rng, items[1:], background)]


def _raised(rng: random.Random, item: Item, background: Background) -> Placed:
    size = 0.36 * item.factor
    x = rng.uniform(0.42, 0.58)
    if item.stands_on(background):
        return _standing(rng, item, x, size, (background.horizon or 0.6) + 0.03)
    return _hovering(rng, item, x, rng.uniform(0.2, 0.27), size)


def _pair(rng: random.Random, items: Sequence[Item], background: Background) -> list[Placed]:
    """The two in front of a third: low, and apart."""
    placed = []
    for x, item in zip((0.24, 0.76), items, strict=True):
        size = rng.uniform(0.36, 0.44) * item.factor
        if item.stands_on(background):
            placed.append(_standing(rng, item, x, size, max(0.93, (background.horizon or 0) + 0.06)))
        else:
            placed.append(_hovering(rng, item, x, rng.uniform(0.66, 0.74), size))
    return placed


def above(rng: random.Random, items: Sequence[Item], background: Background) -> list[Placed]:
    """The first over the second, with air between them."""
    return _stacked(rng, items, background, gap=rng.uniform(0.02, 0.1), lid=False)


def on(rng: random.Random, items: Sequence[Item], background: Background) -> list[Placed]:
    """The first on top of the second: it sinks in a little, so that it touches."""
    return _stacked(rng, items, background, gap=-0.025, lid=True)


def _stacked(
    rng: random.Random, items: Sequence[Item], background: Background, *, gap: float, lid: bool
) -> list[Placed]:
    upper, lower = items
    size_up, size_low = rng.uniform(0.34, 0.46) * upper.factor, rng.uniform(0.42, 0.56) * lower.factor
    base = _ground(rng, background, size_low) if lower.stands_on(background) else rng.uniform(0.84, 0.93)
    tall = size_up * upper.outline.height + size_low * lower.outline.height + gap
    fit = min(1.0, (base - EDGE) / tall)
    x = rng.uniform(0.36, 0.64)
    below = _standing(rng, lower, x, fit * size_low, base, turn=0)
    if not lower.stands_on(background):
        below = replace(below, shadow=0.0)
    top = below.y + below.size * (lower.outline.lid if lid else lower.outline.top)
    aside = rng.uniform(-0.03, 0.03) if lid else rng.uniform(-0.08, 0.08)
    over = _standing(rng, upper, x + aside, fit * size_up, top - gap, turn=0)
    return [below, replace(over, shadow=0.0)]


def front(rng: random.Random, items: Sequence[Item], background: Background) -> list[Placed]:
    """The first in front of the second, hiding a part of it."""
    near, far = items
    size_near, size_far = rng.uniform(0.3, 0.4) * near.factor, rng.uniform(0.52, 0.62) * far.factor
    side = rng.choice((-1, 1))
    x = 0.5 - side * rng.uniform(0.02, 0.12)
    # So far aside that what is hidden is a part of the far one and not its middle.
    aside = side * (0.5 * size_far * far.outline.width - rng.uniform(-0.05, 0.1) * size_near)
    base = min(_ground(rng, background, 0.7 * size_far), 0.87)
    step = rng.uniform(0.04, 0.1)
    behind = _on_ground_or_at(rng, far, background, x, size_far, base, rng.uniform(0.4, 0.48))
    low = behind.y + behind.size * far.outline.bottom + step
    before = _on_ground_or_at(
        rng, near, background, x + aside, size_near, min(low, 0.97), behind.y + 0.12 + step
    )
    return [behind, before]


def far(rng: random.Random, items: Sequence[Item], background: Background) -> list[Placed]:
    """The first large and near, the second small, high up and far away."""
    near, away = items
    side = rng.choice((-1, 1))
    x = 0.5 - side * rng.uniform(0.08, 0.18)
    size = rng.uniform(0.42, 0.54) * min(near.natural, 1.0)
    close = _on_ground_or_at(
        rng, near, background, x, size, _ground(rng, background, size), rng.uniform(0.6, 0.7)
    )
    high = _hovering(
        rng, away, 0.5 + side * rng.uniform(0.26, 0.34), rng.uniform(0.15, 0.24), rng.uniform(0.2, 0.3)
    )
    return [high, close]


Layout = Callable[[random.Random, Sequence[Item], Background], list[Placed]]

LAYOUTS: dict[str, Layout] = {
    "alone": alone,
    "count": group,
    "and": group,
    "three": group,
    "beside": group,
    "left": row,
    "above": above,
    "on": on,
    "front": front,
    "far": far,
}
"""By relation. The items are in the order in which the relation names them."""


# -- where one object goes --------------------------------------------------------------------------------------------


def _ground(rng: random.Random, background: Background, size: float) -> float:
    """How far down something of that size stands: what is large is near."""
    horizon = 0.7 if background.horizon is None else background.horizon
    return rng.uniform(min(horizon + 0.02 + 0.35 * size, 0.92), 0.94)


def _height(rng: random.Random, item: Item, background: Background) -> float:
    """How high something hovers: in the sky, if there is one."""
    if background.horizon is None or item.stands == "water":
        return rng.uniform(0.35, 0.65)
    return rng.uniform(0.25, 0.45)


def _on_ground_or_at(
    rng: random.Random, item: Item, background: Background, x: float, size: float, base: float, y: float
) -> Placed:
    if item.stands_on(background):
        return _standing(rng, item, x, size, base)
    return _hovering(rng, item, x, y, size)


def _standing(rng: random.Random, item: Item, x: float, size: float, base: float, turn: float = 3) -> Placed:
    """With its lower edge at the height `base`, all of it in the picture."""
    size = min(size, (base - EDGE) / item.outline.height)
    y = base - size * item.outline.bottom
    return _placed(rng, item, x, y, size, turn, SHADOW)


def _hovering(rng: random.Random, item: Item, x: float, y: float, size: float, turn: float = 10) -> Placed:
    y = min(max(y, EDGE - size * item.outline.top), 1 - EDGE - size * item.outline.bottom)
    return _placed(rng, item, x, y, size, turn, 0.0)


def _placed(
    rng: random.Random, item: Item, x: float, y: float, size: float, turn: float, shadow: float
) -> Placed:
    half = 0.5 * size * item.outline.width
    x = min(max(x, EDGE + half), 1 - EDGE - half) if half < 0.5 - EDGE else 0.5
    turn = rng.uniform(-turn, turn) if rng.random() < 0.5 else 0.0
    flip = rng.random() < 0.25
    return Placed(item.concept, item.sprite_set, x, y, size, turn, flip, shadow)
