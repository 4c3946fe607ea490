"""A colour word is only said where a person would say it."""

from __future__ import annotations

import pytest
import torch

from inference.emoji_art.colours import colour_word

Colour = tuple[int, int, int]

WHITE = (255, 255, 255)
RED = (225, 40, 40)
BLUE = (30, 110, 210)
PALE_GREY = (205, 205, 208)
DARK_GREY = (105, 105, 108)


def sprite(*parts: tuple[Colour, float]) -> torch.Tensor:
    """Stripes of these colours, of these shares of the height. uint8 (4, 240, 240)."""
    pixels = torch.zeros((4, 240, 240), dtype=torch.uint8)
    top = 0.0
    for colour, share in parts:
        rows = slice(round(top * 240), round((top + share) * 240))
        pixels[:, rows] = torch.tensor([*colour, 255], dtype=torch.uint8)[:, None, None]
        top += share
    return pixels


@pytest.mark.parametrize(
    "colour, word",
    [
        (RED, "red"),
        ((245, 130, 20), "orange"),
        ((252, 214, 55), "yellow"),
        ((60, 160, 70), "green"),
        (BLUE, "blue"),
        ((130, 70, 180), "purple"),
        ((250, 120, 190), "pink"),
        ((110, 70, 50), "brown"),
        ((10, 10, 12), "black"),
        (WHITE, "white"),
        (DARK_GREY, "grey"),
        (PALE_GREY, "grey"),
    ],
)
def test_one_colour_has_its_word(colour: Colour, word: str) -> None:
    """A thing of one plain colour is called by it."""
    pixels = sprite((colour, 0.7))

    assert colour_word(pixels) == word


@pytest.mark.parametrize("colour", [(0, 181, 173), (232, 195, 158)], ids=["teal", "beige"])
def test_a_colour_between_the_words_has_none(colour: Colour) -> None:
    """Better no word than a doubtful one."""
    pixels = sprite((colour, 1.0))

    assert colour_word(pixels) is None


def test_a_thing_of_two_colours_has_no_word() -> None:
    """Red and blue is not red, but red with a little blue is."""
    mixed = sprite((RED, 0.7), (BLUE, 0.3))
    mostly = sprite((RED, 0.85), (BLUE, 0.15))

    assert colour_word(mixed) is None
    assert colour_word(mostly) == "red"


def test_white_with_colours_is_not_white() -> None:
    """On white, people name the colours that are there."""
    coloured = sprite((WHITE, 0.8), (RED, 0.1), (BLUE, 0.1))
    plain = sprite((WHITE, 0.9), (RED, 0.1))

    assert colour_word(coloured) is None
    assert colour_word(plain) == "white"


def test_light_and_dark_grey_together_are_not_grey() -> None:
    """A cow is not grey."""
    cow = sprite((PALE_GREY, 0.7), (DARK_GREY, 0.3))

    assert colour_word(cow) is None


def test_nothing_visible_has_no_word() -> None:
    """The colours behind an alpha of 0 mean nothing."""
    pixels = sprite((RED, 1.0))
    pixels[3] = 0

    assert colour_word(pixels) is None
