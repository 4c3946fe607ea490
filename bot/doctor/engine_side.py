"""The models, the device and the memory. The engine's own command line is asked, in a process that may load torch."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

import bot
from bot.doctor.findings import Finding, gigabytes, mend, note, ok
from bot.doctor.running import Holder, Running
from bot.engine_setup import engine_config
from bot.settings import Settings, SettingsWrong
from inference import EngineState, EngineStatus

ANSWER_SECONDS = 180.0
"""Loading torch from a slow disk for the first time takes minutes."""

_OWN_MODELS = "See “Your own models” in the README."

T = TypeVar("T")


class Model(msgspec.Struct, frozen=True):
    """As `python -m inference models --json` prints it. source: folder, hub or built in."""

    name: str
    source: str
    here: bool
    problem: str
    weights_bytes: int


class Memory(msgspec.Struct, frozen=True):
    """As `python -m inference devices` prints it; 0 bytes: not known. kind: cpu, cuda or mps."""

    kind: str
    name: str
    total_bytes: int
    free_bytes: int


class Devices(msgspec.Struct, frozen=True):
    """chosen, precision: what a worker with these settings would take."""

    torch: str
    cuda_build: str
    devices: tuple[Memory, ...]
    chosen: str
    precision: str


class CannotTell(Exception):
    """The engine's command line failed; str() is what it said."""


async def look_at_engine(settings: Settings, running: Running) -> Sequence[Finding]:
    return [about_safety(settings.safety), *await _look_at_models(settings, running)]


def about_safety(safety: str) -> Finding:
    """What can be said of MOONSKETCH_SAFETY without loading it; whether it loads, the engine says when it starts."""
    kind, _, rest = safety.partition(":")
    if not safety:
        return note("safety", "Nothing looks at pictures for safety.", f"To switch that on: {_SAFETY_GUIDE}")
    if safety == "skin":
        sentence = "Skin colours alone are looked for, which is good for trying it out and for little else."
        return note("safety", sentence, f"For something better: {_SAFETY_GUIDE}")
    if kind == "diffusers":
        return _about_checker_folder(Path(rest))
    if not kind or not rest:
        return mend("safety", f"MOONSKETCH_SAFETY is {safety!r}, which names no check.", _SAFETY_GUIDE)
    if not _can_be_found(kind):
        advice = f"Install it beside the bot, or correct MOONSKETCH_SAFETY. {_SAFETY_GUIDE}"
        return mend("safety", f"The plug-in that MOONSKETCH_SAFETY names cannot be found: {kind}.", advice)
    return ok("safety", f"The plug-in {safety} looks at every picture.")


_SAFETY_GUIDE = "See docs/safety.md."


def _about_checker_folder(folder: Path) -> Finding:
    weights = folder / "safety_checker" if (folder / "safety_checker").is_dir() else folder
    if not (weights / "config.json").is_file() or not any(weights.glob("*.safetensors")):
        sentence = f"There is no Stable Diffusion safety checker with safetensors weights in {folder}."
        return mend("safety", f"{sentence} Until there is, nothing is drawn.", _SAFETY_GUIDE)
    return ok("safety", f"The Stable Diffusion safety checker in {weights} looks at every picture.")


def _can_be_found(module: str) -> bool:
    """Only its package: to look further, Python would have to run it."""
    try:
        return importlib.util.find_spec(module.partition(".")[0]) is not None
    except ValueError:
        return False


async def _look_at_models(settings: Settings, running: Running) -> Sequence[Finding]:
    try:
        engine_config(settings)
    except SettingsWrong as error:
        wrong = mend("models", f"{settings.catalogue} is wrong.", str(error))
        return [wrong, *await _look_at_device(settings, running, ())]
    try:
        models = await _models(settings)
    except CannotTell as error:
        return [mend("models", f"The engine cannot list its models. {error}", "Install Moonsketch anew.")]
    findings = [about_model(model, is_default=model is models[0]) for model in models]
    return [*findings, *await _look_at_device(settings, running, models)]


async def _look_at_device(settings: Settings, running: Running, models: Sequence[Model]) -> Sequence[Finding]:
    if running.holder is Holder.BOT and running.status is not None:
        # A second process on the device could take the memory that the worker needs.
        return [about_worker(running.status.engine)]
    try:
        devices = await _ask(
            Devices, "devices", "--device", settings.device, "--precision", settings.precision
        )
    except CannotTell as error:
        return [mend("device", f"torch cannot be used. {error}", "Install Moonsketch anew.")]
    return [*about_device(devices), *about_memory(devices, models)]


