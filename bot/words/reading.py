"""A text as words, each with all the ways in which it can be read: `p.0.r.n` is "porn", and so is `p*rn` to a mask."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bot.words.normal import folded

_AS_LETTERS = str.maketrans("013456789@$€£!|+", "oieasgtbgaselilt")
_ONE_AS_L = str.maketrans("1!|", "lll")
_MAY_BE_LETTERS = re.compile(r"[0-9@$€£!|+]")
MASK = "*"

# An apostrophe inside a word belongs to it, else "girlfriend's ex" would have an "s ex" in it.
_RUN = re.compile(r"(?:[^\W_@$€£](?:['’](?=[^\W_]))?|[@$€£])+")
_INSIDE = frozenset("!|+*")
"""Signs that stand for a letter between letters, and part words otherwise."""

_MOST_BETWEEN = 3
"""Characters that people put between the letters of one word, at most."""

_MOST_PIECES = 12
_LEAST_SPELT = 3
_SHORT_WORDS = frozenset({
    "a", "i", "al", "am", "an", "as", "at", "be", "by", "de", "di", "do", "du", "ed", "el", "en", "es",
    "et", "ex", "go", "he", "hi", "id", "if", "il", "in", "is", "it", "la", "le", "lo", "me", "mr",
    "ms", "my", "no", "of", "oh", "ok", "on", "or", "os", "ox", "pi", "re", "sa", "se", "si", "so",
    "st", "te", "to", "tu", "tv", "uk", "un", "up", "us", "vs", "we", "xl", "y", "o",
})  # fmt: skip
"""One or two letters that stand alone without being a part of anything."""


class Word(NamedTuple):
    """readings: what it may say, without repetitions. shown: as it was typed, folded."""

    readings: tuple[str, ...]
    shown: str


class _Piece(NamedTuple):
    gap: str
    text: str


def read(text: str) -> list[Word]:
    """The words in order; those that were spelt out letter by letter are one. Their readings together are never
    longer than a few times the text."""
    return list(_words(_pieces(folded(text))))


def _pieces(text: str) -> list[_Piece]:
    """Words and what stands before each of them."""
    pieces, end = [], 0
    for match in _RUN.finditer(text):
        pieces.append(_Piece(text[end : match.start()], match[0].replace("'", "").replace("’", "")))
        end = match.end()
    return pieces


def _words(pieces: Sequence[_Piece]) -> Iterator[Word]:
    position = 0
    while position < len(pieces):
        spelt = _spelt(pieces, position)
        if spelt:
            yield _spelt_word(pieces[position : position + spelt])
            position += spelt
            continue
        joined = [join for join in (_tight(pieces, position), _crumbs(pieces, position)) if join]
        yield Word(_readings([pieces[position].text, *joined]), pieces[position].text)
        position += 1


def _spelt(pieces: Sequence[_Piece], first: int) -> int:
    """How many single letters in a row begin here, all with the same between them; 0 where that is no word."""
    if len(pieces[first].text) > 1:
        return 0
    last = first + 1
    while last < len(pieces) and len(pieces[last].text) == 1:
        gap = pieces[last].gap
        if len(gap) > _MOST_BETWEEN or gap != pieces[first + 1].gap:
            break
        last += 1
    return last - first if last - first >= _LEAST_SPELT else 0


def _spelt_word(pieces: Sequence[_Piece]) -> Word:
    joined = "".join(piece.text for piece in pieces)
    texts = [joined]
    if joined[0] in "ai":  # "a g o r e painting"
        texts.append(joined[1:])
    return Word(_readings(texts), joined)


def _tight(pieces: Sequence[_Piece], last: int) -> str:
    """The chain of pieces that ends here, with one sign between each two, as one word: hen-tai. Empty if none does."""
    if not last or not _is_tight(pieces[last].gap):
        return ""
    if last + 1 < len(pieces) and _is_tight(pieces[last + 1].gap):
        return ""
    first = last
    while first > 0 and last - first < _MOST_PIECES and _is_tight(pieces[first].gap):
        first -= 1
    rest = (_inside(piece.gap) + piece.text for piece in pieces[first + 1 : last + 1])
    return "".join([pieces[first].text, *rest])


def _is_tight(gap: str) -> bool:
    return (len(gap) == 1 and not gap.isspace()) or (
        0 < len(gap) <= _MOST_BETWEEN and _INSIDE.issuperset(gap)
    )


def _inside(gap: str) -> str:
    return gap if _INSIDE.issuperset(gap) else ""


def _crumbs(pieces: Sequence[_Piece], last: int) -> str:
    """The same for pieces of one or two letters with spaces between: po rn. Ordinary short words alone are none."""
    if len(pieces[last].text) > 2 or (last + 1 < len(pieces) and _is_crumb(pieces[last + 1])):
        return ""
    first = last
    while first >= 0 and last - first < _MOST_PIECES and len(pieces[first].text) <= 2:
        first -= 1
        if not pieces[first + 1].gap.isspace():
            break
    crumbs = [piece.text for piece in pieces[first + 1 : last + 1]]
    if len(crumbs) < 2 or all(crumb in _SHORT_WORDS for crumb in crumbs):
        return ""
    return "".join(crumbs)


def _is_crumb(piece: _Piece) -> bool:
    return len(piece.text) <= 2 and piece.gap.isspace()


def _readings(texts: Sequence[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for text in texts:
        found[text] = None
        # Numbers alone are numbers: 8008 is a processor.
        if _MAY_BE_LETTERS.search(text) and any(character.isalpha() for character in text):
            found[text.translate(_AS_LETTERS)] = None
            found[text.translate(_ONE_AS_L).translate(_AS_LETTERS)] = None
    return tuple(found)
