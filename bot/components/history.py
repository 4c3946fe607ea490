"""The Scene so far, as a sheet of pictures with a select to go back to one."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self, cast

import discord
from discord import ui

from bot import images, texts
from bot.answers import answering
from bot.components.picture_post import picture_post
from bot.custom_ids import HISTORY_TEMPLATE, history_id
from bot.delivery import NewFile
from bot.errors import DeliveryDelayed, DeliveryFailed, Gone, NotAllowed
from bot.store import FileMissing, Picture, Scene, Shown, Store

if TYPE_CHECKING:
    from bot.client import ArtBot

MOST_SHOWN = 25
"""What one select holds."""

_SHEET_FILE = "scene.webp"
_CELL = 180


class HistorySelect(ui.DynamicItem[ui.Select[Any]], template=HISTORY_TEMPLATE):
    """Its options are only needed to draw it; which picture was chosen comes with the interaction."""

    def __init__(self, scene_id: int, entries: Sequence[Shown] = (), current: int | None = None) -> None:
        self.scene_id = scene_id
        options = [
            discord.SelectOption(
                label=texts.history_label(entry),
                description=texts.history_description(entry, is_current=entry.picture.id == current),
                value=str(entry.picture.id),
            )
            for entry in reversed(entries)
        ]
        super().__init__(
            ui.Select(custom_id=history_id(scene_id), placeholder=texts.HISTORY_PLACEHOLDER, options=options)
        )

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's signature
        item: ui.Item[Any],  # noqa: ARG003
        match: re.Match[str],
    ) -> Self:
        return cls(int(match["scene"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answering(interaction):
            await interaction.response.defer(ephemeral=True, thinking=True)
            chosen = int(cast("dict[str, list[str]]", interaction.data)["values"][0])
            message = await _show_picture(interaction, self.scene_id, chosen)
            await interaction.edit_original_response(content=message)


async def show_history(interaction: discord.Interaction[ArtBot], scene: Scene) -> None:
    """Answer privately with the sheet and the select."""
    bot = interaction.client
    entries = [entry for entry in await bot.store.history(scene.id) if not entry.picture.deleted]
    if not entries:
        await interaction.edit_original_response(content=texts.NO_PICTURES_YET)
        return
    shown = entries[-MOST_SHOWN:]
    pngs = [await _png_or_none(bot.store, entry.picture) for entry in shown]
    sheet = await images.thumbnails(pngs, [str(entry.picture.number) for entry in shown], _CELL)
    current = await bot.store.current_picture(scene.id, interaction.user.id)
    await interaction.followup.send(
        view=_view(scene, len(entries), shown, current),
        file=discord.File(io.BytesIO(sheet), _SHEET_FILE),
        ephemeral=True,
    )


async def _show_picture(interaction: discord.Interaction[ArtBot], scene_id: int, picture_id: int) -> str:
    """Go back to a picture and post it as a message that can be replied to; returns where it is."""
    bot, person_id = interaction.client, interaction.user.id
    picture = await bot.doors.go_back(scene_id, picture_id, person_id)
    job = await bot.store.job(picture.job_id) if picture.job_id is not None else None
    name = f"moonsketch-picture-{picture.number}.png"
    prompt = job.request.prompt if job else texts.UPLOADED
    view = picture_post(texts.back_to(picture.number, person_id), name, prompt, picture)
    file = NewFile(name, await bot.store.files.get(picture.file))
    try:
        place = await bot.delivery.place_of_scene(picture.scene_id)
        post = await bot.delivery.intend(place, picture_id=picture.id)
        message = await bot.delivery.send(place, post, view, [file])
    except DeliveryDelayed:
        raise Gone(texts.DISCORD_IS_UNWELL) from None
    except DeliveryFailed:
        raise NotAllowed(texts.PLACE_IS_CLOSED) from None
    return texts.went_back(picture.number, None if place.id == interaction.channel_id else message.jump_url)


async def _png_or_none(store: Store, picture: Picture) -> bytes | None:
    """One lost file must not take the whole history with it."""
    try:
        return await store.files.get(picture.file)
    except FileMissing:
        return None


def _view(scene: Scene, count: int, shown: Sequence[Shown], current: Picture | None) -> ui.LayoutView:
    view = ui.LayoutView(timeout=None)
    view.add_item(ui.TextDisplay(texts.history_title(scene.title, count, len(shown))))
    numbers = ", ".join(str(entry.picture.number) for entry in shown)
    sheet = discord.MediaGalleryItem(
        f"attachment://{_SHEET_FILE}", description=texts.history_alt_text(numbers)
    )
    view.add_item(ui.MediaGallery(sheet))
    view.add_item(ui.ActionRow(HistorySelect(scene.id, shown, current.id if current else None)))
    return view
