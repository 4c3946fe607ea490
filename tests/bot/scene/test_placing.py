"""A piece lies where it was put, looks as it did, and cannot get lost; the preview is the thing itself."""

from __future__ import annotations

import io
import math

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace
from PIL import Image, ImageChops

from bot.errors import BadOption
from bot.scene.placing import (
    Layer,
    band,
    compose,
    covered,
    footprint,
    moved,
    parse_place,
    scaled,
    shown,
    turned,
)
from bot.scene.regions import bounds, is_empty
from inference import Box, Size
from tests.bot.scene.samples import disc, noise, values

BASE, PIECE = Size(200, 160), Size(60, 40)
AS_IT_IS = Layer(piece_id=1, width=60 / 200)
"""Of the piece's own size on the picture, in its middle."""

sizes = st.builds(Size, st.integers(16, 300), st.integers(16, 300))
layers = st.builds(
    Layer,
    piece_id=st.just(1),
    x=st.floats(-3, 4),
    y=st.floats(-3, 4),
    width=st.floats(0.01, 4),
    turn=st.floats(0, 360),
)


def apart(a: Image.Image, b: Image.Image) -> float:
    return float(np.abs(values(a.convert("RGB")) - values(b.convert("RGB"))).mean())


# Composing


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_piece_of_its_own_size_is_laid_on_to_the_bit(mode: str) -> None:
    """In its place are its pixels, everywhere else the picture's, and the picture's mode stays."""
    base, piece = noise(200, 160, mode), noise(60, 40, seed=1)

    result = compose(base, [(AS_IT_IS, piece)])

    wanted = base.copy()
    wanted.paste(piece.convert(mode), (70, 60))
    assert result.mode == mode
    assert result.tobytes() == wanted.tobytes() != base.tobytes()


@pytest.mark.parametrize(
    "turn, flip, as_pillow",
    [
        (90, False, [Image.Transpose.ROTATE_270]),
        (180, False, [Image.Transpose.ROTATE_180]),
        (270, False, [Image.Transpose.ROTATE_90]),
        (0, True, [Image.Transpose.FLIP_LEFT_RIGHT]),
        (90, True, [Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_270]),
    ],
)
def test_quarter_turns_and_flips_move_pixels_only(
    turn: float, flip: bool, as_pillow: list[Image.Transpose]
) -> None:
    """Clockwise, mirrored before turning; no value changes on the way."""
    piece = wanted = noise(60, 40, seed=1)
    for step in as_pillow:
        wanted = wanted.transpose(step)

    result = compose(noise(200, 160), [(replace(AS_IT_IS, turn=turn, flip=flip), piece)])

    left, top = (200 - wanted.width) // 2, (160 - wanted.height) // 2
    part = result.crop((left, top, left + wanted.width, top + wanted.height))
    assert part.tobytes() == wanted.tobytes()


@given(layer=layers, mode=st.sampled_from(["RGB", "RGBA"]))
def test_where_no_piece_lies_not_one_bit_changes(layer: Layer, mode: str) -> None:
    """Wherever it lies, however it is turned: outside what it covers the picture stays."""
    base, placed = noise(90, 70, mode), [(layer, noise(30, 20, "RGBA", seed=1))]

    result = compose(base, placed)

    free = values(covered(Size(90, 70), placed)) == 0
    assert (values(result)[free] == values(base)[free]).all()


@pytest.mark.parametrize("hidden", ["black", "white", "lime"])
@pytest.mark.parametrize(
    "layer", [Layer(piece_id=1, width=0.21, turn=33), Layer(piece_id=1, width=1.7, turn=5)]
)
def test_colours_under_full_transparency_do_not_bleed(hidden: str, layer: Layer) -> None:
    """A red disc on red stays red at its edge, made smaller or larger, whatever its transparent parts hide."""
    piece = Image.new("RGB", (128, 128), hidden).convert("RGBA")
    alpha = disc(128, "white", "black").convert("L")
    piece.paste("red", mask=alpha.point([0] + [255] * 255))
    piece.putalpha(alpha)
    base = Image.new("RGB", (200, 200), "red")

    result = compose(base, [(layer, piece)])

    assert np.abs(values(result) - values(base)).max() <= 3
    assert values(covered(Size(200, 200), [(layer, piece)])).max() == 255


