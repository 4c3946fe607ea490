"""What moderators do to their server's own words. Logged, with the word hidden behind a spoiler."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot import texts
from bot.audit import Audit
from bot.errors import BadOption, LimitReached
from bot.options import check_prompt
from bot.store import AuditEntry, OwnWord, Store, Verdict
from bot.words import Finding, Words, default
from bot.words.own import MOST_OWN, term_of
from bot.words.reading import Word, read


class Vocabulary:
    """by: who does it."""

    def __init__(self, store: Store, words: Words, audit: Audit, *, now: Callable[[], float]) -> None:
        self._store = store
        self._words = words
        self._audit = audit
        self._now = now

    async def set(
        self, guild_id: int, typed: str, verdict: Verdict, *, by: int
    ) -> tuple[OwnWord, Verdict | None]:
        """The word as it is kept now, and its verdict before. Raises BadOption, and LimitReached for one too many."""
        text = check_prompt(typed)
        term = term_of(text)
        own = await self._store.words.of(guild_id)
        before = _called(term, own)
        word = OwnWord(
            guild_id=guild_id,
            word=before.word if before is not None else text,
            verdict=verdict,
            set_by=by,
            set_at=self._now(),
        )
        if before is not None and before.verdict is verdict:
            raise BadOption(texts.word_is_that_already(word.word, verdict))
        if before is None and len(own) >= MOST_OWN:
            raise LimitReached(texts.too_many_words(MOST_OWN))
        await self._check_may_be(word)
        verdict_before = before.verdict if before is not None else None
        async with self._audit.change(self._entry(word, by, verdict_before, verdict)) as tx:
            await self._store.words.set(tx, word)
        return word, verdict_before

    async def remove(self, guild_id: int, typed: str, *, by: int) -> OwnWord:
        """The one that went. Raises BadOption if it is not there."""
        text = check_prompt(typed)
        word = _called(term_of(text), await self._store.words.of(guild_id))
        if word is None:
            raise BadOption(texts.word_not_there(text))
        async with self._audit.change(self._entry(word, by, word.verdict, None)) as tx:
            await self._store.words.remove(tx, guild_id, word.word)
        return word

    async def tested(self, guild_id: int, prompt: str, *, adults_only: bool) -> str:
        """What would become of a prompt in this place and in one of the other audience, and why."""
        here = await self._words.findings(guild_id, prompt, adults_only=adults_only)
        elsewhere = await self._words.findings(guild_id, prompt, adults_only=not adults_only)
        return texts.tested(_worst(here), _worst(elsewhere), here, adults=adults_only)

    async def _check_may_be(self, word: OwnWord) -> None:
        """Nothing softens what is refused everywhere, and what goes through anyway needs nobody to allow it."""
        if word.verdict is Verdict.BLOCK:
            return
        words = read(word.word)
        fixed = {name for name, kind in default().kinds.items() if kind.fixed}
        if certain := fixed & {hit.key for hit in default().matcher.hits(words)}:
            raise BadOption(texts.word_cannot_be_set(word.word, min(certain)))
        if word.verdict is Verdict.ALLOW:
            kinds = default().matcher.concerned(words)
            if not kinds and not await self._is_own(word.guild_id, words):
                raise BadOption(texts.nothing_to_allow(word.word))
            if kinds and kinds <= fixed:
                raise BadOption(texts.word_cannot_be_set(word.word, min(kinds)))

    async def _is_own(self, guild_id: int, words: Sequence[Word]) -> bool:
        return bool((await self._words.own_matcher(guild_id)).hits(words))

    def _entry(self, word: OwnWord, by: int, before: Verdict | None, after: Verdict | None) -> AuditEntry:
        return AuditEntry(
            guild_id=word.guild_id,
            at=self._now(),
            actor_id=by,
            action=texts.DID_SET_WORD,
            subject=texts.spoiler(word.word),
            before=texts.verdict_named(before),
            after=texts.verdict_named(after),
        )


def _called(term: str, own: Sequence[OwnWord]) -> OwnWord | None:
    """The one that is looked for in the same way."""
    return next((word for word in own if term_of(word.word) == term), None)


def _worst(findings: Sequence[Finding]) -> Verdict:
    verdicts = {finding.verdict for finding in findings}
    return next((each for each in (Verdict.BLOCK, Verdict.HOLD) if each in verdicts), Verdict.ALLOW)
