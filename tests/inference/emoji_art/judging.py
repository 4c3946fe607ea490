"""Toy worlds, toy judges, and models under test that need no training."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from functools import cache

import torch

from inference.emoji_art.backgrounds import BACKGROUNDS, Background
from inference.emoji_art.concepts import HeldOut
from inference.emoji_art.findings import Scale
from inference.emoji_art.judge import Judge, train_judge
from inference.emoji_art.sampling import SceneSampler
from inference.emoji_art.world import World
from tests.inference.emoji_art.toys import toy_concepts, toy_sprites

TOY_SCALE = Scale(
    name="toy", pairs=3, couples=2, wordings=2, seeds=2, doodles=2, strengths=9, checked=12, own=4,
    judge_steps=90, judge_scenes=192,
)  # fmt: skip

HELD_OUT = HeldOut(
    pairs=frozenset({("ball", "beach"), ("box", "grass"), ("tree", "yellow background")}),
    couples=frozenset({frozenset({"ball", "box"}), frozenset({"ball", "tree"})}),
    templates=frozenset(),
)


SHARES = {0.2: 0.02, 0.4: 0.1, 0.6: 0.7, 0.8: 0.9, 1.0: 1.0}
"""How much of a sketch the painter paints over, by strength."""


@cache
def toy_world() -> World:
    return World(toy_sprites(), HELD_OUT, torch.device("cpu"))


@cache
def strange_world() -> World:
    """The same things by somebody else: darker, and not as wide."""
    sprites = toy_world().sprites
    pixels = sprites.pixels[:, :1].clone()
    pixels[:, :, :3] = (pixels[:, :, :3].float() * 0.85).to(torch.uint8)
    pixels[..., :40] = 0
    sets = ("strange",)
    colours = tuple(row[:1] for row in sprites.colours)
    changed = dataclasses.replace(
        sprites, pixels=pixels, there=sprites.there[:, :1], sets=sets, colours=colours
    )
    return dataclasses.replace(toy_world(), sprites=changed)


@cache
def toy_judge(seed: int = 0) -> Judge:
    """Trained once for all tests, in seconds."""
    return train_judge(
        toy_world().sprites,
        seed=seed,
        steps=TOY_SCALE.judge_steps,
        scenes=TOY_SCALE.judge_scenes,
        batch=32,
    )


class Painter:
    """Draws what the prompt names out of the toy sprites, as a perfect model would."""

    def __init__(self) -> None:
        self._world = toy_world()

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> torch.Tensor:
        pictures = [self._painted(prompt, seed) for prompt, seed in zip(prompts, seeds, strict=True)]
        return torch.cat(pictures)

    def redraw(
        self, pictures: torch.Tensor, prompts: Sequence[str], seeds: Sequence[int], strength: float
    ) -> torch.Tensor:
        return torch.lerp(pictures, self.draw(prompts, seeds), SHARES[strength])

    def round_trip(self, pictures: torch.Tensor) -> torch.Tensor:
        return 0.99 * pictures

    def losses(self, pictures: torch.Tensor, captions: Sequence[str], seed: int) -> torch.Tensor:  # noqa: ARG002  # no noise is drawn here
        """Small where the caption names what is there, as the judge sees it."""
        losses = []
        for scores, caption in zip(toy_judge().scores(pictures), captions, strict=True):
            named = named_in(caption)
            fit = scores[named].mean() - scores.mean() if named else torch.tensor(0.0)
            losses.append(0.2 * torch.exp(-fit / 3))
        return torch.stack(losses)

    def _painted(self, prompt: str, seed: int) -> torch.Tensor:
        sprites = self._world.sprites
        sampler = SceneSampler(
            sprites.concepts, sprites, HELD_OUT, random.Random(f"{prompt} {seed}").getrandbits(60)
        )
        named = named_in(prompt)
        relation = "alone" if len(named) == 1 else "beside"
        scene = sampler.scene_of(named, place_in(prompt).name, relation, easy=len(named) == 1)
        return self._world.render([scene]).pictures


class Deaf(Painter):
    """Draws well and listens to nobody: what comes depends on the seed alone."""

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> torch.Tensor:  # noqa: ARG002  # the point of it
        names = [concept.name for concept in toy_concepts()]
        return super().draw([f"a {names[seed // 2 % len(names)]} on the beach" for seed in seeds], seeds)


def named_in(prompt: str) -> list[int]:
    words = prompt.replace("crate", "box").replace("balls", "ball").replace("boxes", "box")
    return [
        row for row, concept in enumerate(toy_concepts()) if concept.name in words.replace("trees", "tree")
    ]


def place_in(prompt: str) -> Background:
    places = [place for place in BACKGROUNDS if any(phrase in prompt for phrase in place.phrases)]
    return places[-1]
