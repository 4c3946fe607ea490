"""/line: who runs and who waits here, for everyone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.components.line import show_line

if TYPE_CHECKING:
    from bot.client import ArtBot


@app_commands.command(description="Show who runs and who waits in this server's line")
async def line(interaction: discord.Interaction[ArtBot]) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    await show_line(interaction)
