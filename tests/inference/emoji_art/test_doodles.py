"""Doodles show the scene they were drawn from, and show it the way people draw who cannot draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from inference.emoji_art.art import Sprites, make_set
from inference.emoji_art.doodles import KINDS, render_doodles
from inference.emoji_art.scenes import Placed, Scene, render
from tests.inference.emoji_art.toys import to_pixels, toy_concepts, toy_sprites

BALL, BOX, TREE = range(3)
SIDE = 96
COUNT = 12


def scene(*objects: Placed, background: str = "white background", seed: int = 0) -> Scene:
    return Scene(background=background, background_seed=seed, objects=objects, caption="", template="")


def left(concept: int, sprite_set: int = 0) -> Placed:
    """Wholly in the left half, so that its mirror image is elsewhere."""
    return Placed(concept, sprite_set, x=0.27, y=0.5, size=0.4)


def doodles(scenes: Sequence[Scene], *, kind: str | None = None, seed: int = 0) -> Tensor:
    """In [0, 1], of the toys."""
    generator = torch.Generator().manual_seed(seed)
    return render_doodles(scenes, toy_sprites(), side=SIDE, generator=generator, kind=kind).add(1).div(2)


def mixed_toys() -> list[Scene]:
    return [scene(left(row % 3, row % 2)) for row in range(COUNT)]


def cover(scenes: Sequence[Scene]) -> Tensor:
    return render(scenes, toy_sprites(), side=SIDE).cover > 0.5


def drawn(pictures: Tensor) -> Tensor:
    """Where something is that is no white paper: bool (n, 1, side, side)."""
    return (1 - pictures).amax(1, keepdim=True) > 0.15


def overlap(one: Tensor, other: Tensor) -> float:
    """Intersection over union, the mean of the rows."""
    both, either = (one & other).sum((1, 2, 3)), (one | other).sum((1, 2, 3))
    return float((both / either).mean())


def share_inside(mask: Tensor, region: Tensor) -> float:
    return float((mask & region).sum() / region.sum())


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_are_what_the_autoencoder_takes(kind: str) -> None:
    """Every kind gives finite float32 pictures in [-1, 1] of scenes with none, one or two objects."""
    scenes = [scene(), scene(left(BALL)), scene(left(BALL), left(TREE), background="beach")]
    pictures = render_doodles(
        scenes, toy_sprites(), side=96, generator=torch.Generator().manual_seed(0), kind=kind
    )

    assert pictures.shape == (3, 3, 96, 96)
    assert pictures.dtype == torch.float32
    assert pictures.isfinite().all()
    assert -1 <= float(pictures.min()) < float(pictures.max()) <= 1


@pytest.mark.parametrize("kind", [None, *KINDS])
def test_equal_seeds_draw_equal_doodles(kind: str | None) -> None:
    """All chance comes from the generator; another seed is another drawing of every scene."""
    scenes = mixed_toys()
    first, again = doodles(scenes, kind=kind, seed=1), doodles(scenes, kind=kind, seed=1)
    other = doodles(scenes, kind=kind, seed=2)

    assert torch.equal(first, again)
    assert (first != other).flatten(1).any(1).all()


def test_the_callers_and_the_worlds_chance_stay_apart() -> None:
    """Drawing takes nothing from torch's global generator, and moves on the one it is given."""
    generator = torch.Generator().manual_seed(0)
    before, own = torch.get_rng_state(), generator.get_state()
    render_doodles(mixed_toys(), toy_sprites(), side=32, generator=generator)

    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(generator.get_state(), own)


@pytest.mark.parametrize(
    "kind, least",
    [("blobs", 0.65), ("inked", 0.65), ("crayon", 0.55), ("scribble", 0.4), ("patchy", 0.4)],
)
def test_the_object_is_where_it_was(kind: str, least: float) -> None:
    """What is drawn lies over the scene's object; over the mirror image of its place there is next to nothing."""
    scenes = mixed_toys()
    seen, place = drawn(doodles(scenes, kind=kind)), cover(scenes)

    assert overlap(seen, place) > least
    assert overlap(seen, place.flip(-1)) < 0.05


def test_outlines_follow_the_object() -> None:
    """A line drawing has its lines near the object's edge: far more of the edge's pixels are drawn than of the rest."""
    scenes = mixed_toys()
    seen, place = drawn(doodles(scenes, kind="outlines")), cover(scenes)
    near_edge = grown(place, 5) & grown(~place, 5)

    assert share_inside(near_edge, seen) > 0.75
    assert share_inside(near_edge.flip(-1), seen) < 0.05
    assert float(near_edge.float().mean()) < 0.25


