"""The way from the first sketch to now as a moving picture: WebP, or GIF for whoever asks for it."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw

from bot.lettering import fitting, font

MOST_BYTES = 8 * 2**20
LARGEST_SIDE = 768
"""Pixels: no frame is drawn larger, so nobody needs to keep larger ones in memory."""

MOST_SECONDS = 60
MOST_FRAMES = 400
_FIRST, _LAST, _OTHERS, _SHORTEST, _FADE = 1500, 3000, 900, 100, 60
"""Milliseconds that a frame stays, and one step of a cross-fade."""

_STRIP, _LEAST_SIDE = 32, 64
_BACKGROUND, _INK = (43, 45, 49), (219, 222, 225)
_PIXELS_TO_ENCODE = 60_000_000
"""Of all frames together: some seconds of work."""


class _Look(NamedTuple):
    """side: of the pictures. fades: pictures between two frames. quality: of WebP, or colours of GIF."""

    side: int
    fades: int
    quality: int


_WEBP = (_Look(768, 3, 82), _Look(768, 0, 75), _Look(512, 3, 75), _Look(512, 0, 70), _Look(384, 0, 60))
_GIF = (_Look(512, 0, 256), _Look(384, 0, 256), _Look(384, 0, 64))
_SMALLER_STILL = (_Look(256, 0, 50), _Look(160, 0, 40), _Look(96, 0, 30))


def timelapse(
    frames: Sequence[tuple[Image.Image, str]], *, gif: bool = False, limit: int = MOST_BYTES
) -> bytes:
    """An endless animation of at most MOST_SECONDS; each picture whole, on a canvas of the last one's shape.

    frames: the pictures of any size, oldest first, each with a caption that stands below it. Of more than MOST_FRAMES
    some are left out in between. limit: bytes; size and quality are lowered until it fits.
    Raises ValueError for less than two frames, or if nothing fits.
    """
    if len(frames) < 2:
        raise ValueError("one frame does not move")
    frames = _thinned(frames)
    for look in (*(_GIF if gif else _WEBP), *_SMALLER_STILL):
        if _too_much_work(len(frames), look) and look is not _SMALLER_STILL[-1]:
            continue
        data = _encoded(frames, look, gif)
        if len(data) <= limit:
            return data
    raise ValueError("not even the smallest frames fit")


def _thinned(frames: Sequence[tuple[Image.Image, str]]) -> Sequence[tuple[Image.Image, str]]:
    if len(frames) <= MOST_FRAMES:
        return frames
    return [frames[number * (len(frames) - 1) // (MOST_FRAMES - 1)] for number in range(MOST_FRAMES)]


def _too_much_work(count: int, look: _Look) -> bool:
    return count * (1 + look.fades) * look.side**2 > _PIXELS_TO_ENCODE


def _encoded(frames: Sequence[tuple[Image.Image, str]], look: _Look, gif: bool) -> bytes:
    size = _size(frames[-1][0], look.side)
    pictures = _pictures(frames, look, size)
    first, file = next(pictures), io.BytesIO()
    durations = _durations(len(frames), look.fades)
    if gif:
        colours = max(look.quality, 32)
        few = (picture.quantize(colours, Image.Quantize.MEDIANCUT) for picture in pictures)
        first = first.quantize(colours, Image.Quantize.MEDIANCUT)
        first.save(file, "GIF", save_all=True, append_images=few, duration=durations, loop=0, disposal=1)
    else:
        how = {"quality": look.quality, "method": 2, "minimize_size": False, "loop": 0}
        first.save(file, "WEBP", save_all=True, append_images=pictures, duration=durations, **how)
    return file.getvalue()


def _size(last: Image.Image, side: int) -> tuple[int, int]:
    """Even numbers, and nothing is scaled up; but a line of pixels gets some ground round it."""
    scale = min(1.0, side / max(last.size))
    width, height = (max(_LEAST_SIDE, round(length * scale)) // 2 * 2 for length in last.size)
    return width, height


def _durations(count: int, fades: int) -> list[int]:
    """One number for each picture: a frame, its fades, the next frame … A frame stays shorter where there are many."""
    room = MOST_SECONDS * 1000 - _FIRST - _LAST - (count - 1) * fades * _FADE
    stay = max(_SHORTEST, min(_OTHERS, room // max(1, count - 2)))
    stays = [_FIRST, *[stay] * (count - 2), _LAST]
    durations = [each for hold in stays for each in (hold, *[_FADE] * fades)]
    return durations[: len(durations) - fades]


def _pictures(
    frames: Sequence[tuple[Image.Image, str]], look: _Look, size: tuple[int, int]
) -> Iterator[Image.Image]:
    """One by one: all of them at once would be hundreds of megabytes."""
    before: Image.Image | None = None
    for picture, caption in frames:
        frame = _frame(picture, caption, size)
        if before is not None:
            for step in range(look.fades):
                yield Image.blend(before, frame, (step + 1) / (look.fades + 1))
        yield frame
        before = frame


def _frame(picture: Image.Image, caption: str, size: tuple[int, int]) -> Image.Image:
    """The picture in the middle, the caption in a strip below it."""
    frame = Image.new("RGB", (size[0], size[1] + _STRIP), _BACKGROUND)
    scale = min(size[0] / picture.width, size[1] / picture.height)
    fitted = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    if max(size[0] - fitted[0], size[1] - fitted[1]) <= 2:  # of the same shape, but for even numbers
        fitted = size
    small = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    small = small.resize(fitted, Image.Resampling.LANCZOS)
    place = ((size[0] - fitted[0]) // 2, (size[1] - fitted[1]) // 2)
    frame.paste(small, place, small if small.mode == "RGBA" else None)
    words = fitting(caption, 18, size[0] - 16)
    ImageDraw.Draw(frame).text((8, size[1] + _STRIP // 2), words, font=font(18), fill=_INK, anchor="lm")
    return frame
