"""Strangers' files become clean pixels or a sentence, and what breaks the decoder breaks only that."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import sys
import warnings
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image

from bot import images, texts
from bot.decode_child import KEPT_SIDE, Answer, Clean, Refused, clean
from bot.errors import BadPicture
from bot.images import MOST_BYTES, Decoder
from bot.png_text import with_text
from inference import Pixels, Size
from tests.bot.pictures import (
    MARKER,
    bomb,
    chunk,
    file_of,
    frames,
    halves,
    raw_png,
    rows,
    turned,
    with_metadata,
)

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)
SMALL = halves("red", "blue")
PNG, JPEG, WEBP = (file_of(SMALL, kind) for kind in ("PNG", "JPEG", "WEBP"))
CANARY = "canary-token-that-nobody-may-see"


@asynccontextmanager
async def decoding() -> AsyncGenerator[Decoder, None]:
    decoder = Decoder()
    try:
        yield decoder
    finally:
        await decoder.close()


def remade(answer: Answer) -> Image.Image:
    assert isinstance(answer, Clean), answer
    return Image.open(io.BytesIO(answer.png), formats=("PNG",))


def near(seen: object, wanted: tuple[int, ...]) -> bool:
    """Equal but for what JPEG and colour conversion lose."""
    assert isinstance(seen, tuple)
    return len(seen) == len(wanted) and all(abs(a - b) <= 12 for a, b in zip(seen, wanted, strict=True))


# What is taken


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_sound_picture_keeps_its_pixels(kind: str) -> None:
    """Size and colours are those of the file, and there is nothing to say about it."""
    answer = clean(file_of(SMALL, kind, **({} if kind == "PNG" else {"quality": 95})))

    picture = remade(answer)
    assert (picture.mode, picture.size) == ("RGB", (64, 48))
    assert near(picture.getpixel((5, 20)), RED)
    assert near(picture.getpixel((60, 20)), BLUE)
    assert isinstance(answer, Clean)
    assert (answer.original_width, answer.original_height) == (64, 48)
    assert (answer.animated, answer.transparent) == (False, False)


@pytest.mark.parametrize(
    "data, colour",
    [
        pytest.param(file_of(Image.new("L", (9, 9), 77), "PNG"), (77, 77, 77), id="grey"),
        pytest.param(file_of(Image.new("1", (9, 9), 1), "PNG"), WHITE, id="one bit"),
        pytest.param(file_of(Image.new("I;16", (9, 9), 40000), "PNG"), (156, 156, 156), id="sixteen bits"),
        pytest.param(file_of(SMALL.quantize(8), "PNG"), RED, id="palette"),
        pytest.param(file_of(Image.new("CMYK", (9, 9), (0, 255, 255, 0)), "JPEG"), RED, id="CMYK"),
        pytest.param(file_of(Image.new("L", (9, 9), 77), "JPEG"), (77, 77, 77), id="grey JPEG"),
        pytest.param(file_of(Image.new("RGBA", (9, 9), (255, 0, 0, 255)), "PNG"), RED, id="opaque alpha"),
        pytest.param(file_of(SMALL, "JPEG", progressive=True, quality=95), RED, id="progressive"),
    ],
)
def test_every_kind_of_pixel_becomes_eight_bits_of_rgb(data: bytes, colour: tuple[int, ...]) -> None:
    """Grey, palettes, CMYK and sixteen bits look as they did; alpha that hides nothing is dropped."""
    picture = remade(clean(data))

    assert picture.mode == "RGB"
    assert near(picture.getpixel((2, 2)), colour)


@pytest.mark.parametrize(
    "data, alpha",
    [
        pytest.param(file_of(Image.new("RGBA", (9, 9), (255, 0, 0, 100)), "PNG"), 100, id="PNG"),
        pytest.param(
            file_of(Image.new("RGBA", (9, 9), (255, 0, 0, 100)), "WEBP", lossless=True), 100, id="WEBP"
        ),
        pytest.param(file_of(Image.new("LA", (9, 9), (200, 100)), "PNG"), 100, id="grey"),
        pytest.param(file_of(Image.new("RGB", (9, 9), "red"), "PNG", transparency=RED), 0, id="one colour"),
        pytest.param(file_of(SMALL.quantize(2), "PNG", transparency=b"\x40\x40"), 64, id="palette"),
    ],
)
def test_transparency_is_kept_and_reported(data: bytes, alpha: int) -> None:
    """Whatever way the file says it, the picture has an alpha channel and its sender is told."""
    answer = clean(data)

    picture = remade(answer)
    assert picture.mode == "RGBA"
    assert picture.getchannel("A").getpixel((2, 2)) == alpha
    assert isinstance(answer, Clean)
    assert answer.transparent


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_a_moving_picture_the_first_frame_is_taken(kind: str) -> None:
    """And its sender is told so."""
    answer = clean(frames(kind))

    assert near(remade(answer).getpixel((2, 2)), RED)
    assert isinstance(answer, Clean)
    assert answer.animated


def test_a_phones_photo_with_a_preview_inside_does_not_move() -> None:
    """Such a JPEG calls itself MPO: it is taken as the photo it is, large ones included."""
    data = file_of(
        Image.new("RGB", (5000, 4000), "red"),
        "MPO",
        save_all=True,
        append_images=[Image.new("RGB", (50, 40))],
    )

    answer = clean(data)

    assert near(remade(answer).getpixel((2, 2)), RED)
    assert isinstance(answer, Clean)
    assert not answer.animated
    assert (answer.original_width, answer.original_height) == (5000, 4000)


@pytest.mark.parametrize(
    "orientation, size, red_at, blue_at",
    [
        (1, (64, 48), (5, 20), (60, 20)),
        (2, (64, 48), (60, 20), (5, 20)),
        (3, (64, 48), (60, 20), (5, 20)),
        (4, (64, 48), (5, 20), (60, 20)),
        (5, (48, 64), (20, 5), (20, 60)),
        (6, (48, 64), (20, 5), (20, 60)),
        (7, (48, 64), (20, 60), (20, 5)),
        (8, (48, 64), (20, 60), (20, 5)),
        (9, (64, 48), (5, 20), (60, 20)),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_photo_stands_upright(
    orientation: int, size: tuple[int, int], red_at: tuple[int, int], blue_at: tuple[int, int], kind: str
) -> None:
    """It is turned and mirrored as its EXIF says, and its sizes change places with it."""
    answer = clean(turned(orientation, kind))

    picture = remade(answer)
    assert picture.size == size
    assert near(picture.getpixel(red_at), RED)
    assert near(picture.getpixel(blue_at), BLUE)
    assert isinstance(answer, Clean)
    assert (answer.original_width, answer.original_height) == size


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_broken_exif_does_not_spoil_a_picture(kind: str) -> None:
    """The pixels are good; which way up they go is not known, so they stay."""
    prefix = b"Exif\0\0" if kind == "JPEG" else b""

    picture = remade(clean(file_of(SMALL, kind, exif=prefix + b"no TIFF at all")))

    assert picture.size == (64, 48)


def test_odd_exif_is_not_worth_a_warning() -> None:
    """A tag that points behind the file's end makes Pillow warn; strangers do not write into our log."""
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x0e\x01\x02\0\xff\0\0\0\xff\0\0\0\0\0\0\0"
    data = file_of(SMALL, "JPEG", exif=exif)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        answer = clean(data)

        Image.open(io.BytesIO(data)).getexif()  # the control: this one does warn

    assert isinstance(answer, Clean)
    assert len(seen) == 1


