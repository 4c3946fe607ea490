"""Which models there are, and what is known of each from its configuration files alone: no torch, no worker.

models.toml has one table per model; the first one is the default unless `default` names another. The table of the
built-in model, `emoji`, says neither folder nor hub and may be empty::

    default = "photo"

    [models.photo]
    hub = "someone/a-model"
    revision = "0123456789abcdef0123456789abcdef01234567"
    notice = "Made with …"

    [models.drawings]
    folder = "models/drawings"

    [models.emoji]
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from inference.config import BUILT_IN, Catalogue, ModelEntry
from inference.sizes import GRID, size_table
from inference.types import MAX_GUIDANCE, ModelInfo, Sampler, Size, Vocabulary

SUPPORTED_PIPELINES = frozenset({"StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline"})
"""What a folder's model_index.json may call itself."""

BUILT_IN_ENTRY = ModelEntry(
    folder=str(Path(__file__).resolve().parent / "builtin_model"), steps=20, strength=0.6, guidance=4.0
)
"""The model that this project trains itself and that comes with it; steps and guidance are those it was judged at."""

ONLY_BUILT_IN = Catalogue(models={BUILT_IN: BUILT_IN_ENTRY})
"""The catalogue of somebody who has set up no model of their own."""

_GONE = {"stand-in": f"there is no such model any more; the built-in one is called {BUILT_IN}"}
"""Built-in models of former versions, which old files may still list."""

_USUAL_NATIVE = 512

FETCHED = ".fetched.json"
"""The file in which a fetched folder says where it came from."""

VOCABULARY = "vocabulary.json"
"""The file in which a model's folder may say what the model was taught, and what cards shall call it::

    {"title": "…", "groups": {"animals": ["cat", "sea lion"]}, "words": ["kitten", "red", "on the beach"]}
"""

_PLACES = frozenset({"folder", "hub"})
"""The settings of which every model but the built-in one needs one."""

_LARGEST_VOCABULARY = 1 << 18
_LONGEST_NAME = 80

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_SAMPLED = 1 << 20
_LONGEST_HEADER = 100_000_000
"""The bound that safetensors itself sets."""


log = logging.getLogger("inference.catalogue")


class CatalogueError(ValueError):
    """models.toml is wrong. `mistakes` has a sentence for each thing to mend."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a fetched folder came from: what was asked for, and the commit that it was then."""

    hub: str
    revision: str
    commit: str


class _VocabularyFile(msgspec.Struct, frozen=True, kw_only=True):
    groups: dict[str, tuple[str, ...]]
    words: tuple[str, ...] = ()
    title: str = ""


def read_catalogue(path: Path) -> Catalogue:
    """The models that the file lists. Folders in it are relative to it. Raises CatalogueError, OSError."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogueError([f"{path} is not a TOML file: {error}."]) from error
    return catalogue_of(content, path)


def catalogue_of(content: Mapping[str, Any], path: Path) -> Catalogue:
    """The models of a file that has been parsed. Raises CatalogueError."""
    mistakes: list[str] = []
    models = _read_models(content, path.parent, mistakes.append)
    default = content.get("default", next(iter(models), ""))
    if content.keys() - {"default", "models"}:
        unknown = ", ".join(sorted(content.keys() - {"default", "models"}))
        mistakes.append(f"{path} may have `default` and [models.NAME] tables at its top, not: {unknown}.")
    if not models:
        mistakes.append(f"{path} lists no model: add a table [models.NAME] with a folder or a hub id.")
    elif default not in list(models):
        mistakes.append(f"default is {default!r}, but there is no table [models.{default}].")
    if mistakes:
        raise CatalogueError(mistakes)
    return Catalogue(models={default: models[default], **models})


def folder_of(name: str, entry: ModelEntry, models_dir: Path) -> Path:
    """Where the model's files are, or will be once it has been fetched."""
    return Path(entry.folder) if entry.folder else models_dir / name


def is_here(name: str, entry: ModelEntry, models_dir: Path) -> bool:
    """Whether the folder is there and, for a hub model, is what the catalogue asks for now."""
    folder = folder_of(name, entry, models_dir)
    if not (folder / "model_index.json").is_file():
        return False
    if not entry.hub:
        return True
    origin = read_origin(folder)
    return origin is not None and (origin.hub, origin.revision) == (entry.hub, entry.revision)


def read_origin(folder: Path) -> Origin | None:
    """Where a fetched folder came from; None for any other folder."""
    try:
        return msgspec.json.decode((folder / FETCHED).read_bytes(), type=Origin)
    except (OSError, msgspec.DecodeError):
        return None


