"""Who may go on from one's pictures: what is so now, and a button for the other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self, cast

import discord
from discord import ui

from bot import texts
from bot.answers import answering
from bot.blocks import Guarded
from bot.custom_ids import SHARE_TEMPLATE, share_id
from bot.store import Shares

if TYPE_CHECKING:
    from bot.client import ArtBot

_SAID = {Shares.EVERYONE: texts.SHARES_EVERYONE, Shares.MINE: texts.SHARES_MINE}
_LABELS = {Shares.EVERYONE: texts.SHARE_WITH_EVERYONE, Shares.MINE: texts.SHARE_WITH_NOBODY}


class ShareButton(Guarded, ui.DynamicItem[ui.Button[Any]], template=SHARE_TEMPLATE):
    def __init__(self, whom: Shares) -> None:
        super().__init__(ui.Button(label=_LABELS[whom], custom_id=share_id(whom)))
        self.whom = whom

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's signature
        item: ui.Item[Any],  # noqa: ARG003
        match: re.Match[str],
    ) -> Self:
        return cls(Shares(match["whom"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answering(interaction):
            await interaction.response.defer()
            await show_sharing(cast("discord.Interaction[ArtBot]", interaction), self.whom)


async def show_sharing(interaction: discord.Interaction[ArtBot], wanted: Shares | None) -> None:
    """Set it if something is wanted, then say what is so, in the answer that was deferred."""
    store, person_id = interaction.client.store, interaction.user.id
    if wanted is not None:
        async with store.transaction() as tx:
            await store.set_shares(tx, person_id, wanted)
    now = await store.shares(person_id)
    view = ui.View(timeout=None)
    view.add_item(ShareButton(Shares.MINE if now is Shares.EVERYONE else Shares.EVERYONE))
    await interaction.edit_original_response(content=_SAID[now], view=view)
