"""/repaint: a part of a picture becomes something else, and the rest stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

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
    offered,
)
from bot.components.forms import REGION_LENGTH
from bot.components.repainting import show_grid
from bot.options import Options
from bot.repainting import Wish

if TYPE_CHECKING:
    from bot.client import ArtBot

Region: TypeAlias = app_commands.Range[str, 1, REGION_LENGTH]
Number: TypeAlias = app_commands.Range[int, 1, 1_000_000]

_EXAMPLES = (
    *("B2", "B2:D4", "A1:B2, E5", "ellipse C3:E5", "10,20-40,60%", "centre"),
    *(f"{row} {column}" for row in ("top", "bottom") for column in ("left", "right")),
    *("top", "bottom", "left", "right", "left half", "right half", "top half", "bottom half"),
)


@app_commands.command(description="Draw a part of a picture anew; the rest stays exactly as it is")
@app_commands.describe(
    prompt="In a few words: what that part should become",
    region="Which part: cells like B2:D4, words like top left. Without it I show you the grid",
    mask="Or a file in the picture's shape: white or transparent is drawn anew",
    picture="The number of a picture in this Scene; without it, your current one",
    **{name: text for name, text in HELP.items() if name != "size"},
)
async def repaint(
    interaction: discord.Interaction[ArtBot],
    prompt: Prompt,
    region: Region | None = None,
    mask: discord.Attachment | None = None,
    picture: Number | None = None,
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
    bot, asker = interaction.client, Asker.of(interaction)
    chosen = await bot.reach.numbered_here(asker, picture)
    if region is None and mask is None:
        await show_grid(interaction, chosen, prompt, wanted)
        return
    wish = Wish(asker=asker, words=prompt, options=wanted)
    receipt = await bot.repainting.of_command(wish, chosen, region, mask)
    await interaction.edit_original_response(content=receipt.sentence)


async def complete_region(
    interaction: discord.Interaction[ArtBot],  # noqa: ARG001 - discord.py's signature
    current: str,
) -> list[app_commands.Choice[str]]:
    """Examples: whatever is typed is taken, whether it is among them or not."""
    typed = current.strip().lower()
    return offered([example for example in _EXAMPLES if typed in example.lower()])


repaint.autocomplete("region")(complete_region)
repaint.autocomplete("model")(complete_model)
repaint.autocomplete("sampler")(complete_sampler)
repaint.autocomplete("style")(complete_style)
