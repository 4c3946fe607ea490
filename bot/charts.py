"""Charts of who waits and of who used what, as PNG. Pure functions; they take tens of milliseconds, so call them in a
thread.

Drawn with Pillow, which the bot has anyway. matplotlib was tried first, and looked the same: within the bot (70 MB) it
took 28 MB once loaded and 53 MB after four charts; in a process of its own, each chart cost 0.8 to 1.2 s of CPU and
93 MB for that long. Here it is 0.02 to 0.07 s, and 8 MB in all, without eight more packages of 76 MB. What these charts
need of it are axes with round numbers, which are a few lines, and a font for names in other scripts: its, in `fonts`
(see `bot.lettering`).

The colours are those of Okabe and Ito ("Color Universal Design", 2008), which people of all kinds of colour vision
tell apart, on the dark grey of this bot's other pictures: it looks the same on Discord's dark and light pages. Letters
are large, for a phone shows the whole at less than half of its size.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import accumulate

import msgspec
from PIL import Image, ImageDraw

from bot.lettering import fitting, font

BACKGROUND, INK, MUTED, GRID = (43, 45, 49), (242, 243, 245), (196, 201, 206), (78, 80, 88)
RUNNING, WAITING, WAITED = (86, 180, 233), (230, 159, 0), (181, 186, 193)
OWN = (240, 228, 66)
PEOPLE = ((86, 180, 233), (230, 159, 0), (0, 158, 115), (240, 228, 66), (204, 121, 167))
OTHERS = (138, 144, 153)

WIDTH = 800
"""Pixels, of every chart."""

_MARGIN, _GAP = 20, 10
_LARGE, _SMALL = 26, 22
_CAPTION, _ROW, _LEGEND = 50, 52, 44
_WIDEST_NAME, _JOBS_END, _NUMBER, _DURATION = 210, 485, 95, 110
_HEADING, _PANEL, _AXIS_NUMBERS, _AXIS_DAYS = 66, 180, 64, 40
_NAMES_IN_LINE = 3
_MOST_TICKS = 5
_MOST_DAYS_NAMED = 6
_SHORTEST_AXIS = 7
"""Days: a single one would be as wide as the picture."""

Colour = tuple[int, int, int]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A person in a line. running, waiting: jobs. waited: seconds of the one that waits longest, 0 if none does.

    waited_label: the same in words. own: it is whoever looks at it.
    """

    name: str
    running: int = 0
    waiting: int = 0
    waited: float = 0.0
    waited_label: str = ""
    own: bool = False


class LineChart(msgspec.Struct, frozen=True, kw_only=True):
    """Who waits in a line, a bar for each person. rows: one or more, from top to bottom; the rest is captions."""

    rows: tuple[Row, ...]
    jobs: str
    running: str
    waiting: str
    waited: str


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """One quantity per day. values: for each name in turn one per day, none below 0."""

    caption: str
    values: tuple[tuple[float, ...], ...]

    @property
    def totals(self) -> list[float]:
        """Of each day, all names together."""
        return [sum(values) for values in zip(*self.values, strict=True)]


class UsageChart(msgspec.Struct, frozen=True, kw_only=True):
    """Quantities per day, stacked by person, one panel below the other.

    first_day: counted since 1970. names: from the bottom of the stacks to their top, as many as PEOPLE has colours and
    one more. has_others: the last name stands for many.
    """

    first_day: int
    names: tuple[str, ...]
    panels: tuple[Panel, ...]
    has_others: bool = False


# The line


def draw_line(chart: LineChart) -> bytes:
    """PNG, WIDTH pixels wide."""
    image, draw = _paper(_CAPTION + _ROW * len(chart.rows) + _LEGEND + _MARGIN)
    names = [_shown(row.name, _LARGE, _WIDEST_NAME) for row in chart.rows]
    jobs_left = _MARGIN + round(max(font(_LARGE).getlength(name) for name in names)) + _GAP
    waits_left = _JOBS_END + _NUMBER
    per_job = (_JOBS_END - jobs_left) / max(1, *(row.running + row.waiting for row in chart.rows))
    per_second = (WIDTH - _MARGIN - _DURATION - waits_left) / (max(row.waited for row in chart.rows) or 1.0)
    for left, caption in ((jobs_left, chart.jobs), (waits_left, chart.waited)):
        draw.text((left, _CAPTION / 2), _shown(caption, _SMALL, WIDTH - left), MUTED, font(_SMALL), "lm")
        draw.line((left - 2, _CAPTION, left - 2, _CAPTION + _ROW * len(chart.rows)), GRID, 2)
    for number, (row, name) in enumerate(zip(chart.rows, names, strict=True)):
        middle = _CAPTION + _ROW * number + _ROW // 2
        ink, bold = (OWN, 1) if row.own else (INK, 0)
        draw.text((jobs_left - _GAP, middle), name, ink, font(_LARGE), "rm", stroke_width=bold)
        parts = ((row.running, RUNNING), (row.waiting, WAITING))
        jobs_end = _bar(draw, (jobs_left, middle), 19, [(count * per_job, colour) for count, colour in parts])
        _large(draw, jobs_end, middle, _amount(row.running + row.waiting))
        if row.waited_label:
            waits_end = _bar(draw, (waits_left, middle), 12, [(row.waited * per_second, WAITED)])
            _large(draw, waits_end, middle, row.waited_label)
    _legend(draw, image.height - _LEGEND, (chart.running, chart.waiting), (RUNNING, WAITING))
    return _png(image)


