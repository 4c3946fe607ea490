"""Objects on paper: fills, crayon strokes and pen lines, all read off the maps of their regions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its usual name

from inference.emoji_art.doodles.chance import Dice, per_pixel, pixel_points, smooth_noise
from inference.emoji_art.doodles.hands import Hands
from inference.emoji_art.doodles.regions import REACH, SOFT, SPRITE, regions, unsteady
from inference.emoji_art.layers import Placed


@dataclass(frozen=True)
class Draft:
    """Objects about to be drawn.

    cells: (objects, 6, map, map), softened by SOFT: how much of a region is there. colours: (objects, 6, 3), theirs.
    areas: (objects, 6), their shares of the object. zoom: (objects,), pixels of the picture per pixel of the map.
    """

    cells: Tensor
    colours: Tensor
    areas: Tensor
    place: Place
    zoom: Tensor
    hands: Hands

    def of(self, rows: list[int]) -> Draft:
        return Draft(
            self.cells[rows],
            self.colours[rows],
            self.areas[rows],
            self.place.of(rows),
            self.zoom[rows],
            self.hands.of(rows),
        )


def drafted(pixels: Tensor, placed: Sequence[Placed], side: int, hands: Hands, dice: Dice) -> Draft:
    """pixels: the sprites, premultiplied, float (objects, 4, 64, 64) in [0, 1]. side: of the picture, in pixels."""
    cells, colours = regions(pixels, hands, dice)
    areas = cells.sum((2, 3))
    place = _places(placed, hands.crude, dice)
    return Draft(
        cells=unsteady(cells, hands.crude, dice),
        colours=colours,
        areas=areas / areas.sum(1, keepdim=True).clamp_min(1e-3),
        place=place,
        zoom=side * place.half * 2 / SPRITE,
        hands=hands,
    )


@dataclass(frozen=True)
class Place:
    """Where objects are drawn: centres (objects, 2) in shares of the side; halves of their sides (objects,); stretch
    (objects, 2) along the sprite's own axes; turn (objects,) in radians; flip (objects,) of -1 and 1."""

    centre: Tensor
    half: Tensor
    stretch: Tensor
    turn: Tensor
    flip: Tensor

    def shifted(self, by: Tensor) -> Place:
        return replace(self, centre=self.centre + by)

    def of(self, rows: list[int]) -> Place:
        return Place(**{name: value[rows] for name, value in vars(self).items()})


def _places(placed: Sequence[Placed], crude: Tensor, dice: Dice) -> Place:
    """As in the scene, but a little off, a little turned, and too wide or too tall."""
    count, device = len(placed), dice.device
    size = torch.tensor([one.size for one in placed], device=device)
    centre = torch.tensor([(one.x, one.y) for one in placed], device=device)
    turn = torch.tensor([math.radians(one.turn) for one in placed], device=device)
    flip = torch.tensor([-1.0 if one.flip else 1.0 for one in placed], device=device)
    loose = 0.3 + 0.7 * crude
    return Place(
        centre=centre + dice.normal(count, 2).clamp(-2, 2) * (0.05 * loose * size)[:, None],
        half=size / 2,
        stretch=torch.exp(dice.normal(count, 2).clamp(-2, 2) * (0.11 * loose)[:, None]),
        turn=turn + dice.normal(count).clamp(-2, 2) * 0.12 * loose,
        flip=flip,
    )


def _lay(maps: Tensor, place: Place, points: Tensor) -> Tensor:
    """The maps as seen at the points of the picture: (objects, regions, side, side)."""
    cos, sin = place.turn.cos(), place.turn.sin()
    rows = torch.stack([torch.stack([cos, sin], -1) * place.flip[:, None], torch.stack([-sin, cos], -1)], 1)
    rows = rows / (place.stretch * place.half[:, None] * REACH)[..., None]
    offset = points.flatten(1, 2) - place.centre[:, None]
    grid = (offset @ rows.transpose(1, 2)).unflatten(1, points.shape[1:3])
    return F.grid_sample(maps, grid, align_corners=False)


def filled(canvas: Tensor, draft: Draft, dice: Dice) -> Tensor:
    """The canvas (objects, 3, side, side) with the objects' fills on it, where their kind has any."""
    rows = draft.hands.those(lambda habit: habit.fills)
    if not rows:
        return canvas
    draft, side = draft.of(rows), canvas.shape[-1]
    points = pixel_points(side, dice.device).repeat(len(rows), 1, 1, 1)
    stroked = draft.hands.those(lambda habit: habit.stroke[1] > 0)
    strokes = _strokes(points[stroked], draft.hands.of(stroked), dice)
    points[stroked] = strokes.points
    slip = dice.normal(len(rows), 2) * draft.hands.slip[:, None]
    colour, cover = _flat(_lay(draft.cells, draft.place.shifted(slip), points), draft.colours, draft.zoom)
    colour[stroked] = (colour[stroked] * strokes.shade).clamp(max=1)
    cover[stroked] *= strokes.cover
    holey = draft.hands.those(lambda habit: habit.holes[1] > 0)
    cover[holey] *= _done(draft.hands.holes[holey], side, dice)
    canvas[rows] = torch.lerp(canvas[rows], colour, cover)
    return canvas


