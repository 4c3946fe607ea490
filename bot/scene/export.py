"""A Scene to take home: zips with the pictures, its tree as JSON, the recipes as text and a page to look at them."""

from __future__ import annotations

import html
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
from PIL import Image

from bot import texts
from inference import ImageRequest

MOST_BYTES = 9 * 2**20
"""Under the ten mebibytes that Discord takes, with room for the rest of the message."""

_FIRST_YEAR, _LAST_YEAR = 1980, 2107
"""What the time stamps of a zip can say."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One Picture. No person's id or name is part of it.

    kind: in a word or two, for its name and caption. png: None for a tombstone. created_at: seconds since 1970.
    mine: whether it is by the person who exports. request: None for an uploaded one. command: how to ask for it again.
    """

    number: int
    parent: int | None = None
    kind: str
    png: bytes | None
    created_at: float
    mine: bool = False
    request: ImageRequest | None = None
    sample: int = 0
    model_version: str = ""
    command: str = ""


class Export(NamedTuple):
    """zips: each at most as large as allowed. sentence: what the person should know about them, mostly nothing."""

    zips: tuple[bytes, ...]
    sentence: str


class _File(NamedTuple):
    """size: what it takes in a zip."""

    name: str
    data: bytes
    created_at: float

    @property
    def size(self) -> int:
        return len(self.data) + 2 * len(self.name.encode()) + _PER_FILE


_PER_FILE, _PER_ZIP = 30 + 46, 22


def export(entries: Sequence[Entry], title: str, *, limit: int = MOST_BYTES) -> Export:
    """All of them, in as many zips as it takes; equal entries make equal bytes.

    The first zip holds the texts. A PNG that is larger than a whole zip may be becomes a lossless WebP; one that is
    still too large is left out and named in the sentence. Raises ValueError without an entry, or if not even the texts
    fit.
    """
    if not entries:
        raise ValueError("nothing to export")
    pictures, as_webp, too_large = {}, [], []
    for entry in sorted(entries, key=lambda entry: entry.number):
        file = _picture(entry, limit)
        if file is not None:
            pictures[entry.number] = file
            as_webp += [entry.number] if file.name.endswith(".webp") else []
        elif entry.png is not None:
            too_large.append(entry.number)
    zips = _zips([*_texts(entries, title, pictures), *pictures.values()], limit)
    return Export(zips, texts.export_parts(len(zips), too_large, as_webp))


def _picture(entry: Entry, limit: int) -> _File | None:
    if entry.png is None:
        return None
    stem = f"{entry.number:03}-{_in_a_file_name(entry.kind)}"
    forms: tuple[Callable[[], _File], ...] = (
        lambda: _File(f"{stem}.png", entry.png or b"", entry.created_at),
        lambda: _File(f"{stem}.webp", _lossless_webp(entry.png or b""), entry.created_at),
    )
    return next((file for form in forms if (file := form()).size + _PER_ZIP <= limit), None)


def _in_a_file_name(kind: str) -> str:
    """Letters, digits and dashes: what every system takes."""
    kept = "".join(letter if letter.isascii() and letter.isalnum() else " " for letter in kind.lower())
    return "-".join(kept.split())[:40] or "picture"


def _lossless_webp(png: bytes) -> bytes:
    file = io.BytesIO()
    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        # exact: the colours of what is transparent stay as well.
        image.save(file, "WEBP", lossless=True, quality=80, method=4, exact=True)
    return file.getvalue()


def _zips(files: Sequence[_File], limit: int) -> tuple[bytes, ...]:
    """In order; a new one is begun with the first file that does not fit any more."""
    parts: list[list[_File]] = [[]]
    room = limit - _PER_ZIP
    for file in files:
        if file.size > room and parts[-1]:
            parts.append([])
            room = limit - _PER_ZIP
        if file.size > room:
            raise ValueError("the texts of this Scene are larger than a zip may be")
        parts[-1].append(file)
        room -= file.size
    return tuple(map(_zip, parts))