def test_a_turned_edge_is_smooth() -> None:
    """White on black at a slant: greys lie along its edge, and its area is what it was."""
    layer = Layer(piece_id=1, width=0.5, turn=20)

    level = values(compose(Image.new("RGB", (200, 200)), [(layer, Image.new("RGB", (64, 64), "white"))]))[
        ..., 0
    ]

    grey = (level > 20) & (level < 235)
    assert level.sum() / 255 == pytest.approx(100 * 100, rel=0.02)
    assert 200 < grey.sum() < 1200


def test_a_piece_made_smaller_is_averaged() -> None:
    """Fine stripes become grey, not other stripes."""
    stripes = Image.fromarray(np.tile(np.array([0, 255], np.uint8), (256, 128))).convert("RGB")

    result = compose(Image.new("RGB", (100, 100)), [(Layer(piece_id=1, width=0.32, turn=3), stripes)])

    assert np.abs(values(result)[40:60, 40:60] - 127).max() < 16


def test_later_layers_lie_over_earlier_ones() -> None:
    """The order is from the back to the front."""
    red, blue = (Image.new("RGB", (60, 40), colour) for colour in ("red", "blue"))

    result = compose(noise(200, 160), [(AS_IT_IS, red), (replace(AS_IT_IS, x=0.6), blue)])

    assert result.getpixel((75, 80)) == (255, 0, 0)
    assert result.getpixel((125, 80)) == (0, 0, 255)


def test_opacity_mixes() -> None:
    """At one quarter there is one quarter of it; at none there is nothing, and nothing is covered."""
    base, piece = Image.new("RGB", (200, 160)), Image.new("RGB", (60, 40), "white")
    none = replace(AS_IT_IS, opacity=0)

    quarter = compose(base, [(replace(AS_IT_IS, opacity=0.25), piece)])

    assert abs(values(quarter)[80, 100, 0] - 64) <= 1
    assert compose(base, [(none, piece)]).tobytes() == base.tobytes()
    assert is_empty(covered(BASE, [(none, piece)]))


def test_feather_fades_inwards() -> None:
    """From nothing at its rim to all of it at a fifth of the shorter side, and never beyond the piece."""
    piece = Image.new("RGB", (100, 100), "white")
    layer = Layer(piece_id=1, width=0.5, feather=0.2)

    alpha = values(covered(Size(200, 200), [(layer, piece)]))

    row = alpha[100, 50:75]
    assert row[0] < 40
    assert (np.diff(row) >= 0).all()
    assert (row[20:] == 255).all()
    assert alpha[:, :50].max() == 0


def test_cutting_out_takes_the_background_and_moves_nothing() -> None:
    """The disc stays where it was; the white round it is gone."""
    base, piece = Image.new("RGB", (200, 200), "blue"), disc(100)
    layer = Layer(piece_id=1, width=0.5)

    before, after = (compose(base, [(replace(layer, cut_out=cut), piece)]) for cut in (False, True))

    assert (before.getpixel((55, 55)), after.getpixel((55, 55))) == ((255, 255, 255), (0, 0, 255))
    assert before.getpixel((100, 100)) == after.getpixel((100, 100)) == (255, 0, 0)
    assert bounds(covered(Size(200, 200), [(replace(layer, cut_out=True), piece)])) == Box(75, 75, 51, 51)


def test_a_piece_without_a_background_is_placed_as_it_is() -> None:
    """There is nothing to cut out of noise."""
    base, piece = noise(200, 160), noise(60, 40, seed=1)

    cut, plain = (compose(base, [(replace(AS_IT_IS, cut_out=cut), piece)]) for cut in (True, False))

    assert cut.tobytes() == plain.tobytes()


def test_thirty_pieces_of_four_pixels_are_placed() -> None:
    """Many and tiny is slow work for nobody and no error."""
    layers = [(Layer(piece_id=n, x=n / 30, width=0.02), noise(4, 4, seed=n)) for n in range(30)]

    result = compose(noise(200, 160), layers)

    assert result.tobytes() != noise(200, 160).tobytes()


