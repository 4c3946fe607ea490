"""A Scene's history as a picture: everybody is on it, nobody covers another, and it stays a picture one can open."""

from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from PIL import Image

from bot.lettering import drawable, fitting, font
from bot.scene.tree import BACKGROUND, MOST_NODES, MOST_SIDE, THUMBNAIL, Node, draw_tree
from bot.scene.tree_layout import Grid, Layout, lay_out

GRID = Grid(width=100, height=80, across=40, down=20, tag=90, apart=60)
LIMIT_BYTES = 8 * 2**20


def colour(number: int) -> tuple[int, int, int]:
    """One that only this thumbnail has, and no part of the drawing."""
    return 200 + number // 50, 5 * (number % 50), 20


def thumbnails(nodes: list[Node], size: tuple[int, int] = (64, 48)) -> dict[int, Image.Image]:
    return {node.number: Image.new("RGB", size, colour(node.number)) for node in nodes}


def colours_in(picture: Image.Image) -> set[int]:
    """As 0xRRGGBB."""
    red, green, blue = np.moveaxis(np.asarray(picture).astype(np.int64), 2, 0)
    return set(np.unique(red << 16 | green << 8 | blue).tolist())


def _as_number(rgb: tuple[int, int, int]) -> int:
    return rgb[0] << 16 | rgb[1] << 8 | rgb[2]


def shown_in(picture: Image.Image, nodes: list[Node]) -> list[int]:
    """The numbers of those whose thumbnail is seen."""
    seen = colours_in(picture)
    return [node.number for node in nodes if _as_number(colour(node.number)) in seen]


def chain(count: int) -> list[Node]:
    return [Node(number=number, parent=number - 1 or None, title="reply") for number in range(1, count + 1)]


def fan(count: int) -> list[Node]:
    return [Node(number=number, parent=None if number == 1 else 1) for number in range(1, count + 1)]