def problem_of(name: str, entry: ModelEntry, models_dir: Path) -> str:
    """What a look at the folder says against loading it: a sentence, or nothing."""
    folder = folder_of(name, entry, models_dir)
    if not folder.is_dir():
        return f"The model {name} is not on this machine: there is no folder {folder}."
    family = _read_json(folder / "model_index.json").get("_class_name")
    if family is None:
        return f"The model {name} is incomplete: {folder / 'model_index.json'} is missing or damaged."
    if family not in SUPPORTED_PIPELINES:
        return f"The model {name} is a {family}; only Stable Diffusion 1.x and 2.x can be opened."
    return ""


def model_infos(catalogue: Catalogue, models_dir: Path) -> tuple[ModelInfo, ...]:
    """What people and the bot need to know of every model, the default one first.

    Never fails: of a folder that is missing or damaged only the catalogue's own words are known. Reads a few MiB per
    model, some ten milliseconds.
    """
    return tuple(_info(name, entry, models_dir) for name, entry in catalogue.models.items())


def _info(name: str, entry: ModelEntry, models_dir: Path) -> ModelInfo:
    here = is_here(name, entry, models_dir)
    folder = folder_of(name, entry, models_dir)
    native = Size(entry.native, entry.native) if entry.native else _native(folder)
    title, vocabulary = read_vocabulary(folder) if here else ("", None)
    samplers = tuple(Sampler(sampler) for sampler in entry.samplers) or tuple(Sampler)
    return ModelInfo(
        name=name,
        title=entry.title or title or name,
        notice=entry.notice,
        sizes=size_table(native),
        native=native,
        version=_if_readable(version_of, folder) if here else "",
        latents=_if_readable(_latents_of, folder) if here else "",
        steps=entry.steps,
        strength=entry.strength,
        guidance=entry.guidance,
        sampler=Sampler(entry.sampler) if entry.sampler else samplers[0],
        samplers=samplers,
        subtle=entry.subtle,
        strong=entry.strong,
        vocabulary=vocabulary,
    )


def read_vocabulary(folder: Path) -> tuple[str, Vocabulary | None]:
    """The title and the vocabulary that the model's folder gives; nothing where it gives none or a damaged one."""
    try:
        with (folder / VOCABULARY).open("rb") as file:
            content = file.read(_LARGEST_VOCABULARY + 1)
        if len(content) > _LARGEST_VOCABULARY:
            raise ValueError("too large")
        found = msgspec.json.decode(content, type=_VocabularyFile)
    except FileNotFoundError:
        return "", None
    except (OSError, ValueError, RecursionError):
        log.warning("%s cannot be used; the model counts as one without a vocabulary", folder / VOCABULARY)
        return "", None
    groups = tuple((_line(group), _lines(names)) for group, names in found.groups.items())
    vocabulary = Vocabulary(groups=tuple(group for group in groups if all(group)), words=_lines(found.words))
    return _line(found.title), vocabulary if vocabulary.groups or vocabulary.words else None


