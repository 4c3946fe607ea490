"""Model folders are opened offline, whole and safely, or refused with a sentence that says what is wrong."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from inference.batching import StepRunner
from inference.config import Device, Precision
from inference.errors import ModelUnavailable
from inference.loading import Placement, check_folder, choose_placement, choose_rows, open_model
from inference.models.stable_diffusion import StableDiffusion
from tests.inference import tiny_models
from tests.inference.driving import as_bytes, config, ignore, play, request

CPU = Placement(torch.device("cpu"), torch.float32)
UNET = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.write_sd2(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(whole, tmp_path / "moon"))


def drawn_with(folder: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    runner = StepRunner(config({"moon": folder}), {"moon": folder}, ignore)
    return as_bytes(play(runner, [request("moon", steps=3)], {}).done[0])


def rename_to_fp16(folder: Path) -> None:
    for weights in folder.glob("*/*.safetensors"):
        weights.rename(weights.with_suffix(".fp16.safetensors"))


def shard(folder: Path) -> None:
    tensors = load_file(folder / UNET)
    names = sorted(tensors)
    files = {"1": names[::2], "2": names[1::2]}
    index = {}
    for number, held in files.items():
        file = f"diffusion_pytorch_model-0000{number}-of-00002.safetensors"
        save_file({name: tensors[name] for name in held}, folder / "unet" / file, {"format": "pt"})
        index.update(dict.fromkeys(held, file))
    content = {"metadata": {"total_size": 1}, "weight_map": index}
    (folder / "unet/diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(content))
    (folder / UNET).unlink()


@pytest.mark.parametrize("change", [rename_to_fp16, shard])
def test_the_hubs_ways_of_storing_weights_are_read(
    whole: Path, folder: Path, change: Callable[[Path], None]
) -> None:
    """Half-precision file names and sharded files give the same pictures as one plain file."""
    change(folder)

    assert np.array_equal(drawn_with(folder), drawn_with(whole))


def remove_folder(folder: Path) -> None:
    shutil.rmtree(folder)


def remove_weights(folder: Path) -> None:
    (folder / UNET).unlink()


def only_pickles(folder: Path) -> None:
    (folder / UNET).rename(folder / "unet/diffusion_pytorch_model.bin")


def truncate(folder: Path) -> None:
    whole_size = (folder / UNET).stat().st_size
    with (folder / UNET).open("r+b") as file:
        file.truncate(whole_size // 2)


def lose_a_tensor(folder: Path) -> None:
    tensors = load_file(folder / UNET)
    del tensors["conv_out.weight"]
    save_file(tensors, folder / UNET, {"format": "pt"})


def lose_a_text_tensor(folder: Path) -> None:
    path = folder / "text_encoder/model.safetensors"
    tensors = load_file(path)
    del tensors[next(name for name in sorted(tensors) if "final_layer_norm" in name)]
    save_file(tensors, path, {"format": "pt"})


def other_shapes(folder: Path) -> None:
    edit(folder / "unet/config.json", cross_attention_dim=48)


def other_family(folder: Path) -> None:
    edit(folder / "model_index.json", _class_name="StableDiffusionXLPipeline")


def inpainting(folder: Path) -> None:
    edit(folder / "unet/config.json", in_channels=9)


def no_tokenizer(folder: Path) -> None:
    shutil.rmtree(folder / "tokenizer")


def no_scheduler(folder: Path) -> None:
    shutil.rmtree(folder / "scheduler")


def spoil_config(folder: Path) -> None:
    (folder / "vae/config.json").write_text("{")


def spoil_schedule(folder: Path) -> None:
    edit(folder / "scheduler/scheduler_config.json", beta_schedule="moonlight")


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    "spoil, words",
    [
        (remove_folder, "not on this machine"),
        (remove_weights, "no safetensors weights"),
        (only_pickles, "can run code and are not opened"),
        (truncate, "damaged"),
        (lose_a_tensor, "conv_out.weight"),
        (lose_a_text_tensor, "lacks weights"),
        (other_shapes, "cannot be loaded"),
        (other_family, "StableDiffusionXLPipeline"),
        (inpainting, "inpainting"),
        (no_tokenizer, "tokenizer is missing"),
        (no_scheduler, "scheduler_config.json is missing"),
        (spoil_config, "damaged"),
        (spoil_schedule, "moonlight"),
    ],
)
def test_a_folder_that_cannot_be_used_is_refused_in_words(
    folder: Path, spoil: Callable[[Path], None], words: str
) -> None:
    """A sentence names the model and what is wrong; nothing is filled with random numbers."""
    spoil(folder)

    with pytest.raises(ModelUnavailable, match="The model moon") as refusal:
        open_model("moon", folder, CPU)

    assert words in str(refusal.value)


def test_the_folder_of_those_refusals_is_fine_in_itself(folder: Path) -> None:
    """Their control: unspoiled, it opens."""
    check_folder("moon", folder)

    assert open_model("moon", folder, CPU).dtype == torch.float32


class Canary:
    """Unpickling it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.path,)


