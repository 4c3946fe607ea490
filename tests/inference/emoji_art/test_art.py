"""The art: fetched as pinned or not at all, rendered alike, packed, read back. The registry is on this machine."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from inference.emoji_art.art import (
    JUDGES_SETS,
    NEVER_SEEN,
    PACKAGES,
    SETS,
    SIDE,
    ArtError,
    Package,
    fetch,
    fit,
    load_sprites,
    make_sprites,
)
from inference.emoji_art.concepts import Concept
from tests.inference.emoji_art.toys import to_pixels, toy_drawing

BALL = Concept("ball", "26bd", "activities")
BOX = Concept("box", "1f4e6", "objects")
TREE = Concept("tree", "1f333", "animals and nature")

DISC = '<circle cx="16" cy="16" r="10" fill="#e52525"/>'
SQUARE = '<rect x="4" y="8" width="16" height="16" fill="#1976d2"/>'


def svg(body: str) -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">{body}</svg>'.encode()


def webp(name: str) -> bytes:
    out = io.BytesIO()
    toy_drawing(name).save(out, "WEBP", lossless=True)
    return out.getvalue()


def tarball(files: Mapping[str, bytes], *, links: Mapping[str, str] | None = None) -> bytes:
    """A package: everything under `package/`, as npm packs it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        for name, target in (links or {}).items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.type = tarfile.SYMTYPE
            entry.linkname = target
            archive.addfile(entry)
    return out.getvalue()


def pinned(set_name: str, content: bytes, name: str = "@toys/art") -> Package:
    digest = base64.b64encode(hashlib.sha512(content).digest()).decode()
    return Package(set=set_name, name=name, version="1.0.0", integrity=f"sha512-{digest}", licence="MIT")


ICONS = {
    "width": 32,
    "height": 32,
    "icons": {"ball": {"body": DISC}, "crate": {"body": SQUARE}},
    "aliases": {"box": {"parent": "crate"}, "xob": {"parent": "crate", "hFlip": True}},
}
CHARS = {"26bd": "ball", "1f4e6": "box", "1f333": "xob"}

TARBALLS = {
    "3d": tarball(
        {"assets/26bd-fe0f.webp": webp("ball"), "assets/1f4e6.webp": webp("box"), "README.md": b"!"}
    ),
    "flat": tarball({"icons.json": json.dumps(ICONS).encode(), "chars.json": json.dumps(CHARS).encode()}),
    NEVER_SEEN: tarball({"26BD.svg": svg(DISC), "1f333.svg": svg(SQUARE)}),
}
TOYS = tuple(pinned(set_name, content, f"@toys/{set_name}") for set_name, content in TARBALLS.items())


class Registry(ThreadingHTTPServer):
    """asked: the path of every request. files: what is there, by path."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.files = dict(files)
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/npm/"


class _Answer(BaseHTTPRequestHandler):
    server: Registry

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        content = self.server.files.get(self.path)
        self.send_response(HTTPStatus.NOT_FOUND if content is None else HTTPStatus.OK)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, format: str, *args: object) -> None:
        """Not to the test's output."""


@contextmanager
def registry(files: Mapping[str, bytes]) -> Iterator[Registry]:
    with Registry(files) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