def test_a_nearly_square_photo_keeps_its_sizes_in_order() -> None:
    """Draft decoding rounds both sides to the same number; what was wide is still reported as wide."""
    answer = clean(file_of(Image.new("L", (7000, 6999)), "JPEG", quality=5))

    assert isinstance(answer, Clean)
    assert (answer.original_width, answer.original_height) == (7000, 6999)


@pytest.mark.parametrize("data", [PNG, JPEG, WEBP], ids=["PNG", "JPEG", "WEBP"])
def test_the_content_decides_and_not_the_name(data: bytes) -> None:
    """Files are read without their names, so an extension that lies changes nothing."""
    assert remade(clean(data)).size == (64, 48)


def test_large_pictures_are_scaled_to_the_side_that_is_kept() -> None:
    """With their aspect."""
    answer = clean(file_of(Image.new("RGB", (4096, 1024)), "PNG"))

    assert remade(answer).size == (KEPT_SIDE, 512)
    assert isinstance(answer, Clean)
    assert (answer.original_width, answer.original_height) == (4096, 1024)


def test_a_line_of_pixels_stays_a_line() -> None:
    """No side ever becomes nothing."""
    assert remade(clean(raw_png(65535, 1, rows(65535, 1)))).size == (KEPT_SIDE, 1)


