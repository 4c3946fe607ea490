"""A scene's picture follows from its record."""

from __future__ import annotations

from dataclasses import replace

import torch

from inference.emoji_art.backgrounds import paint
from inference.emoji_art.concepts import HeldOut
from inference.emoji_art.sampling import Mix, SceneSampler
from inference.emoji_art.scenes import Placed, Scene, object_tiles, render
from tests.inference.emoji_art.toys import toy_sprites

SPRITES = toy_sprites()
SIDE = 64
BALL, BOX, TREE = range(3)


def scene(*objects: Placed, background: str = "grey background") -> Scene:
    return Scene(background, 7, objects, "", "alone-plain")


def sampled(count: int) -> list[Scene]:
    nothing = HeldOut(frozenset(), frozenset(), frozenset())
    return SceneSampler(SPRITES.concepts, SPRITES, nothing, 5).scenes(count, Mix(0.3))


def test_what_comes_back() -> None:
    """Pictures in -1 … 1, cover in 0 … 1, and one label per concept."""
    rendered = render(sampled(9), SPRITES, side=SIDE)

    assert rendered.pictures.shape == (9, 3, SIDE, SIDE)
    assert rendered.cover.shape == (9, 1, SIDE, SIDE)
    assert rendered.labels.shape == (9, 3)
    assert rendered.pictures.dtype == rendered.cover.dtype == torch.float32
    assert -1 <= float(rendered.pictures.min()) <= float(rendered.pictures.max()) <= 1
    assert 0 <= float(rendered.cover.min()) <= float(rendered.cover.max()) <= 1


def test_a_scene_is_all_there_is_to_know() -> None:
    """The same picture in any company; another background seed gives another."""
    scenes = sampled(12)
    together = render(scenes, SPRITES, side=SIDE)
    alone = render(scenes[5:6], SPRITES, side=SIDE)
    other = render([replace(scenes[5], background_seed=1)], SPRITES, side=SIDE)

    torch.testing.assert_close(together.pictures[5:6], alone.pictures)
    assert not torch.allclose(alone.pictures, other.pictures, atol=1e-3)


def test_objects_are_drawn_where_they_are() -> None:
    """A red ball in the upper left, a blue box in the lower right; labels and cover say so."""
    rendered = render(
        [scene(Placed(BALL, 0, 0.25, 0.25, 0.4), Placed(BOX, 0, 0.75, 0.75, 0.4))], SPRITES, side=SIDE
    )
    red, _, blue = (0.5 + rendered.pictures[0] / 2).unbind(0)

    assert float(red[16, 16]) > 0.8 > 0.3 > float(blue[16, 16])
    assert float(blue[48, 48]) > 0.7 > 0.3 > float(red[48, 48])
    assert rendered.labels.tolist() == [[True, True, False]]
    assert rendered.cover[0, 0, (16, 48, 16, 48), (16, 48, 48, 16)].round().tolist() == [1, 1, 0, 0]


def test_a_scene_may_be_empty() -> None:
    """It shows its background and covers nothing, also if all scenes do."""
    rendered = render([scene(background="beach")], SPRITES, side=SIDE)

    torch.testing.assert_close(rendered.pictures, paint(["beach"], [7], SIDE) * 2 - 1)
    assert not rendered.cover.any()
    assert not rendered.labels.any()


def test_one_thing_twice_is_one_label() -> None:
    """Labels say which concepts are there, not how many."""
    two = scene(Placed(TREE, 0, 0.25, 0.5, 0.3), Placed(TREE, 1, 0.75, 0.5, 0.3))

    assert render([two], SPRITES, side=SIDE).labels.tolist() == [[False, False, True]]


def test_tiles_come_in_the_order_of_the_objects() -> None:
    """Straight alpha, as the sprites have it, in 0 … 1."""
    tiles = object_tiles(SPRITES, [Placed(BOX, 1, 0.5, 0.5, 1), Placed(BALL, 0, 0.5, 0.5, 1)])

    torch.testing.assert_close(tiles[0] * 255, SPRITES.pixels[BOX, 1].float())
    torch.testing.assert_close(tiles[1] * 255, SPRITES.pixels[BALL, 0].float())
    assert object_tiles(SPRITES, []).shape == (0, 4, 256, 256)
