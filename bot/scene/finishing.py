"""Putting what the engine drew back where it belongs, so that nothing else changes."""

from __future__ import annotations

from PIL import Image

from inference import Box


def paste_back(
    parent: Image.Image, drawn: Image.Image, region: Image.Image, window: Box | None
) -> Image.Image:
    """The parent with `drawn`, scaled to the window (None: all of it), laid in through the region.

    Where the region is 0 every pixel is the parent's, to the bit and with its alpha.
    """
    window = window or Box(0, 0, parent.width, parent.height)
    box = (window.left, window.top, window.left + window.width, window.top + window.height)
    fitted = drawn.convert(parent.mode).resize((window.width, window.height), Image.Resampling.LANCZOS)
    result = parent.copy()
    result.paste(fitted, box, region.crop(box))
    return result


def with_alpha_of(drawn: Image.Image, piece: Image.Image) -> Image.Image:
    """What was drawn from a piece, RGBA and of its own size, in the piece's outline."""
    result = drawn.convert("RGBA")
    result.putalpha(piece.convert("RGBA").getchannel("A").resize(drawn.size, Image.Resampling.LANCZOS))
    return result
