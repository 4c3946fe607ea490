"""The short-lived process that fetches one model from the hub into a local folder; nothing else here has a network.

    python -m inference.fetch someone/a-model --revision COMMIT --folder models/photo [--half]

Only what the engine opens is fetched: safetensors weights, JSON, and the tokenizer's text files. It works in
`FOLDER.partial`, goes on from what is there already, and renames it when every file is whole. What happens is said in
lines of JSON on the standard output.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

import msgspec
from filelock import FileLock

from inference.catalogue import FETCHED, Origin

PARTS = frozenset({"unet", "vae", "text_encoder", "tokenizer", "scheduler"})
"""The folders of a model that the engine opens."""

_WEIGHTED = ("text_encoder", "unet", "vae")
_HALF = re.compile(r"(diffusion_pytorch_)?model\.fp16\.safetensors")
_SINGLE = re.compile(r"(diffusion_pytorch_)?model\.safetensors")
_SPLIT = re.compile(r"(diffusion_pytorch_)?model(-\d+-of-\d+\.safetensors|\.safetensors\.index\.json)")
_REPORT_SECONDS = 1.0


class Fetching(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """So many bytes of so many are on this machine."""

    done: int
    total: int


class Fetched(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The folder is complete."""

    commit: str


class FetchFailed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """It cannot be fetched now. `sentence` is fit to show."""

    sentence: str


FetchEvent = Fetching | Fetched | FetchFailed


class CannotFetch(Exception):
    """str() is a sentence fit to show."""


class Listing(msgspec.Struct, frozen=True):
    """A repository at one commit: its files and their sizes in bytes."""

    commit: str
    files: dict[str, int]


class HubClient:
    """The few things asked of huggingface_hub, its errors as sentences. The library is imported when it is needed."""

    def listing(self, hub: str, revision: str) -> Listing:
        """Which commit the revision is now, and its files. Raises CannotFetch."""
        from huggingface_hub import HfApi

        with _sentences(hub, revision):
            info = HfApi().model_info(hub, revision=revision, files_metadata=True)
        return Listing(info.sha or revision, {file.rfilename: file.size or 0 for file in info.siblings or ()})

    def download(self, hub: str, commit: str, files: list[str], folder: Path) -> None:
        """Have these files in the folder; goes on where an earlier call was cut off. Raises CannotFetch."""
        from huggingface_hub import snapshot_download

        with _sentences(hub, commit):
            snapshot_download(hub, revision=commit, local_dir=folder, allow_patterns=files)


def choose_files(files: Mapping[str, int], *, half: bool) -> dict[str, int]:
    """Which files of a repository the engine needs.

    Of each part one set of weights: half-precision ones if `half` says so or there are no others. Whole checkpoints at
    the top, other precisions, pickles and example pictures stay where they are.
    """
    chosen = {name: size for name, size in files.items() if _is_description(PurePosixPath(name))}
    for part in sorted(PARTS):
        inside = [name for name in files if PurePosixPath(name).parent == PurePosixPath(part)]
        chosen |= {name: files[name] for name in _choose_weights(inside, half=half)}
    return chosen


def fetch(
    origin: Origin, folder: Path, hub: HubClient, tell: Callable[[FetchEvent], None], *, half: bool
) -> Fetched:
    """Fill the folder. `origin.commit` is not known yet. Raises CannotFetch, OSError."""
    listing = hub.listing(origin.hub, origin.revision)
    wanted = choose_files(listing.files, half=half)
    _check_layout(wanted, origin.hub)
    partial = folder.with_name(folder.name + ".partial")
    with FileLock(folder.with_name(folder.name + ".lock")), _reporting(partial, sum(wanted.values()), tell):
        hub.download(origin.hub, listing.commit, sorted(wanted), partial)
        _check_sizes(partial, wanted, origin.hub)
        _finish(partial, folder, msgspec.structs.replace(origin, commit=listing.commit))
    return Fetched(commit=listing.commit)


def _is_description(name: PurePosixPath) -> bool:
    if name.parts == ("model_index.json",):
        return True
    inside = len(name.parts) == 2 and name.parts[0] in PARTS
    return inside and name.suffix in (".json", ".txt") and ".index." not in name.name


