"""Gets a model's folder onto this machine before the worker opens it."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from inference.catalogue import folder_of, is_here, problem_of
from inference.child import Child, bare_environment
from inference.config import Device, EngineConfig, ModelEntry, Precision
from inference.engine import Park
from inference.errors import ModelUnavailable
from inference.fetch import FetchEvent, FetchFailed, Fetching

_HUB_VARIABLES = (
    "HF_",
    "HUGGING_FACE_",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_",
    "REQUESTS_CA_",
)

log = logging.getLogger("inference.fetch")

Tell = Callable[[str], None]


async def provide(config: EngineConfig, name: str, tell: Tell, park: Park) -> None:
    """Have the model's folder here; quick when it is. `tell` gets a sentence on how far it is.

    Raises ModelUnavailable, also for a local folder that is missing: nobody else can bring that.
    """
    entry = config.catalogue.models[name]
    folder = folder_of(name, entry, config.models_dir)
    if entry.hub and not is_here(name, entry, config.models_dir):
        tell(f"fetching {name}")
        await _fetch(name, entry, folder, config, tell, park)
    if problem := problem_of(name, entry, config.models_dir):
        raise ModelUnavailable(problem)


def hub_environment(ours: Mapping[str, str]) -> dict[str, str]:
    """What the fetch process gets to see: unlike the worker it may use the network and the hub's token."""
    allowed = {name: value for name, value in ours.items() if name.upper().startswith(_HUB_VARIABLES)}
    bare = bare_environment(ours)
    for closed in ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_IMPLICIT_TOKEN"):
        del bare[closed]
    return bare | allowed


async def _fetch(
    name: str, entry: ModelEntry, folder: Path, config: EngineConfig, tell: Tell, park: Park
) -> None:
    failures: list[str] = []

    def on_event(event: FetchEvent) -> None:
        if isinstance(event, Fetching):
            tell(f"fetching {name}: {100 * event.done // max(1, event.total)} %")
        elif isinstance(event, FetchFailed):
            failures.append(event.sentence)

    arguments = ["-m", "inference.fetch", entry.hub, "--revision", entry.revision, "--folder", str(folder)]
    arguments.append("--end-with-input")
    if wants_half(config):
        arguments.append("--half")
    child = await Child.start(arguments, hub_environment(os.environ), _EventLines(on_event).feed, log)
    status = await _until_ended(child, config.grace_seconds, park, "the fetch of a model")
    if status != 0:
        raise ModelUnavailable(failures[0] if failures else f"Fetching the model {name} stopped half-way.")


def wants_half(config: EngineConfig) -> bool:
    """Half-precision weights are half as much to fetch, and enough for all but computing in float32 on purpose."""
    return config.precision is not Precision.FLOAT32 and config.device is not Device.CPU


async def _until_ended(child: Child, grace: float, park: Park, reason: str) -> int:
    async def ended() -> int:
        return await asyncio.shield(child.ended)

    try:
        return await park(ended(), reason)
    finally:
        await park(child.stop(grace), reason)


class _EventLines:
    """Cuts the fetch process's output into lines and those into events."""

    def __init__(self, on_event: Callable[[FetchEvent], None]) -> None:
        self._on_event = on_event
        self._rest = b""

    def feed(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            try:
                event = msgspec.json.decode(line, type=FetchEvent)
            except msgspec.DecodeError:
                log.info("%s", line[:200])  # a library printed something
                continue
            self._on_event(event)
