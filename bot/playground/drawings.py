"""Pictures drawn by code: a crude sketch to begin with, and a face for everybody in the playground."""

from __future__ import annotations

import io
import random

from PIL import Image, ImageDraw

_SKY, _GROUND, _RIM, _PIT = (12, 14, 26), (134, 132, 128), (166, 164, 158), (96, 94, 92)
_SEA, _LAND, _CLOUD, _STAR = (44, 104, 196), (70, 140, 74), (226, 236, 246), (250, 250, 240)
_CRATERS = ((90, 330, 54), (250, 300, 30), (330, 356, 78), (476, 312, 40), (566, 362, 56), (180, 372, 34))


def example_sketch() -> bytes:
    """A PNG as somebody would draw it in a minute: grey cratered ground, a blue Earth, white stars. 640×400."""
    image = Image.new("RGB", (640, 400), _SKY)
    draw = ImageDraw.Draw(image)
    _stars(draw)
    _earth(draw, 470, 104, 62)
    draw.polygon(
        [(0, 262), (110, 244), (240, 258), (360, 240), (500, 254), (640, 236), (640, 400), (0, 400)], _GROUND
    )
    for x, y, width in _CRATERS:
        draw.ellipse((x - width, y - width // 3, x + width, y + width // 3), _PIT, _RIM, 6)
    return _png(image)


def initial(letter: str, colour: str) -> bytes:
    """A person's face: a letter on a colour. PNG, 96×96."""
    image = Image.new("RGB", (96, 96), colour)
    ImageDraw.Draw(image).text((48, 48), letter, "white", font_size=52, anchor="mm")
    return _png(image)


def moon() -> bytes:
    """The bot's face: a crescent. PNG, 96×96, drawn large and scaled down for smooth edges."""
    image = Image.new("RGB", (384, 384), _SKY)
    draw = ImageDraw.Draw(image)
    draw.ellipse((72, 72, 312, 312), (236, 232, 214))
    draw.ellipse((136, 40, 352, 256), _SKY)
    for x, y, radius in ((250, 110, 9), (300, 190, 6), (210, 170, 5)):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), _STAR)
    return _png(image.resize((96, 96), Image.Resampling.LANCZOS))


def _stars(draw: ImageDraw.ImageDraw) -> None:
    places = random.Random(7)  # the same sky every time
    for _ in range(70):
        x, y, radius = places.uniform(0, 640), places.uniform(0, 236), places.choice((0.8, 1.2, 2.0))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), _STAR)


def _earth(draw: ImageDraw.ImageDraw, x: int, y: int, radius: int) -> None:
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), _SEA)
    draw.polygon([(x - 40, y - 22), (x - 8, y - 40), (x + 6, y - 14), (x - 14, y + 4), (x - 34, y)], _LAND)
    draw.polygon([(x + 8, y + 6), (x + 40, y - 2), (x + 34, y + 28), (x + 12, y + 40)], _LAND)
    draw.arc((x - 50, y + 8, x + 10, y + 48), 200, 320, _CLOUD, 5)
    draw.arc((x - 10, y - 48, x + 48, y - 12), 20, 150, _CLOUD, 5)


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
