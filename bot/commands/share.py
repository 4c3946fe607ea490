"""/share: who may go on from my pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.components.sharing import show_sharing
from bot.store import Shares

if TYPE_CHECKING:
    from bot.client import ArtBot


@app_commands.command(description="Who may go on from your pictures: everyone, or only you")
@app_commands.describe(who="Without it I say what is so now")
@app_commands.choices(who=[app_commands.Choice(name=shares, value=shares) for shares in Shares])
async def share(interaction: discord.Interaction[ArtBot], who: str | None = None) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    await show_sharing(interaction, Shares(who) if who is not None else None)
