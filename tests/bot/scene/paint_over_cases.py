"""Edited copies as people send them, made up from a seed: a picture, what was painted on it, how it was saved.

It knows nothing of the detector. A seed always gives the same case.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Rng: TypeAlias = np.random.Generator
Floats: TypeAlias = NDArray[np.floating[Any]]
Colour: TypeAlias = tuple[int, int, int]

SIZES = ((512, 512), (768, 512), (512, 768), (640, 640), (896, 640), (1024, 1024))

PEOPLE_SEE = 20
"""Grey levels in the clearest channel from which paint is seen; nobody paints what cannot be seen."""


@dataclass(frozen=True)
class Painted:
    """`image`: the painted picture before it was saved; `truth`: (h, w) bool, the pixels covered by half or more."""

    image: Image.Image
    truth: NDArray[np.bool_]
    tool: str


@dataclass(frozen=True)
class Case:
    parent: Image.Image
    edited: Image.Image
    truth: NDArray[np.bool_]
    look: str
    tool: str
    saving: str


def edited_case(seed: int) -> Case:
    """A picture with paint on it, saved in one of the ways."""
    rng = np.random.default_rng(seed)
    saving = str(rng.choice(list(SAVINGS)))
    painted = None
    while painted is None:
        look, parent = draw_parent(rng)
        painted = paint(parent, rng, erasing=saving if saving.startswith("erased") else None)
    return Case(parent, SAVINGS[saving](painted.image, rng), painted.truth, look, painted.tool, saving)


def unedited_case(seed: int) -> Case:
    """A picture that was only saved again."""
    rng = np.random.default_rng(seed)
    look, parent = draw_parent(rng)
    saving = str(rng.choice([name for name in SAVINGS if not name.startswith("erased")]))
    nothing = np.zeros((parent.height, parent.width), bool)
    return Case(parent, SAVINGS[saving](parent, rng), nothing, look, "none", saving)


def draw_parent(rng: Rng) -> tuple[str, Image.Image]:
    look = str(rng.choice(list(LOOKS)))
    return look, LOOKS[look](SIZES[rng.integers(len(SIZES))], rng)


def sibling(parent: Image.Image, rng: Rng) -> Image.Image:
    """Another candidate of the same sketch: things a few pixels elsewhere, other colours, other fine detail."""
    pixels = np.asarray(parent, np.float32)
    height, width = pixels.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width]
    shift = rng.uniform(3, 9) * max(height, width) / 512
    down = np.clip(rows + shift * _normal(_fractal((width, height), rng, 3.0)), 0, height - 1).astype(int)
    right = np.clip(columns + shift * _normal(_fractal((width, height), rng, 3.0)), 0, width - 1).astype(int)
    tint = rng.normal(0, 6, 3) + 5 * _normal(_fractal((width, height), rng, 1.4))[..., None]
    return _image(pixels[down, right] + tint)


# Pictures


def _gradients(size: tuple[int, int], rng: Rng) -> Image.Image:
    """Soft colour fields, as of a sky or a studio wall."""
    width, height = size
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    total = np.zeros((height, width, 3), np.float32)
    weight = np.zeros((height, width, 1), np.float32)
    for _ in range(rng.integers(3, 7)):
        row, column, reach = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(0.2, 0.6) * width
        near = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * reach**2))[..., None] + 1e-3
        total += near * rng.uniform(20, 235, 3)
        weight += near
    return _image(total / weight + rng.normal(0, rng.uniform(0, 1.5), total.shape))


def _photo(size: tuple[int, int], rng: Rng) -> Image.Image:
    """Fractal light and colour with soft objects: the statistics of a photograph."""
    light = _normal(_fractal(size, rng, rng.uniform(1.7, 2.4)))[..., None]
    hue = np.stack([_normal(_fractal(size, rng, 2.6)) for _ in range(3)], axis=-1)
    base = rng.uniform(80, 170, 3) + 38 * light + 16 * hue
    return _with_shapes(_image(base), rng, int(rng.integers(0, 5)), soft=1.2)


def _texture(size: tuple[int, int], rng: Rng) -> Image.Image:
    """Grass, gravel, cloth: strong detail down to the pixel."""
    light = _normal(_fractal(size, rng, rng.uniform(0.6, 1.4)))[..., None]
    hue = np.stack([_normal(_fractal(size, rng, 1.2)) for _ in range(3)], axis=-1)
    return _image(rng.uniform(70, 180, 3) + rng.uniform(18, 40) * light + 7 * hue)


def _flat_scene(size: tuple[int, int], rng: Rng) -> Image.Image:
    """Sky, ground and flat things with clean edges, as vector art has them."""
    width, height = size
    image = Image.new("RGB", size, _colour(rng, 110, 250))
    ImageDraw.Draw(image).rectangle(
        (0, int(height * rng.uniform(0.5, 0.8)), width, height), fill=_colour(rng, 30, 190)
    )
    return _with_shapes(image, rng, int(rng.integers(6, 18)), soft=0.0)


def _line_drawing(size: tuple[int, int], rng: Rng) -> Image.Image:
    """Ink on paper."""
    width, height = size
    image = Image.new("RGB", (width * 2, height * 2), _colour(rng, 236, 256))
    pen = ImageDraw.Draw(image)
    for _ in range(rng.integers(12, 40)):
        ink = _colour(rng, 0, 70)
        points = _walk((width * 2, height * 2), rng, int(rng.integers(5, 30)), rng.uniform(0.02, 0.07))
        pen.line(points, fill=ink, width=int(rng.integers(3, 10)), joint="curve")
    return image.resize(size, Image.Resampling.LANCZOS)


def _dark(size: tuple[int, int], rng: Rng) -> Image.Image:
    """A night: nearly black, sensor noise, a few lights."""
    width, height = size
    glow = np.clip(10 + 8 * _normal(_fractal(size, rng, 2.4)), 0, 255)[..., None] * rng.uniform(0.5, 1.3, 3)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    for _ in range(rng.integers(4, 14)):
        row, column, reach = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(3, 25)
        distance = (rows - row) ** 2 + (columns - column) ** 2
        glow = glow + (np.exp(-distance / (2 * reach**2)) * rng.uniform(60, 240))[..., None] * rng.uniform(
            0.5, 1, 3
        )
    return _image(glow + rng.normal(0, rng.uniform(0.5, 3), glow.shape))


def _mosaic(size: tuple[int, int], rng: Rng) -> Image.Image:
    """Hard cells of strong colours."""
    width, height = size
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    nearest = np.full((height, width), np.inf, np.float32)
    pixels = np.zeros((height, width, 3), np.float32)
    for _ in range(rng.integers(20, 70)):
        distance = (rows - rng.uniform(0, height)) ** 2 + (columns - rng.uniform(0, width)) ** 2
        pixels[distance < nearest] = rng.uniform(0, 255, 3)
        nearest = np.minimum(nearest, distance)
    shade = 10 * _normal(_fractal(size, rng, 2.0))[..., None]
    return _image(pixels + shade)


def _bricks(size: tuple[int, int], rng: Rng) -> Image.Image:
    """A pattern that repeats, with grime that does not."""
    width, height = size
    high = int(rng.integers(18, 48))
    wide = high * 2
    rows, columns = np.mgrid[0:height, 0:width]
    course = rows // high
    across = columns + (course % 2) * high
    tones = rng.normal(0, 14, (height // high + 2, (width + high) // wide + 2))
    mortar = (rows % high < 3) | (across % wide < 3)
    brick = _colour_array(rng, 60, 200) + tones[course, across // wide][..., None]
    pixels = np.where(mortar[..., None], _colour_array(rng, 120, 230), brick)
    return _image(pixels + 7 * _normal(_fractal(size, rng, 1.6))[..., None])


LOOKS: dict[str, Callable[[tuple[int, int], Rng], Image.Image]] = {
    "gradients": _gradients,
    "photo": _photo,
    "texture": _texture,
    "flat scene": _flat_scene,
    "line drawing": _line_drawing,
    "dark": _dark,
    "mosaic": _mosaic,
    "bricks": _bricks,
}


def _with_shapes(image: Image.Image, rng: Rng, count: int, *, soft: float) -> Image.Image:
    width, height = image.size
    big = Image.new("RGBA", (width * 2, height * 2))
    pen = ImageDraw.Draw(big)
    for _ in range(count):
        x, y, reach = rng.uniform(0, width * 2), rng.uniform(0, height * 2), rng.uniform(0.04, 0.3) * width
        fill = _colour(rng, 0, 256)
        if rng.random() < 0.5:
            pen.ellipse((x - reach, y - reach * 0.8, x + reach, y + reach * 0.8), fill=fill)
        else:
            turns = np.sort(rng.uniform(0, 2 * math.pi, rng.integers(3, 8)))
            pen.polygon([(x + reach * math.cos(t), y + reach * math.sin(t)) for t in turns], fill=fill)
    shapes = big.resize(image.size, Image.Resampling.LANCZOS).filter(ImageFilter.GaussianBlur(soft))
    return Image.alpha_composite(image.convert("RGBA"), shapes).convert("RGB")


def _fractal(size: tuple[int, int], rng: Rng, slope: float) -> Floats:
    """Noise whose amplitude falls as 1 / frequency ** slope; (h, w)."""
    width, height = size
    down = np.fft.fftfreq(height)[:, None] * height
    right = np.fft.rfftfreq(width)[None, :] * width
    spectrum = np.fft.rfft2(rng.normal(size=(height, width)))
    spectrum /= np.maximum(np.hypot(down, right), 1.0) ** slope
    noise: Floats = np.fft.irfft2(spectrum, s=(height, width)).astype(np.float32)
    return noise


def _normal(values: Floats) -> Floats:
    normal: Floats = (values - values.mean()) / max(float(values.std()), 1e-9)
    return normal


def _image(pixels: NDArray[Any]) -> Image.Image:
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))


def _colour(rng: Rng, low: int, high: int) -> Colour:
    red, green, blue = (int(value) for value in rng.integers(low, high, 3))
    return red, green, blue


def _colour_array(rng: Rng, low: int, high: int) -> Floats:
    return rng.integers(low, high, 3).astype(np.float32)


# Paint


def paint(parent: Image.Image, rng: Rng, erasing: str | None) -> Painted | None:
    """Cover 1–30 % of the picture; tried with other colours and places until it can be seen.

    None when nothing came of that: an eraser that leaves white on white paper.
    """
    before = np.asarray(parent, np.int16)
    for _ in range(12):
        share = float(np.exp(rng.uniform(math.log(0.01), math.log(0.30))))
        cover, tool = _covered(parent.size, rng, share)
        truth = cover >= 0.5
        if not 0.008 <= truth.mean() <= 0.32:
            continue
        if erasing == "erased to transparency":
            return Painted(_erased(parent, cover, rng), truth, f"{tool} eraser")
        colour = (255, 255, 255) if erasing else _paint_colour(rng)
        opacity = rng.uniform(0.35, 0.7) if not erasing and rng.random() < 0.25 else 1.0
        after = _image(before + (np.array(colour) - before) * (cover * opacity)[..., None])
        seen = np.abs(np.asarray(after, np.int16) - before).max(axis=-1) >= PEOPLE_SEE
        if seen[truth].mean() >= 0.9:
            return Painted(
                after, truth, f"{tool} {'marker' if opacity < 1 else 'eraser' if erasing else 'paint'}"
            )
    return None


def _paint_colour(rng: Rng) -> Colour:
    """Half of the time one of the plain colours that every editor offers first."""
    plain = (
        (255, 255, 255),
        (0, 0, 0),
        (255, 0, 0),
        (0, 0, 255),
        (0, 200, 0),
        (255, 230, 0),
        (128, 128, 128),
    )
    return plain[rng.integers(len(plain))] if rng.random() < 0.5 else _colour(rng, 0, 256)


def _covered(size: tuple[int, int], rng: Rng, share: float) -> tuple[Floats, str]:
    """How far each pixel is covered, 0–1 (h, w), until `share` of the picture is, and by what."""
    width, height = size
    scale = max(size) / 1024
    canvas = Image.new("L", (width * 2, height * 2))
    pen = ImageDraw.Draw(canvas)
    if rng.random() < 0.25:
        tool, thick = "filled", 0.0
    else:
        thick = float(np.exp(rng.uniform(math.log(3), math.log(110)))) * scale
        thick = max(thick, 2.5)
        tool = "thin" if thick < 7 * scale else "brush"
        # Nobody scribbles half a picture full with a pen: about thirty strokes across it at most.
        share = min(share, 30 * thick / min(size) * 0.5)
    for _ in range(400):
        if tool == "filled":
            _fill(pen, canvas.size, rng, share)
        else:
            _stroke(pen, canvas.size, rng, thick * 2)
        if np.asarray(canvas.reduce(4)).mean() / 255 >= share:
            break
    soft = canvas.resize(size, Image.Resampling.BOX)
    if tool == "brush" and rng.random() < 0.3:
        soft = soft.filter(ImageFilter.GaussianBlur(min(thick / 8, 3.0)))
    return np.asarray(soft, np.float32) / 255, tool


def _stroke(pen: ImageDraw.ImageDraw, size: tuple[int, int], rng: Rng, thick: float) -> None:
    points = _walk(size, rng, int(rng.integers(4, 22)), rng.uniform(0.03, 0.09))
    pen.line(points, fill=255, width=max(round(thick), 2), joint="curve")
    for x, y in (points[0], points[-1]):
        pen.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), fill=255)


def _fill(pen: ImageDraw.ImageDraw, size: tuple[int, int], rng: Rng, share: float) -> None:
    width, height = size
    reach = math.sqrt(share * width * height / math.pi) * rng.uniform(0.6, 1.0)
    x, y = rng.uniform(0.1, 0.9) * width, rng.uniform(0.1, 0.9) * height
    turns = np.linspace(0, 2 * math.pi, 24, endpoint=False)
    wobble = 1 + 0.25 * np.sin(turns * rng.integers(2, 5) + rng.uniform(0, 6))
    outline = [
        (x + reach * w * math.cos(t), y + reach * w * math.sin(t)) for t, w in zip(turns, wobble, strict=True)
    ]
    pen.polygon(outline, fill=255)


def _walk(size: tuple[int, int], rng: Rng, count: int, step: float) -> list[tuple[float, float]]:
    """A hand's way over the paper: it turns gently and stays on it."""
    width, height = size
    x, y, heading = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0, 2 * math.pi)
    points = [(x, y)]
    for _ in range(count):
        heading += rng.normal(0, 0.6)
        x = float(np.clip(x + math.cos(heading) * step * width, 0, width))
        y = float(np.clip(y + math.sin(heading) * step * width, 0, height))
        points.append((x, y))
    return points


