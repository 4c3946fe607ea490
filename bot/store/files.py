"""Picture and latent files, named by the SHA-256 of their bytes, in two-letter folders.

The same bytes are stored once. A file is complete or absent: it is written beside its place, synced and renamed,
and only then does a row that names it get committed.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

from inference import PictureRef

_PART = ".part-"


class FileMissing(Exception):
    """A row names bytes that are not on disk (deleted by hand, or a restored backup)."""


class Files:
    """Keeper of one folder of content-addressed files. Reading and writing happen off the event loop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def sweep(self) -> None:
        """Remove what writes that a crash cut short have left. Only while nobody else writes here."""
        await asyncio.to_thread(self._sweep)

    async def put(self, data: bytes) -> PictureRef:
        return await asyncio.to_thread(self._put, data)

    async def get(self, ref: PictureRef) -> bytes:
        """The bytes of `ref`. Raises FileMissing."""
        return await asyncio.to_thread(self._get, ref)

    def _sweep(self) -> None:
        for part in self._folder.glob(f"*/{_PART}*"):
            part.unlink(missing_ok=True)

    def _path(self, ref: PictureRef) -> Path:
        return self._folder / ref[:2] / ref

    def _put(self, data: bytes) -> PictureRef:
        ref = PictureRef(hashlib.sha256(data).hexdigest())
        path = self._path(ref)
        if path.exists():
            return ref
        self._make_folder(path.parent)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=_PART)
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
        return ref

    def _make_folder(self, folder: Path) -> None:
        """A file in a new folder lasts only when the folder's own name does."""
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            _sync_folder(self._folder)
            _sync_folder(self._folder.parent)

    def _get(self, ref: PictureRef) -> bytes:
        try:
            return self._path(ref).read_bytes()
        except FileNotFoundError:
            raise FileMissing(ref) from None


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable. Windows cannot open folders; its file system journals renames."""
    with contextlib.suppress(PermissionError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