def _lines(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(filter(None, map(_line, texts)))


def _line(text: str) -> str:
    """One line of visible characters: the folder may come from a stranger, and people read this."""
    visible = "".join(character for character in " ".join(text.split()) if character.isprintable())
    return visible[:_LONGEST_NAME].strip()


def _native(folder: Path) -> Size:
    """The size that the model was trained at: its UNet's, times what its VAE shrinks by."""
    sample = _read_json(folder / "unet" / "config.json").get("sample_size")
    blocks = _read_json(folder / "vae" / "config.json").get("block_out_channels")
    height, width = sample if isinstance(sample, list) and len(sample) == 2 else (sample, sample)
    if not isinstance(width, int) or not isinstance(height, int) or not isinstance(blocks, list):
        return Size(_USUAL_NATIVE, _USUAL_NATIVE)
    factor = 2 ** (len(blocks) - 1)
    return Size(*(max(GRID, round(side * factor / GRID) * GRID) for side in (width, height)))


def _if_readable(fingerprint_of: Callable[[Path], str], folder: Path) -> str:
    try:
        return fingerprint_of(folder)
    except OSError:
        return ""


def version_of(folder: Path) -> str:
    """A fingerprint of everything that a result depends on; quick, because weights are only sampled."""
    fingerprint = hashlib.sha256()
    for path in _parts_of(folder):
        fingerprint.update(path.relative_to(folder).as_posix().encode() + b"\0")
        fingerprint.update(_digest(path))
    return fingerprint.hexdigest()


def _latents_of(folder: Path) -> str:
    """A fingerprint of what gives latents their meaning: the VAE's weights and how its output is scaled."""
    config = _read_json(folder / "vae" / "config.json")
    scaling = {
        key: value
        for key, value in sorted(config.items())
        if key.startswith(("scaling_", "shift_", "latents_"))
    }
    fingerprint = hashlib.sha256(json.dumps(scaling).encode())
    for weights in sorted((folder / "vae").glob("*.safetensors")):
        fingerprint.update(_digest(weights))
    return fingerprint.hexdigest()


def _parts_of(folder: Path) -> list[Path]:
    kinds = (".json", ".txt", ".safetensors")
    files = (*folder.glob("*"), *folder.glob("*/*"))
    return sorted(
        path
        for path in files
        if path.suffix in kinds and not path.relative_to(folder).as_posix().startswith(".")
    )


def _digest(path: Path) -> bytes:
    """Of a weights file: its size, its header and its first and last MiB; of any other file: all of it."""
    size = path.stat().st_size
    digest = hashlib.sha256(size.to_bytes(8, "little"))
    with path.open("rb") as file:
        if path.suffix != ".safetensors":
            digest.update(file.read())
            return digest.digest()
        # Eight bytes say how long the header is; the header says which tensors there are, their shapes and types.
        head = file.read(8)
        header_length = min(int.from_bytes(head, "little"), _LONGEST_HEADER)
        digest.update(head + file.read(header_length) + file.read(_SAMPLED))
        file.seek(max(0, size - _SAMPLED))
        digest.update(file.read(_SAMPLED))
    return digest.digest()


def _read_json(path: Path) -> dict[str, Any]:
    """The file's content; nothing if it cannot be read as a JSON object."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _read_models(
    content: Mapping[str, Any], beside: Path, mistake: Callable[[str], None]
) -> dict[str, ModelEntry]:
    tables = content.get("models", {})
    if not isinstance(tables, dict):
        mistake("models must be made of tables [models.NAME].")
        return {}
    return {name: _read_entry(name, table, beside, mistake) for name, table in tables.items()}


def _read_entry(name: str, table: Any, beside: Path, mistake: Callable[[str], None]) -> ModelEntry:
    where = f"[models.{name}]"
    if not _NAME.fullmatch(name):
        mistake(f"{where}: a name has up to 32 small letters, digits, dots, dashes and underscores.")
    if not isinstance(table, dict):
        mistake(f"models.{name} must be a table {where}.")
        return ModelEntry()
    if name in _GONE and not table.keys() & _PLACES:
        mistake(f"{where}: {_GONE[name]}.")
        return ModelEntry()
    values = _typed_values(where, table, mistake)
    if name == BUILT_IN and not table.keys() & _PLACES:
        values = msgspec.structs.asdict(BUILT_IN_ENTRY) | values
    elif name == BUILT_IN:
        mistake(f"{where}: this name is the built-in model's; a model of your own needs another.")
    for sentence in _wrong_values(values):
        mistake(f"{where}: {sentence}")
    if values.get("folder"):
        values["folder"] = str((beside / Path(values["folder"]).expanduser()).resolve())
    return ModelEntry(**values)


def _typed_values(where: str, table: Mapping[str, Any], mistake: Callable[[str], None]) -> dict[str, Any]:
    """The values that have the type of their field; a mistake for each other one."""
    types = {field.name: field.type for field in msgspec.structs.fields(ModelEntry)}
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in types:
            mistake(f"{where}: there is no setting `{key}`; there are {', '.join(types)}.")
            continue
        try:
            values[key] = msgspec.convert(value, types[key])
        except msgspec.ValidationError as error:
            mistake(f"{where}: {key} is of the wrong kind: {error}.")
    return values


def _wrong_values(values: Mapping[str, Any]) -> list[str]:
    share = "must be above 0 and at most 1"
    samplers = values.get("samplers") or tuple(Sampler)
    wrong = {
        "exactly one of folder and hub must say where the model is": bool(values.get("folder"))
        == bool(values.get("hub")),
        "hub must look like someone/a-model": not _HUB_ID.fullmatch(values.get("hub") or "a/b"),
        f"native must be a multiple of {GRID}, or 0 for what the model's files say": values.get("native", 0)
        < 0
        or values.get("native", 0) % GRID != 0,
        "steps must be at least 1": values.get("steps", 1) < 1,
        f"guidance must be between 0 and {MAX_GUIDANCE:g}": not 0
        <= values.get("guidance", 0)
        <= MAX_GUIDANCE,
        f"sampler must be one of {', '.join(samplers)}": values.get("sampler", "") not in {"", *samplers},
        f"samplers must be a list of {', '.join(Sampler)}": not set(samplers) <= set(Sampler),
    } | {f"{key} {share}": not 0 < values.get(key, 1) <= 1 for key in ("strength", "subtle", "strong")}
    return [f"{sentence}." for sentence, is_wrong in wrong.items() if is_wrong]
