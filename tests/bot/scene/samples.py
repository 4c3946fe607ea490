"""Pictures to work on, made on the spot."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw


def noise(width: int, height: int, mode: str = "RGB", seed: int = 0) -> Image.Image:
    """Every value random: whatever is touched shows."""
    bands = len(Image.new(mode, (1, 1)).getbands())
    values = np.random.default_rng(seed).integers(0, 256, (height, width, bands), dtype=np.uint8)
    return Image.fromarray(values[..., 0] if bands == 1 else values, mode)


def disc(side: int = 128, colour: str = "red", background: str = "white") -> Image.Image:
    """An antialiased disc of half the side before a flat background, RGB."""
    large = Image.new("RGB", (side * 4, side * 4), background)
    ImageDraw.Draw(large).ellipse((side, side, side * 3, side * 3), fill=colour)
    return large.resize((side, side), Image.Resampling.BOX)


def rectangle(size: tuple[int, int], box: tuple[int, int, int, int]) -> Image.Image:
    """A hard region: 255 within left, top, right, bottom."""
    region = Image.new("L", size)
    region.paste(255, box)
    return region


def as_jpeg(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def values(image: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.asarray(image).astype(np.int64)
