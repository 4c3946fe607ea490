"""Pictures that no job's card shows: kept in their Scene's tree, and posted as messages that can be replied to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import discord
from discord import ui

from bot import images, texts
from bot.components.picture_post import film_post, picture_post
from bot.delivered import delivered_png
from bot.delivery import Delivery, NewFile
from bot.errors import DeliveryDelayed, DeliveryFailed, Gone, NotAllowed
from bot.store import NewPicture, Picture, Store


class Showing:
    def __init__(self, store: Store, delivery: Delivery, *, now: Callable[[], float]) -> None:
        self._store = store
        self._delivery = delivery
        self._now = now

    async def keep(self, scene_id: int, new: NewPicture) -> Picture:
        """Put a picture whose file is stored into the Scene's tree; it becomes its author's current one."""
        async with self._store.transaction() as tx:
            picture_id = await self._store.add_picture(tx, scene_id, None, new, self._now())
            await self._store.set_current(tx, scene_id, new.author_id, picture_id)
        picture = await self._store.picture(picture_id)
        assert picture is not None  # written just now
        return picture

    async def show(self, picture: Picture, sentence: str, *more: ui.Item[Any]) -> discord.Message:
        """Post it where its Scene is held, with that sentence and those buttons below. Raises Gone and NotAllowed."""
        job = await self._store.job(picture.job_id) if picture.job_id is not None else None
        described = job.request.prompt if job else picture.made or texts.UPLOADED
        data, suffix = await images.light_enough(await delivered_png(self._store, picture), images.MOST_BYTES)
        file = NewFile(f"moonsketch-picture-{picture.number}{suffix}", data)
        view = picture_post(sentence, file.name, described, picture, *more)
        return await self._post(picture, view, file, ())

    async def show_film(self, film: NewFile, frames: Sequence[Picture], sentence: str) -> discord.Message:
        """Post it likewise; replying goes on from its last frame. It goes when one of its frames is deleted."""
        last = frames[-1]
        described = texts.timelapse_alt_text(frames[0].number, last.number)
        return await self._post(last, film_post(sentence, film.name, described, frames), film, frames)

    async def _post(
        self, picture: Picture, view: ui.LayoutView, file: NewFile, also: Sequence[Picture]
    ) -> discord.Message:
        try:
            place = await self._delivery.place_of_scene(picture.scene_id)
            post = await self._delivery.intend(place, picture_id=picture.id)
            async with self._store.transaction() as tx:
                await self._store.also_shows(tx, post.nonce, (each.id for each in also))
            return await self._delivery.send(place, post, view, [file])
        except DeliveryDelayed:
            raise Gone(texts.DISCORD_IS_UNWELL) from None
        except DeliveryFailed:
            raise NotAllowed(texts.PLACE_IS_CLOSED) from None
