"""A server's own words: how they are typed, and what becomes of them."""

from __future__ import annotations

from typing import Final

from bot import texts
from bot.errors import BadOption
from bot.words.normal import folded
from bot.words.reading import read

MOST_OWN: Final = 500
"""Of one server."""

WORD_LENGTH: Final = 40
_MOST_WORDS, _LEAST_WITH_STAR = 5, 3

_UNSPACED: Final = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # Japanese
    (0x3400, 0x9FFF),  # Chinese characters
    (0x20000, 0x323AF),
)
"""Scripts that put no spaces between words, so that one of them is also looked for inside of others."""


def term_of(typed: str) -> str:
    """What the matcher is to look for. `*` at an end means that a word may go on there. Raises BadOption."""
    typed = typed.strip()
    if not typed:
        raise BadOption(texts.WORD_IS_EMPTY)
    if len(typed) > WORD_LENGTH:
        raise BadOption(texts.word_too_long(len(typed), WORD_LENGTH))
    words = [word.shown for word in read(typed.strip("*"))]
    if not words:
        raise BadOption(texts.WORD_WITHOUT_LETTERS)
    if len(words) > _MOST_WORDS:
        raise BadOption(texts.too_many_in_phrase(_MOST_WORDS))
    letters = "".join(words)
    if _is_unspaced(letters):
        return " ".join(f"*{word}*" for word in words)
    if len(letters) < 2:
        raise BadOption(texts.WORD_OF_ONE_LETTER)
    if "*" in typed and len(letters) < _LEAST_WITH_STAR:
        raise BadOption(texts.star_needs_letters(_LEAST_WITH_STAR))
    first, last = "*" * typed.startswith("*"), "*" * typed.endswith("*")
    return f"{first}{' '.join(words)}{last}"


def _is_unspaced(text: str) -> bool:
    return any(low <= ord(character) <= high for character in folded(text) for low, high in _UNSPACED)