def test_the_preview_is_what_is_placed() -> None:
    """But for what WebP and the smaller size cost; a nudge of a piece costs more than that."""
    base = noise(16, 12).resize((1400, 1050), Image.Resampling.BICUBIC)
    piece = noise(8, 8, seed=1).resize((300, 300), Image.Resampling.BICUBIC)
    layer = Layer(piece_id=1, turn=25, feather=0.1)

    preview = Image.open(io.BytesIO(shown(base, [(layer, piece)])))

    placed, nudged = (
        compose(base, [(each, piece)]).resize(preview.size, Image.Resampling.LANCZOS)
        for each in (layer, replace(layer, x=0.52))
    )
    assert (preview.format, preview.size) == ("WEBP", (1024, 768))
    assert apart(preview, placed) < 2
    assert apart(preview, nudged) > 1.2 * apart(preview, placed)


# Regions of what was placed


def test_what_is_covered_is_all_that_was_placed() -> None:
    """Together, as soft as they are."""
    layers = [
        (replace(AS_IT_IS, x=0.2, y=0.2), Image.new("RGB", (60, 40))),
        (replace(AS_IT_IS, x=0.8, y=0.8, opacity=0.5), Image.new("RGB", (60, 40))),
    ]

    region = covered(BASE, layers)

    assert bounds(region) == Box(10, 12, 180, 136)
    assert (region.getpixel((40, 32)), region.getpixel((160, 128))) == (255, 128)
    assert region.getpixel((100, 80)) == 0


def test_the_band_lies_along_the_seams() -> None:
    """On the edge it is full, on both sides it fades, in the middle of piece and picture it is nothing."""
    region = values(band(BASE, [(AS_IT_IS, Image.new("RGB", (60, 40)))], 0.04))

    assert region[80, 66:73].min() == 255
    assert 0 < region[80, 64] < 255
    assert region[80, 100] == region[80, 20] == region[10, 100] == 0


def test_a_piece_on_a_piece_has_a_seam() -> None:
    """Where one lies on the other there is a band, and none where the lower one's edge is hidden."""
    large, small = Image.new("RGB", (120, 120)), Image.new("RGB", (40, 40))
    under, over = Layer(piece_id=1, width=0.6), Layer(piece_id=2, width=0.2)

    front = values(band(BASE, [(under, large), (over, small)], 0.02))
    hidden = values(band(BASE, [(over, small), (under, large)], 0.02))

    assert front[80, 80] == 255
    assert hidden[80, 80] == 0
    assert front[80, 40] == hidden[80, 40] == 255


def test_a_piece_over_everything_has_no_seam() -> None:
    """The picture's own border is none: the region is empty."""
    assert is_empty(band(BASE, [(Layer(piece_id=1, width=1.5), Image.new("RGB", (60, 60)))], 0.05))


def test_a_piece_outside_covers_nothing() -> None:
    """Nothing is drawn, nothing is covered, nothing fails."""
    layer = Layer(piece_id=1, x=5.0, width=0.2)

    assert is_empty(covered(BASE, [(layer, noise(10, 10))]))
    assert compose(noise(200, 160), [(layer, noise(10, 10))]).tobytes() == noise(200, 160).tobytes()


# Nudges


@given(
    layer=layers, base=sizes, piece=sizes, dx=st.floats(-5, 5), dy=st.floats(-5, 5), turn=st.floats(-400, 400)
)
def test_a_nudged_piece_is_still_in_sight(
    layer: Layer, base: Size, piece: Size, dx: float, dy: float, turn: float
) -> None:
    """However it is moved, turned or scaled, some of it is drawn on the picture."""
    nudged = scaled(layer, 1.0, base, piece)
    nudged = turned(nudged, turn, base, piece)
    nudged = moved(nudged, dx, dy, base, piece)

    solid = Image.new("RGB", (piece.width, piece.height))
    assert not is_empty(covered(base, [(nudged, solid)]))
    assert 0 <= nudged.turn < 360


@given(layer=layers, base=sizes, piece=sizes, factor=st.floats(0.001, 1000))
def test_a_scaled_piece_stays_within_its_bounds(layer: Layer, base: Size, piece: Size, factor: float) -> None:
    """At least 4 pixels each way, at most 4 times the picture each way."""
    width = scaled(layer, factor, base, piece).width * base.width
    height = width * piece.height / piece.width

    assert min(width, height) > 4 - 1e-6
    assert width <= 4 * base.width + 1e-6
    assert height <= 4 * base.height + 1e-6


