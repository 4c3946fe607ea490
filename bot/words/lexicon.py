"""Patterns of single words in one structure, which finds all that a word is in one walk along its letters.

A pattern is a word: `rope` also means its plain inflections (ropes, roped, roping). `=rope` means it alone, `rope*` and
`*rope` what begins or ends with it, `*rope*` what has it inside. A star inside of a *text* stands for any one vowel.
Letters that somebody repeats (`nooo`) do not count: words and patterns are compared as runs of equal letters, and a run
of the word may be longer than that of the pattern.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from bot.words.reading import MASK

_DRAWN_OUT: Final = 3
"""No word has the same letter three times in a row, so one that has is drawn out."""

_SAFE_TO_SHORTEN: Final = 4
"""From so many letters on, a doubled one may be read as single; with shorter words that makes others."""

_VOWELS: Final = frozenset("aeiou")
_REPEATED: Final = re.compile(r"(.)\1")


class _Pattern(NamedTuple):
    """runs: how long each run of equal letters is. An open end or start may be anything."""

    number: int
    runs: tuple[int, ...]
    open_start: bool
    open_end: bool

    def fits(self, runs: Sequence[int], *, may_shorten: bool) -> bool:
        """runs: of the part of the word that has the same letters."""
        if runs == self.runs:
            return True
        if any(there < wanted for there, wanted in zip(runs, self.runs, strict=True)):
            return False
        inner = slice(int(self.open_start), len(runs) - int(self.open_end))
        if runs[inner] == self.runs[inner]:
            return True
        drawn_out = max(runs) >= _DRAWN_OUT
        return may_shorten and len(runs) > 1 and (drawn_out or sum(self.runs) >= _SAFE_TO_SHORTEN)


class _Node:
    __slots__ = ("ends", "following", "passes")

    def __init__(self) -> None:
        self.following: dict[str, _Node] = {}
        self.ends: list[_Pattern] = []
        """Those that are here if the word is over."""
        self.passes: list[_Pattern] = []
        """Those that are here however the word goes on."""


class Lexicon:
    """Which patterns a word is. A walk is as long as the longest pattern at most: all are linear in the word.

    never_shorten: words whose double letters are their own: rapper.
    """

    def __init__(self, never_shorten: Iterable[str] = ()) -> None:
        self._at_start = _Node()
        self._anywhere = _Node()
        self._never_shorten = frozenset(never_shorten)

    def add(self, pattern: str, number: int) -> None:
        """number: what `find` is to say where this pattern is found."""
        letters = pattern.strip("=*")
        open_start, open_end = pattern.startswith("*"), pattern.endswith("*")
        alone = open_start or open_end or pattern.startswith("=")
        for form in {letters} if alone else inflections(letters):
            self._put(form, number, open_start=open_start, open_end=open_end)
        for masked in _masked(letters):
            self._put(masked, number)

    def find(self, reading: str) -> list[int]:
        """The numbers of the patterns that it is, some perhaps twice."""
        letters, runs = _runs(reading)
        may_shorten = reading not in self._never_shorten
        found = self._walk(self._at_start, letters, runs, 0, may_shorten)
        for first, letter in enumerate(letters):
            if letter in self._anywhere.following:
                found += self._walk(self._anywhere, letters, runs, first, may_shorten)
        return found

    def _put(self, form: str, number: int, *, open_start: bool = False, open_end: bool = False) -> None:
        letters, runs = _runs(form)
        node = self._anywhere if open_start else self._at_start
        for letter in letters:
            node = node.following.setdefault(letter, _Node())
        pattern = _Pattern(number, runs, open_start, open_end)
        (node.passes if open_end else node.ends).append(pattern)

    def _walk(
        self, node: _Node, letters: str, runs: Sequence[int], first: int, may_shorten: bool
    ) -> list[int]:
        found: list[int] = []
        for place in range(first, len(letters)):
            following = node.following.get(letters[place])
            if following is None:
                return found
            node = following
            there = runs[first : place + 1]
            found += [each.number for each in node.passes if each.fits(there, may_shorten=may_shorten)]
        there = runs[first:]
        return found + [each.number for each in node.ends if each.fits(there, may_shorten=may_shorten)]


def inflections(word: str) -> set[str]:
    """Those of a regular noun or verb, right or wrong: nobody is held for writing "knifeed"."""
    forms = {word, f"{word}s", f"{word}es", f"{word}ed", f"{word}ing"}
    if word.endswith("e"):
        forms |= {f"{word}d", f"{word[:-1]}ing"}
    if word.endswith("y"):
        forms |= {f"{word[:-1]}ies", f"{word[:-1]}ied"}
    if len(word) > 2 and word[-1] not in "aeiouyw" and word[-2] in _VOWELS:
        forms |= {f"{word}{word[-1]}ing", f"{word}{word[-1]}ed"}
    return forms


def _masked(letters: str) -> Iterator[str]:
    """p*rn: one vowel hidden, of words that are still recognised then."""
    if len(letters) >= _SAFE_TO_SHORTEN:
        for place, letter in enumerate(letters):
            if place and letter in _VOWELS:
                yield letters[:place] + MASK + letters[place + 1 :]


def _runs(word: str) -> tuple[str, tuple[int, ...]]:
    """Its letters without repetitions, and how often each is there in a row."""
    if not _REPEATED.search(word):  # most words, and much faster
        return word, (1,) * len(word)
    letters, runs = [], []
    for letter, run in groupby(word):
        letters.append(letter)
        runs.append(len(list(run)))
    return "".join(letters), tuple(runs)
