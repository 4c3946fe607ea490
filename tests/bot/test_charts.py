"""Charts: what can be seen in them, whatever is put in."""

from __future__ import annotations

import io

import msgspec
import pytest
from PIL import Image

from bot.charts import (
    BACKGROUND,
    OTHERS,
    OWN,
    PEOPLE,
    RUNNING,
    WAITED,
    WAITING,
    WIDTH,
    LineChart,
    Panel,
    Row,
    UsageChart,
    draw_line,
    draw_usage,
)

Colour = tuple[int, int, int]

ANNA = Row(name="Anna", running=1, waiting=2, waited=240.0, waited_label="4 min")
BEN = Row(name="Ben", waiting=1, waited=60.0, waited_label="1 min")


def line(*rows: Row) -> LineChart:
    return LineChart(
        rows=rows, jobs="Jobs", running="running", waiting="waiting", waited="Longest wait so far"
    )


def usage(*panels: tuple[tuple[float, ...], ...], has_others: bool = False) -> UsageChart:
    return UsageChart(
        first_day=20_000,
        names=tuple(f"{number} somebody" for number in range(len(panels[0]))),
        panels=tuple(Panel(caption=f"Panel {number}", values=values) for number, values in enumerate(panels)),
        has_others=has_others,
    )


def opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


def pixels(png: bytes, colour: Colour) -> int:
    """How many are of exactly that colour."""
    return sum(count for count, found in opened(png).getcolors(1 << 24) or () if found == colour)


def in_bars(png: bytes, colour: Colour) -> int:
    """The same without the square of the legend."""
    return pixels(png, colour) - 21 * 21


def test_bars_are_as_long_as_the_numbers() -> None:
    """Two jobs waiting are twice as long as one running; four minutes four times as long as one."""
    both = draw_line(line(ANNA, BEN))
    only_anna = draw_line(line(ANNA, msgspec.structs.replace(BEN, waited=0.0, waited_label="")))
    waits_of_ben = pixels(both, WAITED) - pixels(only_anna, WAITED)

    assert in_bars(draw_line(line(ANNA)), WAITING) == pytest.approx(
        2 * in_bars(draw_line(line(ANNA)), RUNNING), rel=0.05
    )
    assert pixels(only_anna, WAITED) == pytest.approx(4 * waits_of_ben, rel=0.1)


def test_every_person_has_a_row() -> None:
    """Each makes the picture higher by the same; its width is always the same."""
    heights = [opened(draw_line(line(*[ANNA] * count))).height for count in (1, 2, 11)]

    assert opened(draw_line(line(ANNA))).width == WIDTH
    assert heights[1] - heights[0] > 40
    assert heights[2] - heights[0] == 10 * (heights[1] - heights[0])


def test_one_finds_oneself_by_colour() -> None:
    """Only the viewer's own name is in it."""
    own = msgspec.structs.replace(ANNA, own=True)

    assert pixels(draw_line(line(own, BEN)), OWN) > 50
    assert pixels(draw_line(line(ANNA, BEN)), OWN) == 0


def test_other_data_gives_another_picture() -> None:
    """And the same data the same picture."""
    first = draw_line(line(ANNA, BEN))
    plot = draw_usage(usage(((1.0, 2.0),)))

    assert draw_line(line(ANNA, BEN)) == first
    assert draw_line(line(BEN, ANNA)) != first
    assert draw_line(line(ANNA, msgspec.structs.replace(BEN, name="Bea"))) != first
    assert draw_usage(usage(((1.0, 2.0),))) == plot
    assert draw_usage(usage(((2.0, 1.0),))) != plot


def test_names_in_other_scripts_are_written() -> None:
    """What the font has no letters for is left out, rather than drawn as boxes; a name of nothing else is …."""

    def named(name: str) -> bytes:
        return draw_line(line(msgspec.structs.replace(ANNA, name=name)))

    assert len({named(name) for name in ("Анна", "Άννα", "آنا", "ანა", "…")}) == 5
    assert named("小林") == named("…")
    assert named("Anna 🎨") == named("Anna") == named("𝓐𝓷𝓷𝓪")
    assert named("$x$ \\frac{1}{2}") != named("x")


def test_each_person_has_a_colour_in_every_panel() -> None:
    """As high as their part; the others together are grey."""
    plot = draw_usage(usage(((4.0,), (2.0,), (1.0,)), ((1.0,), (1.0,), (1.0,)), has_others=True))
    without = draw_usage(usage(((4.0,), (2.0,), (1.0,)), ((1.0,), (1.0,), (1.0,))))

    assert in_bars(plot, PEOPLE[0]) > in_bars(plot, PEOPLE[1]) > in_bars(plot, OTHERS) > 1000
    assert pixels(plot, PEOPLE[2]) == pixels(without, OTHERS) == 0
    assert pixels(without, PEOPLE[2]) == pytest.approx(pixels(plot, OTHERS), rel=0.1)


def test_a_day_without_anything_stays_empty() -> None:
    """One of two days was used: half of the coloured pixels of both."""
    both, one = draw_usage(usage(((3.0, 3.0),))), draw_usage(usage(((3.0, 0.0),)))
    nothing = draw_usage(usage(((0.0, 0.0),)))

    assert in_bars(one, PEOPLE[0]) == pytest.approx(in_bars(both, PEOPLE[0]) / 2, rel=0.05)
    assert in_bars(nothing, PEOPLE[0]) == 0


@pytest.mark.parametrize(
    "png",
    [
        draw_line(line(msgspec.structs.replace(ANNA, name="W" * 200, own=True))),
        draw_line(line(Row(name="", waiting=123_456, waited=1e9, waited_label="11574 days"), ANNA)),
        draw_line(line(*[ANNA] * 11)),
        draw_usage(usage(((0.05,),), ((1e9,),), ((0.0,),))),
        draw_usage(usage(tuple((1.0,) * 30 for _ in range(6)), has_others=True)),
        draw_usage(usage(((1.0, 999.0) * 15, (0.5, 1234.5) * 15))),
    ],
    ids=["a long name", "huge waits", "many", "tiny and huge", "thirty days", "fractions"],
)
def test_nothing_runs_out_of_the_picture(png: bytes) -> None:
    """Long names, huge and tiny numbers: the edge all round is empty."""
    picture = opened(png)
    edge = Image.new("L", picture.size, 255)
    edge.paste(0, (4, 4, picture.width - 4, picture.height - 4))

    assert Image.composite(picture, Image.new("RGB", picture.size, BACKGROUND), edge).getcolors() == [
        (picture.width * picture.height, BACKGROUND)
    ]
    assert len(picture.getcolors(1 << 24) or ()) > 10
