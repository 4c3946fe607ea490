"""Fetching a model: which files, whole or not at all, and shown while it happens. The hub is on this machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inference import Catalogue, EngineConfig, EngineState, ModelEntry, Precision
from inference.catalogue import Origin, read_origin
from inference.config import Device
from inference.fetch import (
    CannotFetch,
    Fetched,
    FetchEvent,
    Fetching,
    HubClient,
    Listing,
    choose_files,
    fetch,
)
from inference.provision import hub_environment, wants_half
from tests.inference.hub import COMMIT, FILES, REPOSITORY, hub
from tests.inference.toys import draw, request, results, toy_engine, until_state, until_status

ORIGIN = Origin(hub=REPOSITORY, revision="main", commit="")

NEEDED = {
    "model_index.json",
    "scheduler/scheduler_config.json",
    "text_encoder/config.json",
    "text_encoder/model.safetensors",
    "tokenizer/merges.txt",
    "tokenizer/vocab.json",
    "unet/config.json",
    "unet/diffusion_pytorch_model.safetensors",
    "vae/config.json",
    "vae/diffusion_pytorch_model.safetensors",
}


class Shelf(HubClient):
    """A hub whose files are at hand; `cut` is a file of which only half arrives."""

    def __init__(self, cut: str = "") -> None:
        self.cut = cut
        self.shelf = dict(FILES)

    def listing(self, hub: str, revision: str) -> Listing:  # noqa: ARG002 - it has one repository
        return Listing(COMMIT, {name: len(data) for name, data in self.shelf.items()})

    def download(self, hub: str, commit: str, files: list[str], folder: Path) -> None:  # noqa: ARG002
        for name in files:
            data = self.shelf[name]
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data[: len(data) // 2] if name == self.cut else data)


def names_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_only_what_the_engine_opens_is_chosen() -> None:
    """No pickle, no whole checkpoint, no second precision, no part that is not used."""
    assert set(choose_files(dict.fromkeys(FILES, 1), half=False)) == NEEDED


def test_half_precision_is_chosen_part_by_part() -> None:
    """Where a part has half-precision weights they come instead of the others."""
    half = choose_files(dict.fromkeys(FILES, 1), half=True)

    assert set(half) ^ NEEDED == {
        "unet/diffusion_pytorch_model.safetensors",
        "unet/diffusion_pytorch_model.fp16.safetensors",
    }


def test_weights_in_several_files_come_with_their_index() -> None:
    """All of them or the one whole file, never both."""
    split = {
        "unet/diffusion_pytorch_model-00001-of-00002.safetensors",
        "unet/diffusion_pytorch_model-00002-of-00002.safetensors",
        "unet/diffusion_pytorch_model.safetensors.index.json",
    }
    whole = "unet/diffusion_pytorch_model.safetensors"

    assert set(choose_files(dict.fromkeys(split, 1), half=True)) == split
    assert set(choose_files(dict.fromkeys((*split, whole), 1), half=False)) == {whole}


def test_the_only_weights_are_taken_whatever_their_precision() -> None:
    """A repository with nothing but half precision can be used for float32 as well."""
    only = {"vae/diffusion_pytorch_model.fp16.safetensors": 1}

    assert choose_files(only, half=False) == only


@pytest.mark.parametrize(
    "precision, device, half",
    [
        (Precision.AUTO, Device.AUTO, True),
        (Precision.BFLOAT16, Device.CUDA, True),
        (Precision.FLOAT32, Device.CUDA, False),
        (Precision.AUTO, Device.CPU, False),
    ],
)
def test_who_wants_half_precision(precision: Precision, device: Device, half: bool) -> None:
    """Half the download, unless float32 is what will be computed in."""
    config = EngineConfig(
        catalogue=Catalogue(models={}), models_dir=Path(), precision=precision, device=device
    )

    assert wants_half(config) is half


def test_a_folder_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    """With a file cut off there is no folder; the next try completes it and says where it came from."""
    folder = tmp_path / "photo"
    with pytest.raises(CannotFetch, match=r"vae/config\.json"):
        fetch(ORIGIN, folder, Shelf(cut="vae/config.json"), lambda _: None, half=False)
    assert not folder.exists()

    assert fetch(ORIGIN, folder, Shelf(), lambda _: None, half=False) == Fetched(commit=COMMIT)
    assert names_in(folder) == NEEDED | {".fetched.json"}
    assert read_origin(folder) == Origin(hub=REPOSITORY, revision="main", commit=COMMIT)


def test_a_newer_fetch_takes_the_place_of_the_older(tmp_path: Path) -> None:
    """Nothing of the older folder stays in between the new files."""
    folder = tmp_path / "photo"
    fetch(ORIGIN, folder, Shelf(), lambda _: None, half=False)
    (folder / "left-over.json").touch()
    fetch(ORIGIN, folder, Shelf(), lambda _: None, half=True)

    assert "left-over.json" not in names_in(folder)
    assert "unet/diffusion_pytorch_model.fp16.safetensors" in names_in(folder)
    assert {path.name for path in tmp_path.iterdir()} == {"photo", "photo.lock"}


def test_progress_counts_what_is_there_already(tmp_path: Path) -> None:
    """A fetch that goes on from a part says so from its first word."""
    told: list[FetchEvent] = []
    partial = tmp_path / "photo.partial"
    (partial / "unet").mkdir(parents=True)
    (partial / "unet" / "config.json").write_bytes(b"x" * 100)
    fetch(ORIGIN, tmp_path / "photo", Shelf(), told.append, half=False)

    assert told[0] == Fetching(done=100, total=sum(len(FILES[name]) for name in NEEDED))


@pytest.mark.parametrize("missing", ["model_index.json", "unet/diffusion_pytorch_model"])
def test_a_repository_of_another_kind_is_refused(tmp_path: Path, missing: str) -> None:
    """Without an index or without safetensors weights of a part nothing is fetched at all."""
    shelf = Shelf()
    shelf.shelf = {name: data for name, data in FILES.items() if not name.startswith(missing)}

    with pytest.raises(CannotFetch, match=missing.split("/")[0]):
        fetch(ORIGIN, tmp_path / "photo", shelf, lambda _: None, half=False)
    assert not list(tmp_path.iterdir())


def test_only_the_fetch_process_sees_the_hubs_token() -> None:
    """It may use the network, the worker may not; neither sees the bot's token."""
    environment = hub_environment(
        {"HF_TOKEN": "hub", "DISCORD_TOKEN": "bot", "https_proxy": "proxy", "PATH": "/bin"}
    )

    assert environment["HF_TOKEN"] == "hub"
    assert environment["https_proxy"] == "proxy"
    assert "HF_HUB_OFFLINE" not in environment
    assert "DISCORD_TOKEN" not in environment


