"""A model folder in a few files of bounded size, to carry a training from one machine to another and back.

Checkpoints with the optimiser's state are far too large for that: a training that is taken up from a folder goes on
with a fresh optimiser.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from transformers import CLIPTextModel

from inference.emoji_art import autoencoder, denoiser, text
from inference.emoji_art.training import Run

STATE = "training.json"
"""How far the denoiser of a folder had come."""

_REST = "rest.zip"


def note_step(folder: Path, step: int) -> None:
    (folder / STATE).write_text(json.dumps({"step": step}) + "\n", "utf-8")


def pack(folder: Path, to: Path) -> list[Path]:
    """The weights as they are, one file each, and everything else in one archive."""
    to.mkdir(parents=True, exist_ok=True)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    packed = [to / _REST]
    with zipfile.ZipFile(packed[0], "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            name = path.relative_to(folder)
            if path.suffix == ".safetensors":
                packed.append(to / "--".join(name.parts))
                shutil.copyfile(path, packed[-1])
            else:
                archive.write(path, name.as_posix())
    return packed


def unpack(packed: Path, folder: Path) -> None:
    """What `pack` packed, as the folder it was."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(packed / _REST) as archive:
        archive.extractall(folder)
    for path in packed.glob("*.safetensors"):
        target = folder.joinpath(*path.name.split("--"))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def take_up(run: Run, folder: Path) -> None:
    """Make the run stand where the folder stood, unless it is further already. The latents are made again."""
    if run.load(denoiser.STAGE) is not None:
        return
    step = json.loads((folder / STATE).read_text("utf-8"))["step"]
    vae: Any = AutoencoderKL.from_pretrained(folder / "vae", local_files_only=True)
    unet: Any = UNet2DConditionModel.from_pretrained(folder / "unet", local_files_only=True)
    encoder: Any = CLIPTextModel.from_pretrained(folder / "text_encoder", local_files_only=True)
    shutil.copytree(folder / "tokenizer", run.folder / text.TOKENIZER, dirs_exist_ok=True)
    run.save(f"{autoencoder.STAGE}-finished", vae.state_dict())
    run.save(f"{text.STAGE}-finished", encoder.state_dict())
    denoiser.stand_at(run, step, unet, encoder)