# What is refused


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_truncated_file_is_damaged(kind: str, share: float) -> None:
    """What was cut short on its way is not drawn half grey; uncut it is taken."""
    data = file_of(Image.effect_noise((64, 48), 90).convert("RGB"), kind)

    assert isinstance(clean(data), Clean)
    assert clean(data[: int(len(data) * share)]) == Refused("damaged")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", id="SVG"),
        pytest.param(b"%PDF-1.7\n", id="PDF"),
        pytest.param(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", id="EPS"),
        pytest.param(b"PK\x03\x04" + PNG, id="archive with a picture inside"),
        pytest.param(bytes(1000), id="zeros"),
        *(
            pytest.param(file_of(SMALL, kind), id=kind)
            for kind in ("GIF", "TIFF", "BMP", "ICO", "PPM", "TGA")
        ),
    ],
)
def test_every_other_format_is_refused(data: bytes) -> None:
    """The formats that have the holes are not opened at all."""
    assert clean(data) == Refused("not a picture")


@pytest.mark.parametrize(
    "data, refused",
    [
        pytest.param(raw_png(20000, 20000, bomb(50)), Refused("too large"), id="20000 × 20000"),
        pytest.param(raw_png(9000, 9000, bomb(50)), Refused("too large", 9000, 9000), id="9000 × 9000"),
        pytest.param(raw_png(2**31 - 1, 1, bomb(1)), Refused("too large"), id="two thousand million × 1"),
        pytest.param(raw_png(0, 0, rows(1, 1)), Refused("not a picture"), id="0 × 0"),
        pytest.param(raw_png(3000, 3000, rows(8, 8)), Refused("damaged"), id="lies about its size"),
        pytest.param(
            raw_png(8, 8, rows(8, 8), chunk(b"zTXt", b"a\0\0" + bomb(80))), Refused("damaged"), id="text bomb"
        ),
        pytest.param(
            raw_png(8, 8, rows(8, 8), chunk(b"iCCP", b"a\0\0" + bomb(80))),
            Refused("damaged"),
            id="profile bomb",
        ),
        pytest.param(
            raw_png(8, 8, rows(8, 8), chunk(b"iTXt", b"a\0\1\0\0\0" + bomb(80))),
            Refused("damaged"),
            id="iTXt bomb",
        ),
        pytest.param(
            file_of(Image.new("L", (7800, 7800)), "JPEG", quality=5),
            Refused("too large", 7800, 7800),
            id="61-megapixel JPEG",
        ),
    ],
)
def test_a_bomb_is_refused(data: bytes, refused: Refused) -> None:
    """By what the header says, before the pixels are unpacked; hidden texts and profiles are not unpacked either."""
    assert clean(data) == refused


def test_pixels_beyond_the_header_are_not_unpacked() -> None:
    """A small picture followed by megabytes of zeros is that small picture."""
    assert remade(clean(raw_png(8, 8, bomb(80)))).size == (8, 8)


