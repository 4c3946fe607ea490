"""Builds the stand-in: a small model of Stable Diffusion's architecture for machines that have no real one yet.

It needs no download, is always the same and takes seconds, so that the bot can be tried and tested from end to end. It
cannot draw what a prompt says, and every card made with it says so. What it can do is enough to follow the way of
working: it paints soft fields of colour, keeps the more of a sketch the lower the strength is, and gives
another picture for another seed or prompt.

- The VAE is written down, not trained: 8×8 pixels become their mean colour and back.
- The UNet starts random, is trained for a few seconds to take noise off colour fields, and its last layer is then
  solved for by ridge regression from its random features (Rahimi & Recht 2007).
- The text encoder stays random: another prompt is another picture, but no prompt means anything.
"""

from __future__ import annotations

import json
import math
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch.nn.functional import mse_loss, unfold
from transformers import CLIPTextConfig, CLIPTextModel

from inference import byte_tokenizer

NATIVE = 256
"""Pixels on each side that it is made for."""

_SEED = 20_000
_LATENTS = NATIVE // 8
_TEXT_WIDTH = 64

_BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
_SCHEDULE = {
    "_class_name": "DDIMScheduler",
    **_BETAS,
    "clip_sample": False,
    "num_train_timesteps": 1000,
    "prediction_type": "v_prediction",
    "set_alpha_to_one": False,
    "steps_offset": 1,
    "timestep_spacing": "leading",
}
_INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "feature_extractor": [None, None],
    "image_encoder": [None, None],
    "requires_safety_checker": False,
    "safety_checker": [None, None],
    "scheduler": ["diffusers", "DDIMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}


def build(folder: Path) -> None:
    """Write the stand-in into a new folder, in the diffusers layout. The folder is there whole or not at all.

    Takes some ten seconds of one core. Raises FileExistsError.
    """
    if folder.exists():
        raise FileExistsError(f"{folder} is already there")
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write(unfinished)
        unfinished.chmod(0o755)  # mkdtemp makes it for one user only
        unfinished.replace(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _write(folder: Path) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        text_encoder = _text_encoder()
        unet = _unet(text_encoder)
    for name, module in (("text_encoder", text_encoder), ("unet", unet), ("vae", _vae())):
        module.save_pretrained(folder / name)
    byte_tokenizer.write(folder / "tokenizer")
    (folder / "scheduler").mkdir()
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(_SCHEDULE, indent=2), "utf-8")
    (folder / "model_index.json").write_text(json.dumps(_INDEX, indent=2), "utf-8")


# The VAE, written down.

_SCALING = 0.18215
_SPREAD = 1.5
"""Scaled latents of full white; pictures then spread by about one, as the noise schedule expects."""

_ANCHOR = 16.0
"""Constant beside each colour in its group norm. It is so large that the norm's statistics are its own, which makes the
norm a fixed factor; and since silu(x) - silu(-x) is x, a colour that is kept with both signs passes unchanged."""

_COLOURS = torch.tensor([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0], [1 / 3, 1 / 3, 1 / 3]])
"""What the four latent channels hold: red, green, blue, and lightness once more."""

_SOFT = torch.outer(torch.tensor([1.0, 2, 1]), torch.tensor([1.0, 2, 1])) / 16
"""Smooths what the decoder has enlarged, so that colours flow into each other."""


@torch.no_grad()
def _vae() -> Any:
    vae = _built(
        AutoencoderKL,
        block_out_channels=(16,) * 4,
        layers_per_block=1,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=NATIVE,
        scaling_factor=_SCALING,
    )
    for parameter in vae.parameters():
        parameter.zero_()  # a residual block of zeros hands on what it gets
    to_latents = _SPREAD / _SCALING
    _write_fan_out(vae.encoder.conv_in, _COLOURS)
    for block in vae.encoder.down_blocks[:-1]:
        block.downsamplers[0].conv.weight[:, :, :2, :2] = torch.eye(16)[..., None, None] / 4
    _write_fan_in(vae.encoder, to_latents * torch.eye(4))
    vae.encoder.conv_out.bias[
        4:
    ] = -30.0  # log of the variance: each picture has one latent, not a cloud of them
    vae.quant_conv.weight[..., 0, 0] = torch.eye(8)
    vae.post_quant_conv.weight[..., 0, 0] = torch.eye(4)
    _write_fan_out(vae.decoder.conv_in, torch.eye(4) / to_latents)
    for block in vae.decoder.up_blocks[:-1]:
        block.upsamplers[0].conv.weight[:] = torch.eye(16)[..., None, None] * _SOFT
    _write_fan_in(vae.decoder, torch.eye(3, 4))
    return vae


