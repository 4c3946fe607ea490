"""Words in pictures, in one font that has the letters of many scripts."""

from __future__ import annotations

import io
import unicodedata
from functools import cache, lru_cache
from importlib import resources

from PIL import ImageFont

_NOBODYS_LETTER = "\uffff"
_LOOKED_AT = 16


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """size: pixels."""
    return ImageFont.truetype(io.BytesIO(_font_file()), size)


@cache
def _font_file() -> bytes:
    return resources.files("bot").joinpath("fonts/DejaVuSans.ttf").read_bytes()


def drawable(text: str) -> str:
    """As much of a text as the font can show, on one line; what it has no letter for is left out."""
    letters = (letter if letter.isprintable() else " " for letter in unicodedata.normalize("NFC", text))
    return " ".join("".join(map(_known, letters)).split())


def fitting(text: str, size: int, width: float) -> str:
    """As much of it as goes into `width` pixels, with a … where it was cut."""
    shown = drawable(text)
    if font(size).getlength(shown) <= width:
        return shown
    while shown and font(size).getlength(f"{shown}…") > width:
        shown = shown[:-1].rstrip()
    return f"{shown}…"


@lru_cache(maxsize=4096)
def _known(letter: str) -> str:
    """The letter, or the plain ones that it stands for (ﬁ, Ａ); nothing where the font has none of them."""
    if letter == " " or _mask(letter) != _mask(_NOBODYS_LETTER):
        return letter
    plain = unicodedata.normalize("NFKC", letter)
    return "" if plain == letter else "".join(map(_known, plain))


def _mask(letter: str) -> bytes:
    return bytes(font(_LOOKED_AT).getmask(letter))
