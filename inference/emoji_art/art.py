"""The drawings that the model learns from: fetched as pinned packages, rendered alike, packed into one file.

    fetch(folder)                        # six tarballs from an npm registry, 24 MB, each checked by its hash
    make_sprites(folder, out_path)       # one zip of 256-px drawings, which is all that training needs
    load_sprites(out_path, concepts)     # the drawings as one tensor

The tarballs have the names that `npm pack` gives them, so a folder that was filled that way will do as well. They are
read in place and never unpacked. `inference/emoji_art/licences` tells whose the drawings are.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
import tarfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import Any

import torch
from PIL import Image, UnidentifiedImageError

from inference.emoji_art.colours import colour_word
from inference.emoji_art.concepts import Concept, read_concepts

SIDE = 256
"""The side of every sprite, in pixels."""

MARGIN = 0.04
"""What stays free on the sides that an object touches, as a share of the side."""

SETS = ("3d", "flat", "cartoon")
"""The sets that train. Each name is also the word for its style."""

JUDGES_SETS = (*SETS, "blob", "fox")
"""What the judges learn from besides: drawings by other hands, so that they know things and not three ways to draw
them. The model is not trained on them."""

NEVER_SEEN = "twemoji"
"""The set by which the result is judged. Its pictures are neither trained on nor shipped."""

PUBLIC_REGISTRY = "https://registry.npmjs.org"

_METADATA = "sprites.json"
_QUALITY = 80
_RENDER_SIDE = 512
_FAINT = 16
"""An alpha up to this is the edge of a shadow and not part of the object."""
_LARGEST_FILE = 64 * 2**20
_TIMEOUT_SECONDS = 60
_VARIATION = re.compile(r"-fe0[ef]\b")

_OWN_NAMES = {
    "cat-face": "cat",
    "dog-face": "dog",
    "pizza": "sliceofpizza",
    "globe-showing-europe-africa": "europeafricaglobe",
    "star": "whitemediumstar",
    "sun": "sunrays",
    "house": "housebuilding",
    "umbrella-on-ground": "beachumbrella",
}
"""How the set "fox" calls core concepts that the others call otherwise."""

_Draw = Callable[[], Image.Image]


class ArtError(Exception):
    """The art cannot be had or read. str() is a sentence fit to show."""


@dataclass(frozen=True)
class Package:
    """One pinned package: which set of art it holds, and the registry's own hash of it (sha512, base64).

    licence: of the drawings, by its SPDX name. names: the set that names its icons by code, where this one does not.
    """

    set: str
    name: str
    version: str
    integrity: str
    licence: str
    names: str | None = None

    @property
    def file(self) -> str:
        """The name that `npm pack` gives the tarball."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}.tgz"

    @property
    def path(self) -> str:
        """Where a registry keeps the tarball."""
        return f"{self.name}/-/{self.name.rpartition('/')[2]}-{self.version}.tgz"