def _erased(parent: Image.Image, cover: Floats, rng: Rng) -> Image.Image:
    """Some editors keep the colours under the eraser, most leave black."""
    pixels = np.asarray(parent.convert("RGBA")).copy()
    pixels[..., 3] = np.rint(255 * (1 - cover))
    if rng.random() < 0.7:
        pixels[pixels[..., 3] == 0] = 0
    return Image.fromarray(pixels)


# Saving


def _png(image: Image.Image, rng: Rng) -> Image.Image:  # noqa: ARG001 - all ways of saving are called alike
    return image


def _jpeg(image: Image.Image, rng: Rng) -> Image.Image:
    file = io.BytesIO()
    quality, subsampling = int(rng.integers(60, 96)), int(rng.choice([0, 2, 2]))
    image.convert("RGB").save(file, "JPEG", quality=quality, subsampling=subsampling)
    with Image.open(file) as saved:
        return saved.convert("RGB")


def _resized(image: Image.Image, rng: Rng, low: float = 0.7, high: float = 1.5) -> Image.Image:
    share = rng.uniform(low, 1.0) if rng.random() < 0.6 else rng.uniform(1.0, high)
    size = round(image.width * share), round(image.height * share) + int(rng.integers(-1, 2))
    how = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)[rng.integers(3)]
    return image.resize(size, how)


