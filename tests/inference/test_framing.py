"""A picture of any shape goes onto a canvas and comes back at its own aspect."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.framing import crop, crop_preview, place, place_mask, quantise
from inference.sizes import fit, size_table
from inference.types import Box, Frame, Grey, Pixels, Size


def picture(width: int, height: int) -> Pixels:
    return Pixels(width, height, np.random.default_rng(0).bytes(width * height * 3))


def frame(canvas: Size, content: Size, left: int = 0, top: int = 0) -> Frame:
    return Frame(canvas=canvas, content=content, left=left, top=top)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 100), st.integers(0, 100), st.data())
def test_what_is_placed_is_cropped_back_unchanged(
    width: int, height: int, wider: int, higher: int, data: st.DataObject
) -> None:
    """A picture that needs no scaling comes back byte for byte, however large the pad is."""
    left, top = data.draw(st.integers(0, wider)), data.draw(st.integers(0, higher))
    where = frame(Size(width + wider, height + higher), Size(width, height), left, top)
    drawn = picture(width, height)

    canvas = place(drawn, where)

    assert canvas.shape == (height + higher, width + wider, 3)
    assert crop(canvas, where) == drawn


@pytest.mark.parametrize("pad", [3, 7, 25], ids=["smaller", "as large", "larger than the picture"])
def test_the_pad_is_the_picture_reflected(pad: int) -> None:
    """The pad goes on as numpy's `reflect`, also where it is larger than the picture itself."""
    drawn = picture(8, 8)
    where = frame(Size(8 + 2 * pad, 8 + pad), Size(8, 8), pad, 0)

    canvas = place(drawn, where)

    pixels = np.frombuffer(drawn.data, np.uint8).reshape(8, 8, 3)
    assert np.array_equal(canvas, np.pad(pixels, ((0, pad), (pad, pad), (0, 0)), mode="reflect"))
    assert not np.array_equal(canvas, np.pad(pixels, ((0, pad), (pad, pad), (0, 0)), mode="edge"))


def test_a_sketch_keeps_its_aspect() -> None:
    """A 3:2 photo comes back 3:2, not in the shape of the canvas."""
    where = fit(Size(1200, 800), size_table(Size(256, 256)))

    result = crop(place(picture(1200, 800), where), where)

    assert result.size == where.content
    assert result.width / result.height == pytest.approx(1.5, rel=0.01)


def test_scaling_keeps_colours_where_they_are() -> None:
    """A picture that is left red and right blue is still so on the canvas."""
    red_blue = np.zeros((30, 60, 3), np.uint8)
    red_blue[:, :30, 0] = red_blue[:, 30:, 2] = 255
    where = frame(Size(128, 64), Size(128, 64))

    canvas = place(Pixels(60, 30, red_blue.tobytes()), where)

    assert canvas[32, 10].tolist() == [255, 0, 0]
    assert canvas[32, 118].tolist() == [0, 0, 255]


def test_a_window_is_scaled_as_if_it_had_been_cut_out() -> None:
    """Nothing beside it bleeds in, as it would from under a scaling filter."""
    drawn, where = picture(30, 20), frame(Size(64, 64), Size(64, 48), top=8)
    pixels = np.frombuffer(drawn.data, np.uint8).reshape(20, 30, 3)
    cut_out = Pixels(12, 9, pixels[5:14, 7:19].tobytes())

    canvas = place(drawn, where, Box(7, 5, 12, 9))

    assert np.array_equal(canvas, place(cut_out, where))
    assert not np.array_equal(canvas, place(drawn, where))


def spots(width: int, height: int, *marked: tuple[int, int], grey: int = 128) -> Grey:
    """A mask that is 127 but for a few pixels, (x, y)."""
    values = np.full((height, width), 127, np.uint8)
    for x, y in marked:
        values[y, x] = grey
    return Grey(width, height, values.tobytes())


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 64), st.integers(1, 64), st.data())
def test_no_scaling_loses_a_pixel_of_a_mask(
    width: int, height: int, wide: int, high: int, data: st.DataObject
) -> None:
    """Drawn anew is just what a marked pixel overlaps: at least a pixel of the content, where the marked one lies."""
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    where = frame(Size(wide, high), Size(wide, high))

    anew = place_mask(spots(width, height, (x, y)), where)

    columns = [at for at in range(wide) if at * width < (x + 1) * wide and (at + 1) * width > x * wide]
    rows = [at for at in range(high) if at * height < (y + 1) * high and (at + 1) * height > y * high]
    assert columns
    assert rows
    assert np.argwhere(anew).tolist() == [[row, column] for row in rows for column in columns]


def test_a_mask_is_reflected_into_the_pad_as_its_picture_is() -> None:
    """What is drawn anew at the edge is not kept in its mirror image."""
    where = frame(Size(8, 12), Size(8, 8), top=2)

    anew = place_mask(spots(8, 8, (3, 1), (5, 7)), where)

    assert np.argwhere(anew).tolist() == [[1, 3], [3, 3], [9, 5]]


def test_of_a_mask_the_window_counts_and_the_darker_half_does_not() -> None:
    """What is marked outside the window, or with less than 128, is not drawn anew."""
    where = frame(Size(4, 4), Size(4, 4))
    mask = spots(9, 9, (0, 0), (3, 4), (8, 8))

    anew = place_mask(mask, where, Box(2, 3, 4, 4))

    assert np.argwhere(anew).tolist() == [[1, 1]]
    assert not place_mask(spots(4, 4, (1, 1), grey=127), where).any()


def test_a_preview_shows_the_content_only_at_an_eighth() -> None:
    """The reflected pad is not part of anybody's picture, not even of its preview."""
    small = np.zeros((8, 8, 3), np.uint8)
    small[:, 2:6] = 200
    where = frame(Size(64, 64), Size(32, 64), left=16)

    preview = crop_preview(small, where)

    assert preview.size == Size(4, 8)
    assert set(preview.data) == {200}


def test_a_preview_of_a_sliver_has_at_least_one_pixel() -> None:
    """A content of less than eight pixels still has something to show."""
    preview = crop_preview(np.full((8, 8, 3), 9, np.uint8), frame(Size(64, 64), Size(3, 64)))

    assert preview.size == Size(1, 8)


def test_colours_are_rounded_not_cut() -> None:
    """As the diffusers pipelines do: 0.999 is white."""
    values = np.array([[[0.0, 0.999, 0.5]]], np.float32)

    assert quantise(values).tolist() == [[[0, 255, 128]]]
