"""A Draft from press to press: plain data in, plain data out. `placing` lays its pieces over the picture."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import msgspec
from msgspec.structs import replace
from PIL import Image

from bot import texts
from bot.custom_ids import Press
from bot.errors import BadOption
from bot.scene import placing
from bot.scene.cutting import background_cleared
from bot.scene.placement import Placement
from bot.scene.placing import Layer, Placed
from inference import Size

MOST_PIECES = 20

_MOST_UNDONE = 50
_STEP, _GROWTH, _TURN = 0.02, 1.1, 15.0
"""What one press moves (as a share of the picture's width), makes larger, and turns (in degrees)."""

_WIDTH, _HEIGHT = 0.4, 0.6
"""How much of the picture's width and height a piece takes at most when nobody says how large it is to be."""


class Moment(msgspec.Struct, frozen=True):
    """What lies where, from the back to the front, and which of it the buttons move."""

    layers: tuple[Layer, ...]
    selected: int = 0

    @property
    def layer(self) -> Layer:
        return self.layers[self.selected]


class Layout(msgspec.Struct, frozen=True):
    """A Draft as it is, and what Undo goes back to, latest last."""

    now: Moment
    earlier: tuple[Moment, ...] = ()

    def then(self, now: Moment) -> Layout:
        """One step further; a press that changes nothing is none."""
        return self if now == self.now else Layout(now, (*self.earlier, self.now)[-_MOST_UNDONE:])


class Written(NamedTuple):
    """A Layout as it is stored."""

    layers: str
    selected: int
    earlier: str


def read(written: Written) -> Layout:
    now = Moment(msgspec.json.decode(written.layers, type=tuple[Layer, ...]), written.selected)
    return Layout(now, msgspec.json.decode(written.earlier, type=tuple[Moment, ...]))


def write(layout: Layout) -> Written:
    now = layout.now
    return Written(_json(now.layers), now.selected, _json(layout.earlier))


def new_layer(piece_id: int, wanted: Placement, base: Size, piece: Size) -> Layer:
    """A piece as it lies at first. Raises BadOption for a place that is none."""
    width = min(_WIDTH, _HEIGHT * base.height * piece.width / piece.height / base.width)
    return adjusted(Layer(piece_id=piece_id, width=width), wanted, base, piece)


def adjusted(layer: Layer, wanted: Placement, base: Size, piece: Size) -> Layer:
    """The layer as somebody wants it to lie. Raises BadOption for a place that is none."""
    layer = replace(
        layer,
        flip=layer.flip if wanted.flip is None else wanted.flip,
        opacity=layer.opacity if wanted.opacity is None else wanted.opacity,
        feather=layer.feather if wanted.feather is None else wanted.feather,
        turn=layer.turn if wanted.turn is None else wanted.turn % 360,
        width=layer.width if wanted.width is None else wanted.width,
    )
    layer = placing.scaled(layer, 1.0, base, piece)  # within what a piece may measure
    if wanted.at is None:
        return layer
    x, y = placing.parse_place(wanted.at, base, placing.footprint(layer, base, piece))
    return placing.moved(replace(layer, x=x, y=y), 0, 0, base, piece)


def with_piece(layout: Layout, layer: Layer, *, to_front: bool) -> Layout:
    """One piece more, and the one that the buttons move. Raises BadOption where there are enough."""
    layers = layout.now.layers
    if len(layers) >= MOST_PIECES:
        raise BadOption(texts.too_many_pieces(MOST_PIECES))
    added = Moment((*layers, layer), len(layers)) if to_front else Moment((layer, *layers), 0)
    return layout.then(added)


def rearranged(layout: Layout, wanted: Placement, base: Size, piece: Size) -> Layout:
    """The selected piece as somebody wants it to lie."""
    moment = _with(layout.now, adjusted(layout.now.layer, wanted, base, piece))
    return layout.then(moment if wanted.to_front is None else _reordered(moment, to_front=wanted.to_front))


def without(layout: Layout, gone: Collection[int]) -> Layout | None:
    """As if these pieces had never been in it; None if nothing is left."""
    now, *earlier = (_without(moment, gone) for moment in (layout.now, *layout.earlier))
    if not now.layers:
        return None
    return Layout(now, tuple(moment for moment in earlier if moment.layers))


def pressed(layout: Layout, press: Press, base: Size, pieces: Mapping[int, Size]) -> Layout:
    """What a button makes of it. pieces: their sizes, by id. Raises BadOption where there is nothing to do."""
    now = layout.now
    match press:
        case Press.UNDO:
            if not layout.earlier:
                raise BadOption(texts.NOTHING_TO_UNDO)
            return Layout(layout.earlier[-1], layout.earlier[:-1])
        case Press.NEXT:
            return Layout(replace(now, selected=(now.selected + 1) % len(now.layers)), layout.earlier)
        case Press.FRONT | Press.BACK:
            return layout.then(_reordered(now, to_front=press is Press.FRONT))
        case Press.REMOVE:
            if len(now.layers) == 1:
                raise BadOption(texts.ONLY_PIECE_OF_DRAFT)
            rest = _spliced(now)
            return layout.then(Moment(rest, min(now.selected, len(rest) - 1)))
        case _:
            return layout.then(_with(now, _nudged(now.layer, press, base, pieces[now.layer.piece_id])))


def has_background(layout: Layout, piece: Image.Image) -> bool:
    """Is there anything that cutting out the selected piece takes away?"""
    return not layout.now.layer.cut_out or background_cleared(piece) is not None


def placed(layout: Layout, pieces: Mapping[int, Image.Image]) -> Placed:
    return [(layer, pieces[layer.piece_id]) for layer in layout.now.layers]


def _nudged(layer: Layer, press: Press, base: Size, piece: Size) -> Layer:
    up = _STEP * base.width / base.height  # as many pixels as to the side
    match press:
        case Press.LEFT:
            return placing.moved(layer, -_STEP, 0, base, piece)
        case Press.RIGHT:
            return placing.moved(layer, _STEP, 0, base, piece)
        case Press.UP:
            return placing.moved(layer, 0, -up, base, piece)
        case Press.DOWN:
            return placing.moved(layer, 0, up, base, piece)
        case Press.SMALLER:
            return placing.scaled(layer, 1 / _GROWTH, base, piece)
        case Press.BIGGER:
            return placing.scaled(layer, _GROWTH, base, piece)
        case Press.TURN_LEFT:
            return placing.turned(layer, -_TURN, base, piece)
        case Press.TURN_RIGHT:
            return placing.turned(layer, _TURN, base, piece)
        case Press.FLIP:
            return replace(layer, flip=not layer.flip)
        case Press.CUT_OUT:
            return replace(layer, cut_out=not layer.cut_out)
        case _:
            raise AssertionError(press)  # the others move no layer


def _with(moment: Moment, layer: Layer) -> Moment:
    layers = list(moment.layers)
    layers[moment.selected] = layer
    return replace(moment, layers=tuple(layers))


def _reordered(moment: Moment, *, to_front: bool) -> Moment:
    rest = _spliced(moment)
    return Moment((*rest, moment.layer), len(rest)) if to_front else Moment((moment.layer, *rest), 0)


def _spliced(moment: Moment) -> tuple[Layer, ...]:
    """All but the selected one."""
    return moment.layers[: moment.selected] + moment.layers[moment.selected + 1 :]


def _without(moment: Moment, gone: Collection[int]) -> Moment:
    kept = [number for number, layer in enumerate(moment.layers) if layer.piece_id not in gone]
    before = sum(number < moment.selected for number in kept)
    return Moment(tuple(moment.layers[number] for number in kept), min(before, max(0, len(kept) - 1)))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