def _zip(files: Iterable[_File]) -> bytes:
    """Stored, not compressed: pictures are that already, and the size can be told before."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as target:
        for file in files:
            info = zipfile.ZipInfo(file.name, _stamp(file.created_at))
            info.create_system = 3  # or the same zip would have other bytes on Windows
            info.external_attr = 0o100644 << 16
            target.writestr(info, file.data)
    return packed.getvalue()


def _stamp(seconds: float) -> tuple[int, int, int, int, int, int]:
    when = datetime.fromtimestamp(seconds, UTC)
    year = min(max(when.year, _FIRST_YEAR), _LAST_YEAR)
    return year, when.month, when.day, when.hour, when.minute, when.second


def _texts(entries: Iterable[Entry], title: str, pictures: dict[int, _File]) -> list[_File]:
    ordered = sorted(entries, key=lambda entry: entry.number)
    latest = max(entry.created_at for entry in ordered)
    contents = {
        "tree.json": _tree(ordered, title, pictures),
        "recipes.txt": _recipes(ordered),
        "index.html": _page(ordered, title, pictures),
    }
    return [_File(name, text.encode("utf-8", "replace"), latest) for name, text in contents.items() if text]


def _tree(entries: Iterable[Entry], title: str, pictures: dict[int, _File]) -> str:
    nodes = [_node(entry, pictures) for entry in entries]
    return json.dumps({"title": title, "pictures": nodes}, ensure_ascii=False, indent=1) + "\n"


def _node(entry: Entry, pictures: dict[int, _File]) -> dict[str, object]:
    file = pictures.get(entry.number)
    recipe = {
        "request": msgspec.to_builtins(entry.request),
        "sample": entry.sample,
        "model_version": entry.model_version,
    }
    return {
        "number": entry.number,
        "parent": entry.parent,
        "kind": entry.kind,
        "file": None if file is None else file.name,
        "deleted": entry.png is None,
        "created": datetime.fromtimestamp(entry.created_at, UTC).isoformat(timespec="seconds"),
        "mine": entry.mine,
        "recipe": None if entry.request is None else recipe,
    }


def _recipes(entries: Iterable[Entry]) -> str:
    told = (f"{entry.number:03} {entry.kind}\n{entry.command}\n" for entry in entries if entry.command)
    return "\n".join(told)


_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ margin: 1rem; background: #2b2d31; color: #dbdee1; font: 1rem sans-serif }}
main {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr)); gap: 1rem }}
figure {{ margin: 0 }}
img {{ width: 100% }}
code {{ white-space: pre-wrap; overflow-wrap: anywhere }}
a {{ color: #8b94ff }}
figure:target {{ outline: 4px solid #ffc846 }}
</style>
<h1>{title}</h1>
<main>
{figures}
</main>
</html>
"""


def _page(entries: Iterable[Entry], title: str, pictures: dict[int, _File]) -> str:
    """It needs no network and runs no script; whatever people wrote is only words in it."""
    figures = "\n".join(_figure(entry, pictures) for entry in entries)
    return _PAGE.format(title=html.escape(title or texts.EXPORT_HEADING), figures=figures)


def _figure(entry: Entry, pictures: dict[int, _File]) -> str:
    file = pictures.get(entry.number)
    if file is not None:
        shown = f'<a href="{file.name}"><img src="{file.name}" alt="" loading="lazy"></a>'
    else:
        sentence = texts.EXPORT_PICTURE_DELETED if entry.png is None else texts.EXPORT_PICTURE_TOO_LARGE
        shown = f"<p>{sentence}</p>"
    origin = ""
    if entry.parent is not None:
        origin = f' <a href="#{entry.parent}">{html.escape(texts.export_comes_from(entry.parent))}</a>'
    words = f"<p><code>{html.escape(entry.command)}</code></p>" if entry.command else ""
    caption = f"<figcaption>{entry.number} {html.escape(entry.kind)}{origin}{words}</figcaption>"
    return f'<figure id="{entry.number}">{shown}{caption}</figure>'