@given(
    kind=st.sampled_from([PNG, JPEG, WEBP, frames("PNG"), turned(6), with_metadata("WEBP")]),
    edits=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_a_mutated_file_is_taken_or_refused(kind: bytes, edits: list[tuple[int, int]]) -> None:
    """Whatever bytes are changed, there is an answer and never an exception."""
    data = bytearray(kind)
    for place, value in edits:
        data[place % len(data)] = value

    answer = clean(bytes(data))

    assert isinstance(answer, Clean | Refused)


# Metadata


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_no_metadata_survives(kind: str) -> None:
    """EXIF, XMP, colour profiles, comments and bytes behind the end are gone; the control shows they were there."""
    dirty = with_metadata(kind)
    answer = clean(dirty)

    assert dirty.count(MARKER) >= 3
    assert isinstance(answer, Clean)
    assert MARKER not in answer.png
    assert chunks_of(answer.png) == {b"IHDR", b"IDAT", b"IEND"}


def chunks_of(png: bytes) -> set[bytes]:
    names, place = set(), 8
    while place < len(png):
        length = int.from_bytes(png[place : place + 4], "big")
        names.add(png[place + 4 : place + 8])
        place += length + 12
    assert place == len(png)
    return names


# What a picture says it was made with


def with_comment(kind: str, comment: bytes) -> bytes:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = comment
    return file_of(SMALL, kind, exif=exif)


@pytest.mark.parametrize(
    "data, words",
    [
        pytest.param(with_text(PNG, "a moon"), "a moon", id="PNG"),
        pytest.param(with_text(PNG, "月"), "月", id="PNG of other letters"),
        pytest.param(with_comment("JPEG", b"UNICODE\0" + "a 月".encode("utf-16-be")), "a 月", id="JPEG"),
        pytest.param(with_comment("WEBP", b"UNICODE\0" + "a moon".encode("utf-16-le")), "a moon", id="WebP"),
        pytest.param(with_comment("JPEG", b"ASCII\0\0\0a moon"), "a moon", id="ASCII"),
        pytest.param(with_comment("JPEG", b"\0\0\0\0\0\0\0\0a camera's"), "", id="a camera's own notes"),
        pytest.param(with_comment("JPEG", b"UNICODE\0" + b"\xd8\0\0"), "�", id="half a letter"),
        pytest.param(with_comment("JPEG", b"ASCII\0\0\0" + b"a" * 40_000), "a" * 4_000, id="without an end"),
        pytest.param(with_metadata("PNG"), "", id="another text"),
        pytest.param(JPEG, "", id="nothing"),
    ],
)
def test_its_parameters_are_told_apart_from_its_pixels(data: bytes, words: str) -> None:
    """Beside the picture, in which nothing of them is kept."""
    answer = clean(data)

    assert isinstance(answer, Clean)
    assert answer.parameters == words
    assert chunks_of(answer.png) == {b"IHDR", b"IDAT", b"IEND"}


async def test_parameters_come_through_the_decode_process() -> None:
    """The picture that is stored has none; whoever asks for it gets them as words."""
    async with decoding() as decoder:
        told, silent = await decoder.clean(with_text(PNG, "a moon\nSteps: 3")), await decoder.clean(PNG)

    assert (told.parameters, silent.parameters) == ("a moon\nSteps: 3", "")
    assert told.png == silent.png


# The keeper of the decode process


async def test_the_process_answers_one_file_after_another() -> None:
    """Good and bad ones in turn, each with its own answer, all from one process."""
    async with decoding() as decoder:
        first = await decoder.clean(PNG)
        process = child_of(decoder)
        with pytest.raises(BadPicture, match="not a picture I can read"):
            await decoder.clean(b"GIF89a")
        with pytest.raises(BadPicture, match="damaged"):
            await decoder.clean(PNG[:80])
        last = await decoder.clean(file_of(Image.new("RGB", (30, 20)), "WEBP"))

        assert (first.size, first.original, first.notes) == (Size(64, 48), Size(64, 48), ())
        assert last.size == Size(30, 20)
        assert child_of(decoder) == process


async def test_many_files_at_once_get_their_own_answers() -> None:
    """There is one process; nobody gets somebody else's picture."""
    async with decoding() as decoder:
        wanted = [Size(10 + number, 20) for number in range(12)]
        files = [file_of(Image.new("RGB", (size.width, size.height)), "PNG") for size in wanted]

        pictures = await asyncio.gather(*(decoder.clean(data) for data in files))

        assert [picture.size for picture in pictures] == wanted


async def test_what_was_done_to_a_picture_is_said() -> None:
    """One sentence each for motion, transparency and scaling."""
    async with decoding() as decoder:
        moving = await decoder.clean(frames("WEBP"))
        clear = await decoder.clean(file_of(Image.new("RGBA", (9, 9)), "PNG"))
        large = await decoder.clean(file_of(Image.new("RGB", (4096, 1024)), "PNG"))

    assert moving.notes == (texts.FIRST_FRAME_ONLY,)
    assert clear.notes == (texts.TRANSPARENT_BECAME_WHITE,)
    assert large.notes == ("It had 4096×1024 pixels; I kept 2048×512.",)


async def test_a_phones_fifty_megapixels_are_accepted() -> None:
    """Within the process's limits of memory and time, scaled, and its sender is told."""
    photo = file_of(Image.linear_gradient("L").resize((8160, 6120)).convert("RGB"), "JPEG", quality=50)
    async with decoding() as decoder:
        picture = await decoder.clean(photo)

    assert len(photo) < MOST_BYTES
    assert (picture.original, picture.size) == (Size(8160, 6120), Size(2048, 1536))
    assert picture.notes == ("It had 8160×6120 pixels; I kept 2048×1536.",)


async def test_a_file_that_is_too_heavy_is_not_even_opened() -> None:
    """One byte beyond what may be sent is refused with both numbers, at the limit it is looked at."""
    async with decoding() as decoder:
        with pytest.raises(BadPicture, match=r"10\.0 MB; I read at most 10 MB"):
            await decoder.clean(PNG + bytes(MOST_BYTES + 1 - len(PNG)))
        refused_without_a_process = child_of(decoder) is None
        picture = await decoder.clean(PNG + bytes(MOST_BYTES - len(PNG)))

    assert refused_without_a_process
    assert picture.size == Size(64, 48)


async def test_too_many_pixels_are_refused_with_a_sentence() -> None:
    """It says how many there are, where that is known, and how many may be there."""
    async with decoding() as decoder:
        with pytest.raises(
            BadPicture, match="9000×9000 pixels; I read at most 16 million, or 60 million of a JPEG"
        ):
            await decoder.clean(raw_png(9000, 9000, rows(8, 8)))
        with pytest.raises(BadPicture, match="far too many pixels"):
            await decoder.clean(raw_png(20000, 20000, rows(8, 8)))


def child_of(decoder: Decoder) -> int | None:
    """Its process id: there is no other way to see from outside that it is still the same one."""
    process = decoder._process
    return None if process is None else process.pid


@pytest.mark.skipif(sys.platform == "win32", reason="stops a process by a signal")
async def test_a_process_that_dies_over_a_file_costs_only_that_file() -> None:
    """Its sender gets a sentence, and the next file is read by a new process."""
    async with decoding() as decoder:
        await decoder.clean(PNG)
        dies = child_of(decoder)
        assert dies is not None
        os.kill(dies, signal.SIGSTOP)  # so that it is in the middle when it is killed
        unlucky = asyncio.create_task(decoder.clean(JPEG))
        next_one = asyncio.create_task(decoder.clean(WEBP))
        await asyncio.sleep(0)
        os.kill(dies, signal.SIGKILL)

        with pytest.raises(BadPicture, match="took too long to read"):
            await unlucky
        assert (await next_one).size == Size(64, 48)
        assert child_of(decoder) != dies


@pytest.mark.skipif(sys.platform == "win32", reason="stops a process by a signal")
async def test_a_file_that_is_given_up_does_not_answer_for_the_next() -> None:
    """Whoever is cancelled while the process works leaves no answer behind for somebody else."""
    async with decoding() as decoder:
        await decoder.clean(PNG)
        busy = child_of(decoder)
        assert busy is not None
        os.kill(busy, signal.SIGSTOP)
        given_up = asyncio.create_task(decoder.clean(file_of(Image.new("RGB", (11, 11)), "PNG")))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.wait([given_up])

        picture = await decoder.clean(file_of(Image.new("RGB", (22, 22)), "PNG"))
        assert given_up.cancelled()
        assert picture.size == Size(22, 22)


@pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="reads a process's environment from /proc"
)
async def test_the_process_holds_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the bot's environment that is not named reaches it; what it needs does."""
    monkeypatch.setenv("MOONSKETCH_TOKEN", CANARY)
    monkeypatch.setenv("SOMETHING_ELSE", CANARY)
    async with decoding() as decoder:
        await decoder.clean(PNG)
        environment = Path(f"/proc/{child_of(decoder)}/environ").read_bytes()
        command = Path(f"/proc/{child_of(decoder)}/cmdline").read_bytes()

    assert CANARY.encode() not in environment + command
    assert b"PATH=" in environment
    assert b"bot.decode_child" in command


