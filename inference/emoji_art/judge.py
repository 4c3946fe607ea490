"""Says which concepts a picture shows: the measuring instrument of the evaluation, never shipped with the model.

A small convolutional network that only ever saw scenes made of the training art. What it must not lean on is taken
from it while it learns: some of its pictures are grey, turned in hue, blurred, noisy, bent, or doodles. How far it can
be trusted is measured on art by people it has never seen (`evaluate`), and two judges of different seeds must agree.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from inference.emoji_art.art import Sprites
from inference.emoji_art.concepts import HeldOut
from inference.emoji_art.doodles import render_doodles
from inference.emoji_art.sampling import Mix, SceneSampler
from inference.emoji_art.scenes import render
from inference.emoji_art.training import autocast, seed_of

SIDE = 64
"""What the network looks at, in pixels on each side."""

WIDTHS = (32, 64, 96, 128)

_KEPT_SIDE = 96
_RENDERED_SIDE = 192
_CHUNK = 32
_BATCH = 64
_RATE = 2e-3
_LOG_STEPS = 200


class Judge:
    """A trained network with the names of what it can tell apart."""

    def __init__(self, network: nn.Module, labels: tuple[str, ...]) -> None:
        self.labels = labels
        self._network = network.eval()

    @torch.no_grad()
    def scores(self, pictures: Tensor) -> Tensor:
        """pictures: (n, 3, side, side) float in [-1, 1], any side from 64. Returns log-odds, (n, labels), float32.

        The mean over the picture and its mirror image.
        """
        small = _shrink(pictures.float(), SIDE)
        return torch.cat([self._both_ways(batch) for batch in small.split(256)])

    def _both_ways(self, pictures: Tensor) -> Tensor:
        seen: Tensor = (self._network(pictures) + self._network(pictures.flip(-1))) / 2
        return seen

    def save(self, path: Path) -> None:
        state = {name: value.contiguous() for name, value in self._network.state_dict().items()}
        save_file(state, path, metadata={"labels": json.dumps(self.labels)})


def load_judge(path: Path) -> Judge:
    """Raises OSError, safetensors.SafetensorError."""
    with safe_open(path, framework="pt") as file:
        labels = tuple(json.loads(file.metadata()["labels"]))
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # it is no mapping
    network = build(len(labels))
    network.load_state_dict(state)
    return Judge(network, labels)


def train_judge(
    sprites: Sprites,
    *,
    seed: int,
    steps: int = 1_500,
    scenes: int = 6_144,
    tell: Callable[[str], None] = lambda _: None,
) -> Judge:
    """A judge of every concept that the sprites hold, by binary cross entropy per concept.

    steps: batches of 64. scenes: how many are rendered, half of them of one large object; each is seen steps × 64 /
    scenes times, every time changed. Nothing is held out from it: a judge that had never seen two things together
    would rather not believe it. tell: is given a line now and then. Equal arguments give equal weights.
    """
    pictures, labels = _scenes(sprites, seed, scenes)
    generator = torch.Generator().manual_seed(seed_of("judge", seed))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of("judge's first weights", seed))
        network = build(len(sprites.concepts)).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=0.05)
    mean_loss = 0.0
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = _rate(step, steps)
        chosen = torch.randint(len(pictures), (_BATCH,), generator=generator)
        seen = augment(pictures[chosen].float().div(127.5).sub(1), generator)
        with autocast(seen.device):
            said = network(seen)
        loss = functional.binary_cross_entropy_with_logits(said.float(), labels[chosen])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        mean_loss += (loss.item() - mean_loss) / min(step + 1, 100)
        if (step + 1) % _LOG_STEPS == 0:
            tell(f"judge {seed}: step {step + 1} of {steps}, loss {mean_loss:.4f}")
    return Judge(network, tuple(concept.name for concept in sprites.concepts))


def _rate(step: int, steps: int) -> float:
    """A short rise, then half a cosine to nothing."""
    return _RATE * min(1.0, (step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * step / steps))


def _scenes(sprites: Sprites, seed: int, count: int) -> tuple[Tensor, Tensor]:
    """Pictures, uint8 (count, 3, 96, 96), and what is in them, float (count, concepts). A tenth are doodles."""
    nothing = HeldOut(pairs=frozenset(), couples=frozenset(), templates=frozenset())
    sampler = SceneSampler(sprites.concepts, sprites, nothing, seed_of("judge's scenes", seed))
    generator = torch.Generator().manual_seed(seed_of("judge's doodles", seed))
    pictures, labels = [], []
    for start in range(0, count, _CHUNK):
        chunk = sampler.scenes(min(_CHUNK, count - start), Mix(easy=0.5))
        rendered = render(chunk, sprites, side=_RENDERED_SIDE)
        if start // _CHUNK % 10 == 0:
            shown = render_doodles(chunk, sprites, side=_RENDERED_SIDE, generator=generator)
        else:
            shown = rendered.pictures
        pictures.append(_shrink(shown, _KEPT_SIDE).add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8))
        labels.append(rendered.labels.float())
    return torch.cat(pictures), torch.cat(labels)


def _shrink(pictures: Tensor, side: int) -> Tensor:
    """By the mean over areas, so that nothing shimmers."""
    return functional.interpolate(pictures, size=(side, side), mode="area")


# -- what makes the judge's life hard ---------------------------------------------------------------------------------


def augment(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """(n, 3, any, any) in [-1, 1] to (n, 3, 64, 64): cropped, bent, recoloured, blurred, noised, each its own way."""
    seen = functional.grid_sample(
        pictures, _bent_grid(len(pictures), generator), padding_mode="reflection", align_corners=False
    )
    return _noised(_blurred(_recoloured(seen, generator), generator), generator)


def _bent_grid(count: int, generator: torch.Generator) -> Tensor:
    """(count, 64, 64, 2): zoomed, squeezed, turned by up to 15°, moved, mirrored, and pulled about like rubber."""
    zoom = _uniform(count, generator, 0.75, 1.15)
    squeeze = _uniform(count, generator, -0.15, 0.15).exp()
    turn = _uniform(count, generator, -0.26, 0.26)
    mirror = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = mirror * zoom * squeeze * turn.cos()
    theta[:, 0, 1] = -zoom * turn.sin()
    theta[:, 1, 0] = mirror * zoom * turn.sin()
    theta[:, 1, 1] = zoom / squeeze * turn.cos()
    theta[:, :, 2] = _uniform(2 * count, generator, -0.15, 0.15).view(count, 2)
    grid = functional.affine_grid(theta, [count, 3, SIDE, SIDE], align_corners=False)
    pull = torch.randn(count, 2, 5, 5, generator=generator) * _uniform(count, generator, 0, 0.06).view(
        -1, 1, 1, 1
    )
    pull = functional.interpolate(pull, size=(SIDE, SIDE), mode="bicubic", align_corners=False)
    return grid + pull.permute(0, 2, 3, 1)


def _recoloured(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Hue, saturation, contrast and brightness. A seventh are grey, and a tenth have any hue at all."""
    count = len(pictures)
    kind = torch.rand(count, generator=generator)
    turn = 0.25 * torch.randn(count, generator=generator)
    turn = torch.where(kind < 0.1, _uniform(count, generator, -math.pi, math.pi), turn)
    vividness = torch.where(kind > 0.86, 0.0, _uniform(count, generator, 0.6, 1.3))
    grey = (pictures * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
    turned = torch.einsum("nij,njhw->nihw", _hue_turn(turn), pictures - grey)
    contrast = _uniform(count, generator, 0.65, 1.2).view(-1, 1, 1, 1)
    light = _uniform(count, generator, -0.2, 0.2).view(-1, 1, 1, 1)
    return ((grey + turned * vividness.view(-1, 1, 1, 1)) * contrast + light).clamp(-1, 1)


def _hue_turn(angles: Tensor) -> Tensor:
    """(n, 3, 3): a turn about the grey axis of red, green and blue, after Rodrigues."""
    across = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    cosine, sine = angles.cos().view(-1, 1, 1), angles.sin().view(-1, 1, 1)
    return cosine * torch.eye(3) + sine * across + (1 - cosine) / 3


def _blurred(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Half of them mixed with a soft copy, as a small model's pictures are soft."""
    side = int(torch.randint(14, 40, (), generator=generator))
    soft = functional.interpolate(
        _shrink(pictures, side), size=(SIDE, SIDE), mode="bilinear", align_corners=False
    )
    share = (2 * torch.rand(len(pictures), generator=generator) - 1).clamp(min=0).view(-1, 1, 1, 1)
    return torch.lerp(pictures, soft, share)


def _noised(pictures: Tensor, generator: torch.Generator) -> Tensor:
    strength = _uniform(len(pictures), generator, 0, 0.12).view(-1, 1, 1, 1)
    return pictures + strength * torch.randn(pictures.shape, generator=generator)


def _uniform(count: int, generator: torch.Generator, low: float, high: float) -> Tensor:
    return low + (high - low) * torch.rand(count, generator=generator)


# -- the network ------------------------------------------------------------------------------------------------------


def build(labels: int) -> nn.Module:
    """An untrained network."""
    return _Network(labels)


class _Network(nn.Module):
    """Pictures (n, 3, 64, 64) to log-odds (n, labels). About half a million parameters.

    Each place of the last 8×8 grid votes by itself, and the strongest places count: objects are smaller than pictures.
    """

    def __init__(self, labels: int) -> None:
        super().__init__()
        first, *rest = WIDTHS
        layers: list[nn.Module] = [nn.Conv2d(3, first, 5, stride=2, padding=2), _norm(first), nn.SiLU()]
        for before, after in zip(WIDTHS, rest, strict=False):
            layers.append(_Block(before, after, stride=1 if after == rest[-1] else 2))
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(2 * WIDTHS[-1], labels)
        nn.init.constant_(self.head.bias, -3.0)

    def forward(self, pictures: Tensor) -> Tensor:
        places = self.body(pictures.to(memory_format=torch.channels_last))
        pooled = torch.cat([places.mean((2, 3)), places.amax((2, 3))], dim=1)
        scores: Tensor = self.head(pooled)
        return scores


class _Block(nn.Module):
    """Two convolutions beside a short cut."""

    def __init__(self, before: int, after: int, *, stride: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False),
            _norm(after),
            nn.SiLU(),
            nn.Conv2d(after, after, 3, padding=1, bias=False),
            _norm(after),
        )
        self.short = nn.Sequential(nn.AvgPool2d(stride), nn.Conv2d(before, after, 1, bias=False))

    def forward(self, values: Tensor) -> Tensor:
        return functional.silu(self.main(values) + self.short(values))


def _norm(channels: int) -> nn.Module:
    return nn.GroupNorm(channels // 16, channels)
