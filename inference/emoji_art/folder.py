"""The finished model as a folder that every diffusers pipeline opens: half precision, files of at most 15 MB."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch

from inference.emoji_art.recipe import BETAS, TIMESTEPS

_SHARD = "15MB"

_SCHEDULE = {
    "_class_name": "DDIMScheduler",
    **BETAS,
    "clip_sample": False,
    "num_train_timesteps": TIMESTEPS,
    "prediction_type": "v_prediction",
    "set_alpha_to_one": False,
    "steps_offset": 1,
    "timestep_spacing": "trailing",
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


def write(folder: Path, *, vae: Any, unet: Any, text_encoder: Any, tokenizer: Path) -> None:
    """Replaces what the folder held of a model; other files in it stay."""
    for name, module in (("vae", vae), ("unet", unet), ("text_encoder", text_encoder)):
        shutil.rmtree(folder / name, ignore_errors=True)
        _halved(module).save_pretrained(folder / name, max_shard_size=_SHARD)
    _load_in_single_precision(folder / "text_encoder" / "config.json")
    shutil.copytree(tokenizer, folder / "tokenizer", dirs_exist_ok=True)
    (folder / "scheduler").mkdir(exist_ok=True)
    _write_json(folder / "scheduler" / "scheduler_config.json", _SCHEDULE)
    _write_json(folder / "model_index.json", _INDEX)


def _halved(module: Any) -> Any:
    copy = type(module)(module.config) if hasattr(module.config, "to_dict") else type(module)(**module.config)
    copy.load_state_dict(module.state_dict())
    return copy.to(torch.float16)


def _load_in_single_precision(config: Path) -> None:
    """transformers takes the precision from here and diffusers float32 where nothing is said: they have to agree."""
    content = json.loads(config.read_text("utf-8"))
    _write_json(
        config, {key: value for key, value in content.items() if key != "torch_dtype"} | {"dtype": "float32"}
    )


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
