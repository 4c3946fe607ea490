"""Stage 2: scenes as the denoiser will see them, rendered and encoded once and kept in shards."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch.nn.functional import avg_pool2d

from inference.emoji_art.autoencoder import encode
from inference.emoji_art.recipe import SHRINK, SIDE
from inference.emoji_art.sampling import Mix
from inference.emoji_art.training import Run, TimeIsUp, seed_of
from inference.emoji_art.world import EASY, MIXED, World

STAGE = "latents"


@dataclass(frozen=True)
class Examples:
    """Clean latents (n, 4, h, w) and their captions; cover (n, 1, h, w): the share of each latent that is object.

    doodles: (m, 4, h, w) with m ≤ n: the first m scenes once more as somebody would sketch them. All in half precision.
    """

    latents: torch.Tensor
    cover: torch.Tensor
    doodles: torch.Tensor
    captions: tuple[str, ...]


class Kind(StrEnum):
    """Close pictures are the easy ones at half the side."""

    CLOSE = "close"
    EASY = "easy"
    MIXED = "mixed"

    @property
    def mix(self) -> Mix:
        return MIXED if self is Kind.MIXED else EASY

    @property
    def side(self) -> int:
        return SIDE // 2 if self is Kind.CLOSE else SIDE


def make(run: Run, world: World, vae: Any) -> None:
    """Every shard that is not there yet. Raises TimeIsUp between two of them."""
    recipe = run.recipe.latents
    counts = {Kind.CLOSE: recipe.close, Kind.EASY: recipe.easy, Kind.MIXED: recipe.mixed}
    for kind, count in counts.items():
        for shard in range(-(-count // recipe.shard)):
            path = _folder(run) / f"{kind}-{shard:05}.safetensors"
            if path.exists():
                continue
            if run.time_is_up:
                raise TimeIsUp
            _write(path, _examples(world, vae, run, seed_of(run.recipe.seed, str(kind), shard), kind))
            run.log(STAGE, shard=path.stem)


def read(run: Run, kind: Kind) -> list[Examples]:
    """The shards of that kind, on the run's device."""
    return [_read(path, run.device) for path in sorted(_folder(run).glob(f"{kind}-*.safetensors"))]


def _folder(run: Run) -> Path:
    return run.folder / "latents"


def _examples(world: World, vae: Any, run: Run, seed: int, kind: Kind) -> Examples:
    recipe = run.recipe.latents
    scenes = world.scenes(seed, recipe.shard, kind.mix)
    generator = torch.Generator().manual_seed(seed)
    latents, cover = [], []
    for batch in _batches(scenes, recipe.at_a_time):
        rendered = world.render(batch, kind.side)
        latents.append(encode(vae, rendered.pictures).half())
        cover.append(avg_pool2d(rendered.cover, SHRINK).half())
    doodles = [
        encode(vae, world.doodles(batch, generator, kind.side)).half()
        for batch in _batches(scenes[: max(1, round(recipe.doodles * len(scenes)))], recipe.at_a_time)
    ]
    return Examples(
        torch.cat(latents), torch.cat(cover), torch.cat(doodles), tuple(scene.caption for scene in scenes)
    )


def _batches(scenes: Sequence[Any], size: int) -> list[list[Any]]:
    return [list(scenes[start : start + size]) for start in range(0, len(scenes), size)]


def _write(path: Path, examples: Examples) -> None:
    path.parent.mkdir(exist_ok=True)
    partial = path.with_suffix(".partial")
    tensors = {"latents": examples.latents, "cover": examples.cover, "doodles": examples.doodles}
    save_file(
        {name: tensor.cpu().contiguous() for name, tensor in tensors.items()},
        partial,
        metadata={"captions": json.dumps(examples.captions)},
    )
    partial.replace(path)


def _read(path: Path, device: torch.device) -> Examples:
    with safe_open(path, framework="pt", device=str(device)) as file:
        return Examples(
            latents=file.get_tensor("latents"),
            cover=file.get_tensor("cover"),
            doodles=file.get_tensor("doodles"),
            captions=tuple(json.loads(file.metadata()["captions"])),
        )