def _write_fan_out(conv: Any, values: torch.Tensor) -> None:
    """Each of four values, (4, channels in), becomes a group of four channels: itself, its negative, two anchors."""
    for group, value in enumerate(values):
        conv.weight[4 * group, :, 1, 1] = value
        conv.weight[4 * group + 1, :, 1, 1] = -value
        conv.bias[4 * group + 2] = _ANCHOR
        conv.bias[4 * group + 3] = -_ANCHOR


def _write_fan_in(end: Any, mixing: torch.Tensor) -> None:
    """The groups become values again, mixed by (channels out, 4)."""
    end.conv_norm_out.weight.fill_(_ANCHOR / math.sqrt(2))
    for group in range(4):
        end.conv_out.weight[: len(mixing), 4 * group, 1, 1] = mixing[:, group]
        end.conv_out.weight[: len(mixing), 4 * group + 1, 1, 1] = -mixing[:, group]


# Text encoder and UNet: random, then taught to take noise off colour fields.

_TEXT_WEIGHT = 8.0
"""How much louder prompts are than in a fresh random UNet, where guidance would hardly show them."""


class _Examples(NamedTuple):
    """Noised pictures, (count, 4, 32, 32), with what the UNet is to say of them: the velocity."""

    noised: torch.Tensor
    timesteps: torch.Tensor
    text: torch.Tensor
    velocity: torch.Tensor


def _text_encoder() -> Any:
    vocabulary = byte_tokenizer.VOCABULARY
    config = CLIPTextConfig(
        vocab_size=len(vocabulary),
        hidden_size=_TEXT_WIDTH,
        intermediate_size=2 * _TEXT_WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=byte_tokenizer.CONTEXT,
        bos_token_id=vocabulary[byte_tokenizer.START],
        eos_token_id=vocabulary[byte_tokenizer.END],
        pad_token_id=vocabulary[byte_tokenizer.END],
    )
    return _built(CLIPTextModel, config=config)


def _unet(text_encoder: Any) -> Any:
    unet = _built(
        UNet2DConditionModel,
        sample_size=_LATENTS,
        block_out_channels=(32, 64, 96),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        cross_attention_dim=_TEXT_WIDTH,
        attention_head_dim=4,
        norm_num_groups=8,
    )
    _lay_open(unet)
    alphas = DDIMScheduler(**_BETAS).alphas_cumprod

    def examples(count: int) -> _Examples:
        return _noised(_pictures(count), alphas, text_encoder)

    _solve_last_layer(unet, (examples(8) for _ in range(6)))
    _train(unet, examples, steps=60)
    _solve_last_layer(unet, (examples(8) for _ in range(12)))
    return unet


@torch.no_grad()
def _lay_open(unet: Any) -> None:
    """Begin near the identity: quiet residual blocks, and a way for the input past all of them to the last layer."""
    for name, parameter in unet.named_parameters():
        if name.endswith("conv2.weight"):
            parameter.mul_(0.1)
        elif name.endswith("attn2.to_out.0.weight"):
            parameter.mul_(_TEXT_WEIGHT)
    both_signs = torch.cat([torch.eye(4), -torch.eye(4)])
    unet.conv_in.weight[:8] = 0
    unet.conv_in.weight[:8, :, 1, 1] = both_signs
    last = unet.up_blocks[-1].resnets[-1].conv_shortcut
    last.weight[:8] = 0
    last.weight[:8, -32:-24, 0, 0] = torch.eye(8)  # of the two halves it joins, the second comes from conv_in


