"""/export: a Scene to take home."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot import texts
from bot.asker import Asker

if TYPE_CHECKING:
    from bot.client import ArtBot

_LARGEST_FILE = 20 * 2**20
"""Where a server takes more than that in one file, the whole message still may not have more than 25 MiB."""

_REST_OF_MESSAGE = 2**20


@app_commands.command(
    description="Get this Scene's pictures, their recipes and its tree as a zip, for you alone"
)
async def export(interaction: discord.Interaction[ArtBot]) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    bot, who = interaction.client, Asker.of(interaction)
    scene = await bot.reach.scene_here(who.place.id, who.person_id)
    limit = min(interaction.filesize_limit, _LARGEST_FILE) - _REST_OF_MESSAGE
    package = await bot.chronicle.package(scene, who.person_id, limit=limit)
    count = len(package.zips)
    for number, data in enumerate(package.zips, start=1):
        name = f"moonsketch-scene-{scene.id}{f'-{number}' if count > 1 else ''}.zip"
        said = [texts.export_title(scene.title), package.sentence] if number == 1 else []
        said += [texts.export_part(number, count)] if count > 1 else []
        await interaction.followup.send(
            "\n".join(filter(None, said)), file=discord.File(io.BytesIO(data), name), ephemeral=True
        )
