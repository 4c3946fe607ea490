"""Says which concepts a picture shows: the measuring instrument of the evaluation, never shipped with the model.

Two small convolutional networks that vote. They only ever saw scenes made of the training art and of two more sets,
with much of what they could lean on taken away (`hardening`). How far a judge can be trusted is measured on art by
people it has never seen (`gates`), and two judges of different seeds must agree.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from inference.emoji_art.art import Sprites
from inference.emoji_art.concepts import HeldOut
from inference.emoji_art.doodles import render_doodles
from inference.emoji_art.hardening import harden, recoloured_sprites
from inference.emoji_art.sampling import Mix, SceneSampler
from inference.emoji_art.scenes import render
from inference.emoji_art.training import Average, autocast, seed_of

SIDE = 64
"""What the network looks at, in pixels on each side."""

MEMBERS = 2
"""Networks that vote. They learn from the same pictures and differ in their first weights; two see more than one."""

WIDTHS = (32, 40, 56, 80, 96)
STRIDES = (2, 2, 1, 2)

_WHOLE = 128
_CLOSE = 96
"""Pictures are made this large, and looked at whole and in nine closer views of this size."""

_KEPT_SIDE = 96
_RENDERED_SIDE = 160
_CHUNK = 32
_PARTS = 8
_LARGE = 0.6
_RATE = 3e-3
_AVERAGING = 0.998
_WHICH = 0.1
_LOG_STEPS = 250


class Judge:
    """A trained network with the names of what it can tell apart."""

    def __init__(self, network: nn.Module, labels: tuple[str, ...]) -> None:
        self.labels = labels
        self._network = network.eval()

    @torch.no_grad()
    def scores(self, pictures: Tensor) -> Tensor:
        """pictures: (n, 3, side, side) float in [-1, 1], any side. Returns scores, (n, labels), float32.

        The higher, the likelier it is there. Each picture is looked at whole and closer in nine places, where small
        things are seen better.
        """
        return torch.cat([self._scores(batch) for batch in pictures.float().split(32)])

    def _scores(self, pictures: Tensor) -> Tensor:
        whole = _shrink(pictures, _WHOLE)
        places = (0, (_WHOLE - _CLOSE) // 2, _WHOLE - _CLOSE)
        closer = [whole[..., y : y + _CLOSE, x : x + _CLOSE] for y in places for x in places]
        near = torch.stack([self._both_ways(view) for view in closer])
        return self._both_ways(whole) + near.logsumexp(0)

    def _both_ways(self, pictures: Tensor) -> Tensor:
        """The picture and its mirror image."""
        small = _shrink(pictures, SIDE)
        seen: Tensor = self._network(small) + self._network(small.flip(-1))
        return seen.mean(0) / 2

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
    steps: int = 4_500,
    scenes: int = 6_144,
    batch: int = 64,
    tell: Callable[[str], None] = lambda _: None,
) -> Judge:
    """A judge of every concept that the sprites hold.

    steps: of `batch` pictures each. scenes: how many are rendered, most of them of one large object; each is seen
    steps × batch / scenes times, every time changed. Nothing is held out from it: a judge that had never seen two
    things together would rather not believe it. tell: is given a line now and then. Equal arguments give equal weights.
    """
    pictures, labels = _scenes(sprites, seed, scenes)
    generator = torch.Generator().manual_seed(seed_of("judge", seed))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of("judge's first weights", seed))
        network = build(len(sprites.concepts)).train()
    average = Average(network, _AVERAGING)
    optimiser = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=0.05)
    mean_loss = 0.0
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = _rate(step, steps)
        chosen = torch.randint(len(pictures), (batch,), generator=generator)
        seen = pictures[chosen].float().div(127.5).sub(1)
        seen = harden(seen, SIDE, generator, hardness=min(1.0, 2.5 * step / steps))
        with autocast(seen.device):
            said = network(seen)
        loss = sum((_loss(own.float(), labels[chosen]) for own in said), start=torch.zeros(()))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        average.update()
        mean_loss += (loss.item() / MEMBERS - mean_loss) / min(step + 1, 100)
        if (step + 1) % _LOG_STEPS == 0:
            tell(f"judge {seed}: step {step + 1} of {steps}, loss {mean_loss:.4f}")
    average.copy_to(network)
    return Judge(network, tuple(concept.name for concept in sprites.concepts))


def _loss(said: Tensor, wanted: Tensor) -> Tensor:
    """Of each label by itself; and a little of which ones, without which the first steps learn nothing."""
    shares = wanted / wanted.sum(1, keepdim=True).clamp(min=1)
    which = -(functional.log_softmax(said, dim=1) * shares).sum(1).mean()
    return functional.binary_cross_entropy_with_logits(said, wanted) + _WHICH * which


def _rate(step: int, steps: int) -> float:
    """A short rise, then half a cosine to nothing."""
    return _RATE * min(1.0, (step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * step / steps))


def _scenes(sprites: Sprites, seed: int, count: int) -> tuple[Tensor, Tensor]:
    """Pictures, uint8 (count, 3, 96, 96), and what is in them, float (count, concepts).

    Half of them are of sprites in colours of their own; a tenth are doodles.
    """
    # Nameless sets are not asked for as styles, so each is drawn equally often.
    sprites = replace(sprites, sets=tuple(f"set {index}" for index in range(len(sprites.sets))))
    nothing = HeldOut(pairs=frozenset(), couples=frozenset(), templates=frozenset())
    sampler = SceneSampler(sprites.concepts, sprites, nothing, seed_of("judge's scenes", seed))
    generator = torch.Generator().manual_seed(seed_of("judge's doodles", seed))
    pictures, labels = [], []
    chunks = math.ceil(count / _CHUNK)
    painted = sprites
    for index in range(chunks):
        if index % max(1, chunks // _PARTS) == 0:
            painted = (
                sprites if painted is not sprites or index == 0 else recoloured_sprites(sprites, generator)
            )
        chunk = sampler.scenes(min(_CHUNK, count - index * _CHUNK), Mix(easy=_LARGE))
        rendered = render(chunk, painted, side=_RENDERED_SIDE)
        shown = rendered.pictures
        if index % 10 == 0:
            shown = render_doodles(chunk, painted, side=_RENDERED_SIDE, generator=generator)
        pictures.append(_shrink(shown, _KEPT_SIDE).add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8))
        labels.append(rendered.labels.float())
    return torch.cat(pictures), torch.cat(labels)


def _shrink(pictures: Tensor, side: int) -> Tensor:
    """By the mean over areas, so that nothing shimmers."""
    return functional.interpolate(pictures, size=(side, side), mode="area")


# -- the network ------------------------------------------------------------------------------------------------------


def build(labels: int) -> nn.Module:
    """An untrained committee: pictures (n, 3, 64, 64) to log-odds (members, n, labels)."""
    return _Committee(labels)


class _Committee(nn.Module):
    def __init__(self, labels: int) -> None:
        super().__init__()
        self.members = nn.ModuleList(_Network(labels) for _ in range(MEMBERS))

    def forward(self, pictures: Tensor) -> Tensor:
        return torch.stack([member(pictures) for member in self.members])


class _Network(nn.Module):
    """Pictures (n, 3, 64, 64) to log-odds (n, labels). About 0.4 million parameters.

    The mean and the strongest of the last 4×4 places count: objects are smaller than pictures.
    """

    def __init__(self, labels: int) -> None:
        super().__init__()
        first, last = WIDTHS[0], WIDTHS[-1]
        layers: list[nn.Module] = [nn.Conv2d(3, first, 5, stride=2, padding=2), _norm(first), nn.SiLU()]
        for before, after, stride in zip(WIDTHS, WIDTHS[1:], STRIDES, strict=False):
            layers.append(_Block(before, after, stride=stride))
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(2 * last, labels)
        nn.init.constant_(self.head.bias, -3.0)

    def forward(self, pictures: Tensor) -> Tensor:
        places = self.body(pictures.to(memory_format=torch.channels_last))
        scores: Tensor = self.head(torch.cat([places.mean((2, 3)), places.amax((2, 3))], dim=1))
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
    return nn.GroupNorm(channels // 8, channels)