FILES = {f"/npm/{package.path}": TARBALLS[package.set] for package in TOYS}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The toy packages, as they lie after they were fetched."""
    for package in TOYS:
        (tmp_path / package.file).write_bytes(TARBALLS[package.set])
    return tmp_path


# -- fetching ---------------------------------------------------------------------------------------------------------


def test_packages_have_npms_own_names() -> None:
    """What `npm pack` leaves in a folder is found there."""
    package = PACKAGES[0]

    assert package.file == "lobehub-fluent-emoji-3d-1.1.0.tgz"
    assert package.path == "@lobehub/fluent-emoji-3d/-/fluent-emoji-3d-1.1.0.tgz"


def test_there_is_one_pinned_package_for_every_set() -> None:
    """Three sets train, two more teach the judges, and one is never seen."""
    sets = [package.set for package in PACKAGES]

    assert sets == [*JUDGES_SETS, NEVER_SEEN]
    assert set(JUDGES_SETS) > set(SETS)
    assert {len(base64.b64decode(package.integrity.removeprefix("sha512-"))) for package in PACKAGES} == {64}


def test_a_set_without_codes_takes_the_names_of_another(tmp_path: Path) -> None:
    """Its icons are found by the same name, by the same without hyphens, or by what it calls them itself."""
    codes = {"26bd": "soccer-ball", "1f355": "pizza", "1f4e6": "box", "1f333": "tree"}
    contents = {
        "cartoon": ({name: {"body": DISC} for name in codes.values()}, codes),
        "fox": ({name: {"body": SQUARE} for name in ("soccerball", "sliceofpizza", "box")}, {}),
    }
    packages = []
    for name, (icons, chars) in contents.items():
        content = tarball(
            {
                "icons.json": json.dumps({"icons": icons}).encode(),
                "chars.json": json.dumps(chars).encode(),
            }
        )
        package = pinned(name, content, f"@toys/{name}")
        (tmp_path / package.file).write_bytes(content)
        packages.append(replace(package, names="cartoon" if name == "fox" else None))

    counts = make_sprites(tmp_path, tmp_path / "sprites.zip", codes=codes, packages=packages)

    assert counts == {"cartoon": 4, "fox": 3}
    with zipfile.ZipFile(tmp_path / "sprites.zip") as archive:
        drawn = {name for name in archive.namelist() if name.startswith("fox/")}
    assert drawn == {"fox/26bd.webp", "fox/1f355.webp", "fox/1f4e6.webp"}


def test_fetching_brings_every_package(tmp_path: Path) -> None:
    """Each tarball lies in the folder as the registry has it, and every download was announced."""
    said: list[str] = []
    with registry(FILES) as server:
        fetch(tmp_path / "new", server.url, packages=TOYS, tell=said.append)

    assert {path.name: path.read_bytes() for path in (tmp_path / "new").iterdir()} == {
        package.file: TARBALLS[package.set] for package in TOYS
    }
    assert said == [f"Fetching {package.name} 1.0.0." for package in TOYS]


def test_what_is_there_and_right_is_not_asked_for_again(folder: Path) -> None:
    """A second call fetches the one package that was spoilt meanwhile, and nothing else."""
    spoilt = TOYS[1]
    (folder / spoilt.file).write_bytes(b"half of it")
    with registry(FILES) as server:
        fetch(folder, server.url, packages=TOYS)
        asked = list(server.asked)
        fetch(folder, server.url, packages=TOYS)

    assert asked == server.asked == [f"/npm/{spoilt.path}"]
    assert (folder / spoilt.file).read_bytes() == TARBALLS[spoilt.set]


def test_the_registry_is_the_one_that_npm_uses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """npm's own variable says where packages come from."""
    with registry(FILES) as server:
        monkeypatch.setenv("NPM_CONFIG_REGISTRY", server.url)
        fetch(tmp_path, packages=TOYS)

    assert len(server.asked) == len(TOYS)


def test_another_content_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    """A registry that sends something else leaves nothing behind."""
    package = TOYS[0]
    with (
        registry({f"/npm/{package.path}": TARBALLS["flat"]}) as server,
        pytest.raises(ArtError, match=r"@toys/3d 1\.0\.0 is not the pinned package"),
    ):
        fetch(tmp_path, server.url, packages=[package])

    assert list(tmp_path.iterdir()) == []


def test_a_registry_without_the_package_is_named(tmp_path: Path) -> None:
    """The sentence says what was asked for and what the answer was."""
    with (
        registry({}) as server,
        pytest.raises(ArtError, match=r"answered 404 when asked for @toys/3d 1\.0\.0"),
    ):
        fetch(tmp_path, server.url, packages=TOYS)


def test_without_a_network_there_is_another_way(tmp_path: Path) -> None:
    """Nobody listens there any more: the sentence tells how to bring the file."""
    with registry({}) as server:
        url = server.url

    with pytest.raises(ArtError, match=r"could not be fetched.*`npm pack @toys/3d@1\.0\.0`"):
        fetch(tmp_path, url, packages=TOYS)


