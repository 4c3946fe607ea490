"""Sampled scenes follow from their seed, keep what is held out to themselves and say what is so."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations

import pytest

from inference.emoji_art.art import make_set
from inference.emoji_art.backgrounds import PLACES, by_name
from inference.emoji_art.captions import TEMPLATES, split
from inference.emoji_art.concepts import HeldOut
from inference.emoji_art.layout import outlines
from inference.emoji_art.sampling import RELATIONS, Mix, SceneSampler
from inference.emoji_art.scenes import Scene
from tests.inference.emoji_art.toys import toy_sprites

SPRITES = toy_sprites()
NOTHING = HeldOut(frozenset(), frozenset(), frozenset())
MIXED, EASY = Mix(easy=0.0), Mix(easy=1.0)
BALL, BOX, TREE = range(3)


def sampler(held_out: HeldOut = NOTHING, seed: int = 1) -> SceneSampler:
    return SceneSampler(SPRITES.concepts, SPRITES, held_out, seed)


def names(scene: Scene) -> set[str]:
    return {SPRITES.concepts[placed.concept].name for placed in scene.objects}


def pairs(scenes: list[Scene]) -> set[tuple[str, str]]:
    return {(name, scene.background) for scene in scenes for name in names(scene)}


def couples(scenes: list[Scene]) -> set[frozenset[str]]:
    return {frozenset(couple) for scene in scenes for couple in combinations(sorted(names(scene)), 2)}


def test_scenes_follow_from_the_seed() -> None:
    """The same seed gives the same scenes, however they are asked for; another seed gives others."""
    at_once = sampler().scenes(40, Mix(0.5))
    one = sampler()
    piece_by_piece = one.scenes(15, Mix(0.5)) + one.scenes(25, Mix(0.5))

    assert at_once == piece_by_piece
    assert at_once != sampler(seed=2).scenes(40, Mix(0.5))


def test_what_is_held_out_never_comes_up() -> None:
    """Neither the pair, nor the couple, nor the template; without holding out, all of them do."""
    pair, couple = ("ball", "beach"), frozenset({"box", "tree"})
    held_out = HeldOut(frozenset({pair}), frozenset({couple}), frozenset({"alone-plain"}))
    kept = sampler(held_out).scenes(3000, Mix(0.3))
    free = sampler().scenes(3000, Mix(0.3))

    assert pair not in pairs(kept)
    assert couple not in couples(kept)
    assert "alone-plain" not in {scene.template for scene in kept}
    assert pair in pairs(free)
    assert couple in couples(free)
    assert "alone-plain" in {scene.template for scene in free}


def test_the_full_mix_has_everything() -> None:
    """Every relation, every background, every template, both sets, and scenes of nothing but a place."""
    concepts = [replace(SPRITES.concepts[BALL], stands="air"), *SPRITES.concepts[BOX:]]
    scenes = SceneSampler(concepts, SPRITES, NOTHING, 1).scenes(6000, MIXED)

    assert {scene.relation for scene in scenes} == {None, *RELATIONS} - {"nothing", "alone", "and", "three"}
    assert {scene.background for scene in scenes} == set(by_name())
    assert {scene.template for scene in scenes} == {template.id for template in TEMPLATES}
    assert {placed.sprite_set for scene in scenes for placed in scene.objects} == {0, 1}
    assert {len(scene.objects) for scene in scenes} == {0, 1, 2, 3}


def test_places_are_equally_frequent() -> None:
    """Also those where few things belong: no place has less than half of its share."""
    scenes = [scene for scene in sampler().scenes(4000, EASY) if scene.background in {p.name for p in PLACES}]
    counts = [sum(scene.background == place.name for scene in scenes) for place in PLACES]

    assert min(counts) > 0.5 * len(scenes) / len(PLACES)


def test_the_easy_mix_is_one_large_object() -> None:
    """And the share of it is the one asked for."""
    easy = sampler().scenes(200, EASY)
    half = sampler().scenes(1000, Mix(0.5))

    assert all(len(scene.objects) == 1 and scene.objects[0].size > 0.5 for scene in easy)
    assert 0.5 < sum(scene.template.startswith("alone") for scene in half) / len(half) < 0.75


def test_an_object_is_never_lost_on_its_background() -> None:
    """No red ball on plain red; on other plain colours, yes."""
    scenes = sampler().scenes(3000, EASY)

    assert not any(
        scene.background in outlines(SPRITES)[placed.concept][placed.sprite_set].lost_on
        for scene in scenes
        for placed in scene.objects
    )
    assert ("ball", "blue background") in pairs(scenes)


def test_captions_name_what_is_there() -> None:
    """Each object by one of its names; no thing that is not in the picture."""
    words = {"ball": r"\bballs?\b", "box": r"\b(box|crate)(es|s)?\b", "tree": r"\btrees?\b"}
    for scene in sampler().scenes(1500, Mix(0.3)):
        assert {name for name, said in words.items() if re.search(said, scene.caption)} == names(scene)


def test_colour_words_are_true() -> None:
    """Said as measured: the box is blue, and a caption that calls it so shows a box."""
    captions = [scene.caption for scene in sampler().scenes(3000, Mix(0.3))]
    said = {match for caption in captions for match in re.findall(r"(\w+) (?:box|crate)\b", caption)}

    assert SPRITES.colours[BOX][0] == "blue"
    assert "blue" in said
    assert not said & {"red", "green", "yellow", "black", "white", "orange"}


def test_a_style_is_the_set_that_draws() -> None:
    """Where the caption asks for one, every object is of that set; where it does not, either may be."""
    scenes = sampler().scenes(2000, MIXED)
    styled = [scene for scene in scenes if scene.style]

    assert 0.2 < len(styled) / len(scenes) < 0.45
    for scene in scenes:
        said = {"flat", "cartoon", "3d"} & set(split(scene.caption))

        assert said == ({scene.style} if scene.style else set())
        if scene.style:
            assert {SPRITES.sets[placed.sprite_set] for placed in scene.objects} <= {scene.style}


def test_counts_are_true() -> None:
    """Two are two, three are three."""
    numbers = {"two": 2, "2": 2, "pair": 2, "three": 3, "3": 3}
    counted = [scene for scene in sampler().scenes(3000, MIXED) if scene.relation == "count"]

    assert counted
    for scene in counted:
        assert {numbers[word] for word in split(scene.caption) if word in numbers} == {len(scene.objects)}


def test_a_held_out_scene_can_be_asked_for() -> None:
    """For judging: the things, the place, the relation and the set as they were said."""
    held_out = HeldOut(frozenset({("ball", "beach")}), frozenset({frozenset({"ball", "box"})}), frozenset())
    one = sampler(held_out).scene_of([BALL], "beach", easy=True, sprite_set=1)
    two = sampler(held_out).scene_of([BALL, BOX], "space", "left")

    assert (names(one), one.background, one.objects[0].sprite_set, one.style) == ({"ball"}, "beach", 1, None)
    assert (names(two), two.background, two.relation) == ({"ball", "box"}, "space", "left")


def test_one_concept_is_enough() -> None:
    """Relations that need more give way to the thing by itself; with everything held out, it is said."""
    concept = SPRITES.concepts[BOX]
    everywhere = HeldOut(frozenset((concept.name, place) for place in by_name()), frozenset(), frozenset())
    single = make_set(SPRITES.pixels[[BOX]], SPRITES.there[[BOX]], [concept], SPRITES.sets)
    scenes = SceneSampler([concept], single, NOTHING, 1).scenes(60, MIXED)

    assert {frozenset(placed.concept for placed in scene.objects) for scene in scenes} <= {
        frozenset(),
        frozenset({0}),
    }
    with pytest.raises(ValueError, match="nothing can be shown"):
        SceneSampler([concept], single, everywhere, 1).scenes(10, EASY)
