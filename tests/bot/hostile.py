"""Files that somebody made on purpose: odd but sound ones, lying ones, endless ones, two files in one."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from random import Random

from PIL import Image

from tests.bot.pictures import chunk, file_of, frames, halves, raw_png, rows, turned, with_metadata

SIGNATURE = b"\x89PNG\r\n\x1a\n"
SMALL = halves("red", "blue")
JPEG = file_of(SMALL, "JPEG", quality=95)
PNG = file_of(SMALL, "PNG")
WEBP = file_of(SMALL, "WEBP", lossless=True)
HTML = b"<!DOCTYPE html><script>alert('51.4779N 0.0015W')</script>"

_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""The seven passes of an interlaced PNG: the first column and row, and the steps to the next ones."""


def png(
    size: tuple[int, int], depth: int, colour: int, data: bytes, *extra: bytes, interlace: int = 0
) -> bytes:
    """Any header that a PNG can have. data: uncompressed rows, each after its filter's number."""
    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, interlace)
    parts = (chunk(b"IHDR", header), *extra, chunk(b"IDAT", zlib.compress(data)), chunk(b"IEND", b""))
    return SIGNATURE + b"".join(parts)


def interlaced(width: int, height: int) -> bytes:
    """Red all over, in seven passes."""
    data = b""
    for left, top, across, down in _ADAM7:
        columns, lines = -(-(width - left) // across), -(-(height - top) // down)
        data += (b"\0" + b"\xff\0\0" * columns) * lines
    return png((width, height), 8, 2, data, interlace=1)


def jpeg_of_size(width: int, height: int) -> bytes:
    """The small JPEG with another size in its header."""
    place = JPEG.index(b"\xff\xc0") + 5
    return JPEG[:place] + struct.pack(">HH", height, width) + JPEG[place + 4 :]


def webp_of_size(width: int, height: int) -> bytes:
    """The small lossless WebP with another size in its header: fourteen bits each, less one."""
    return WEBP[:21] + struct.pack("<I", (width - 1) | (height - 1) << 14) + WEBP[25:]


def jpeg_with(segments: bytes) -> bytes:
    return JPEG[:2] + segments + JPEG[2:]


def exif(entries: bytes, count: int, following: int = 0) -> bytes:
    """A JPEG with one directory of tags: `count` entries of twelve bytes each, and where the next directory is."""
    directory = b"II*\0\x08\0\0\0" + struct.pack("<H", count) + entries + struct.pack("<I", following)
    return jpeg_with(b"\xff\xe1" + struct.pack(">H", len(directory) + 8) + b"Exif\0\0" + directory)


def tag(number: int, kind: int, count: int, value: int) -> bytes:
    return struct.pack("<HHII", number, kind, count, value)


def progressive(scans: int, side: int = 64) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    data = file_of(Image.new("L", (side, side), 128), "JPEG", quality=50, progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * scans + b"\xff\xd9"


def in_chunks(count: int) -> bytes:
    return raw_png(8, 8, rows(8, 8), *[chunk(b"tEXt", b"a\0b")] * count)


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("index.html", HTML)
    return file.getvalue()


def psd() -> bytes:
    return b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 9, 9, 8, 3) + bytes(14)


# What gives a person away

NAME = "holiday-in-greenwich"
_EVERYWHERE = ("exif", "gps", "camera", "profile", "xmp", "trailing")
SECRETS = {
    "JPEG": (*_EVERYWHERE, "comment", "iptc", "thumbnail"),
    "PNG": (*_EVERYWHERE, "text", "itext", "private"),
    "WEBP": (*_EVERYWHERE, "unknown"),
}
"""Where a file of each kind holds one."""


def secret(where: str) -> bytes:
    return b"whose-secret-" + where.encode()


def secrets_in(*contents: bytes) -> list[str]:
    """The places whose secret, or whose file's name, is anywhere in these bytes."""
    everything = b"\0".join(contents)
    places = sorted(set().union(*SECRETS.values()))
    named = ["name"] if NAME.encode() in everything else []
    return [place for place in places if secret(place) in everything] + named


def telling(kind: str) -> bytes:
    """A picture that holds every secret of its kind in plain bytes."""
    tags = Image.Exif()
    tags[0x010E] = secret("exif").decode()
    tags[0x0110] = secret("camera").decode()
    tags.get_ifd(0x8825)[0x1D] = secret("gps").decode()
    data = file_of(SMALL, kind, exif=tags, **_TELLING[kind]())
    if kind == "JPEG":
        data = data[:2] + _telling_segments() + data[2:]
    elif kind == "PNG":
        data = data[:33] + _telling_chunks() + data[33:]
    else:
        odd = len(secret("unknown")) % 2
        data += b"unkn" + struct.pack("<I", len(secret("unknown"))) + secret("unknown") + bytes(odd)
        data = data[:4] + struct.pack("<I", len(data) - 8) + data[8:]
    return data + secret("trailing")


def _telling_segments() -> bytes:
    iptc = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(secret("iptc"))) + secret("iptc")
    parts = ((b"\xfe", secret("comment")), (b"\xed", iptc), (b"\xe0", b"JFXX\0\x10" + secret("thumbnail")))
    return b"".join(b"\xff" + code + struct.pack(">H", len(content) + 2) + content for code, content in parts)


