"""How the engine is set up: one frozen record, and the catalogue of models it can load."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import msgspec


class Device(StrEnum):
    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


class Precision(StrEnum):
    """Number format of the weights; `auto` takes half precision where the device computes it well."""

    AUTO = "auto"
    FLOAT32 = "float32"
    FLOAT16 = "float16"
    BFLOAT16 = "bfloat16"


class ModelEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of models.toml. Exactly one of `folder` and `hub` says where the weights are.

    folder: a local folder in the diffusers layout. hub: a hub id, fetched once into the models folder at `revision`.
    samplers: those that people may choose, all if there are none here; a model that was distilled for few steps names
    its own. sampler: the one that is used unless another is asked for; the first of `samplers` where it is empty.
    The rest overrides what the model's own files say (see ModelInfo).
    """

    folder: str = ""
    hub: str = ""
    revision: str = "main"
    title: str = ""
    notice: str = ""
    native: int = 0
    steps: int = 30
    strength: float = 0.75
    guidance: float = 7.5
    sampler: str = ""
    samplers: tuple[str, ...] = ()
    subtle: float = 0.35
    strong: float = 0.75


BUILT_IN = "emoji"
"""Name of the model that comes with this package; it is used when no catalogue is given."""


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """Every model by name, the default one first."""

    models: dict[str, ModelEntry]

    @property
    def default(self) -> str:
        return next(iter(self.models))


class EngineConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Read once, at the edge.

    models_dir: where fetched models are kept. max_rows: rows per forward pass, 0 lets the engine choose
    from the device. preview_seconds: at most one preview per sample in that time.
    load_seconds, step_seconds: what a model load and one step may be expected to take; a phase that lasts longer than
    max(deadline_floor_seconds, 10 × that) is taken for dead. heartbeat_seconds: a worker silent that long is frozen.
    backoff_seconds: pauses before the first, second … restart in a row; the last one repeats. grace_seconds: how long
    a worker may take to end by itself, and then again after a termination signal, before it is killed.
    safety: what checks pictures for safety (see `inference.safety.load`): empty for nothing, "skin",
    "diffusers:<folder>", or "<module>:<attribute>" of a plug-in.
    """

    catalogue: Catalogue
    models_dir: Path
    device: Device = Device.AUTO
    precision: Precision = Precision.AUTO
    max_rows: int = 0
    preview_seconds: float = 1.0
    load_seconds: float = 30.0
    step_seconds: float = 6.0
    heartbeat_seconds: float = 15.0
    deadline_floor_seconds: float = 60.0
    grace_seconds: float = 5.0
    backoff_seconds: tuple[float, ...] = (1.0, 5.0, 15.0, 60.0)
    fixed_rows: bool = False
    safety: str = ""

    @property
    def checks(self) -> str:
        """A short name of what `safety` says, for people; empty for nothing."""
        kind, _, _rest = self.safety.partition(":")
        return {"skin": "skin tones", "diffusers": "Stable Diffusion safety checker"}.get(kind, kind)
