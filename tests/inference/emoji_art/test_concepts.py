"""The list of what is taught, and of what is held out, keeps its promises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from inference.emoji_art.backgrounds import BACKGROUNDS
from inference.emoji_art.captions import TEMPLATES
from inference.emoji_art.concepts import GROUPS, SIZES, STANDS, Concept, read_concepts, read_held_out

CORE = {concept.name for concept in read_concepts() if concept.core}


def repeated(words: Iterable[str]) -> list[str]:
    return [word for word, count in Counter(words).items() if count > 1]


def words_of(concepts: Iterable[Concept]) -> list[str]:
    return [word for concept in concepts for word in (concept.name, *concept.aliases)]


def faults(concept: Concept) -> list[str]:
    words = words_of([concept])
    checks = {
        "group": concept.group in GROUPS,
        "stands": concept.stands in STANDS,
        "size": concept.size in SIZES,
        "aliases": len(concept.aliases) <= 4,
        "case": all(word == word.lower().strip() and word.isascii() for word in words),
        "article": not any(word.lower().startswith(("a ", "an ", "the ")) for word in words),
    }
    return [name for name, right in checks.items() if not right]


def test_there_are_some_three_hundred_concepts_and_forty_of_them_are_core() -> None:
    """Training is measured in views per concept, so their number is part of the recipe."""
    concepts = read_concepts()

    assert 250 <= len(concepts) <= 350
    assert len(CORE) == 40


def test_the_core_comes_first() -> None:
    """The core is a prefix, so a concept has one index in both label sets."""
    concepts = read_concepts()

    assert [concept.core for concept in concepts] == [True] * 40 + [False] * (len(concepts) - 40)


def test_every_entry_is_well_formed() -> None:
    """Lower case, no article, known kinds, at most four aliases."""
    shouted = Concept("The Moon", "1f319", "skies", aliases=tuple("abcde"), stands="above", size="huge")

    assert {concept.name: faults(concept) for concept in read_concepts() if faults(concept)} == {}
    assert faults(shouted) == ["group", "stands", "size", "aliases", "case", "article"]


def test_every_group_is_used() -> None:
    """A group without concepts would be an empty heading."""
    used = {concept.group for concept in read_concepts()}

    assert used == set(GROUPS)


def test_no_word_names_two_concepts() -> None:
    """A caption's word means one thing."""
    words = words_of(read_concepts())

    assert repeated(words) == []
    assert repeated([*words, words[0]]) == [words[0]]


def test_no_two_concepts_have_the_same_drawing() -> None:
    """Two names of one drawing would be an alias."""
    codes = [concept.code for concept in read_concepts()]

    assert repeated(codes) == []


def test_every_core_concept_is_held_out_before_one_background_and_beside_one_other() -> None:
    """So every core concept is judged where it was never seen."""
    held_out = read_held_out()

    assert Counter(name for name, _ in held_out.pairs) == Counter(CORE)
    assert Counter(name for couple in held_out.couples for name in couple) == Counter(CORE)
    assert {len(couple) for couple in held_out.couples} == {2}


def test_the_held_out_backgrounds_exist() -> None:
    """A misspelt background would hold out nothing."""
    backgrounds = {background for _, background in read_held_out().pairs}

    assert backgrounds <= {background.name for background in BACKGROUNDS}


def test_a_tenth_of_the_templates_is_held_out_and_every_relation_keeps_one() -> None:
    """Training must still say everything in some way."""
    held_out = read_held_out().templates
    kept = {template.relation for template in TEMPLATES if template.id not in held_out}

    assert held_out <= {template.id for template in TEMPLATES}
    assert 0.08 <= len(held_out) / len(TEMPLATES) <= 0.12
    assert kept == {template.relation for template in TEMPLATES}
