"""/export: a Scene to take home."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot import texts
from bot.asker import Asker
from bot.uploading import zip_limit

if TYPE_CHECKING:
    from bot.client import ArtBot


@app_commands.command(
    description="Get this Scene's pictures, their recipes and its tree as a zip, for you alone"
)
async def export(interaction: discord.Interaction[ArtBot]) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    bot, who = interaction.client, Asker.of(interaction)
    scene = await bot.reach.scene_here(who.place.id, who.person_id)
    package = await bot.chronicle.package(scene, who.person_id, limit=zip_limit(interaction))
    count = len(package.zips)
    for number, data in enumerate(package.zips, start=1):
        name = f"moonsketch-scene-{scene.id}{f'-{number}' if count > 1 else ''}.zip"
        said = [texts.export_title(scene.title), package.sentence] if number == 1 else []
        said += [texts.export_part(number, count)] if count > 1 else []
        await interaction.followup.send(
            "\n".join(filter(None, said)), file=discord.File(io.BytesIO(data), name), ephemeral=True
        )
