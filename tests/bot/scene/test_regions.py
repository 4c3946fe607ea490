"""Words, masks and windows become the part of the picture that was meant, or a sentence that names the right thing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw

from bot import texts
from bot.errors import BadOption, BadPicture
from bot.scene.regions import (
    bounds,
    draw_grid,
    grid_of,
    is_empty,
    outline,
    parse_region,
    read_mask,
    soften,
    window_for,
)
from inference import Box, Size, fit, size_table
from tests.bot.scene.samples import as_jpeg, noise, rectangle, values

SQUARE = Size(800, 800)
CANVASES = size_table(Size(512, 512))


def box_of(text: str, size: Size = SQUARE) -> Box:
    return bounds(parse_region(text, size))


def area(region: Image.Image) -> int:
    return int(np.count_nonzero(values(region)))


# The grid


@pytest.mark.parametrize(
    "size, columns, rows",
    [
        (Size(800, 800), 8, 8),
        (Size(1024, 640), 8, 5),
        (Size(600, 1000), 5, 8),
        (Size(4000, 500), 8, 1),
        (Size(3, 3), 3, 3),
    ],
)
def test_cells_are_about_square(size: Size, columns: int, rows: int) -> None:
    """Eight on the longer side, as many on the shorter as keeps them square, and none narrower than a pixel."""
    grid = grid_of(size)

    assert (grid.columns, grid.rows) == (columns, rows)


@given(width=st.integers(1, 300), height=st.integers(1, 300))
def test_the_cells_are_the_picture(width: int, height: int) -> None:
    """From A1 to the last cell they cover every pixel, and no two of them share one."""
    size, total = Size(width, height), np.zeros((height, width), int)
    grid = grid_of(size)

    for column in range(grid.columns):
        for row in range(grid.rows):
            total += values(parse_region(f"{chr(65 + column)}{row + 1}", size)) // 255

    assert (total == 1).all()


@pytest.mark.parametrize("ground", ["black", "white", "grey"])
def test_the_grid_shows_on_any_ground(ground: str) -> None:
    """Lines and labels have colours that stand out from black, white and grey; it is sized for labels to be crisp."""
    picture = draw_grid(Image.new("RGB", (300, 200), ground))

    levels = np.asarray(picture.convert("L")).astype(int)
    most = int(np.abs(levels - levels[40, 100]).max())
    assert max(picture.size) == 1280
    assert most >= 90


# Words


@pytest.mark.parametrize(
    "text", ["b2:d4", "B2-D4", "b2 d4", "B2–D4", "D4:b2", "b2 to d4", "Ｂ２：Ｄ４", " b2..d4. ", "b2:d4 + c3"]
)
def test_a_range_may_be_written_in_many_ways(text: str) -> None:
    """Case, dashes, spaces and order do not matter: it is the block from the second to the fourth row and column."""
    box = box_of(text)

    assert box == Box(100, 100, 300, 300)


@pytest.mark.parametrize("text", ["B2, C3", "b2 and c3", "b2+c3", "b2; C3", "b2, and c3", "b2,c3,b2"])
def test_parts_are_listed_as_people_list_them(text: str) -> None:
    """Each is added; what lies between two cells on a diagonal is not."""
    region = parse_region(text, SQUARE)

    assert (region.getpixel((150, 150)), region.getpixel((250, 250))) == (255, 255)
    assert (region.getpixel((250, 150)), region.getpixel((150, 250))) == (0, 0)


def test_three_cells_in_a_row_are_three_cells() -> None:
    """Two with a space between are a range; more are a list."""
    region = parse_region("a1 c3 e5", SQUARE)

    assert area(region) == 3 * 100 * 100


@pytest.mark.parametrize("text", ["10,20-40,60%", "10%,20%:40%,60%", "10% 20% 40% 60%", "40,60 - 10,20 %"])
def test_percents_count_from_the_top_left(text: str) -> None:
    """Across, down, to across, down; two corners in either order."""
    box = box_of(text)

    assert box == Box(80, 160, 240, 320)


@pytest.mark.parametrize(
    "text, box",
    [
        ("top left", Box(0, 0, 300, 300)),
        ("Left-Top", Box(0, 0, 300, 300)),
        ("the upper left corner", Box(0, 0, 300, 300)),
        ("topleft", Box(0, 0, 300, 300)),
        ("top", Box(300, 0, 300, 300)),
        ("center", Box(300, 300, 300, 300)),
        ("middle", Box(300, 300, 300, 300)),
        ("bottom right", Box(600, 600, 300, 300)),
        ("left", Box(0, 300, 300, 300)),
        ("lower half", Box(0, 450, 900, 450)),
        ("right third", Box(600, 0, 300, 900)),
        ("all", Box(0, 0, 900, 900)),
        ("the whole picture", Box(0, 0, 900, 900)),
    ],
)
def test_words_name_a_ninth_or_more(text: str, box: Box) -> None:
    """The nine anchors are ninths; halves, thirds and all have words as well."""
    assert box_of(text, Size(900, 900)) == box


@pytest.mark.parametrize("shape", ["ellipse", "Circle", "oval"])
def test_a_shape_lies_within_its_cells(shape: str) -> None:
    """An ellipse fills about π/4 of its box and leaves the corners; a rectangle fills all of it."""
    box, ellipse = parse_region("rectangle B2:E5", SQUARE), parse_region(f"{shape} B2:E5", SQUARE)

    assert bounds(ellipse) == bounds(box)
    assert area(ellipse) / area(box) == pytest.approx(np.pi / 4, abs=0.01)
    assert area(box) == 400 * 400


@given(
    st.lists(
        st.sampled_from(["A1", "b2:c4", "ellipse d4 g7", "10,20-40,60%", "centre", "top half"]), min_size=1
    )
)
def test_a_region_is_hard(parts: list[str]) -> None:
    """Whatever is named, there is 0 and 255 and nothing between, and more names never make it smaller."""
    region, first = parse_region(", ".join(parts), SQUARE), parse_region(parts[0], SQUARE)

    assert set(np.unique(values(region))) <= {0, 255}
    assert not is_empty(region)
    assert is_empty(ImageChops.subtract(first, region))


@pytest.mark.parametrize(
    "text, named",
    [
        ("J9", "`H8`"),
        ("b12", "`B8`"),
        ("b0", "`B1`"),
        ("tp left", "`top left`"),
        ("sentre", "`centre`"),
        ("2b", "`B2`"),
        ("110,20-140,60%", "0 to 100"),
        ("somewhere nice", "`B2:D4`"),
        ("", "`B2:D4`"),
        (" , and ", "`B2:D4`"),
        ("ellipse", "`ellipse C3:E5`"),
        ("b2, ellipse, c3", "`ellipse C3:E5`"),
        ("10,10-10,40%", "`B2`"),
        ("30%,40%", "`10,20-40,60%`"),
    ],
)
def test_a_refusal_names_the_nearest_right_thing(text: str, named: str) -> None:
    """A cell that exists, the word that was meant, or an example: never only a no."""
    with pytest.raises(BadOption) as refused:
        parse_region(text, SQUARE)

    assert named in str(refused.value)


@given(st.text(max_size=200))
def test_any_text_is_a_region_or_a_sentence(text: str) -> None:
    """Nothing that people send breaks it."""
    try:
        outcome = str(bounds(parse_region(text, Size(64, 48))))
    except BadOption as refused:
        outcome = str(refused)

    assert outcome


def test_hundreds_of_parts_are_refused() -> None:
    """More of them than a grid has cells cost time and name nothing new."""
    with pytest.raises(BadOption, match="64"):
        parse_region("a1 b2," * 70, SQUARE)


def test_a_sliver_between_two_pixels_is_refused() -> None:
    """Percents so close together that no pixel lies between them are not silently nothing."""
    with pytest.raises(BadOption, match="so small"):
        parse_region("10.0,10-10.1,40%", Size(100, 100))


# Masks


def test_white_in_a_mask_is_drawn_anew() -> None:
    """Also from JPEG, whose almost-black is black: outside it nothing may change. Greys stay."""
    mask = rectangle((200, 200), (48, 48, 96, 96))
    mask.paste(128, (120, 120, 160, 160))

    region = read_mask(as_jpeg(mask.convert("RGB"), 85), Size(200, 200))

    assert (region.getpixel((70, 70)), region.getpixel((10, 10))) == (255, 0)
    assert 110 < values(region)[140, 140] < 146
    assert values(region)[:40].max() == 0


def test_transparent_in_a_mask_is_drawn_anew() -> None:
    """Whatever the colours; half transparent counts half."""
    copy = noise(100, 80, "RGBA")
    copy.putalpha(255)
    copy.paste((1, 2, 3, 0), (10, 10, 30, 30))
    copy.paste((1, 2, 3, 155), (50, 50, 60, 60))

    region = read_mask(copy, Size(100, 80))

    assert bounds(region) == Box(10, 10, 50, 50)
    assert (region.getpixel((15, 15)), region.getpixel((55, 55)), region.getpixel((0, 0))) == (255, 100, 0)


def test_a_mask_of_the_same_shape_is_scaled() -> None:
    """A phone made it smaller, and rounded: it still lies where it was painted."""
    region = read_mask(rectangle((100, 67), (50, 0, 100, 67)), Size(600, 400))

    assert region.size == (600, 400)
    assert bounds(region).left == pytest.approx(300, abs=4)


@pytest.mark.parametrize(
    "mask, sentence",
    [
        (Image.new("L", (80, 60), 0), texts.MASK_IS_EMPTY),
        (Image.new("L", (80, 60), 100), texts.MASK_IS_EMPTY),
        (Image.new("RGBA", (80, 60), "black"), texts.MASK_IS_EMPTY),
        (Image.new("L", (80, 60), 255), texts.MASK_IS_FULL),
        (Image.new("RGBA", (80, 60), (9, 9, 9, 0)), texts.MASK_IS_FULL),
        (noise(80, 60), texts.MASK_HAS_COLOURS),
        (rectangle((60, 60), (0, 0, 30, 30)), texts.mask_has_another_shape(Size(60, 60), Size(800, 600))),
    ],
)
def test_a_mask_that_says_nothing_is_refused(mask: Image.Image, sentence: str) -> None:
    """Empty, full, of another shape or no mask at all: each has its own sentence with a next step."""
    with pytest.raises(BadPicture) as refused:
        read_mask(mask, Size(800, 600))

    assert str(refused.value) == sentence


# Edges


@given(left=st.integers(0, 50), top=st.integers(0, 50), width=st.integers(1, 30), pixels=st.integers(0, 20))
def test_softening_goes_outwards_only(left: int, top: int, width: int, pixels: int) -> None:
    """What was 255 stays so, what lies further away than `pixels` stays 0, and it falls on the way."""
    box = (left, top, left + width, top + 10)
    region = rectangle((90, 90), box)

    soft = soften(region, pixels)

    reach = rectangle((90, 90), (box[0] - pixels, box[1] - pixels, box[2] + pixels, box[3] + pixels))
    assert is_empty(ImageChops.subtract(region, soft))
    assert is_empty(ImageChops.subtract(soft, reach))
    row = values(soft)[top + 5, left + width :]
    assert (np.diff(row) <= 0).all()


def test_softening_leaves_a_slope() -> None:
    """Not a larger hard region: several greys lie between, and its reach is used."""
    row = values(soften(rectangle((100, 100), (0, 0, 50, 100)), 16))[50]

    assert len(set(row[50:66])) >= 8
    assert row[62] > 0


@pytest.mark.parametrize("ground", ["black", "white", "#7f7f7f"])
def test_an_outline_shows_on_any_ground(ground: str) -> None:
    """On each side of the region there are dashes that differ from the ground, and the inside is untouched."""
    picture = Image.new("RGB", (300, 300), ground)

    shown = outline(picture, rectangle((300, 300), (100, 100, 200, 200)))

    inside, level = values(picture)[0, 0], values(shown)
    assert shown.size == picture.size
    assert (level[100:200, 100:200] == inside).all()
    for side in (level[99, 100:200], level[200, 100:200], level[100:200, 99], level[100:200, 200]):
        assert np.abs(side - inside).max() >= 100
        assert len(np.unique(side, axis=0)) >= 2


def test_an_outline_dims_the_rest() -> None:
    """Far from the region the picture is darker; within, it is not."""
    picture = Image.new("RGB", (300, 300), (200, 100, 50))

    shown = outline(picture, rectangle((300, 300), (100, 100, 200, 200)))

    assert shown.getpixel((10, 10)) == (120, 60, 30)
    assert shown.getpixel((150, 150)) == (200, 100, 50)


# Windows


def test_a_picture_that_fits_is_drawn_whole() -> None:
    """A canvas holds it at nine tenths or more: no window."""
    window, frame = window_for(rectangle((560, 560), (0, 0, 60, 60)), Size(560, 560), CANVASES)

    assert window is None
    assert frame == fit(Size(560, 560), CANVASES)


def test_a_small_region_of_a_large_picture_is_drawn_unscaled() -> None:
    """The window has the canvas's own pixels, and the region is in its middle."""
    window, frame = window_for(rectangle((2048, 2048), (900, 900, 1000, 1000)), Size(2048, 2048), CANVASES)

    assert window == Box(950 - 256, 950 - 256, 512, 512)
    assert (frame.canvas, frame.content) == (Size(512, 512), Size(512, 512))


