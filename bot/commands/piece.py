"""/piece: a part of a picture, or a file, becomes a piece of its own; with a prompt it is drawn on its own at once."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot import texts
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
from bot.errors import BadOption
from bot.options import Options
from bot.pieces import NAME_LENGTH, Cutting

if TYPE_CHECKING:
    from bot.client import ArtBot

_REMOVE = "remove"
_GRID_FILE = "grid.webp"


@app_commands.command(
    description="Cut a piece out of a picture, or take one from a file, to place it elsewhere"
)
@app_commands.describe(
    region="Which part: B2:D4, ellipse B2:D4, top left … or ? to see the grid",
    name="What you will call it",
    background="Take a flat background away",
    file="Your own picture as the piece: PNG, JPEG or WEBP, transparent where it should be",
    picture="The number of the picture to cut from; without it your current one",
    prompt="Draw the piece anew on its own: what it should become",
    **{name: text for name, text in HELP.items() if name != "size"},
)
@app_commands.choices(background=[app_commands.Choice(name=_REMOVE, value=_REMOVE)])
async def piece(
    interaction: discord.Interaction[ArtBot],
    region: app_commands.Range[str, 1, 200] | None = None,
    name: app_commands.Range[str, 1, NAME_LENGTH] | None = None,
    background: str | None = None,
    file: discord.Attachment | None = None,
    picture: app_commands.Range[int, 1] | None = None,
    prompt: Prompt | None = None,
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
    cutting = Cutting(
        name=name, region=region, number=picture, file=file, clear_background=background is not None
    )
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
    asker = Asker.of(interaction)
    if _asks_for_grid(cutting, prompt):
        await _show_grid(interaction, asker, picture)
    elif prompt is not None:
        receipt = await interaction.client.pieces.draw(asker, cutting, prompt, wanted)
        await interaction.edit_original_response(content=receipt.sentence)
    elif wanted != Options():
        raise BadOption(texts.PIECE_NEEDS_WORDS)
    else:
        sentence = await interaction.client.pieces.keep(asker, cutting)
        await interaction.edit_original_response(content=sentence)


piece.autocomplete("model")(complete_model)
piece.autocomplete("sampler")(complete_sampler)
piece.autocomplete("style")(complete_style)


def _asks_for_grid(cutting: Cutting, prompt: str | None) -> bool:
    """Whoever says nothing at all is shown how to say it."""
    if cutting.region is not None:
        return cutting.region.strip(" ?") == "" and cutting.file is None
    return prompt is None and cutting in (Cutting(), Cutting(number=cutting.number))


async def _show_grid(interaction: discord.Interaction[ArtBot], asker: Asker, number: int | None) -> None:
    bot = interaction.client
    picture = await bot.reach.numbered_here(asker, number)
    grid = await bot.repainting.grid(asker, picture)
    await interaction.edit_original_response(
        content=texts.grid_of_picture(picture.number),
        attachments=[discord.File(io.BytesIO(grid), _GRID_FILE)],
    )
