"""The one table that says what a sampler is: per family, the diffusers pipelines and the scheduler class it equals.

A result of the engine equals what that pipeline gives with that scheduler object. How the object is made is part of
the contract, because two natural-looking ways are silently wrong:

- The pipeline's `__init__` corrects outdated scheduler configs in place (`steps_offset`, `clip_sample`). So the
  scheduler must have gone through the pipeline's constructor.
- `Scheduler.from_config(pipe.scheduler.config)` undoes these corrections: it skips every key that the object itself
  lists as "was a default". So another sampler is built from the folder's own file (`Scheduler.from_pretrained`),
  handed to the pipeline's constructor, and from then on only copied with `copy.deepcopy`.

A scheduler object is the state of one sample (step counts, histories): each sample gets a copy of its own.

LCM from a picture: the plain image-to-image pipeline would run int(steps × strength) of the few steps. As in diffusers'
own LCM pipeline the schedule is cut by the strength first and `steps` are spread over the rest; the plain pipeline does
the same when it is handed those timesteps and a strength of 1.

From a picture with a mask: `StableDiffusionInpaintPipeline`, as it works with a UNet of four channels, and with the
scheduler object that the image-to-image pipeline has corrected. It would not correct `clip_sample` by itself: with
the oldest scheduler files DDIM would then clip the latents to [-1, 1], as if they were colours.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast

import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    LCMScheduler,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionPipeline,
    UniPCMultistepScheduler,
)

from inference.errors import BadRequest
from inference.types import LCM_SCHEDULE, ImageRequest, Sampler


class Schedule(Protocol):
    """What is used of a diffusers scheduler."""

    order: int
    init_noise_sigma: float
    timesteps: torch.Tensor
    config: Any

    def set_timesteps(self, num_inference_steps: int, *, device: str, **options: object) -> None: ...

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


def _second_of_step(_schedule: Any, stepped: tuple[torch.Tensor, ...]) -> torch.Tensor:
    return stepped[1]


def _latest_of_history(schedule: Any, _stepped: tuple[torch.Tensor, ...]) -> torch.Tensor:
    return cast(torch.Tensor, schedule.model_outputs[-1])


def _cut_by_strength(schedule: Schedule, request: ImageRequest, sample: int) -> torch.Tensor:
    """The part of the schedule that is run, as the pipelines cut it."""
    schedule.set_timesteps(request.steps, device="cpu")
    if request.init is None:
        return schedule.timesteps
    return _begun_at(schedule, (request.steps - request.steps_of(sample)) * schedule.order)


def _spread_over_strength(schedule: Schedule, request: ImageRequest, sample: int) -> torch.Tensor:
    """All steps of a few-step run, spread over what the strength leaves of the schedule that was distilled."""
    schedule.set_timesteps(
        request.steps_of(sample),
        device="cpu",
        original_inference_steps=LCM_SCHEDULE,
        strength=max(request.strength_of(sample), 1 / LCM_SCHEDULE),
    )
    return schedule.timesteps if request.init is None else _begun_at(schedule, 0)


def _begun_at(schedule: Schedule, begin: int) -> torch.Tensor:
    """Schedulers that work on sigmas look the first one up by its index: fractional timesteps may come twice."""
    set_begin_index: Any = getattr(schedule, "set_begin_index", None)
    if set_begin_index is not None:
        set_begin_index(begin)
    return schedule.timesteps[begin:]


class Reference(NamedTuple):
    """What a sampler's results are equal to.

    options: what makes the scheduler class this very sampler, whatever the folder's file says.
    clean: finds the clean picture that the step just done predicted, which these schedulers compute anyway.
    draws: whether its steps draw noise, from the sample's own generator.
    lay_out: sets the schedule's steps and gives the timesteps that a sample runs.
    """

    text_to_image: type[Any]
    image_to_image: type[Any]
    scheduler: type[Any]
    options: Mapping[str, object]
    clean: Callable[[Any, tuple[torch.Tensor, ...]], torch.Tensor]
    draws: bool = False
    lay_out: Callable[[Schedule, ImageRequest, int], torch.Tensor] = _cut_by_strength


STABLE_DIFFUSION = "Stable Diffusion"

_SD = (StableDiffusionPipeline, StableDiffusionImg2ImgPipeline)
_PLAIN: Mapping[str, object] = {"use_karras_sigmas": False}
_KARRAS: Mapping[str, object] = {"use_karras_sigmas": True}
_DPMPP_2M: Mapping[str, object] = {"algorithm_type": "dpmsolver++", "solver_order": 2}

TABLE: Mapping[tuple[str, Sampler], Reference] = {
    (STABLE_DIFFUSION, Sampler.DDIM): Reference(*_SD, DDIMScheduler, {}, _second_of_step),
    (STABLE_DIFFUSION, Sampler.DPMPP_2M): Reference(
        *_SD, DPMSolverMultistepScheduler, {**_DPMPP_2M, **_PLAIN}, _latest_of_history
    ),
    (STABLE_DIFFUSION, Sampler.DPMPP_2M_KARRAS): Reference(
        *_SD, DPMSolverMultistepScheduler, {**_DPMPP_2M, **_KARRAS}, _latest_of_history
    ),
    (STABLE_DIFFUSION, Sampler.EULER): Reference(*_SD, EulerDiscreteScheduler, _PLAIN, _second_of_step),
    (STABLE_DIFFUSION, Sampler.EULER_A): Reference(
        *_SD, EulerAncestralDiscreteScheduler, {}, _second_of_step, draws=True
    ),
    (STABLE_DIFFUSION, Sampler.UNIPC): Reference(
        *_SD, UniPCMultistepScheduler, {"solver_order": 2, **_PLAIN}, _latest_of_history
    ),
    (STABLE_DIFFUSION, Sampler.LCM): Reference(
        *_SD, LCMScheduler, {}, _second_of_step, draws=True, lay_out=_spread_over_strength
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

    def lay_out(self, request: ImageRequest, sample: int) -> tuple[Schedule, torch.Tensor]:
        """A scheduler object of its own for a sample of the request, and the timesteps it runs: (steps,), on the CPU.

        The timesteps of some samplers are fractional. Raises BadRequest where the schedule has not so many steps.
        """
        schedule = copy.deepcopy(self._finished[request.sampler, request.init is not None])
        if request.sampler is not Sampler.LCM and request.steps > schedule.config["num_train_timesteps"]:
            raise BadRequest(f"This model cannot run {request.steps} steps with {request.sampler}.")
        with _without_warnings():
            return schedule, self._references[request.sampler].lay_out(schedule, request, sample)

    def step(
        self,
        sampler: Sampler,
        schedule: Schedule,
        noise: torch.Tensor,
        timestep: torch.Tensor,
        latents: torch.Tensor,
        generator: torch.Generator,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The latents after one step, and the clean ones that it predicted; both (1, channels, height / 8, width / 8).

        noise: what the model said, in the model's own terms (epsilon or velocity).
        """
        row = self._references[sampler]
        options = {"generator": generator} if row.draws else {}
        stepped = schedule.step(noise, timestep, latents, return_dict=False, **options)
        return stepped[0], row.clean(schedule, stepped)


def _through_pipeline(
    row: Reference, from_picture: bool, folder: Path, components: Mapping[str, object]
) -> Schedule:
    with _without_warnings():
        scheduler = row.scheduler.from_pretrained(folder / "scheduler", local_files_only=True, **row.options)
        pipeline = (row.image_to_image if from_picture else row.text_to_image)(
            **components,
            scheduler=scheduler,
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    return cast(Schedule, pipeline.scheduler)


@contextmanager
def _without_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        # "outdated, should be set to": that correction is just what the pipeline's constructor is called for.
        warnings.simplefilter("ignore", FutureWarning)
        # diffusers 0.42 turns a tensor into an array in a way that numpy 2 will not allow for ever.
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        yield