def _flat(soft: Tensor, colours: Tensor, zoom: Tensor) -> tuple[Tensor, Tensor]:
    """Colour (objects, 3, side, side) and cover (objects, 1, side, side) of the maps as they lie in the picture; with
    borders one pixel soft."""
    inside = soft.sum(1, keepdim=True).clamp_(0, 1)
    cover = (_away(2 * inside - 1) * per_pixel(zoom) + 0.5).clamp_(0, 1)
    # Steep enough for a border of one pixel, and never so gentle that the other colours shine through a small object.
    sharp = (soft * per_pixel(6 + 3 * SOFT * zoom)).softmax(1)
    return torch.einsum("nkhw,nkc->nchw", sharp, colours), cover


def _away(margin: Tensor) -> Tensor:
    """How many map pixels a border is away where one region leads by `margin`: the inverse of the smoothing, with the
    logistic curve in place of the normal one."""
    margin = margin.clamp(-0.999, 0.999)
    return SOFT * 0.5876 * torch.log((1 + margin) / (1 - margin))


@dataclass(frozen=True)
class _Strokes:
    """The stroke that each point lies under: where this stroke sees it, how far it covers it, how light it came out."""

    points: Tensor
    cover: Tensor
    shade: Tensor


def _strokes(points: Tensor, hands: Hands, dice: Dice) -> _Strokes:
    """Parallel strokes, none quite as long as its neighbour: each sees the picture a little further on or back."""
    count, side = points.shape[:2]
    slant = hands.slant + dice.normal(count) * 0.15
    along = torch.stack([slant.cos(), slant.sin()], -1)
    across = torch.stack([-along[:, 1], along[:, 0]], -1)
    bend = smooth_noise(count, dice, side, ((3, 0.02), (9, 0.004)))[:, 0]
    press = smooth_noise(count, dice, side, ((12, 0.5),))[:, 0]
    position = ((points * across[:, None, None]).sum(-1) + bend) / hands.stroke[:, None, None] + 64
    number = position.floor()
    index = number.long().clamp_(0, 127).flatten(1)
    table = dice.spread(count, 3, 128)
    reach, gap, shade = (table[:, row].gather(1, index).view_as(number) for row in range(3))
    length = (reach - 0.5) * hands.stroke[:, None, None]
    half = 0.5 - 0.5 * hands.gap[:, None, None] * (0.4 + 1.2 * gap + press)
    edge = (half - (position - number - 0.5).abs()) * (hands.stroke * side)[:, None, None]
    return _Strokes(
        points=points + length[..., None] * along[:, None, None],
        cover=(edge + 0.5).clamp_(0, 1)[:, None],
        shade=(0.9 + 0.14 * shade)[:, None],
    )


def _done(holes: Tensor, side: int, dice: Dice) -> Tensor:
    """Where the fill was done, 0 to 1: all but about that share of the picture, in a few large pieces."""
    luck = smooth_noise(len(holes), dice, side, ((4, 1.0), (9, 0.5), (24, 0.12)))
    level = torch.special.ndtri(holes.double()).float()
    return ((luck - per_pixel(level)) * 12 + 0.5).clamp_(0, 1)


def inked(canvas: Tensor, draft: Draft, paper: Tensor, dice: Dice) -> Tensor:
    """The canvas with the objects' pen lines on it; paper: about what colour lies behind, (objects, 3).

    A white sheep on white paper gets a line even where its kind has none.
    """
    side = canvas.shape[-1]
    unseen = (draft.colours - paper[:, None]).abs().amax(2) < 0.2
    pale = (draft.areas * unseen).sum(1) > 0.35
    width = torch.where((draft.hands.line == 0) & pale, 0.012, draft.hands.line) * side
    rows = width.nonzero()[:, 0].tolist()
    if rows:
        draft, points = draft.of(rows), pixel_points(side, dice.device)
        lines = _lines(_lay(draft.cells, draft.place, points), draft.zoom, width[rows], dice)
        pen = _pen_colour(draft, paper[rows])
        canvas[rows] = torch.lerp(canvas[rows], pen[..., None, None], lines)
    return canvas


def _pen_colour(draft: Draft, paper: Tensor) -> Tensor:
    """(objects, 3): dark, or the object's own colour darkened; light where the paper itself is dark."""
    own = (draft.colours * draft.areas[..., None]).sum(1) * 0.6
    pen = torch.where(draft.hands.coloured_pen[:, None], own, draft.hands.pen)
    clash = (pen - paper).abs().amax(1, keepdim=True) < 0.3
    light_or_dark = torch.where(paper.mean(1, keepdim=True) < 0.5, 0.95 - draft.hands.pen, draft.hands.pen)
    return torch.where(clash, light_or_dark, pen)


def _lines(soft: Tensor, zoom: Tensor, width: Tensor, dice: Dice) -> Tensor:
    """(objects, 1, side, side): pen lines along all borders, thicker and thinner as the hand presses, here and there
    broken off."""
    empty = 1 - soft.sum(1)
    first, second = empty, torch.zeros_like(empty)
    for region in soft.unbind(1):
        second = torch.maximum(second, torch.minimum(first, region))
        first = torch.maximum(first, region)
    distance = _away((first - second)[:, None]) * per_pixel(zoom)
    press = smooth_noise(len(soft), dice, soft.shape[-1], ((6, 0.25), (14, 0.15))) + 1
    half = per_pixel(width) / 2 * press.clamp(0, 1.6)
    return (half - distance + 0.5).clamp_(0, 1) * (press > 0.35)