def test_a_window_has_the_aspect_of_its_region() -> None:
    """A wide region gets a wide canvas, and a window in just that aspect."""
    window, frame = window_for(rectangle((2048, 2048), (200, 900, 1500, 1100)), Size(2048, 2048), CANVASES)

    assert window is not None
    assert frame.content == frame.canvas
    assert frame.canvas.width > 3 * frame.canvas.height
    assert window.width / window.height == pytest.approx(frame.canvas.width / frame.canvas.height, rel=0.01)


@given(data=st.data(), width=st.integers(200, 1500), height=st.integers(200, 1500))
def test_a_window_holds_its_region_with_room_around(data: st.DataObject, width: int, height: int) -> None:
    """It lies inside the picture, and where the picture goes on there is a margin of a third and of 64 pixels."""
    left, top = data.draw(st.integers(0, width - 2)), data.draw(st.integers(0, height - 2))
    right, bottom = data.draw(st.integers(left + 1, width)), data.draw(st.integers(top + 1, height))
    region = Image.new("L", (width, height))
    region.paste(255, (left, top, right, bottom))

    window, frame = window_for(region, Size(width, height), CANVASES)

    if window is None:
        assert frame == fit(Size(width, height), CANVASES)
        return
    side, down = max(64, (right - left) // 3), max(64, (bottom - top) // 3)
    assert 0 <= window.left <= max(0, left - side + 1)
    assert 0 <= window.top <= max(0, top - down + 1)
    assert min(width, right + side - 1) <= window.left + window.width <= width
    assert min(height, bottom + down - 1) <= window.top + window.height <= height
    assert frame.canvas in CANVASES


def test_bounds_hold_every_pixel_that_is_not_nothing() -> None:
    """Also the faintest: what is blended belongs to the window."""
    region = Image.new("L", (50, 50))
    ImageDraw.Draw(region).point([(3, 4), (20, 30)], fill=1)

    assert bounds(region) == Box(3, 4, 18, 27)
    assert not is_empty(region)
    assert is_empty(Image.new("L", (50, 50)))
