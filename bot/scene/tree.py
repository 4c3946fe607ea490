"""A Scene's history as a picture: thumbnails, from left to right, each linked to the one it came of.

Long chains and wide fans are folded (`tree_layout`): a branch that goes on elsewhere ends in an arrow, and where it
does go on, a small copy of its parent stands before it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

import msgspec
from PIL import Image, ImageDraw

from bot import texts
from bot.lettering import fitting, font
from bot.scene.tree_layout import Grid, Layout, Placed, lay_out

THUMBNAIL = 192
"""Pixels: no side of a thumbnail is drawn larger."""

MOST_SIDE = 4096
MOST_NODES = 200

BACKGROUND = (43, 45, 49)
_EMPTY, _FRAME, _LINK, _WAY = (54, 57, 63), (92, 96, 104), (110, 115, 125), (139, 148, 255)
_CURRENT, _WHITE, _GREY, _SHADE = (255, 200, 70), (255, 255, 255), (190, 194, 202), (30, 31, 34)
_AUTHORS = (
    (87, 190, 255),
    (255, 140, 160),
    (130, 215, 120),
    (240, 180, 90),
    (190, 150, 255),
    (110, 215, 205),
)
_SIZES = ((THUMBNAIL, 2200), (160, 2800), (128, 3600), (112, MOST_SIDE), (96, MOST_SIDE))
"""Sides of thumbnails, and of the whole. In a large picture words can only be read where thumbnails are small."""

_MARGIN, _ACROSS, _TAG = 36, 40, 56
_LARGE, _SMALL, _LABEL = 20, 17, 50


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A Picture in the tree. Its words are short, for they stand below its thumbnail and are cut to its width.

    title: how it came about. detail: for instance its strength. author: as people call them. deleted: a tombstone.
    """

    number: int
    parent: int | None = None
    title: str = ""
    detail: str = ""
    author: str = ""
    deleted: bool = False
    current: bool = False


def draw_tree(nodes: Sequence[Node], thumbnails: Mapping[int, Image.Image]) -> Image.Image:
    """RGB, no side above MOST_SIDE. Raises ValueError without a node.

    nodes: one or more, each number once; a parent that is not among them counts as none. thumbnails: by number, of any
    size; whoever has none gets an empty frame. Of more than MOST_NODES the newest are drawn, and the way to the
    current one; the others are counted.
    """
    if not nodes:
        raise ValueError("a tree without nodes")
    drawn = None
    for most in (
        MOST_NODES,
        MOST_NODES // 2,
        MOST_NODES // 4,
    ):  # few trees of that many nodes have no folding that fits
        drawn = drawn or _drawn(_Forest(nodes, most), thumbnails)
    assert drawn is not None
    return drawn


def _drawn(forest: _Forest, thumbnails: Mapping[int, Image.Image]) -> Image.Image | None:
    """With the largest thumbnails that fit; None if none do."""
    for side, most in _SIZES:
        grid = _grid(side, forest.by_number, thumbnails)
        layout = lay_out(forest.children, forest.roots, grid, most - 2 * _MARGIN)
        if layout is not None:
            return _Drawing(forest, thumbnails, grid, layout).image
    return None


