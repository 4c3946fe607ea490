"""What the evaluation asks of a model, and the plain diffusers pipelines that answer it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_img2img import (
    StableDiffusionImg2ImgPipeline,
)
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import Tensor

from inference.emoji_art.recipe import SIDE

STEPS = 20
GUIDANCE = 4.0

_BATCH = 8
_LOSS_TIMES = 10
"""Moments of the noising at which a picture's loss is taken, evenly spread."""


class Drawer(Protocol):
    """A model that draws. Pictures are (n, 3, 256, 256) float32 in [-1, 1], on the CPU."""

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> Tensor:
        """One picture for each prompt and its seed."""
        ...

    def redraw(
        self, pictures: Tensor, prompts: Sequence[str], seeds: Sequence[int], strength: float
    ) -> Tensor:
        """Each picture again, following its prompt the more the stronger. strength: above 0, at most 1."""
        ...

    def round_trip(self, pictures: Tensor) -> Tensor:
        """What is left of pictures that only become latents and pictures again."""
        ...

    def losses(self, pictures: Tensor, captions: Sequence[str], seed: int) -> Tensor:
        """How far the denoiser's guess of each picture's noise is off if it is told the caption: (n,), squared error.

        The noise depends on the seed and a picture's place in the row, so captions can be compared.
        """
        ...


class Pipelines:
    """A model folder in StableDiffusionPipeline and StableDiffusionImg2ImgPipeline, sampled by DDIM.

    Raises OSError, EnvironmentError or ValueError if the folder is not such a model.
    """

    def __init__(
        self, folder: Path, *, device: str = "cpu", steps: int = STEPS, guidance: float = GUIDANCE
    ) -> None:
        pipeline: Any = StableDiffusionPipeline.from_pretrained(
            folder,
            dtype=torch.float32,
            local_files_only=True,
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        pipeline.scheduler = DDIMScheduler.from_config(pipeline.scheduler.config)
        pipeline.to(device)
        self._from_words = pipeline
        self._from_sketch: Any = StableDiffusionImg2ImgPipeline(
            **pipeline.components, requires_safety_checker=False
        )
        for each in (self._from_words, self._from_sketch):
            each.set_progress_bar_config(disable=True)
        self._device = device
        self._how = {"num_inference_steps": steps, "guidance_scale": guidance, "output_type": "pt"}

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> Tensor:
        batches = []
        for rows in _batches(len(prompts)):
            drawn = self._from_words(
                list(prompts[rows]),
                height=SIDE,
                width=SIDE,
                generator=self._generators(seeds[rows]),
                **self._how,
            )
            batches.append(drawn.images)
        return _as_pictures(batches)

    def redraw(
        self, pictures: Tensor, prompts: Sequence[str], seeds: Sequence[int], strength: float
    ) -> Tensor:
        batches = []
        for rows in _batches(len(prompts)):
            drawn = self._from_sketch(
                list(prompts[rows]),
                image=pictures[rows].add(1).div(2).clamp(0, 1).to(self._device),
                strength=strength,
                generator=self._generators(seeds[rows]),
                **self._how,
            )
            batches.append(drawn.images)
        return _as_pictures(batches)

    @torch.no_grad()
    def round_trip(self, pictures: Tensor) -> Tensor:
        vae = self._from_words.vae
        batches = [
            vae.decode(vae.encode(batch.to(self._device)).latent_dist.mode()).sample
            for batch in pictures.split(_BATCH)
        ]
        return torch.cat(batches).clamp(-1, 1).cpu()

    @torch.no_grad()
    def losses(self, pictures: Tensor, captions: Sequence[str], seed: int) -> Tensor:
        pipeline = self._from_words
        generator = torch.Generator().manual_seed(seed)
        losses = []
        for rows in _batches(len(captions)):
            encoded = pipeline.vae.encode(pictures[rows].to(self._device)).latent_dist.mode()
            latents = encoded * pipeline.vae.config.scaling_factor
            text = pipeline.encode_prompt(list(captions[rows]), self._device, 1, False)[0]
            losses.append(self._noise_losses(latents, text, generator))
        return torch.cat(losses).cpu()

    def _noise_losses(self, latents: Tensor, text: Tensor, generator: torch.Generator) -> Tensor:
        scheduler, last = self._from_words.scheduler, self._from_words.scheduler.config.num_train_timesteps
        total = torch.zeros(len(latents), device=latents.device)
        for index in range(_LOSS_TIMES):
            time = torch.full((len(latents),), int((index + 0.5) / _LOSS_TIMES * last), device=latents.device)
            noise = torch.randn(latents.shape, generator=generator).to(latents)
            said = self._from_words.unet(
                scheduler.add_noise(latents, noise, time), time, encoder_hidden_states=text
            )[0]
            total += (said - _to_be_said(scheduler, latents, noise, time)).square().flatten(1).mean(1)
        return total / _LOSS_TIMES

    def _generators(self, seeds: Sequence[int]) -> list[torch.Generator]:
        """On the CPU, so that a seed gives the same noise on every device."""
        return [torch.Generator().manual_seed(seed) for seed in seeds]


def _to_be_said(scheduler: Any, latents: Tensor, noise: Tensor, time: Tensor) -> Tensor:
    if scheduler.config.prediction_type == "v_prediction":
        velocity: Tensor = scheduler.get_velocity(latents, noise, time)
        return velocity
    return latents if scheduler.config.prediction_type == "sample" else noise


def _batches(count: int) -> list[slice]:
    return [slice(start, start + _BATCH) for start in range(0, count, _BATCH)]


def _as_pictures(batches: list[Tensor]) -> Tensor:
    """From the pipelines' [0, 1]."""
    return torch.cat(batches).float().mul(2).sub(1).cpu() if batches else torch.empty(0, 3, SIDE, SIDE)
