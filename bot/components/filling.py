"""Below a picture that was extended: the button that has the new part drawn."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self, cast

import discord
from discord import ui

from bot import texts
from bot.answers import answering
from bot.asker import Asker
from bot.blocks import Guarded
from bot.custom_ids import FILL_TEMPLATE, fill_id

if TYPE_CHECKING:
    from bot.client import ArtBot


class FillButton(Guarded, ui.DynamicItem[ui.Button[Any]], template=FILL_TEMPLATE):
    """corner: where in the picture the old one begins, in pixels from the left and from the top."""

    def __init__(self, picture_id: int, corner: tuple[int, int]) -> None:
        style = discord.ButtonStyle.primary
        super().__init__(
            ui.Button(label=texts.FILL_NEW_PART, style=style, custom_id=fill_id(picture_id, corner))
        )
        self.picture_id = picture_id
        self.corner = corner

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's signature
        item: ui.Item[Any],  # noqa: ARG003
        match: re.Match[str],
    ) -> Self:
        return cls(int(match["picture"]), (int(match["left"]), int(match["top"])))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answering(interaction):
            await interaction.response.defer(ephemeral=True, thinking=True)
            bot = cast("discord.Interaction[ArtBot]", interaction).client
            receipt = await bot.shaping.fill(Asker.of(interaction), self.picture_id, self.corner)
            await interaction.edit_original_response(content=receipt.sentence)
