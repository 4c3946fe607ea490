"""Objects stand, hover, hide and lie as their caption says."""

from __future__ import annotations

import random

import pytest
import torch

from inference.emoji_art import layout
from inference.emoji_art.backgrounds import BACKGROUNDS, PLACES, Background, by_name
from inference.emoji_art.layers import Placed
from inference.emoji_art.layout import LAYOUTS, Item, Layout, Outline, outlines
from tests.inference.emoji_art.toys import toy_sprites

FULL = Outline(-0.46, -0.46, 0.46, 0.46, -0.46)
WIDE = Outline(-0.46, -0.2, 0.46, 0.2, -0.2)
TALL = Outline(-0.15, -0.46, 0.15, 0.46, -0.46)

TURNED = 0.06
"""By how much a few degrees may move the corner of a tile."""


def item(concept: int, outline: Outline = FULL, stands: str = "ground", scale: str | None = None) -> Item:
    return Item(concept, 0, outline, stands, 1.0, scale)


ITEMS = [item(0, WIDE), item(1, TALL, "air"), item(2)]


def edges(placed: Placed, outline: Outline) -> tuple[float, float, float, float]:
    """left, top, right, bottom in the picture."""
    left, right = (-outline.right, -outline.left) if placed.flip else (outline.left, outline.right)
    return (
        placed.x + placed.size * left,
        placed.y + placed.size * outline.top,
        placed.x + placed.size * right,
        placed.y + placed.size * outline.bottom,
    )


def outline_of(placed: Placed) -> Outline:
    return ITEMS[placed.concept].outline


def by_concept(placed: list[Placed]) -> list[Placed]:
    return sorted(placed, key=lambda each: each.concept)


def tries(plan: Layout, items: list[Item], background: Background, count: int = 60) -> list[list[Placed]]:
    return [plan(random.Random(seed), items, background) for seed in range(count)]


@pytest.mark.parametrize("background", BACKGROUNDS[:15], ids=lambda background: background.name)
@pytest.mark.parametrize("plan", [layout.large, *LAYOUTS.values()], ids=lambda plan: plan.__name__)
def test_nothing_leaves_the_picture(plan: Layout, background: Background) -> None:
    """Whatever the relation and the place: all of every object is seen, but for what a turn moves."""
    count = 1 if plan in (layout.large, layout.alone) else 2
    for placed in tries(plan, ITEMS[:count], background, 20):
        for each in placed:
            left, top, right, bottom = edges(each, outline_of(each))

            assert min(left, top) > -TURNED
            assert max(right, bottom) < 1 + TURNED


@pytest.mark.parametrize(
    "background", [p for p in PLACES if p.horizon], ids=lambda background: background.name
)
@pytest.mark.parametrize(
    "plan", [layout.large, layout.alone, layout.row, layout.far], ids=lambda plan: plan.__name__
)
def test_what_has_weight_stands_on_the_ground(plan: Layout, background: Background) -> None:
    """Its foot is below the horizon and has a shadow; what flies has none."""
    items = ITEMS[:1] if plan in (layout.large, layout.alone) else ITEMS[:2]
    horizon = background.horizon or 0
    for placed in tries(plan, items, background):
        for each in placed:
            grounded = ITEMS[each.concept].stands != "air"

            assert (each.shadow > 0) == grounded
            assert not grounded or edges(each, outline_of(each))[3] > horizon - 0.03


def test_before_a_plain_colour_nothing_has_a_shadow() -> None:
    """There is no ground that it could lie on."""
    plain = by_name()["red background"]

    assert all(each.shadow == 0 for placed in tries(layout.row, ITEMS, plain) for each in placed)


def test_fish_swim_under_water_and_boats_lie_on_it() -> None:
    """What belongs into water touches its surface and not its floor."""
    fish = item(0, WIDE, "water")

    assert fish.stands_on(by_name()["sea"])
    assert not fish.stands_on(by_name()["underwater"])
    assert item(0).stands_on(by_name()["underwater"])