def test_pickles_in_a_folder_are_never_opened(folder: Path, tmp_path: Path) -> None:
    """Files that can run code lie beside the weights in many folders; they stay closed."""
    canary = tmp_path / "canary"
    pickled = pickle.dumps(Canary(canary))
    for part in ("unet", "vae"):
        (folder / part / "diffusion_pytorch_model.bin").write_bytes(pickled)
    (folder / "text_encoder" / "pytorch_model.bin").write_bytes(pickled)
    for name in ("scheduler.pt", "tokenizer/added.pkl"):
        (folder / name).write_bytes(pickled)

    open_model("moon", folder, CPU)

    assert not canary.exists()
    pickle.loads(pickled)
    assert canary.exists(), "the control: opened, it sings"


@pytest.mark.parametrize(
    "precision, dtype", [(Precision.AUTO, torch.float32), (Precision.BFLOAT16, torch.bfloat16)]
)
def test_the_processor_computes_in_float32_unless_told_otherwise(
    whole: Path, precision: Precision, dtype: torch.dtype
) -> None:
    """Half precision is slow on most processors, and exact on none."""
    placement = choose_placement(config({"moon": whole}, precision=precision))

    assert placement == Placement(torch.device("cpu"), dtype)


def test_rows_follow_the_machine_unless_they_are_set(whole: Path) -> None:
    """A slow processor gets few, so that its steps stay short; a guided sample always fits."""
    model = open_model("moon", whole, CPU)

    assert choose_rows(config({"moon": whole}, max_rows=5), model) == 5
    assert choose_rows(config({"moon": whole}, max_rows=1), model) == 2
    assert choose_rows(config({"moon": whole}, step_seconds=1000.0), model) == 16
    assert choose_rows(config({"moon": whole}, step_seconds=1e-9), model) == 2
    assert choose_rows(config({"moon": whole}, fixed_rows=True), model) == 8


def overflowing(folder: Path, dtype: torch.dtype) -> StableDiffusion:
    """Its decoder's numbers run over in half precision."""
    model = open_model("moon", folder, CPU._replace(dtype=dtype))
    vae: Any = model.vae
    with torch.no_grad():
        vae.post_quant_conv.weight.mul_(300.0)
        vae.decoder.conv_in.weight.mul_(300.0)
    return model


def test_an_overflowing_decoder_is_noticed_and_run_again_in_float32(whole: Path) -> None:
    """People get the picture that float32 gives, and the model keeps its half precision."""
    half, full = overflowing(whole, torch.float16), overflowing(whole, torch.float32)
    final = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0)).half()

    again, expected = half.decode(final), full.decode(final.float())

    assert np.abs(again.picture - expected.picture).max() < 0.05
    assert (again.precise, expected.precise) == (True, False)
    assert half.vae.dtype == torch.float16
    with torch.inference_mode():
        raw = half.vae.decode(final / tiny_models.SCALING, return_dict=False)[0]
    assert not torch.isfinite(raw).all(), "the control: float16 alone runs over"


def test_the_device_that_is_asked_for_is_taken(whole: Path) -> None:
    """Only `auto` looks round."""
    asked = config({"moon": whole})

    assert asked.device is Device.CPU
    assert choose_placement(asked).device == torch.device("cpu")
