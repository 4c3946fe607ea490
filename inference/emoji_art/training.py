"""What every training stage stands on: a folder to go on from, a clock, a log, and steps that can be taken up again."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch

from inference.emoji_art.recipe import Recipe

SAVE_SECONDS = 180.0
LOG_STEPS = 50


class TimeIsUp(Exception):
    """The minutes that were given are used; everything is saved, and the same command goes on from here."""


class HasState(Protocol):
    """A module, an optimiser, an average: what a checkpoint keeps."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: Any) -> Any: ...


@dataclass
class Run:
    """One training in one folder. `minutes` counts from the making of this record."""

    folder: Path
    recipe: Recipe
    device: torch.device
    minutes: float = float("inf")
    clock: Callable[[], float] = time.monotonic
    say: Callable[[str], None] = print
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        self._began = self.clock()
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def seconds(self) -> float:
        return self.clock() - self._began

    @property
    def time_is_up(self) -> bool:
        return self.seconds >= 60 * self.minutes

    def generator(self, stage: str, step: int, device: torch.device | str = "cpu") -> torch.Generator:
        """The random numbers of one step: the same however often the training was interrupted before it."""
        return torch.Generator(device).manual_seed(seed_of(self.recipe.seed, stage, step))

    def log(self, stage: str, **values: Any) -> None:
        line = {"stage": stage, **{name: _short(value) for name, value in values.items()}}
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({**line, "seconds": round(self.seconds, 1)}) + "\n")
        self.say("  ".join(f"{name} {value}" for name, value in line.items()))

    def save(self, name: str, state: Mapping[str, Any]) -> None:
        """Whole or not at all."""
        partial = self.folder / f".{name}.partial"
        torch.save(dict(state), partial)
        partial.replace(self.folder / f"{name}.pt")

    def steps_done(self, stage: str) -> int:
        state = self.load(stage)
        return int(state["step"]) if state is not None else 0

    def load(self, name: str) -> dict[str, Any] | None:
        path = self.folder / f"{name}.pt"
        if not path.exists():
            return None
        state: dict[str, Any] = torch.load(path, map_location=self.device, weights_only=True)
        return state


def seed_of(*parts: object) -> int:
    """A seed of 63 bits that is the same on every machine."""
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def steps(run: Run, name: str, total: int, parts: Mapping[str, HasState]) -> Iterator[int]:
    """The numbers of the steps that are still to do; saves what `parts` are every three minutes and at the end.

    Raises TimeIsUp between two steps, with everything saved.
    """
    state = run.load(name)
    first = 0
    if state is not None:
        first = int(state["step"])
        for key, part in parts.items():
            part.load_state_dict(state[key])

    saved = run.seconds
    for step in range(first, total):
        if run.time_is_up:
            save_at(run, name, step, parts)
            raise TimeIsUp
        yield step
        if run.seconds - saved >= SAVE_SECONDS:
            save_at(run, name, step + 1, parts)
            saved = run.seconds
    if first < total:
        save_at(run, name, total, parts)


def save_at(run: Run, name: str, step: int, parts: Mapping[str, HasState]) -> None:
    """A checkpoint that `steps` goes on from."""
    run.save(name, {"step": step, **{key: part.state_dict() for key, part in parts.items()}})


class Average:
    """Exponential moving average of parameters (Polyak averaging), which follows closely at first."""

    def __init__(self, module: torch.nn.Module, decay: float) -> None:
        self._module = module
        self._decay = decay
        self._count = 0
        self._kept = {name: value.detach().clone() for name, value in module.state_dict().items()}

    @torch.no_grad()
    def update(self) -> None:
        self._count += 1
        decay = min(self._decay, (1 + self._count) / (10 + self._count))
        for name, value in self._module.state_dict().items():
            kept = self._kept[name]
            if kept.is_floating_point():
                kept.lerp_(value, 1 - decay)
            else:
                kept.copy_(value)

    def copy_to(self, module: torch.nn.Module) -> None:
        module.load_state_dict(self._kept)

    def state_dict(self) -> dict[str, Any]:
        return {"count": self._count, "kept": self._kept}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._count = int(state["count"])
        for name, value in state["kept"].items():
            self._kept[name].copy_(value)


def autocast(device: torch.device) -> torch.autocast:
    """bfloat16 where it pays: on the CPU it nearly halves a step, too."""
    return torch.autocast(device.type, torch.bfloat16)


def _short(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) else value
