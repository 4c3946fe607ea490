"""What somebody draws who cannot draw: flat colours, no shading, things hardly to be recognised. All are 256×256."""

from __future__ import annotations

from PIL import Image, ImageDraw

_SIDE = 256
_SEA, _LAND = (40, 100, 220), (60, 160, 70)
_STICK, _WOOD, _SEAT = (240, 200, 110), (150, 90, 40), (190, 125, 65)
_STARS = ((20, 30), (55, 75), (90, 22), (120, 90), (150, 40), (232, 110), (30, 115), (140, 120), (240, 20))
_CRATERS = ((50, 180, 26), (190, 175, 20), (120, 220, 40), (220, 235, 28))


def moonscape() -> Image.Image:
    """A grey ground with craters, a black sky with stars, and a blue blob that is meant to be the Earth."""
    image = Image.new("RGB", (_SIDE, _SIDE), "black")
    draw = ImageDraw.Draw(image)
    for x, y in _STARS:
        draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill="white")
    draw.ellipse((165, 35, 225, 95), fill=_SEA)
    draw.rectangle((0, 150, _SIDE, _SIDE), fill=(135, 135, 135))
    for x, y, width in _CRATERS:
        draw.ellipse((x - width, y - width // 3, x + width, y + width // 3), fill=(100, 100, 100))
    return image


def earth() -> Image.Image:
    """A blue disc with two green shapes, on black."""
    image = Image.new("RGB", (_SIDE, _SIDE), "black")
    draw = ImageDraw.Draw(image)
    draw.ellipse((28, 28, 228, 228), fill=_SEA)
    draw.polygon(((70, 60), (130, 50), (140, 100), (100, 130), (110, 180), (85, 170), (60, 110)), fill=_LAND)
    draw.polygon(((160, 110), (210, 100), (205, 170), (170, 190)), fill=_LAND)
    return image


def with_chair_and_umbrella(picture: Image.Image) -> Image.Image:
    """A copy on whose ground, at the left, both are scribbled."""
    copy = picture.convert("RGB")
    draw = ImageDraw.Draw(copy)
    draw.rectangle((54, 160, 64, 214), fill=_STICK)
    draw.ellipse((14, 202, 104, 230), fill=_STICK)
    for third, colour in enumerate(("red", "white", "red")):
        draw.pieslice((4, 112, 114, 216), 180 + 60 * third, 240 + 60 * third, fill=colour)
    draw.rectangle((128, 142, 174, 200), fill=_WOOD)
    draw.polygon(((128, 196), (174, 196), (186, 212), (118, 212)), fill=_SEAT)
    for left in (118, 176):
        draw.rectangle((left, 208, left + 10, 244), fill=_WOOD)
    return copy
