"""What is known of a placing without laying anything over a picture: nothing here loads numpy or scipy."""

from __future__ import annotations

import msgspec


class _Layer(msgspec.Struct):
    piece_id: int


class _Moment(msgspec.Struct):
    layers: list[_Layer]


def piece_ids(layers: str, earlier: str) -> list[int]:
    """Which pieces a stored Draft names: those that lie there from the back to the front, then those of before."""
    moments = [
        msgspec.json.decode(layers, type=list[_Layer]),
        *(moment.layers for moment in msgspec.json.decode(earlier, type=list[_Moment])),
    ]
    return list(dict.fromkeys(layer.piece_id for moment in moments for layer in moment))


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """What people say about where a piece is to lie; None where they said nothing.

    at: a cell, an anchor or percents, in words. width: of the piece, as a share of the picture's. turn: degrees
    clockwise. opacity: 0 to 1. feather: as a share of the piece's shorter side. to_front: over the other pieces, or
    under them.
    """

    at: str | None = None
    width: float | None = None
    turn: float | None = None
    flip: bool | None = None
    opacity: float | None = None
    feather: float | None = None
    to_front: bool | None = None
