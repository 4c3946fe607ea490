"""What /undo and /redo answer: the picture where one is now, privately, and how to go on from there.

Others in the thread are not disturbed by somebody who looks for the place to go on from. *Show here* posts the picture
as a message that can be replied to, as going back in /history does.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any, Self, cast

import discord
from discord import ui

from bot import images, texts
from bot.answers import answering
from bot.asker import Asker
from bot.blocks import Guarded
from bot.components.forms import FormButton, Subject
from bot.components.picture_post import gallery
from bot.custom_ids import SHOW_TEMPLATE, STEP_TEMPLATE, Action, How, Way, show_id, step_id
from bot.delivered import delivered_png
from bot.delivery import NOBODY
from bot.places import check_permissions
from bot.store import Picture
from bot.undoing import Stepped

if TYPE_CHECKING:
    from bot.client import ArtBot

_LABELS = {Way.UNDO: texts.UNDO, Way.REDO: texts.REDO}


class StepButton(Guarded, ui.DynamicItem[ui.Button[Any]], template=STEP_TEMPLATE):
    """One more step, in the answer to the last one."""

    def __init__(self, scene_id: int, way: Way) -> None:
        super().__init__(ui.Button(label=_LABELS[way], custom_id=step_id(scene_id, way)))
        self.scene_id = scene_id
        self.way = way

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's signature
        item: ui.Item[Any],  # noqa: ARG003
        match: re.Match[str],
    ) -> Self:
        return cls(int(match["scene"]), Way(match["way"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answering(interaction):
            await interaction.response.defer()
            await step(interaction, self.scene_id, self.way)


class ShowButton(Guarded, ui.DynamicItem[ui.Button[Any]], template=SHOW_TEMPLATE):
    def __init__(self, picture_id: int) -> None:
        super().__init__(ui.Button(label=texts.SHOW_HERE, custom_id=show_id(picture_id)))
        self.picture_id = picture_id

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's signature
        item: ui.Item[Any],  # noqa: ARG003
        match: re.Match[str],
    ) -> Self:
        return cls(int(match["picture"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answering(interaction):
            await interaction.response.defer(ephemeral=True, thinking=True)
            bot = cast("discord.Interaction[ArtBot]", interaction).client
            who = Asker.of(interaction)
            check_permissions(who.place)
            picture = await bot.reach.within(who, self.picture_id)
            await bot.safeguard.check_shown(who, picture)
            message = await bot.showing.show(picture, texts.shown_again(picture.number, who.person_id))
            where = None if message.channel.id == interaction.channel_id else message.jump_url
            await interaction.edit_original_response(content=texts.was_shown(picture.number, where))


async def step(interaction: discord.Interaction[ArtBot], scene_id: int, way: Way) -> None:
    """Take it, and say where that led in the answer that was deferred. Raises Gone."""
    undoing = interaction.client.undoing
    take = undoing.undo if way is Way.UNDO else undoing.redo
    stepped = await take(scene_id, interaction.user.id)
    png = await delivered_png(interaction.client.store, stepped.picture)
    data, suffix = await images.light_enough(png, images.MOST_BYTES)
    file = discord.File(io.BytesIO(data), f"moonsketch-picture-{stepped.picture.number}{suffix}")
    await interaction.edit_original_response(
        view=_view(stepped, way, file.filename), attachments=[file], allowed_mentions=NOBODY
    )


def _view(stepped: Stepped, way: Way, file: str) -> ui.LayoutView:
    picture = stepped.picture
    sentence = texts.stepped(picture.number, stepped.before, stepped.deleted, back=way is Way.UNDO)
    view = ui.LayoutView(timeout=None)
    described = texts.picture_alt_text(picture.number)
    view.add_item(gallery(file, described, hidden=picture.unsafe is not None))
    view.add_item(ui.TextDisplay(sentence))
    view.add_item(ui.ActionRow[Any](*_buttons(picture)))
    return view


def _buttons(picture: Picture) -> list[ui.Item[Any]]:
    return [
        StepButton(picture.scene_id, Way.UNDO),
        StepButton(picture.scene_id, Way.REDO),
        FormButton(Subject("p", picture.id, How.REFINE), texts.button(Action.REFINE, 0)),
        ShowButton(picture.id),
    ]
