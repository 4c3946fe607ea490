"""/sketch: a crude drawing and a few words become a picture."""

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
from bot.options import Options

if TYPE_CHECKING:
    from bot.client import ArtBot


@app_commands.command(description="Turn a crude sketch into a picture")
@app_commands.describe(
    image="Your sketch: PNG, JPEG or WEBP",
    prompt="In a few words: what it should become",
    **{name: text for name, text in HELP.items() if name != "size"},
)
async def sketch(
    interaction: discord.Interaction[ArtBot],
    image: discord.Attachment,
    prompt: Prompt,
    strength: Strength | None = None,
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
        strength=strength,
        steps=steps,
        seed=seed,
        guidance=guidance,
        negative=negative,
        candidates=candidates,
        sampler=sampler,
        model=model,
        style=style,
    )
    receipt = await interaction.client.doors.sketch(Asker.of(interaction), image, prompt, wanted)
    await interaction.edit_original_response(content=receipt.sentence)


sketch.autocomplete("model")(complete_model)
sketch.autocomplete("sampler")(complete_sampler)
sketch.autocomplete("style")(complete_style)
