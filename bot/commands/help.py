"""/help: what can be done here and, of models that list what they were taught, what they know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.components.help import help_view

if TYPE_CHECKING:
    from bot.client import ArtBot


@app_commands.command(name="help", description="How to make pictures with me, and what I know")
async def help_command(interaction: discord.Interaction[ArtBot]) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    manages = interaction.permissions.manage_guild
    view = help_view(interaction.client.engine.models(), manages=manages)
    await interaction.edit_original_response(view=view)