def test_a_nudge_inside_the_picture_is_just_that() -> None:
    """Nothing else about the layer changes."""
    there = moved(AS_IT_IS, 0.1, -0.05, BASE, PIECE)
    larger = scaled(AS_IT_IS, 1.1, BASE, PIECE)
    slanted = turned(AS_IT_IS, -15, BASE, PIECE)

    assert there == replace(AS_IT_IS, x=0.6, y=0.45)
    assert larger == replace(AS_IT_IS, width=AS_IT_IS.width * 1.1)
    assert slanted == replace(AS_IT_IS, turn=345)


def test_a_piece_can_be_pushed_half_out() -> None:
    """The bound is for what would be lost, not for what looks out; sideways pushing does not move it down."""
    out = moved(AS_IT_IS, 0.6, 0, BASE, PIECE)
    lost = moved(AS_IT_IS, 3.0, 0, BASE, PIECE)

    assert (out.x, out.y) == (1.1, 0.5)
    assert 1 < lost.x < 1.15
    assert lost.y == 0.5


# Where


@pytest.mark.parametrize(
    "text, centre",
    [
        ("top left", (30, 20)),
        ("top", (100, 20)),
        ("bottom-right", (170, 140)),
        ("centre", (100, 80)),
        ("the middle", (100, 80)),
        ("left", (30, 80)),
        ("B2", (37.5, 40)),
        ("b2:c3", (50, 53.33)),
        ("30%,40%", (60, 64)),
        ("30 40%", (60, 64)),
        ("100%, 0%", (200, 0)),
    ],
)
def test_a_place_is_said_in_words_cells_or_percents(text: str, centre: tuple[float, float]) -> None:
    """Anchors keep the piece inside, flush with the edge; cells and percents are where its centre goes."""
    x, y = parse_place(text, BASE, PIECE)

    assert (x * 200, y * 160) == pytest.approx(centre, abs=0.01)


@given(
    base=sizes, piece=sizes, turn=st.floats(0, 360), words=st.sampled_from(["top left", "right", "bottom"])
)
def test_an_anchored_piece_lies_inside(base: Size, piece: Size, turn: float, words: str) -> None:
    """Turned as well: its footprint ends where the picture does."""
    layer = Layer(piece_id=1, width=0.3, turn=turn)
    box = footprint(layer, base, piece)
    assume(box.width <= base.width and box.height <= base.height)

    x, y = parse_place(words, base, box)

    assert box.width / 2 - 1e-6 <= x * base.width <= base.width - box.width / 2 + 1e-6
    assert box.height / 2 - 1e-6 <= y * base.height <= base.height - box.height / 2 + 1e-6


def test_a_footprint_is_what_is_covered() -> None:
    """The box that a turned piece takes up, to a pixel at each side."""
    layer = replace(AS_IT_IS, turn=40)

    box = bounds(covered(BASE, [(layer, Image.new("RGB", (60, 40)))]))

    wanted = footprint(layer, BASE, PIECE)
    assert math.isclose(box.width, wanted.width, abs_tol=3)
    assert math.isclose(box.height, wanted.height, abs_tol=3)


@pytest.mark.parametrize(
    "text, named",
    [
        ("J9", "`H6`"),
        ("tpo left", "`top left`"),
        ("120%,40%", "0 to 100"),
        ("here", "`30%,40%`"),
        ("", "`B2`"),
    ],
)
def test_a_place_that_is_none_is_a_sentence(text: str, named: str) -> None:
    """It names the nearest right thing, or an example."""
    with pytest.raises(BadOption) as refused:
        parse_place(text, BASE, PIECE)

    assert named in str(refused.value)


@given(layers)
def test_a_layer_survives_storage(layer: Layer) -> None:
    """As JSON and back it is the same; another one is not."""
    back = msgspec.json.decode(msgspec.json.encode(layer), type=Layer)

    assert back == layer
    assert back != replace(layer, flip=True)


def test_composing_leaves_its_inputs_alone() -> None:
    """Picture and pieces are the caller's, and are used again."""
    base, piece = noise(200, 160), disc(64)
    before = base.tobytes(), piece.tobytes()

    compose(base, [(replace(AS_IT_IS, feather=0.2, opacity=0.5, cut_out=True, turn=10), piece)])

    assert (base.tobytes(), piece.tobytes()) == before
    assert ImageChops.difference(base, noise(200, 160)).getbbox() is None