def _bordered(image: Image.Image, rng: Rng) -> Image.Image:
    """Black, white or grey round it, up to 6 % and not alike on the sides."""
    grey = int(rng.choice([0, 255, 18, 40, 128, 200, 240]))
    most = 0.06 * max(image.size)
    left, top, right, bottom = (
        int(rng.uniform(0.003, 1) * most) * int(rng.random() < 0.85) for _ in range(4)
    )
    screen = Image.new("RGB", (image.width + left + right, image.height + top + bottom), (grey, grey, grey))
    screen.paste(image.convert("RGB"), (left, top))
    return screen


def _shifted(image: Image.Image, rng: Rng) -> Image.Image:
    """The colour handling of a phone: a little brighter or darker, warmer or colder."""
    pixels = np.asarray(image.convert("RGB"), np.float32) / 255
    pixels = pixels ** rng.uniform(0.95, 1.05) * rng.uniform(0.96, 1.03, 3)
    return _image(255 * pixels + rng.uniform(-3, 3))


def _screenshot(image: Image.Image, rng: Rng) -> Image.Image:
    """The picture as the screen showed it, with what was round it."""
    shown = _resized(image, rng, 0.75, 1.3) if rng.random() < 0.6 else image
    shown = _bordered(shown, rng)
    return _shifted(shown, rng) if rng.random() < 0.3 else shown


def _screenshot_jpeg(image: Image.Image, rng: Rng) -> Image.Image:
    return _jpeg(_screenshot(image, rng), rng)


def _resized_jpeg(image: Image.Image, rng: Rng) -> Image.Image:
    return _jpeg(_resized(image, rng), rng)


def _shifted_jpeg(image: Image.Image, rng: Rng) -> Image.Image:
    return _jpeg(_shifted(image, rng), rng)


def _erased_white(image: Image.Image, rng: Rng) -> Image.Image:
    return (_png, _jpeg, _resized_jpeg, _screenshot)[rng.integers(4)](image, rng)


def _erased_transparent(image: Image.Image, rng: Rng) -> Image.Image:
    return _resized(image, rng) if rng.random() < 0.4 else image


SAVINGS: dict[str, Callable[[Image.Image, Rng], Image.Image]] = {
    "PNG": _png,
    "JPEG 60–95": _jpeg,
    "resized": _resized,
    "resized, JPEG": _resized_jpeg,
    "screenshot": _screenshot,
    "screenshot, JPEG": _screenshot_jpeg,
    "colours shifted, JPEG": _shifted_jpeg,
    "erased to white": _erased_white,
    "erased to transparency": _erased_transparent,
}
