"""/edit: a picture's shape is changed, or two pictures are compared. No model, no line, free of charge."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import discord
from PIL import Image, ImageChops

from bot import images, texts
from bot.asker import Asker
from bot.components.filling import FillButton
from bot.errors import BadOption, Gone
from bot.jobs import Receipt
from bot.options import Options
from bot.places import check_permissions
from bot.reach import Reach
from bot.repainting import Repainting, Wish
from bot.showing import Showing
from bot.store import NewPicture, Picture, PictureKind, Store
from inference import Size

SIDES = {
    "left": ("left",),
    "right": ("right",),
    "top": ("top",),
    "bottom": ("bottom",),
    "left and right": ("left", "right"),
    "top and bottom": ("top", "bottom"),
    "all": ("left", "right", "top", "bottom"),
}
"""What people can say of a picture that is to be extended."""

FILL_STRENGTH = 0.9
"""What is to be filled has nothing in it yet but colours: most of it is the model's to invent."""

_SEAM = 64
"""The old picture is drawn anew over 1/64 of its longer side, where it meets the new part: so no seam is seen."""


class Shaped(NamedTuple):
    """corner: where in it the old picture begins, if there is something new round that."""

    image: Image.Image
    made: str
    corner: tuple[int, int] | None = None


Change = Callable[[Image.Image], Shaped]


class Compared(NamedTuple):
    """sheet: both side by side, PNG. film: now the one, now the other, an animated WebP."""

    first: int
    second: int
    sheet: bytes
    film: bytes


class Shaping:
    def __init__(self, store: Store, reach: Reach, showing: Showing, repainting: Repainting) -> None:
        self._store = store
        self._reach = reach
        self._showing = showing
        self._repainting = repainting
        self._one_at_a_time = asyncio.Lock()  # whoever asks for many large ones must not keep every core busy

    async def upscale(self, asker: Asker, number: int | None, factor: int) -> tuple[Picture, discord.Message]:
        return await self._shape(asker, number, partial(_upscaled, factor))

    async def crop(self, asker: Asker, number: int | None, region: str) -> tuple[Picture, discord.Message]:
        return await self._shape(asker, number, partial(_cropped, region))

    async def grid(self, asker: Asker, number: int | None) -> tuple[Picture, bytes]:
        """The picture under its grid, a WebP, to name a part of it."""
        picture = await self._reach.numbered_here(asker, number)
        return picture, await self._repainting.grid(asker, picture)

    async def extend(
        self, asker: Asker, number: int | None, sides: str, percent: int
    ) -> tuple[Picture, discord.Message]:
        """sides: a name of SIDES."""
        return await self._shape(asker, number, partial(_extended, sides, percent))

    async def rotate(
        self, asker: Asker, number: int | None, degrees: float
    ) -> tuple[Picture, discord.Message]:
        """Clockwise."""
        return await self._shape(asker, number, partial(_turned, degrees))

    async def flip(
        self, asker: Asker, number: int | None, *, upside_down: bool
    ) -> tuple[Picture, discord.Message]:
        return await self._shape(asker, number, partial(_flipped, upside_down))

    async def compare(self, asker: Asker, number: int | None, other: int) -> Compared:
        """Nothing joins the Scene: it is only for the person who asks."""
        first = await self._reach.numbered_here(asker, number)
        second = await self._reach.numbered_here(asker, other)
        if first.id == second.id:
            raise BadOption(texts.compared_with_itself(first.number))
        a, b = [await self._store.files.get(picture.file) for picture in (first, second)]
        labels = texts.picture_number(first.number), texts.picture_number(second.number)
        async with self._one_at_a_time:
            sheet, film = await asyncio.to_thread(_compared, a, b, labels)
        return Compared(first.number, second.number, sheet, film)

    async def fill(self, asker: Asker, picture_id: int, corner: tuple[int, int]) -> Receipt:
        """Draw what an extended picture has beyond its parent, which lies at that corner in it."""
        check_permissions(asker.place)
        picture = await self._reach.within(asker, picture_id)
        parent = await self._store.picture(picture.parent_id) if picture.parent_id is not None else None
        if parent is None:
            raise Gone(texts.SCENE_CARD_GONE)
        region = await asyncio.to_thread(_beyond, picture.size, parent.size, corner)
        wish = Wish(
            asker=asker,
            words=await self._words_for(picture),
            options=Options(strength=FILL_STRENGTH),
            notes=(texts.fills_new_part(picture.number),),
        )
        return await self._repainting.repaint(wish, picture, region)

    async def _shape(
        self, asker: Asker, number: int | None, change: Change
    ) -> tuple[Picture, discord.Message]:
        """The picture of that number here, else one's current one, changed: kept, current, and posted."""
        check_permissions(asker.place)
        before = await self._reach.numbered_here(asker, number)
        await self._reach.check_shared(before, asker.person_id)
        png = await self._store.files.get(before.file)
        async with self._one_at_a_time:
            finished, shaped = await asyncio.to_thread(_changed, png, change)
        new = NewPicture(
            kind=PictureKind.SHAPED,
            author_id=asker.person_id,
            file=await self._store.files.put(finished.png),
            size=finished.size,
            parent_id=before.id,
            piece=before.piece,
            made=shaped.made,
        )
        picture = await self._showing.keep(before.scene_id, new)
        fill = [FillButton(picture.id, shaped.corner)] if shaped.corner is not None else []
        sentence = texts.was_shaped(picture.number, shaped.made, before.number)
        return picture, await self._showing.show(picture, sentence, *fill)

    async def _words_for(self, picture: Picture) -> str:
        """What was asked for in words: of the picture itself, else of the first that was made from it."""
        source = await self._reach.source(picture)
        if source.request is not None:
            return source.request.prompt
        drawn = await self._reach.drawn(picture)
        jobs = await self._store.jobs_started_from(drawn.id)
        if not jobs:
            raise BadOption(texts.NO_WORDS_TO_FILL_WITH)
        return jobs[0].request.prompt


