"""Which of a Scene's pictures a file is an edited copy of, and what was painted on it."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import numpy as np
from PIL import Image, ImageChops, ImageDraw

from bot.paint_overs import PaintOvers
from bot.store import Picture, Store
from inference import PictureRef, Size
from tests.bot.pictures import file_of
from tests.bot.records import opened, picture
from tests.journeys.painting import erased, painting, scribble

BOX = (60, 80, 120, 150)


async def kept(store: Store, image: Image.Image, number: int = 1) -> Picture:
    """The record of a picture whose file is stored."""
    ref = await store.files.put(file_of(image, "PNG"))
    size = Size(*image.size)
    return msgspec.structs.replace(picture(number), file=ref, width=size.width, height=size.height)


def read(png: bytes | None) -> Image.Image:
    assert png is not None
    return Image.open(io.BytesIO(png))


async def test_a_piece_keeps_its_outline_where_nobody_painted(tmp_path: Path) -> None:
    """What was transparent before was not erased; outside the region every value is the Piece's own."""
    piece = painting("earth", (256, 256)).convert("RGBA")
    outline = Image.new("L", piece.size)
    ImageDraw.Draw(outline).ellipse((20, 20, 235, 235), fill=255)
    piece.putalpha(outline)
    edited = piece.copy()
    ImageDraw.Draw(edited).rectangle(BOX, fill=(255, 0, 0, 255))
    async with opened(tmp_path) as store:
        found = await PaintOvers(store).compare(file_of(edited, "PNG"), await kept(store, piece))
    aligned, region = read(found.aligned), np.asarray(read(found.region))
    differs = np.any(np.asarray(aligned) != np.asarray(piece), axis=2)

    assert aligned.mode == "RGBA"
    assert region[90:140, 70:110].min() == 255
    assert (region > 0).mean() < 0.15
    assert not differs[region == 0].any()
    assert differs[90:140, 70:110].mean() > 0.9


async def test_a_lost_file_does_not_keep_the_others_from_being_found(tmp_path: Path) -> None:
    """A restored backup may lack one picture; the copy of another is still known. Nothing is a copy of nothing."""
    first, second = painting("first", (256, 256)), painting("second", (256, 256))
    async with opened(tmp_path) as store:
        near = [
            msgspec.structs.replace(picture(1), file=PictureRef("0" * 64)),
            await kept(store, first, 2),
            await kept(store, second, 3),
        ]
        found = await PaintOvers(store).original(file_of(scribble(second, BOX), "PNG"), near)
        nothing = await PaintOvers(store).original(file_of(painting("third", (256, 256)), "PNG"), near)

    assert found is near[2]
    assert nothing is None


async def test_files_that_hold_next_to_nothing_are_copies_of_nothing(tmp_path: Path) -> None:
    """A pixel, a line, and a picture that is all transparent."""
    strange = [Image.new("RGB", (1, 1)), Image.new("RGB", (2000, 3)), Image.new("RGBA", (256, 256))]
    async with opened(tmp_path) as store:
        near = [await kept(store, painting("first", (256, 256)))]
        found = [await PaintOvers(store).original(file_of(image, "PNG"), near) for image in strange]

    assert found == [None, None, None]


async def test_erased_parts_have_their_old_colours_back(tmp_path: Path) -> None:
    """The copy is the picture again, and the region is what was erased."""
    image = painting("first", (256, 256))
    async with opened(tmp_path) as store:
        found = await PaintOvers(store).compare(file_of(erased(image, BOX), "PNG"), await kept(store, image))

    assert ImageChops.difference(read(found.aligned), image).getbbox() is None
    assert np.asarray(read(found.region))[90:140, 70:110].min() == 255
    assert 0.03 < found.share < 0.2
