"""The text chunk `parameters` of a PNG, where AUTOMATIC1111's web UI keeps what a picture was made with.

Only bytes are moved: no pixel is decoded, and nothing is ever decompressed.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

LONGEST = 4_000
"""Characters. Prompts of whole pages exist; what is behind that is not read."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEYWORD = b"parameters\0"
_AFTER_HEADER = len(_SIGNATURE) + 12 + 13
_UNWRITABLE = dict.fromkeys([*range(9), *range(11, 32), 127])


def with_text(png: bytes, text: str) -> bytes:
    """The same PNG with one chunk more, right behind its header. Raises ValueError for what is no PNG.

    As PNGs have it: tEXt for what Latin-1 can say, uncompressed iTXt (UTF-8) for everything else.
    """
    if not png.startswith(_SIGNATURE) or png[12:16] != b"IHDR":
        raise ValueError("not a PNG")
    shown = readable(text)
    try:
        chunk = _chunk(b"tEXt", _KEYWORD + shown.encode("latin-1"))
    except UnicodeEncodeError:
        # Neither compressed, nor with a language, nor with a translated keyword.
        chunk = _chunk(b"iTXt", _KEYWORD + b"\0\0\0\0" + shown.encode("utf-8", "ignore"))
    return png[:_AFTER_HEADER] + chunk + png[_AFTER_HEADER:]


def text_of(png: bytes) -> str | None:
    """What the first such chunk says, at most LONGEST characters; None without one. Takes any bytes."""
    for name, content in _chunks(png):
        if name == b"tEXt" and content[: len(_KEYWORD)] == _KEYWORD:
            return readable(content[len(_KEYWORD) :][:LONGEST].tobytes().decode("latin-1"))
        if name == b"iTXt" and content[: len(_KEYWORD)] == _KEYWORD:
            return _international(content[len(_KEYWORD) :].tobytes())
    return None


def readable(text: str) -> str:
    """Without the control characters that no text needs, and not too long."""
    return text.translate(_UNWRITABLE)[:LONGEST]


def _international(content: bytes) -> str | None:
    """Of an iTXt chunk, behind its keyword. A compressed one is left alone: it may unpack to anything."""
    if content[:1] != b"\0":
        return None
    parts = content[2:].split(b"\0", 2)  # the language, the keyword in that language, the text
    # No character takes more than four bytes.
    return readable(parts[2][: 4 * LONGEST].decode("utf-8", "replace")) if len(parts) == 3 else None


def _chunks(png: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Those that are there in full; the content is not copied."""
    if not png.startswith(_SIGNATURE):
        return
    view, place = memoryview(png), len(_SIGNATURE)
    while place + 12 <= len(png):
        length = int.from_bytes(png[place : place + 4], "big")
        name, end = png[place + 4 : place + 8], place + 8 + length
        if name == b"IEND" or end + 4 > len(png):
            return
        yield name, view[place + 8 : end]
        place = end + 4  # its checksum


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
