"""/forget-me: have everything of one's own forgotten, in every server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.components.forgetting import ask_to_forget

if TYPE_CHECKING:
    from bot.client import ArtBot


@app_commands.command(name="forget-me", description="Have everything of yours deleted, in every server")
async def forget_me(interaction: discord.Interaction[ArtBot]) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    await ask_to_forget(interaction)
