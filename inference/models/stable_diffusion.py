"""Stable Diffusion 1.x and 2.x (epsilon and v-prediction), from text or from a picture.

The stages stand in the order in which a sample goes through them: encode the text, encode the picture, start, step
after step, decode. Each does what the reference pipeline of `inference.samplers` does for one picture, in the same
order of random draws; only the UNet's forward pass is shared between samples.

A mask says what of the picture is drawn anew; the rest is put back into the latents after every step. One thing is
done otherwise than in the inpainting pipeline: that takes each latent's mask from the top left one of its 8 × 8 pixels,
here a latent is drawn anew where any of its pixels is. So a stroke of one pixel is not lost.

Shapes: latents are (1, 4, height / 8, width / 8) in the model's number format, text is (1, tokens, width), where tokens
is the tokenizer's length or, for a long prompt, a multiple of it.

Half precision may run over. The VAE's part is then computed again in float32 at once, the UNet's part by starting the
sample again with `precise`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.utils.torch_utils import randn_tensor
from torch.nn.functional import max_pool2d, pad
from transformers import CLIPTextModel, CLIPTokenizer

from inference.errors import BadRequest, RequestFailed
from inference.framing import RGB, Mask
from inference.halving import in_parts
from inference.memory import if_it_fits
from inference.recent import Recent
from inference.samplers import STABLE_DIFFUSION, Samplers, Schedule
from inference.types import ImageRequest, Sampler, Size

log = logging.getLogger(__name__)

FAMILY = STABLE_DIFFUSION
LOST = "The model lost its way: its numbers ran over. Other settings may help."
TEXTS_KEPT = 64
"""Encoded prompts that are kept: the empty negative prompt and what a few people are iterating on."""

MOST_CHUNKS = 16
"""Of a prompt. Everybody in the batch is padded to its longest text, so one endless prompt would slow down all."""


@dataclass(slots=True)
class Parts:
    """The components of one model folder, on their device and in their number format."""

    unet: UNet2DConditionModel
    vae: AutoencoderKL
    text_encoder: CLIPTextModel
    tokenizer: CLIPTokenizer


class Kept(NamedTuple):
    """What a masked sample keeps of its picture.

    anew: (1, 1, height / 8, width / 8), 1 where it is drawn anew, else 0. clean, noise: the picture's latents, and the
    noise that was added to them at the start; all in the number format of the sample.
    """

    anew: torch.Tensor
    clean: torch.Tensor
    noise: torch.Tensor

    def put_back(self, noised: torch.Tensor, drawn: torch.Tensor) -> torch.Tensor:
        return (1 - self.anew) * noised + self.anew * drawn


@dataclass(slots=True, eq=False)
class Denoising:
    """One sample on its way from noise to picture.

    schedule: its own scheduler object. timesteps: (steps,) on the CPU, where the schedulers look them up.
    generator: the seed's, for samplers that draw noise in their steps. negative: None where the sample is not guided.
    kept: None where all is drawn. clean: the clean latents that the latest step predicted.
    """

    latents: torch.Tensor
    schedule: Schedule
    sampler: Sampler
    timesteps: torch.Tensor
    generator: torch.Generator
    guidance: float
    prompt: torch.Tensor
    negative: torch.Tensor | None
    kept: Kept | None = None
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

    def advance(self, latents: torch.Tensor, clean: torch.Tensor) -> None:
        """Book a step. What is kept comes back at the noise level of the next one, after the last without noise."""
        self.latents, self.clean = latents, clean
        self.step += 1
        if self.kept is None:
            return
        noised = self.kept.clean
        if not self.finished:
            noised = self.schedule.add_noise(noised, self.kept.noise, self.timestep[None])
        self.latents = self.kept.put_back(noised, latents)
        self.clean = self.kept.put_back(self.kept.clean, clean)

    @property
    def finite(self) -> bool:
        """Whether its numbers are still numbers; they never become so again. Waits for the device."""
        return bool(torch.isfinite(self.latents).all())


class Row(NamedTuple):
    """One row of a forward pass: a sample, and the text it is seen with."""

    sample: Denoising
    text: torch.Tensor


class Stepped(NamedTuple):
    """What came of a step. most: rows that fitted into one pass. left_out: samples that do not fit even alone."""

    most: int
    left_out: list[Denoising]


class Decoded(NamedTuple):
    """picture: (height, width, 3), from 0 to 1. precise: half precision did not do for it, float32 did."""

    picture: npt.NDArray[np.float32]
    precise: bool


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
        self._unet_dtype = self.dtype
        self._samplers = samplers
        self._texts = Recent[str, torch.Tensor](TEXTS_KEPT)

    def encode_text(self, text: str) -> torch.Tensor:
        """A prompt as the UNet reads it.

        What fits into the tokenizer's length is encoded as the pipelines do it. Of what is longer they would cut off
        the rest; here it is encoded in chunks of that length. Raises BadRequest for more than MOST_CHUNKS.
        """
        return self._texts.get(text, self._encode_text)

    @torch.inference_mode()
    def _encode_text(self, text: str) -> torch.Tensor:
        tokens, seen = self._chunks(text)
        masked = getattr(self.text_encoder.config, "use_attention_mask", False)
        encoded: torch.Tensor = self.text_encoder(
            tokens.to(self.device), attention_mask=seen.to(self.device) if masked else None
        )[0]
        return encoded.flatten(0, 1)[None].to(self.text_encoder.dtype)

    def _chunks(self, text: str) -> tuple[torch.Tensor, torch.Tensor]:
        """The text's tokens, each chunk begun, ended and padded as a prompt is, and what of them is not padding.

        Both (chunks, tokenizer's length).
        """
        length = min(self.tokenizer.model_max_length, self.text_encoder.config.max_position_embeddings)
        begin, *content, end = self.tokenizer(text, truncation=False, verbose=False).input_ids
        room = length - 2
        if len(content) > MOST_CHUNKS * room:
            raise BadRequest(
                f"The prompt is too long for this model: it has {len(content)} word pieces, "
                f"and {MOST_CHUNKS * room} can be read."
            )
        chunks = [content[at : at + room] for at in range(0, len(content), room)] or [[]]
        padding = self.tokenizer.pad_token_id
        tokens = [[begin, *chunk, end, *[padding] * (room - len(chunk))] for chunk in chunks]
        seen = [[at < len(chunk) + 2 for at in range(length)] for chunk in chunks]
        return torch.tensor(tokens), torch.tensor(seen, dtype=torch.long)

    @torch.inference_mode()
    def encode_picture(self, canvas: RGB) -> DiagonalGaussianDistribution:
        """What the VAE makes of a canvas: a distribution, of which each sample draws its own start."""
        # Rows, columns and colours lie in memory as in the pipelines: torch chooses by that how it computes.
        values = torch.from_numpy(np.stack([canvas.astype(np.float32) / 255.0])).permute(0, 3, 1, 2)
        encoded = self._encoded(2.0 * values - 1.0)
        if self.vae.dtype != torch.float32 and not torch.isfinite(encoded.parameters).all():
            log.warning("encoding again in float32: the latents are not finite in %s", self.vae.dtype)
            with _in_float32(self.vae):
                encoded = self._encoded(2.0 * values - 1.0)
        return encoded

    def _encoded(self, values: torch.Tensor) -> DiagonalGaussianDistribution:
        distribution: DiagonalGaussianDistribution = self.vae.encode(
            values.to(self.device, self.vae.dtype)
        ).latent_dist
        return distribution

    @torch.inference_mode()
    def encode_mean(self, canvas: RGB) -> torch.Tensor:
        """The latents a canvas most likely has: no random draw, for measuring the VAE."""
        return self.encode_picture(canvas).mode() * float(self.vae.config["scaling_factor"])

    @torch.inference_mode()
    def start(
        self,
        request: ImageRequest,
        sample: int,
        init: DiagonalGaussianDistribution | torch.Tensor | None,
        mask: Mask | None = None,
        *,
        precise: bool = False,
    ) -> Denoising:
        """Put one of the request's samples before its first step.

        init: what `encode_picture` gave, latents of an earlier result, or None to start from noise alone. mask: what of
        the canvas is drawn anew, None for all. The seed's generator is on the CPU, so that it means the same on every
        device; it draws the VAE's sample, then the noise, then what the sampler wants. precise: the UNet computes this
        sample in float32, whatever the model's format is.
        Raises BadRequest for steps, texts or latents that do not fit the model.
        """
        generator = torch.Generator().manual_seed(request.seeds[sample])
        dtype = torch.float32 if precise else self.dtype
        schedule, timesteps = self._samplers.lay_out(request, sample)
        clean = None if init is None else self._initial(init, request, generator).to(dtype)
        noise = self._noise(self._shape(request.frame.canvas), generator, dtype)
        if clean is None or (mask is not None and request.strength_of(sample) == 1):
            # With a mask the pipeline takes a strength of 1 at its word: nothing of the picture is under the noise.
            latents = noise * schedule.init_noise_sigma
        else:
            latents = schedule.add_noise(clean, noise, timesteps[:1])
        if mask is not None and isinstance(init, DiagonalGaussianDistribution):
            # The pipeline also encodes the picture without its masked part, which only other UNets need; that draw
            # comes before those of the sampler.
            init.sample(generator)
        return Denoising(
            latents=latents,
            schedule=schedule,
            sampler=request.sampler,
            timesteps=timesteps,
            generator=generator,
            guidance=request.guidance,
            prompt=self.encode_text(request.prompt).to(dtype),
            negative=self.encode_text(request.negative_prompt).to(dtype) if request.guided else None,
            kept=None if clean is None or mask is None else Kept(self._cells(mask, dtype), clean, noise),
        )

    @torch.inference_mode()
    def step(self, samples: Sequence[Denoising], *, most: int, fixed: bool = False) -> Stepped:
        """One step of every sample, each at its own timestep, in one forward pass of the UNet.

        The rows are all prompts, then the negative prompts of the guided. Where they do not fit into `most` rows, or
        into memory, there are several passes. Either all samples are `precise` or none is. With `fixed` each pass is
        filled up to `most` rows and holds texts of one length, so that a sample's bits do not depend on the others.
        """
        if if_it_fits(lambda: self._set_unet(samples[0].latents.dtype)) is None:
            return Stepped(most, list(samples))
        left_out: list[Denoising] = []
        for together in _of_one_length(samples) if fixed else [samples]:
            predict = partial(self._predict, fixed=fixed)
            predicted, most = in_parts(_rows(together), most, predict, filled=fixed)
            left_out += self._advance(together, predicted)
        return Stepped(most, left_out)

    def decode(self, latents: torch.Tensor) -> Decoded:
        """Finished latents as a picture.

        Half precision may overflow in the decoder, which shows as values that are no numbers or as a black picture:
        then it is decoded again in float32. Raises RequestFailed where that does not help.
        """
        if not torch.isfinite(latents).all():
            raise RequestFailed(LOST)
        picture = self._decoded(latents)
        again = _broken(picture) and self.vae.dtype != torch.float32
        if again:
            log.warning("decoding again in float32: the picture is black or not finite in %s", self.vae.dtype)
            with _in_float32(self.vae):
                picture = self._decoded(latents)
        if not np.isfinite(picture).all():
            raise RequestFailed("The model made no picture: its decoder gave no numbers.")
        return Decoded(picture, again)

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
        return init.to(self.device)

    def _cells(self, mask: Mask, dtype: torch.dtype) -> torch.Tensor:
        """The mask for latents; see the module."""
        pixels = torch.from_numpy(mask.astype(np.float32))[None, None]
        return max_pool2d(pixels, self.scale_factor).to(self.device, dtype)

    def _noise(self, shape: Sequence[int], generator: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
        noise: torch.Tensor = randn_tensor(tuple(shape), generator=generator, device=self.device, dtype=dtype)
        return noise

    def _shape(self, canvas: Size) -> tuple[int, int, int, int]:
        if canvas.width % self.scale_factor or canvas.height % self.scale_factor:
            raise BadRequest(
                f"The model cannot draw {canvas}: sides must be multiples of {self.scale_factor}."
            )
        channels = self.unet.config["in_channels"]
        return 1, channels, canvas.height // self.scale_factor, canvas.width // self.scale_factor

    def _set_unet(self, dtype: torch.dtype) -> torch.dtype:
        """Have the UNet in the format of the samples. From half precision to float32 and back loses nothing."""
        if dtype != self._unet_dtype:
            try:
                torch.nn.Module.to(self.unet, dtype)
            except BaseException:
                torch.nn.Module.to(self.unet, self._unet_dtype)  # else it would be left in two formats
                raise
            self._unet_dtype = dtype
        return dtype

    def _predict(self, rows: Sequence[Row], most: int, *, fixed: bool) -> Sequence[torch.Tensor] | None:
        """What the UNet says of each row, (1, 4, height / 8, width / 8); None where they do not fit into memory."""
        predicted = if_it_fits(lambda: self._pass(rows, most if fixed else 0))
        return None if predicted is None else predicted[: len(rows)].split(1)

    def _pass(self, rows: Sequence[Row], filled_to: int) -> torch.Tensor:
        latents = torch.cat([row.sample.model_input for row in rows])
        timesteps = torch.stack([row.sample.timestep.float() for row in rows]).to(self.device)
        text, mask = _padded([row.text for row in rows])
        predicted: torch.Tensor = self.unet(
            _filled(latents, filled_to),
            _filled(timesteps, filled_to),
            encoder_hidden_states=_filled(text, filled_to),
            encoder_attention_mask=None if mask is None else _filled(mask, filled_to),
            return_dict=False,
        )[0]
        return predicted

    def _advance(
        self, samples: Sequence[Denoising], predicted: Sequence[torch.Tensor | None]
    ) -> list[Denoising]:
        """Take each sample's step. Returns those for which the prediction is missing; they have not moved."""
        left_out: list[Denoising] = []
        negatives = iter(predicted[len(samples) :])
        for sample, noise in zip(samples, predicted[: len(samples)], strict=True):
            negative = noise if sample.negative is None else next(negatives)
            if noise is None or negative is None:
                left_out.append(sample)
                continue
            if sample.negative is not None:
                noise = negative + sample.guidance * (noise - negative)
            sample.advance(
                *self._samplers.step(
                    sample.sampler, sample.schedule, noise, sample.timestep, sample.latents, sample.generator
                )
            )
        return left_out

    @torch.inference_mode()
    def _decoded(self, latents: torch.Tensor) -> npt.NDArray[np.float32]:
        scaled = latents.to(self.device, self.vae.dtype) / self.vae.config["scaling_factor"]
        image: torch.Tensor = self.vae.decode(scaled, return_dict=False)[0]
        colours = (image * 0.5 + 0.5).clamp(0, 1)[0].permute(1, 2, 0)
        picture: npt.NDArray[np.float32] = colours.float().cpu().numpy()
        return picture


@contextmanager
def _in_float32(module: Any) -> Iterator[None]:
    half = module.dtype
    try:
        torch.nn.Module.to(module, torch.float32)
        yield
    finally:
        torch.nn.Module.to(module, half)


def _rows(samples: Sequence[Denoising]) -> list[Row]:
    prompts = [Row(sample, sample.prompt) for sample in samples]
    return prompts + [Row(sample, sample.negative) for sample in samples if sample.negative is not None]


def _of_one_length(samples: Sequence[Denoising]) -> list[list[Denoising]]:
    """The samples by the lengths of their texts: a mask, and more to attend to, would change their neighbours' bits."""
    groups: dict[tuple[int, bool], list[Denoising]] = {}
    for sample in samples:
        lengths = {row.text.shape[1] for row in _rows([sample])}
        groups.setdefault((max(lengths), len(lengths) > 1), []).append(sample)
    return list(groups.values())


def _padded(texts: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor | None]:
    """All texts at the length of the longest, and a mask of what is theirs, (rows, tokens); None where all is."""
    longest = max(text.shape[1] for text in texts)
    padded = torch.cat([pad(text, (0, 0, 0, longest - text.shape[1])) for text in texts])
    if all(text.shape[1] == longest for text in texts):
        return padded, None
    lengths = torch.tensor([text.shape[1] for text in texts], device=padded.device)
    return padded, torch.arange(longest, device=padded.device) < lengths[:, None]


def _filled(tensor: torch.Tensor, rows: int) -> torch.Tensor:
    """Repeat the first row until there are `rows` of them; what is computed for the copies is thrown away."""
    missing = rows - len(tensor)
    return tensor if missing <= 0 else torch.cat([tensor, tensor[:1].expand(missing, *tensor.shape[1:])])


def _broken(picture: npt.NDArray[np.float32]) -> bool:
    return not np.isfinite(picture).all() or not picture.any()
