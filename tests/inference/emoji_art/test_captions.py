"""Captions are English, name only what is there and keep to the templates that they may use."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from inference.emoji_art import captions
from inference.emoji_art.backgrounds import BACKGROUNDS, COLOURS, by_name
from inference.emoji_art.captions import (
    STYLES,
    TEMPLATES,
    Subject,
    countable,
    plural,
    split,
    with_article,
    write,
)
from inference.emoji_art.concepts import Concept, read_concepts, read_held_out
from inference.emoji_art.sampling import RELATIONS

BEACH = by_name()["beach"]
APPLE = Concept("apple", "1", "food and drink", ("pippin",))
CAR = Concept("car", "2", "places and travel", ("automobile",))
TREE = Concept("tree", "3", "animals and nature")
SUBJECTS = [Subject(APPLE), Subject(CAR), Subject(TREE)]


def many(relation: str, subjects: list[Subject], style: str | None = None, count: int = 300) -> list[str]:
    rng = random.Random(1)
    return [write(rng, relation, subjects, BEACH, style)[0] for _ in range(count)]


@pytest.mark.parametrize(
    "noun,said",
    [
        ("apple", "an apple"),
        ("car", "a car"),
        ("unicorn", "a unicorn"),
        ("ufo", "a ufo"),
        ("umbrella", "an umbrella"),
        ("hourglass", "an hourglass"),
        ("sun", "the sun"),
        ("big sun", "a big sun"),
        ("saturn", "saturn"),
        ("bread", "bread"),
        ("loaf of bread", "a loaf of bread"),
        ("pair of glasses", "a pair of glasses"),
        ("scissors", "scissors"),
        ("bus", "a bus"),
        ("compass", "a compass"),
    ],
)
def test_a_thing_gets_its_article(noun: str, said: str) -> None:
    """By sound and by kind, not by letter."""
    assert with_article(noun) == said


@pytest.mark.parametrize(
    "noun,said",
    [
        ("apple", "apples"),
        ("bus", "buses"),
        ("torch", "torches"),
        ("cherry", "cherries"),
        ("monkey", "monkeys"),
        ("wolf", "wolves"),
        ("palm tree", "palm trees"),
        ("kitchen knife", "kitchen knives"),
        ("bowl of rice", "bowls of rice"),
        ("leaf in the wind", "leaves in the wind"),
        ("jellyfish", "jellyfish"),
        ("bow and arrow", "bows and arrows"),
        ("scissors", "scissors"),
    ],
)
def test_a_thing_has_its_plural(noun: str, said: str) -> None:
    """What is counted gets the ending, not what it is of."""
    assert plural(noun) == said


def test_what_cannot_be_counted_is_called_otherwise_when_it_is_counted() -> None:
    """Two breads are two loaves of bread."""
    bread = Concept("bread", "4", "food and drink", ("loaf of bread", "french bread"))
    said = many("count", [Subject(bread, count=2)])

    assert not countable("bread")
    assert all("loaves of bread" in caption for caption in said)


@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize("style", [None, *STYLES])
def test_every_relation_can_be_said_in_every_style(relation: str, style: str | None) -> None:
    """No field is left open, nothing is said twice, and the style is said if and only if it is wanted."""
    subjects = [Subject(APPLE, count=2)] if relation == "count" else SUBJECTS
    style_words = {"3d", "flat", "cartoon"}
    for caption in many(relation, subjects, style):
        words = split(caption)

        assert not set("{}") & set(caption)
        assert caption == " ".join(caption.split())
        assert not {("a", "a"), ("a", "an"), ("a", "the"), ("of", "of")} & set(pairwise(words))
        assert style_words & set(words) == ({style} if style else set())


def test_colour_size_and_other_names_are_said() -> None:
    """And a colour is not said again of a name that has one."""
    apple = Subject(APPLE, colour="red", scale="big")
    said = many("alone", [apple])
    named = many("alone", [Subject(Concept("red rose", "5", "objects"), colour="red")])

    assert all(" red " in f" {caption} " for caption in said)
    assert all(set(captions.SIZE_WORDS["big"]) & set(split(caption)) for caption in said)
    assert 0.2 < sum("pippin" in caption for caption in said) / len(said) < 0.5
    assert not any("red red" in caption for caption in named)


def test_one_thing_gets_each_of_its_relations_words() -> None:
    """“left” is said from both sides, and always so that the first is on the left."""
    said = many("left", SUBJECTS[:2])
    left = [caption for caption in said if "left of" in caption]
    right = [caption for caption in said if "right of" in caption]

    assert left
    assert right
    assert all("car" in split_after(caption, "left of") or "automobile" in caption for caption in left)
    assert all("apple" in split_after(caption, "right of") or "pippin" in caption for caption in right)


def split_after(caption: str, words: str) -> str:
    return caption.partition(words)[2]


def test_only_given_templates_are_used() -> None:
    """What is held out never comes up; without that, it does."""
    held_out = {"alone-plain", "alone-draw"}
    rng = random.Random(2)
    allowed = [template for template in TEMPLATES if template.id not in held_out]
    kept = {write(rng, "alone", SUBJECTS, BEACH, None, allowed)[1] for _ in range(400)}
    free = {write(rng, "alone", SUBJECTS, BEACH)[1] for _ in range(400)}

    assert not kept & held_out
    assert held_out <= free


def test_templates_are_told_apart_by_their_ids() -> None:
    """And what the project holds out leaves every relation something to say."""
    ids = [template.id for template in TEMPLATES]
    held_out = read_held_out().templates
    left = {template.relation for template in TEMPLATES if template.id not in held_out}

    assert len(set(ids)) == len(ids)
    assert held_out <= set(ids)
    assert left == set(RELATIONS)


def test_the_vocabulary_has_every_word_of_every_caption() -> None:
    """A caption of the project's own concepts holds no word that `words` does not know."""
    concepts = read_concepts()
    known = captions.words(concepts)
    rng = random.Random(3)
    for relation in RELATIONS:
        for _ in range(200):
            things = [Subject(concept, "blue", "small") for concept in rng.sample(concepts, 3)]
            if relation == "count":
                things = [Subject(concept, count=3) for concept in rng.sample(concepts, 1)]
                if not countable(things[0].concept.name):
                    continue
            caption, _template = write(
                rng, relation, things, rng.choice(BACKGROUNDS), rng.choice(list(STYLES))
            )

            assert set(split(caption)) <= known, caption
    assert "zeppelin" not in known
    assert set(COLOURS) - {"light blue", "dark blue"} <= known


def test_the_plainest_caption() -> None:
    """Articles and the place's first phrase, always the same."""
    assert captions.plainly([APPLE, CAR], BEACH) == "an apple and a car on the beach"
    assert captions.plainly([APPLE]) == "an apple"
