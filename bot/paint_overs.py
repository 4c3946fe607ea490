"""Files that people send back: of which of our pictures one is an edited copy, and what was painted on it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
from PIL import Image, ImageChops

from bot import images, texts
from bot.errors import Refusal
from bot.store import FileMissing, Files, Picture, PictureKind, Store

MOST_LOOKED_AT = 12
"""Pictures of a Scene that a file may be a copy of, beside those of the card: whoever paints does so soon."""

MOST_COMPARED = 5
"""Of those, the ones that are compared with care, a good part of a second each: as many as a strength strip has."""


class Tied(Refusal):
    """It looks like a copy of several pictures alike, and only the person who sent it knows which was meant."""

    def __init__(self, pictures: Sequence[Picture]) -> None:
        super().__init__(texts.which_picture([picture.number for picture in pictures]))
        self.pictures = tuple(pictures)


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """An edited copy of one of our pictures, as PNGs of that picture's size.

    region: grey, what was painted on; None where nothing was. aligned: the copy; where the region is 0 it is the
    picture to the bit. share: how much of the picture the region covers, 0 to 1.
    """

    aligned: bytes
    region: bytes | None
    share: float


class PaintOvers:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def original(self, edited: bytes, near: Sequence[Picture]) -> Picture | None:
        """What the PNG is an edited copy of: one of `near`, else of the latest other pictures of their Scene.

        None if it is of none of them. Raises Tied.
        """
        found = await self._among(near, edited)
        return found or await self._among(await self._others(near), edited)

    async def compare(self, edited: bytes, picture: Picture) -> Copy:
        """What was painted on that picture. Raises FileMissing."""
        whole = await self._store.files.get(picture.file)
        return await asyncio.to_thread(_compare, whole, edited)

    async def _among(self, pictures: Sequence[Picture], edited: bytes) -> Picture | None:
        found = await asyncio.to_thread(_matching, self._store.files, pictures, edited)
        if len(found) > 1:
            raise Tied(sorted(found, key=lambda picture: picture.number))
        return found[0] if found else None

    async def _others(self, near: Sequence[Picture]) -> list[Picture]:
        seen = {picture.id for picture in near}
        pictures = [shown.picture for shown in await self._store.history(near[0].scene_id)]
        # Copies that were painted on before are left out: whoever sends one once more still means what is below.
        others = [
            picture
            for picture in pictures
            if picture.id not in seen and not picture.deleted and picture.kind is not PictureKind.PAINTED
        ]
        return others[: -MOST_LOOKED_AT - 1 : -1]


def _matching(files: Files, pictures: Sequence[Picture], edited: bytes) -> list[Picture]:
    """Those that the file may be a copy of, the likeliest first."""
    from bot.scene.likeness import likeliest
    from bot.scene.paint_over import match
    from bot.scene.regions import on_white

    copy = images.opened(edited)
    found_files = ((picture, _read(files, picture)) for picture in pictures)
    there = [(picture, on_white(image)) for picture, image in found_files if image is not None]
    close = [there[index] for index in likeliest(copy, [image for _, image in there], MOST_COMPARED)]
    found = match(copy, [image for _, image in close])
    return [] if found is None else [close[index][0] for index in dict.fromkeys((found.index, *found.tied))]


def _read(files: Files, picture: Picture) -> Image.Image | None:
    """One lost file must not keep the others from being looked at."""
    try:
        return images.opened(files.read(picture.file))
    except FileMissing:
        return None


def _compare(whole: bytes, edited: bytes) -> Copy:
    from bot.scene.paint_over import find_region
    from bot.scene.regions import on_white

    picture, copy = images.opened(whole), images.opened(edited)
    is_piece = picture.mode == "RGBA"
    # What of a Piece is transparent was so before: there it means nothing that the copy is.
    found = find_region(on_white(picture), on_white(copy) if is_piece else copy)
    if found.region is None:
        return Copy(aligned=whole, region=None, share=0.0)
    aligned = _onto_piece(picture, found.aligned, found.region) if is_piece else found.aligned
    return Copy(aligned=images.as_png(aligned), region=images.as_png(found.region), share=found.share)


def _onto_piece(piece: Image.Image, aligned: Image.Image, region: Image.Image) -> Image.Image:
    """A Piece with what was painted on it, beyond its outline as well; outside the region it is itself to the bit."""
    result = piece.copy()
    result.paste(aligned, mask=region.point([0] + [255] * 255))
    result.putalpha(ImageChops.lighter(piece.getchannel("A"), region))
    return result
