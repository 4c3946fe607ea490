"""/undo and /redo: a step back, and forward again, for oneself alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.asker import Asker
from bot.components.stepping import step
from bot.custom_ids import Way

if TYPE_CHECKING:
    from bot.client import ArtBot


@app_commands.command(description="Go back to the picture that your current one was made of")
async def undo(interaction: discord.Interaction[ArtBot]) -> None:
    await _step(interaction, Way.UNDO)


@app_commands.command(description="Go forward again to what you undid")
async def redo(interaction: discord.Interaction[ArtBot]) -> None:
    await _step(interaction, Way.REDO)


async def _step(interaction: discord.Interaction[ArtBot], way: Way) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    who = Asker.of(interaction)
    scene = await interaction.client.reach.scene_here(who.place.id, who.person_id)
    await step(interaction, scene.id, way)