def grown(mask: Tensor, by: int) -> Tensor:
    return torch.nn.functional.max_pool2d(mask.float(), 2 * by + 1, stride=1, padding=by) > 0.5


def test_outlines_leave_the_inside_white() -> None:
    """A line drawing leaves most of what the object covers white; a blob fills it."""
    scenes = mixed_toys()
    place = cover(scenes)

    assert share_inside(drawn(doodles(scenes, kind="outlines")), place) < 0.4
    assert share_inside(drawn(doodles(scenes, kind="blobs")), place) > 0.8


@pytest.mark.parametrize("kind", ["crayon", "scribble", "patchy"])
def test_some_of_the_fill_is_missing(kind: str) -> None:
    """Of crayon drawings, scribbles and half-done ones some leave 6 % of the inside white; blobs never do."""
    scenes = [scene(left(BOX)) for _ in range(COUNT)]
    inside = ~grown(~cover(scenes), 6)

    def white(kind: str) -> Tensor:
        empty = inside & ~drawn(doodles(scenes, kind=kind))
        return empty.sum((1, 2, 3)) / inside.sum((1, 2, 3))

    assert int((white(kind) > 0.06).sum()) >= COUNT // 4
    assert int((white("blobs") > 0.06).sum()) == 0


@pytest.mark.parametrize("kind", ["blobs", "inked", "crayon"])
@pytest.mark.parametrize(
    "concept, colour", [(BALL, (230, 40, 40)), (BOX, (25, 110, 215)), (TREE, (50, 160, 70))]
)
def test_colours_survive(kind: str, concept: int, colour: tuple[int, int, int]) -> None:
    """The middle of a filled toy is near its own colour in every drawing, and farther from the other toys' colours."""
    own = torch.tensor(colour) / 255
    others = [
        torch.tensor(rgb) / 255 for rgb in ((230, 40, 40), (25, 110, 215), (50, 160, 70)) if rgb != colour
    ]
    scenes = [scene(left(concept)) for _ in range(COUNT)]
    pictures = doodles(scenes, kind=kind)
    middle = drawn(pictures) & ~grown(~cover(scenes), 5) & (pictures.amax(1, keepdim=True) > 0.3)
    means = (pictures * middle).sum((2, 3)) / middle.sum((2, 3))

    assert float((means - own).abs().mean(1).max()) < 0.22
    for other in others:
        assert ((means - own).norm(dim=1) < (means - other).norm(dim=1)).all()


def test_a_blob_has_few_colours() -> None:
    """A ball shaded from red to dark red becomes a few flat colours; the scene it is drawn from has many more."""
    sprites = one_sprite(shaded)
    scenes = [scene(Placed(0, 0, x=0.5, y=0.5, size=0.9)) for _ in range(COUNT)]
    generator = torch.Generator().manual_seed(0)
    flat = render_doodles(scenes, sprites, side=SIDE, generator=generator, kind="blobs").add(1).div(2)
    clean = render(scenes, sprites, side=SIDE).pictures.add(1).div(2)
    inside = ~grown(~(render(scenes, sprites, side=SIDE).cover > 0.5), 8)

    assert max(colour_count(picture, mask) for picture, mask in zip(flat, inside, strict=True)) <= 3
    assert min(colour_count(picture, mask) for picture, mask in zip(clean, inside, strict=True)) > 8


def colour_count(picture: Tensor, mask: Tensor) -> int:
    """Colours, in steps of a 32nd, that at least 3 % of the pixels have."""
    _, counts = (picture[:, mask[0]] * 32).round().unique(dim=1, return_counts=True)
    return int((counts * 33 >= counts.sum()).sum())


def one_sprite(draw: Callable[[ImageDraw.ImageDraw], None]) -> Sprites:
    image = Image.new("RGBA", (256, 256))
    draw(ImageDraw.Draw(image))
    pixels = to_pixels(image)[None, None]
    return make_set(pixels, torch.ones((1, 1), dtype=torch.bool), toy_concepts()[:1], ("flat",))


def shaded(draw: ImageDraw.ImageDraw) -> None:
    for step in range(110):
        light = round(step * 0.6)
        draw.ellipse(
            (18 + step, 18 + step, 238 - step, 238 - step), fill=(120 + 2 * light, light, light, 255)
        )


@pytest.mark.parametrize("light, lines", [(255, True), (60, False)])
def test_a_white_object_on_white_gets_a_line(light: int, lines: bool) -> None:
    """Even a blob has a thin dark line around it where nobody would see it otherwise; a dark one is dark all over."""
    sprites = one_sprite(lambda draw: draw.ellipse((20, 20, 236, 236), fill=(light, light, light, 255)))
    scenes = [scene(left(0)) for _ in range(COUNT)]
    generator = torch.Generator().manual_seed(0)
    pictures = render_doodles(scenes, sprites, side=SIDE, generator=generator, kind="blobs").add(1).div(2)
    dark = pictures.amax(1, keepdim=True) < 0.6
    wide = (~grown(~dark, 3)).flatten(1).any(1)

    assert dark.flatten(1).any(1).all()
    assert bool(wide.any()) is not lines
    assert bool(wide.all()) is not lines


