"""/harmonise: what was put together gets one style and one light, and its seams disappear."""

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
    Steps,
    Strength,
    complete_model,
    complete_sampler,
    complete_style,
)
from bot.custom_ids import How
from bot.options import Options

if TYPE_CHECKING:
    from bot.client import ArtBot


@app_commands.command(description="Make one picture of what was put together: its seams, or all of it")
@app_commands.describe(
    prompt="What all of it shows, the more detailed the better; without it as before",
    what="Only the seams of what was just placed, or the whole picture",
    **{name: text for name, text in HELP.items() if name != "size"},
)
@app_commands.choices(what=[app_commands.Choice(name=how, value=how) for how in How if how.harmonises])
async def harmonise(
    interaction: discord.Interaction[ArtBot],
    prompt: Prompt | None = None,
    what: str | None = None,
    strength: Strength | None = None,
    style: Name | None = None,
    steps: Steps | None = None,
    seed: Seed | None = None,
    guidance: Guidance | None = None,
    negative: Negative | None = None,
    candidates: Candidates | None = None,
    sampler: Name | None = None,
    model: Name | None = None,
) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    wanted = Options(
        strength=strength,
        style=style,
        steps=steps,
        seed=seed,
        guidance=guidance,
        negative=negative,
        candidates=candidates,
        sampler=sampler,
        model=model,
    )
    receipt = await interaction.client.harmonising.current(
        Asker.of(interaction), How(what) if what is not None else None, prompt, wanted
    )
    await interaction.edit_original_response(content=receipt.sentence)


harmonise.autocomplete("model")(complete_model)
harmonise.autocomplete("sampler")(complete_sampler)
harmonise.autocomplete("style")(complete_style)
