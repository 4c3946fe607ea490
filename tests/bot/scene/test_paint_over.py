"""An edited copy is matched to its picture, and what was painted on it is found."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from bot.scene.paint_over import find_region, match
from tests.bot.scene.paint_over_cases import SAVINGS, draw_parent, edited_case, sibling, unedited_case
from tests.bot.scene.paint_over_table import is_left_alone, overlap

SEEDS = range(20)
"""A few of the cases that the detector was written with; the figures on others are in docs/paint-over.md."""


def test_what_was_painted_is_found() -> None:
    """Half of the regions overlap with the truth by 0.9 and more, and most by 0.7."""
    overlaps = [overlap(edited_case(seed)) for seed in SEEDS]

    assert np.median(overlaps) >= 0.9
    assert np.mean(np.array(overlaps) >= 0.7) >= 0.85


def test_a_copy_that_was_only_saved_again_is_left_alone() -> None:
    """JPEG, another size, a border or a phone's colours are not paint."""
    left_alone = [is_left_alone(unedited_case(seed)) for seed in SEEDS]

    assert np.mean(left_alone) >= 0.85


@pytest.mark.parametrize("seed", [3, 7])
def test_outside_the_region_nothing_changes(seed: int) -> None:
    """The laid-over copy is the picture to the bit there, and another one within."""
    case = edited_case(seed)
    found = find_region(case.parent, case.edited)
    assert found.region is not None
    outside = np.asarray(found.region) == 0
    before, after = np.asarray(case.parent), np.asarray(found.aligned)

    assert found.aligned.size == found.region.size == case.parent.size
    assert (before[outside] == after[outside]).all()
    assert (before[~outside] != after[~outside]).any()


def test_what_was_erased_keeps_its_old_colours() -> None:
    """Under the eraser lies the picture, whatever the editor left there."""
    _, picture = draw_parent(np.random.default_rng(5))
    edited = picture.convert("RGBA")
    hole = (40, 40, 200, 160)
    edited.paste((0, 0, 0, 0), hole)
    found = find_region(picture, edited)
    assert found.region is not None

    assert np.asarray(found.region.crop(hole)).min() == 255
    assert (np.asarray(found.aligned) == np.asarray(picture)).all()


def test_it_is_told_which_candidate_was_painted_on() -> None:
    """Candidates of one sketch look alike; a copy is matched to its own, or once in a while to none."""
    rng = np.random.default_rng(11)
    said = []
    for seed in range(6):
        case = edited_case(seed)
        found = match(case.edited, [sibling(case.parent, rng), case.parent, sibling(case.parent, rng)])
        said.append(None if found is None else 1 in (found.index, *found.tied))

    assert False not in said
    assert said.count(True) >= 5


def test_twins_are_a_tie() -> None:
    """Between two files of the same pixels only the person can choose."""
    case = edited_case(2)
    found = match(case.edited, [case.parent, case.parent.copy()])

    assert found is not None
    assert sorted(found.tied) == [0, 1]


def test_another_picture_matches_nothing() -> None:
    """Nor does a tiny one, or one of another shape."""
    rng = np.random.default_rng(4)
    pictures = [draw_parent(rng)[1].resize((256, 256)) for _ in range(4)]
    strange = [match(picture, pictures[:at] + pictures[at + 1 :]) for at, picture in enumerate(pictures)]

    assert strange == [None] * 4
    assert match(Image.new("RGB", (4, 4)), pictures) is None
    assert match(pictures[0].resize((512, 100)), pictures) is None


def test_every_way_of_saving_is_among_the_cases() -> None:
    """The few cases here are not all of one kind."""
    assert {edited_case(seed).saving for seed in range(60)} == set(SAVINGS)
