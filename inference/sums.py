"""SHA256SUMS of a model folder, as `sha256sum` writes and checks it: a damaged file is named before it is opened.

A changed file of weights would often still open and draw noise. Folders without such a list are taken as they are.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from inference.config import BUILT_IN
from inference.errors import ModelUnavailable

NAME = "SHA256SUMS"
_LISTED = (".json", ".txt", ".safetensors")
_RESTORE = {
    BUILT_IN: "`git checkout -- inference/builtin_model` in a clone, else `pip install --force-reinstall --no-deps` of"
    " the same moonsketch",
}
_ELSEWHERE = "put back the files that the folder was made of"


def write_sums(folder: Path) -> None:
    """List every file that a model is loaded from."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in _LISTED)
    lines = (f"{_hash(path)}  {path.relative_to(folder).as_posix()}\n" for path in files)
    (folder / NAME).write_text("".join(lines), "utf-8")


def check_sums(name: str, folder: Path) -> None:
    """Raises ModelUnavailable for a file that is missing or other than listed, with what restores it."""
    listed = folder / NAME
    if not listed.is_file():
        return
    for line in listed.read_text("utf-8", "replace").splitlines():
        wanted, _, file = line.partition("  ")
        path = folder / file
        if not path.is_file():
            raise _damaged(name, f"{path} is missing")
        if _hash(path) != wanted:
            raise _damaged(name, f"{path} is not what it was when it was published")


def _damaged(name: str, what: str) -> ModelUnavailable:
    how = _RESTORE.get(name, _ELSEWHERE)
    return ModelUnavailable(f"The model {name} is damaged: {what}. To restore it: {how}.")


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
