"""The places that scenes are in, painted by formula: soft, simple and never twice the same.

A small autoencoder has to carry them, so there are gradients, wide noise and few, soft edges, and no grain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

DRAWS = 1024
"""Random numbers per picture. A painter that takes more fails at once."""

_MASK = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Background:
    """A place and how people name it.

    name: its key. phrases: how a caption says that something is there ("on the beach").
    names: how a caption asks for the place alone ("a sandy beach"). words: its bare keywords.
    horizon: how far down the ground begins, as a share of the side; None where nothing can stand.
    holds: what is naturally there: some of "ground", "air", "water".
    """

    name: str
    phrases: tuple[str, ...]
    names: tuple[str, ...]
    words: tuple[str, ...]
    horizon: float | None
    holds: tuple[str, ...]
    paint: Callable[[Easel], Tensor]


def paint(
    names: Sequence[str], seeds: Sequence[int], side: int, device: str | torch.device = "cpu"
) -> Tensor:
    """(n, 3, side, side) float32 in [0, 1]: one background for each name and seed. Equal seeds, equal pictures."""
    pictures = torch.empty(len(names), 3, side, side, device=device)
    rows_of: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows_of.setdefault(name, []).append(row)
    for name, rows in rows_of.items():
        easel = Easel([seeds[row] for row in rows], side, device)
        pictures[rows] = by_name()[name].paint(easel).clamp(0, 1)
    return pictures


@cache
def by_name() -> dict[str, Background]:
    """Every background by its name."""
    return {background.name: background for background in BACKGROUNDS}


class Easel:
    """What painters work with: coordinates, brushes and each picture's own random numbers.

    x and y are shares of the side, (1, 1, 1, side) and (1, 1, side, 1). Everything else is (n, 1 or 3, …).
    """

    def __init__(self, seeds: Sequence[int], side: int, device: str | torch.device) -> None:
        self.side = side
        self.rows = len(seeds)
        self._draws = torch.stack([_draws(seed) for seed in seeds]).to(device)
        self._used = 0
        line = (torch.arange(side, device=device) + 0.5) / side
        self.x, self.y = line[None, None, None, :], line[None, None, :, None]

    def numbers(self, count: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """(n, count) even random numbers."""
        taken = self._draws[:, self._used : self._used + count]
        if taken.shape[1] < count:
            raise ValueError("a painter takes more random numbers than there are")
        self._used += count
        return low + (high - low) * taken

    def number(self, low: float = 0.0, high: float = 1.0) -> Tensor:
        """(n, 1, 1, 1)"""
        return self.numbers(1, low, high)[:, :, None, None]

    def colour(self, *codes: str, spread: float = 0.03) -> Tensor:
        """(n, 3, 1, 1): somewhere between these colours, each channel a little off."""
        weights = self.numbers(len(codes)) ** 3 + 1e-3
        weights = weights / weights.sum(1, keepdim=True)
        mixed = weights @ torch.stack([rgb(code) for code in codes]).to(weights)
        return (mixed + self.numbers(3, -spread, spread))[:, :, None, None]

    def edge(self, distance: Tensor, softness: float = 0.0) -> Tensor:
        """0 where the distance is below 0, 1 above, smooth over a pixel or `softness`. Distances in shares."""
        return (distance / max(softness, 1 / self.side) + 0.5).clamp(0, 1)

    def noise(self, down: int, across: int) -> Tensor:
        """(n, 1, side, side), about 0.2 … 0.8: smooth noise of down × across humps."""
        grid = self.numbers((down + 3) * (across + 3)).reshape(self.rows, down + 3, across + 3)
        return (_spline(self.y.flatten(), down) @ grid @ _spline(self.x.flatten(), across).T)[:, None]

    def ridge(self, humps: int, height: float) -> Tensor:
        """(n, 1, 1, side) in ± height / 2: a line of hills."""
        grid = self.numbers(humps + 3, -0.75, 0.75)
        return height * (grid @ _spline(self.x.flatten(), humps).T)[:, None, None, :]

    def blobs(self, x: Tensor, y: Tensor, wide: Tensor, high: Tensor, strength: Tensor) -> Tensor:
        """(n, 1, side, side): a sum of soft ellipses; all (n, count). Each is one row times one column."""
        across = torch.exp(-(((self.x[0, 0] - x[:, :, None]) / wide[:, :, None]) ** 2))
        down = torch.exp(-(((self.y[0, 0].T - y[:, :, None]) / high[:, :, None]) ** 2))
        return torch.einsum("nk,nky,nkx->nyx", strength, down, across)[:, None]

    def stars(self, count: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """(n, 1, side, side) in [0, 1]: dots of different brightness between two heights."""
        size = 0.0044 + 0.0050 * self.numbers(count) ** 3
        strength = self.numbers(count, 0.45, 1.3)
        dots = self.blobs(self.numbers(count), self.numbers(count, low, high), size, size, strength)
        return dots.clamp(0, 1)

    def clouds(self, count: int, low: float, high: float, puffs: int = 6) -> Tensor:
        """(n, 1, side, side) in [0, 1]: fluffy clouds between two heights."""
        shape = (self.rows, count, puffs)
        middle_x, middle_y = self.numbers(count, -0.05, 1.05), self.numbers(count, low, high)
        size = self.numbers(count, 0.6, 1.25)
        x = middle_x[:, :, None] + size[:, :, None] * self.numbers(count * puffs, -0.14, 0.14).reshape(shape)
        y = middle_y[:, :, None] - size[:, :, None] * self.numbers(count * puffs, 0.0, 0.045).reshape(shape)
        wide = size[:, :, None] * self.numbers(count * puffs, 0.045, 0.075).reshape(shape)
        flat = self.blobs(*(part.flatten(1) for part in (x, y, wide, 0.62 * wide, torch.ones_like(x))))
        return ((flat - 0.35) / 0.5).clamp(0, 1) ** 0.8


def _draws(seed: int) -> Tensor:
    return torch.rand(DRAWS, generator=torch.Generator().manual_seed(seed & _MASK))


@cache
def rgb(code: str) -> Tensor:
    """(3,) in [0, 1]"""
    return torch.tensor(list(bytes.fromhex(code))).float() / 255


def _spline(places: Tensor, humps: int) -> Tensor:
    """(places, humps + 3): the weights of cubic B-splines, so that noise is a product of small matrices."""
    distance = (places[:, None] * humps - torch.arange(-1, humps + 2, device=places.device)).abs()
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = (2 - distance).clamp(min=0) ** 3 / 6
    return torch.where(distance < 1, near, far)


def _mix(below: Tensor, above: Tensor, share: Tensor) -> Tensor:
    return below + (above - below) * share


# -- places -----------------------------------------------------------------------------------------------------------


def _daylight(e: Easel, down_to: float) -> Tensor:
    """A sky that gets lighter towards the height `down_to`."""
    fall = (e.y / down_to).clamp(0, 1)
    return _mix(
        e.colour("4aa3e8", "6cb8f0", "3d8fdc", "7cc4ee"), e.colour("d6eefb", "c4e6fa", "e9f5fb"), fall
    )


def _beach(e: Easel) -> Tensor:
    sea_line, shore = e.number(0.36, 0.44), e.number(0.53, 0.57)
    wave = shore + e.ridge(4, 0.035)
    depth = ((e.y - sea_line) / (wave - sea_line)).clamp(0, 1)
    sea = _mix(e.colour("1d7fc4", "1a8fb8"), e.colour("5fd0d8", "6cc9e6"), depth)
    sand = _mix(e.colour("f2dca6", "f5e2b4"), e.colour("e6c07c", "edca8a"), (e.y - 0.55) / 0.45)
    sand = sand + 0.10 * (e.noise(5, 4) - 0.5)
    sand = sand - 0.10 * torch.exp(-(((e.y - wave) / 0.035) ** 2))
    picture = _mix(_daylight(e, 0.4), _white(e), 0.85 * e.clouds(2, 0.08, 0.26))
    picture = _mix(picture, sea, e.edge(e.y - sea_line))
    picture = _mix(picture, sand, e.edge(e.y - wave))
    foam = torch.exp(-(((e.y - wave + 0.008) / 0.011) ** 2))
    return _mix(picture, _white(e), 0.9 * foam)


def _grass(e: Easel) -> Tensor:
    far, near = 0.47 + e.ridge(3, 0.10), e.number(0.55, 0.59) + e.ridge(3, 0.06)
    picture = _mix(_daylight(e, 0.5), _white(e), 0.9 * e.clouds(3, 0.10, 0.32))
    back = _mix(e.colour("8fd06a", "9ad46c"), e.colour("6dbb50"), ((e.y - far) / 0.2).clamp(0, 1))
    front = _mix(e.colour("7cc94a", "74bd48", "8cd152"), e.colour("3f9438", "4a9c34"), (e.y - near) / 0.45)
    front = front + 0.14 * (e.noise(7, 5) - 0.5)
    picture = _mix(picture, back, e.edge(e.y - far))
    return _mix(picture, front, e.edge(e.y - near))


def _snow(e: Easel) -> Tensor:
    far, near = 0.50 + e.ridge(3, 0.14), e.number(0.57, 0.61) + e.ridge(2, 0.07)
    sky = _mix(e.colour("8fb4d8", "9cc3e6", "7fa6cf"), e.colour("d9e8f4", "e4eef6"), (e.y / 0.55).clamp(0, 1))
    back = _mix(e.colour("dfeaf5"), e.colour("b7cde4"), ((e.y - far) / 0.22).clamp(0, 1))
    front = _mix(
        e.colour("fbfdff", spread=0.01), e.colour("cfdff0", "d8e6f4"), ((e.y - near) / 0.45).clamp(0, 1)
    )
    front = front + 0.06 * (e.noise(4, 3) - 0.5)
    picture = _mix(_mix(sky, back, e.edge(e.y - far)), front, e.edge(e.y - near))
    size = e.numbers(26, 0.005, 0.010)
    flakes = e.blobs(e.numbers(26), e.numbers(26), size, size, torch.ones_like(size)).clamp(0, 1)
    return _mix(picture, _white(e), 0.95 * flakes)


def _sea(e: Easel) -> Tensor:
    line = e.number(0.44, 0.50)
    depth = ((e.y - line) / (1 - line)).clamp(1e-3, 1)
    water = _mix(e.colour("4fb0dd", "58bcd9"), e.colour("125a9e", "0f6a9c"), depth**0.7)
    # Waves come closer together towards the horizon.
    phase = 5.5 * torch.log(depth + 0.08) * 3.1 + 2.2 * e.noise(3, 4) * 3.1 + e.number(0, 6.28)
    crest = torch.sin(phase).clamp(min=0) ** 3 * depth.sqrt() * e.noise(5, 5)
    water = _mix(water, e.colour("a8e2f2", "bdeaf5"), 0.75 * crest)
    picture = _mix(_daylight(e, 0.48), _white(e), 0.9 * e.clouds(3, 0.08, 0.34))
    return _mix(picture, water, e.edge(e.y - line))


def _desert(e: Easel) -> Tensor:
    sky = _mix(e.colour("6fb7e0", "86c4e4", "f2b26b"), e.colour("fbe7bd", "fbdfae"), (e.y / 0.5).clamp(0, 1))
    picture = sky
    for level, light, dark in (
        (0.46, "f0c27c", "dea35c"),
        (0.55, "eab268", "cf8a44"),
        (0.68, "e3a255", "bf7434"),
    ):
        top = level + e.ridge(2, 0.13)
        dune = _mix(e.colour(light), e.colour(dark), ((e.y - top) / 0.30).clamp(0, 1))
        picture = _mix(picture, dune, e.edge(e.y - top))
    return picture


def _sunset(e: Easel) -> Tensor:
    line = e.number(0.58, 0.64)
    up = ((line - e.y) / line).clamp(0, 1)
    high, middle, low = (
        e.colour("4b3a80", "5c3f8c", "35478c"),
        e.colour("e8637a", "f0785a"),
        e.colour("ffc35e", "ffb14e"),
    )
    sky = _mix(_mix(low, middle, (up / 0.5).clamp(0, 1)), high, ((up - 0.25) / 0.75).clamp(0, 1) ** 1.5)
    x, radius = e.number(0.25, 0.75), e.number(0.09, 0.13)
    away = ((e.x - x) ** 2 + (e.y - line) ** 2).sqrt()
    sky = _mix(sky, e.colour("ffe6a0"), 0.6 * torch.exp(-((away / 0.26) ** 2)))
    sky = _mix(sky, e.colour("fff2b8", spread=0.02), e.edge(radius - away, 0.012))
    depth = ((e.y - line) / (1 - line)).clamp(0, 1)
    sea = _mix(e.colour("b8566e", "c2605c"), e.colour("2a2450", "2c2c5c"), depth**0.6)
    gleam = torch.exp(-(((e.x - x) / (0.05 + 0.12 * depth)) ** 2)) * (
        0.55 + 0.45 * torch.sin(26 * depth.sqrt() * 3.1)
    )
    sea = _mix(sea, e.colour("ffcf7a"), 0.75 * gleam * (1 - depth) ** 0.7)
    shore = e.number(0.83, 0.86) + e.ridge(3, 0.05)
    sand = _mix(
        e.colour("7a4656", "70405a"), e.colour("40264a", "38244c"), ((e.y - shore) / 0.16).clamp(0, 1)
    )
    return _mix(_mix(sky, sea, e.edge(e.y - line)), sand, e.edge(e.y - shore))


def _night_sky(e: Easel) -> Tensor:
    sky = _mix(
        e.colour("0a1030", "0c1438", "120c34"),
        e.colour("27407c", "2e3a78", "224a80"),
        (e.y / 0.9).clamp(0, 1),
    )
    picture = _mix(sky, e.colour("fffbe6", spread=0.02), e.stars(42, 0.0, 0.78))
    far, near = 0.80 + e.ridge(3, 0.10), 0.88 + e.ridge(3, 0.06)
    picture = _mix(picture, e.colour("14204a"), e.edge(e.y - far))
    return _mix(picture, e.colour("0a1028"), e.edge(e.y - near))


def _space(e: Easel) -> Tensor:
    deep = e.colour("05060f", "080818", "04040c", spread=0.008)
    cloud = ((e.noise(3, 3) - 0.48) / 0.3).clamp(0, 1)
    other = ((e.noise(3, 3) - 0.50) / 0.3).clamp(0, 1)
    picture = _mix(deep, e.colour("4a2a86", "2f3f9c", "6a2a78"), 0.65 * cloud)
    picture = _mix(picture, e.colour("1f6a9c", "8a3a80", "235a9c"), 0.45 * other)
    return _mix(picture, e.colour("ffffff", spread=0.02), e.stars(64))


def _underwater(e: Easel) -> Tensor:
    water = _mix(e.colour("3fc0e0", "4ccbd8"), e.colour("0a4a86", "0b5a8a"), e.y**0.8)
    source = e.number(0.2, 0.8)
    fan = (e.x - source) / (e.y + 0.35)
    rays = torch.sin(fan * e.number(9, 13) + e.number(0, 6.28)).clamp(min=0) ** 2
    water = _mix(water, e.colour("c8f4fa"), 0.30 * rays * (1 - e.y).clamp(0, 1))
    floor = e.number(0.80, 0.84) + e.ridge(4, 0.07)
    sand = _mix(e.colour("b9b58a", "a8b090"), e.colour("6f8478", "7a8a70"), ((e.y - floor) / 0.2).clamp(0, 1))
    picture = _mix(water, sand, e.edge(e.y - floor, 0.008))
    for _ in range(7):
        x, y, radius = e.number(0.04, 0.96), e.number(0.05, 0.8), e.number(0.009, 0.024)
        away = ((e.x - x) ** 2 + (e.y - y) ** 2).sqrt()
        rim = torch.exp(-(((away - radius) / 0.005) ** 2))
        picture = _mix(picture, e.colour("e6fbff"), 0.75 * rim + 0.15 * e.edge(radius - away))
    return picture


def _room(e: Easel) -> Tensor:
    line = e.number(0.64, 0.68)
    wall = e.colour("f2d9c4", "cfe3d6", "d6dff0", "f4e6b8", "e9cfd8", "c9d9e2", spread=0.02)
    wall = wall * (1.03 - 0.12 * e.y) + 0.03 * (e.x - 0.5)
    left, width = e.number(0.08, 0.62), e.number(0.24, 0.32)
    top, height = e.number(0.08, 0.14), e.number(0.30, 0.36)
    inside = _rectangle(e, left, top, width, height, 0.0)
    frame = _rectangle(e, left, top, width, height, 0.018)
    bars = ((e.x - left - width / 2).abs() < 0.007) | ((e.y - top - height / 2).abs() < 0.007)
    pane = _mix(e.colour("9fd2f2", "aedaf4"), e.colour("e4f4fb"), ((e.y - top) / height).clamp(0, 1))
    there = (e.number() < 0.6).float()
    wall = _mix(wall, e.colour("fbfaf5", spread=0.01), frame * there)
    wall = _mix(wall, pane, inside * there * (1 - bars.float()))
    fall = ((e.y - line) / (1 - line)).clamp(0, 1)
    floor = _mix(e.colour("b9854f", "c4935c", "a8744a"), e.colour("d2a46c", "c99a63"), fall)
    # The boards run away from us, towards a point above the floor.
    board = ((e.x - 0.5) / (fall * 0.9 + 0.55)) * 9
    gap = (board - board.floor() - 0.5).abs()
    floor = floor * (1 - 0.13 * ((gap - 0.44) / 0.06).clamp(0, 1))
    picture = _mix(wall, floor, e.edge(e.y - line))
    return _mix(picture, e.colour("faf7f0", spread=0.01), e.edge(e.y - line + 0.028) * e.edge(line - e.y))


def _rectangle(e: Easel, left: Tensor, top: Tensor, width: Tensor, height: Tensor, border: float) -> Tensor:
    across = e.edge(e.x - left + border) * e.edge(left + width + border - e.x)
    return across * e.edge(e.y - top + border) * e.edge(top + height + border - e.y)


def _road(e: Easel) -> Tensor:
    line = e.number(0.46, 0.52)
    depth = ((e.y - line) / (1 - line)).clamp(0, 1)
    picture = _mix(_daylight(e, 0.5), _white(e), 0.9 * e.clouds(3, 0.08, 0.30))
    hills = line - 0.03 + e.ridge(3, 0.08)
    picture = _mix(picture, e.colour("86b878", "7fae8c"), e.edge(e.y - hills))
    verge = _mix(e.colour("97cf68", "8cc85f"), e.colour("55a03c", "4c9640"), depth) + 0.08 * (
        e.noise(6, 5) - 0.5
    )
    picture = _mix(picture, verge, e.edge(e.y - line))
    middle = e.number(0.42, 0.58)
    half = 0.035 + 0.56 * depth
    away = (e.x - middle - 0.12 * (middle - 0.5) * depth).abs()
    asphalt = _mix(e.colour("8b8f96"), e.colour("54575e", "5c5f66"), depth)
    on_ground = e.edge(e.y - line)
    picture = _mix(picture, e.colour("f2f2ec", spread=0.01), on_ground * e.edge(half * 1.07 - away))
    picture = _mix(picture, asphalt, on_ground * e.edge(half - away))
    # Dashes of equal length on the road get shorter with distance.
    dash = torch.sin(e.number(0, 6.28) + 9.0 * torch.log(depth + 0.12) * 2) > -0.1
    return _mix(picture, e.colour("f6e9a8", "f7f5ea"), on_ground * e.edge(half * 0.035 - away) * dash)


def _sky(e: Easel) -> Tensor:
    picture = _mix(_daylight(e, 1.1), _white(e), 0.95 * e.clouds(5, 0.10, 0.50))
    return _mix(picture, _white(e), 0.95 * e.clouds(4, 0.6, 1.0))


def _moon(e: Easel) -> Tensor:
    black = e.colour("020308", "05060c", spread=0.004)
    picture = _mix(black, e.colour("ffffff", spread=0.02), e.stars(38, 0.0, 0.55))
    line = e.number(0.44, 0.52) + 0.10 * (e.x - e.number(0.35, 0.65)) ** 2 + e.ridge(4, 0.028)
    depth = ((e.y - line) / (1 - line)).clamp(0, 1)
    ground = _mix(
        e.colour("8d8f94", "9a9a9c", spread=0.012), e.colour("c4c4c4", "b2b3b6", spread=0.012), depth
    )
    ground = ground + 0.16 * (e.noise(6, 4) - 0.5)
    return _mix(picture, ground + _craters(e, 11), e.edge(e.y - line))


def _craters(e: Easel, count: int) -> Tensor:
    """(n, 1, side, side): what craters add to even ground. The nearer, the larger and rounder; one light for all."""
    light = torch.where(e.number() < 0.5, -1.0, 1.0)
    relief = torch.zeros_like(e.x + e.y).repeat(e.rows, 1, 1, 1)
    # One row of craters after another, each crater in its own part of the row, so that few overlap.
    rows = ((0.57, 4, 0.035), (0.70, 4, 0.065), (0.88, 3, 0.125))
    for middle, across, size in rows:
        offset = e.number(-0.5, 0.5)
        for place in range(across):
            x = (place + 0.5 + offset + e.number(-0.22, 0.22)) / across
            y, wide = middle + e.number(-0.035, 0.035), size * e.number(0.55, 1.15)
            high = wide * (0.22 + 0.30 * (y - 0.4))
            dx, dy = (e.x - x) / wide, (e.y - y) / high
            away = (dx**2 + dy**2).sqrt()
            hollow = ((1 - away) * wide / 0.02 + 0.5).clamp(0, 1)
            bowl = -0.20 + 0.17 * light * dx + 0.07 * dy
            rim = torch.exp(-(((away - 1.10) / 0.14) ** 2)) * (0.10 - 0.08 * light * dx + 0.05 * dy)
            relief = relief * (1 - hollow) + hollow * bowl + rim
    assert count == sum(across for _, across, _ in rows)
    return relief


def _white(e: Easel) -> Tensor:
    return e.x.new_ones(1, 3, 1, 1)


# -- plain colours ----------------------------------------------------------------------------------------------------

COLOURS = {
    "red": "e0342f",
    "orange": "f58a1f",
    "yellow": "f8d437",
    "green": "3fae4a",
    "turquoise": "2fc4bd",
    "light blue": "93cdf2",
    "blue": "2f6fdc",
    "dark blue": "1c2a66",
    "purple": "8347b8",
    "pink": "f58ab8",
    "brown": "83522f",
    "grey": "9a9da3",
    "black": "141416",
    "white": "fafafa",
}
"""Plain backgrounds, each the middle of what its word means."""


def _plain(code: str) -> Callable[[Easel], Tensor]:
    def wash(e: Easel) -> Tensor:
        """Nearly even: lighter towards a corner, or not at all."""
        slope = e.number(-1, 1) * (e.x - 0.5) + e.number(-1, 1) * (e.y - 0.5)
        return e.colour(code, spread=0.035) * (1 + e.number(0, 0.12) * slope)

    return wash


def plain_name(colour: str) -> str:
    """The name of the plain background of that colour."""
    return f"{colour} background"


def _plain_background(colour: str) -> Background:
    article = "an" if colour[0] in "aeiou" else "a"
    return Background(
        name=plain_name(colour),
        phrases=(
            f"on {article} {colour} background",
            f"on a plain {colour} background",
            f"on {colour}",
            f"against {article} {colour} background",
        ),
        names=(f"{article} {colour} background", f"a plain {colour} background"),
        words=(f"{colour} background", f"plain {colour}"),
        horizon=None,
        holds=("ground", "air", "water"),
        paint=_plain(COLOURS[colour]),
    )


# -- all of them ------------------------------------------------------------------------------------------------------

PLACES = (
    Background(
        "beach",
        ("on the beach", "at the beach", "on a sandy beach", "on the sand by the sea", "at the seaside"),
        ("a beach", "the beach", "a sandy beach", "a beach with blue sea and sky"),
        ("beach", "sandy beach"),
        0.62,
        ("ground", "air"),
        _beach,
    ),
    Background(
        "grass",
        ("on the grass", "in a meadow", "on a green field", "on the lawn", "in the grass"),
        ("a meadow", "a green meadow", "green grass and blue sky", "a green field"),
        ("grass", "meadow", "green field"),
        0.62,
        ("ground", "air"),
        _grass,
    ),
    Background(
        "snow",
        ("in the snow", "on the snow", "in a snowy landscape", "on a snowy hill", "in winter"),
        ("a snowy landscape", "snow", "a snowy hill", "a winter landscape"),
        ("snow", "winter"),
        0.66,
        ("ground", "air"),
        _snow,
    ),
    Background(
        "sea",
        ("on the sea", "at sea", "on the water", "on the ocean", "in the sea"),
        ("the sea", "the ocean", "the open sea", "blue sea and sky"),
        ("sea", "ocean"),
        0.60,
        ("water", "air"),
        _sea,
    ),
    Background(
        "desert",
        ("in the desert", "in a sandy desert", "on the dunes", "among the dunes"),
        ("a desert", "the desert", "sand dunes", "a sandy desert"),
        ("desert", "dunes"),
        0.66,
        ("ground", "air"),
        _desert,
    ),
    Background(
        "sunset",
        ("at sunset", "in the sunset", "in front of a sunset", "against the sunset", "at dusk"),
        ("a sunset", "a sunset over the sea", "the sunset"),
        ("sunset", "dusk"),
        0.87,
        ("ground", "air"),
        _sunset,
    ),
    Background(
        "night sky",
        ("at night", "in the night sky", "under the night sky", "under the stars", "on a starry night"),
        ("the night sky", "a starry night", "a night sky full of stars"),
        ("night", "night sky", "starry night"),
        0.88,
        ("ground", "air"),
        _night_sky,
    ),
    Background(
        "space",
        ("in space", "in outer space", "floating in space", "among the stars"),
        ("outer space", "space", "deep space with stars", "stars in space"),
        ("space", "outer space"),
        None,
        ("ground", "air", "water"),
        _space,
    ),
    Background(
        "underwater",
        ("underwater", "under water", "under the sea", "at the bottom of the sea"),
        ("an underwater scene", "underwater", "the bottom of the sea"),
        ("underwater", "under the sea"),
        0.85,
        ("ground", "water"),
        _underwater,
    ),
    Background(
        "room",
        ("in a room", "on the floor", "indoors", "in the living room", "on a wooden floor"),
        ("a room", "an empty room", "a room with a wooden floor"),
        ("room", "indoors"),
        0.72,
        ("ground", "air"),
        _room,
    ),
    Background(
        "road",
        ("on the road", "on a road", "on the street", "in the middle of the road"),
        ("a road", "a country road", "a road through green fields"),
        ("road", "street"),
        0.62,
        ("ground", "air"),
        _road,
    ),
    Background(
        "sky",
        ("in the sky", "in the clouds", "in a blue sky", "among the clouds", "up in the air"),
        ("the sky", "a blue sky", "a blue sky with clouds"),
        ("sky", "clouds", "blue sky"),
        None,
        ("air",),
        _sky,
    ),
    Background(
        "surface of the moon",
        ("on the moon", "on the surface of the moon", "on the moon's surface", "among craters on the moon"),
        (
            "the surface of the moon",
            "the moon's surface",
            "craters on the moon",
            "the surface of the moon under a starry sky",
            "a moon landscape",
        ),
        ("moon surface", "surface of the moon", "craters"),
        0.58,
        ("ground", "air"),
        _moon,
    ),
)

BACKGROUNDS = (*PLACES, *(_plain_background(colour) for colour in COLOURS))
