"""Stage 1: an autoencoder (AutoencoderKL, 8×8 pixels to four numbers) that carries flat, clean art."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch.nn.functional import avg_pool2d, l1_loss, mse_loss

from inference.emoji_art.recipe import LATENT_CHANNELS, SHRINK, SIDE, AutoencoderRecipe
from inference.emoji_art.training import LOG_STEPS, Run, autocast, seed_of, steps
from inference.emoji_art.world import MIXED, World

STAGE = "autoencoder"
_CHUNK = 32
"""Scenes that are rendered at a time."""

_NOISE = 0.02
"""Added in training, as a share of the latents' own spread: the decoder then forgives what the denoiser gets slightly
wrong. A variational autoencoder's noise has a fixed size, and fresh latents are far quieter than that."""

_SILENT = -12.0
"""Log-variance of the finished encoder: one latent for each picture, not a cloud of them."""


def build(recipe: AutoencoderRecipe) -> Any:
    """No attention in the middle: it would learn the size of the crops, and pictures come in other sizes."""
    vae = AutoencoderKL(
        block_out_channels=recipe.widths,
        layers_per_block=1,
        down_block_types=("DownEncoderBlock2D",) * len(recipe.widths),
        up_block_types=("UpDecoderBlock2D",) * len(recipe.widths),
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=recipe.groups,
        sample_size=SIDE,
        scaling_factor=1.0,
        mid_block_add_attention=False,
    )
    _lay_open(vae)
    return vae


@torch.no_grad()
def _lay_open(vae: Any) -> None:
    """Begin near plain averaging and enlarging, with a way for colours from end to end.

    From random weights it takes a thousand steps until all three axes of colour have found their way; laid open, fewer
    than a hundred (docs/training.md has the figures).
    """
    for name, weight in vae.named_parameters():
        if name.endswith("conv2.weight"):
            weight.mul_(0.1)  # residual blocks begin quietly
        elif name.endswith("conv_shortcut.weight"):
            weight.mul_(0.3)[..., 0, 0] += _repeated_eye(weight)
    for block in vae.encoder.down_blocks[:-1]:
        weight = block.downsamplers[0].conv.weight
        weight.mul_(0.3)[..., :2, :2] += _repeated_eye(weight)[..., None, None] / 4
    for block in vae.decoder.up_blocks[:-1]:
        weight = block.upsamplers[0].conv.weight
        weight.mul_(0.3)[..., 1, 1] += _repeated_eye(weight)
    for weight in (vae.encoder.conv_in.weight, vae.decoder.conv_in.weight):
        outputs, inputs = weight.shape[:2]
        signs = 1 - 2 * (torch.arange(outputs) // inputs % 2)
        weight[..., 1, 1] += signs[:, None] * _repeated_eye(weight)


def _repeated_eye(weight: torch.Tensor) -> torch.Tensor:
    """(outputs, inputs): each output takes one input, over and over where there are more outputs."""
    outputs, inputs = weight.shape[:2]
    return torch.eye(inputs)[torch.arange(outputs) % inputs]


def train(run: Run, world: World) -> Any:
    """Returns the whitened autoencoder; takes up where an earlier call stopped. Raises TimeIsUp."""
    recipe = run.recipe.autoencoder
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(run.recipe.seed, STAGE))
        vae = build(recipe).to(run.device, memory_format=torch.channels_last)
    if (finished := run.load(f"{STAGE}-finished")) is not None:
        vae.load_state_dict(finished)
        return vae.eval()
    optimiser = torch.optim.AdamW(vae.parameters(), lr=recipe.rate, betas=(0.9, 0.99), weight_decay=0.0)
    pictures = _Pictures(run, world)
    for step in steps(run, STAGE, recipe.steps, {"vae": vae, "optimiser": optimiser}):
        optimiser.param_groups[0]["lr"] = _rate(recipe, step)
        batch = pictures.batch(step).to(memory_format=torch.channels_last)
        with autocast(run.device):
            loss = _loss(vae, batch, _noise(run, step, batch))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimiser.step()
        if step % LOG_STEPS == 0:
            run.log(STAGE, step=step, loss=loss.item())
    _whiten(vae, run, world)
    run.save(f"{STAGE}-finished", vae.state_dict())
    run.log(STAGE, **_quality(vae, run, world))
    return vae.eval()


