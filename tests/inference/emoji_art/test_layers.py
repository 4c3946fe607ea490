"""Tiles land where they are said to be, in order and without the traces of scaling."""

from __future__ import annotations

import torch
from torch import Tensor

from inference.emoji_art.layers import Placed, place_layers

SIDE = 64


def tile(colour: tuple[float, float, float], alpha: Tensor | None = None) -> Tensor:
    """(1, 4, 64, 64), filled but for a margin; or with the alpha that is given."""
    if alpha is None:
        alpha = torch.zeros(64, 64)
        alpha[3:-3, 3:-3] = 1
    return torch.cat([torch.tensor(colour)[:, None, None].expand(3, 64, 64), alpha[None]])[None]


RED, BLUE = tile((1.0, 0.0, 0.0)), tile((0.0, 0.0, 1.0))


def placed(x: float = 0.5, y: float = 0.5, size: float = 0.5, **more: float) -> Placed:
    return Placed(0, 0, x, y, size, **more)  # type: ignore[arg-type]  # flip is passed as what it is


def white(rows: int = 1) -> Tensor:
    return torch.ones(rows, 3, SIDE, SIDE)


def middle(cover: Tensor) -> tuple[float, float]:
    """The centre of what is covered, in shares."""
    line = (torch.arange(cover.shape[-1]) + 0.5) / cover.shape[-1]
    total = cover.sum()
    return float((cover.sum(0) * line).sum() / total), float((cover.sum(1) * line).sum() / total)


def test_a_tile_lies_where_it_was_placed() -> None:
    """Its middle and its size are those asked for, its colour is its own, the rest is untouched."""
    pictures, cover = place_layers(white(), [[placed(0.3, 0.6, 0.4)]], RED)
    x, y = middle(cover[0, 0])

    assert abs(x - 0.3) < 0.01
    assert abs(y - 0.6) < 0.01
    assert abs(float(cover.sum()) / SIDE**2 - (0.4 * 58 / 64) ** 2) < 0.01
    assert pictures[0, :, 38, 19].tolist() == [1, 0, 0]
    torch.testing.assert_close(pictures[0, :, :16], white()[0, :, :16])


def test_the_canvas_is_left_as_it_is() -> None:
    """A new picture comes back."""
    canvas = white()
    place_layers(canvas, [[placed()]], RED)

    assert bool((canvas == 1).all())


def test_turn_and_flip() -> None:
    """What is in the tile's upper left is in the upper right after a flip or a quarter turn clockwise."""
    alpha = torch.zeros(64, 64)
    alpha[4:28, 4:28] = 1
    corner = tile((0.0, 0.0, 0.0), alpha)
    objects = [[placed()], [placed(flip=True)], [placed(turn=90)], [placed(turn=90, flip=True)]]
    _, cover = place_layers(white(4), objects, corner.expand(4, -1, -1, -1), shadows=False)

    seen = [tuple(place > 0.5 for place in middle(each[0])) for each in cover]

    assert seen == [(False, False), (True, False), (True, False), (True, True)]


def test_later_objects_hide_earlier_ones() -> None:
    """Rows may have different numbers of objects, also none."""
    objects = [[placed(), placed()], [], [placed()]]
    pictures, cover = place_layers(white(3), objects, torch.cat([RED, BLUE, RED]))

    assert pictures[0, :, 32, 32].tolist() == [0, 0, 1]
    assert pictures[2, :, 32, 32].tolist() == [1, 0, 0]
    assert float(cover[1].sum()) == 0
    torch.testing.assert_close(pictures[1], white()[0])


def test_colours_of_invisible_pixels_never_show() -> None:
    """A green square in transparent magenta stays green at every scale."""
    square = tile((1.0, 0.0, 1.0))
    square[0, :3, 3:-3, 3:-3] = torch.tensor([0.0, 1.0, 0.0])[:, None, None]
    sizes = [0.07, 0.13, 0.3, 0.62, 0.9]
    black = torch.zeros(len(sizes), 3, SIDE, SIDE)
    pictures, _ = place_layers(black, [[placed(size=size)] for size in sizes], square.expand(5, -1, -1, -1))

    assert float(pictures[:, (0, 2)].max()) < 1e-6
    assert float(pictures[:, 1].amax((1, 2)).min()) > 0.5


def test_small_tiles_are_averaged() -> None:
    """A fine black-and-white pattern drawn small is grey and not a pattern of its own."""
    stripes = tile((0.0, 0.0, 0.0), torch.ones(64, 64))
    stripes[0, :3, :, ::2] = 1.0
    pictures, _ = place_layers(white(), [[placed(size=0.26)]], stripes)
    inner = pictures[0, :, 28:36, 28:36]

    assert float((inner - 0.5).abs().max()) < 0.05


def test_a_shadow_lies_under_the_foot() -> None:
    """It is darkest just under the object, is nowhere near its head, and does not count as cover."""
    objects = [[placed(0.5, 0.4, 0.5, shadow=0.5)]]
    shaded, cover = place_layers(white(), objects, RED)
    plain, same_cover = place_layers(white(), objects, RED, shadows=False)
    darker = (plain - shaded)[0].mean(0)
    foot = round((0.4 + 0.5 * 29 / 64) * SIDE)

    torch.testing.assert_close(cover, same_cover)
    assert float(darker[foot + 1, 28:36].min()) > 0.2
    assert float(darker[: foot - 12].max()) < 0.01
    assert float(darker[foot + 12 :].max()) < 0.01


def test_a_shadow_follows_a_foot_that_is_not_in_the_middle() -> None:
    """Also when the tile is flipped."""
    alpha = torch.zeros(64, 64)
    alpha[4:60, 8:16] = 1
    alpha[4:12, 8:56] = 1
    flag = tile((1.0, 0.0, 0.0), alpha)
    for flip in (False, True):
        objects = [[placed(0.5, 0.4, 0.6, shadow=0.5, flip=flip)]]
        shaded, _ = place_layers(white(), objects, flag)
        plain, _ = place_layers(white(), objects, flag, shadows=False)
        x, _y = middle((plain - shaded)[0].mean(0))

        assert (x > 0.6) if flip else (x < 0.4)
