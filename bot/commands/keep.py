"""/keep: whether a Scene stays, however long nobody uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.components.keeping import show_keeping

if TYPE_CHECKING:
    from bot.client import ArtBot


@app_commands.command(description="Keep this Scene for good, or let it go when nobody uses it any more")
@app_commands.describe(on="Without it I say what is so now")
async def keep(interaction: discord.Interaction[ArtBot], on: bool | None = None) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    place_id = interaction.channel_id or 0
    scene = await interaction.client.reach.scene_here(place_id, interaction.user.id)
    await show_keeping(interaction, scene.id, wanted=on)