def _choose_weights(names: list[str], *, half: bool) -> list[str]:
    """One set of weights of one part: one file, or several with their index."""

    def named(pattern: re.Pattern[str]) -> list[str]:
        return [name for name in names if pattern.fullmatch(PurePosixPath(name).name)]

    plain = named(_SINGLE) or named(_SPLIT)
    return (named(_HALF) or plain) if half else (plain or named(_HALF))


def _check_layout(wanted: Mapping[str, int], hub: str) -> None:
    if "model_index.json" not in wanted:
        raise CannotFetch(f"{hub} is not a model in the diffusers layout: it has no model_index.json.")
    for part in _WEIGHTED:
        if not any(name.startswith(f"{part}/") and name.endswith(".safetensors") for name in wanted):
            raise CannotFetch(
                f"{hub} has no safetensors weights in {part}; other kinds of files could run code."
            )


def _check_sizes(folder: Path, wanted: Mapping[str, int], hub: str) -> None:
    for name, size in wanted.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != size:
            raise CannotFetch(f"{name} of {hub} did not arrive whole. I will try again.")


def _finish(partial: Path, folder: Path, origin: Origin) -> None:
    """Put the complete folder in its place, over what was there before."""
    (partial / FETCHED).write_bytes(msgspec.json.encode(origin))
    shutil.rmtree(partial / ".cache", ignore_errors=True)
    outdated = folder.with_name(folder.name + ".outdated")
    if folder.exists():
        shutil.rmtree(outdated, ignore_errors=True)
        folder.rename(outdated)
    partial.rename(folder)
    shutil.rmtree(outdated, ignore_errors=True)


@contextmanager
def _reporting(folder: Path, total: int, tell: Callable[[FetchEvent], None]) -> Iterator[None]:
    """Say every second how much is on the disk: true for each way in which the hub's files come."""
    over = threading.Event()

    def report() -> None:
        while not over.wait(_REPORT_SECONDS):
            tell(Fetching(done=min(total, _bytes_in(folder)), total=total))

    tell(Fetching(done=min(total, _bytes_in(folder)), total=total))
    thread = threading.Thread(target=report, name="fetch progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _bytes_in(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # it was renamed just now
            total += path.stat().st_size if path.is_file() else 0
    return total


@contextmanager
def _sentences(hub: str, revision: str) -> Iterator[None]:
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as error:
        raise CannotFetch(f"{hub} is gated: accept its terms on the hub and set HF_TOKEN.") from error
    except errors.RepositoryNotFoundError as error:
        raise CannotFetch(f"There is no model {hub} on the hub, or it is private: set HF_TOKEN.") from error
    except errors.RevisionNotFoundError as error:
        raise CannotFetch(f"{hub} has no revision {revision}.") from error
    except errors.HfHubHTTPError as error:
        raise CannotFetch(f"The hub refused {hub}: {error}.") from error


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m inference.fetch", description="Fetch a model from the hub."
    )
    parser.add_argument("hub", metavar="SOMEONE/A-MODEL")
    parser.add_argument("--revision", default="main")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--half", action="store_true", help="prefer half-precision weights")
    parser.add_argument(
        "--end-with-input", action="store_true", help="stop when the standard input is closed"
    )
    options = parser.parse_args()
    if options.end_with_input:
        threading.Thread(target=_end_with_input, name="lifeline", daemon=True).start()
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")  # read when the library is imported
    origin = Origin(hub=options.hub, revision=options.revision, commit="")
    try:
        options.folder.parent.mkdir(parents=True, exist_ok=True)
        _tell(fetch(origin, options.folder, HubClient(), _tell, half=options.half))
    except CannotFetch as error:
        _fail(str(error), error)
    except Exception as error:
        _fail(f"{options.hub} could not be fetched: {error}.", error)


def _fail(sentence: str, error: Exception) -> None:
    sys.stderr.write(f"{error.__cause__ or error!r}\n")
    _tell(FetchFailed(sentence=sentence))
    sys.exit(1)


def _tell(event: FetchEvent) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(event) + b"\n")
    sys.stdout.buffer.flush()


def _end_with_input() -> None:
    """The engine holds our standard input open as long as it lives."""
    while os.read(0, 1024):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