# The pictures themselves: whatever takes time, off the event loop. `bot.scene` is loaded with the first of them, for it
# brings scipy, which would make the start slow.


def _changed(png: bytes, change: Change) -> tuple[images.Finished, Shaped]:
    shaped = change(images.opened(png))
    return images.Finished(images.as_png(shaped.image), Size(*shaped.image.size)), shaped


def _upscaled(factor: int, image: Image.Image) -> Shaped:
    from bot.scene.shaping import upscale

    larger = upscale(image, factor)
    return Shaped(larger, texts.made_larger(factor, Size(*larger.size)))


def _cropped(region: str, image: Image.Image) -> Shaped:
    from bot.scene.regions import bounds, parse_region
    from bot.scene.shaping import crop

    box = bounds(parse_region(region, Size(*image.size)))
    if box.size == Size(*image.size):
        raise BadOption(texts.NOTHING_TO_CROP)
    return Shaped(crop(image, box), texts.made_by_cropping(box.size))


def _extended(where: str, percent: int, image: Image.Image) -> Shaped:
    from bot.scene.regions import bounds
    from bot.scene.shaping import Side, extend

    larger, new = extend(image, percent / 100, [Side(side) for side in SIDES[where]])
    old = bounds(ImageChops.invert(new))
    return Shaped(larger, texts.made_by_extending(where, percent, Size(*larger.size)), (old.left, old.top))


def _turned(degrees: float, image: Image.Image) -> Shaped:
    from bot.scene.shaping import turn

    if degrees % 360 == 0:
        raise BadOption(texts.NOTHING_TO_TURN)
    return Shaped(turn(image, degrees), texts.made_by_turning(degrees))


def _flipped(upside_down: bool, image: Image.Image) -> Shaped:
    from bot.scene.shaping import flip

    return Shaped(flip(image, upside_down=upside_down), texts.made_by_flipping(upside_down=upside_down))


def _compared(first: bytes, second: bytes, labels: tuple[str, str]) -> tuple[bytes, bytes]:
    from bot.scene.shaping import blink, side_by_side

    a, b = images.opened(first), images.opened(second)
    return images.as_png(side_by_side(a, b, labels)), blink(a, b)


def _beyond(size: Size, old: Size, corner: tuple[int, int]) -> bytes:
    """The region of an extended picture that the old one does not cover, with a soft edge over it. Raises Gone."""
    from bot.scene.regions import soften

    left, top = corner
    if old == size or left + old.width > size.width or top + old.height > size.height:
        raise Gone(texts.SCENE_CARD_GONE)
    region = Image.new("L", (size.width, size.height), 255)
    region.paste(0, (left, top, left + old.width, top + old.height))
    return images.as_png(soften(region, max(old.width, old.height) // _SEAM))
