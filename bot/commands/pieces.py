"""/pieces: one's own pieces, to be placed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.components.pieces import show_pieces

if TYPE_CHECKING:
    from bot.client import ArtBot


@app_commands.command(description="Show your pieces and lay one over a picture")
async def pieces(interaction: discord.Interaction[ArtBot]) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    await show_pieces(interaction)
