"""Where the nodes of a tree go: from left to right, folded so that the whole is about as high as it is wide.

A chain of forty would be a strip that nobody can read on a phone. So a tree is cut into blocks of a few columns and of
a few children per node: what goes on beyond that becomes a block of its own. Blocks stand in lines as words do. Which
folding reads best is tried out: the one that is largest on a screen, with as few cuts as that allows.

Within a block subtrees are as close together as their outlines let them be (Reingold & Tilford 1981).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

_COLUMNS = (2, 3, 4, 5, 6, 7, 8, 10)
_FANS = (3, 4, 5, 6, 8, 12)
_SCREEN = (1200, 960)
"""Between a phone held upright and a monitor."""

_LOSS_PER_CUT = 0.96


class Grid(NamedTuple):
    """Pixels: of a cell, between cells, of what stands before a block that goes on from another, between blocks."""

    width: int
    height: int
    across: int
    down: int
    tag: int
    apart: int


class Placed(NamedTuple):
    """A block on the whole picture. cells: left and top of each node's cell. after: the node that it goes on from."""

    left: int
    top: int
    after: int | None
    cells: dict[int, tuple[int, int]]


class Layout(NamedTuple):
    width: int
    height: int
    blocks: tuple[Placed, ...]


class _Block(NamedTuple):
    """cells: column and row of each node, from 0; rows may be halves, and no two of a column are closer than 1."""

    after: int | None
    cells: dict[int, tuple[int, float]]

    def size(self, grid: Grid) -> tuple[int, int]:
        columns = 1 + max(column for column, _ in self.cells.values())
        rows = 1 + max(row for _, row in self.cells.values())
        width = columns * (grid.width + grid.across) - grid.across
        tag = 0 if self.after is None else grid.tag
        return tag + width, round(rows * (grid.height + grid.down)) - grid.down


def lay_out(
    children: Mapping[int, Sequence[int]], roots: Sequence[int], grid: Grid, most: int
) -> Layout | None:
    """The folding that reads best with both sides at most `most` pixels; None if there is none. Roots: one or more."""
    best, best_score = None, 0.0
    for columns in _COLUMNS:
        for fan in _FANS:
            blocks = _Cutter(children, columns, fan).blocks(roots)
            sizes = [block.size(grid) for block in blocks]
            for width in _widths(sizes, most):
                layout = _in_lines(blocks, sizes, grid, width)
                score = min(1, _SCREEN[0] / layout.width, _SCREEN[1] / layout.height) * _LOSS_PER_CUT ** len(
                    blocks
                )
                if max(layout.width, layout.height) <= most and score > best_score:
                    best, best_score = layout, score
    return best


def _widths(sizes: Sequence[tuple[int, int]], most: int) -> set[int]:
    widest = max(width for width, _ in sizes)
    return {max(widest, most * eighth // 8) for eighth in range(9)}


def _in_lines(blocks: Sequence[_Block], sizes: Sequence[tuple[int, int]], grid: Grid, width: int) -> Layout:
    """A low block leaves room below it for the next ones."""
    placed: list[Placed] = []
    widest = height = 0
    line = left = top = right = 0  # where the line begins, and the next block; how far those above it reach
    for block, (wide, high) in zip(blocks, sizes, strict=True):
        if top + high > height or left + wide > width:
            left, top = right + grid.apart if placed else 0, line
            if left + wide > width:
                left, top, line = 0, height + grid.apart, height + grid.apart
        placed.append(_placed(block, grid, left, top))
        right = max(right, left + wide) if top > line else left + wide
        widest, height = max(widest, right), max(height, top + high)
        top += high + grid.apart
    return Layout(widest, height, tuple(placed))


def _placed(block: _Block, grid: Grid, left: int, top: int) -> Placed:
    begin = left + (0 if block.after is None else grid.tag)
    cells = {
        node: (begin + column * (grid.width + grid.across), top + round(row * (grid.height + grid.down)))
        for node, (column, row) in block.cells.items()
    }
    return Placed(left, top, block.after, cells)


class _Subtree(NamedTuple):
    """cells: as in a block, the first root in row 0. reach: the least and the greatest row of each column from here."""

    cells: dict[int, tuple[int, float]]
    reach: list[tuple[float, float]]


class _Cutter:
    """Cuts a forest to blocks of at most so many columns and children per node."""

    def __init__(self, children: Mapping[int, Sequence[int]], columns: int, fan: int) -> None:
        self._children = children
        self._columns = columns
        self._fan = fan
        self._waiting: list[tuple[int | None, Sequence[int]]] = []

    def blocks(self, roots: Sequence[int]) -> list[_Block]:
        """In reading order: what goes on from a block stands right behind it."""
        made = []
        waiting: list[tuple[int | None, Sequence[int]]] = [(None, [root]) for root in reversed(roots)]
        while waiting:
            after, starts = waiting.pop()
            self._waiting = []
            made.append(self._block(after, starts))
            waiting += reversed(self._waiting)
        return made

    def _block(self, after: int | None, starts: Sequence[int]) -> _Block:
        tree = _side_by_side([self._subtree(start, 0) for start in starts])
        top = min(row for _, row in tree.cells.values())
        return _Block(after, {node: (column, row - top) for node, (column, row) in tree.cells.items()})

    def _subtree(self, node: int, column: int) -> _Subtree:
        here = self._kept(node, column)
        if not here:
            return _Subtree({node: (column, 0.0)}, [(0.0, 0.0)])
        below = _side_by_side([self._subtree(child, column + 1) for child in here])
        middle = (below.cells[here[0]][1] + below.cells[here[-1]][1]) / 2
        cells = {each: (at, row - middle) for each, (at, row) in below.cells.items()}
        reach = [(least - middle, greatest - middle) for least, greatest in below.reach]
        return _Subtree({node: (column, 0.0), **cells}, [(0.0, 0.0), *reach])

    def _kept(self, node: int, column: int) -> Sequence[int]:
        """Those of its children that stand in this block; the others wait for theirs.

        Where a branch would end with the next column, it is not cut for that.
        """
        children = self._children.get(node, ())
        parts = _parts(children, self._fan)
        ends = column + 1 == self._columns and not any(self._children.get(child) for child in children)
        kept = parts[:1] if column + 1 < self._columns or ends else []
        self._waiting += [(node, part) for part in parts[len(kept) :]]
        return kept[0] if kept else ()


def _parts(children: Sequence[int], fan: int) -> list[Sequence[int]]:
    return [children[start : start + fan] for start in range(0, len(children), fan)]


def _side_by_side(trees: Sequence[_Subtree]) -> _Subtree:
    """One below the other, as close as their outlines allow; the rows are those of the first."""
    cells, reach = dict(trees[0].cells), list(trees[0].reach)
    for tree in trees[1:]:
        shift = max(low[1] + 1 - high[0] for low, high in zip(reach, tree.reach, strict=False))
        cells |= {node: (column, row + shift) for node, (column, row) in tree.cells.items()}
        for depth, (least, greatest) in enumerate(tree.reach):
            if depth < len(reach):
                reach[depth] = (reach[depth][0], greatest + shift)
            else:
                reach.append((least + shift, greatest + shift))
    return _Subtree(cells, reach)
