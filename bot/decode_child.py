"""The process that opens strangers' files: `python -m bot.decode_child`, fed by `bot.images.Decoder`.

It reads a file's bytes from stdin and answers on stdout with clean pixels, re-made from scratch: no metadata, colour
profiles or trailing bytes survive in them. What a picture was made with, where it says so, is told apart. It has
memory and time limits, opens nothing and holds no secret, so that a file which breaks the decoder breaks only this.
(After the STRIDE page of the Pillow handbook.)

A frame is four bytes of length, big-endian, and that many bytes of payload. The question's payload is the file; the
answer's is a msgpack Answer.
"""

from __future__ import annotations

import io
import re
import struct
import sys
import warnings
from typing import BinaryIO

import msgspec
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

from bot import png_text

FORMATS = ("PNG", "JPEG", "WEBP")
MOST_PIXELS = 16_000_000
MOST_PIXELS_OF_JPEG = 60_000_000
"""JPEG can be decoded at a fraction of its size: a phone's 50-megapixel photo costs no more than a small one."""

MOST_CHUNKS = 20_000
"""Of a PNG: ten mebibytes in the small pieces that some programs write are a few thousand. Each costs microseconds."""

MOST_SEGMENTS = 2_000
"""Of a JPEG: ten mebibytes of nothing but colour profiles and thumbnails are a few hundred."""

MOST_SCANS = 50
"""Of a progressive JPEG, whose every scan goes over all of its pixels; real ones have ten to twenty."""

KEPT_SIDE = 2048
CPU_SECONDS_PER_FILE = 5.0
_MEMORY_BYTES = 1_536 * 2**20
_FIRST_FILE_NOT_OPEN = 3
"""Standard input, output and error are the only files that it has, and ever gets."""

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

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_JPEG_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
"""The start of a segment; within a scan, 0xff is followed by a zero, by another one or by the number of a restart."""

_JPEG_END, _JPEG_SCAN = 0xD9, 0xDA
_JPEG_WITHOUT_LENGTH = (0x01, 0xD8)


class Clean(msgspec.Struct, frozen=True, tag=True):
    """`png` holds the re-made picture (RGB, or RGBA where something is transparent); `size` was the file's own.

    parameters: a stranger's words about what it was made with, at most `png_text.LONGEST` characters; mostly empty.
    """

    png: bytes
    width: int
    height: int
    original_width: int
    original_height: int
    animated: bool
    transparent: bool
    parameters: str = ""


class Refused(msgspec.Struct, frozen=True, tag=True):
    """`reason` is one of: not a picture, damaged, too large, too slow."""

    reason: str
    width: int = 0
    height: int = 0


Answer = Clean | Refused


def clean(data: bytes) -> Answer:
    """Open, check, decode and re-make one file."""
    if _is_in_too_many_parts(data):
        return Refused("too slow")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a stranger's EXIF has wrong is nothing for our log
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                answer = _clean(image)
                if isinstance(answer, Refused):
                    return answer
                return msgspec.structs.replace(answer, parameters=_parameters(data, image))
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


def _is_in_too_many_parts(data: bytes) -> bool:
    """A small file can be made of a million pieces, or tell the decoder to go over its pixels a thousand times."""
    if data.startswith(_PNG_SIGNATURE):
        return _has_too_many_chunks(data)
    return data.startswith(b"\xff\xd8") and _has_too_many_segments(data)


def _has_too_many_chunks(data: bytes) -> bool:
    place = len(_PNG_SIGNATURE)
    for _ in range(MOST_CHUNKS):
        if data[place + 4 : place + 8] in (b"", b"IEND"):  # what hangs behind the end is not read
            return False
        place += int.from_bytes(data[place : place + 4], "big") + 12  # with its length, name and checksum
    return True


def _has_too_many_segments(data: bytes) -> bool:
    place, segments, scans = 0, 0, 0
    while (marker := _JPEG_MARKER.search(data, place)) is not None:
        place = marker.end()
        code = data[place - 1]
        if code == _JPEG_END:
            break
        segments += 1
        scans += code == _JPEG_SCAN
        if segments > MOST_SEGMENTS or scans > MOST_SCANS:
            return True
        if code not in _JPEG_WITHOUT_LENGTH:
            place += int.from_bytes(data[place : place + 2], "big")
    return False


def _orientation(image: Image.Image) -> int:
    """As EXIF counts, 1 to 8; 1 is upright."""
    try:
        found = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:
        # EXIF is a small TIFF file of a stranger's. A broken one says nothing, and the pixels are still good.
        return 1
    return found if found in _TURNS else 1


def _parameters(data: bytes, image: Image.Image) -> str:
    """Where AUTOMATIC1111's web UI keeps them: in a chunk of a PNG, in the EXIF comment of anything else."""
    if image.format == "PNG":
        return png_text.text_of(data) or ""
    try:
        comment = image.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment)
    except Exception:
        # As above: broken EXIF says nothing.
        return ""
    return _user_comment(comment) if isinstance(comment, bytes) else ""


def _user_comment(comment: bytes) -> str:
    """Eight bytes name its encoding. The "UNICODE" of EXIF is UTF-16 in an order that it does not tell.

    A camera's own notes come in other encodings, and are none of our business.
    """
    name, text = comment[:8], comment[8 : 8 + 4 * png_text.LONGEST]
    if name == b"ASCII\0\0\0":
        return png_text.readable(text.decode("ascii", "replace"))
    if name != b"UNICODE\0":
        return ""
    little = text[1::2].count(0) > text[::2].count(0)
    return png_text.readable(text.decode("utf-16-le" if little else "utf-16-be", "replace"))


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
    """Answer files until stdin closes. The argument is how many seconds of CPU time one may cost."""
    seconds = float(sys.argv[1])
    Image.init()  # loads the codecs before memory and files are limited
    _limit_process()
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while (data := _read_frame(source)) is not None:
        _limit_time(seconds)
        answer = msgspec.msgpack.encode(clean(data))
        _limit_time(0.0)
        target.write(_LENGTH.pack(len(answer)) + answer)
        target.flush()


def _read_frame(source: BinaryIO) -> bytes | None:
    head = source.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    return source.read(_LENGTH.unpack(head)[0])


def _limit_process() -> None:
    """A hard ceiling on memory, and no file or connection any more, where the platform knows that (not on Windows)."""
    try:
        import resource
    except ImportError:
        return
    limits = {
        resource.RLIMIT_AS: _MEMORY_BYTES,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: _FIRST_FILE_NOT_OPEN,
    }
    for limit, value in limits.items():
        resource.setrlimit(limit, (value, value))


def _limit_time(seconds: float) -> None:
    """CPU time, so that a busy machine is nobody's fault; 0 lifts the limit.

    SIGPROF's default ends the process also in the middle of a decoder: the parent answers "took too long" and starts
    another one.
    """
    import signal

    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


if __name__ == "__main__":
    main()