def test_a_registry_has_a_web_address(tmp_path: Path) -> None:
    """Files of this machine are not read by way of an address."""
    with pytest.raises(ArtError, match="not the address of a registry"):
        fetch(tmp_path, tmp_path.as_uri(), packages=TOYS)


# -- rendering and packing --------------------------------------------------------------------------------------------


def test_sets_of_every_form_are_joined_by_code(folder: Path, tmp_path: Path) -> None:
    """Pictures, SVGs and icon sets; a code with a variation mark or in capitals is the same code.

    The flat set has the tree only as a mirror image of something else, which is left out.
    """
    pytest.importorskip("resvg_py")
    out = tmp_path / "sprites.zip"

    counts = make_sprites(folder, out, codes=[BALL.code, BOX.code, TREE.code], packages=TOYS)

    assert counts == {"3d": 2, "flat": 2, NEVER_SEEN: 2}
    assert set(zipfile.ZipFile(out).namelist()) == {
        "sprites.json",
        *("3d/26bd.webp", "3d/1f4e6.webp", "flat/26bd.webp", "flat/1f4e6.webp"),
        *("twemoji/26bd.webp", "twemoji/1f333.webp"),
    }


def test_the_file_says_what_it_was_made_of(folder: Path, tmp_path: Path) -> None:
    """Name, version, hash and licence of every package go with the sprites."""
    out = tmp_path / "sprites.zip"
    make_sprites(folder, out, codes=[], packages=TOYS)

    described = json.loads(zipfile.ZipFile(out).read("sprites.json"))

    assert [Package(**each) for each in described["packages"]] == list(TOYS)


def test_the_same_art_gives_the_same_file(folder: Path, tmp_path: Path) -> None:
    """So the file's hash stands for its content."""
    three_d = TOYS[:1]
    for name, codes in (("one", [BALL.code]), ("two", [BALL.code]), ("other", [BOX.code])):
        make_sprites(folder, tmp_path / name, codes=codes, packages=three_d)

    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert (tmp_path / "one").read_bytes() != (tmp_path / "other").read_bytes()


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    """Packing before fetching."""
    with pytest.raises(ArtError, match=r"toys-3d-1\.0\.0\.tgz is missing: fetch the art first"):
        make_sprites(tmp_path, tmp_path / "sprites.zip", packages=TOYS)


def test_a_package_that_was_changed_is_not_read(folder: Path) -> None:
    """The hash is checked again before anything is opened, and no file is left half made."""
    changed = replace(TOYS[0], integrity="sha512-other")

    with pytest.raises(ArtError, match="not the pinned package"):
        make_sprites(folder, folder / "sprites.zip", packages=[changed])
    assert not list(folder.glob("sprites.zip*"))


def test_a_package_cannot_reach_out_of_its_folder(tmp_path: Path) -> None:
    """Names with dots lead nowhere, and links are not followed: only what is in the tarball is read."""
    outside = tmp_path / "outside.webp"
    outside.write_bytes(webp("box"))
    content = tarball(
        {"../../1f333.webp": webp("tree")}, links={"26bd.webp": str(outside), "1f4e6.webp": "../outside.webp"}
    )
    package = pinned("3d", content)
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / package.file).write_bytes(content)

    counts = make_sprites(
        inside, inside / "sprites.zip", codes=[BALL.code, BOX.code, TREE.code], packages=[package]
    )

    assert counts == {"3d": 1}
    assert {path.name for path in tmp_path.rglob("*")} == {
        *("outside.webp", "inside"),
        *(package.file, "sprites.zip"),
    }


