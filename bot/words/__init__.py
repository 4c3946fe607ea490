"""Whether a text may be drawn from, by its words alone: the default list, and a server's own words over it.

::

    normal     what a text says to an eye: no accents, look-alikes and invisible characters
    reading    the words in it, with all the ways in which each can be read: l33t, s p e l t, dr*wn
    lexicon    which patterns a word is an instance of, inflections and repeated letters included
    matcher    rules over those: words, phrases, pairs near each other, and what is fine all the same
    default    the list in default.toml       own    what a moderator types

The time is linear in the text's length. Nothing here reads what a picture shows: that is the engine's safety stage.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from bot import texts
from bot.errors import NotAllowed
from bot.store import OwnWord, Standing, Store, Verdict
from bot.words.default import default
from bot.words.matcher import Hit, Matcher, Rules, Span
from bot.words.own import term_of
from bot.words.reading import Word, read

__all__ = ["Finding", "Words", "WordsRefused", "default"]

_MOST_COMPILED = 100
"""Servers whose own words are kept compiled: a megabyte each at most."""

_SEVERITY = {Verdict.ALLOW: 0, Verdict.HOLD: 1, Verdict.BLOCK: 2}


class WordsRefused(NotAllowed):
    """kind: what the words are about. Whoever answers in public must not repeat them."""

    def __init__(self, sentence: str, kind: str) -> None:
        super().__init__(sentence)
        self.kind = kind


class Finding(NamedTuple):
    """Something that was found in a text. kind: of the default list; None for a server's own word.

    words: those that it needed, as they were typed but for case and disguise.
    """

    verdict: Verdict
    kind: str | None
    words: str

    @property
    def fixed(self) -> bool:
        return self.kind is not None and default().kinds[self.kind].fixed


class Words:
    def __init__(self, store: Store) -> None:
        default()  # a sixth of a second: now, and not while somebody waits for an answer
        self._store = store
        self._compiled: OrderedDict[int, tuple[list[OwnWord], Matcher[Verdict]]] = OrderedDict()

    async def check(self, guild_id: int | None, standing: Standing, said: Mapping[str, str]) -> str | None:
        """Why a moderator has to let it through, as a sentence, else None. said: texts by what people call them.

        Raises WordsRefused: for what is blocked, and in direct messages also for what would be held.
        """
        found = [(name, await self.worst(guild_id, standing, text)) for name, text in said.items()]
        name, worst = max(found, key=lambda each: _severity(each[1]), default=("", None))
        if worst is None or worst.verdict is Verdict.ALLOW:
            return None
        if worst.verdict is Verdict.HOLD and guild_id is not None:
            return texts.why_held(name, worst.kind)
        kind = worst.kind or texts.OWN_WORD
        raise WordsRefused(texts.words_refused(name, worst.kind, worst.verdict, fixed=worst.fixed), kind)

    async def worst(self, guild_id: int | None, standing: Standing, text: str) -> Finding | None:
        """The most severe thing in it, of equals the first."""
        findings = await self.findings(guild_id, text, adults_only=standing.adults_only)
        return max(findings, key=_severity, default=None)

    async def findings(self, guild_id: int | None, text: str, *, adults_only: bool) -> list[Finding]:
        """All that is found, in the order of the text, with what it means in a place of that audience."""
        words = read(text)
        own = (await self.own_matcher(guild_id)).hits(words) if guild_id is not None else []
        listed = default().matcher.hits(words)
        found = [*_of_default(listed, own, words, adults_only=adults_only), *_of_own(own, words)]
        return [finding for _, finding in sorted(found, key=lambda each: each[0])]

    async def own_matcher(self, guild_id: int) -> Matcher[Verdict]:
        """Compiled anew whenever the words are not those of the last time, so that a change counts at once."""
        words = await self._store.words.of(guild_id)
        known = self._compiled.get(guild_id)
        if known is None or known[0] != words:
            known = self._compiled[guild_id] = (words, _compiled(words))
            while len(self._compiled) > _MOST_COMPILED:
                self._compiled.popitem(last=False)
        self._compiled.move_to_end(guild_id)
        return known[1]


def _compiled(words: Sequence[OwnWord]) -> Matcher[Verdict]:
    terms = {
        verdict: Rules(terms=tuple(term_of(word.word) for word in words if word.verdict is verdict))
        for verdict in Verdict
    }
    return Matcher(terms)


def _of_default(
    hits: Sequence[Hit[str]], own: Sequence[Hit[Verdict]], words: Sequence[Word], *, adults_only: bool
) -> Iterator[tuple[Span, Finding]]:
    """Without those that the server has an own word for, where it may."""
    spoken_for = [span for hit in own for span in hit.spans]
    for hit in hits:
        kind = default().kinds[hit.key]
        if not kind.fixed and any(span.meets(mine) for span in hit.spans for mine in spoken_for):
            continue
        verdict = kind.verdict(adults_only=adults_only)
        yield hit.spans[0], Finding(verdict, hit.key, _shown(hit.spans, words))


def _of_own(hits: Sequence[Hit[Verdict]], words: Sequence[Word]) -> Iterator[tuple[Span, Finding]]:
    """The longer one decides: "dragon fruit" may be allowed where dragons are not."""
    allowed = [hit.spans[0] for hit in hits if hit.key is Verdict.ALLOW]
    for hit in hits:
        span = hit.spans[0]
        longer = any(each != span and each.first <= span.first and span.end <= each.end for each in allowed)
        if hit.key is not Verdict.ALLOW and not longer:
            yield span, Finding(hit.key, None, _shown(hit.spans, words))


def _shown(spans: Sequence[Span], words: Sequence[Word]) -> str:
    return " … ".join(" ".join(word.shown for word in words[span.first : span.end]) for span in sorted(spans))


def _severity(finding: Finding | None) -> int:
    return -1 if finding is None else _SEVERITY[finding.verdict]
