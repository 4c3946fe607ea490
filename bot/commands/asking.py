"""What /sketch and /imagine have in common: their options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import discord
from discord import app_commands

from bot import options

if TYPE_CHECKING:
    from bot.client import ArtBot

Prompt: TypeAlias = app_commands.Range[str, 1, options.PROMPT_LENGTH]
Strength: TypeAlias = app_commands.Range[float, options.STRENGTH.low, options.STRENGTH.high]
Steps: TypeAlias = app_commands.Range[int, int(options.STEPS.low), int(options.STEPS.high)]
Seed: TypeAlias = app_commands.Range[int, int(options.SEED.low), int(options.SEED.high)]
Guidance: TypeAlias = app_commands.Range[float, float(options.GUIDANCE.low), float(options.GUIDANCE.high)]
Negative: TypeAlias = app_commands.Range[str, 1, options.PROMPT_LENGTH]
Shape: TypeAlias = app_commands.Range[str, 1, options.NAME_LENGTH]
Name: TypeAlias = app_commands.Range[str, 1, options.NAME_LENGTH]
Candidates: TypeAlias = app_commands.Range[int, int(options.CANDIDATES.low), int(options.CANDIDATES.high)]

HELP = {option.name: option.help for option in options.TABLE}


async def complete_model(
    interaction: discord.Interaction[ArtBot], current: str
) -> list[app_commands.Choice[str]]:
    """Configured models whose name holds what was typed; from memory, for it runs on every key press."""
    names = [
        model.name for model in interaction.client.engine.models() if current.lower() in model.name.lower()
    ]
    return offered(names)


async def complete_sampler(
    interaction: discord.Interaction[ArtBot], current: str
) -> list[app_commands.Choice[str]]:
    """What the model that was named has, the default one's where none was (or none is called so yet)."""
    models = interaction.client.engine.models()
    named = str(getattr(interaction.namespace, "model", "")).strip().lower()
    model = next((each for each in models if each.name.lower() == named), models[0])
    return offered([sampler for sampler in model.samplers if current.lower() in sampler])


async def complete_style(
    interaction: discord.Interaction[ArtBot], current: str
) -> list[app_commands.Choice[str]]:
    """The server's own first; also found by its full title."""
    known = await interaction.client.styles.known(interaction.guild_id)
    typed = current.strip().lower()
    return offered([style.name for style in known if typed in style.name or typed in style.title.lower()])


def offered(names: Sequence[str]) -> list[app_commands.Choice[str]]:
    """Discord shows 25 at most."""
    return [app_commands.Choice(name=name, value=name) for name in names[:25]]
