"""The engine's own command line: `python -m inference models|devices|fetch|bench`. The bot has another."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from inference.catalogue import (
    BUILT_IN_ENTRY,
    ONLY_BUILT_IN,
    CatalogueError,
    Origin,
    folder_of,
    is_here,
    model_infos,
    problem_of,
    read_catalogue,
)
from inference.config import Catalogue, Device, EngineConfig, ModelEntry, Precision
from inference.fetch import CannotFetch, FetchEvent, Fetching, HubClient, fetch

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)

CataloguePath = Annotated[Path, typer.Option("--catalogue", help="The file that lists the models.")]
ModelsDir = Annotated[Path, typer.Option("--models-dir", help="Where fetched models are kept.")]

_CATALOGUE = Path("models.toml")
_MODELS_DIR = Path("models")


@app.command()
def models(
    catalogue: CataloguePath = _CATALOGUE,
    models_dir: ModelsDir = _MODELS_DIR,
    no_catalogue: Annotated[bool, typer.Option("--no-catalogue", help="There is no such file.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List the configured models, the default one first, and what is wrong with them."""
    listed = ONLY_BUILT_IN if no_catalogue else _read(catalogue)
    if as_json:
        found = [_described(name, entry, models_dir) for name, entry in listed.models.items()]
        typer.echo(msgspec.json.encode(found))
        return
    for info in model_infos(listed, models_dir):
        state = f"version {info.version[:12]}" if info.version else "not on this machine"
        typer.echo(f"{info.name}: {info.title}, {info.native}, {state}")
        if problem := problem_of(info.name, listed.models[info.name], models_dir):
            typer.echo(f"  {problem}")


@app.command()
def devices(
    device: Annotated[Device, typer.Option(help="As in the settings.")] = Device.AUTO,
    precision: Annotated[Precision, typer.Option(help="As in the settings.")] = Precision.AUTO,
) -> None:
    """Print as JSON what torch finds to compute on, and what a worker with these settings would choose."""
    # A worker needs diffusers and transformers as well, which the second import loads.
    import torch

    from inference.loading import choose_placement

    found = [{"kind": "cpu", "name": _cpu_name(), **_cpu_memory()}]
    if torch.cuda.is_available():
        found += [_cuda_card(torch, index) for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        total = torch.mps.recommended_max_memory()
        used = torch.mps.driver_allocated_memory()
        found.append({"kind": "mps", "name": "Apple", "total_bytes": total, "free_bytes": total - used})
    chosen, dtype = _placement(choose_placement, device, precision)
    said = {
        "torch": str(torch.__version__),
        "cuda_build": torch.version.cuda or "",
        "devices": found,
        "chosen": chosen,
        "precision": dtype,
    }
    typer.echo(msgspec.json.encode(said))


@app.command("fetch")
def fetch_model(
    name: str,
    catalogue: CataloguePath = _CATALOGUE,
    models_dir: ModelsDir = _MODELS_DIR,
    half: Annotated[bool, typer.Option(help="Prefer half-precision weights.")] = True,
) -> None:
    """Fetch a model of the catalogue from the hub, so that the first start need not wait for it."""
    entry = _read(catalogue).models.get(name)
    if entry is None or not entry.hub:
        raise typer.BadParameter(f"{catalogue} has no model {name} with a hub id.")
    models_dir.mkdir(parents=True, exist_ok=True)
    origin = Origin(hub=entry.hub, revision=entry.revision, commit="")
    try:
        fetched = fetch(origin, folder_of(name, entry, models_dir), HubClient(), _show, half=half)
    except CannotFetch as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{name} is here, at commit {fetched.commit}.")


@app.command()
def bench(
    model: Annotated[str, typer.Argument(help="Default: the first of the catalogue.")] = "",
    catalogue: CataloguePath = _CATALOGUE,
    models_dir: ModelsDir = _MODELS_DIR,
    jobs: Annotated[int, typer.Option(help="Pictures in each repeat.")] = 40,
    repeats: int = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything that was measured.")] = False,
) -> None:
    """Measure the engine on this machine, side by side with the plain pipeline."""
    listed = _read(catalogue)
    name = model or listed.default
    if name not in listed.models:
        raise typer.BadParameter(f"There is no model called {name}.")
    entry = listed.models[name]
    if problem := problem_of(name, entry, models_dir):
        typer.echo(problem, err=True)
        raise typer.Exit(1)
    from inference.bench import run_bench  # loads torch

    config = EngineConfig(catalogue=listed, models_dir=models_dir)
    result = run_bench(folder_of(name, entry, models_dir), config, jobs=jobs, repeats=repeats)
    typer.echo(result.as_json() if as_json else result.as_text())


def _read(catalogue: Path) -> Catalogue:
    if catalogue == _CATALOGUE and not catalogue.exists():
        return ONLY_BUILT_IN
    try:
        return read_catalogue(catalogue)
    except (CatalogueError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


def _described(name: str, entry: ModelEntry, models_dir: Path) -> dict[str, Any]:
    folder = folder_of(name, entry, models_dir)
    return {
        "name": name,
        "source": "built in" if entry.folder == BUILT_IN_ENTRY.folder else "hub" if entry.hub else "folder",
        "here": is_here(name, entry, models_dir),
        "problem": problem_of(name, entry, models_dir),
        "weights_bytes": sum(file.stat().st_size for file in folder.glob("*/*.safetensors")),
    }


def _placement(choose: Any, device: Device, precision: Precision) -> tuple[str, str]:
    """Kind of device and number format; of a device that is not there only what was asked for is known."""
    config = EngineConfig(catalogue=ONLY_BUILT_IN, models_dir=_MODELS_DIR, device=device, precision=precision)
    try:
        placement = choose(config)
    except (AssertionError, RuntimeError):  # torch without CUDA, or without a card, was asked about one
        return device, precision
    return placement.device.type, str(placement.dtype).removeprefix("torch.")


def _cuda_card(torch: Any, index: int) -> dict[str, Any]:
    free, total = torch.cuda.mem_get_info(index)
    name = torch.cuda.get_device_name(index)
    return {"kind": "cuda", "name": name, "total_bytes": total, "free_bytes": free}


def _cpu_name() -> str:
    return f"{os.cpu_count()} cores, {platform.machine()}"


def _cpu_memory() -> dict[str, int]:
    """In bytes, 0 where the system does not tell. Linux knows what could be had, others only what is there."""
    try:
        found = dict(re.findall(r"(\w+):\s+(\d+) kB", Path("/proc/meminfo").read_text("utf-8")))
        return {"total_bytes": int(found["MemTotal"]) * 1024, "free_bytes": int(found["MemAvailable"]) * 1024}
    except (OSError, KeyError):
        pages = getattr(os, "sysconf", lambda _: 0)
        total = pages("SC_PHYS_PAGES") * pages("SC_PAGE_SIZE")
        return {"total_bytes": total, "free_bytes": total}


def _show(event: FetchEvent) -> None:
    if isinstance(event, Fetching):
        typer.echo(f"{event.done / 1e6:.0f} of {event.total / 1e6:.0f} MB")


if __name__ == "__main__":
    app(prog_name="python -m inference")
