"""From an attachment to checked, re-made pixels, and from pixels to files. All of it off the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import struct
import sys
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
import structlog
from PIL import Image

from bot import texts
from bot.decode_child import (
    CPU_SECONDS_PER_FILE,
    KEPT_SIDE,
    MOST_PIXELS,
    MOST_PIXELS_OF_JPEG,
    Answer,
    Clean,
    Refused,
)
from bot.errors import BadPicture
from inference import Box, Grey, Pixels, Size

log = structlog.get_logger(__name__)

MOST_BYTES: Final = 10 * 2**20
"""What Discord lets people without boosts upload, and what one file may weigh here."""

_ANSWER_SECONDS = 3 * CPU_SECONDS_PER_FILE
"""A start of the decode process and one file, on a machine that has other things to do as well."""

_LONGEST_ANSWER = 4 * KEPT_SIDE * KEPT_SIDE * 2
"""Twice the raw pixels of the largest picture that is kept: a decode process that says more is not ours any more."""
_CELLS_LEFT = 8
"""On a side, of a picture that nobody shall make out."""

_LENGTH = struct.Struct(">I")
_ANSWER: Final[msgspec.msgpack.Decoder[Answer]] = msgspec.msgpack.Decoder(Answer)
_ALLOWED_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "PYTHONPATH", "VIRTUAL_ENV")


class CleanPicture(msgspec.Struct, frozen=True, kw_only=True):
    """A stranger's picture, re-made. notes: sentences about what was done to it.

    parameters: what the file says it was made with, in a stranger's words (see `bot.scene.parameters`); mostly empty.
    """

    png: bytes
    size: Size
    original: Size
    notes: tuple[str, ...]
    parameters: str = ""


class Finished(NamedTuple):
    """A picture as it is stored."""

    png: bytes
    size: Size


class Decoder:
    """Keeper of the one process that opens strangers' files. It is started when first needed, and again if it dies.

    cpu_seconds: what one file may cost before it ends the process.
    """

    def __init__(self, *, cpu_seconds: float = CPU_SECONDS_PER_FILE) -> None:
        self._cpu_seconds = cpu_seconds
        self._process: asyncio.subprocess.Process | None = None
        self._one_at_a_time = asyncio.Lock()

    async def clean(self, data: bytes) -> CleanPicture:
        """Raises BadPicture with the sentence that says what is wrong with it."""
        if len(data) > MOST_BYTES:
            raise BadPicture(texts.picture_too_heavy(len(data), MOST_BYTES))
        async with self._one_at_a_time:
            answer = await self._ask(data)
        if isinstance(answer, Refused):
            raise BadPicture(_why(answer))
        return _clean_picture(answer)

    async def close(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _ask(self, data: bytes) -> Answer:
        process = await self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                process.stdin.write(_LENGTH.pack(len(data)) + data)
                await process.stdin.drain()
                head = await process.stdout.readexactly(_LENGTH.size)
                length = min(_LENGTH.unpack(head)[0], _LONGEST_ANSWER)
                return _ANSWER.decode(await process.stdout.readexactly(length))
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError, msgspec.DecodeError) as error:
            log.warning("the decode process ended over a file", error=repr(error), bytes=len(data))
            await self.close()
            raise BadPicture(texts.PICTURE_TOOK_TOO_LONG) from None
        except asyncio.CancelledError:
            await self.close()  # or its answer would be taken for that of the next file
            raise

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot.decode_child",
                str(self._cpu_seconds),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env={name: os.environ[name] for name in _ALLOWED_ENVIRONMENT if name in os.environ},
                start_new_session=True,  # Ctrl-C is the bot's to answer; the closed stdin ends this one
            )
        return self._process


async def read_pixels(png: bytes) -> Pixels:
    """One of our own stored pictures as RGB, transparent parts on white."""
    return await asyncio.to_thread(_read_pixels, png)


async def read_grey(png: bytes) -> Grey:
    """One of our own stored regions."""
    return await asyncio.to_thread(_read_grey, png)


async def pasted_back(whole: bytes, drawn: Pixels, region: bytes, window: Box | None) -> Finished:
    """The stored picture with what was drawn in its region; outside of it not a bit differs."""
    return await asyncio.to_thread(_pasted_back, whole, drawn, region, window)


async def in_outline_of(piece: bytes, drawn: Pixels) -> Finished:
    """What was drawn, as transparent as the stored Piece that it was drawn from."""
    return await asyncio.to_thread(_in_outline_of, piece, drawn)


async def encode_png(pixels: Pixels) -> bytes:
    """A clean PNG: pixels and nothing else."""
    return await asyncio.to_thread(_encode_png, pixels)


async def light_enough(png: bytes, most: int) -> tuple[bytes, str]:
    """A stored picture as a file of at most so many bytes, and its suffix: WebP where a PNG would weigh too much.

    That has the same pixels if they fit, else nearly the same; the stored picture stays what it is.
    """
    if len(png) <= most:
        return png, ".png"
    return await asyncio.to_thread(_as_light_webp, png, most), ".webp"


async def contact_sheet(pictures: Sequence[Pixels], cell: int) -> bytes:
    """Previews side by side as one small WebP; each is scaled up to fit `cell` × `cell` pixels."""
    return await asyncio.to_thread(_contact_sheet, pictures, cell)


def _why(refused: Refused) -> str:
    match refused.reason:
        case "not a picture":
            return texts.NOT_A_PICTURE
        case "too large":
            size = Size(refused.width, refused.height)
            return texts.picture_too_large(size, MOST_PIXELS, MOST_PIXELS_OF_JPEG)
        case "too slow":
            return texts.PICTURE_TOOK_TOO_LONG
        case _:
            return texts.DAMAGED_PICTURE


def _clean_picture(answer: Clean) -> CleanPicture:
    size, original = Size(answer.width, answer.height), Size(answer.original_width, answer.original_height)
    notes = []
    if answer.animated:
        notes.append(texts.FIRST_FRAME_ONLY)
    if answer.transparent:
        notes.append(texts.TRANSPARENT_BECAME_WHITE)
    if size != original:
        notes.append(texts.scaled_down(original, size))
    return CleanPicture(
        png=answer.png, size=size, original=original, notes=tuple(notes), parameters=answer.parameters
    )


def _read_pixels(png: bytes) -> Pixels:
    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        if image.mode == "RGBA":
            flat = Image.new("RGBA", image.size, "white")
            flat.alpha_composite(image)
            rgb = flat.convert("RGB")
        else:
            rgb = image.convert("RGB")
    return Pixels(rgb.width, rgb.height, rgb.tobytes())


def _read_grey(png: bytes) -> Grey:
    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        grey = image.convert("L")
    return Grey(grey.width, grey.height, grey.tobytes())


def _pasted_back(whole: bytes, drawn: Pixels, region: bytes, window: Box | None) -> Finished:
    from bot.scene.finishing import paste_back

    return _finished(paste_back(opened(whole), _image(drawn), opened(region), window))


def _in_outline_of(piece: bytes, drawn: Pixels) -> Finished:
    from bot.scene.finishing import with_alpha_of

    return _finished(with_alpha_of(_image(drawn), opened(piece)))


def opened(png: bytes) -> Image.Image:
    """One of our own stored files, decoded. Takes milliseconds: off the event loop."""
    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        image.load()
        return image


def unrecognisable(image: Image.Image) -> Image.Image:
    """No more of it than its rough colours, in the same size and mode."""
    across, down = (max(1, min(_CELLS_LEFT, side // 4)) for side in image.size)
    return image.resize((across, down), Image.Resampling.BOX).resize(image.size, Image.Resampling.BICUBIC)


def as_png(image: Image.Image) -> bytes:
    """A clean PNG: pixels and nothing else. Takes milliseconds: off the event loop."""
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=4)
    return file.getvalue()


def _finished(image: Image.Image) -> Finished:
    return Finished(as_png(image), Size(*image.size))


def _encode_png(pixels: Pixels) -> bytes:
    return as_png(_image(pixels))


def _contact_sheet(pictures: Sequence[Pixels], cell: int) -> bytes:
    tiles = []
    for pixels in pictures:
        scale = cell / max(pixels.width, pixels.height)
        size = max(1, round(pixels.width * scale)), max(1, round(pixels.height * scale))
        tiles.append(_image(pixels).resize(size, Image.Resampling.BICUBIC))
    columns = min(2, len(tiles))
    width, height = tiles[0].size
    rows = -(-len(tiles) // columns)
    sheet = Image.new("RGB", (columns * width, rows * height))
    for index, tile in enumerate(tiles):
        sheet.paste(tile, (index % columns * width, index // columns * height))
    return _webp(sheet)


def _as_light_webp(png: bytes, most: int) -> bytes:
    image, file = opened(png), io.BytesIO()
    # Little effort: of 16 million pixels even that takes a second.
    image.save(file, "WEBP", lossless=True, quality=20, method=0)
    if file.tell() > most:
        file = io.BytesIO()
        image.save(file, "WEBP", quality=90, method=2)
    return file.getvalue()


def _webp(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "WEBP", quality=82, method=2)
    return file.getvalue()


def _image(pixels: Pixels) -> Image.Image:
    return Image.frombytes("RGB", (pixels.width, pixels.height), pixels.data)
