"""What was drawn lands where it belongs, and nothing else changes: not by one bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bot.scene.finishing import paste_back, with_alpha_of
from bot.scene.regions import soften
from inference import Box
from tests.bot.scene.samples import noise, rectangle, values


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@given(data=st.data())
def test_outside_the_region_not_one_bit_changes(mode: str, data: st.DataObject) -> None:
    """Random parents, drawings, windows and soft regions; alpha and the colours under full transparency included."""
    side = st.integers(8, 60)
    parent = noise(data.draw(side), data.draw(side), mode)
    width, height = data.draw(st.integers(4, parent.width)), data.draw(st.integers(4, parent.height))
    window = Box(
        data.draw(st.integers(0, parent.width - width)),
        data.draw(st.integers(0, parent.height - height)),
        width,
        height,
    )
    inner = (window.left + 1, window.top + 1, window.left + width - 1, window.top + height - 1)
    region = soften(rectangle(parent.size, inner), data.draw(st.integers(0, 6)))
    drawn = noise(data.draw(side), data.draw(side), seed=1)

    result = paste_back(parent, drawn, region, window)

    kept = values(region) == 0
    assert (result.mode, result.size) == (parent.mode, parent.size)
    assert (values(result)[kept] == values(parent)[kept]).all()


def test_ten_rounds_leave_the_rest_bit_identical() -> None:
    """Small region after small region: what none of them touched is the first parent's, what they touched is not."""
    first = picture = noise(256, 256)
    touched = np.zeros((256, 256), bool)

    for turn in range(10):
        left = 20 * turn
        region = soften(rectangle((256, 256), (left + 6, left + 6, left + 26, left + 36)), 5)
        picture = paste_back(picture, noise(96, 96, seed=turn + 1), region, Box(left, left, 60, 60))
        touched |= values(region) > 0

    changed = (values(picture) != values(first)).any(axis=2)
    assert not changed[~touched].any()
    assert changed[touched].mean() > 0.9


def test_within_the_region_it_is_what_was_drawn() -> None:
    """Drawn at the window's own size it is not resampled; half a grey is half of each."""
    parent, drawn = noise(100, 100), noise(40, 40, seed=1)
    region = rectangle((100, 100), (30, 30, 50, 50))
    region.paste(128, (50, 50, 60, 60))

    result = values(paste_back(parent, drawn, region, Box(25, 25, 40, 40)))

    mixed = (values(parent)[50:60, 50:60] + values(drawn)[25:35, 25:35]) / 2
    assert (result[30:50, 30:50] == values(drawn)[5:25, 5:25]).all()
    assert np.abs(result[50:60, 50:60] - mixed).max() <= 2


def test_without_a_window_it_is_the_whole_picture() -> None:
    """What was drawn smaller is scaled up to the parent, and its corners lie on the parent's."""
    drawn = Image.new("RGB", (50, 50), "red")
    drawn.paste("blue", (25, 0, 50, 50))

    result = paste_back(noise(100, 100), drawn, Image.new("L", (100, 100), 255), None)

    assert result.getpixel((10, 50)) == (255, 0, 0)
    assert result.getpixel((90, 50)) == (0, 0, 255)


def test_a_drawn_piece_gets_its_outline_back() -> None:
    """At the size it was drawn at, in the colours it was drawn in."""
    piece = Image.new("RGBA", (50, 50))
    piece.paste("red", (10, 10, 40, 40))
    drawn = noise(100, 100)

    result = with_alpha_of(drawn, piece)

    assert (result.mode, result.size) == ("RGBA", (100, 100))
    assert (values(result)[50, 50, 3], values(result)[5, 5, 3]) == (255, 0)
    assert (values(result)[..., :3] == values(drawn)).all()