def _bar(
    draw: ImageDraw.ImageDraw, start: tuple[int, int], half: int, parts: Sequence[tuple[float, Colour]]
) -> int:
    """Parts of so many pixels, one after the other; each that is there can be seen. Returns where it ends."""
    left, middle = start
    for length, colour in parts:
        if length > 0:
            right = left + max(2, round(length) - 2)
            draw.rectangle((left, middle - half, right, middle + half), colour)
            left = right + 2
    return left


def _large(draw: ImageDraw.ImageDraw, left: int, middle: int, words: str) -> None:
    left += _GAP
    draw.text((left, middle), _shown(words, _LARGE, WIDTH - _GAP - left), INK, font(_LARGE), "lm")


# Usage


def draw_usage(chart: UsageChart) -> bytes:
    """PNG, WIDTH pixels wide."""
    names = chart.names
    colours = [*PEOPLE[: len(names) - 1], OTHERS] if chart.has_others else [*PEOPLE, OTHERS][: len(names)]
    legend = _LEGEND * -(-len(names) // _NAMES_IN_LINE)
    image, draw = _paper(legend + (_HEADING + _PANEL) * len(chart.panels) + _AXIS_DAYS + _MARGIN)
    _legend(draw, _MARGIN // 2, names, colours)
    for number, panel in enumerate(chart.panels):
        _stacks(draw, legend + (_HEADING + _PANEL) * number + _HEADING, panel, colours)
    _days(draw, image.height - _MARGIN - _AXIS_DAYS, chart.first_day, len(chart.panels[0].totals))
    return _png(image)


def _stacks(draw: ImageDraw.ImageDraw, top: int, panel: Panel, colours: Sequence[Colour]) -> None:
    """A panel: its caption, lines at round numbers, and the bars before them."""
    left, floor = _MARGIN + _AXIS_NUMBERS, top + _PANEL
    draw.text((left, top - _CAPTION // 2), panel.caption, INK, font(_LARGE), "lm")
    totals = panel.totals
    whole = all(total == int(total) for total in totals)
    ticks = _ticks(max(totals), whole=whole)
    per_unit = (_PANEL - _GAP) / max(*totals, ticks[-1])
    for tick in ticks:
        y = floor - round(tick * per_unit)
        draw.line((left, y, WIDTH - _MARGIN, y), GRID, 1)
        draw.text((left - _GAP, y), _amount(tick), MUTED, font(_SMALL), "rm")
    for day, amounts in enumerate(zip(*panel.values, strict=True)):
        _stack(draw, _span(day, len(totals)), floor, [amount * per_unit for amount in amounts], colours)


def _stack(
    draw: ImageDraw.ImageDraw,
    span: tuple[int, int],
    floor: int,
    heights: Sequence[float],
    colours: Sequence[Colour],
) -> None:
    """Each part ends where it would in numbers, whatever the rounding of those below; a line parts tall ones."""
    bottom = floor
    for reached, height, colour in zip(accumulate(heights), heights, colours, strict=True):
        top = floor - max(2, round(reached))
        if height > 0 and top < bottom:
            draw.rectangle((span[0], top, span[1], bottom - 1), colour)
            if bottom - top > 4:
                draw.line((span[0], top, span[1], top), BACKGROUND)
            bottom = top


def _days(draw: ImageDraw.ImageDraw, top: int, first_day: int, days: int) -> None:
    """Under the last day and some before it."""
    for day in range(days - 1, -1, -math.ceil(days / _MOST_DAYS_NAMED)):
        date = datetime.fromtimestamp((first_day + day) * 86_400, UTC)
        words = f"{date.day} {date:%b}"
        half = font(_SMALL).getlength(words) / 2
        middle = min(sum(_span(day, days)) / 2, WIDTH - _MARGIN / 2 - half)
        draw.text((middle, top + _AXIS_DAYS / 2), words, MUTED, font(_SMALL), "mm")


def _span(day: int, days: int) -> tuple[int, int]:
    """From where to where the bar of a day goes; the last one stands at the right."""
    each = (WIDTH - 2 * _MARGIN - _AXIS_NUMBERS) / max(days, _SHORTEST_AXIS)
    right = WIDTH - _MARGIN - (days - 1 - day) * each
    return round(right - each * 0.9), round(right) - 1


def _ticks(most: float, *, whole: bool) -> list[float]:
    """Round numbers from 0 on, none above `most`, or 0 and 1 where there is nothing. whole: no fractions between."""
    if most <= 0:
        return [0.0, 1.0]
    least = most / _MOST_TICKS
    power = 10.0 ** math.floor(math.log10(least))
    step = next(round_step * power for round_step in (1, 2, 5, 10, 20) if round_step * power >= least)
    if whole:
        step = max(1.0, step)
    return [number * step for number in range(int(most / step + 1e-9) + 1)]


def _amount(number: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:.3g}"


# Both


def _paper(height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (WIDTH, height), BACKGROUND)
    return image, ImageDraw.Draw(image)


def _legend(draw: ImageDraw.ImageDraw, top: int, names: Sequence[str], colours: Sequence[Colour]) -> None:
    column = (WIDTH - 2 * _MARGIN) // _NAMES_IN_LINE
    for number, (name, colour) in enumerate(zip(names, colours, strict=True)):
        left = _MARGIN + column * (number % _NAMES_IN_LINE)
        middle = top + _LEGEND * (number // _NAMES_IN_LINE) + _LEGEND // 2
        draw.rectangle((left, middle - 10, left + 20, middle + 10), colour)
        words = _shown(name, _SMALL, column - 20 - 2 * _GAP)
        draw.text((left + 20 + _GAP, middle), words, INK, font(_SMALL), "lm")


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def _shown(words: str, size: int, width: float) -> str:
    """As much as the font has letters for and as goes into `width` pixels; … for what is cut, or if nothing is left."""
    return fitting(words, size, width) or "…"
