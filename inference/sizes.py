"""Which canvas a picture is worked on at.

A model draws best near the area it was trained at, and requests of one size share a batch: so each model has a
short table of sizes and every picture is fitted onto the nearest of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from inference.errors import BadRequest
from inference.types import Frame, Size

GRID = 64
"""UNet and VAE of the Stable Diffusion family halve six times in all."""

MAX_ASPECT = 8.0
_AREA_RANGE = (0.9, 1.1)


def size_table(native: Size) -> tuple[Size, ...]:
    """Every size of whole 64s whose area is within 10 % of the native one, from narrow to wide, up to 1:4."""
    low, high = (share * native.area for share in _AREA_RANGE)
    longest = 2 * max(native.width, native.height)
    sides = range(GRID, longest + 1, GRID)
    fitting = (Size(w, h) for w in sides for h in sides if low <= w * h <= high)
    return tuple(sorted(fitting, key=lambda size: size.width / size.height))


def fit(picture: Size, table: Sequence[Size]) -> Frame:
    """The frame that keeps the picture's aspect exactly and wastes the least of a canvas in `table`.

    Raises BadRequest for a picture too long and thin to be worked on.
    """
    aspect = picture.width / picture.height
    if not 1 / MAX_ASPECT <= aspect <= MAX_ASPECT:
        raise BadRequest(
            f"{picture} is too long and thin: one side may be at most {MAX_ASPECT:g} times the other."
        )
    return max((_frame(picture, canvas) for canvas in table), key=_used_share)


def _frame(picture: Size, canvas: Size) -> Frame:
    scale = min(canvas.width / picture.width, canvas.height / picture.height)
    content = Size(
        min(canvas.width, max(1, round(picture.width * scale))),
        min(canvas.height, max(1, round(picture.height * scale))),
    )
    return Frame(
        canvas=canvas,
        content=content,
        left=(canvas.width - content.width) // 2,
        top=(canvas.height - content.height) // 2,
    )


def _used_share(frame: Frame) -> tuple[float, int]:
    return frame.content.area / frame.canvas.area, frame.canvas.area
