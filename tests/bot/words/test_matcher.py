"""How texts are read, and what the matcher finds in them. Harmless words stand for others."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.words.default import default
from bot.words.matcher import Matcher, Pair, Rules
from bot.words.normal import folded
from bot.words.reading import read

INVISIBLE = "\u200b\u200c\u200d\u2060\u00ad\ufe0f\u034f\U000e0041\x00\u202e\u3164"
ANY_TEXT = st.text(st.characters(), max_size=200)  # halves of surrogate pairs too

SMALL = Matcher(
    {
        "plants": Rules(
            terms=("orchid", "=fir", "moss*", "*melon", "*berry*", "wild rose", "red|green leaf"),
            pairs=(Pair(one=("@trees",), other=("axe",), within=3),),
            fine=("fir cone", "orchid street"),
            fine_pairs=(Pair(one=("*melon",), other=("baller",), within=2),),
        ),
        "birds": Rules(terms=("heron",)),
    },
    {"trees": ("oak", "ash", "=fir")},
    ["orrchids"],
)


def found(text: str) -> set[str]:
    return {hit.key for hit in SMALL.hits(read(text))}


def kinds_in(text: str) -> set[str]:
    return {hit.key for hit in default().matcher.hits(read(text))}


@pytest.mark.parametrize(
    "text",
    [
        "an orchid",
        "ORCHIDS",
        "an orchid's pot",
        "órçhîd",
        "оrсhіd",  # Cyrillic
        "ｏｒｃｈｉｄ",
        "𝓸𝓻𝓬𝓱𝓲𝓭",
        "🅾🆁🅲🅷🅸🅳",
        "or\u200bch\u00adid",
        "0rch1d",
        "orch!d",
        "o r c h i d on a sill",
        "a o.r.c.h.i.d",
        "O-R-C-H-1-D",
        "orc-hid",
        "orch*d",
        "or ch id",
        "ooorchiiiid",
        "orcchid",
        "wildrose",
        "wild roses",
        "a green leaf",
        "watermelon",
        "mossy",
        "gooseberrypie",
        "the ash by the axe",
        "axes for an oak",
    ],
)
def test_a_word_is_found_in_all_its_disguises(text: str) -> None:
    """Case, inflection, accents, look-alikes, width, the invisible, digits, spelling out, repetition, phrases."""
    assert "plants" in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "orchidaceous",
        "an or chid",
        "fire",
        "firs",
        "a fir cone",
        "Orchid Street 4",
        "a melon baller",
        "berr y",
        "wild red rose",
        "a leaf",
        "an axe in a shed",
        "an oak and one two three four axe",
        "orrchids",
        "0123",
        "o r c h",
        "orchi",
    ],
)
def test_what_only_looks_like_a_word_goes_through(text: str) -> None:
    """Other words, parts of them, exceptions, pairs too far apart, numbers."""
    assert found(text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "a postcard from Scunthorpe",
        "cocktails and grapes",
        "classic brass band in Essex",
        "a rapper with a pussycat",
        "the Niger river",
        "cumulus over Sussex",
        "an embassy therapist",
        "8008 chip, 1488 woodcut",
    ],
)
def test_innocent_words_with_others_inside_go_through(text: str) -> None:
    """The default list finds whole words."""
    assert kinds_in(text) == set()


def test_nudity_is_a_kind_of_its_own() -> None:
    """The prompt that the channel's audience decides about, and one of which nothing is to be decided."""
    assert kinds_in("nude study in charcoal") == {"nudity"}
    assert kinds_in("a still life in charcoal") == set()


def test_a_longer_reading_does_not_hide_a_shorter_one() -> None:
    """Every reading of a word counts, and all that is found is told."""
    assert found("heron, orchid") == {"plants", "birds"}


def test_folding_twice_is_folding_once() -> None:
    """For every character there is."""
    changed = [code for code in range(sys.maxunicode + 1) if folded(folded(chr(code))) != folded(chr(code))]

    assert changed == []


@given(ANY_TEXT)
def test_any_text_is_read_and_folded(text: str) -> None:
    """Nothing raises, and folding is idempotent."""
    default().matcher.hits(read(text))

    assert folded(folded(text)) == folded(text)


@given(ANY_TEXT, st.sampled_from(["orchid", "wild rose", "o.r.c.h.i.d", "oak, axe"]), st.data())
def test_invisible_characters_change_nothing(around: str, word: str, data: st.DataObject) -> None:
    """Wherever they are put, the same is found as without them."""
    text = f"{around} {word} {around}"
    places = data.draw(st.lists(st.tuples(st.integers(0, len(text)), st.sampled_from(INVISIBLE)), max_size=8))
    disguised = text
    for place, character in sorted(places, reverse=True):
        disguised = disguised[:place] + character + disguised[place:]

    assert SMALL.hits(read(disguised)) == SMALL.hits(read(text))


def _work(text: str) -> int:
    """How many calls the default list takes; what it does between two of them is bounded."""
    steps = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal steps
        steps += event in ("call", "c_call")

    words = read(text)
    sys.setprofile(count)
    try:
        default().matcher.hits(words)
    finally:
        sys.setprofile(None)
    return steps


@pytest.mark.parametrize(
    "piece",
    [
        "nude ",
        "p",
        "as-",
        "p o r n ",
        "ab cd ",
        "kill all jews as rats ",
        "suicid",
        "a1!b@",
        "aab",
        "!|+*",
        "𝓷",
    ],
)
def test_work_grows_with_the_text_and_not_with_its_square(piece: str) -> None:
    """Four times the text is not five times the work, whatever it is made of."""
    short, long = (piece * count for count in (500, 2000))
    read_short, read_long = (sum(len(each) for each in _readings(text)) for text in (short, long))

    assert _work(long) <= 5 * _work(short) + 100
    assert read_long <= 5 * read_short + 100
    assert read_long <= 8 * len(folded(long)) + 100


def _readings(text: str) -> Iterable[str]:
    return (reading for word in read(text) for reading in word.readings)