def test_an_unknown_kind_is_refused() -> None:
    """A kind that there is not is named in a KeyError; one that there is draws."""
    with pytest.raises(KeyError, match="masterpieces"):
        doodles([scene(left(BALL))], kind="masterpieces")

    assert doodles([scene(left(BALL))], kind="blobs").shape[0] == 1


def test_kinds_differ() -> None:
    """No two kinds draw the same scenes alike, though they are given the same seed."""
    scenes = mixed_toys()
    pictures = {kind: doodles(scenes, kind=kind) for kind in KINDS}
    distances = [
        float((pictures[one] - pictures[other]).abs().mean())
        for index, one in enumerate(KINDS)
        for other in KINDS[:index]
    ]

    assert min(distances) > 0.008


def test_many_doodles_are_of_several_kinds() -> None:
    """Left to chance, some doodles of a scene fill the object and some leave it empty; of one kind, all agree."""
    scenes = [scene(left(BOX)) for _ in range(40)]
    inside = ~grown(~cover(scenes), 6)

    def filled(pictures: Tensor) -> Tensor:
        return (drawn(pictures) & inside).sum((1, 2, 3)) / inside.sum((1, 2, 3))

    by_chance, forced = filled(doodles(scenes)), filled(doodles(scenes, kind="blobs"))
    assert int((by_chance > 0.9).sum()) > 12
    assert int((by_chance < 0.3).sum()) >= 2
    assert float(forced.min()) > 0.8


def test_grounds_are_white_or_near_the_scenes_colour() -> None:
    """About a third of the blobs on green lie on white paper, the others on green; an empty sheet is never white."""

    def corners(*objects: Placed) -> Tensor:
        scenes = [scene(*objects, background="green background", seed=row) for row in range(60)]
        return doodles(scenes, kind="blobs")[:, :, 3, 3]

    def white(colours: Tensor) -> Tensor:
        return (colours > 0.99).all(1)

    def green(colours: Tensor) -> Tensor:
        return colours[:, 1] > colours[:, [0, 2]].amax(1) + 0.1

    behind_a_ball, alone = corners(left(BALL)), corners()
    assert 10 <= int(white(behind_a_ball).sum()) <= 28
    assert (white(behind_a_ball) ^ green(behind_a_ball)).all()
    assert green(alone).all()


def test_two_bands_only_where_there_is_a_horizon() -> None:
    """Some beaches have a sky that is bluer than their sand; a plain background is the same above and below."""
    beach = doodles([scene(left(BALL), background="beach", seed=row) for row in range(40)], kind="blobs")
    plain = doodles(
        [scene(left(BALL), background="blue background", seed=row) for row in range(40)], kind="blobs"
    )

    def steps(pictures: Tensor) -> Tensor:
        return pictures[:, :, 3, 3] - pictures[:, :, -3, 3]

    bands = steps(beach).abs().amax(1) > 0.1
    assert int(bands.sum()) >= 8
    assert (steps(beach)[bands, 2] > steps(beach)[bands, 0]).all()
    assert int((~bands).sum()) >= 8
    assert float(steps(plain).abs().max()) < 0.1


def test_some_skies_have_stars() -> None:
    """Some drawings of space have white dots on their flat dark ground; a black background has none."""
    space = doodles([scene(background="space", seed=row) for row in range(30)], kind="blobs")
    black = doodles([scene(background="black background", seed=row) for row in range(30)], kind="blobs")

    def dotted(pictures: Tensor) -> int:
        bright = (pictures > 0.9).all(1).float().mean((1, 2))
        return int(((bright > 0.001) & (bright < 0.2)).sum())

    assert dotted(space) >= 6
    assert dotted(black) == 0


def test_the_front_object_hides_what_is_behind() -> None:
    """Where two filled objects share a place, the later one is seen."""
    ball, box = left(BALL), left(BOX)
    box_in_front = doodles([scene(ball, box)] * COUNT, kind="blobs")
    ball_in_front = doodles([scene(box, ball)] * COUNT, kind="blobs")
    x, y = round(0.27 * SIDE), round(0.5 * SIDE)

    assert (box_in_front[:, 2, y, x] > box_in_front[:, 0, y, x]).all()
    assert (ball_in_front[:, 0, y, x] > ball_in_front[:, 2, y, x]).all()