@pytest.mark.parametrize("place", ["beach", "space", "surface of the moon"])
def test_left_is_left(place: str) -> None:
    """The first is on the left of the second, and they hardly touch."""
    for placed in tries(LAYOUTS["left"], [ITEMS[0], ITEMS[2]], by_name()[place]):
        first, second = by_concept(placed)

        assert first.x + 0.25 < second.x
        assert edges(first, outline_of(first))[2] < edges(second, outline_of(second))[0] + 0.05


@pytest.mark.parametrize("place", ["beach", "space", "red background"])
def test_above_is_above(place: str) -> None:
    """There is air between the two, and they are over one another."""
    for placed in tries(LAYOUTS["above"], [ITEMS[1], ITEMS[2]], by_name()[place]):
        upper, lower = by_concept(placed)

        assert edges(upper, outline_of(upper))[3] < edges(lower, outline_of(lower))[1]
        assert abs(upper.x - lower.x) < 0.15


@pytest.mark.parametrize("place", ["beach", "space", "red background"])
def test_on_touches(place: str) -> None:
    """The foot of the first is at the lid of the second, and the first is drawn last."""
    for placed in tries(LAYOUTS["on"], [ITEMS[0], ITEMS[2]], by_name()[place]):
        below, over = placed

        assert (below.concept, over.concept) == (2, 0)
        assert abs(edges(over, outline_of(over))[3] - (below.y + below.size * FULL.lid)) < 0.04


@pytest.mark.parametrize("place", ["beach", "space", "red background"])
def test_in_front_hides_a_part(place: str) -> None:
    """The boxes overlap, the nearer one is drawn last and stands lower, and some of the far one stays free."""
    near, distant = item(0, FULL), item(2)
    for placed in tries(LAYOUTS["front"], [near, distant], by_name()[place]):
        behind, before = placed
        one, other = edges(behind, FULL), edges(before, FULL)

        assert (behind.concept, before.concept) == (2, 0)
        assert min(one[2], other[2]) - max(one[0], other[0]) > 0.03
        assert other[3] > one[3]
        assert before.size < 0.9 * behind.size


@pytest.mark.parametrize("place", ["beach", "space", "surface of the moon"])
def test_far_is_small_and_high(place: str) -> None:
    """The first is the larger and the lower one."""
    for placed in tries(LAYOUTS["far"], ITEMS[:2], by_name()[place]):
        near, distant = by_concept(placed)

        assert distant.size < near.size
        assert distant.y < near.y


@pytest.mark.parametrize("place", ["beach", "space"])
def test_big_and_small_are(place: str) -> None:
    """Beside one another the big one has at least twice the size; by itself it fills, or does not."""
    background = by_name()[place]
    for placed in tries(layout.row, [item(0, scale="big"), item(2, scale="small")], background):
        big, small = by_concept(placed)

        assert big.size > 1.7 * small.size
    assert all(p[0].size > 0.6 for p in tries(layout.alone, [item(0, scale="big")], background))
    assert all(p[0].size < 0.31 for p in tries(layout.alone, [item(0, scale="small")], background))


def test_the_easy_object_is_large_and_central() -> None:
    """0.55 to 0.85 of the side."""
    for placed in tries(layout.large, ITEMS[1:2], by_name()["red background"]):
        assert 0.55 <= placed[0].size <= 0.85
        assert abs(placed[0].x - 0.5) <= 0.06
        assert abs(placed[0].y - 0.5) <= 0.06


def test_outlines_are_measured() -> None:
    """A triangle that stands on its base: it fills its tile's height, and its lid is at its tip."""
    ball, box, tree = (row[0] for row in outlines(toy_sprites()))

    assert abs(ball.width - ball.height) < 0.03
    assert box.height < 0.8 * box.width
    assert abs(tree.bottom - 0.46) < 0.03
    assert abs(tree.lid - tree.top) < 0.03


def test_a_thing_is_lost_on_its_own_colour() -> None:
    """A red ball on red, but not on blue; an empty tile on nothing."""
    ball, box, _tree = (row[0] for row in outlines(toy_sprites()))

    assert "red background" in ball.lost_on
    assert "blue background" in box.lost_on
    assert "blue background" not in ball.lost_on
    assert not layout._outline(torch.zeros(4, 64, 64, dtype=torch.uint8)).lost_on
