"""Stable Diffusion 1.x and 2.x (epsilon and v-prediction), from text or from a picture.

The stages stand in the order in which a sample goes through them: encode the text, encode the picture, start, step
after step, decode. Each does what the reference pipeline of `inference.samplers` does for one picture, in the same
order of random draws; only the UNet's forward pass is shared between samples.

Shapes: latents are (1, 4, height / 8, width / 8) in the model's number format, text is (1, tokens, width).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.utils.torch_utils import randn_tensor
from transformers import CLIPTextModel, CLIPTokenizer

from inference.errors import BadRequest, RequestFailed
from inference.framing import RGB
from inference.recent import Recent
from inference.samplers import STABLE_DIFFUSION, Samplers, Schedule
from inference.types import ImageRequest, Sampler, Size

log = logging.getLogger(__name__)

FAMILY = STABLE_DIFFUSION
TEXTS_KEPT = 64
"""Encoded prompts that are kept: the empty negative prompt and what a few people are iterating on."""


@dataclass(slots=True)
class Parts:
    """The components of one model folder, on their device and in their number format."""

    unet: UNet2DConditionModel
    vae: AutoencoderKL
    text_encoder: CLIPTextModel
    tokenizer: CLIPTokenizer


@dataclass(slots=True)
class Denoising:
    """One sample on its way from noise to picture.

    schedule: its own scheduler object. timesteps: (steps,) on the CPU, where the schedulers look them up.
    clean: the clean latents that the latest step predicted. negative: None where the sample is not guided.
    """

    latents: torch.Tensor
    schedule: Schedule
    sampler: Sampler
    timesteps: torch.Tensor
    guidance: float
    prompt: torch.Tensor
    negative: torch.Tensor | None
    step: int = 0
    clean: torch.Tensor | None = None

    @property
    def steps(self) -> int:
        return len(self.timesteps)

    @property
    def finished(self) -> bool:
        return self.step >= self.steps

    @property
    def timestep(self) -> torch.Tensor:
        return self.timesteps[self.step]

    @property
    def model_input(self) -> torch.Tensor:
        return self.schedule.scale_model_input(self.latents, self.timestep)


class StableDiffusion:
    """A loaded model. Everything that changes while a sample is drawn is in its `Denoising`."""

    def __init__(self, parts: Parts, samplers: Samplers) -> None:
        self.unet = parts.unet
        self.vae = parts.vae
        self.text_encoder = parts.text_encoder
        self.tokenizer = parts.tokenizer
        self.scale_factor = 2 ** (len(parts.vae.config["block_out_channels"]) - 1)
        sides = parts.unet.config["sample_size"]
        self.latent_side: int = sides if isinstance(sides, int) else max(sides)
        # Asked for in every step; the libraries' own properties walk through all submodules each time.
        self.device: torch.device = parts.unet.device
        self.dtype: torch.dtype = parts.unet.dtype
        self._samplers = samplers
        self._texts = Recent[str, torch.Tensor](TEXTS_KEPT)

    def encode_text(self, text: str) -> torch.Tensor:
        """A prompt as the UNet reads it, cut to the tokenizer's length as the pipelines cut it."""
        return self._texts.get(text, self._encode_text)

    @torch.inference_mode()
    def _encode_text(self, text: str) -> torch.Tensor:
        tokens = self.tokenizer(
            text,
            padding="max_length",
            max_length=self.tokenizer.model_max_length,
            truncation=True,
            return_tensors="pt",
        )
        masked = getattr(self.text_encoder.config, "use_attention_mask", False)
        attention_mask = tokens.attention_mask.to(self.device) if masked else None
        encoded: torch.Tensor = self.text_encoder(
            tokens.input_ids.to(self.device), attention_mask=attention_mask
        )[0]
        return encoded.to(self.text_encoder.dtype)

    @torch.inference_mode()
    def encode_picture(self, canvas: RGB) -> DiagonalGaussianDistribution:
        """What the VAE makes of a canvas: a distribution, of which each sample draws its own start."""
        values = torch.from_numpy(canvas.astype(np.float32) / 255.0).permute(2, 0, 1)[None]
        distribution: DiagonalGaussianDistribution = self.vae.encode(
            (2.0 * values - 1.0).to(self.device, self.dtype)
        ).latent_dist
        return distribution

    @torch.inference_mode()
    def encode_mean(self, canvas: RGB) -> torch.Tensor:
        """The latents a canvas most likely has: no random draw, for measuring the VAE."""
        return self.encode_picture(canvas).mode() * float(self.vae.config["scaling_factor"])

    @torch.inference_mode()
    def start(
        self, request: ImageRequest, seed: int, init: DiagonalGaussianDistribution | torch.Tensor | None
    ) -> Denoising:
        """Put one sample before its first step.

        init: what `encode_picture` gave, latents of an earlier result, or None to start from noise alone. The seed's
        generator is on the CPU, so that it means the same on every device; it draws the VAE's sample, then the noise.
        Raises BadRequest for steps or latents that do not fit the model.
        """
        generator = torch.Generator().manual_seed(seed)
        schedule = self._schedule(request)
        if init is None:
            timesteps = schedule.timesteps
            latents = self._noise(request.frame.canvas, generator) * schedule.init_noise_sigma
        else:
            timesteps = _remaining(schedule, request.steps - request.planned_steps)
            latents = self._noised(self._initial(init, request, generator), schedule, timesteps, generator)
        return Denoising(
            latents=latents,
            schedule=schedule,
            sampler=request.sampler,
            timesteps=timesteps,
            guidance=request.guidance,
            prompt=self.encode_text(request.prompt),
            negative=self.encode_text(request.negative_prompt) if request.guided else None,
        )

    @torch.inference_mode()
    def step(self, samples: Sequence[Denoising], *, rows: int = 0) -> None:
        """One step of every sample, each at its own timestep, in one forward pass of the UNet.

        The rows are all prompts, then the negative prompts of the guided. With `rows` the pass is filled up to that
        many, so that a sample's bits do not depend on how many others there are.
        """
        guided = [sample for sample in samples if sample.negative is not None]
        predicted = self._predict([*samples, *guided], [*_prompts(samples), *_negatives(guided)], rows)
        negatives = iter(predicted[len(samples) :].split(1))
        for sample, noise in zip(samples, predicted[: len(samples)].split(1), strict=True):
            if sample.negative is not None:
                negative = next(negatives)
                noise = negative + sample.guidance * (noise - negative)
            self._advance(sample, noise)

    def decode(self, latents: torch.Tensor) -> npt.NDArray[np.float32]:
        """Finished latents as a picture: (height, width, 3), from 0 to 1.

        Half precision may overflow in the decoder, which shows as values that are no numbers or as a black picture:
        then it is decoded again in float32. Raises RequestFailed where that does not help.
        """
        if not torch.isfinite(latents).all():
            raise RequestFailed("The model lost its way: its numbers ran over. Other settings may help.")
        picture = self._decoded(latents)
        if _broken(picture) and self.vae.dtype != torch.float32:
            log.warning("decoding again in float32: the picture is black or not finite in %s", self.vae.dtype)
            picture = self._decoded_precisely(latents)
        if not np.isfinite(picture).all():
            raise RequestFailed("The model made no picture: its decoder gave no numbers.")
        return picture

    def _schedule(self, request: ImageRequest) -> Schedule:
        schedule = self._samplers.new(request.sampler, from_picture=request.init is not None)
        try:
            schedule.set_timesteps(request.steps, device="cpu")
        except ValueError as error:
            raise BadRequest(
                f"This model cannot run {request.steps} steps with {request.sampler}."
            ) from error
        return schedule

    def _initial(
        self,
        init: DiagonalGaussianDistribution | torch.Tensor,
        request: ImageRequest,
        generator: torch.Generator,
    ) -> torch.Tensor:
        if isinstance(init, DiagonalGaussianDistribution):
            return init.sample(generator) * float(self.vae.config["scaling_factor"])
        if init.shape != self._shape(request.frame.canvas):
            raise BadRequest("The stored latents are of another size than the picture.")
        return init.to(self.device, self.dtype)

    def _noised(
        self, clean: torch.Tensor, schedule: Schedule, timesteps: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        noise = randn_tensor(clean.shape, generator=generator, device=self.device, dtype=clean.dtype)
        return schedule.add_noise(clean, noise, timesteps[:1])

    def _noise(self, canvas: Size, generator: torch.Generator) -> torch.Tensor:
        noise: torch.Tensor = randn_tensor(
            self._shape(canvas), generator=generator, device=self.device, dtype=self.dtype
        )
        return noise

    def _shape(self, canvas: Size) -> tuple[int, int, int, int]:
        if canvas.width % self.scale_factor or canvas.height % self.scale_factor:
            raise BadRequest(
                f"The model cannot draw {canvas}: sides must be multiples of {self.scale_factor}."
            )
        channels = self.unet.config["in_channels"]
        return 1, channels, canvas.height // self.scale_factor, canvas.width // self.scale_factor

    def _predict(
        self, samples: Sequence[Denoising], texts: Sequence[torch.Tensor], rows: int
    ) -> torch.Tensor:
        latents = torch.cat([sample.model_input for sample in samples])
        timesteps = torch.stack([sample.timestep for sample in samples])
        text = torch.cat(list(texts))
        filled = [_filled(tensor, rows) for tensor in (latents, timesteps, text)]
        predicted: torch.Tensor = self.unet(
            filled[0], filled[1].to(self.device), encoder_hidden_states=filled[2], return_dict=False
        )[0]
        return predicted[: len(samples)]

    def _advance(self, sample: Denoising, noise: torch.Tensor) -> None:
        stepped = sample.schedule.step(noise, sample.timestep, sample.latents, return_dict=False)
        sample.clean = self._samplers.clean(sample.sampler, sample.schedule, stepped)
        sample.latents = stepped[0]
        sample.step += 1

    @torch.inference_mode()
    def _decoded(self, latents: torch.Tensor) -> npt.NDArray[np.float32]:
        scaled = latents.to(self.device, self.vae.dtype) / self.vae.config["scaling_factor"]
        image: torch.Tensor = self.vae.decode(scaled, return_dict=False)[0]
        colours = (image * 0.5 + 0.5).clamp(0, 1)[0].permute(1, 2, 0)
        picture: npt.NDArray[np.float32] = colours.float().cpu().numpy()
        return picture

    def _decoded_precisely(self, latents: torch.Tensor) -> npt.NDArray[np.float32]:
        half = self.vae.dtype
        torch.nn.Module.to(self.vae, torch.float32)
        try:
            return self._decoded(latents)
        finally:
            torch.nn.Module.to(self.vae, half)


def _remaining(schedule: Schedule, skipped: int) -> torch.Tensor:
    """The part of the schedule that is run from a picture, as the image-to-image pipeline cuts it."""
    begin = skipped * schedule.order
    set_begin_index: Any = getattr(schedule, "set_begin_index", None)
    if set_begin_index is not None:
        set_begin_index(begin)
    return schedule.timesteps[begin:]


def _prompts(samples: Sequence[Denoising]) -> list[torch.Tensor]:
    return [sample.prompt for sample in samples]


def _negatives(samples: Sequence[Denoising]) -> list[torch.Tensor]:
    return [sample.negative for sample in samples if sample.negative is not None]


def _filled(tensor: torch.Tensor, rows: int) -> torch.Tensor:
    """Repeat the first row until there are `rows` of them; what is computed for the copies is thrown away."""
    missing = rows - len(tensor)
    return tensor if missing <= 0 else torch.cat([tensor, tensor[:1].expand(missing, *tensor.shape[1:])])


def _broken(picture: npt.NDArray[np.float32]) -> bool:
    return not np.isfinite(picture).all() or not picture.any()