@pytest.mark.skipif(not hasattr(os, "getpgid"), reason="has no process groups")
async def test_ctrl_c_is_not_the_processs_matter() -> None:
    """The terminal's signal goes to the bot alone, so that its end shows no traceback of a decoder."""
    async with decoding() as decoder:
        await decoder.clean(PNG)
        process = child_of(decoder)
        assert process is not None

        assert os.getpgid(process) != os.getpgid(0)


@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="reads a process's limits from /proc")
async def test_the_process_has_a_ceiling_on_its_memory() -> None:
    """And writes no core file, which would hold the picture."""
    async with decoding() as decoder:
        await decoder.clean(PNG)
        limits = Path(f"/proc/{child_of(decoder)}/limits").read_text().splitlines()

    ceilings = {line[:25].strip(): line.split()[-3:-1] for line in limits}
    assert ceilings["Max address space"] == [str(1536 * 2**20)] * 2
    assert ceilings["Max core file size"] == ["0", "0"]


async def test_a_closed_decoder_leaves_no_process() -> None:
    """And closing one that never ran, or ran long ago, is no error."""
    decoder = Decoder()
    await decoder.close()
    await decoder.clean(PNG)
    process = child_of(decoder)
    assert process is not None
    await decoder.close()
    await decoder.close()

    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


