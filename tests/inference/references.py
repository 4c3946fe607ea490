"""What diffusers gives: the plain pipelines, opened from the same folder as the engine's model and apart from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    LCMScheduler,
    UniPCMultistepScheduler,
)
from diffusers import StableDiffusionImg2ImgPipeline as FromPicture
from diffusers import StableDiffusionInpaintPipeline as Masked
from diffusers import StableDiffusionPipeline as FromText
from PIL import Image

from inference import latents
from inference.batching import StepRunner
from inference.types import Blob, Grey, ImageRequest, InitKind, PictureRef, Pixels, Sampler
from tests.inference.driving import (
    LATENTS,
    SKETCH,
    config,
    fingerprint_of,
    ignore,
    sketch,
    stored_latents,
)

BOUND = 1e-4
CLEARLY = 100 * BOUND

Picture = npt.NDArray[np.float32]
"""(height, width, 3), from 0 to 1."""

SCHEDULERS: dict[Sampler, tuple[Any, dict[str, object]]] = {
    Sampler.DDIM: (DDIMScheduler, {}),
    Sampler.DPMPP_2M: (DPMSolverMultistepScheduler, {}),
    Sampler.DPMPP_2M_KARRAS: (DPMSolverMultistepScheduler, {"use_karras_sigmas": True}),
    Sampler.EULER: (EulerDiscreteScheduler, {}),
    Sampler.EULER_A: (EulerAncestralDiscreteScheduler, {}),
    Sampler.UNIPC: (UniPCMultistepScheduler, {}),
    Sampler.LCM: (LCMScheduler, {}),
}


class Model(NamedTuple):
    """One tiny model in both worlds. components: diffusers' own copy of its parts."""

    name: str
    folder: Path
    runner: StepRunner
    fingerprint: str
    blobs: dict[PictureRef, Blob]
    components: dict[str, Any]
    known: dict[ImageRequest, Picture]


def open_both(name: str, folder: Path) -> Model:
    runner = StepRunner(config({name: folder}, max_rows=16), {name: folder}, ignore)
    runner.load(name)
    fingerprint = fingerprint_of(runner)
    blobs: dict[PictureRef, Blob] = {SKETCH: sketch(), LATENTS: stored_latents(fingerprint)}
    whole = FromText.from_pretrained(folder, safety_checker=None)
    return Model(name, folder, runner, fingerprint, blobs, whole.components, {})


def scheduler_of(model: Model, sampler: Sampler) -> Any:
    """As a user of diffusers asks for another sampler: its class, from the model folder."""
    cls, options = SCHEDULERS[sampler]
    return cls.from_pretrained(model.folder, subfolder="scheduler", **options)


def pipeline(model: Model, asked: ImageRequest, scheduler: Any) -> Any:
    """The scheduler is corrected in place; of `clip_sample` the inpainting pipeline leaves that to the others."""
    cls: Any = FromText if asked.init is None else FromPicture
    pipe = cls(**{**model.components, "scheduler": scheduler}, requires_safety_checker=False)
    if asked.mask is not None:
        pipe = uncorrected_masked_pipeline(model, pipe.scheduler)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def uncorrected_masked_pipeline(model: Model, scheduler: Any) -> Any:
    pipe: Any = Masked(**{**model.components, "scheduler": scheduler}, requires_safety_checker=False)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def diffusers_alone(model: Model, asked: ImageRequest) -> Picture:
    """What the reference pipeline gives for the request's only seed."""
    if asked not in model.known:
        model.known[asked] = run(pipeline(model, asked, scheduler_of(model, asked.sampler)), model, asked)
    return model.known[asked]


def run(pipe: Any, model: Model, asked: ImageRequest) -> Picture:
    return run_with(pipe, model, asked, prompt=asked.prompt, negative_prompt=asked.negative_prompt)


def run_with(pipe: Any, model: Model, asked: ImageRequest, **texts: object) -> Picture:
    (seed,) = asked.seeds
    picture: Picture = pipe(
        guidance_scale=asked.guidance,
        generator=torch.Generator().manual_seed(seed),
        output_type="np",
        **texts,
        **_steps_of(asked),
        **_init_of(model, asked),
        **_mask_of(model, asked),
    ).images[0]
    return picture


def _steps_of(asked: ImageRequest) -> dict[str, object]:
    if asked.init is None:
        return {"num_inference_steps": asked.steps}
    if asked.sampler is not Sampler.LCM:
        return {"num_inference_steps": asked.steps, "strength": asked.strength}
    # As LatentConsistencyModelImg2ImgPipeline cuts its schedule; that one needs a UNet of a special kind.
    schedule: Any = LCMScheduler()
    schedule.set_timesteps(asked.steps, original_inference_steps=50, strength=asked.strength)
    timesteps = schedule.timesteps.tolist()
    if asked.mask is None or asked.strength == 1:
        return {"timesteps": timesteps, "strength": 1.0}
    # The inpainting pipeline takes a strength of 1 for a start from noise alone. So it is told of one timestep more,
    # and of the strength that leaves that one out.
    return {"timesteps": [timesteps[0] + 1, *timesteps], "strength": (asked.steps + 0.5) / (asked.steps + 1)}


def _init_of(model: Model, asked: ImageRequest) -> dict[str, object]:
    if asked.init is None:
        return {"width": asked.frame.canvas.width, "height": asked.frame.canvas.height}
    blob = model.blobs[asked.init.ref]
    if isinstance(blob, Pixels):
        return {"image": _seen(Image.frombytes("RGB", (blob.width, blob.height), blob.data), asked)}
    return {"image": latents.unpack(stored_latents(model.fingerprint), model.fingerprint)}


def _mask_of(model: Model, asked: ImageRequest) -> dict[str, object]:
    if asked.mask is None or asked.init is None:
        return {}
    blob = model.blobs[asked.mask]
    assert isinstance(blob, Grey)
    canvas = asked.frame.canvas
    mask = Image.frombytes("L", (blob.width, blob.height), blob.data)
    given = {"mask_image": _seen(mask, asked), "width": canvas.width, "height": canvas.height}
    if asked.init.kind is InitKind.LATENTS:
        # Else the pipeline would multiply latents by the mask of the pixels. A UNet of four channels does not see them.
        given["masked_image_latents"] = _init_of(model, asked)["image"]
    return given


def _seen(image: Image.Image, asked: ImageRequest) -> Image.Image:
    """The window of a picture or mask at the size of the canvas, as a user of Pillow would cut it out."""
    window = None if asked.init is None else asked.init.window
    if window is not None:
        image = image.crop((window.left, window.top, window.left + window.width, window.top + window.height))
    filtered = Image.Resampling.LANCZOS if image.mode == "RGB" else Image.Resampling.NEAREST
    return image.resize((asked.frame.canvas.width, asked.frame.canvas.height), filtered)


def distance(one: Picture, other: Picture) -> float:
    return float(np.abs(one - other).max())
