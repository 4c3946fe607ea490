"""Strangers' files on their way in: checked, re-made, stored under their hash, not yet part of any Scene."""

from __future__ import annotations

import discord
import msgspec

from bot import remix, texts
from bot.delivery import REFUSALS
from bot.errors import BadPicture
from bot.images import MOST_BYTES, CleanPicture, Decoder
from bot.store import NewPicture, PictureKind, Store
from inference import PictureRef


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A stranger's picture, re-made and stored."""

    file: PictureRef
    picture: CleanPicture

    def as_picture(self, author_id: int, parent_id: int | None) -> NewPicture:
        return NewPicture(
            kind=PictureKind.UPLOADED,
            author_id=author_id,
            file=self.file,
            size=self.picture.size,
            parent_id=parent_id,
        )

    def as_source(self) -> remix.Source:
        return remix.Source(file=self.file, size=self.picture.size)


class Uploads:
    def __init__(self, store: Store, decoder: Decoder) -> None:
        self._store = store
        self._decoder = decoder

    async def read(self, attachment: discord.Attachment) -> Upload:
        """As `look_at`, and stored."""
        return await self.keep(await self.look_at(attachment))

    async def keep(self, picture: CleanPicture) -> Upload:
        """Store what was looked at."""
        return Upload(file=await self._store.files.put(picture.png), picture=picture)

    async def look_at(self, attachment: discord.Attachment) -> CleanPicture:
        """Size first, then the bytes, then the decode process. Nothing is kept. Raises BadPicture."""
        if attachment.size > MOST_BYTES:
            raise BadPicture(texts.picture_too_heavy(attachment.size, MOST_BYTES))
        try:
            data = await attachment.read()
        except REFUSALS:
            raise BadPicture(texts.PICTURE_NOT_LOADED) from None
        return await self._decoder.clean(data)