class _Forest:
    """What is drawn, by number. Those left out are counted in `left_out`, below the last of their branch that is there.

    children: of each node, in order; the keys of `left_out` are negative numbers that stand for no Picture.
    """

    def __init__(self, nodes: Sequence[Node], most: int) -> None:
        everything = {node.number: node for node in sorted(nodes, key=lambda node: node.number)}
        origins = {number: _parent(node, everything) for number, node in everything.items()}
        kept = _kept(everything, origins, most)
        self.by_number = {number: everything[number] for number in everything if number in kept}
        self.left_out: dict[int, int] = {}
        self.children: dict[int, list[int]] = {}
        self.parents: dict[int, int] = {}
        self.roots: list[int] = []
        self._build(origins)

    def _build(self, origins: Mapping[int, int | None]) -> None:
        """Oldest first: what stands for a node that is left out is there before its children."""
        stands_for: dict[int | None, int | None] = {None: None}
        for number, parent in origins.items():
            above = stands_for[parent]
            if number in self.by_number:
                stands_for[number] = number
                self._link(number, above)
                continue
            # A branch of those left out is one entry, however long it is.
            entry = above if above is not None and above < 0 else self._entry(above)
            stands_for[number] = entry
            self.left_out[entry] += 1

    def _entry(self, ancestor: int | None) -> int:
        """The key of what counts those left out right below this node; None: below no node at all."""
        key = -1 if ancestor is None else -2 - ancestor
        if key not in self.left_out:
            self.left_out[key] = 0
            self._link(key, ancestor)
        return key

    def _link(self, key: int, parent: int | None) -> None:
        if parent is None:
            self.roots.append(key)
            return
        self.parents[key] = parent
        self.children.setdefault(parent, []).append(key)

    def way(self) -> set[int]:
        """From a root to the current one, both included."""
        place = next((node.number for node in self.by_number.values() if node.current), None)
        found: set[int] = set()
        while place is not None:
            found.add(place)
            place = self.parents.get(place)
        return found


def _parent(node: Node, everything: Mapping[int, Node]) -> int | None:
    """A parent is always older: whatever else the numbers say, there is no circle."""
    known = node.parent is not None and node.parent in everything and node.parent < node.number
    return node.parent if known else None


def _kept(everything: Mapping[int, Node], origins: Mapping[int, int | None], most: int) -> set[int]:
    """The current one and the newest, with their ancestors while there is room, or at least with their roots."""
    if len(everything) <= most:
        return set(everything)
    roots: dict[int, int] = {}
    for number, parent in origins.items():
        roots[number] = number if parent is None else roots[parent]
    kept: set[int] = set()
    room = most // 2  # every entry of what is left out takes a place as well
    for node in sorted(everything.values(), key=lambda node: (node.current, node.number), reverse=True):
        way = {node.number, *itertools.islice(_ancestors(node.number, origins), room)}
        for wanted in (way, {node.number, roots[node.number]}):
            if len(kept | wanted) <= room:
                kept |= wanted
                break
        if len(kept) == room:
            break
    return kept


def _ancestors(number: int, origins: Mapping[int, int | None]) -> Iterator[int]:
    """From its parent to its root."""
    parent = origins[number]
    while parent is not None:
        yield parent
        parent = origins[parent]


