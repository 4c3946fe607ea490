"""Models whose memory is short: they are real, but a forward pass above a limit is refused as CUDA refuses it.

The one thing that a processor cannot be brought to do in a test is to run out of a graphics card's memory; so a hook
on the real UNet raises what torch would raise.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from inference.batching import Open, StepRunner
from inference.config import EngineConfig
from inference.loading import Placement, open_model
from inference.models.stable_diffusion import StableDiffusion
from inference.runner import RunnerFactory
from tests.inference.tiny_models import CANVAS

LATENT_AREA = (CANVAS // 8) ** 2


class Room:
    """For `rows` rows of the tests' square canvas in one pass of the UNet. Counts what it refused."""

    def __init__(self, rows: float) -> None:
        self.rows = rows
        self.refused = 0

    def check(self, _module: object, inputs: tuple[Any, ...]) -> None:
        rows, _channels, height, width = inputs[0].shape
        if rows * height * width > self.rows * LATENT_AREA:
            self.refused += 1
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")

    def opens(self, name: str, folder: Path, placement: Placement) -> StableDiffusion:
        """Like `open_model`."""
        model = open_model(name, folder, placement)
        model.unet.register_forward_pre_hook(self.check)
        return model


def refuses_to_open(_name: str, _folder: Path, _placement: Placement) -> StableDiffusion:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def factory(config: EngineConfig, folders: Mapping[str, Path]) -> RunnerFactory:
    """For a worker process: room for three rows."""
    opens: Open = Room(rows=3).opens
    return lambda entering: StepRunner(config, folders, entering, opens=opens)
