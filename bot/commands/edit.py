"""/edit: crop, extend, turn, mirror, enlarge, compare. At once, for no model is asked."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal, TypeAlias

import discord
from discord import app_commands

from bot import options, texts
from bot.asker import Asker
from bot.shaping import SIDES
from bot.store import Picture

if TYPE_CHECKING:
    from bot.client import ArtBot

Number: TypeAlias = app_commands.Range[int, 1, 1_000_000]
Region: TypeAlias = app_commands.Range[str, 1, options.PROMPT_LENGTH]

_WHICH = "The number of a picture of this Scene; your current one if you leave it out"


class EditCommands(app_commands.Group, name="edit", description="Change a picture's shape, at once"):
    @app_commands.command(description="Make a picture larger; nothing is drawn anew")
    @app_commands.describe(factor="How many times as wide and as high", picture=_WHICH)
    async def upscale(
        self,
        interaction: discord.Interaction[ArtBot],
        factor: Literal[2, 4],
        picture: Number | None = None,
    ) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        shaping = interaction.client.shaping
        await _answer(interaction, *await shaping.upscale(Asker.of(interaction), picture, factor))

    @app_commands.command(description="Keep a part of a picture and cut off the rest")
    @app_commands.describe(
        region="The part to keep: B2:D4, top left, 10,20-40,60%. Leave it out to see the picture under its grid",
        picture=_WHICH,
    )
    async def crop(
        self,
        interaction: discord.Interaction[ArtBot],
        region: Region | None = None,
        picture: Number | None = None,
    ) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        shaping, who = interaction.client.shaping, Asker.of(interaction)
        if region is not None:
            await _answer(interaction, *await shaping.crop(who, picture, region))
            return
        shown, grid = await shaping.grid(who, picture)
        file = discord.File(io.BytesIO(grid), f"grid-of-{shown.number}.webp")
        await interaction.edit_original_response(content=texts.NAME_A_PART, attachments=[file])

    @app_commands.command(description="Make room round a picture; a button then has the new part drawn")
    @app_commands.describe(
        sides="Where it grows",
        share="By how much of its width or height, in percent: 5 to 100 (25 if you leave it out)",
        picture=_WHICH,
    )
    @app_commands.choices(sides=[app_commands.Choice(name=name, value=name) for name in SIDES])
    async def extend(
        self,
        interaction: discord.Interaction[ArtBot],
        sides: str,
        share: int = 25,
        picture: Number | None = None,
    ) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        shaping = interaction.client.shaping
        await _answer(interaction, *await shaping.extend(Asker.of(interaction), picture, sides, share))

    @app_commands.command(description="Turn a picture")
    @app_commands.describe(
        degrees="Clockwise: 90, 180, -90; or a few, to set a horizon straight (its corners are cut off)",
        picture=_WHICH,
    )
    async def rotate(
        self,
        interaction: discord.Interaction[ArtBot],
        degrees: app_commands.Range[float, -360.0, 360.0],
        picture: Number | None = None,
    ) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        shaping = interaction.client.shaping
        await _answer(interaction, *await shaping.rotate(Asker.of(interaction), picture, degrees))

    @app_commands.command(description="Mirror a picture")
    @app_commands.describe(direction="Left to right if you leave it out", picture=_WHICH)
    async def flip(
        self,
        interaction: discord.Interaction[ArtBot],
        direction: Literal["left to right", "top to bottom"] = "left to right",
        picture: Number | None = None,
    ) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        shaping, upside_down = interaction.client.shaping, direction == "top to bottom"
        shown = await shaping.flip(Asker.of(interaction), picture, upside_down=upside_down)
        await _answer(interaction, *shown)

    @app_commands.command(description="See two pictures side by side and in turn, for you alone")
    @app_commands.rename(other="with")
    @app_commands.describe(other="The number of the other picture", picture=_WHICH)
    async def compare(
        self, interaction: discord.Interaction[ArtBot], other: Number, picture: Number | None = None
    ) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        both = await interaction.client.shaping.compare(Asker.of(interaction), picture, other)
        name = f"compared-{both.first}-{both.second}"
        files = [
            discord.File(io.BytesIO(both.sheet), f"{name}.png"),
            discord.File(io.BytesIO(both.film), f"{name}-in-turn.webp"),
        ]
        await interaction.edit_original_response(
            content=texts.compared(both.first, both.second), attachments=files
        )


async def _answer(
    interaction: discord.Interaction[ArtBot], picture: Picture, message: discord.Message
) -> None:
    is_here = message.channel.id == interaction.channel_id
    where = None if is_here else message.jump_url
    await interaction.edit_original_response(content=texts.was_shown(picture.number, where))
