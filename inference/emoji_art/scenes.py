"""A scene: a background, objects in their places and the caption that says so; and its picture.

Scenes come from `sampling.SceneSampler`. Everything random about a scene is in its record, so the same scene always
gives the same picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inference.emoji_art.art import Sprites
from inference.emoji_art.backgrounds import paint
from inference.emoji_art.layers import Placed, place_layers

__all__ = ["Placed", "Rendered", "Scene", "object_tiles", "place_layers", "render"]


@dataclass(frozen=True, slots=True)
class Scene:
    """What a picture shows and how it is asked for."""

    background: str
    """The name of one of `backgrounds.BACKGROUNDS`."""
    background_seed: int
    objects: tuple[Placed, ...]
    """Back to front."""
    caption: str
    template: str
    """The id of the caption's template; some are held out."""
    style: str | None = None
    """The sprite set that the caption asks for, if it does."""
    relation: str | None = None
    """How the caption relates its objects; None where it only lists them."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """Pictures of scenes.

    pictures: (n, 3, side, side) float32 in [-1, 1]; cover: (n, 1, side, side) float32 in [0, 1], where objects are;
    labels: (n, concepts) bool, which concepts are in it. All on the device that was asked for.
    """

    pictures: Tensor
    cover: Tensor
    labels: Tensor


def render(
    scenes: Sequence[Scene], sprites: Sprites, *, side: int = 256, device: str | torch.device = "cpu"
) -> Rendered:
    """The pictures of scenes. It draws no random numbers: a scene is all there is to know."""
    canvas = paint(
        [scene.background for scene in scenes], [scene.background_seed for scene in scenes], side, device
    )
    objects = [scene.objects for scene in scenes]
    tiles = object_tiles(sprites, (placed for row in objects for placed in row), device)
    pictures, cover = place_layers(canvas, objects, tiles)
    labels = torch.zeros(len(scenes), len(sprites.concepts), dtype=torch.bool)
    for row, placed in enumerate(objects):
        labels[row, [each.concept for each in placed]] = True
    return Rendered(pictures.mul(2).sub(1), cover, labels.to(device))


def object_tiles(sprites: Sprites, objects: Iterable[Placed], device: str | torch.device = "cpu") -> Tensor:
    """(objects, 4, 256, 256) float in [0, 1], straight alpha: the sprite of each object."""
    wanted = [(each.concept, each.sprite_set) for each in objects]
    if not wanted:
        return torch.zeros(0, *sprites.pixels.shape[2:], device=device)
    concepts, sets = (list(column) for column in zip(*wanted, strict=True))
    return sprites.pixels[concepts, sets].to(device).float().div(255)