PACKAGES = (
    Package(
        set="3d",
        name="@lobehub/fluent-emoji-3d",
        version="1.1.0",
        integrity="sha512-Wlq2lVStTnr8BDpIJ0pEnTKO4LuDxxqTEhTvRtD1DLRF0me7ogeRQjKoehDHXuVJ2Qaecgl5wRBv60lUAG3h7g==",
        licence="MIT",
    ),
    Package(
        set="flat",
        name="@iconify-json/fluent-emoji-flat",
        version="1.2.6",
        integrity="sha512-RY47RgPb47fYUiyrA64sIOL0+UU02s29sXpNBbIQRBUlPlfNFTKUmZDERGuxDs/7yNGWqQYvuaSYM1M4fRXlUw==",
        licence="MIT",
    ),
    Package(
        set="cartoon",
        name="@iconify-json/noto",
        version="1.2.9",
        integrity="sha512-DQiuXENbun41ch+XPSV55H9FaWKpHTyz46YIKtSaKYD4fIDDzL1tR6H4np/T38jfrTAeI3rcKF0mqHYeZVAuaw==",
        licence="Apache-2.0",
    ),
    Package(
        set="blob",
        name="@iconify-json/noto-v1",
        version="1.2.5",
        integrity="sha512-/DsVMius69Q0fRS53z7QK1TROSuar606jiIx+laXtdsYGMXpf6LtHBx6CGfoo3UHHb/XpBsw+1L1x3eyPqMuVA==",
        licence="Apache-2.0",
        names="cartoon",
    ),
    Package(
        set="fox",
        name="@iconify-json/fxemoji",
        version="1.2.2",
        integrity="sha512-UAasRaxzFUKfIGSmLwnoarsssA4LX0VLLuEmplIqM6ZNQqIQRtav8tZ4H1neTlBreXuMQyAifr5jP4kn78DpiQ==",
        licence="Apache-2.0",
        names="cartoon",
    ),
    Package(
        set=NEVER_SEEN,
        name="@twemoji/svg",
        version="15.0.0",
        integrity="sha512-ZSPef2B6nBaYnfgdTbAy4jgW95o7pi2xPGwGCU+WMTxo7J6B1lMPTWwSq/wTuiMq+N0khQ90CcvYp1wFoQpo/w==",
        licence="CC-BY-4.0",  # the MIT that the package declares is its packager's
    ),
)


@dataclass(frozen=True, eq=False)
class Sprites:
    """Every concept as each set draws it, cropped to what is visible and centred.

    pixels: uint8 (concepts, sets, 4, 256, 256): red, green, blue and alpha, the colours not multiplied by the alpha.
    Where the alpha is 0 the colours mean nothing, so multiply before anything is scaled or blurred.
    there: bool (concepts, sets). Where it is false, all pixels are transparent.
    colours: per concept and set the colour word that is true of it, or None if no one word is.
    """

    pixels: torch.Tensor
    there: torch.Tensor
    colours: tuple[tuple[str | None, ...], ...]
    concepts: tuple[Concept, ...]
    sets: tuple[str, ...]


def fetch(
    folder: Path,
    registry: str | None = None,
    *,
    packages: Sequence[Package] = PACKAGES,
    tell: Callable[[str], None] = lambda _: None,
) -> None:
    """Have every package's tarball in the folder. What is there and right is kept, so a second call goes on.

    registry: the address of an npm registry; by default what npm's own variable NPM_CONFIG_REGISTRY says, or else the
    public one. tell: is given a sentence before each download. Raises ArtError, OSError.
    """
    base = (registry or os.environ.get("NPM_CONFIG_REGISTRY") or PUBLIC_REGISTRY).rstrip("/")
    folder.mkdir(parents=True, exist_ok=True)
    for package in packages:
        path = folder / package.file
        if path.exists() and _integrity(path.read_bytes()) == package.integrity:
            continue
        tell(f"Fetching {package.name} {package.version}.")
        content = _download(f"{base}/{package.path}", package)
        if _integrity(content) != package.integrity:
            raise ArtError(
                f"What {base} sent for {package.name} {package.version} is not the pinned package: "
                "its sha512 is another. It was not kept."
            )
        _replace(path, content)


def make_sprites(
    folder: Path,
    out_path: Path,
    *,
    codes: Collection[str] | None = None,
    packages: Sequence[Package] = PACKAGES,
) -> dict[str, int]:
    """Render the drawings of the packages in `folder` and pack them into one zip. The same input gives the same bytes.

    codes: what to take, by default every concept. Returns how many sprites each set gave. Raises ArtError, OSError.
    """
    wanted = {concept.code for concept in read_concepts()} if codes is None else set(codes)
    counts = {}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        _add(archive, _METADATA, _describe(packages))
        for package in packages:
            drawings = _drawings(folder, package, packages)
            found = sorted(wanted & drawings.keys())
            for code in found:
                _add(archive, _member(package.set, code), _to_webp(fit(drawings[code]())))
            counts[package.set] = len(found)
    out_path.parent.mkdir(parents=True, exist_ok=True)
    _replace(out_path, packed.getvalue())
    return counts


