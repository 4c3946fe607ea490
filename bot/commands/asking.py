"""What /sketch and /imagine have in common: their options and how a person's place is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import discord
from discord import app_commands

from bot import options
from bot.doors import Asker
from bot.errors import NotAllowed
from bot.texts import ONLY_WHERE_I_CAN_WRITE

if TYPE_CHECKING:
    from bot.client import ArtBot

Prompt: TypeAlias = app_commands.Range[str, 1, options.PROMPT_LENGTH]
Strength: TypeAlias = app_commands.Range[float, options.STRENGTH.low, options.STRENGTH.high]
Steps: TypeAlias = app_commands.Range[int, int(options.STEPS.low), int(options.STEPS.high)]
Seed: TypeAlias = app_commands.Range[int, int(options.SEED.low), int(options.SEED.high)]
Guidance: TypeAlias = app_commands.Range[float, float(options.GUIDANCE.low), float(options.GUIDANCE.high)]
Negative: TypeAlias = app_commands.Range[str, 1, options.PROMPT_LENGTH]
Candidates: TypeAlias = app_commands.Range[int, int(options.CANDIDATES.low), int(options.CANDIDATES.high)]

HELP = {option.name: option.help for option in options.TABLE}


def asker(interaction: discord.Interaction[ArtBot]) -> Asker:
    """Who asks and where. Raises NotAllowed where the bot is not a member and could post nothing."""
    place = interaction.channel
    if place is None or isinstance(place, discord.CategoryChannel | discord.ForumChannel):
        raise NotAllowed(ONLY_WHERE_I_CAN_WRITE)
    return Asker(
        source=f"i{interaction.id}",
        person_id=interaction.user.id,
        guild_id=interaction.guild_id,
        place=place,
    )


async def complete_model(
    interaction: discord.Interaction[ArtBot], current: str
) -> list[app_commands.Choice[str]]:
    """Configured models whose name holds what was typed; from memory, for it runs on every key press."""
    names = [
        model.name for model in interaction.client.engine.models() if current.lower() in model.name.lower()
    ]
    return [app_commands.Choice(name=name, value=name) for name in names[:25]]
