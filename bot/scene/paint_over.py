"""Understands an edited copy of one of our pictures: which one it is, and what was painted over.

People save their edits in many ways: as JPEG, resized by a phone, as a screenshot with a border. So the copy is first
laid over the picture (`_align`), and differences are measured against the picture as it looks after the same journey.
What counts as a difference depends on the place: next to an edge, a resampled or compressed copy differs anyway; how
much is learnt from the copy itself, since most of it is unchanged (`_tolerance`).
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps
from scipy import ndimage

Floats: TypeAlias = npt.NDArray[np.floating[Any]]
Bools: TypeAlias = npt.NDArray[np.bool_]

LEAST_SIDE = 16
"""Smaller pictures have too little in them to be told apart."""

_COARSE = 160
"""Pixels of the longer side while looking for the border and the scale."""

_LEAST_SHARE = 0.80
"""Of the copy's width or height that the picture takes; the rest is the border of a screenshot."""

_FINE = 512
_ROUGH, _SHARP = 256, 1024
_FLAT = 16
_ENDS = (slice(0, 3), slice(-3, None))
_STRETCH = 0.01
_MOVES = tuple(
    (way * left, way * top, way * right, way * bottom)
    for left, top, right, bottom in (
        (1, 0, 1, 0),
        (0, 1, 0, 1),
        (0, 0, 1, 1),
        (1, 1, 0, 0),
        (1, 1, -1, -1),
        (1, 0, -1, 0),
        (0, 1, 0, -1),
        (1, 0, 0, 0),
        (0, 1, 0, 0),
        (0, 0, 1, 0),
        (0, 0, 0, 1),
    )
    for way in (-1, 1)
)
_GOOD_FIT = 2.0
_AS_GOOD, _AS_GOOD_LEVELS = 1.1, 0.15
_WAYS = tuple(itertools.product((60, 67, 75, 83, 90, 95), (0, 2)))
"""Qualities and subsamplings (0: 4:4:4, 2: 4:2:0) of the JPEGs that phones and editors write."""

_BLOCK, _MIDDLE = 16, 320
_LOOSE = 22.0
_AGREEMENT = 0.45
_CORRELATED = 0.4
_TIE = 1.12
_LARGE, _CLEAR, _DOT = 3e-3, 1.8, 12
_BLURRED = 5
_RIM, _REACHING = 6, 0.1
_GROWN = 3
_FEATHER = 4


@dataclass(frozen=True)
class Match:
    """index: the picture that the copy was made from. tied: others that it may be as well, the best one first.

    scores: for each picture, how far from it the copy is where it is unpainted, in grey levels; infinite if it is none.
    """

    index: int
    tied: tuple[int, ...]
    scores: tuple[float, ...]


@dataclass(frozen=True)
class PaintOver:
    """aligned: RGB of the parent's size, its own pixels outside the region and the copy's inside.

    region: soft, "L", 255 where something was painted; None where nothing was. painted: the pixels that were painted,
    (height, width), before the region is grown. share: of the area that the region takes.
    """

    aligned: Image.Image
    region: Image.Image | None
    painted: Bools
    share: float


@dataclass(frozen=True)
class _Laid:
    """The copy laid over the picture. box: where in the copy the picture lies. pixels: (height, width, 3), as the
    picture would look in this place. expected: the picture itself after the same journey. compressed: after journeys
    through JPEG as well, which keeps colours at half the resolution. erased: 0 to 1. bordered: there is more
    in the copy than the picture, as in a screenshot."""

    box: tuple[float, float, float, float]
    pixels: Floats
    expected: Floats
    compressed: tuple[Floats, ...]
    erased: Floats
    bordered: bool


def match(edited: Image.Image, parents: Sequence[Image.Image]) -> Match | None:
    """Which of the pictures was edited; None for a picture that is a copy of none of them."""
    scores = tuple(_distance(edited, parent) for parent in parents)
    best = min(scores, default=float("inf"))
    if best == float("inf"):
        return None
    order = sorted(range(len(scores)), key=scores.__getitem__)
    tied = tuple(index for index in order if scores[index] <= best * _TIE + 0.1)
    return Match(order[0], tied if len(tied) > 1 else (), scores)


