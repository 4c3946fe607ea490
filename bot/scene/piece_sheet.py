"""Pieces side by side, each over a chequerboard that shows through where it is transparent."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from bot.lettering import fitting, font

_CELL, _GAP, _LETTERS, _COLUMNS = 180, 10, 17, 5
_LINE = _LETTERS + 10
_SQUARE = 12
_PAPER, _INK = (43, 45, 49), (242, 243, 245)


def piece_sheet(pieces: Sequence[tuple[str, Image.Image | None]]) -> bytes:
    """Each with its name below, as WebP; one whose picture is lost (None) leaves its place empty."""
    columns = min(_COLUMNS, len(pieces))
    rows = -(-len(pieces) // columns)
    across, down = _CELL + _GAP, _CELL + _LINE + _GAP
    sheet = Image.new("RGB", (columns * across + _GAP, rows * down + _GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for index, (name, piece) in enumerate(pieces):
        left, top = _GAP + index % columns * across, _GAP + index // columns * down
        if piece is not None:
            sheet.paste(_on_squares(piece), (left, top))
        draw.text((left, top + _CELL + 3), fitting(name, _LETTERS, _CELL), font=font(_LETTERS), fill=_INK)
    file = io.BytesIO()
    sheet.save(file, "WEBP", quality=85, method=2)
    return file.getvalue()


def _on_squares(piece: Image.Image) -> Image.Image:
    shown = piece.convert("RGBA")
    shown.thumbnail((_CELL, _CELL), Image.Resampling.LANCZOS)
    rows, columns = np.indices((_CELL, _CELL), sparse=True)
    light = (rows // _SQUARE + columns // _SQUARE) % 2 == 0
    cell = Image.fromarray(np.where(light, 205, 155).astype(np.uint8)).convert("RGBA")
    cell.alpha_composite(shown, ((_CELL - shown.width) // 2, (_CELL - shown.height) // 2))
    return cell.convert("RGB")
