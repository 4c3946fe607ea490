"""/privacy: what is kept, for how long, and how to take it away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot import texts
from bot.privacy import LEFT_DAYS, USAGE_DAYS

if TYPE_CHECKING:
    from bot.client import ArtBot


@app_commands.command(description="What I keep, for how long, and how to take it away")
async def privacy(interaction: discord.Interaction[ArtBot]) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    days = await interaction.client.retention.days_of(interaction.guild_id)
    await interaction.edit_original_response(content=texts.privacy(days, USAGE_DAYS, LEFT_DAYS))
