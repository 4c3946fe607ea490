"""Files as strangers send them: sound, odd and hostile ones, made on the spot."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image

MARKER = b"51.4779N 0.0015W"
"""What a person's metadata might give away."""


def file_of(image: Image.Image, kind: str, **how: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **how)
    return file.getvalue()


def halves(left: str, right: str, size: tuple[int, int] = (64, 48)) -> Image.Image:
    """Two colours side by side: shows how it was turned."""
    image = Image.new("RGB", size, left)
    image.paste(right, (size[0] // 2, 0, *size))
    return image


def frames(kind: str) -> bytes:
    """Three frames that move: a red one first."""
    pictures = [Image.new("RGB", (64, 48), colour) for colour in ("red", "green", "blue")]
    return file_of(pictures[0], kind, save_all=True, append_images=pictures[1:], lossless=True)


def turned(orientation: int, kind: str = "JPEG") -> bytes:
    """A file whose EXIF says how it was held; its stored pixels are red on the left and blue on the right."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return file_of(halves("red", "blue"), kind, exif=exif, **({"quality": 95} if kind == "JPEG" else {}))


def with_metadata(kind: str) -> bytes:
    """Everything that tells where, when and with what it was taken, and more behind its end."""
    exif = Image.Exif()
    exif[0x010E] = MARKER.decode()
    how: dict[str, Any] = {"exif": exif, "icc_profile": MARKER}
    if kind == "PNG":
        from PIL.PngImagePlugin import PngInfo

        how["pnginfo"] = PngInfo()
        how["pnginfo"].add_text("Comment", MARKER.decode())
    else:
        how["xmp"] = MARKER
    return file_of(halves("red", "blue"), kind, **how) + MARKER


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def raw_png(width: int, height: int, pixels: bytes, *extra: bytes) -> bytes:
    """A PNG that says what it is told to say. pixels: the compressed rows. extra: whole chunks before them."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), *extra, chunk(b"IDAT", pixels), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def bomb(mebibytes: int) -> bytes:
    """Many zeros, packed to a thousandth."""
    packer = zlib.compressobj(9)
    return b"".join([*(packer.compress(bytes(2**20)) for _ in range(mebibytes)), packer.flush()])


def rows(width: int, height: int) -> bytes:
    """Black RGB rows as a PNG holds them."""
    return zlib.compress(bytes((width * 3 + 1) * height))