def _telling_chunks() -> bytes:
    """A profile in plain bytes too: compressed with level nought."""
    return (
        chunk(b"tEXt", b"Author\0" + secret("text"))
        + chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + secret("xmp"))
        + chunk(b"iTXt", b"Comment\0\0\0\0\0" + secret("itext"))
        + chunk(b"prVt", secret("private"))
        + chunk(b"iCCP", b"a\0\0" + zlib.compress(secret("profile"), 0))
    )


_TELLING: dict[str, Callable[[], dict[str, bytes]]] = {
    "JPEG": lambda: {"icc_profile": secret("profile"), "xmp": secret("xmp")},
    "PNG": dict,
    "WEBP": lambda: {"icc_profile": secret("profile"), "xmp": secret("xmp")},
}


# Mutations

SEEDS = (
    PNG,
    JPEG,
    WEBP,
    file_of(SMALL.quantize(4), "PNG", transparency=b"\x40\x80"),
    file_of(Image.new("I;16", (40, 30), 40000), "PNG"),
    frames("PNG"),
    with_metadata("PNG"),
    file_of(SMALL, "JPEG", progressive=True),
    file_of(Image.new("CMYK", (40, 30), (0, 255, 255, 0)), "JPEG"),
    with_metadata("JPEG"),
    turned(6),
    file_of(SMALL, "MPO", save_all=True, append_images=[Image.new("RGB", (8, 8))]),
    file_of(SMALL, "WEBP", quality=60),
    file_of(Image.new("RGBA", (40, 30), (255, 0, 0, 100)), "WEBP"),
    frames("WEBP"),
    with_metadata("WEBP"),
)
"""Small, and different in kind."""

_LENGTHS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)


def mutants(number: int, count: int) -> Iterator[bytes]:
    """`count` files that follow from `number`: one to four edits of a seed; most PNGs get their checksums mended."""
    random = Random(number)
    for _ in range(count):
        kind = random.choice(SEEDS)
        data = bytearray(kind)
        for _ in range(random.randint(1, 4)):
            random.choice(_EDITS)(random, data)
        mended = kind.startswith(SIGNATURE) and random.random() < 0.8
        yield _with_checksums(bytes(data)) if mended else bytes(data)


def _flip(random: Random, data: bytearray) -> None:
    for _ in range(random.randint(1, 8)):
        if data:
            data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _overwrite(random: Random, data: bytearray) -> None:
    place = random.randrange(len(data) + 1)
    data[place : place + 4] = random.randbytes(random.randint(1, 4))


def _cut(random: Random, data: bytearray) -> None:
    del data[random.randrange(len(data) + 1) :]


def _drop(random: Random, data: bytearray) -> None:
    place = random.randrange(len(data) + 1)
    del data[place : place + random.randint(1, 64)]


def _repeat(random: Random, data: bytearray) -> None:
    place = random.randrange(len(data) + 1)
    data[place:place] = data[place : place + random.randint(1, 64)] * random.randint(1, 40)


def _splice(random: Random, data: bytearray) -> None:
    """The beginning of this file and the end of another."""
    other = random.choice(SEEDS)
    data[random.randrange(len(data) + 1) :] = other[random.randrange(len(other)) :]


def _edit_length(random: Random, data: bytearray) -> None:
    """Some number in the file, two or four bytes of either order, becomes an extreme one."""
    width = random.choice((2, 4))
    place = random.randrange(len(data) + 1)
    value = random.choice(_LENGTHS) & (1 << 8 * width) - 1
    data[place : place + width] = value.to_bytes(width, random.choice(("big", "little")))


_EDITS = (_flip, _overwrite, _cut, _drop, _repeat, _splice, _edit_length)


def _with_checksums(data: bytes) -> bytes:
    """Or no edit would get past the first check of a chunk."""
    done, place = data[:8], 8
    while place + 8 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        name, content = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        if len(content) < length:
            break
        done += data[place : place + 4] + name + content + struct.pack(">I", zlib.crc32(name + content))
        place += length + 12
    return done + data[place:]
