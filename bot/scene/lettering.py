"""Words in pictures, in the one font that comes with Pillow: it has the letters of English and little more."""

from __future__ import annotations

import unicodedata
from functools import cache

from PIL import ImageFont

_SPOKEN = str.maketrans(
    {
        "ß": "ss",
        "æ": "ae",
        "Æ": "Ae",
        "œ": "oe",
        "Œ": "Oe",
        "ø": "o",
        "Ø": "O",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "Đ": "D",
    }
    | {"×": "x", "–": "-", "—": "-", "ı": "i", "þ": "th", "Þ": "Th"}
)
_MORE = frozenset("·⁄‘’“”°«»")


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """size: pixels."""
    found = ImageFont.load_default(size=size)
    assert isinstance(
        found, ImageFont.FreeTypeFont
    )  # Pillow has FreeType wherever it is installed from a wheel
    return found


def drawable(text: str) -> str:
    """As much of a text as the font can show, on one line: é becomes e, and what it has no letter for is left out."""
    plain = unicodedata.normalize("NFKD", text.translate(_SPOKEN))
    kept = (letter if letter.isascii() or letter in _MORE else "" for letter in plain)
    return " ".join("".join(letter if letter.isprintable() else " " for letter in kept).split())


def fitting(text: str, size: int, width: int) -> str:
    """As much of it as goes into `width` pixels, with a … where it was cut."""
    shown = drawable(text)
    if font(size).getlength(shown) <= width:
        return shown
    while shown and font(size).getlength(f"{shown}…") > width:
        shown = shown[:-1].rstrip()
    return f"{shown}…"
