"""The one table that says what a sampler is: per family, the diffusers pipelines and the scheduler class it equals.

A result of the engine equals what that pipeline gives with that scheduler object. How the object is made is part of
the contract, because two natural-looking ways are silently wrong:

- The pipeline's `__init__` corrects outdated scheduler configs in place (`steps_offset`, `clip_sample`). So the
  scheduler must have gone through the pipeline's constructor.
- `Scheduler.from_config(pipe.scheduler.config)` undoes these corrections: it skips every key that the object itself
  lists as "was a default". So another sampler is built from the folder's own file (`Scheduler.from_pretrained`),
  handed to the pipeline's constructor, and from then on only copied with `copy.deepcopy`.

A scheduler object is the state of one sample (step counts, histories): each sample gets a copy of its own.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast

import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionPipeline,
)

from inference.types import Sampler


class Schedule(Protocol):
    """What is used of a diffusers scheduler."""

    order: int
    init_noise_sigma: float
    timesteps: torch.Tensor
    config: Any

    def set_timesteps(self, num_inference_steps: int, *, device: str) -> None: ...

    def scale_model_input(self, sample: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor: ...

    def add_noise(
        self, original_samples: torch.Tensor, noise: torch.Tensor, timesteps: torch.Tensor
    ) -> torch.Tensor: ...

    def step(
        self,
        model_output: torch.Tensor,
        timestep: torch.Tensor,
        sample: torch.Tensor,
        *,
        return_dict: bool = True,
        **options: object,
    ) -> tuple[torch.Tensor, ...]: ...


class Reference(NamedTuple):
    """What a sampler's results are equal to.

    options: what makes the scheduler class this very sampler, whatever the folder's file says.
    clean: finds the clean picture that the step just done predicted, which these schedulers compute anyway.
    """

    text_to_image: type[Any]
    image_to_image: type[Any]
    scheduler: type[Any]
    options: Mapping[str, object]
    clean: Callable[[Any, tuple[torch.Tensor, ...]], torch.Tensor]


def _ddim_clean(_schedule: Any, stepped: tuple[torch.Tensor, ...]) -> torch.Tensor:
    return stepped[1]


def _dpm_clean(schedule: Any, _stepped: tuple[torch.Tensor, ...]) -> torch.Tensor:
    return cast(torch.Tensor, schedule.model_outputs[-1])


STABLE_DIFFUSION = "Stable Diffusion"

TABLE: Mapping[tuple[str, Sampler], Reference] = {
    (STABLE_DIFFUSION, Sampler.DDIM): Reference(
        StableDiffusionPipeline, StableDiffusionImg2ImgPipeline, DDIMScheduler, {}, _ddim_clean
    ),
    (STABLE_DIFFUSION, Sampler.DPMPP_2M): Reference(
        StableDiffusionPipeline,
        StableDiffusionImg2ImgPipeline,
        DPMSolverMultistepScheduler,
        {"algorithm_type": "dpmsolver++", "solver_order": 2},
        _dpm_clean,
    ),
}


class Samplers:
    """One finished scheduler object per sampler and pipeline of a loaded model, to be copied per sample.

    components: what the family's pipelines are built of (unet, vae, …), all but the scheduler.
    Raises OSError and ValueError where the folder's scheduler file is missing or wrong.
    """

    def __init__(self, family: str, folder: Path, components: Mapping[str, object]) -> None:
        self._references = {sampler: row for (name, sampler), row in TABLE.items() if name == family}
        self._finished = {
            (sampler, from_picture): _through_pipeline(row, from_picture, folder, components)
            for sampler, row in self._references.items()
            for from_picture in (False, True)
        }

    def new(self, sampler: Sampler, *, from_picture: bool) -> Schedule:
        """A scheduler object of its own for one sample."""
        return copy.deepcopy(self._finished[sampler, from_picture])

    def clean(self, sampler: Sampler, schedule: Schedule, stepped: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """The clean latents that the step just done predicted, (1, channels, height / 8, width / 8)."""
        return self._references[sampler].clean(schedule, stepped)


def _through_pipeline(
    row: Reference, from_picture: bool, folder: Path, components: Mapping[str, object]
) -> Schedule:
    scheduler = row.scheduler.from_pretrained(folder / "scheduler", local_files_only=True, **row.options)
    with warnings.catch_warnings():
        # "outdated, should be set to": that correction is just what the constructor is called for.
        warnings.simplefilter("ignore", FutureWarning)
        pipeline = (row.image_to_image if from_picture else row.text_to_image)(
            **components,
            scheduler=scheduler,
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    return cast(Schedule, pipeline.scheduler)