@torch.no_grad()
def _solve_last_layer(unet: Any, examples: Iterable[_Examples]) -> None:
    """Ridge regression from the features before the last convolution to the velocity, in float64."""
    features: list[torch.Tensor] = []
    hook = unet.conv_out.register_forward_pre_hook(lambda _module, inputs: features.append(inputs[0]))
    inputs = unet.conv_out.weight[0].numel() + 1
    square = torch.zeros(inputs, inputs, dtype=torch.float64)
    product = torch.zeros(inputs, 4, dtype=torch.float64)
    for example in examples:
        unet(example.noised, example.timesteps, encoder_hidden_states=example.text)
        patches = _rows(unfold(features.pop(), 3, padding=1))
        known = torch.cat([patches, torch.ones_like(patches[:, :1])], dim=1)
        square += known.T @ known
        product += known.T @ _rows(example.velocity.flatten(2))
    hook.remove()
    ridge = 1e-4 * square.diagonal().mean() * torch.eye(inputs)
    weights = torch.linalg.solve(square + ridge, product).float()
    unet.conv_out.weight.copy_(weights[:-1].T.reshape(unet.conv_out.weight.shape))
    unet.conv_out.bias.copy_(weights[-1])


def _train(unet: Any, examples: Callable[[int], _Examples], *, steps: int) -> None:
    rate = 1e-3
    optimiser = torch.optim.Adam(unet.parameters(), lr=rate)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = rate * (1 - step / steps)
        example = examples(4)
        said = unet(example.noised, example.timesteps, encoder_hidden_states=example.text)[0]
        optimiser.zero_grad()
        mse_loss(said, example.velocity).backward()
        optimiser.step()


@torch.no_grad()
def _noised(clean: torch.Tensor, alphas: torch.Tensor, text_encoder: Any) -> _Examples:
    count = len(clean)
    timesteps = torch.randint(0, len(alphas), (count,))
    signal = alphas[timesteps].sqrt().view(-1, 1, 1, 1)
    spread = (1 - alphas[timesteps]).sqrt().view(-1, 1, 1, 1)
    noise = torch.randn_like(clean)
    tokens = torch.randint(2, len(byte_tokenizer.VOCABULARY), (count, byte_tokenizer.CONTEXT))
    lengths = torch.randint(1, byte_tokenizer.CONTEXT, (count, 1))
    tokens[torch.arange(byte_tokenizer.CONTEXT) >= lengths] = byte_tokenizer.VOCABULARY[byte_tokenizer.END]
    tokens[:, 0] = byte_tokenizer.VOCABULARY[byte_tokenizer.START]
    text = text_encoder(tokens)[0]
    return _Examples(signal * clean + spread * noise, timesteps, text, signal * noise - spread * clean)


def _pictures(count: int) -> torch.Tensor:
    """Latents of made-up pictures: a sky of two colours with discs and boxes before it."""
    down, across = torch.meshgrid(*[torch.linspace(0, 1, _LATENTS)] * 2, indexing="ij")
    picture = torch.lerp(_colours(count), _colours(count), down)
    for _ in range(4):
        x, y = torch.rand(2, count, 1, 1)
        width, height = 0.08 + 0.25 * torch.rand(2, count, 1, 1)
        disc = ((across - x) / width) ** 2 + ((down - y) / height) ** 2 < 1
        box = ((across - x).abs() < width) & ((down - y).abs() < height)
        shape = torch.where(torch.rand(count, 1, 1) < 0.6, disc, box)
        picture = torch.where(shape[:, None], _colours(count), picture)
    return _SPREAD * torch.einsum("lc,nchw->nlhw", _COLOURS, picture)


def _colours(count: int) -> torch.Tensor:
    return torch.rand(count, 3, 1, 1) * 2 - 1


def _rows(planes: torch.Tensor) -> torch.Tensor:
    """(count, channels, places) to (count × places, channels), in float64."""
    return planes.transpose(1, 2).flatten(0, 1).double()


def _built(cls: Any, **settings: Any) -> Any:
    return cls(**settings).eval()


if __name__ == "__main__":
    build(Path(sys.argv[1]))
