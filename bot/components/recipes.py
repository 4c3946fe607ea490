"""What a picture was made with, as a command to copy: of ours from the store, of others' as their file says it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import discord
from discord import ui

from bot import texts
from bot.components.forms import FormButton, Subject
from bot.custom_ids import How
from bot.errors import BadPicture
from bot.file_recipe import recipe_in
from bot.recipe import recipe_text
from bot.store import Shown

if TYPE_CHECKING:
    from bot.client import ArtBot


async def show_recipe(interaction: discord.Interaction[ArtBot], picture_id: int) -> None:
    """Of one of our pictures, and the steps that led to it, in the answer that was deferred."""
    way = await interaction.client.store.ways.to(picture_id)
    recipe = recipe_text(way)
    steps = _steps(way, texts.MESSAGE_LENGTH - len(recipe) - 1)
    await interaction.edit_original_response(content=f"{recipe}\n{steps}" if steps else recipe)


async def show_recipe_of_file(
    interaction: discord.Interaction[ArtBot], file: discord.Attachment, count: int
) -> None:
    """Of the first of `count` files of somebody's message, with a button that opens a form filled with it."""
    bot = interaction.client
    found = await recipe_in(file, bot.uploads, bot.engine.models())
    if found is None:
        raise BadPicture(texts.FILE_SAYS_NOTHING)
    bot.offers.keep(interaction, file, count, found.form)
    view = ui.View(timeout=None)
    view.add_item(FormButton(Subject("m", interaction.id, How.SKETCH), texts.USE_WITH_RECIPE))
    said = texts.recipe_of_file(found.command, from_sketch=found.from_sketch, more=found.more)
    await interaction.edit_original_response(content=said, view=view)


def _steps(way: Sequence[Shown], room: int) -> str:
    """A line for each picture that led here; of many the first and the last ones. Empty where there was one step."""
    if len(way) < 2:
        return ""
    lines = [texts.recipe_step(shown) for shown in way]
    for left_out in range(len(lines) - 1):
        between = [texts.steps_left_out(left_out)] if left_out else []
        text = "\n".join([texts.HOW_IT_CAME_ABOUT, lines[0], *between, *lines[1 + left_out :]])
        if len(text) <= room:
            return text
    return ""
