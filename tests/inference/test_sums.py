"""A damaged model folder is named, with the command that restores it, before anything of it is opened."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from inference.config import BUILT_IN
from inference.errors import ModelUnavailable
from inference.loading import check_folder
from inference.sums import NAME, check_sums, write_sums

SHARD = "unet/diffusion_pytorch_model-00002-of-00002.safetensors"


@pytest.fixture
def copy(builtin_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(builtin_model, tmp_path / "copy"))


def test_the_built_in_model_is_as_it_was_published(builtin_model: Path) -> None:
    """Its list is there, names its weights, and holds."""
    listed = (builtin_model / NAME).read_text("utf-8")

    check_folder(BUILT_IN, builtin_model)
    assert SHARD in listed
    assert "tokenizer/vocab.json" in listed


def test_one_changed_byte_is_named_with_what_restores_it(copy: Path) -> None:
    """The file would still open, and draw something else."""
    shard = copy / SHARD
    content = bytearray(shard.read_bytes())
    content[-1] ^= 1
    shard.write_bytes(content)

    with pytest.raises(ModelUnavailable) as caught:
        check_folder(BUILT_IN, copy)
    assert str(shard) in str(caught.value)
    assert "git checkout -- inference/builtin_model" in str(caught.value)


@pytest.mark.parametrize("file", [SHARD, "vae/config.json"])
def test_a_missing_file_is_named_with_what_restores_it(copy: Path, file: str) -> None:
    """Also one of several shards."""
    (copy / file).unlink()

    with pytest.raises(ModelUnavailable, match=f"{copy / file} is missing. To restore it: `git checkout"):
        check_folder(BUILT_IN, copy)


def test_folders_without_a_list_are_taken_as_they_are(tmp_path: Path) -> None:
    """And one that has been listed holds until something changes."""
    file = tmp_path / "unet" / "config.json"
    file.parent.mkdir()
    file.write_text("{}")
    check_sums("moon", tmp_path)
    write_sums(tmp_path)
    check_sums("moon", tmp_path)
    file.write_text("{ }")

    with pytest.raises(ModelUnavailable, match="put back the files"):
        check_sums("moon", tmp_path)