def load_sprites(path: Path, concepts: Sequence[Concept], sets: Sequence[str] = SETS) -> Sprites:
    """Read the sprites of these concepts from the file that make_sprites wrote. Raises ArtError, OSError."""
    pixels = torch.zeros((len(concepts), len(sets), 4, SIDE, SIDE), dtype=torch.uint8)
    there = torch.zeros((len(concepts), len(sets)), dtype=torch.bool)
    try:
        with zipfile.ZipFile(path) as archive:
            held = set(archive.namelist())
            for row, concept in enumerate(concepts):
                for column, name in enumerate(_member(each, concept.code) for each in sets):
                    if name in held:
                        pixels[row, column] = _from_webp(archive.read(name))
                        there[row, column] = True
    except (zipfile.BadZipFile, UnidentifiedImageError) as error:
        raise ArtError(f"{path} is not a whole file of sprites: make it again.") from error
    return make_set(pixels, there, concepts, sets)


def make_set(
    pixels: torch.Tensor, there: torch.Tensor, concepts: Sequence[Concept], sets: Sequence[str]
) -> Sprites:
    """Sprites of these pixels (as Sprites says), their colours measured."""
    colours = tuple(tuple(colour_word(sprite) for sprite in row) for row in pixels)
    return Sprites(pixels, there, colours, tuple(concepts), tuple(sets))


