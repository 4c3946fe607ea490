"""Which pictures look most like a file at a glance."""

from __future__ import annotations

import pytest
from PIL import Image, ImageOps

from bot.scene.likeness import likeliest
from tests.bot.scene.paint_over_cases import edited_case
from tests.journeys.painting import erased, painting, scribble

MANY = [painting(f"picture {number}", (256, 192)) for number in range(12)]


@pytest.mark.parametrize("seed", range(20))
def test_what_was_edited_is_among_the_likeliest(seed: int) -> None:
    """However it was painted on and saved: scaled, in a border, as JPEG."""
    case = edited_case(seed)

    found = likeliest(case.edited, [*MANY, case.parent], 4)
    assert len(MANY) in found
    assert len(found) == 4


def test_half_of_it_may_be_gone() -> None:
    """What was erased says nothing, in whatever colour it was left; nor does what was painted over."""
    rubbed_out = erased(MANY[7], (0, 0, 130, 192))
    painted_on = ImageOps.expand(scribble(MANY[7], (20, 20, 150, 170)), 6, "white")

    assert 7 in likeliest(rubbed_out, MANY, 2)
    assert 7 in likeliest(painted_on, MANY, 2)


def test_few_pictures_are_all_likely() -> None:
    """There is nothing to save then; and of a copy that is all erased nothing can be said."""
    nothing = Image.new("RGBA", (256, 192))

    assert likeliest(MANY[0], MANY[:4], 4) == [0, 1, 2, 3]
    assert likeliest(nothing, MANY, 4) == [0, 1, 2, 3]
    assert 0 not in likeliest(MANY[11], MANY, 1)