def find_region(parent: Image.Image, edited: Image.Image) -> PaintOver:
    """What was painted over, for a copy of that very picture (see `match`)."""
    picture = parent.convert("RGB")
    laid = _lay(edited, picture)
    painted = _painted(laid)
    if not painted.any():
        return PaintOver(picture, None, painted, 0.0)
    region = _soft(painted)
    copy = Image.fromarray(np.clip(np.rint(laid.pixels), 0, 255).astype(np.uint8))
    inside = region.point(lambda value: 255 if value else 0)
    # Where it was erased to nothing there is nothing to take over: the old colours stay underneath.
    gone = Image.fromarray(np.rint(laid.erased * 255).astype(np.uint8))
    aligned = Image.composite(Image.composite(picture, copy, gone), picture, inside)
    return PaintOver(aligned, region, painted, float((np.asarray(region) >= 128).mean()))


# Laying the copy over the picture


def _lay(edited: Image.Image, picture: Image.Image) -> _Laid:
    erased, colours = _split(edited)
    box = _align(picture, colours)
    size = picture.size
    alpha = _resampled(Image.fromarray(np.rint(erased * 255).astype(np.uint8)), size, box)
    expected, compressed = _same_journey(picture, box, colours)
    pixels = _colour_matched(_resampled(colours, size, box), expected)
    gone = alpha / 255
    # Half erased pixels are a mixture; what is beneath them is taken from the picture.
    laid = np.where(gone[..., None] > 0.02, expected, pixels)
    return _Laid(box, laid, expected, compressed, gone, bordered=box != (0.0, 0.0, *map(float, edited.size)))


def _split(edited: Image.Image) -> tuple[Floats, Image.Image]:
    """How far each pixel is erased, and the colours (of erased ones whatever the editor left there)."""
    if edited.mode in ("RGBA", "LA", "PA") or "transparency" in edited.info:
        rgba = edited.convert("RGBA")
        gone = 1 - np.asarray(rgba.getchannel("A"), np.float32) / 255
        return gone, rgba.convert("RGB")
    return np.zeros((edited.height, edited.width), np.float32), edited.convert("RGB")


def _resampled(image: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float]) -> Floats:
    inside = (max(box[0], 0.0), max(box[1], 0.0), min(box[2], image.width), min(box[3], image.height))
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC, box=inside), np.float32)


def _same_journey(
    picture: Image.Image, box: tuple[float, float, float, float], seen: Image.Image
) -> tuple[Floats, tuple[Floats, ...]]:
    """The picture at the copy's resolution and back; and the same with JPEG in between, as it would look most like
    `seen`, the copy."""
    there = max(1, round(box[2] - box[0])), max(1, round(box[3] - box[1]))
    copy = picture if there == picture.size else picture.resize(there, Image.Resampling.BICUBIC)
    corner = max(0, round(box[0])), max(0, round(box[1]))
    compressed = [_compressed(copy, corner, *how) for how in _likely(copy, corner, seen)]
    back = [
        image if image.size == picture.size else image.resize(picture.size, Image.Resampling.BICUBIC)
        for image in (copy, *compressed)
    ]
    expected, *others = (np.asarray(image, np.float32) for image in back)
    return expected, tuple(others)


