"""Paper, or half-hearted backgrounds: one flat colour, or two bands with a wobbly border."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its usual name

from inference.emoji_art.backgrounds import by_name
from inference.emoji_art.backgrounds import paint as paint_background
from inference.emoji_art.doodles.chance import Dice, Range, per_pixel, pixel_points
from inference.emoji_art.doodles.colours import paint
from inference.emoji_art.doodles.hands import Hands
from inference.emoji_art.scenes import Scene

_STRIPS = 16
"""Into how many strips a background is cut to see its colours."""
_ALONE = (0.0, 0.3, 0.7)
"""As Habit.grounds, of scenes without objects."""

_STARRY = frozenset({"night sky", "space", "surface of the moon"})
_CRATERED = frozenset({"surface of the moon"})


def grounds(scenes: Sequence[Scene], hands: Hands, side: int, dice: Dice) -> tuple[Tensor, Tensor]:
    """The empty canvas (scenes, 3, side, side), and about what colour lies behind the objects (scenes, 3)."""
    count = len(scenes)
    upper, lower, horizon = _bands(scenes, dice)
    both = paint(torch.stack([upper, lower], 1), hands)
    # Nobody sends an empty sheet: where there is no object, the ground is drawn.
    chances = [h.grounds if s.objects else _ALONE for s, h in zip(scenes, hands.habits, strict=True)]
    mode = dice.pick(torch.tensor(chances, device=dice.device))
    flat = torch.where(dice.chance(count, 0.5)[:, None], both[:, 0], both[:, 1])[:, None]
    both = torch.where((mode == 1)[:, None, None], flat, both)
    both = torch.where((mode == 0)[:, None, None], 1.0, both)
    wave = F.interpolate(dice.normal(count, 1, 7) * 0.012, size=side, mode="linear", align_corners=True)
    tilt = torch.linspace(-0.5, 0.5, side, device=dice.device) * dice.normal(count, 1, 1) * 0.05
    height = (torch.arange(side, device=dice.device) + 0.5)[:, None] / side
    depth = (height - horizon[:, None, None] - wave - tilt)[:, None]
    canvas = torch.lerp(
        both[:, 0, :, None, None], both[:, 1, :, None, None], (depth * side + 0.5).clamp(0, 1)
    )
    _mark(canvas, scenes, mode, depth, dice)
    return canvas, torch.where((horizon > 1)[:, None], both[:, 0], both.mean(1))


def _bands(scenes: Sequence[Scene], dice: Dice) -> tuple[Tensor, Tensor, Tensor]:
    """One colour from above and one from below the horizon (scenes, 3), and how far down that is (scenes,) in shares
    of the side; where there is none, twice the same colour from anywhere."""
    seeds = [scene.background_seed for scene in scenes]
    strips = paint_background([scene.background for scene in scenes], seeds, _STRIPS, dice.device).mean(3)
    backgrounds = by_name()
    known = [backgrounds[scene.background].horizon for scene in scenes]
    plain = torch.tensor([each is None for each in known], device=dice.device)[:, None]
    horizon = torch.tensor([2.0 if each is None else each for each in known], device=dice.device)
    depth = (torch.arange(_STRIPS, device=dice.device) + 0.5) / _STRIPS - horizon[:, None]
    # One strip's colour, and rather a strip that strikes the eye: the mean of a sunset is mud.
    vivid = (0.15 + strips.amax(1) - strips.amin(1)) ** 2
    rows = torch.arange(len(scenes), device=dice.device)
    upper = strips[rows, :, dice.pick(vivid * ((depth < -0.05) | plain))]
    lower = strips[rows, :, dice.pick(vivid * ((depth > 0.05) | plain))]
    return upper, torch.where(plain, upper, lower), horizon


def _mark(canvas: Tensor, scenes: Sequence[Scene], mode: Tensor, depth: Tensor, dice: Dice) -> None:
    """Dots for stars and spots for craters, drawn into those canvases where many would add them.

    mode: 0 white, 1 flat, 2 two bands. depth: how far a point is below the horizon, (scenes, 1, side, side).
    """
    drawn = per_pixel((mode > 0) & dice.chance(len(scenes), 0.7))
    starry = [row for row, scene in enumerate(scenes) if scene.background in _STARRY]
    cratered = [row for row, scene in enumerate(scenes) if scene.background in _CRATERED]
    sky = drawn & (depth < -0.03) & (canvas[:, :, :1, :1].mean(1, keepdim=True) < 0.5)
    ground = drawn & (depth > 0.04) & per_pixel(mode == 2)
    side = canvas.shape[-1]
    stars = _spots(len(starry), side, dice, cells=8, radii=(0.05, 0.11), flat=1.0) * sky[starry]
    craters = _spots(len(cratered), side, dice, cells=5, radii=(0.1, 0.4), flat=0.5) * ground[cratered]
    canvas[starry] = torch.lerp(canvas[starry], canvas.new_tensor(1.0), stars)
    canvas[cratered] = torch.lerp(canvas[cratered], canvas.new_tensor(0.35), craters)


def _spots(count: int, side: int, dice: Dice, *, cells: int, radii: Range, flat: float) -> Tensor:
    """(count, 1, side, side) in [0, 1]: in about half of cells × cells a round spot; radii in cells, `flat` how much
    less high than wide."""
    points = pixel_points(side, dice.device) * cells
    index = points.long()
    table = dice.spread(count, 4, cells, cells)[:, :, index[0, ..., 1], index[0, ..., 0]]
    radius = radii[0] + (radii[1] - radii[0]) * table[:, 0] ** 2
    dx = points[..., 0] - index[..., 0] - radius - (1 - 2 * radius) * table[:, 1]
    dy = (points[..., 1] - index[..., 1] - radius - (1 - 2 * radius) * table[:, 2]) / flat
    edge = (radius - (dx**2 + dy**2).sqrt()) * (side / cells) + 0.5
    return (edge.clamp(0, 1) * (table[:, 3] < 0.5))[:, None]
