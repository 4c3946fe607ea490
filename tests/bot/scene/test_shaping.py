"""Cropping, extending, turning and comparing change the shape and keep the picture."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bot import texts
from bot.errors import BadOption, BadPicture
from bot.scene.regions import bounds, is_empty
from bot.scene.shaping import Side, blink, crop, extend, flip, side_by_side, turn, upscale
from inference import Box, Size
from tests.bot.scene.samples import noise, values


def test_a_crop_is_that_part() -> None:
    """To the bit."""
    picture = noise(50, 40, "RGBA")

    part = crop(picture, Box(10, 20, 30, 15))

    assert (values(part) == values(picture)[20:35, 10:40]).all()


def test_a_crop_of_nearly_nothing_is_refused() -> None:
    """Four pixels are no picture."""
    with pytest.raises(BadPicture, match="4×30"):
        crop(noise(50, 40), Box(0, 0, 4, 30))


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@given(
    sides=st.sets(st.sampled_from(Side), min_size=1),
    share=st.floats(0.05, 1),
    width=st.integers(2, 60),
    height=st.integers(2, 60),
)
def test_an_extended_picture_keeps_the_old_one(
    mode: str, sides: set[Side], share: float, width: int, height: int
) -> None:
    """Where the region is 0 lies the old picture, to the bit; it grew on the named sides, and only there."""
    picture = noise(width, height, mode)

    larger, region = extend(picture, share, sides)

    old = values(region) == 0
    left, top = round(width * share) or 1, round(height * share) or 1
    assert larger.size == region.size
    assert larger.width - width == left * len(sides & {Side.LEFT, Side.RIGHT})
    assert larger.height - height == top * len(sides & {Side.TOP, Side.BOTTOM})
    assert (values(larger)[old] == values(picture).reshape(-1, len(mode))).all()
    assert bool(values(region)[-1, -1]) == (not sides.isdisjoint({Side.RIGHT, Side.BOTTOM}))


def test_the_new_part_carries_on_the_colours_of_the_edge() -> None:
    """Sky goes on as sky, ground as ground, and what stands near the edge is not there a second time."""
    picture = Image.new("RGB", (200, 200), (20, 20, 60))
    picture.paste((120, 120, 120), (0, 100, 200, 200))
    picture.paste((0, 80, 255), (20, 30, 60, 70))

    larger, region = extend(picture, 0.5, [Side.LEFT])

    new = values(larger)[:, :100]
    assert bounds(region) == Box(0, 0, 100, 200)
    assert np.abs(new[20, :80] - (20, 20, 60)).max() < 10
    assert np.abs(new[180, :80] - (120, 120, 120)).max() < 10
    assert new[..., 2].max() < 150


@pytest.mark.parametrize("share", [0, 0.01, 1.5, float("nan")])
def test_a_share_out_of_range_is_refused(share: float) -> None:
    """It says what range there is."""
    with pytest.raises(BadOption, match="5% to 100%"):
        extend(noise(20, 20), share, [Side.TOP])


def test_an_extension_beyond_the_cap_is_refused() -> None:
    """It says how large it would be."""
    with pytest.raises(BadPicture, match="4600×20"):
        extend(Image.new("RGB", (2300, 20)), 1.0, [Side.LEFT])


def test_quarter_turns_move_pixels_and_nothing_else() -> None:
    """Clockwise; four of them, or one there and one back, are none."""
    picture = Image.new("RGB", (40, 20), "blue")
    picture.putpixel((0, 0), (255, 0, 0))

    quarter = turn(picture, 90)

    assert quarter.size == (20, 40)
    assert quarter.getpixel((19, 0)) == (255, 0, 0)
    assert turn(picture, 180).getpixel((39, 19)) == (255, 0, 0)
    assert turn(picture, -90).getpixel((0, 39)) == (255, 0, 0)
    assert turn(quarter, 270).tobytes() == picture.tobytes() == turn(picture, 360).tobytes()
    assert turn(picture, 180).tobytes() != picture.tobytes()


@given(degrees=st.floats(-360, 360), width=st.integers(60, 200), height=st.integers(60, 200))
def test_a_turned_picture_has_no_empty_corners(degrees: float, width: int, height: int) -> None:
    """A white picture stays white to its edges, and in about its shape."""
    turned = turn(Image.new("RGB", (width, height), "white"), degrees)

    # Bicubic resampling may darken the outermost pixel by a shade; a corner from outside would be black.
    assert values(turned).min() > 200
    if degrees % 90:
        assert turned.width / turned.height == pytest.approx(width / height, rel=0.1)


def test_a_turn_that_leaves_nothing_is_refused() -> None:
    """A long strip turned by 45 degrees has no inner part left."""
    with pytest.raises(BadOption) as refused:
        turn(Image.new("RGB", (400, 12)), 45)

    assert str(refused.value) == texts.NO_CORNER_LEFT


def test_a_flip_is_a_mirror() -> None:
    """Left and right, or top and bottom; twice is as before."""
    picture = noise(9, 7)

    assert (values(flip(picture)) == values(picture)[:, ::-1]).all()
    assert (values(flip(picture, upside_down=True)) == values(picture)[::-1]).all()
    assert flip(flip(picture)).tobytes() == picture.tobytes()


def test_upscaling_keeps_what_is_seen() -> None:
    """Twice and four times the size; scaled back it is the picture it was."""
    picture = noise(8, 8).resize((64, 48), Image.Resampling.BICUBIC)

    twice, four = upscale(picture, 2), upscale(picture, 4)

    assert (twice.size, four.size) == ((128, 96), (256, 192))
    back = twice.resize(picture.size, Image.Resampling.BOX)
    assert np.abs(values(back) - values(picture)).mean() < 2
    assert np.abs(values(back) - values(flip(picture))).mean() > 10


def test_upscaling_beyond_the_cap_is_refused() -> None:
    """4096 on the longer side is the most, and just that is taken."""
    with pytest.raises(BadPicture, match="4104×64"):
        upscale(Image.new("RGB", (2052, 32)), 2)

    assert upscale(Image.new("RGB", (1024, 8)), 4).size == (4096, 32)


def test_two_pictures_stand_side_by_side() -> None:
    """At one height, the first at the left, under their labels."""
    sheet = side_by_side(
        Image.new("RGB", (300, 200), "red"), Image.new("RGB", (100, 400), "blue"), ("a", "b")
    )
    unlabelled = side_by_side(
        Image.new("RGB", (300, 200), "red"), Image.new("RGB", (100, 400), "blue"), ("", "")
    )

    assert sheet.getpixel((100, sheet.height - 2)) == (255, 0, 0)
    assert sheet.getpixel((sheet.width - 2, sheet.height - 2)) == (0, 0, 255)
    assert not is_empty(Image.fromarray(np.uint8(values(sheet) != values(unlabelled)).max(axis=2)))


def test_a_comparison_of_wide_pictures_stays_small() -> None:
    """Two panoramas together are still a picture that a phone loads."""
    sheet = side_by_side(noise(4000, 500), noise(4000, 500, seed=1), ("before", "after"))

    assert sheet.width <= 2100


def test_a_blink_has_both_pictures() -> None:
    """Two frames for ever, each near what it was; the second in the shape of the first."""
    a, b = Image.new("RGB", (300, 200), "red"), Image.new("RGBA", (100, 100), "blue")

    animation = Image.open(io.BytesIO(blink(a, b)))

    assert (getattr(animation, "n_frames", 1), animation.size, animation.info["loop"]) == (2, (300, 200), 0)
    for frame, wanted in ((0, (255, 0, 0)), (1, (0, 0, 255))):
        animation.seek(frame)
        assert np.abs(values(animation.convert("RGB")) - wanted).max() < 12


def test_a_blink_fits_into_two_mebibytes() -> None:
    """Also two large pictures of noise, the hardest there are to compress."""
    data = blink(noise(2048, 2048), noise(2048, 2048, seed=1))

    assert len(data) <= 2 * 2**20
    assert Size(*Image.open(io.BytesIO(data)).size) == Size(1024, 1024)