# Our own pictures


async def test_pixels_survive_a_png() -> None:
    """Encoded and read again they are the same, and the file holds nothing else."""
    pixels = Pixels(3, 2, bytes(range(18)))

    png = await images.encode_png(pixels)

    assert await images.read_pixels(png) == pixels
    assert chunks_of(png) == {b"IHDR", b"IDAT", b"IEND"}


async def test_transparent_parts_are_read_as_white() -> None:
    """In proportion: half transparent red is pink."""
    png = file_of(Image.new("RGBA", (1, 1), (255, 0, 0, 0)), "PNG")
    half = file_of(Image.new("RGBA", (1, 1), (255, 0, 0, 128)), "PNG")

    assert (await images.read_pixels(png)).data == bytes(WHITE)
    assert near(tuple((await images.read_pixels(half)).data), (255, 127, 127))


@pytest.mark.parametrize("count, size", [(1, (128, 64)), (2, (256, 64)), (3, (256, 128)), (4, (256, 128))])
async def test_previews_share_one_sheet(count: int, size: tuple[int, int]) -> None:
    """Two in a row, in order, each scaled up to its cell."""
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)]
    previews = [Pixels(16, 8, bytes(colour) * 128) for colour in colours[:count]]

    sheet = Image.open(io.BytesIO(await images.contact_sheet(previews, 128)))

    assert (sheet.format, sheet.size) == ("WEBP", size)
    for number, colour in enumerate(colours[:count]):
        assert near(sheet.getpixel((number % 2 * 128 + 64, number // 2 * 64 + 32)), colour)
