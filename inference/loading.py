"""Opens model folders: which device, which number format, which files, and what is wrong with them.

Local folders only, offline, safetensors only, no code from a model folder. Whatever is wrong with a folder is a
ModelUnavailable with a sentence that names the folder and the file.
"""

from __future__ import annotations

import ctypes
import json
import logging
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.utils import logging as diffusers_logging
from safetensors import SafetensorError, safe_open
from transformers import CLIPTextModel, CLIPTokenizer
from transformers.utils import logging as transformers_logging

from inference.catalogue import SUPPORTED_PIPELINES
from inference.config import Device, EngineConfig, Precision
from inference.errors import ModelUnavailable
from inference.memory import DEVICE_ERROR, is_out_of_memory
from inference.models.stable_diffusion import FAMILY, Parts, StableDiffusion
from inference.samplers import Samplers
from inference.sums import check_sums

log = logging.getLogger(__name__)

_CLASSES: Mapping[str, Any] = {
    "unet": UNet2DConditionModel,
    "vae": AutoencoderKL,
    "text_encoder": CLIPTextModel,
}
_DTYPES = {
    Precision.FLOAT32: torch.float32,
    Precision.FLOAT16: torch.float16,
    Precision.BFLOAT16: torch.bfloat16,
}
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_SPECIAL = ("time_cond_proj_dim", "addition_embed_type", "class_embed_type")
"""A UNet with one of these wants more than noise, time and text."""

_PICKLED = (".bin", ".ckpt", ".pt", ".pth", ".pkl")

MOST_ROWS = 16
FIXED_CPU_ROWS = 8


class Placement(NamedTuple):
    """Where a model computes, and in which number format."""

    device: torch.device
    dtype: torch.dtype


def choose_placement(config: EngineConfig) -> Placement:
    """The configured device and precision, or the best that is there.

    Half precision only on CUDA: bfloat16 where the card computes it itself, else float16 (which `open_model` tries
    out first). MPS and CPU compute half precision slowly or not everywhere, so they get float32.
    """
    device = torch.device(_best_device() if config.device is Device.AUTO else config.device.value)
    if config.precision is not Precision.AUTO:
        return Placement(device, _DTYPES[config.precision])
    if device.type != "cuda":
        return Placement(device, torch.float32)
    native = torch.cuda.is_bf16_supported(including_emulation=False)
    return Placement(device, torch.bfloat16 if native else torch.float16)