def _grid(side: int, nodes: Mapping[int, Node], thumbnails: Mapping[int, Image.Image]) -> Grid:
    """The cells of a Scene of wide pictures are wide."""
    shapes = [thumbnails[number].size for number in nodes if number in thumbnails] or [(1, 1)]
    box = max(side // 2, max(min(side, side * height // width) for width, height in shapes))
    return Grid(side, box + _LABEL, _ACROSS, side // 8, _TAG + _ACROSS, _ACROSS * 3 // 2)


class _Drawing:
    """Links first, so that thumbnails lie on top of them."""

    def __init__(
        self, forest: _Forest, thumbnails: Mapping[int, Image.Image], grid: Grid, layout: Layout
    ) -> None:
        self.image = Image.new("RGB", (layout.width + 2 * _MARGIN, layout.height + 2 * _MARGIN), BACKGROUND)
        self._draw = ImageDraw.Draw(self.image)
        self._forest, self._grid = forest, grid
        self._pictures = {
            number: _fitted(thumbnails[number], (grid.width, grid.height - _LABEL))
            for number, node in forest.by_number.items()
            if number in thumbnails and not node.deleted
        }
        self._way = forest.way()
        authors = dict.fromkeys(node.author for node in forest.by_number.values() if node.author)
        self._colours = (
            dict(zip(authors, itertools.cycle(_AUTHORS), strict=False)) if len(authors) > 1 else {}
        )
        blocks = [_moved(block) for block in layout.blocks]
        for block in blocks:
            self._links(block)
        for block in blocks:
            self._block(block)

    def _block(self, block: Placed) -> None:
        if block.after is not None:
            self._tag(block)
        for key, place in block.cells.items():
            if key in self._forest.left_out:
                self._count(key, place)
            else:
                self._node(self._forest.by_number[key], place)

    def _node(self, node: Node, place: tuple[int, int]) -> None:
        box = self._box(node.number, place)
        picture = self._pictures.get(node.number)
        if node.deleted:
            self._dashed(box)
            self._in_middle(texts.DELETED_PICTURE, box)
        elif picture is None:
            self._draw.rectangle(box, fill=_EMPTY, outline=_FRAME)
        else:
            self.image.paste(picture, box[:2])
            self._draw.rectangle(box, outline=_FRAME)
        if node.current:
            self._current(box)
        self._label(node, (place[0], box[3] + 1))

    def _label(self, node: Node, place: tuple[int, int]) -> None:
        left, top = place
        if node.author in self._colours:
            self._draw.rectangle((left, top + 9, left + 3, top + _LABEL - 5), fill=self._colours[node.author])
            left += 10
        room = place[0] + self._grid.width - left
        number = str(node.number)
        after = round(font(_LARGE).getlength(f"{number} "))
        self._draw.text((left, top + 6), number, font=font(_LARGE), fill=_CURRENT if node.current else _WHITE)
        title = fitting(node.title, _LARGE, room - after)
        self._draw.text((left + after, top + 6), title, font=font(_LARGE), fill=_GREY)
        below = " · ".join(word for word in (node.detail, node.author) if word)
        self._draw.text((left, top + 30), fitting(below, _SMALL, room), font=font(_SMALL), fill=_GREY)

    def _current(self, box: tuple[int, int, int, int]) -> None:
        left, top, right, bottom = box
        self._draw.rectangle((left - 5, top - 5, right + 5, bottom + 5), outline=_CURRENT, width=5)
        width = round(font(_SMALL).getlength(texts.CURRENT_PICTURE))
        self._draw.rectangle((left, top, left + width + 12, top + 24), fill=_CURRENT)
        self._draw.text((left + 6, top + 2), texts.CURRENT_PICTURE, font=font(_SMALL), fill=_SHADE)

    def _count(self, key: int, place: tuple[int, int]) -> None:
        box = self._box(key, place)
        self._dashed(box)
        self._in_middle(texts.more_pictures(self._forest.left_out[key]), box)

    def _in_middle(self, words: str, box: tuple[int, int, int, int]) -> None:
        middle = ((box[0] + box[2]) // 2, (box[1] + box[3]) // 2)
        shown = fitting(words, _SMALL, box[2] - box[0] - 4)
        self._draw.text(middle, shown, font=font(_SMALL), fill=_GREY, anchor="mm")

    def _dashed(self, box: tuple[int, int, int, int]) -> None:
        left, top, right, bottom = box
        for x in range(left, right, 14):
            for y in (top, bottom):
                self._draw.line((x, y, min(x + 7, right), y), fill=_FRAME, width=2)
        for y in range(top, bottom, 14):
            for x in (left, right):
                self._draw.line((x, y, x, min(y + 7, bottom)), fill=_FRAME, width=2)

    def _tag(self, block: Placed) -> None:
        """The node that the block goes on from, small and dimmed."""
        assert block.after is not None
        left, middle = block.left, self._middle_of(block)
        picture = self._pictures.get(block.after)
        box = (left, middle - _TAG // 2, left + _TAG, middle + _TAG // 2)
        self._draw.rectangle(box, fill=_EMPTY)
        if picture is not None:
            small = Image.blend(picture, Image.new("RGB", picture.size, BACKGROUND), 0.4)
            small.thumbnail((_TAG, _TAG), Image.Resampling.LANCZOS)
            self.image.paste(small, (left + (_TAG - small.width) // 2, middle - small.height // 2))
        self._draw.rectangle(box, outline=_FRAME)
        words = "…" if block.after in self._forest.left_out else str(block.after)
        self._draw.text(
            (left + _TAG // 2, middle), words, font=font(_LARGE), fill=_WHITE, anchor="mm", stroke_width=3,
            stroke_fill=_SHADE,
        )  # fmt: skip

    def _links(self, block: Placed) -> None:
        links = []
        if block.after is not None:
            first = [key for key in block.cells if self._forest.parents.get(key) == block.after]
            links += [((block.left + _TAG, self._middle_of(block)), key) for key in first]
        for parent, place in block.cells.items():
            children = self._forest.children.get(parent, ())
            links += [(self._right_of(parent, place), child) for child in children if child in block.cells]
            if not all(child in block.cells for child in children):
                self._arrow(parent, place, any(child in block.cells for child in children))
        for (x, y), key in sorted(links, key=lambda link: link[1] in self._way):
            self._link((x, y), key, block.cells[key])

    def _link(self, start: tuple[int, int], key: int, place: tuple[int, int]) -> None:
        box = self._box(key, place)
        end = (box[0], (box[1] + box[3]) // 2)
        if abs(start[1] - end[1]) <= 2:  # halves of pixels
            start = (start[0], end[1])
        bend = place[0] - _ACROSS // 2
        colour, width = (_WAY, 5) if key in self._way else (_LINK, 3)
        points = [start, (bend, start[1]), (bend, end[1]), end]
        self._draw.line(points, fill=colour, width=width, joint="curve")

    def _arrow(self, key: int, place: tuple[int, int], beside_links: bool) -> None:
        """The branch goes on in another block."""
        x, y = self._right_of(key, place)
        y += 16 if beside_links else 0
        on_way = any(child in self._way for child in self._forest.children[key])
        colour = _WAY if on_way and key in self._way and not beside_links else _LINK
        tip = place[0] + self._grid.width + _ACROSS // 2 - 4
        self._draw.line((x, y, tip - 8, y), fill=colour, width=3)
        self._draw.polygon([(tip - 10, y - 7), (tip - 10, y + 7), (tip, y)], fill=colour)

    def _box(self, key: int, place: tuple[int, int]) -> tuple[int, int, int, int]:
        """Where the thumbnail lies in its cell: left, top, right, bottom."""
        width, height = self._grid.width, self._grid.height - _LABEL
        picture = self._pictures.get(key)
        if picture is not None:
            wide, high = picture.size
        else:
            wide, high = (width, height // 2) if key in self._forest.left_out else (width, height)
        left, top = place[0] + (width - wide) // 2, place[1] + (height - high) // 2
        return left, top, left + wide - 1, top + high - 1

    def _right_of(self, key: int, place: tuple[int, int]) -> tuple[int, int]:
        _, top, right, bottom = self._box(key, place)
        return right, (top + bottom) // 2

    def _middle_of(self, block: Placed) -> int:
        """How high the tag stands: in the middle of what goes on from there."""
        first = [place for key, place in block.cells.items() if self._forest.parents.get(key) == block.after]
        return (first[0][1] + first[-1][1] + self._grid.height - _LABEL) // 2


def _moved(block: Placed) -> Placed:
    """By the margin of the whole picture."""
    cells = {key: (left + _MARGIN, top + _MARGIN) for key, (left, top) in block.cells.items()}
    return Placed(block.left + _MARGIN, block.top + _MARGIN, block.after, cells)


def _fitted(picture: Image.Image, box: tuple[int, int]) -> Image.Image:
    """RGB of at most that size; what is transparent lies on squares of two greys."""
    small = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    small.thumbnail(box, Image.Resampling.LANCZOS)
    if small.mode == "RGB":
        return small
    ground = Image.new("RGB", small.size, (110, 110, 110))
    draw = ImageDraw.Draw(ground)
    for left, top in itertools.product(range(0, small.width, 8), range(0, small.height, 8)):
        if (left + top) % 16:
            draw.rectangle((left, top, left + 7, top + 7), fill=(140, 140, 140))
    ground.paste(small, mask=small)
    return ground