def hub_config(tmp_path: Path, revision: str = "main") -> EngineConfig:
    entry = ModelEntry(hub=REPOSITORY, revision=revision)
    return EngineConfig(
        catalogue=Catalogue(models={"photo": entry}),
        models_dir=tmp_path,
        backoff_seconds=(0.05,),
        precision=Precision.FLOAT32,
    )


async def test_the_engine_fetches_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It shows how far it is, loads the model when it is here, and does not fetch it a second time."""
    with hub() as served:
        served.token = "secret"
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        monkeypatch.setenv("HF_TOKEN", "secret")
        details: list[str] = []
        async with toy_engine(hub_config(tmp_path), ready=False) as engine:
            before = engine.models()[0]
            engine.watch(lambda status: details.append(status.detail))
            await until_state(engine, EngineState.READY)
            after = engine.models()[0]
            events = await draw(engine, request(model="photo"))
        asked = len(served.asked)
        async with toy_engine(hub_config(tmp_path)):
            pass

    assert served.downloads() == NEEDED
    assert len(served.asked) == asked
    assert details[0] == "fetching photo"
    assert "fetching photo: 0 %" in details
    assert (before.version, before.native.width) == ("", 512)
    assert (len(after.version), after.native.width) == (64, 256)
    assert len(results(events)) == 1


async def test_a_fetch_that_fails_is_shown_and_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a file cannot be had the status says so; when it can, only what is missing is fetched."""
    with hub() as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        served.lost = {"unet/config.json"}
        async with toy_engine(hub_config(tmp_path), ready=False) as engine:
            failed = await until_state(engine, EngineState.SETUP_FAILED)
            served.asked.clear()
            served.lost = set()
            await until_state(engine, EngineState.READY)

    assert REPOSITORY in failed.detail
    assert "unet/config.json" in served.downloads()
    assert "unet/diffusion_pytorch_model.safetensors" not in served.downloads()


@pytest.mark.parametrize(
    "config, sentence",
    [({"revision": "missing"}, "no revision missing"), ({}, "gated")],
    ids=["no such revision", "gated"],
)
async def test_the_hubs_refusals_become_sentences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: dict[str, str], sentence: str
) -> None:
    """What to do about it stands in the status."""
    with hub() as served:
        served.token = "" if config else "secret"
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        async with toy_engine(hub_config(tmp_path, **config), ready=False) as engine:
            failed = await until_state(engine, EngineState.SETUP_FAILED)

    assert sentence in failed.detail
    assert "Error" not in failed.detail


async def test_another_revision_in_the_catalogue_is_fetched_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder of an earlier revision is not taken for the one that is asked for now."""
    with hub() as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        async with toy_engine(hub_config(tmp_path)):
            served.asked.clear()
        async with toy_engine(hub_config(tmp_path, revision=COMMIT), ready=False) as engine:
            await until_status(engine, lambda status: status.detail.startswith("fetching"))
            await until_state(engine, EngineState.READY)

    origin = json.loads((tmp_path / "photo" / ".fetched.json").read_text())
    assert origin == {"hub": REPOSITORY, "revision": COMMIT, "commit": COMMIT}
