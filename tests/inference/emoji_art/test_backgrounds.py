"""Backgrounds are what they are called, differ by seed alone, and stay in range."""

from __future__ import annotations

import pytest
import torch

from inference.emoji_art.backgrounds import (
    BACKGROUNDS,
    COLOURS,
    PLACES,
    Easel,
    by_name,
    paint,
    plain_name,
    rgb,
)

SIDE = 64
NAMES = [background.name for background in BACKGROUNDS]


def seeds_of(names: list[str]) -> list[int]:
    return list(range(100, 100 + len(names)))


def saturation(picture: torch.Tensor) -> float:
    return float((picture.amax(0) - picture.amin(0)).mean())


@pytest.mark.parametrize("name", NAMES)
def test_every_background_is_a_picture(name: str) -> None:
    """It has the size that was asked for, and only colours that exist."""
    pictures = paint([name, name], [1, 2], SIDE)

    assert pictures.shape == (2, 3, SIDE, SIDE)
    assert pictures.dtype == torch.float32
    assert bool(pictures.isfinite().all())
    assert 0 <= float(pictures.min()) <= float(pictures.max()) <= 1


def test_a_seed_is_all_that_a_picture_depends_on() -> None:
    """The same name and seed give the same picture in whatever company; another seed gives another."""
    seeds = seeds_of(NAMES)
    together = paint(NAMES, seeds, SIDE)
    backwards = paint(NAMES[::-1], seeds[::-1], SIDE).flip(0)
    others = paint(NAMES, [seed + 1000 for seed in seeds], SIDE)

    torch.testing.assert_close(together, backwards)
    assert all(float((one - other).abs().mean()) > 0.002 for one, other in zip(together, others, strict=True))


@pytest.mark.parametrize("colour", COLOURS)
def test_a_plain_background_has_the_colour_of_its_name(colour: str) -> None:
    """No other word's colour is nearer."""
    pictures = paint([plain_name(colour)] * 20, list(range(20)), 16)
    swatches = torch.stack([rgb(code) for code in COLOURS.values()])

    nearest = torch.cdist(pictures.mean((2, 3)), swatches).argmin(1)

    assert {list(COLOURS)[index] for index in nearest.tolist()} == {colour}


def test_the_moon_is_grey_ground_with_craters_under_black_sky_with_stars() -> None:
    """Above: black, and bright dots. Below: grey, neither dark nor white, and uneven."""
    pictures = paint(["surface of the moon"] * 8, list(range(8)), 256)
    sky, ground = pictures[:, :, :90], pictures[:, :, 160:]
    meadow = paint(["grass"], [1], 256)[0, :, 160:]

    assert float(sky.median()) < 0.05
    assert bool((sky.amax((1, 2, 3)) > 0.8).all())
    assert bool((sky.mean((1, 2, 3)) < 0.05).all())
    assert max(saturation(each) for each in ground) < 0.06 < saturation(meadow)
    assert all(0.4 < float(each.mean()) < 0.85 for each in ground)
    # A crater is darker than the ground around it, its rim lighter.
    assert all(float(each.quantile(0.02)) < float(each.median()) - 0.15 for each in ground)
    assert all(float(each.quantile(0.995)) > float(each.median()) + 0.08 for each in ground)


def test_places_do_not_look_alike() -> None:
    """Any two differ more in the mean than one of them differs from itself."""
    names = [place.name for place in PLACES for _ in range(6)]
    pictures = paint(names, list(range(len(names))), 16).reshape(len(PLACES), 6, -1)
    means = pictures.mean(1)
    within = (pictures - means[:, None]).norm(dim=2).mean()
    between = torch.cdist(means, means) + torch.eye(len(PLACES)) * 1e6

    assert float(between.min()) > 0.5 * float(within)


def test_a_place_with_ground_has_it_below_its_horizon() -> None:
    """There is something for objects to stand on, and room for their feet."""
    horizons = [place.horizon for place in PLACES if place.horizon is not None]

    assert all(0.5 <= horizon <= 0.9 for horizon in horizons)
    assert by_name()["space"].horizon is None


def test_words_of_two_backgrounds_are_never_the_same() -> None:
    """A phrase says which place is meant."""
    phrases = [
        phrase
        for background in BACKGROUNDS
        for phrase in {*background.phrases, *background.words, *background.names}
    ]

    assert len(set(phrases)) == len(phrases)


def test_a_painter_cannot_run_out_of_random_numbers_unseen() -> None:
    """Taking more than there are is an error and not a repetition."""
    easel = Easel([1], 8, "cpu")

    with pytest.raises(ValueError, match="more random numbers"):
        easel.numbers(100_000)