def bushes(count: int) -> list[Node]:
    """Four of each, the third goes on."""
    return [
        Node(number=number, parent=max(1, (number - 2) // 4 * 4 - 1) if number > 1 else None)
        for number in range(1, count + 1)
    ]


def single(count: int) -> list[Node]:
    return [Node(number=number) for number in range(1, count + 1)]


@st.composite
def forests(draw: st.DrawFn) -> list[Node]:
    count = draw(st.integers(1, 60))
    return [
        Node(number=number, parent=draw(st.none() | st.integers(1, number))) for number in range(1, count + 1)
    ]


# Where they go


def children_of(nodes: list[Node]) -> tuple[dict[int, list[int]], list[int]]:
    children: dict[int, list[int]] = {}
    roots = []
    for node in nodes:
        if node.parent is None or node.parent == node.number:
            roots.append(node.number)
        else:
            children.setdefault(node.parent, []).append(node.number)
    return children, roots


def cells_of(layout: Layout) -> list[tuple[int, int]]:
    return [place for block in layout.blocks for place in block.cells.values()]


@given(nodes=forests())
@settings(max_examples=25, deadline=None)
def test_everybody_has_a_place_of_their_own(nodes: list[Node]) -> None:
    """Each node once, no two cells over each other, all of them on the picture, children right of their parents."""
    children, roots = children_of(nodes)

    layout = lay_out(children, roots, GRID, 10_000)

    assert layout is not None
    places = {number: place for block in layout.blocks for number, place in block.cells.items()}
    assert sorted(number for block in layout.blocks for number in block.cells) == [
        node.number for node in nodes
    ]
    for (left, top), (other_left, other_top) in itertools.combinations(places.values(), 2):
        assert abs(left - other_left) >= GRID.width or abs(top - other_top) >= GRID.height
    assert all(0 <= left <= layout.width - GRID.width for left, _ in places.values())
    assert all(0 <= top <= layout.height - GRID.height for _, top in places.values())
    for block in layout.blocks:
        for parent, number in itertools.product(block.cells, block.cells):
            if number in children.get(parent, ()):
                assert places[number][0] == places[parent][0] + GRID.width + GRID.across


@given(nodes=forests())
@settings(max_examples=25, deadline=None)
def test_a_block_says_where_it_goes_on_from(nodes: list[Node]) -> None:
    """What has no link within its block is a root, or a child of the node that its block names."""
    children, roots = children_of(nodes)

    layout = lay_out(children, roots, GRID, 10_000)

    assert layout is not None
    parents = {child: parent for parent, those in children.items() for child in those}
    for block in layout.blocks:
        loose = {number for number in block.cells if parents.get(number) not in block.cells}
        assert {parents.get(number) for number in loose} == {block.after}


@pytest.mark.parametrize(
    "nodes", [chain(40), fan(41), single(40), bushes(60)], ids=["chain", "fan", "single", "bushes"]
)
def test_no_tree_becomes_a_strip(nodes: list[Node]) -> None:
    """Chains, fans and forests are folded to something between a phone and a monitor."""
    layout = lay_out(*children_of(nodes), GRID, 10_000)

    assert layout is not None
    assert 0.5 <= layout.width / layout.height <= 2.2


def test_what_is_small_is_not_folded() -> None:
    """The control of the test above: four in a row stay in one row, and a family of five in one block."""
    row, family = lay_out(*children_of(chain(4)), GRID, 10_000), lay_out(*children_of(fan(5)), GRID, 10_000)

    assert row is not None
    assert family is not None
    assert len({top for _, top in cells_of(row)}) == 1
    assert len(row.blocks) == len(family.blocks) == 1


def test_what_does_not_fit_is_not_laid_out() -> None:
    """The caller then takes smaller cells."""
    assert lay_out(*children_of(single(40)), GRID, 300) is None


# What is drawn


@pytest.mark.parametrize("nodes", [single(1), chain(5), bushes(24), chain(41), fan(60), bushes(120)])
def test_everybody_is_seen(nodes: list[Node]) -> None:
    """Each thumbnail's colour is there; a colour that no thumbnail has is not."""
    picture = draw_tree(nodes, thumbnails(nodes))

    assert picture.mode == "RGB"
    assert shown_in(picture, [*nodes, Node(number=len(nodes) + 1)]) == [node.number for node in nodes]


def test_the_same_history_is_the_same_picture() -> None:
    """To the byte, in whatever order it is told; another current one is another picture."""
    nodes = bushes(24)
    elsewhere = [structs.replace(node, current=node.number == 9) for node in nodes]
    first, second, third = (draw_tree(those, thumbnails(nodes)) for those in (nodes, nodes[::-1], elsewhere))

    assert first.tobytes() == second.tobytes()
    assert first.tobytes() != third.tobytes()


@pytest.mark.parametrize("shape", [(64, 64), (64, 200), (200, 64)])
@pytest.mark.parametrize("nodes", [chain(200), fan(200), single(200), bushes(200), bushes(900)])
def test_the_largest_can_be_sent(nodes: list[Node], shape: tuple[int, int]) -> None:
    """Within four thousand pixels and eight mebibytes, even if every thumbnail is noise."""
    noise = Image.effect_noise((THUMBNAIL, THUMBNAIL), 90).convert("RGB")

    picture = draw_tree(nodes, {node.number: noise.resize(shape) for node in nodes})

    file = io.BytesIO()
    picture.save(file, "WEBP", quality=82, method=0)
    assert max(picture.size) <= MOST_SIDE
    assert len(file.getvalue()) <= LIMIT_BYTES


def test_of_many_the_newest_are_drawn() -> None:
    """With the root of their branch; those between are counted and leave no other trace."""
    nodes = chain(MOST_NODES + 1)

    picture = draw_tree(nodes, thumbnails(nodes))

    newest = range(MOST_NODES - MOST_NODES // 2 + 3, MOST_NODES + 2)
    assert shown_in(picture, nodes) == [1, *newest]


def test_of_many_the_current_one_is_drawn() -> None:
    """With its way from the root, however old it is; the same picture is left out where it is not current."""
    nodes = [*fan(200), Node(number=201, parent=5)]
    current = [structs.replace(node, current=node.number == 7) for node in nodes]

    assert 7 in shown_in(draw_tree(current, thumbnails(current)), nodes)
    assert 7 not in shown_in(draw_tree(nodes, thumbnails(nodes)), nodes)


def test_a_tombstone_shows_nothing_of_its_picture() -> None:
    """Even if somebody still has its thumbnail."""
    nodes = [structs.replace(node, deleted=node.number == 2) for node in chain(3)]

    assert shown_in(draw_tree(nodes, thumbnails(nodes)), nodes) == [1, 3]


def test_transparent_parts_lie_on_squares() -> None:
    """A Piece is not taken for a picture with a white or black ground."""
    piece = Image.new("RGBA", (64, 64), (255, 0, 0, 0))

    picture = draw_tree([Node(number=1)], {1: piece})

    assert {0x6E6E6E, 0x8C8C8C} <= colours_in(picture)
    assert 0xFF0000 not in colours_in(picture)


@pytest.mark.parametrize(
    "nodes",
    [
        [Node(number=2, parent=1)],
        [Node(number=1, parent=1)],
        [Node(number=1, parent=2), Node(number=2, parent=1)],
        [Node(number=1, title="月" * 99, detail="\0", author="\u202e")],
        [Node(number=1, title="x" * 999, author="a" * 999), Node(number=2, parent=1, author="b")],
    ],
)
def test_odd_histories_are_drawn_as_well(nodes: list[Node]) -> None:
    """Missing parents, circles, and words without an end or a letter that can be drawn."""
    assert draw_tree(nodes, {}).getpixel((0, 0)) == BACKGROUND


def test_a_tree_needs_a_node() -> None:
    """An empty Scene is said in words, by whoever asks."""
    with pytest.raises(ValueError, match="without nodes"):
        draw_tree([], {})


@given(sizes=st.lists(st.integers(1, 30), min_size=1, max_size=6), data=st.data())
@settings(max_examples=20, deadline=None)
def test_any_number_can_be_left_out(sizes: list[int], data: st.DataObject) -> None:
    """Whatever shape a long history has, it is drawn."""
    nodes: list[Node] = []
    for size in sizes:
        first = len(nodes) + 1
        origin = data.draw(st.none() | st.integers(1, first))
        nodes += [
            Node(number=first + step, parent=first + step - 1 if step % 7 else origin, deleted=step % 5 == 0)
            for step in range(size * 12)
        ]

    assert max(draw_tree(nodes, {}).size) <= MOST_SIDE


# Words


@pytest.mark.parametrize(
    "text, shown",
    [
        ("Zoë — ½ Straße", "Zoë — ½ Straße"),
        ("Łukasz\n\tØrsted Катя", "Łukasz Ørsted Катя"),
        ("月の Ａ moon\uffff", "A moon"),
        ("", ""),
        ("ok…", "ok…"),
    ],
)
def test_words_are_drawn_with_the_letters_there_are(text: str, shown: str) -> None:
    """Those of many scripts; others are left out or said more plainly: no boxes."""
    assert drawable(text) == shown


@given(text=st.text(max_size=60), width=st.integers(20, 200))
def test_words_stay_within_their_width(text: str, width: int) -> None:
    """Cut with a … where they are longer."""
    assert font(17).getlength(fitting(text, 17, width)) <= width