async def _models(settings: Settings) -> tuple[Model, ...]:
    places = ["--models-dir", str(settings.models)]
    if settings.catalogue.exists():
        places += ["--catalogue", str(settings.catalogue)]
    else:
        places += ["--no-catalogue"]
    return await _ask(tuple[Model, ...], "models", "--json", *places)


def about_model(model: Model, *, is_default: bool) -> Finding:
    which = f"{model.name} (the default)" if is_default else model.name
    if model.source == "built in" and not model.problem:
        sentence = f"{which} is built in: emoji art of the things that /help lists."
        return note("models", sentence, _OWN_MODELS) if is_default else ok("models", sentence)
    if model.source == "hub" and not model.here:
        advice = f"To have it before: python -m inference fetch {model.name}"
        return note("models", f"{which} is not here yet; it is fetched at the next start.", advice)
    if model.problem:
        advice = "Install Moonsketch anew." if model.source == "built in" else _OWN_MODELS
        return mend("models", f"{which} cannot be used. {model.problem}", advice)
    return ok("models", f"{which} is here, {gigabytes(model.weights_bytes)} of weights.")


def about_worker(engine: EngineStatus) -> Finding:
    match engine.state:
        case EngineState.READY | EngineState.BUSY:
            return ok(
                "device", f"The running bot's engine is {engine.state}, worker process {engine.worker_pid}."
            )
        case EngineState.SETUP_FAILED:
            return mend("device", f"The running bot's engine could not be set up. {engine.detail}", _LOOK)
        case EngineState.UNHEALTHY:
            return mend("device", f"The running bot's engine is not well. {engine.detail}", _LOOK)
        case _:
            return note("device", f"The running bot's engine is {engine.state}. {engine.detail}".strip())


_LOOK = "Mend that, or stop the bot and use doctor once more: then it looks at the device itself."


def about_device(devices: Devices) -> list[Finding]:
    found = [device for device in devices.devices if device.kind == devices.chosen]
    if not found:
        there = ", ".join(device.kind for device in devices.devices)
        sentence = f"MOONSKETCH_DEVICE is {devices.chosen}, and torch {devices.torch} finds only {there}."
        return [mend("device", sentence, _GET_CUDA if devices.chosen == "cuda" else "Set it to auto.")]
    first = found[0]
    findings = [ok("device", f"{first.kind}, {first.name}, {devices.precision}, torch {devices.torch}.")]
    if devices.chosen == "cpu" and _has_nvidia_driver():
        sentence = f"There is an NVIDIA driver, but torch {devices.torch} finds no card."
        findings.append(note("device", sentence, _GET_CUDA if not devices.cuda_build else _GET_DRIVER))
    elif devices.chosen == "cpu":
        findings.append(note("device", "On a CPU a picture of a large model takes minutes."))
    return findings


_GET_CUDA = "Install torch for CUDA: https://pytorch.org/get-started/locally/"
_GET_DRIVER = "Update the driver: it is older than what this torch was built for."


def _has_nvidia_driver() -> bool:
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def about_memory(devices: Devices, models: Sequence[Model]) -> list[Finding]:
    findings = []
    for device in devices.devices:
        if device.total_bytes:
            free = (
                f"{gigabytes(device.free_bytes)} of {gigabytes(device.total_bytes)} are free ({device.kind})."
            )
            findings.append(ok("memory", free))
    on = next((device for device in devices.devices if device.kind == devices.chosen), None)
    default = models[0] if models else None
    if on is not None and default is not None and 0 < on.free_bytes < default.weights_bytes:
        weights = gigabytes(default.weights_bytes)
        sentence = f"{default.name} has {weights} of weights, more than is free on the {on.kind}."
        advice = "End what else uses that memory, or choose a smaller model."
        findings.append(note("memory", sentence, advice))
    return findings


async def _ask(kind: type[T], *arguments: str) -> T:
    """Raises CannotTell."""
    package_root = str(Path(bot.__file__).parents[1])
    known = {name: value for name, value in os.environ.items() if not name.upper().startswith("MOONSKETCH_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "inference",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={
            **known,
            "PYTHONPATH": os.pathsep.join(filter(None, (package_root, known.get("PYTHONPATH", "")))),
        },
    )
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            said, complaints = await process.communicate()
    except TimeoutError:
        raise CannotTell(f"It did not answer in {ANSWER_SECONDS:g} s.") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        return msgspec.json.decode(said, type=kind)
    except msgspec.DecodeError:
        last = complaints.decode(errors="replace").strip().splitlines()[-1:] or ["It said nothing."]
        raise CannotTell(last[0]) from None
