"""Drawing a part of a picture anew and keeping the rest to the bit: a part that was named, masked or painted on."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable

import discord
import msgspec
from PIL import Image, ImageChops

from bot import images, remix, texts
from bot.asker import Asker
from bot.errors import BadOption, BadPicture
from bot.jobs import Jobs, Receipt
from bot.options import Form, Options, read_form
from bot.places import check_permissions
from bot.reach import Reach
from bot.store import JobKind, NewJob, NewPicture, Picture, Store
from bot.styles import Styles
from bot.uploads import Uploads
from inference import BadRequest, Box, Engine, Frame, ModelInfo, Size

_SOFT_EDGE = 8
"""Pixels over which a part that was named passes into the rest; they lie within it, so that nothing outside changes."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants made of a picture. notes: what their card is to say of it."""

    asker: Asker
    words: str
    options: Options
    notes: tuple[str, ...] = ()

    def noted(self, *notes: str) -> Wish:
        return msgspec.structs.replace(self, notes=(*self.notes, *notes))


class Repainting:
    def __init__(
        self,
        store: Store,
        jobs: Jobs,
        engine: Engine,
        reach: Reach,
        uploads: Uploads,
        styles: Styles,
        *,
        fresh_seed: Callable[[], int],
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._engine = engine
        self._reach = reach
        self._uploads = uploads
        self._styles = styles
        self._fresh_seed = fresh_seed

    async def of_command(
        self,
        wish: Wish,
        picture: Picture,
        text: str | None,
        mask: discord.Attachment | None,
    ) -> Receipt:
        """/repaint: the part that the words name, or that the mask file shows; one of them is given."""
        check_permissions(wish.asker.place)
        if mask is None:
            region = await asyncio.to_thread(_named, text or "", picture.size)
        elif text is None:
            sent = await self._uploads.look_at(mask)
            region = await asyncio.to_thread(_masked, sent.png, picture.size)
        else:
            raise BadOption(texts.REGION_AND_MASK)
        return await self.repaint(wish.noted(texts.repaints_part_of(picture.number)), picture, region)

    async def of_form(self, asker: Asker, picture_id: int, form: Form) -> Receipt:
        """The form in which a part is named."""
        picture = await self._reach.within(asker, picture_id)
        prompt, options = read_form(form)
        return await self.of_command(
            Wish(asker=asker, words=prompt, options=options), picture, form.region, None
        )

    async def repaint(
        self, wish: Wish, picture: Picture, region: bytes, copy: NewPicture | None = None
    ) -> Receipt:
        """Draw a region of a picture anew: a grey PNG of its size.

        copy: the picture as somebody painted on it. What was painted is a sketch, and gets a sketch's strength.
        """
        asker = wish.asker
        await self._reach.check_shared(picture, asker.person_id)
        source = await self._reach.source(picture)
        options, style = await self._styles.settle(wish.options, asker.guild_id, source.style)
        model = remix.model_for(self._engine.models(), source, options)
        request = remix.repaint(
            model,
            source,
            copy.file if copy else picture.file,
            await self._part(region, picture.size, model),
            wish.words,
            options,
            model.strength if copy else model.strong,
            self._fresh_seed(),
        )
        new = NewJob(
            source=asker.source,
            kind=JobKind.REPAINT,
            scene=picture.scene_id,
            guild_id=asker.guild_id,
            author_id=asker.person_id,
            standing=asker.standing,
            request=request,
            style=style,
            upload=copy,
            parent_id=picture.id,
            notes=wish.notes,
        )
        return await self._jobs.submit(new, wish.options)

    async def grid(self, asker: Asker, picture: Picture) -> bytes:
        """The picture under its grid, a WebP. Raises NotAllowed for one that is not shared."""
        await self._reach.check_shared(picture, asker.person_id)
        return await asyncio.to_thread(_under_grid, await self._store.files.get(picture.file))

    async def _part(self, region: bytes, size: Size, model: ModelInfo) -> remix.Part:
        window, frame = await asyncio.to_thread(_placed, region, size, model)
        return remix.Part(mask=await self._store.files.put(region), window=window, frame=frame)


def _named(text: str, size: Size) -> bytes:
    from bot.scene.regions import bounds, parse_region, soften

    region = parse_region(text, size)
    if region.getextrema() == (255, 255):
        raise BadOption(texts.REGION_IS_ALL)
    box = bounds(region)
    edge = min(_SOFT_EDGE, min(box.width, box.height) // 4)
    # Feathering goes outwards, so it is the rest that is feathered into the region.
    return images.as_png(ImageChops.invert(soften(ImageChops.invert(region), edge)))


def _masked(png: bytes, size: Size) -> bytes:
    from bot.scene.regions import read_mask

    return images.as_png(read_mask(images.opened(png), size))


def _placed(region: bytes, size: Size, model: ModelInfo) -> tuple[Box | None, Frame]:
    from bot.scene.regions import window_for

    try:
        return window_for(images.opened(region), size, model.sizes)
    except BadRequest as error:
        raise BadPicture(str(error)) from None


def _under_grid(png: bytes) -> bytes:
    from bot.scene.regions import draw_grid

    return _webp(draw_grid(images.opened(png)))


def _webp(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "WEBP", quality=85, method=2)
    return file.getvalue()
