"""Context menus on a message with a picture. They show us the message without the message-content intent.

Of our own cards the picture itself is meant; of other people's messages the first picture they attached. Two of them
open the same form. Embedded pictures of links are not taken, for only what people attached comes from Discord itself.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, cast

import discord
from discord import app_commands

from bot import remix, texts
from bot.components.forms import Subject, form_about, open_form
from bot.components.recipes import show_recipe, show_recipe_of_file
from bot.custom_ids import How
from bot.errors import BadPicture, Gone
from bot.images import MOST_BYTES
from bot.options import Form
from bot.store import Found, Named

if TYPE_CHECKING:
    from bot.client import ArtBot

_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp"})


@app_commands.context_menu(name="Use as sketch")
async def use_as_sketch(interaction: discord.Interaction[Any], message: discord.Message) -> None:
    await _open(interaction, message, How.SKETCH)


@app_commands.context_menu(name="Refine this picture")
async def refine_this_picture(interaction: discord.Interaction[Any], message: discord.Message) -> None:
    await _open(interaction, message, How.REFINE)


@app_commands.context_menu(name="Show recipe")
async def show_recipe_menu(interaction: discord.Interaction[Any], message: discord.Message) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    bot = cast("discord.Interaction[ArtBot]", interaction).client
    if message.author == bot.user:
        await show_recipe(interaction, (await _found(interaction, message)).picture.id)
        return
    files = _pictures(message)
    if not files:
        raise BadPicture(texts.NO_PICTURE_IN_MESSAGE)
    await show_recipe_of_file(interaction, files[0], len(files))


async def _open(interaction: discord.Interaction[ArtBot], message: discord.Message, how: How) -> None:
    bot = interaction.client
    default = bot.engine.models()[0].strength
    if message.author == bot.user:
        await open_form(interaction, *form_about(await _found(interaction, message), how, default))
        return
    files = _pictures(message)
    if not files:
        raise BadPicture(texts.NO_PICTURE_IN_MESSAGE)
    if files[0].size > MOST_BYTES:
        raise BadPicture(texts.picture_too_heavy(files[0].size, MOST_BYTES))
    strength = default if how is How.SKETCH else remix.REFINE_STRENGTH
    form = Form(strength=f"{strength:g}")
    bot.offers.keep(interaction, files[0], len(files), form)
    await open_form(interaction, Subject("m", interaction.id, how), form)


async def _found(interaction: discord.Interaction[ArtBot], message: discord.Message) -> Found:
    """What a message of ours shows. Raises Gone."""
    bot = interaction.client
    found = await bot.store.found_in_message(message.id, interaction.user.id)
    if found is None:
        raise Gone(texts.NO_PICTURE_IN_MESSAGE)
    await bot.reach.check_here(interaction.guild_id, interaction.channel_id, Named.PICTURE, found.picture.id)
    return found


def _pictures(message: discord.Message) -> list[discord.Attachment]:
    """What people attached, here or to the message that this one forwards, and says it is a picture."""
    forwarded = [file for snapshot in message.message_snapshots for file in snapshot.attachments]
    return [file for file in (*message.attachments, *forwarded) if _looks_like_picture(file)]


def _looks_like_picture(file: discord.Attachment) -> bool:
    """The uploader's word, and only to choose by: what it really is shows when it is decoded."""
    said = file.content_type or ""
    return said.startswith("image/") or PurePosixPath(file.filename).suffix.lower() in _SUFFIXES
