"""Chance from one generator, smooth noise made of it, and the points at which both are wanted."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its usual name

Range = tuple[float, float]
"""Lowest and highest."""

_GRID = 80
"""The side on which noise is made: it has no finer waves, and a larger one costs more."""


class Dice:
    """Chance from one generator, handed out on the device that draws: the same numbers on every device."""

    def __init__(self, generator: torch.Generator, device: torch.device) -> None:
        self.generator = generator
        self.device = device

    def spread(self, *shape: int, within: Range = (0.0, 1.0)) -> Tensor:
        low, high = within
        drawn = torch.rand(shape, generator=self.generator, device=self.generator.device)
        return drawn.to(self.device) * (high - low) + low

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.generator, device=self.generator.device).to(self.device)

    def chance(self, count: int, probability: float) -> Tensor:
        return self.spread(count) < probability

    def pick(self, weights: Tensor) -> Tensor:
        """(rows,): for each row the index of one of its weights (rows, options), as likely as it is heavy."""
        borders = weights.cumsum(1)
        picks = torch.searchsorted(borders, self.spread(len(weights), 1) * borders[:, -1:])
        return picks[:, 0].clamp_(max=weights.shape[1] - 1)


def smooth_noise(
    count: int, dice: Dice, side: int, octaves: Sequence[tuple[int, float]], channels: int = 1
) -> Tensor:
    """(count, channels, side, side): waves of each octave's number per side, with its amplitude."""
    grid = min(side, _GRID)
    total = torch.zeros(count, channels, grid, grid, device=dice.device)
    for waves, amplitude in octaves:
        coarse = dice.normal(count, channels, waves, waves) * amplitude
        total += F.interpolate(coarse, size=(grid, grid), mode="bicubic", align_corners=True)
    return F.interpolate(total, size=(side, side), mode="bilinear", align_corners=True)


def pixel_points(side: int, device: torch.device) -> Tensor:
    """Pixel centres as shares of the side: (1, side, side, 2), x before y."""
    steps = (torch.arange(side, device=device) + 0.5) / side
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    return torch.stack([x, y], -1)[None]


def per_pixel(value: Tensor) -> Tensor:
    """(n,) to (n, 1, 1, 1)."""
    return value[:, None, None, None]
