"""Small random models of the real architecture, saved in the diffusers folder layout.

Random weights of the libraries' own initialisation would make grey pictures that hardly depend on prompt or seed, and
then no comparison could fail. So the last layers are scaled until outputs spread as those of a trained model do.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from inference import byte_tokenizer

CANVAS = 64
"""Pixels on each side; 8×8 latents."""

SCALING = 0.18215
_WIDTH = 32


def write_sd1(folder: Path, *, seed: int = 0, context: int = byte_tokenizer.CONTEXT) -> Path:
    """Like Stable Diffusion 1.x: predicts the noise; its scheduler file is as bare as the oldest ones are."""
    return _write(folder, seed, {"prediction_type": "epsilon"}, context)


def write_sd2(folder: Path, *, seed: int = 1) -> Path:
    """Like Stable Diffusion 2.x at 768: predicts the velocity."""
    corrected = {"clip_sample": False, "steps_offset": 1, "set_alpha_to_one": False}
    return _write(folder, seed, {"prediction_type": "v_prediction", **corrected}, byte_tokenizer.CONTEXT)


def _write(folder: Path, seed: int, schedule: dict[str, Any], context: int) -> Path:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        _unet().save_pretrained(folder / "unet")
        _vae().save_pretrained(folder / "vae")
        _text_encoder(context).save_pretrained(folder / "text_encoder")
    byte_tokenizer.write(folder / "tokenizer", context=context)
    (folder / "scheduler").mkdir()
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps({**_BETAS, **schedule}))
    (folder / "model_index.json").write_text(json.dumps(_INDEX))
    return folder


_BETAS = {
    "_class_name": "DDIMScheduler",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
}
_INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "feature_extractor": [None, None],
    "requires_safety_checker": False,
    "safety_checker": [None, None],
    "scheduler": ["diffusers", "DDIMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}


@torch.no_grad()
def _unet() -> Any:
    unet = _built(
        UNet2DConditionModel,
        sample_size=CANVAS // 8,
        block_out_channels=(32, 64),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=_WIDTH,
        attention_head_dim=4,
        norm_num_groups=8,
    )
    for name, parameter in unet.named_parameters():
        if "attn2.to_out" in name and name.endswith("weight"):
            parameter.mul_(20.0)  # else prompts hardly differ
    latents, text = torch.randn(2, 4, 8, 8), torch.randn(2, 77, _WIDTH)
    spread = unet(latents, 500, encoder_hidden_states=text, return_dict=False)[0].std()
    unet.conv_out.weight.div_(spread)
    return unet


@torch.no_grad()
def _vae() -> Any:
    vae = _built(
        AutoencoderKL,
        block_out_channels=(8, 16, 16, 16),
        layers_per_block=1,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=4,
        scaling_factor=SCALING,
    )
    picture = torch.rand(1, 3, CANVAS, CANVAS) * 2 - 1
    encoded = vae.encode(picture).latent_dist.mode()
    vae.quant_conv.weight[:4].div_(encoded.std() * SCALING)
    decoded = vae.decode(torch.randn(1, 4, 8, 8) / SCALING, return_dict=False)[0]
    vae.decoder.conv_out.weight.mul_(0.4 / decoded.std())
    return vae


def _text_encoder(context: int) -> Any:
    config = CLIPTextConfig(
        vocab_size=len(byte_tokenizer.VOCABULARY),
        hidden_size=_WIDTH,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=context,
        bos_token_id=byte_tokenizer.VOCABULARY[byte_tokenizer.START],
        eos_token_id=byte_tokenizer.VOCABULARY[byte_tokenizer.END],
        pad_token_id=byte_tokenizer.VOCABULARY[byte_tokenizer.END],
    )
    return _built(CLIPTextModel, config=config)


def _built(cls: Any, **settings: Any) -> Any:
    return cls(**settings).eval()
