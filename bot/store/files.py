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
        self._unclaimed: set[PictureRef] = set()

    async def sweep(self) -> None:
        """Remove what writes that a crash cut short have left. Only while nobody else writes here."""
        await asyncio.to_thread(self._sweep)

    async def put(self, data: bytes) -> PictureRef:
        """Store the bytes, or find them stored. Until a row claims them they are not to be removed."""
        ref = PictureRef((await asyncio.to_thread(hashlib.sha256, data)).hexdigest())
        self._unclaimed.add(ref)
        await asyncio.to_thread(self._put, ref, data)
        return ref

    def claimed(self, *refs: PictureRef | None) -> None:
        """A row that names these bytes is being written."""
        self._unclaimed.difference_update(ref for ref in refs if ref is not None)

    def is_unclaimed(self, ref: PictureRef) -> bool:
        """Stored lately, and the row that is to name it is still to come."""
        return ref in self._unclaimed

    async def get(self, ref: PictureRef) -> bytes:
        """The bytes of `ref`. Raises FileMissing."""
        return await asyncio.to_thread(self.read, ref)

    async def remove(self, ref: PictureRef) -> None:
        """Bytes that are gone already are gone."""
        await asyncio.to_thread(self._path(ref).unlink, missing_ok=True)

    async def folders(self) -> list[str]:
        """Names of those that hold files."""
        return await asyncio.to_thread(lambda: sorted(path.name for path in self._folder.glob("??")))

    async def older(self, folder: str, before: float) -> list[PictureRef]:
        """What lies in one of them since before that time: seconds since 1970, as the file system counts them."""
        return await asyncio.to_thread(self._older, folder, before)

    def _older(self, folder: str, before: float) -> list[PictureRef]:
        return [
            PictureRef(path.name)
            for path in (self._folder / folder).iterdir()
            if not path.name.startswith(_PART) and path.stat().st_mtime < before
        ]

    def _sweep(self) -> None:
        for part in self._folder.glob(f"*/{_PART}*"):
            part.unlink(missing_ok=True)

    def _path(self, ref: PictureRef) -> Path:
        return self._folder / ref[:2] / ref

    def _put(self, ref: PictureRef, data: bytes) -> None:
        path = self._path(ref)
        if path.exists():
            return
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

    def _make_folder(self, folder: Path) -> None:
        """A file in a new folder lasts only when the folder's own name does."""
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            _sync_folder(self._folder)
            _sync_folder(self._folder.parent)

    def read(self, ref: PictureRef) -> bytes:
        """As `get`, for work that is off the event loop already."""
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
