"""What a text says to an eye, whatever characters it is written with: accents, look-alikes and what has no width go.

Character by character, so that the same letters always become the same, and what is put between them nothing.
NFKC's table (Unicode TR15) takes most disguises away: full width, mathematical, circled letters. The table of
look-alikes is our own and small: `confusable-homoglyphs` has all of Unicode's, but in groups that would have to be
turned round first, with four thousand characters that nobody types.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

_ONE_BY_ONE: Final = {
    # Cyrillic
    "а": "a", "в": "b", "с": "c", "ԁ": "d", "е": "e", "ё": "e", "ғ": "f", "ɡ": "g", "һ": "h", "н": "h", "і": "i",
    "ї": "i", "ј": "j", "к": "k", "қ": "k", "ӏ": "l", "м": "m", "п": "n", "о": "o", "ө": "o", "р": "p", "ԛ": "q",
    "г": "r", "ѕ": "s", "т": "t", "ц": "u", "ѵ": "v", "ѡ": "w", "ԝ": "w", "ш": "w", "х": "x", "ҳ": "x", "у": "y",
    "ү": "y", "ԍ": "g", "є": "e", "ь": "b",
    # Greek
    "α": "a", "β": "b", "ϲ": "c", "ε": "e", "γ": "y", "η": "n", "ι": "i", "κ": "k", "ν": "v", "ο": "o", "ρ": "p",
    "σ": "o", "τ": "t", "υ": "u", "χ": "x", "ω": "w", "ζ": "z", "μ": "u", "ϳ": "j", "ϝ": "f",
    # Armenian and Hebrew
    "ո": "n", "ս": "u", "օ": "o", "հ": "h", "զ": "q", "յ": "j", "ց": "g", "ք": "p", "ե": "t", "ռ": "n",
    "ס": "o", "ו": "l", "ט": "u",
    # Latin letters that Unicode takes for others
    "ı": "i", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ŧ": "t", "æ": "ae", "œ": "oe", "ɑ": "a", "ɐ": "a",
    "ə": "e", "ǝ": "e", "ɛ": "e", "ɜ": "e", "ɩ": "i", "ɪ": "i", "ɔ": "c", "ɵ": "o", "ʀ": "r", "ɾ": "r", "ʃ": "s",
    "ʋ": "v", "ʏ": "y", "ɢ": "g", "ɴ": "n", "ʜ": "h", "ʟ": "l", "ʙ": "b", "ɓ": "b", "ɗ": "d", "ƒ": "f", "ɠ": "g",
    "ɦ": "h", "ƙ": "k", "ɫ": "l", "ɱ": "m", "ɲ": "n", "ŋ": "n", "ƥ": "p", "ʂ": "s", "ƭ": "t", "ʉ": "u", "ʐ": "z",
    "ƶ": "z", "ᴀ": "a", "ᴄ": "c", "ᴅ": "d", "ᴇ": "e", "ᴊ": "j", "ᴋ": "k", "ᴍ": "m", "ᴏ": "o", "ᴘ": "p", "ᴛ": "t",
    "ᴜ": "u", "ᴠ": "v", "ᴡ": "w", "ᴢ": "z", "ꜱ": "s", "ꜰ": "f", "ǀ": "l", "ƽ": "s", "ɨ": "i", "ɯ": "w", "ʍ": "w",
    # Cherokee, in the capitals that folding its case gives
    "Ꭰ": "d", "Ꭱ": "r", "Ꭲ": "t", "Ꭵ": "i", "Ꭺ": "a", "Ꭻ": "j", "Ꭼ": "e", "Ꮃ": "w", "Ꮇ": "m", "Ꮋ": "h", "Ꮍ": "y",
    "Ꮐ": "g", "Ꮓ": "z", "Ꮟ": "b", "Ꮢ": "r", "Ꮤ": "w", "Ꮥ": "s", "Ꮩ": "v", "Ꮪ": "s", "Ꮮ": "l", "Ꮯ": "c", "Ꮲ": "p",
    "Ꮶ": "k", "Ᏼ": "b", "Ꭹ": "y", "Ꮎ": "o", "Ꮒ": "h", "Ꮷ": "j", "Ꮜ": "u",
    # Lisu
    "ꓐ": "b", "ꓑ": "p", "ꓓ": "d", "ꓔ": "t", "ꓖ": "g", "ꓗ": "k", "ꓙ": "j", "ꓚ": "c", "ꓜ": "z", "ꓝ": "f", "ꓟ": "m",
    "ꓠ": "n", "ꓡ": "l", "ꓢ": "s", "ꓣ": "r", "ꓦ": "v", "ꓧ": "h", "ꓪ": "w", "ꓫ": "x", "ꓬ": "y", "ꓮ": "a", "ꓰ": "e",
    "ꓲ": "i", "ꓳ": "o", "ꓴ": "u",
}  # fmt: skip

_BOXED = (0x1F150, 0x1F170, 0x1F1E6)
"""Where alphabets in white on black, and those of flags, begin; Unicode says of none what letters they are."""

_ALIKE: Final = _ONE_BY_ONE | {
    chr(first + number): chr(ord("a") + number) for first in _BOXED for number in range(26)
}

_SHAPELESS: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Me", "Mn"})
_BLANK: Final = frozenset("\u115f\u1160\u3164\uffa0\u034f\u17b4\u17b5")
"""Letters by name, of which nothing is to be seen."""


def folded(text: str) -> str:
    """Small letters, without accents and disguises; digits, spaces and signs stay. Folding twice is folding once."""
    return "".join(map(_folded, text))


@lru_cache(maxsize=8192)
def _folded(character: str) -> str:
    before, after = "", character
    while after != before:
        before, after = after, "".join(map(_step, unicodedata.normalize("NFKD", after)))
    return after


def _step(character: str) -> str:
    if character.isspace():
        return " "
    if unicodedata.category(character) in _SHAPELESS or character in _BLANK:
        return ""
    small = character.casefold()
    return _ALIKE.get(small, small)
