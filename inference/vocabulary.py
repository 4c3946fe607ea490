"""Which words of a prompt a model was never taught. Plain Python: no torch, no Discord.

A prompt is cut into words; known names are taken out, the longest first ("beach umbrella" before "beach"); English
words that change nothing in a picture are passed over; what is left is what the model does not know.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

from inference.types import Vocabulary

_EMPTY = """
    a an the this that these those some any each every one other another such same
    i me my mine we us our ours you your yours he him his she her hers it its they them their theirs
    who whose which what where when there here
    and or but so as if then than of to in on at by for from with into onto about
    is are was were be been being am has have having had do does did
    can could will would shall should may might must let s d m ll re ve
    please thanks thank just also too very really quite rather like
    need want wants make makes made making draw draws paint show shows showing create generate give gives get put
    see add picture image
    """
_EMPTY_WORDS = frozenset(_EMPTY.split())
"""Not named, for a picture is the same without them. "no", "without" and "under" are: who is not told that the model
does not know those gets the opposite of what they asked for."""

_HYPHENS = frozenset("-_‐‑")
_APOSTROPHES = frozenset("'’‘ʼ")
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
"""Letters and marks by their category, but nothing is to be seen of them."""

_FIRST_EMOJI = "\u2600"
_SKIN_TONES = frozenset("\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")
_WORD = re.compile("l[lm]*|e[em]*")
_END = ""
"""The key under which a node of the tree of names says that a name ends there."""


class _Word(NamedTuple):
    """A word's place in the prompt, its letters in lower case, and what stands between it and the word before."""

    start: int
    end: int
    letters: str
    gap: str

    @property
    def continues_phrase(self) -> bool:
        """Names do not reach across a comma, a bracket or a dash between blanks."""
        return not self.gap.replace("'", "").strip(" ") or self.is_hyphened

    @property
    def is_hyphened(self) -> bool:
        return self.gap != "" and not self.gap.strip("-'")

    def is_one_with(self, before: _Word) -> bool:
        return self.is_hyphened and self.start - len(self.gap) == before.end


def unknown_words(prompt: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """The words of the prompt that are not in the vocabulary, as they were typed, each once, in their order.

    Case, plurals in -s and -es, possessives and hyphens do not matter. Numbers are never named, emoji are. What is
    returned has neither invisible nor direction-turning characters. Takes time linear in the prompt.
    """
    text = "".join(filter(_is_visible, unicodedata.normalize("NFC", prompt)))
    found: list[str] = []
    seen: set[str] = set()
    for run in _runs(_left_over(_words(text), _names(vocabulary))):
        word = text[run[0].start : run[-1].end]
        forms = _forms(word.casefold())
        is_rest = len(word) == 1 and word.isascii()  # a lone letter is what is left of "can't"
        if not is_rest and seen.isdisjoint(forms):
            found.append(word)
        seen.update(forms)
    return tuple(found)


def _is_visible(character: str) -> bool:
    return unicodedata.category(character) != "Cf" and character not in _FILLERS


def _words(text: str) -> list[_Word]:
    kinds = "".join(map(_kind, text))
    words: list[_Word] = []
    for match in _WORD.finditer(kinds):
        start, end = match.span()
        gap = kinds[words[-1].end : start] if words else "."
        words.append(_Word(start, end, text[start:end].casefold(), gap))
    return words


def _kind(character: str) -> str:
    """l: letter or digit, m: mark over one, e: emoji; hyphen, apostrophe and blank; a dot for all else."""
    if character in _HYPHENS:
        return "-"
    if character in _APOSTROPHES:
        return "'"
    if character.isspace():
        return " "
    category = unicodedata.category(character)
    if character in _SKIN_TONES or (category == "So" and character >= _FIRST_EMOJI):
        return "e"
    return {"L": "l", "N": "l", "M": "m"}.get(category[0], ".")


def _left_over(words: Sequence[_Word], names: dict[str, Any]) -> Iterator[_Word]:
    """The words that belong to no known name and mean something."""
    position = 0
    while position < len(words):
        known = _length_of_name(words, position, names)
        word = words[position]
        if not known and word.letters not in _EMPTY_WORDS and not word.letters.isnumeric():
            yield word
        position += known or 1


def _length_of_name(words: Sequence[_Word], start: int, names: dict[str, Any]) -> int:
    """How many words from `start` on are the longest known name there; 0 if none begins there."""
    nodes, longest = [names], 0
    for position in range(start, len(words)):
        word = words[position]
        if position > start and not word.continues_phrase:
            break
        nodes = [node[form] for node in nodes for form in _forms(word.letters) if form in node]
        if not nodes:
            break
        if any(_END in node for node in nodes):
            longest = position - start + 1
    return longest


def _forms(word: str) -> tuple[str, ...]:
    """The word, and what it may be the regular plural of."""
    if len(word) < 3 or not word.endswith("s") or word.endswith("ss"):
        return (word,)
    if word.endswith("ies"):
        return (word, word[:-1], word[:-3] + "y")
    if word.endswith(("ses", "xes", "zes", "ches", "shes", "oes")):
        return (word, word[:-1], word[:-2])
    return (word, word[:-1])


def _runs(words: Iterable[_Word]) -> Iterator[list[_Word]]:
    """Words that were written as one ("hyper-realistic", "don't") stay together if all of it is unknown."""
    run: list[_Word] = []
    for word in words:
        if run and not word.is_one_with(run[-1]):
            yield run
            run = []
        run.append(word)
    if run:
        yield run


@lru_cache(maxsize=8)
def _names(vocabulary: Vocabulary) -> dict[str, Any]:
    """All that the vocabulary has, as a tree with a word on each branch."""
    tree: dict[str, Any] = {}
    for name in chain(vocabulary.words, *(names for _, names in vocabulary.groups)):
        node = tree
        for word in _words(unicodedata.normalize("NFC", name)):
            node = node.setdefault(word.letters, {})
        node[_END] = {}
    tree.pop(_END, None)  # of a name without a letter
    return tree