def choose_rows(config: EngineConfig, model: StableDiffusion) -> int:
    """Rows per forward pass: as configured, else by device, at least a guided sample's two.

    CPU: as many as fit into a step of the expected length, from the measured time of one pass; more rows cost no more
    each, but everybody's next step comes later. With `fixed_rows` it must not depend on a measurement. CUDA: a row of
    a 512×512 canvas takes about 0.4 GB of activations in half precision (attention and the widest skip connections of
    SD 1.5), and in proportion for other canvases and for float32; four fifths of the free memory are given to rows,
    the rest to the decoder.
    """
    if config.max_rows:
        return max(2, config.max_rows)
    if model.device.type != "cuda":
        most = FIXED_CPU_ROWS if config.fixed_rows else int(config.step_seconds / _row_seconds(model))
        return min(MOST_ROWS, max(2, most))
    free, _total = torch.cuda.mem_get_info(model.device)
    row = 0.4e9 * (model.latent_side / 64) ** 2 * (model.dtype.itemsize / 2)
    return int(min(MOST_ROWS, max(2, 0.8 * free // row)))


def open_model(name: str, folder: Path, placement: Placement) -> StableDiffusion:
    """Load a folder in the diffusers layout. Raises ModelUnavailable, and what a device raises that has no room."""
    check_folder(name, folder)
    keep_quiet()
    with _naming(name, folder):
        model = _open(folder, placement)
        if placement.dtype == torch.float16 and not _computes_finite(model):
            log.warning("float16 gives no finite numbers on this card (%s); loading in float32", folder)
            model = _open(folder, placement._replace(dtype=torch.float32))
    return model


def check_folder(name: str, folder: Path) -> None:
    """What can be said of a folder without loading it. Raises ModelUnavailable."""
    if not folder.is_dir():
        raise ModelUnavailable(f"The model {name} is not on this machine: there is no folder {folder}.")
    check_sums(name, folder)
    pipeline = _read_json(name, folder / "model_index.json").get("_class_name")
    if pipeline not in SUPPORTED_PIPELINES:
        raise ModelUnavailable(
            f"The model {name} is a {pipeline}; only Stable Diffusion 1.x and 2.x can be opened."
        )
    for part in _CLASSES:
        _read_json(name, folder / part / "config.json")
        for weights in _weights(name, folder / part):
            _check_whole(name, weights)
    unet = _read_json(name, folder / "unet" / "config.json")
    if unet.get("in_channels", 4) != 4 or any(unet.get(key) is not None for key in _SPECIAL):
        raise ModelUnavailable(
            f"The model {name} is for inpainting, distilled or for another special use, which is not supported."
        )
    for needed in ("tokenizer", "scheduler/scheduler_config.json"):
        if not (folder / needed).exists():
            raise ModelUnavailable(f"The model {name} is incomplete: {folder / needed} is missing.")


def keep_freed_memory() -> None:
    """For CPU: let the process keep the memory that one forward pass frees for the next one.

    glibc hands blocks above 128 KiB back to the system at once and pays for every page of them again when they are
    next asked for, a tenth to a quarter of a small model's time. Other C libraries have no such knob.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 32 << 20)  # the most it takes
        mallopt(_M_TRIM_THRESHOLD, 1 << 30)


def keep_quiet() -> None:
    """Progress bars and deprecation notes of the libraries are for people at a terminal."""
    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    diffusers_logging.set_verbosity_error()
    transformers_logging.set_verbosity_error()


def _best_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _open(folder: Path, placement: Placement) -> StableDiffusion:
    modules = {part: _open_part(folder / part, cls, placement) for part, cls in _CLASSES.items()}
    tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)
    samplers = Samplers(FAMILY, folder, {**modules, "tokenizer": tokenizer})
    return StableDiffusion(Parts(**modules, tokenizer=tokenizer), samplers)


def _open_part(folder: Path, cls: Any, placement: Placement) -> Any:
    module, info = cls.from_pretrained(
        folder,
        use_safetensors=True,
        local_files_only=True,
        output_loading_info=True,
        variant=_variant(folder),
        torch_dtype=placement.dtype,
    )
    if info["missing_keys"]:
        # Both libraries would fill the gap with random numbers and go on.
        raise ValueError(f"{folder.name} lacks weights: {', '.join(sorted(info['missing_keys'])[:3])}")
    module = module.to(placement.device).eval().requires_grad_(False)
    if placement.device.type == "cuda":
        module = module.to(memory_format=torch.channels_last)
    return module


def _computes_finite(model: StableDiffusion) -> bool:
    """Some cards (GTX 16xx) compute float16 into infinities; one pass through every part shows it."""
    with torch.inference_mode():
        picture = model.vae.decode(_trial_pass(model, rows=1), return_dict=False)[0]
    return bool(torch.isfinite(picture).all())


def _row_seconds(model: StableDiffusion) -> float:
    _trial_pass(model, rows=2)  # the first pass also sets things up
    started = time.perf_counter()
    _trial_pass(model, rows=2)
    return (time.perf_counter() - started) / 2


@torch.inference_mode()
def _trial_pass(model: StableDiffusion, *, rows: int) -> torch.Tensor:
    """The UNet once, over latents of the model's own size."""
    side = model.latent_side
    latents = torch.randn(rows, 4, side, side, generator=torch.Generator().manual_seed(0))
    text = model.encode_text("moon").expand(rows, -1, -1)
    predicted: torch.Tensor = model.unet(
        latents.to(model.device, model.dtype), 500, encoder_hidden_states=text, return_dict=False
    )[0]
    return predicted


def _variant(folder: Path) -> str | None:
    """Some folders hold half-precision weights only, with `.fp16` in the names."""
    names = [path.name for path in folder.glob("*.safetensors")]
    return "fp16" if names and all(".fp16" in name for name in names) else None


def _weights(name: str, folder: Path) -> list[Path]:
    found = sorted(folder.glob("*.safetensors"))
    if not found:
        pickled = [path.name for path in folder.iterdir() if path.suffix in _PICKLED]
        instead = (
            f" There is {pickled[0]}, but such files can run code and are not opened." if pickled else ""
        )
        raise ModelUnavailable(f"The model {name} has no safetensors weights in {folder}.{instead}")
    return found


def _check_whole(name: str, weights: Path) -> None:
    try:
        with safe_open(weights, framework="pt"):
            pass
    except (SafetensorError, OSError) as error:
        raise ModelUnavailable(
            f"The model {name} is damaged: {weights} cannot be read to its end. Fetch it again."
        ) from error


def _read_json(name: str, path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise ModelUnavailable(f"The model {name} is incomplete: {path} is missing.") from error
    except (ValueError, OSError) as error:
        raise ModelUnavailable(f"The model {name} is damaged: {path} cannot be read.") from error
    return content


@contextmanager
def _naming(name: str, folder: Path) -> Iterator[None]:
    """The libraries raise many kinds of error for a folder that is not what it says; all mean the same here."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        log.exception("loading %s failed", folder)
        raise ModelUnavailable(f"The model {name} cannot be loaded from {folder}: {error}") from error
    except RuntimeError as error:
        # torch says so where shapes do not fit. What the device has to say is not the folder's fault.
        if is_out_of_memory(error) or isinstance(error, DEVICE_ERROR):
            raise
        raise ModelUnavailable(f"The model {name} cannot be loaded from {folder}: {error}") from error
