"""/history: the Scene's pictures so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.asker import Asker
from bot.components.history import show_history

if TYPE_CHECKING:
    from bot.client import ArtBot


@app_commands.command(description="Show this Scene's pictures and go back to one")
async def history(interaction: discord.Interaction[ArtBot]) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    who = Asker.of(interaction)
    scene = await interaction.client.reach.scene_here(who.place.id, who.person_id)
    await show_history(interaction, scene)
