"""How people say which part of a picture they mean: cells of a grid, words, percents. Pure text; knows no pixels."""

from __future__ import annotations

import difflib
import math
import re
import unicodedata

import msgspec

from bot import texts
from bot.errors import BadOption
from inference import Size

CELLS = 8
"""On the longer side: few enough to be read on a phone, and one letter names a column."""

MOST_SPOTS = 64
"""As many as a square picture has cells."""


class Grid(msgspec.Struct, frozen=True):
    """Cells that are about square: columns A, B, … from the left, rows 1, 2, … from the top."""

    columns: int
    rows: int

    @property
    def last(self) -> str:
        return cell_name(self.columns - 1, self.rows - 1)


class Spot(msgspec.Struct, frozen=True):
    """A part of a picture in shares of its sides, 0 to 1 from the top left. round: the ellipse within."""

    left: float
    top: float
    right: float
    bottom: float
    round: bool = False

    @property
    def centre(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


def grid_of(size: Size) -> Grid:
    longer = max(size.width, size.height)
    columns, rows = (
        min(side, max(1, math.floor(CELLS * side / longer + 0.5))) for side in (size.width, size.height)
    )
    return Grid(columns, rows)


def cell_name(column: int, row: int) -> str:
    return f"{chr(ord('A') + column)}{row + 1}"


def spots_in(text: str, size: Size) -> list[Spot]:
    """Every part that the text names. Raises BadOption for the first that means nothing or lies outside."""
    rest, grid = _tidied(text), grid_of(size)
    spots: list[Spot] = []
    while rest:
        part = _PART.match(rest)
        assert part is not None  # its last alternative takes anything
        rest = rest[part.end() :].lstrip(_BETWEEN)
        spots += _spots(part, grid)
    if not spots:
        raise BadOption(texts.REGION_EMPTY)
    if len(spots) > MOST_SPOTS:
        raise BadOption(texts.too_many_parts(len(spots), MOST_SPOTS))
    return spots


def point_in(text: str, size: Size) -> tuple[float, float]:
    """The middle of a cell or range, or a point in percents, as shares. Raises BadOption for anything else."""
    tidied = _tidied(text)
    if point := _POINT.fullmatch(tidied):
        x, y = _shares(point.groups())
        return x, y
    if (cells := _CELLS.fullmatch(tidied)) is None:
        raise BadOption(texts.place_unknown(text, _nearest(tidied)))
    return _range(cells, grid_of(size)).centre


def anchor_in(text: str) -> tuple[float, float] | None:
    """(0, 0) for "top left" to (1, 1) for "bottom right"; None for other words."""
    return _ANCHORS.get(_words(_tidied(text)))


def _spots(part: re.Match[str], grid: Grid) -> list[Spot]:
    if part["percents"]:
        spots = [_percents(part["percents"])]
    else:
        spots = [_spot(words, grid) for words in _cells_apart(part["words"])]
    is_round = part["shape"] in _ROUND
    return [msgspec.structs.replace(spot, round=is_round) for spot in spots]


def _spot(words: str, grid: Grid) -> Spot:
    if not words:
        raise BadOption(texts.REGION_EMPTY)
    if cells := _CELLS.fullmatch(words):
        return _range(cells, grid)
    if (spot := _NAMED.get(_words(words))) is None:
        raise BadOption(texts.region_unknown(words, _nearest(words)))
    return spot


def _cells_apart(words: str) -> list[str]:
    """Two cells side by side are a range; more of them are a list."""
    cells = words.split()
    return cells if len(cells) > 2 and all(map(_CELLS.fullmatch, cells)) else [words]


def _range(cells: re.Match[str], grid: Grid) -> Spot:
    ends = [_cell(name, grid) for name in cells.groups() if name]
    columns, rows = zip(*ends, strict=True)
    return Spot(
        min(columns) / grid.columns,
        min(rows) / grid.rows,
        (max(columns) + 1) / grid.columns,
        (max(rows) + 1) / grid.rows,
    )


def _cell(name: str, grid: Grid) -> tuple[int, int]:
    column, row = ord(name[0]) - ord("a"), int(name[1:]) - 1
    inside = min(column, grid.columns - 1), min(max(row, 0), grid.rows - 1)
    if (column, row) != inside:
        raise BadOption(texts.cell_outside(name.upper(), grid.last, cell_name(*inside)))
    return inside


def _percents(text: str) -> Spot:
    left, top, right, bottom = _shares(_NUMBER.findall(text))
    (left, right), (top, bottom) = sorted((left, right)), sorted((top, bottom))
    if left == right or top == bottom:
        raise BadOption(texts.REGION_TOO_SMALL)
    return Spot(left, top, right, bottom)


def _shares(percents: tuple[str, ...] | list[str]) -> list[float]:
    shares = [float(percent) / 100 for percent in percents]
    if max(shares) > 1:
        raise BadOption(texts.PERCENTS_OUTSIDE)
    return shares


def _tidied(text: str) -> str:
    """Lower case, with plain dashes, whatever a phone made of them, and commas between parts."""
    plain = re.sub(r"[‐-―−]", "-", unicodedata.normalize("NFKC", text).lower())
    return re.sub(r"\band\b", ",", plain).strip(_BETWEEN)


def _words(text: str) -> frozenset[str]:
    """ "The upper left-hand corner" and "topleft" are the words top and left."""
    apart = re.sub(r"(top|bottom|upper|lower)(?=left|right|cent|middle|half)", r"\1 ", text)
    words = (_SAME.get(word, word) for word in re.split(r"[\s-]+", apart))
    return frozenset(words) - {""}


def _nearest(text: str) -> str | None:
    if re.fullmatch(r"\d+[a-z]", text):
        return text[-1].upper() + text[:-1]
    close = difflib.get_close_matches(text, _NAMES, n=1, cutoff=0.6)
    return close[0] if close else None


_BETWEEN = " \t\r\n,;+&."
_ROUND = ("ellipse", "oval", "circle", "round")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_NUM, _TO = r"\d+(?:\.\d+)?\s*%?", r"\s*(?:[,:;x-]|to\b|\s)\s*"
_CELL, _RANGE = r"[a-z]\d{1,3}", r"(?:\s*(?::|-|\.\.+|\bto\b)\s*|\s+)"
_CELLS = re.compile(rf"({_CELL})(?:{_RANGE}({_CELL}))?")
_POINT = re.compile(rf"({_NUMBER.pattern})\s*%?{_TO}({_NUMBER.pattern})\s*%?")
_PART = re.compile(
    rf"(?:(?P<shape>{'|'.join(_ROUND)}|rectangle|rect|box)\b\s*)?"
    rf"(?:(?P<percents>{_NUM}{_TO}{_NUM}{_TO}{_NUM}{_TO}{_NUM})|(?P<words>[^,;+&]*?))"
    r"\s*(?:[,;+&]|$)",
    re.DOTALL,
)

_SAME = {
    **dict.fromkeys(("center", "middle", "mid"), "centre"),
    **dict.fromkeys(("upper", "above"), "top"),
    **dict.fromkeys(("lower", "below"), "bottom"),
    **dict.fromkeys(("whole", "everything", "full"), "all"),
    **dict.fromkeys(("the", "in", "at", "of", "on", "corner", "hand", "side", "picture", "image"), ""),
}
_ROWS, _COLUMNS = {"top": 0.0, "centre": 0.5, "bottom": 1.0}, {"left": 0.0, "centre": 0.5, "right": 1.0}


def _nine() -> dict[frozenset[str], tuple[float, float]]:
    """By both words, and by one where the other is "centre"; "centre" alone is the middle of all."""
    both = {frozenset((row, column)): (x, y) for row, y in _ROWS.items() for column, x in _COLUMNS.items()}
    return both | {
        words - {"centre"}: at for words, at in both.items() if "centre" in words and words != {"centre"}
    }


def _parts(name: str, share: float) -> dict[frozenset[str], Spot]:
    return {
        frozenset((name, "left")): Spot(0, 0, share, 1),
        frozenset((name, "right")): Spot(1 - share, 0, 1, 1),
        frozenset((name, "top")): Spot(0, 0, 1, share),
        frozenset((name, "bottom")): Spot(0, 1 - share, 1, 1),
    }


_ANCHORS = _nine()
_NAMED = {
    **{
        words: Spot(x * 2 / 3, y * 2 / 3, (x * 2 + 1) / 3, (y * 2 + 1) / 3)
        for words, (x, y) in _ANCHORS.items()
    },
    **_parts("half", 1 / 2),
    **_parts("third", 1 / 3),
    frozenset(("all",)): Spot(0, 0, 1, 1),
}
_NAMES = [
    *("top left", "top", "top right", "left", "centre", "right", "bottom left", "bottom", "bottom right"),
    *("left half", "right half", "top half", "bottom half", "all"),
]