def _likely(copy: Image.Image, corner: tuple[int, int], seen: Image.Image) -> list[tuple[int, int]]:
    """The two qualities and subsamplings of JPEG after which the copy's middle looks most like what is seen."""
    left, top = (max(0, (side - _MIDDLE) // 2) // _BLOCK * _BLOCK for side in copy.size)
    middle = copy.crop((left, top, min(left + _MIDDLE, copy.width), min(top + _MIDDLE, copy.height)))
    at = corner[0] + left, corner[1] + top
    want = np.asarray(seen.crop((*at, at[0] + middle.width, at[1] + middle.height)), np.float32)

    def apart(how: tuple[int, int]) -> float:
        gap = np.abs(np.asarray(_compressed(middle, at, *how), np.float32) - want)
        return float(np.minimum(gap, _LOOSE).mean())

    return sorted(_WAYS, key=apart)[:2]


def _compressed(image: Image.Image, corner: tuple[int, int], quality: int, subsampling: int) -> Image.Image:
    """As it comes out of a JPEG in which it lies at `corner`: the blocks of 8 or 16 pixels begin at the file's own."""
    left, top = (side % _BLOCK for side in corner)
    around = ImageOps.expand(image, (left, top, 0, 0))
    file = io.BytesIO()
    around.save(file, "JPEG", quality=quality, subsampling=subsampling)
    with Image.open(file) as opened:
        return opened.convert("RGB").crop((left, top, *around.size))


def _colour_matched(pixels: Floats, expected: Floats) -> Floats:
    """Undo what the phone did to the colours: per channel a gain and an offset, fitted to the pixels that agree."""
    matched = pixels.copy()
    step = max(1, int((pixels.shape[0] * pixels.shape[1] / 40_000) ** 0.5))
    for channel in range(3):
        have = pixels[::step, ::step, channel].ravel().astype(np.float64)
        want = expected[::step, ::step, channel].ravel().astype(np.float64)
        gain, offset = 1.0, 0.0
        for limit in (30.0, 16.0, 10.0, 8.0):
            error = np.abs(gain * have + offset - want)
            near = error < max(limit, 2.5 * float(np.median(error)))
            spread = have[near].std()
            if near.sum() < 200:
                break
            if spread < 4:
                gain, offset = 1.0, float(np.median(want[near] - have[near]))
            else:
                slope = float(
                    ((have[near] - have[near].mean()) * (want[near] - want[near].mean())).mean() / spread**2
                )
                gain = min(max(slope, 0.85), 1.15)
                offset = float(np.median(want[near] - gain * have[near]))
        if abs(offset) < 40:
            matched[..., channel] = gain * pixels[..., channel] + offset
    return matched


def _align(picture: Image.Image, copy: Image.Image) -> tuple[float, float, float, float]:
    """Where in the copy the picture lies: left, top, right, bottom in the copy's pixels."""
    width, height = copy.size
    scale = min(width / picture.width, height / picture.height)
    whole = abs(width - picture.width * scale) <= 2 and abs(height - picture.height * scale) <= 2
    everything = (0.0, 0.0, float(width), float(height))
    boxes = [everything] if whole else []
    inner = _without_border(copy)
    aspect = (inner[2] - inner[0]) / (inner[3] - inner[1]) * picture.height / picture.width
    if inner != everything and abs(aspect - 1) < 0.03:
        boxes.append(inner)
    if not boxes or min(_misfit(picture, copy, box) for box in boxes) > _GOOD_FIT:
        boxes.append(_search(picture, copy, scale))
    # A picture begins and ends with a whole pixel, on any screen.
    boxes += [_whole_pixels(_refined(picture, copy, box)) for box in boxes]
    misfits = {box: _misfit(picture, copy, box) for box in boxes}
    best = min(boxes, key=misfits.__getitem__)
    # Phones round the shorter side when they resize: a line less is no border.
    if whole and misfits[everything] <= misfits[best] * _AS_GOOD + _AS_GOOD_LEVELS:
        return everything
    return _nudged(picture, copy, _nudged(picture, copy, best, _ROUGH), _SHARP)


def _nudged(
    picture: Image.Image, copy: Image.Image, box: tuple[float, float, float, float], longest: int
) -> tuple[float, float, float, float]:
    """To where it fits best, in steps of a pixel: JPEG smears the border's last line. longest: see `_misfit`."""
    best, misfit = box, _misfit(picture, copy, box, longest)
    for move in _MOVES * 3:
        while True:
            left, top, right, bottom = (side + way for side, way in zip(best, move, strict=True))
            if min(left, top) < 0 or right > copy.width or bottom > copy.height:
                break
            stretch = (right - left) / (bottom - top) * picture.height / picture.width
            its = _misfit(picture, copy, (left, top, right, bottom), longest)
            if its >= misfit * 0.997 or abs(stretch - 1) > _STRETCH:
                break
            best, misfit = (left, top, right, bottom), its
    return best


def _whole_pixels(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    return float(round(left)), float(round(top)), float(round(right)), float(round(bottom))


def _without_border(copy: Image.Image) -> tuple[float, float, float, float]:
    """The copy less the lines at its sides that are all of one colour."""
    pixels = np.asarray(copy, np.float32)
    left, top, right, bottom = 0, 0, copy.width, copy.height
    flat_rows, flat_columns = _of_a_corner(pixels, 1), _of_a_corner(pixels, 0)
    while top < bottom // 4 and flat_rows[top]:
        top += 1
    while bottom > copy.height * 3 // 4 and flat_rows[bottom - 1]:
        bottom -= 1
    while left < right // 4 and flat_columns[left]:
        left += 1
    while right > copy.width * 3 // 4 and flat_columns[right - 1]:
        right -= 1
    return float(left), float(top), float(right), float(bottom)


def _of_a_corner(pixels: Floats, axis: int) -> Bools:
    """Which rows (axis 1) or columns (axis 0) are, nearly all along, of the colour that one of the corners has."""
    corners = [np.median(pixels[rows, columns].reshape(-1, 3), axis=0) for rows in _ENDS for columns in _ENDS]
    alike = [(np.abs(pixels - corner).max(axis=-1) <= _FLAT).mean(axis=axis) for corner in corners]
    flat: Bools = np.max(alike, axis=0) >= 0.96
    return flat


def _search(picture: Image.Image, copy: Image.Image, scale: float) -> tuple[float, float, float, float]:
    """Scale and place by correlating the directions of edges: paint and borders bring few of the right ones."""
    shrink = _COARSE / max(copy.size)
    small = copy.resize(
        (max(8, round(copy.width * shrink)), max(8, round(copy.height * shrink))), Image.Resampling.BOX
    )
    shrink_x, shrink_y = small.width / copy.width, small.height / copy.height
    field = _directions(small)
    padded = (small.height * 2, small.width * 2)
    spectrum = np.fft.fft2(field, s=padded)
    best, where = -np.inf, (0.0, 0.0, float(copy.width), float(copy.height))
    for share in np.linspace(_LEAST_SHARE, 1.0, 41):
        wide, high = picture.width * scale * share, picture.height * scale * share
        size = max(8, round(wide * shrink_x)), max(8, round(high * shrink_y))
        if size[0] > small.width or size[1] > small.height:
            size = min(size[0], small.width), min(size[1], small.height)
        template = _directions(picture.resize(size, Image.Resampling.BOX))
        product = np.fft.ifft2(spectrum * np.conj(np.fft.fft2(template, s=padded))).real
        window = product[: small.height - size[1] + 1, : small.width - size[0] + 1]
        score = window.max() / (np.abs(template).sum() + 1e-6)
        if score > best:
            top, left = np.unravel_index(int(window.argmax()), window.shape)
            best = score
            where = (left / shrink_x, top / shrink_y, left / shrink_x + wide, top / shrink_y + high)
    return where


def _directions(image: Image.Image) -> npt.NDArray[np.complex64]:
    """Edges as unit vectors, weak ones shorter: (height, width), complex."""
    grey = np.asarray(image.convert("L"), np.float32)
    across, down = ndimage.sobel(grey, 1), ndimage.sobel(grey, 0)
    strength = np.hypot(across, down)
    floor = 0.5 * float(np.median(strength)) + 12
    vectors: npt.NDArray[np.complex64] = ((across + 1j * down) / (strength + floor)).astype(np.complex64)
    vectors[0], vectors[-1], vectors[:, 0], vectors[:, -1] = 0, 0, 0, 0
    return vectors


def _refined(
    picture: Image.Image, copy: Image.Image, box: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    """Gauss–Newton on the four sides of the box, on pixels that nearly agree already (after Lucas & Kanade 1981)."""
    for longest in (128, 256, _FINE):
        shrink = min(1.0, longest / max(picture.size))
        size = max(8, round(picture.width * shrink)), max(8, round(picture.height * shrink))
        want = np.asarray(picture.convert("L").resize(size, Image.Resampling.BOX), np.float32)
        grey = copy.convert("L")
        for _ in range(4):
            moved = _step(want, grey, size, box)
            shift = max(abs(a - b) for a, b in zip(moved, box, strict=True))
            box = moved
            if shift < 0.02:
                break
    return box


def _step(
    want: Floats, grey: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    have = _resampled(grey, size, box)
    have = have + np.float32(np.median(want - have))
    error = want - have
    down, across = np.gradient(have)
    limit = max(6.0, 2.5 * float(np.median(np.abs(error))))
    weight = np.clip(1 - (error / (2 * limit)) ** 2, 0, None) ** 2
    weight[:2], weight[-2:], weight[:, :2], weight[:, -2:] = 0, 0, 0, 0
    x = np.linspace(0, 1, size[0], dtype=np.float32)[None, :]
    y = np.linspace(0, 1, size[1], dtype=np.float32)[:, None]
    # Per pixel of the copy: how the laid pixels change when a side of the box moves.
    per_x, per_y = size[0] / (right - left), size[1] / (bottom - top)
    columns = [across * (1 - x) * per_x, across * x * per_x, down * (1 - y) * per_y, down * y * per_y]
    stacked = np.stack([(column * np.sqrt(weight)).ravel() for column in columns], axis=1).astype(np.float64)
    wanted = (error * np.sqrt(weight)).ravel().astype(np.float64)
    normal = stacked.T @ stacked + np.eye(4) * (1e-3 * want.size)
    step = np.linalg.solve(normal, stacked.T @ wanted)
    step = np.clip(step, -3 / min(per_x, 1), 3 / min(per_x, 1))
    moved = (left + step[0], top + step[2], right + step[1], bottom + step[3])
    return (
        float(np.clip(moved[0], 0, grey.width * 0.3)),
        float(np.clip(moved[1], 0, grey.height * 0.3)),
        float(np.clip(moved[2], grey.width * 0.7, grey.width)),
        float(np.clip(moved[3], grey.height * 0.7, grey.height)),
    )


def _misfit(
    picture: Image.Image,
    copy: Image.Image,
    box: tuple[float, float, float, float],
    longest: int = _ROUGH,
) -> float:
    """Grey levels between the two where they agree best: what is painted must not count. longest: of the sides that
    they are compared at, in pixels; a line too much only shows in a large picture."""
    there = (round(box[2] - box[0]), round(box[3] - box[1]))
    size = _shrunk(min(picture.size, there), longest)
    want = np.asarray(picture.convert("L").resize(size, Image.Resampling.BICUBIC), np.float32)
    have = _resampled(copy.convert("L"), size, box)
    error = np.abs(want - have - np.median(want - have))
    return float(np.minimum(error, _LOOSE).mean())


def _shrunk(size: tuple[int, int], longest: int) -> tuple[int, int]:
    share = min(1.0, longest / max(size))
    return max(8, round(size[0] * share)), max(8, round(size[1] * share))


# Which picture it is


def _distance(edited: Image.Image, parent: Image.Image) -> float:
    """Grey levels between the copy and the picture where it is unpainted; infinite for another picture."""
    if min(*edited.size, *parent.size) < LEAST_SIDE:
        return float("inf")
    aspect = (edited.width / edited.height) / (parent.width / parent.height)
    if not 0.75 <= aspect <= 1.34:
        return float("inf")
    picture = parent.convert("RGB")
    picture = picture.resize(_shrunk(picture.size, _FINE), Image.Resampling.LANCZOS)
    shrink = min(1.0, 1.2 * _FINE / max(edited.size))
    if shrink < 1:
        edited = edited.resize(
            (round(edited.width * shrink), round(edited.height * shrink)), Image.Resampling.LANCZOS
        )
    laid = _lay(edited, picture)
    seen = laid.erased < 0.5
    if seen.mean() < 0.05:
        return float("inf")
    error = np.abs(laid.pixels - laid.expected).max(axis=-1)
    detail = _activity(laid.expected)
    structured = seen & (detail >= max(4.0, float(np.quantile(detail, 0.7))))
    loose = _LOOSE * 0.6 + 0.5 * detail
    plain = float((error[seen] < loose[seen]).mean())
    among_detail = float((error[structured] < loose[structured]).mean()) if structured.sum() > 50 else plain
    correlated = _correlation(laid, structured & (error < 60)) if structured.sum() > 50 else 1.0
    if min(plain, among_detail) < _AGREEMENT or correlated < _CORRELATED:
        return float("inf")
    return float(np.minimum(error[seen], _LOOSE).mean())


def _correlation(laid: _Laid, where: Bools) -> float:
    """Of the detail of both in those places; the finest may be noise that did not survive the journey."""
    if where.sum() < 50:
        return 0.0
    have, want = (pixels.mean(axis=-1) for pixels in (laid.pixels, laid.expected))
    have, want = (
        ndimage.gaussian_filter(grey, 1.5) - ndimage.gaussian_filter(grey, 8) for grey in (have, want)
    )
    a, b = have[where], want[where]
    return float((a * b).sum() / (np.sqrt((a * a).sum() * (b * b).sum()) + 1e-6))


# What was painted


def _painted(laid: _Laid) -> Bools:
    difference = _difference(laid)
    tolerance = _tolerance(difference, _activity(laid.expected))
    excess = difference / tolerance
    smooth = ndimage.gaussian_filter(difference, 1.2) / ndimage.gaussian_filter(tolerance, 1.2)
    candidate = np.maximum(excess, 1.35 * smooth) > 1
    certain = np.maximum(excess / 1.8, smooth / 1.25) > 1
    found = _kept(candidate, certain, smooth)
    # Blur is a matter of the rim: what differs less deep within is paint all the same, where the picture is like it.
    found &= _beyond_half(difference, found) | ndimage.binary_erosion(found, iterations=_BLURRED)
    found = _closed(found)
    if laid.bordered:
        found &= ~_rims(found)
    found &= ~_faint(found, excess)
    return found | (laid.erased >= 0.5)


def _faint(found: Bools, excess: Floats) -> Bools:
    """Small patches that differ by little more than is tolerated: what is left of JPEG. A dot of paint differs more."""
    labels, count = ndimage.label(found, np.ones((3, 3)))
    if not count:
        return found
    index = np.arange(1, count + 1)
    areas, strength = ndimage.sum_labels(found, labels, index), ndimage.mean(excess, labels, index)
    faint = (areas < _LARGE * found.size) & ((strength < _CLEAR) | (areas < _DOT))
    weak: Bools = np.concatenate([[False], faint])[labels]
    return weak


def _rims(found: Bools) -> Bools:
    """Patches that only line the picture's sides: what is left of a screenshot's border, which JPEG smears inwards."""
    rim = max(_RIM, round(max(found.shape) / 170))
    inside = np.zeros_like(found)
    inside[rim:-rim, rim:-rim] = True
    labels, count = ndimage.label(found, np.ones((3, 3)))
    if not count:
        return found
    index = np.arange(1, count + 1)
    areas, reaching = ndimage.sum_labels(found, labels, index), ndimage.sum_labels(inside, labels, index)
    lines: Bools = np.concatenate([[False], reaching <= _REACHING * areas])[labels]
    return lines & found


def _difference(laid: _Laid) -> Floats:
    """Per pixel, in grey levels, from whichever the picture may have become."""
    least = _apart(laid.pixels, laid.expected)
    for compressed in laid.compressed:
        least = np.minimum(least, _apart(laid.pixels, compressed))
    return least


def _apart(some: Floats, others: Floats) -> Floats:
    """Lightness, or the channel that differs the most, which counts a little less."""
    gap = some - others
    light = np.abs(gap @ np.array([0.299, 0.587, 0.114], np.float32))
    strongest: Floats = np.abs(gap).max(axis=-1)
    apart: Floats = np.maximum(light, 0.75 * strongest)
    return apart


def _activity(pixels: Floats) -> Floats:
    """How much happens round each pixel: the range of lightness in its neighbourhood."""
    grey = pixels @ np.array([0.299, 0.587, 0.114], np.float32)
    spread = ndimage.maximum_filter(grey, 5) - ndimage.minimum_filter(grey, 5)
    activity: Floats = np.maximum(spread, 0.6 * ndimage.uniform_filter(spread, 9))
    return activity


def _tolerance(difference: Floats, activity: Floats) -> Floats:
    """What a pixel may differ by, as the unpainted ones of the same activity do."""
    edges = np.unique(np.quantile(activity, np.linspace(0, 1, 13)))
    middles, limits = [], []
    for low, high in itertools.pairwise(edges):
        inside = difference[(activity >= low) & (activity <= high)]
        if inside.size < 64:
            continue
        middle = float(np.quantile(inside, 0.4))
        spread = max(float(np.quantile(inside, 0.6)) - float(np.quantile(inside, 0.2)), 0.3)
        middles.append((low + high) / 2)
        limits.append(max(middle + 4.5 * spread + 3.5, 9.0))
    if not middles:
        return np.full_like(difference, 12.0)
    # A bin of which half is painted learns too much: it must not tolerate far more than its neighbours do.
    for index in range(1, len(limits)):
        limits[index] = min(limits[index], 1.6 * limits[index - 1] + 4)
    return np.interp(activity, middles, limits).astype(np.float32)


def _kept(candidate: Bools, certain: Bools, smooth: Floats) -> Bools:
    """The candidates' patches that hold something certain, and enough of it."""
    labels, count = ndimage.label(candidate, np.ones((3, 3)))
    if not count:
        return candidate
    index = np.arange(1, count + 1)
    areas = ndimage.sum_labels(candidate, labels, index)
    sure = ndimage.sum_labels(certain, labels, index)
    weight = ndimage.sum_labels(np.minimum(smooth, 6), labels, index)
    least = max(12.0, 2.5e-5 * candidate.size)
    keep = (sure >= 0.25 * areas) & (sure >= least) & (weight >= 2.2 * least)
    kept: Bools = np.concatenate([[False], keep])[labels]
    return kept


def _beyond_half(difference: Floats, found: Bools) -> Bools:
    """Blurred paint reaches further than its edge: that lies where half of the paint's strength is left."""
    strength = ndimage.maximum_filter(np.where(found, difference, 0), 7)
    beyond: Bools = difference >= 0.42 * strength
    return beyond


def _closed(found: Bools) -> Bools:
    """Where the paint happens to have the picture's own colour there are holes and gaps."""
    side = max(1, round(max(found.shape) / 512))
    padded = np.pad(found, side + 1)
    closed = ndimage.binary_closing(padded, iterations=side)[side + 1 : -side - 1, side + 1 : -side - 1]
    filled = ndimage.binary_fill_holes(closed)
    labels, count = ndimage.label(filled & ~closed)
    if count:
        areas = ndimage.sum_labels(labels > 0, labels, np.arange(1, count + 1))
        small = areas <= 4e-4 * found.size
        closed = closed | np.concatenate([[False], small])[labels]
    opened: Bools = ndimage.binary_opening(closed, np.ones((2, 2))) if closed.sum() > 400 else closed
    return opened


def _soft(painted: Bools) -> Image.Image:
    """Grown by a few pixels, for the paint's rim is a mixture, and feathered outwards."""
    side = max(1.0, max(painted.shape) / 768)
    distance = ndimage.distance_transform_edt(~painted)
    soft = np.clip(1 - (distance - _GROWN * side) / (_FEATHER * side), 0, 1)
    return Image.fromarray(np.rint(255 * soft).astype(np.uint8))
