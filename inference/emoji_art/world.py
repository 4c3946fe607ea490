"""What the model learns from: endless scenes with their captions, pictures and doodles."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from inference.emoji_art.art import Sprites
from inference.emoji_art.concepts import HeldOut
from inference.emoji_art.doodles import render_doodles
from inference.emoji_art.recipe import SIDE
from inference.emoji_art.sampling import Mix, SceneSampler
from inference.emoji_art.scenes import Rendered, Scene, render

EASY = Mix(easy=1.0)
MIXED = Mix(easy=0.0)


@dataclass(frozen=True)
class World:
    """Sprites with what is held out. Everything here follows from the seeds that are given."""

    sprites: Sprites
    held_out: HeldOut
    device: torch.device

    def scenes(self, seed: int, count: int, mix: Mix) -> list[Scene]:
        return SceneSampler(self.sprites.concepts, self.sprites, self.held_out, seed).scenes(count, mix)

    def render(self, scenes: list[Scene], side: int = SIDE) -> Rendered:
        return render(scenes, self.sprites, side=side, device=self.device)

    def doodles(self, scenes: list[Scene], generator: torch.Generator, side: int = SIDE) -> torch.Tensor:
        return render_doodles(scenes, self.sprites, side=side, device=self.device, generator=generator)
