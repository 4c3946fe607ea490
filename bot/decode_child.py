"""The process that opens strangers' files: `python -m bot.decode_child`, fed by `bot.images.Decoder`.

It reads a file's bytes from stdin and answers on stdout with clean pixels, re-made from scratch: no metadata, colour
profiles or trailing bytes survive. It has memory and time limits, opens nothing and holds no secret, so that a file
which breaks the decoder breaks only this. (After the STRIDE page of the Pillow handbook.)

A frame is four bytes of length, big-endian, and that many bytes of payload. The question's payload is the file; the
answer's is a msgpack Answer.
"""

from __future__ import annotations

import io
import struct
import sys
import warnings
from typing import BinaryIO

import msgspec
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "WEBP")
MOST_PIXELS = 16_000_000
MOST_PIXELS_OF_JPEG = 60_000_000
"""JPEG can be decoded at a fraction of its size: a phone's 50-megapixel photo costs no more than a small one."""

KEPT_SIDE = 2048
_MEMORY_BYTES = 1_536 * 2**20
_SECONDS_PER_FILE = 5
_LENGTH = struct.Struct(">I")
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What EXIF's eight orientations need to stand upright; from 5 on, width and height change places."""


class Clean(msgspec.Struct, frozen=True, tag=True):
    """`png` holds the re-made picture (RGB, or RGBA where something is transparent); `size` was the file's own."""

    png: bytes
    width: int
    height: int
    original_width: int
    original_height: int
    animated: bool
    transparent: bool


class Refused(msgspec.Struct, frozen=True, tag=True):
    """`reason` is one of: not a picture, damaged, too large."""

    reason: str
    width: int = 0
    height: int = 0


Answer = Clean | Refused


def clean(data: bytes) -> Answer:
    """Open, check, decode and re-make one file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a stranger's EXIF has wrong is nothing for our log
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                return _clean(image)
        except UnidentifiedImageError:
            return Refused("not a picture")
        except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
            return Refused("too large")
        except Exception:
            # Pillow's decoders raise whatever they like on broken data: all of it means "damaged".
            return Refused("damaged")


def _clean(image: ImageFile.ImageFile) -> Answer:
    width, height = image.size
    # A phone's JPEG with more pictures behind the first (a preview, a gain map) calls itself MPO.
    is_jpeg = image.format in ("JPEG", "MPO")
    limit = MOST_PIXELS_OF_JPEG if is_jpeg else MOST_PIXELS
    if width * height > limit or width == 0 or height == 0:
        return Refused("too large", width, height)
    if is_jpeg:
        image.draft("RGB", (KEPT_SIDE, KEPT_SIDE))
    animated = not is_jpeg and getattr(image, "n_frames", 1) > 1
    image.load()
    orientation = _orientation(image)
    if orientation >= 5:
        width, height = height, width
    picture = _rgb_or_rgba(image.transpose(_TURNS[orientation]) if orientation in _TURNS else image)
    picture.thumbnail((KEPT_SIDE, KEPT_SIDE), Image.Resampling.LANCZOS)
    remade = Image.frombytes(picture.mode, picture.size, picture.tobytes())
    file = io.BytesIO()
    remade.save(file, "PNG", compress_level=1)
    return Clean(file.getvalue(), *remade.size, width, height, animated, remade.mode == "RGBA")


def _orientation(image: Image.Image) -> int:
    """As EXIF counts, 1 to 8; 1 is upright."""
    try:
        found = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:
        # EXIF is a small TIFF file of a stranger's. A broken one says nothing, and the pixels are still good.
        return 1
    return found if found in _TURNS else 1


def _rgb_or_rgba(image: Image.Image) -> Image.Image:
    """Eight bits per channel, with alpha only where some of it is used."""
    if image.mode.startswith("I"):
        image = _eight_bits(image)
    if not image.has_transparency_data:
        return image.convert("RGB")
    rgba = image.convert("RGBA")
    return rgba if rgba.getchannel("A").getextrema() != (255, 255) else rgba.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """16-bit grey to 8-bit grey; Pillow's own conversion clips at 255 instead of scaling."""
    return image.convert("I").point(lambda value: value / 256).convert("L")


def main() -> None:
    """Answer files until stdin closes."""
    Image.init()  # loads the codecs before memory is limited
    _limit_memory()
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while (data := _read_frame(source)) is not None:
        _limit_time(_SECONDS_PER_FILE)
        answer = msgspec.msgpack.encode(clean(data))
        _limit_time(0)
        target.write(_LENGTH.pack(len(answer)) + answer)
        target.flush()


def _read_frame(source: BinaryIO) -> bytes | None:
    head = source.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    return source.read(_LENGTH.unpack(head)[0])


def _limit_memory() -> None:
    """A hard ceiling on address space, where the platform knows one (not on Windows)."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_time(seconds: int) -> None:
    """SIGALRM's default ends the process; the parent answers "took too long" and starts another one."""
    import signal

    if hasattr(signal, "alarm"):
        signal.alarm(seconds)


if __name__ == "__main__":
    main()
