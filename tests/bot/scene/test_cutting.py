"""A piece is what somebody meant to cut out: nothing of its surroundings clings to it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from bot import texts
from bot.errors import BadPicture
from bot.scene.cutting import background_cleared, cut, without_background
from bot.scene.regions import parse_region
from inference import Size
from tests.bot.scene.samples import as_jpeg, disc, noise, rectangle, values


def over(piece: Image.Image, colour: str) -> Image.Image:
    ground = Image.new("RGBA", piece.size, colour)
    ground.alpha_composite(piece)
    return ground.convert("RGB")


# By a region


def test_a_cut_piece_has_the_region_as_its_outline() -> None:
    """Trimmed to the region's bounds, its alpha is the region, and its colours are the picture's."""
    picture = noise(160, 160)
    region = parse_region("ellipse B2:D4", Size(160, 160))

    piece = cut(picture, region)

    assert (piece.mode, piece.size) == ("RGBA", (60, 60))
    assert (values(piece)[..., 3] == values(region)[20:80, 20:80]).all()
    assert (values(piece)[..., :3] == values(picture)[20:80, 20:80]).all()


def test_a_soft_region_cuts_softly() -> None:
    """Greys become alpha, times what the picture has of its own."""
    picture = Image.new("RGBA", (40, 40), (9, 9, 9, 128))

    piece = cut(picture, Image.new("L", (40, 40), 128))

    assert values(piece)[5, 5].tolist() == [9, 9, 9, 64]


def test_a_cut_piece_is_trimmed_to_what_is_visible() -> None:
    """Where the picture was transparent already there is nothing to keep."""
    picture = Image.new("RGBA", (100, 100))
    picture.paste("red", (30, 40, 50, 55))

    piece = cut(picture, Image.new("L", (100, 100), 255))

    assert piece.size == (20, 15)


@pytest.mark.parametrize(
    "picture, region, sentence",
    [
        (
            Image.new("RGBA", (50, 50)),
            rectangle((50, 50), (0, 0, 50, 50)),
            texts.PIECE_IS_INVISIBLE,
        ),
        (noise(50, 50), Image.new("L", (50, 50), 0), texts.PIECE_IS_INVISIBLE),
        (noise(50, 50), rectangle((50, 50), (0, 0, 4, 40)), texts.piece_too_small(Size(4, 40), 8)),
    ],
)
def test_a_piece_that_is_nothing_is_refused(picture: Image.Image, region: Image.Image, sentence: str) -> None:
    """Transparent or a few pixels: said, with what to do."""
    with pytest.raises(BadPicture) as refused:
        cut(picture, region)

    assert str(refused.value) == sentence


# From its background


@pytest.mark.parametrize("quality", [None, 60, 80, 95])
@pytest.mark.parametrize("colour, background", [("red", "white"), ("white", "black"), ("blue", "#20a040")])
def test_a_flat_background_goes(colour: str, background: str, quality: int | None) -> None:
    """What is left has the area of the disc that stood before it, also after JPEG, and no specks round it."""
    picture = disc(256, colour, background)

    piece = without_background(picture if quality is None else as_jpeg(picture, quality))

    assert piece is not None
    alpha = values(piece)[..., 3] / 255
    assert alpha.sum() == pytest.approx(np.pi * 64**2, rel=0.03)
    assert max(piece.size) <= 134


def test_no_background_clings_to_the_edge() -> None:
    """Laid over blue, a red disc cut from white is as one drawn on blue; merely keyed out it is not."""
    picture = disc(256, "red", "white")
    wanted = values(disc(256, "red", "blue"))
    keyed = picture.convert("RGBA")
    keyed.putalpha(Image.fromarray(np.uint8(values(picture).sum(axis=2) < 3 * 255) * 255))

    cleared = background_cleared(picture)

    assert cleared is not None
    assert np.abs(values(over(cleared, "blue")) - wanted).max() <= 24
    assert np.abs(values(over(keyed, "blue")) - wanted).max() > 100


def test_what_is_enclosed_stays() -> None:
    """A white eye in a red face is no background: only what is connected with the border goes."""
    picture = disc(256)
    ImageDraw.Draw(picture).ellipse((110, 110, 140, 140), fill="white")

    cleared = background_cleared(picture)

    assert cleared is not None
    assert cleared.getpixel((125, 125)) == (255, 255, 255, 255)
    assert values(cleared)[2, 2, 3] == 0


def test_a_small_star_is_no_speck() -> None:
    """Noise differs little from the background; a few bright pixels in the night were meant."""
    picture = Image.new("RGB", (200, 200), (10, 10, 30))
    picture.paste("white", (50, 50, 53, 53))
    picture.paste("white", (150, 150, 180, 180))

    cleared = background_cleared(picture)

    assert cleared is not None
    assert values(cleared)[51, 51, 3] == 255


@pytest.mark.parametrize("picture", [noise(100, 100), Image.linear_gradient("L").convert("RGB")])
def test_without_a_flat_background_there_is_nothing_to_take(picture: Image.Image) -> None:
    """A border of many colours is no background."""
    assert without_background(picture) is None


def test_a_piece_that_is_cut_out_already_stays_as_it_is() -> None:
    """Its border is transparent: only trimmed, its colours untouched. Cutting twice changes nothing."""
    once = without_background(disc())
    assert once is not None

    framed = Image.new("RGBA", (300, 300))
    framed.paste(once, (40, 50))

    again = without_background(framed)
    assert again is not None
    assert (values(again) == values(once)).all()


def test_a_picture_of_nothing_but_background_is_refused() -> None:
    """An empty sheet has nothing to cut out."""
    with pytest.raises(BadPicture, match="transparent"):
        without_background(Image.new("RGB", (64, 64), "white"))


def test_clearing_keeps_the_size() -> None:
    """So that a piece that is placed stays where it is when its background goes."""
    cleared = background_cleared(disc(100))

    assert cleared is not None
    assert (cleared.mode, cleared.size) == ("RGBA", (100, 100))
