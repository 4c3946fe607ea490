"""/strip: one sketch at five strengths, to find the right one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.asker import Asker
from bot.commands.asking import (
    HELP,
    Guidance,
    Name,
    Negative,
    Prompt,
    Seed,
    Steps,
    complete_model,
    complete_sampler,
    complete_style,
)
from bot.options import Options

if TYPE_CHECKING:
    from bot.client import ArtBot


@app_commands.command(description="One sketch at five strengths, 0.3 to 0.9, to find the right one")
@app_commands.describe(
    image="Your sketch: PNG, JPEG or WEBP",
    prompt="In a few words: what it should become",
    **{name: text for name, text in HELP.items() if name not in ("strength", "candidates", "size")},
)
async def strip(
    interaction: discord.Interaction[ArtBot],
    image: discord.Attachment,
    prompt: Prompt,
    style: Name | None = None,
    steps: Steps | None = None,
    seed: Seed | None = None,
    guidance: Guidance | None = None,
    negative: Negative | None = None,
    sampler: Name | None = None,
    model: Name | None = None,
) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    wanted = Options(
        style=style,
        steps=steps,
        seed=seed,
        guidance=guidance,
        negative=negative,
        sampler=sampler,
        model=model,
    )
    receipt = await interaction.client.doors.strip(Asker.of(interaction), image, prompt, wanted)
    await interaction.edit_original_response(content=receipt.sentence)


strip.autocomplete("model")(complete_model)
strip.autocomplete("sampler")(complete_sampler)
strip.autocomplete("style")(complete_style)
