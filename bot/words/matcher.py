"""What a text has in it of a list of rules: words, phrases, pairs near each other. Linear time in the text's length.

A *term* is a word or a phrase of a few, each as in `bot.words.lexicon`; `left|right` in a phrase means either. Terms
are found first, each with the words it spans; then the rules are asked about them. What a rule finds is taken back
where one of its words is also part of something fine: the "dick" of "spotted dick".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

import msgspec

from bot.words.lexicon import Lexicon
from bot.words.reading import Word

NEAR: Final = 4
"""Words from the one of a pair to the other, at most, where a pair does not say."""

_LEAST_JOINED: Final = 7
"""A phrase of so many letters is also found when it is written in one word: none has them by chance."""

K = TypeVar("K")


class Pair(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A term of `one` near a term of `other`. A name with @ before it is a group of terms."""

    one: tuple[str, ...]
    other: tuple[str, ...]
    within: int = NEAR


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """terms: each is enough. pairs: both are needed. fine: terms in which nothing counts.

    fine_pairs: the term of `one` does not count with one of `other` near it.
    """

    terms: tuple[str, ...] = ()
    pairs: tuple[Pair, ...] = ()
    fine: tuple[str, ...] = ()
    fine_pairs: tuple[Pair, ...] = ()


class Span(NamedTuple):
    """Words of a text by their places, from `first` to before `end`."""

    first: int
    end: int

    def meets(self, other: Span) -> bool:
        return self.first < other.end and other.first < self.end


class Hit(NamedTuple, Generic[K]):
    """What was found. key: that of the rules. spans: the words that it needed."""

    key: K
    spans: tuple[Span, ...]


class _Pairing(NamedTuple, Generic[K]):
    key: K
    one: frozenset[int]
    other: frozenset[int]
    within: int


class _Phrase(NamedTuple):
    """What has to follow the word it begins with, and the number of its term."""

    rest: tuple[frozenset[int], ...]
    term: int


Found = Mapping[int, Sequence[Span]]
"""By the number of a term: where it is."""


class Matcher(Generic[K]):
    """Rules compiled once. groups: terms that pairs call by one name. never_shorten: see Lexicon."""

    def __init__(
        self,
        rules: Mapping[K, Rules],
        groups: Mapping[str, Sequence[str]] | None = None,
        never_shorten: Iterable[str] = (),
    ) -> None:
        self._lexicon = Lexicon(never_shorten)
        self._patterns: dict[str, int] = {}
        self._terms: dict[str, int] = {}
        self._phrases: dict[int, list[_Phrase]] = {}
        self._groups = {
            f"@{name}": frozenset(map(self._term, terms)) for name, terms in (groups or {}).items()
        }
        self._enough: dict[int, list[K]] = {}
        self._fine: set[int] = set()
        self._pairs: list[_Pairing[K]] = []
        self._fine_pairs: list[_Pairing[K]] = []
        for key, each in rules.items():
            for term in each.terms:
                self._enough.setdefault(self._term(term), []).append(key)
            self._fine.update(map(self._term, each.fine))
            self._pairs += [self._pairing(key, pair) for pair in each.pairs]
            self._fine_pairs += [self._pairing(key, pair) for pair in each.fine_pairs]

    def hits(self, words: Sequence[Word]) -> list[Hit[K]]:
        """Each thing that was found, with what it needed."""
        found = self._found(words)
        fine = [span for term in self._fine & found.keys() for span in found[term]]
        fine += [one for pairing in self._fine_pairs for one, _ in _near_each_other(pairing, found)]
        not_counted = {place for span in fine for place in range(span.first, span.end)}
        return [
            hit
            for hit in self._all(found)
            if not any(place in not_counted for span in hit.spans for place in range(span.first, span.end))
        ]

    def concerned(self, words: Sequence[Word]) -> set[K]:
        """The keys of all rules that a term in it belongs to, be it enough or not."""
        found = self._found(words).keys()
        enough = {key for term in found for key in self._enough.get(term, ())}
        return enough | {pair.key for pair in self._pairs if not found.isdisjoint(pair.one | pair.other)}

    def _all(self, found: Found) -> Iterator[Hit[K]]:
        for term in self._enough.keys() & found.keys():
            for span in found[term]:
                yield from (Hit(key, (span,)) for key in self._enough[term])
        for pairing in self._pairs:
            yield from (Hit(pairing.key, both) for both in _near_each_other(pairing, found))

    def _found(self, words: Sequence[Word]) -> Found:
        readings = {reading for word in words for reading in word.readings}
        patterns_of = {reading: self._lexicon.find(reading) for reading in readings}
        here = [{number for reading in word.readings for number in patterns_of[reading]} for word in words]
        found: dict[int, list[Span]] = {}
        for place, patterns in enumerate(here):
            for phrase in (each for pattern in patterns for each in self._phrases.get(pattern, ())):
                end = place + 1 + len(phrase.rest)
                follows = here[place + 1 : end]
                if len(follows) == len(phrase.rest) and not any(
                    wanted.isdisjoint(there) for wanted, there in zip(phrase.rest, follows, strict=True)
                ):
                    found.setdefault(phrase.term, []).append(Span(place, end))
        return found

    # Compiling

    def _pairing(self, key: K, pair: Pair) -> _Pairing[K]:
        return _Pairing(key, self._side(pair.one), self._side(pair.other), pair.within)

    def _side(self, terms: Iterable[str]) -> frozenset[int]:
        return frozenset().union(
            *(self._groups[term] if term.startswith("@") else {self._term(term)} for term in terms)
        )

    def _term(self, term: str) -> int:
        known = self._terms.get(term)
        if known is not None:
            return known
        number = self._terms[term] = len(self._terms)
        first, *rest = (
            frozenset(self._pattern(each) for each in element.split("|")) for element in term.split()
        )
        joined = term.replace(" ", "")
        if rest and "|" not in joined and len(joined.strip("*")) >= _LEAST_JOINED:
            self._phrases.setdefault(self._pattern(joined), []).append(_Phrase((), number))
        for pattern in first:
            self._phrases.setdefault(pattern, []).append(_Phrase(tuple(rest), number))
        return number

    def _pattern(self, pattern: str) -> int:
        if pattern not in self._patterns:
            self._patterns[pattern] = len(self._patterns)
            self._lexicon.add(pattern, self._patterns[pattern])
        return self._patterns[pattern]


def _near_each_other(pairing: _Pairing[K], found: Found) -> Iterator[tuple[Span, Span]]:
    """One of each side, each of the first side once at most."""
    others = {span.first: span for term in pairing.other & found.keys() for span in found[term]}
    if not others:
        return
    for one in (span for term in pairing.one & found.keys() for span in found[term]):
        for place in range(one.first - pairing.within, one.end + pairing.within):
            other = others.get(place)
            if other is not None and not other.meets(one):
                yield one, other
                break