def _loss(vae: Any, pictures: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """Absolute and squared error, error of the gradients (edges), error of 8× smaller pictures (colours do not drift),
    and a breath of pull that keeps latents from growing."""
    latents = vae.quant_conv(vae.encoder(pictures))[:, :LATENT_CHANNELS].float()
    spread = latents.detach().std(dim=(0, 2, 3), keepdim=True)
    seen = vae.decoder(vae.post_quant_conv(latents + _NOISE * spread * noise)).float()
    edges = [l1_loss(ours, theirs) for ours, theirs in zip(_edges(seen), _edges(pictures), strict=True)]
    loss: torch.Tensor = (
        l1_loss(seen, pictures)
        + 0.5 * mse_loss(seen, pictures)
        + 0.7 * (edges[0] + edges[1])
        + l1_loss(avg_pool2d(seen, SHRINK), avg_pool2d(pictures, SHRINK))
        + 1e-5 * latents.square().mean()
    )
    return loss


def _edges(pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return pictures.diff(dim=-1), pictures.diff(dim=-2)


class _Pictures:
    """Training pictures of a step: small crops first, larger ones towards the end.

    A step takes its crops from as many different scenes as it can. From one or two scenes a step learns next to
    nothing: with the same number of pixels, twelve times as many steps were not enough (see docs/training.md).
    """

    def __init__(self, run: Run, world: World) -> None:
        self._run = run
        self._world = world
        self._recipe = run.recipe.autoencoder
        self._scenes = max(_CHUNK, self._recipe.batch)
        self._steps = max(1, self._scenes * self._recipe.crops_per_scene // self._recipe.batch)
        self._chunk = -1
        self._rendered = torch.empty(0)

    def batch(self, step: int) -> torch.Tensor:
        recipe = self._recipe
        small = step < recipe.steps * (1 - recipe.large)
        crop, count = (recipe.crop, recipe.batch) if small else (2 * recipe.crop, max(1, recipe.batch // 4))
        if step // self._steps != self._chunk:
            self._chunk = step // self._steps
            self._rendered = self._render(self._chunk, self._scenes)
        generator = self._run.generator(f"{STAGE} crops", step)
        scenes = torch.randint(self._scenes, (count,), generator=generator).tolist()
        corners = torch.randint(SIDE - crop + 1, (count, 2), generator=generator).tolist()
        return torch.stack(
            [
                self._rendered[scene, :, top : top + crop, left : left + crop]
                for scene, (top, left) in zip(scenes, corners, strict=True)
            ]
        )

    def _render(self, chunk: int, count: int) -> torch.Tensor:
        generator = self._run.generator(f"{STAGE} pictures", chunk)
        scenes = self._world.scenes(seed_of(self._run.recipe.seed, STAGE, chunk), count, MIXED)
        clean = self._world.render(scenes).pictures
        doodled = torch.rand(count, generator=generator) < self._recipe.doodles
        if doodled.any():
            chosen = [scene for scene, is_doodle in zip(scenes, doodled.tolist(), strict=True) if is_doodle]
            clean[doodled.to(clean.device)] = self._world.doodles(chosen, generator)
        return clean


def _noise(run: Run, step: int, pictures: torch.Tensor) -> torch.Tensor:
    height, width = pictures.shape[-2] // SHRINK, pictures.shape[-1] // SHRINK
    generator = run.generator(f"{STAGE} noise", step, run.device)
    return torch.randn(
        (len(pictures), LATENT_CHANNELS, height, width), generator=generator, device=run.device
    )


def _rate(recipe: AutoencoderRecipe, step: int) -> float:
    """A short rise, then half a cosine to a fiftieth."""
    rise = min(1.0, (step + 1) / 100)
    fall = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / recipe.steps))
    return recipe.rate * rise * fall


@torch.no_grad()
def encode(vae: Any, pictures: torch.Tensor) -> torch.Tensor:
    """Pictures (n, 3, side, side) in [-1, 1] to latents (n, 4, side/8, side/8), in float32."""
    with autocast(pictures.device):
        latents: torch.Tensor = vae.encode(pictures.to(memory_format=torch.channels_last)).latent_dist.mean
    return latents.float()


@torch.no_grad()
def _whiten(vae: Any, run: Run, world: World) -> None:
    """Give latents mean 0 and the identity as covariance, folded exactly into the two 1×1 convolutions.

    The img2img pipeline only knows one scaling factor, so per-channel whitening has to lie in the weights.
    """
    batches = list(_check_pictures(run, world, "whitening", doodles=False))
    rows = (
        torch.cat([encode(vae, batch) for batch in batches]).permute(0, 2, 3, 1).reshape(-1, LATENT_CHANNELS)
    )
    mean = rows.double().mean(0)
    values, vectors = torch.linalg.eigh(torch.cov(rows.double().T))
    whiten = vectors @ torch.diag(values.rsqrt()) @ vectors.T
    colour = vectors @ torch.diag(values.sqrt()) @ vectors.T
    forth, back = vae.quant_conv, vae.post_quant_conv
    weight, bias = forth.weight[:LATENT_CHANNELS, :, 0, 0].double(), forth.bias[:LATENT_CHANNELS].double()
    forth.weight[:LATENT_CHANNELS, :, 0, 0] = (whiten @ weight).float()
    forth.bias[:LATENT_CHANNELS] = (whiten @ (bias - mean)).float()
    forth.weight[LATENT_CHANNELS:] = 0
    forth.bias[LATENT_CHANNELS:] = _SILENT
    weight = back.weight[..., 0, 0].double()
    back.bias += (weight @ mean).float()
    back.weight[..., 0, 0] = (weight @ colour).float()


@torch.no_grad()
def _quality(vae: Any, run: Run, world: World) -> dict[str, float]:
    """Peak signal-to-noise ratio of the round trip, in dB, on scenes and doodles that were not trained on."""
    return {
        f"psnr_{name}": sum(values) / len(values)
        for name, doodles in (("scenes", False), ("doodles", True))
        for values in [
            [
                psnr(round_trip(vae, batch), batch)
                for batch in _check_pictures(run, world, "check", doodles=doodles)
            ]
        ]
    }


@torch.no_grad()
def round_trip(vae: Any, pictures: torch.Tensor) -> torch.Tensor:
    decoded: torch.Tensor = vae.decode(encode(vae, pictures)).sample
    return decoded.clamp(-1, 1)


def psnr(seen: torch.Tensor, wanted: torch.Tensor) -> float:
    """Mean over pictures, in dB, of pictures in [-1, 1]."""
    error = (seen - wanted).square().flatten(1).mean(1)
    return float((10 * torch.log10(4 / error)).mean())


def _check_pictures(run: Run, world: World, purpose: str, *, doodles: bool) -> Iterator[torch.Tensor]:
    for index in range(4):
        generator = run.generator(f"{STAGE} {purpose}", index)
        scenes = world.scenes(seed_of(run.recipe.seed, STAGE, purpose, index), 16, MIXED)
        yield world.doodles(scenes, generator) if doodles else world.render(scenes).pictures
