"""What becomes of words by audience, by the default list and by a server's own."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import BadOption
from bot.store import OwnWord, Standing, Store, Verdict
from bot.words import Words, WordsRefused
from bot.words.matcher import Matcher, Rules
from bot.words.own import term_of
from bot.words.reading import read

HERE, ELSEWHERE = 1, 2
EVERYBODY, ADULTS = Standing(), Standing(adults_only=True)


@asynccontextmanager
async def words_with(folder: Path, **own: Verdict) -> AsyncGenerator[Words, None]:
    """own: of the server HERE; _ stands for a space."""
    store = await Store.open(folder)
    async with store.transaction() as tx:
        for word, verdict in own.items():
            await store.words.set(tx, own_word(word.replace("_", " "), verdict))
    try:
        yield Words(store)
    finally:
        await store.close()


def own_word(word: str, verdict: Verdict) -> OwnWord:
    return OwnWord(guild_id=HERE, word=word, verdict=verdict, set_by=1, set_at=0.0)


async def verdict(
    words: Words, text: str, standing: Standing = EVERYBODY, guild: int | None = HERE
) -> Verdict:
    try:
        held_for = await words.check(guild, standing, {"the prompt": text})
    except WordsRefused:
        return Verdict.BLOCK
    return Verdict.ALLOW if held_for is None else Verdict.HOLD


@pytest.mark.parametrize(
    "text, everybody, adults",
    [
        ("a teapot", Verdict.ALLOW, Verdict.ALLOW),
        ("nude study in charcoal", Verdict.HOLD, Verdict.ALLOW),
        ("gore in a forest", Verdict.HOLD, Verdict.ALLOW),
        ("porn", Verdict.BLOCK, Verdict.ALLOW),
        ("nude, porn", Verdict.BLOCK, Verdict.ALLOW),
        ("swastika flag", Verdict.HOLD, Verdict.HOLD),
        ("suicide note", Verdict.HOLD, Verdict.HOLD),
        ("sieg heil", Verdict.BLOCK, Verdict.BLOCK),
        ("csam", Verdict.BLOCK, Verdict.BLOCK),
    ],
)
async def test_the_audience_decides_where_it_may(
    tmp_path: Path, text: str, everybody: Verdict, adults: Verdict
) -> None:
    """And nowhere else."""
    async with words_with(tmp_path) as words:
        assert await verdict(words, text) is everybody
        assert await verdict(words, text, ADULTS) is adults


async def test_direct_messages_have_no_moderators(tmp_path: Path) -> None:
    """What a server would hold is refused there, and no server's own words count."""
    async with words_with(tmp_path, dragon=Verdict.BLOCK) as words:
        assert await verdict(words, "nude study", guild=None) is Verdict.BLOCK
        assert await verdict(words, "dragon", guild=None) is Verdict.ALLOW
        assert await verdict(words, "dragon") is Verdict.BLOCK
        assert await verdict(words, "dragon", guild=ELSEWHERE) is Verdict.ALLOW


async def test_own_words_come_before_the_default_list(tmp_path: Path) -> None:
    """Softer or stricter, in every audience; but not where no server may."""
    own = {"porn": Verdict.HOLD, "nude": Verdict.ALLOW, "gore": Verdict.BLOCK, "child": Verdict.ALLOW}
    async with words_with(tmp_path, **own) as words:
        assert await verdict(words, "porn") is Verdict.HOLD
        assert await verdict(words, "porn", ADULTS) is Verdict.HOLD
        assert await verdict(words, "nudes in oil") is Verdict.ALLOW
        assert await verdict(words, "gore", ADULTS) is Verdict.BLOCK
        assert await verdict(words, "naked child") is Verdict.BLOCK


async def test_the_longer_word_decides(tmp_path: Path) -> None:
    """Whichever of the two is allowed."""
    own = {"dragon": Verdict.BLOCK, "dragon_fruit": Verdict.ALLOW, "nude": Verdict.ALLOW}
    async with words_with(tmp_path, nude_study=Verdict.BLOCK, **own) as words:
        assert await verdict(words, "dragon fruit") is Verdict.ALLOW
        assert await verdict(words, "dragon fruit and a dragon") is Verdict.BLOCK
        assert await verdict(words, "a nude") is Verdict.ALLOW
        assert await verdict(words, "a nude study") is Verdict.BLOCK


async def test_scripts_without_spaces_are_searched_inside(tmp_path: Path) -> None:
    """Nothing tells there where a word ends."""
    async with words_with(tmp_path, 龍=Verdict.BLOCK, หมา=Verdict.HOLD) as words:
        assert await verdict(words, "山の龍神社") is Verdict.BLOCK
        assert await verdict(words, "ตลาดหมาน้อย") is Verdict.HOLD
        assert await verdict(words, "山の神社") is Verdict.ALLOW


async def test_a_star_says_that_a_word_goes_on(tmp_path: Path) -> None:
    """At the end that has it, and at no other."""
    stored = {"dragon*": Verdict.BLOCK, "*wyrm": Verdict.BLOCK}
    async with words_with(tmp_path, **stored) as words:
        assert await verdict(words, "dragonfly") is Verdict.BLOCK
        assert await verdict(words, "snapdragon") is Verdict.ALLOW
        assert await verdict(words, "lindwyrm") is Verdict.BLOCK
        assert await verdict(words, "wyrmling") is Verdict.ALLOW


async def test_the_sentence_names_the_field_and_the_worst_kind(tmp_path: Path) -> None:
    """Of several texts the one that is refused, not the one that would wait."""
    async with words_with(tmp_path) as words:
        held_for = await words.check(HERE, EVERYBODY, {"the prompt": "a teapot", "the style": "gore"})
        with pytest.raises(WordsRefused, match="There are words for hatred in the style") as refused:
            await words.check(HERE, EVERYBODY, {"the prompt": "nude", "the style": "sieg heil"})

        assert held_for == "there are words for gore in the style."
        assert refused.value.kind == "hate"


async def test_own_words_are_compiled_when_they_change(tmp_path: Path) -> None:
    """Once for any number of prompts, and anew at the first prompt after a change."""
    async with words_with(tmp_path, dragon=Verdict.BLOCK) as words:
        first, second = await words.own_matcher(HERE), await words.own_matcher(HERE)
        store = words._store
        async with store.transaction() as tx:
            await store.words.remove(tx, HERE, "dragon")
        third = await words.own_matcher(HERE)

        assert first is second
        assert third is not first
        assert await verdict(words, "dragon") is Verdict.ALLOW


@given(st.text(st.characters(), max_size=60))
def test_any_text_is_a_word_or_gets_a_sentence(typed: str) -> None:
    """And what is taken is found in itself."""
    try:
        term = term_of(typed)
    except BadOption:
        return

    assert _is_found(term, typed)


def _is_found(term: str, typed: str) -> bool:
    return bool(Matcher({"own": Rules(terms=(term,))}).hits(read(typed.strip().strip("*"))))
