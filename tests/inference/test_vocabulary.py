"""Which words of a prompt are named as unknown, and which are not."""

from __future__ import annotations

import random
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference import Vocabulary, unknown_words

TAUGHT = Vocabulary(
    groups=(
        ("food and drink", ("apple", "cherry", "cookie", "box", "tomato", "cup of tea")),
        ("objects", ("beach umbrella", "bus", "t-shirt", "jack-o'-lantern", "shoe", "piñata")),
    ),
    words=("beach", "red", "moon", "surface of the moon", "left of", "3d"),
)
NAMES = [name for _, names in TAUGHT.groups for name in names]
NOTHING = Vocabulary(groups=(), words=("nothing",))


def unknown(prompt: str) -> list[str]:
    return list(unknown_words(prompt, TAUGHT))


@pytest.mark.parametrize(
    "prompt, named",
    [
        ("an apple on the beach", []),
        ("a parsec of apples", ["parsec"]),
        ("Warp, WARP and wArPs", ["Warp"]),
        ("foxes and a fox's parsecs, parsec", ["foxes", "parsecs"]),
        ("Please draw me my RED Apple, with 2 cherries and 1600 boxes!", []),
        ("cookies tomatoes shoes buses t-shirts cups of tea beach umbrellas", []),
        ("the apple's moon and the tomatoes' shoe", []),
        ("the surface of the moon left of a bus", []),
        ("surface", ["surface"]),
        ("beach-umbrella beach_umbrella Beach Umbrella", []),
        ("beach, umbrella", ["umbrella"]),
        ("beach - umbrella", ["umbrella"]),
        ("a T‑Shirt and a jack o’ lantern", []),
        ("hyper-realistic apple, moon-lit", ["hyper-realistic", "lit"]),
        ("(apple:1.2) [moon|void] <lora:glow:0.8>", ["void", "lora", "glow"]),
        ("3d, 8k, 4.5 ½", ["8k"]),
        ("no apple without a moon, don't", ["no", "without", "don't"]),
        ("cares glas grass", ["cares", "glas", "grass"]),
        ("x-ray of a moon, can't", ["x-ray"]),
        ("月 луна ירח apple", ["月", "луна", "ירח"]),
        ("🍎 on the beach 👩🏽‍🚀", ["🍎", "👩🏽🚀"]),
        ("pin\u0303ata Piñatas pinata", ["pinata"]),
        ("par\u200bsec \u202eabc\u2066 \u00adsoft", ["parsec", "abc", "soft"]),
        ("", []),
        (" .,;!?…—()[]{}<>:|/\\\"'` -_- \n\t", []),
        ("\ud800 \x00 \u3164 \u0301", []),
    ],
)
def test_what_is_named(prompt: str, named: list[str]) -> None:
    """Words the model was not taught, as they were typed, each once and in order; nothing else."""
    assert unknown(prompt) == named


def test_another_model_does_not_know_the_same_words() -> None:
    """The control: it is the vocabulary that decides, also where two are asked in turn."""
    prompt = "an apple on the beach"

    assert unknown_words(prompt, NOTHING) == ("apple", "beach")
    assert unknown_words(prompt, TAUGHT) == ()
    assert unknown_words(prompt, NOTHING) == ("apple", "beach")


@given(
    names=st.lists(st.sampled_from(NAMES), min_size=1),
    spelling=st.randoms(use_true_random=False),
    foreign=st.sampled_from(["", "parsec", "Zeppelin", "луна"]),
)
def test_every_spelling_of_a_name_is_known(names: list[str], spelling: random.Random, foreign: str) -> None:
    """Case, number, possessives, hyphens and what stands round it: only the foreign word is named, wherever it is."""
    parts = [_spelled(name, spelling) for name in names]
    if foreign:
        parts.insert(spelling.randrange(len(parts) + 1), foreign)

    found = unknown(spelling.choice([", ", " and the ", "\n", "; ", " — "]).join(parts))

    assert found == ([foreign] if foreign else [])


def _spelled(name: str, spelling: random.Random) -> str:
    plain = name.replace(" ", spelling.choice([" ", "-", "  "]))
    plural = plain[:-1] + "ies" if plain.endswith("rry") else plain + ("es" if plain[-1] in "oxs" else "s")
    written = spelling.choice([plain, plural, plain + "'s", f"({plain}:1.3)", f"“{plain}”"])
    return spelling.choice([written, written.upper(), written.title()])


@given(prompt=st.text(max_size=200))
def test_whatever_is_typed_the_answer_can_be_shown(prompt: str) -> None:
    """No invisible or direction-turning characters, no blanks, no word twice, and all in the order of the prompt."""
    found = unknown(prompt)
    typed = iter("".join(c for c in unicodedata.normalize("NFC", prompt) if unicodedata.category(c) != "Cf"))

    assert not any(unicodedata.category(c)[0] in "CZ" for word in found for c in word)
    assert len({word.casefold() for word in found}) == len(found)
    assert all(word for word in found)
    assert all(character in typed for word in found for character in word if character.isalnum())


def test_a_name_that_is_a_part_of_another_does_not_hide_it() -> None:
    """The longest name wins; where it is not all there, the shorter one counts and the rest is named."""
    vocabulary = Vocabulary(groups=(("g", ("sea", "sea lion cub")),))

    assert unknown_words("sea lion cubs", vocabulary) == ()
    assert unknown_words("sea lion", vocabulary) == ("lion",)


def test_a_prompt_as_long_as_discord_allows_is_read_whole() -> None:
    """4,000 characters of anything, and the last word still counts."""
    for filling in ("beach ", "surface of the ", "x", "-", "a\u0301\u0323", "🍎"):
        prompt = filling * ((4000 - len(" parsec")) // len(filling)) + " parsec"

        assert unknown(prompt)[-1] == "parsec"
        assert len(prompt) > 3980
