"""/timelapse: the way from the first sketch to a picture, as a film."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import discord
from discord import app_commands

from bot import texts
from bot.asker import Asker
from bot.delivery import NewFile
from bot.places import check_permissions

if TYPE_CHECKING:
    from bot.client import ArtBot


@app_commands.command(description="Show the way from the first sketch to your current picture as a film")
@app_commands.rename(kind="format")
@app_commands.describe(
    picture="To which picture, by its number; without it to your current one",
    kind="WebP is smaller and smoother; GIF plays everywhere",
)
async def timelapse(
    interaction: discord.Interaction[ArtBot],
    picture: app_commands.Range[int, 1] | None = None,
    kind: Literal["webp", "gif"] = "webp",
) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    bot, who = interaction.client, Asker.of(interaction)
    check_permissions(who.place)
    last = await bot.reach.numbered_here(who, picture)
    film = await bot.chronicle.film(last.id, gif=kind == "gif")
    numbers = [each.number for each in film.frames]
    sentence = texts.timelapse_shown(who.person_id, numbers[0], numbers[-1], len(numbers), film.deleted)
    file = NewFile(f"moonsketch-timelapse-{last.number}.{kind}", film.data)
    message = await bot.showing.show_film(file, film.frames, sentence)
    where = None if message.channel.id == interaction.channel_id else message.jump_url
    await interaction.edit_original_response(content=texts.timelapse_posted(where))
