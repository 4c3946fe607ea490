"""The same scenes as somebody sends them who cannot draw: few flat colours, wobbly borders, half of it left out.

A sprite becomes a handful of regions on a small map, each with one colour of a paint program (`regions`). The map is
warped by an unsteady hand and laid into the picture; fills, pen lines and crayon strokes are read off it (`objects`).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its usual name

from inference.emoji_art.art import Sprites
from inference.emoji_art.doodles.chance import Dice
from inference.emoji_art.doodles.grounds import grounds
from inference.emoji_art.doodles.hands import HABITS, KINDS, Hands, some_habits, some_hands
from inference.emoji_art.doodles.objects import drafted, filled, inked
from inference.emoji_art.doodles.regions import SPRITE
from inference.emoji_art.scenes import Placed, Scene

__all__ = ["KINDS", "render_doodles"]

_CHUNK = 32
"""Pictures drawn at once: enough to keep a GPU busy, and half a gigabyte at 256 pixels."""


@torch.no_grad()
def render_doodles(
    scenes: Sequence[Scene],
    sprites: Sprites,
    *,
    side: int = 256,
    device: str | torch.device = "cpu",
    generator: torch.Generator,
    kind: str | None = None,
) -> Tensor:
    """The scenes drawn by hand: float32 (scenes, 3, side, side) in [-1, 1] on `device`.

    Every object stays at its place; each picture is of one of KINDS, or of `kind` where it is given. All chance comes
    from `generator`, which may live on another device than the pictures. Raises KeyError for an unknown kind.
    """
    dice = Dice(generator, torch.device(device))
    habits = [HABITS[kind]] * len(scenes) if kind else some_habits(len(scenes), dice)
    pictures = torch.empty(len(scenes), 3, side, side, device=device)
    for start in range(0, len(scenes), _CHUNK):
        rows = slice(start, start + _CHUNK)
        pictures[rows] = _draw(scenes[rows], sprites, some_hands(habits[rows], dice), side, dice)
    return pictures.mul_(2).sub_(1)


def _draw(scenes: Sequence[Scene], sprites: Sprites, hands: Hands, side: int, dice: Dice) -> Tensor:
    """(scenes, 3, side, side) in [0, 1]."""
    canvas, paper = grounds(scenes, hands, side, dice)
    for depth in range(max(len(scene.objects) for scene in scenes)):
        rows = [row for row, scene in enumerate(scenes) if len(scene.objects) > depth]
        placed = [scenes[row].objects[depth] for row in rows]
        draft = drafted(_pixels(placed, sprites, dice.device), placed, side, hands.of(rows), dice)
        canvas[rows] = inked(filled(canvas[rows], draft, dice), draft, paper[rows], dice)
    return canvas


def _pixels(placed: Sequence[Placed], sprites: Sprites, device: torch.device) -> Tensor:
    """The sprites, premultiplied, float32 (objects, 4, 64, 64) in [0, 1]."""
    concepts = torch.tensor([one.concept for one in placed])
    sets = torch.tensor([one.sprite_set for one in placed])
    source = sprites.pixels.device
    straight = sprites.pixels[concepts.to(source), sets.to(source)].to(device).float().div_(255)
    straight[:, :3] *= straight[:, 3:]
    return F.avg_pool2d(straight, straight.shape[-1] // SPRITE)