def test_without_the_renderer_one_is_told_to_install_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only SVGs take it: the set of pictures is made without."""
    monkeypatch.setitem(sys.modules, "resvg_py", None)

    counts = make_sprites(folder, folder / "sprites.zip", codes=[BALL.code], packages=TOYS[:1])

    assert counts == {"3d": 1}
    with pytest.raises(ArtError, match="pip install resvg-py"):
        make_sprites(folder, folder / "sprites.zip", codes=[BALL.code], packages=TOYS)


def test_a_drawing_that_is_no_svg_is_refused(tmp_path: Path) -> None:
    """What the renderer says becomes a sentence."""
    pytest.importorskip("resvg_py")
    content = tarball({"26bd.svg": b"<p>gone</p>"})
    package = pinned("flat", content)
    (tmp_path / package.file).write_bytes(content)

    with pytest.raises(ArtError, match="not an SVG"):
        make_sprites(tmp_path, tmp_path / "sprites.zip", codes=[BALL.code], packages=[package])


# -- one sprite -------------------------------------------------------------------------------------------------------


@given(left=st.integers(0, 60), top=st.integers(0, 60), width=st.integers(1, 60), height=st.integers(1, 60))
def test_wherever_it_is_drawn_an_object_is_centred_and_fills_its_sprite(
    left: int, top: int, width: int, height: int
) -> None:
    """The longer side leaves 4 % free at both ends, the shorter one is in the middle."""
    drawing = Image.new("RGBA", (120, 120))
    drawing.paste((200, 30, 30, 255), (left, top, left + width, top + height))

    sprite = fit(drawing)
    box = sprite.getchannel("A").getbbox()

    assert sprite.size == (SIDE, SIDE)
    assert box is not None
    assert max(box[2] - box[0], box[3] - box[1]) == round(SIDE * 0.92)
    assert abs(box[0] + box[2] - SIDE) <= 1
    assert abs(box[1] + box[3] - SIDE) <= 1


def test_what_is_invisible_does_not_darken_the_edge() -> None:
    """Transparent black around white stays out of the white's soft edge."""
    drawing = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
    drawing.paste((255, 255, 255, 255), (20, 30, 77, 80))

    pixels = to_pixels(fit(drawing))
    half_visible = pixels[:3, pixels[3] > 60]

    assert half_visible.min() > 245


def test_an_empty_drawing_is_refused() -> None:
    """There is nothing to learn from."""
    with pytest.raises(ArtError, match="empty"):
        fit(Image.new("RGBA", (100, 100)))


# -- reading ----------------------------------------------------------------------------------------------------------


def test_sprites_come_back_as_they_were_packed(folder: Path) -> None:
    """In the order of the concepts and sets that were asked for; what no set has is absent and transparent."""
    path = folder / "sprites.zip"
    make_sprites(folder, path, codes=[BALL.code, BOX.code], packages=TOYS[:1])

    sprites = load_sprites(path, [BOX, TREE, BALL], sets=("3d", "cartoon"))

    assert sprites.pixels.shape == (3, 2, 4, SIDE, SIDE)
    assert sprites.pixels.dtype == torch.uint8
    assert sprites.there.tolist() == [[True, False], [False, False], [True, False]]
    assert sprites.colours == (("blue", None), (None, None), ("red", None))
    assert sprites.concepts == (BOX, TREE, BALL)
    assert sprites.sets == ("3d", "cartoon")
    assert not sprites.pixels[~sprites.there].any()


def test_packing_keeps_the_look_of_a_sprite(folder: Path) -> None:
    """The packed file is lossy: a colour is off by a few steps in 255, and the outline not at all."""
    path = folder / "sprites.zip"
    make_sprites(folder, path, codes=[BALL.code], packages=TOYS[:1])
    drawn = {name: to_pixels(fit(toy_drawing(name))).int() for name in ("ball", "box")}

    packed = load_sprites(path, [BALL], sets=["3d"]).pixels[0, 0].int()
    visible = drawn["ball"][3] == 255

    assert (packed - drawn["ball"])[:3, visible].abs().float().mean() < 4
    assert (packed - drawn["box"])[:3, visible].abs().float().mean() > 40
    assert torch.equal(packed[3], drawn["ball"][3])


def test_a_file_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    """Cut off in the middle."""
    path = tmp_path / "sprites.zip"
    path.write_bytes(b"PK\x03\x04 and so on")

    with pytest.raises(ArtError, match="not a whole file of sprites"):
        load_sprites(path, [BALL])
