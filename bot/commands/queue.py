"""/queue: one's own jobs that wait or run, and how to stop them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.components.queue import queue_of

if TYPE_CHECKING:
    from bot.client import ArtBot


@app_commands.command(description="Show your jobs that wait or run, and cancel them")
async def queue(interaction: discord.Interaction[ArtBot]) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    await interaction.edit_original_response(view=await queue_of(interaction.client, interaction.user.id))
