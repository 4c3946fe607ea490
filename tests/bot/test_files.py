"""Content-addressed files: the same bytes once, whole or not at all."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import sys
from pathlib import Path

import pytest

from bot.store import FileMissing, Files
from inference import PictureRef


def stored(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


async def test_bytes_come_back_under_their_hash(tmp_path: Path) -> None:
    """The reference is the SHA-256 of the bytes, and the file lies in the folder of its first two letters."""
    files = Files(tmp_path / "pictures")

    ref = await files.put(b"a moon")

    assert ref == hashlib.sha256(b"a moon").hexdigest()
    assert await files.get(ref) == b"a moon"
    assert stored(tmp_path) == [tmp_path / "pictures" / ref[:2] / ref]


async def test_the_same_bytes_are_stored_once(tmp_path: Path) -> None:
    """Also when many put them at the same time; other bytes get a file of their own."""
    files = Files(tmp_path)

    refs = await asyncio.gather(*(files.put(b"a moon") for _ in range(8)), files.put(b"a star"))

    assert len(set(refs[:8])) == 1
    assert refs[8] != refs[0]
    assert len(stored(tmp_path)) == 2


async def test_bytes_that_are_there_are_not_written_again(tmp_path: Path) -> None:
    """Sending the same sketch a hundred times costs nothing."""
    files = Files(tmp_path)
    ref = await files.put(b"a moon")
    before = stored(tmp_path)[0].stat()

    await files.put(b"a moon")

    after = stored(tmp_path)[0].stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert ref == stored(tmp_path)[0].name


async def test_no_bytes_at_all_are_bytes_too(tmp_path: Path) -> None:
    """An empty file is not a missing one."""
    files = Files(tmp_path)

    ref = await files.put(b"")

    assert await files.get(ref) == b""


async def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    """Deleted by hand, or never there: an error of its own kind that holds the reference."""
    files = Files(tmp_path)
    ref = await files.put(b"a moon")
    stored(tmp_path)[0].unlink()

    for missing in (ref, PictureRef("0" * 64)):
        with pytest.raises(FileMissing, match=missing):
            await files.get(missing)


async def test_a_leftover_of_a_crash_is_not_taken_for_the_file(tmp_path: Path) -> None:
    """Half a file beside its place, as a kill in the middle of a write leaves it, is nobody's bytes."""
    files = Files(tmp_path)
    ref = PictureRef(hashlib.sha256(b"a moon").hexdigest())
    (tmp_path / ref[:2]).mkdir()
    (tmp_path / ref[:2] / ".part-abc").write_bytes(b"a mo")

    with pytest.raises(FileMissing):
        await files.get(ref)
    assert await files.put(b"a moon") == ref
    assert await files.get(ref) == b"a moon"


@pytest.mark.skipif(sys.platform == "win32", reason="has no limit on the size of a process's files")
async def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    """A write that fails half-way raises, and neither the file nor a part of it is there."""
    import resource
    import signal

    files = Files(tmp_path)
    await files.put(b"a moon")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match="too large") as caught:
            await files.put(bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)

    assert caught.value.errno == errno.EFBIG
    assert len(stored(tmp_path)) == 1
