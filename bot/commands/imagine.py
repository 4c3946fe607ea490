"""/imagine: a first picture from words alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.asker import Asker
from bot.commands.asking import (
    HELP,
    Candidates,
    Guidance,
    Name,
    Negative,
    Prompt,
    Seed,
    Shape,
    Steps,
    complete_model,
    complete_sampler,
    complete_style,
)
from bot.options import Options

if TYPE_CHECKING:
    from bot.client import ArtBot


@app_commands.command(description="Make a first picture from words alone")
@app_commands.describe(
    prompt="In a few words: what the picture should show",
    **{name: text for name, text in HELP.items() if name != "strength"},
)
async def imagine(
    interaction: discord.Interaction[ArtBot],
    prompt: Prompt,
    size: Shape | None = None,
    steps: Steps | None = None,
    seed: Seed | None = None,
    guidance: Guidance | None = None,
    negative: Negative | None = None,
    candidates: Candidates | None = None,
    sampler: Name | None = None,
    model: Name | None = None,
    style: Name | None = None,
) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    wanted = Options(
        size=size,
        steps=steps,
        seed=seed,
        guidance=guidance,
        negative=negative,
        candidates=candidates,
        sampler=sampler,
        model=model,
        style=style,
    )
    receipt = await interaction.client.doors.imagine(Asker.of(interaction), prompt, wanted)
    await interaction.edit_original_response(content=receipt.sentence)


imagine.autocomplete("model")(complete_model)
imagine.autocomplete("sampler")(complete_sampler)
imagine.autocomplete("style")(complete_style)