def fit(drawing: Image.Image) -> Image.Image:
    """The drawing (RGBA, any size) cropped to what is visible, its longer side filling SIDE but for the margins."""
    box = drawing.getchannel("A").point([255 * (alpha > _FAINT) for alpha in range(256)]).getbbox()
    if box is None:
        raise ArtError("A drawing is empty.")
    # In this mode the colours are multiplied by the alpha, so what is invisible does not bleed into the edges. The
    # filter has no negative lobes, so nothing rings beside them.
    seen = drawing.convert("RGBa").crop(box)
    scale = SIDE * (1 - 2 * MARGIN) / max(seen.size)
    width, height = (max(1, round(length * scale)) for length in seen.size)
    scaled = seen.resize((width, height), Image.Resampling.HAMMING).convert("RGBA")
    sprite = Image.new("RGBA", (SIDE, SIDE))
    sprite.paste(scaled, ((SIDE - width) // 2, (SIDE - height) // 2))
    return sprite


# -- tarballs ---------------------------------------------------------------------------------------------------------


def _integrity(content: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()


def _download(address: str, package: Package) -> bytes:
    wanted = f"{package.name} {package.version}"
    if not address.startswith(("https://", "http://")):
        raise ArtError(f"{address} is not the address of a registry.")
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT_SECONDS) as response:
            content: bytes = response.read(_LARGEST_FILE)
    except urllib.error.HTTPError as error:
        error.close()
        raise ArtError(f"The registry answered {error.code} when asked for {wanted} ({address}).") from error
    except (OSError, HTTPException) as error:
        raise ArtError(
            f"{wanted} could not be fetched from {address}: {error}. "
            f"`npm pack {package.name}@{package.version}` gives the same file where npm has a network."
        ) from error
    return content


def _opened(folder: Path, package: Package) -> dict[str, bytes]:
    """The package's files by name. Raises ArtError if the tarball is missing or not the pinned one."""
    path = folder / package.file
    if not path.exists():
        raise ArtError(f"{path} is missing: fetch the art first.")
    tarball = path.read_bytes()
    if _integrity(tarball) != package.integrity:
        raise ArtError(f"{path} is not the pinned package: fetch the art again.")
    return dict(_files(tarball))


def _drawings(folder: Path, package: Package, packages: Sequence[Package]) -> dict[str, _Draw]:
    """By code, what draws it. Raises ArtError."""
    files = _opened(folder, package)
    if "icons.json" in files:
        icons = json.loads(files["icons.json"])
        if package.names is None:
            return _icons(icons, json.loads(files["chars.json"]))
        namer = next(each for each in packages if each.set == package.names)
        names = json.loads(_opened(folder, namer)["chars.json"])
        return _icons(icons, {code: _as_called(name, icons) for code, name in names.items()})
    drawings: dict[str, _Draw] = {}
    for name in sorted(files):
        stem, _, kind = name.rpartition("/")[2].rpartition(".")
        if kind == "svg":
            drawings.setdefault(_code(stem), partial(_draw_svg, files[name].decode()))
        elif kind == "webp":
            drawings.setdefault(_code(stem), partial(_open, files[name]))
    return drawings


def _files(tarball: bytes) -> Iterator[tuple[str, bytes]]:
    """The plain files of a package, named from its top folder. They stay in memory, so no name can lead astray."""
    with tarfile.open(fileobj=io.BytesIO(tarball), mode="r:gz") as archive:
        for member in archive:
            name = member.name.partition("/")[2]
            if not name.endswith((".json", ".svg", ".webp")) or member.size > _LARGEST_FILE:
                continue
            opened = archive.extractfile(member) if member.isreg() else None
            if opened is not None:
                yield name, opened.read()


def _icons(icons: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, _Draw]:
    """A set in Iconify's form: the insides of SVGs by name, and the names by code.

    An alias that is the mirror image of its icon is left out.
    """
    drawings: dict[str, _Draw] = {}
    for written, name in sorted(names.items()):
        alias = icons.get("aliases", {}).get(name, {"parent": name})
        icon = icons["icons"].get(alias["parent"])
        if icon is None or alias.keys() != {"parent"}:
            continue
        width, height = (icon.get(length, icons.get(length, 16)) for length in ("width", "height"))
        box = f"{icon.get('left', 0)} {icon.get('top', 0)} {width} {height}"
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">{icon["body"]}</svg>'
        drawings.setdefault(_code(written), partial(_draw_svg, svg))
    return drawings


def _as_called(name: str, icons: Mapping[str, Any]) -> str:
    """What a set without codes calls that icon: the same name, the same without hyphens, or one of its own."""
    choice = (name, _OWN_NAMES.get(name, ""), name.replace("-", ""))
    return next((each for each in choice if each in icons["icons"] or each in icons.get("aliases", {})), name)


def _code(written: str) -> str:
    """Code points in lower-case hex, joined by '-', without the marks that only ask for a coloured picture."""
    return _VARIATION.sub("", written.lower())


def _draw_svg(svg: str) -> Image.Image:
    try:
        import resvg_py
    except ImportError as error:
        raise ArtError("Drawing SVGs takes resvg-py: pip install resvg-py.") from error
    try:
        png = resvg_py.svg_to_bytes(
            svg_string=svg, width=_RENDER_SIDE, height=_RENDER_SIDE, skip_system_fonts=True
        )
    except ValueError as error:
        raise ArtError(f"A drawing is not an SVG: {error}.") from error
    return _open(bytes(png))


def _open(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("RGBA")


# -- the file of sprites ----------------------------------------------------------------------------------------------


def _describe(packages: Sequence[Package]) -> bytes:
    return json.dumps(
        {"side": SIDE, "packages": [asdict(package) for package in packages]}, indent=1
    ).encode()


def _member(set_name: str, code: str) -> str:
    return f"{set_name}/{code}.webp"


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Not compressed again, and with nothing of the day or the machine in it."""
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system = 3
    archive.writestr(entry, content)


def _to_webp(sprite: Image.Image) -> bytes:
    out = io.BytesIO()
    sprite.save(out, "WEBP", quality=_QUALITY)
    return out.getvalue()


def _from_webp(content: bytes) -> torch.Tensor:
    """uint8 (4, SIDE, SIDE)."""
    image = _open(content)
    if image.size != (SIDE, SIDE):
        raise ArtError("A sprite has another size than is wanted here: make the sprites again.")
    flat = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    return flat.reshape(SIDE, SIDE, 4).permute(2, 0, 1)


def _replace(path: Path, content: bytes) -> None:
    """Whole or not at all."""
    incomplete = path.with_name(path.name + ".partial")
    incomplete.write_bytes(content)
    incomplete.replace(path)
