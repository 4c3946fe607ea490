"""Whether a Scene is kept however long nobody uses it: what is so now, and a button for the other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self, cast

import discord
from discord import ui

from bot import texts
from bot.answers import answering
from bot.blocks import Guarded
from bot.custom_ids import KEEP_TEMPLATE, keep_id
from bot.errors import Gone, NotAllowed
from bot.store import Scene

if TYPE_CHECKING:
    from bot.client import ArtBot


class KeepButton(Guarded, ui.DynamicItem[ui.Button[Any]], template=KEEP_TEMPLATE):
    def __init__(self, scene_id: int, *, on: bool) -> None:
        label = texts.KEEP if on else texts.DO_NOT_KEEP
        super().__init__(ui.Button(label=label, custom_id=keep_id(scene_id, on=on)))
        self.scene_id = scene_id
        self.on = on

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's signature
        item: ui.Item[Any],  # noqa: ARG003
        match: re.Match[str],
    ) -> Self:
        return cls(int(match["scene"]), on=match["how"] == "on")

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answering(interaction):
            await interaction.response.defer()
            await show_keeping(
                cast("discord.Interaction[ArtBot]", interaction), self.scene_id, wanted=self.on
            )


async def show_keeping(
    interaction: discord.Interaction[ArtBot], scene_id: int, *, wanted: bool | None
) -> None:
    """Set it if something is wanted, then say what is so, in the answer that was deferred. Raises Refusal."""
    bot = interaction.client
    scene = await _own(interaction, scene_id)
    kept = scene.pinned if wanted is None else wanted
    if kept != scene.pinned:
        async with bot.store.transaction() as tx:
            await bot.store.pin(tx, scene_id, pinned=kept)
    days = await bot.retention.days_of(scene.guild_id)
    view = ui.View(timeout=None)
    view.add_item(KeepButton(scene_id, on=not kept))
    await interaction.edit_original_response(
        content=texts.scene_is_kept(scene.title, days, kept=kept), view=view
    )


async def _own(interaction: discord.Interaction[ArtBot], scene_id: int) -> Scene:
    """A Scene about which they have a say; that it is of this server is known. Raises Gone, NotAllowed."""
    scene = await interaction.client.store.scene_if_any(scene_id)
    if scene is None:
        raise Gone(texts.NO_SCENE_HERE)
    if interaction.user.id != scene.owner_id and not interaction.permissions.manage_messages:
        raise NotAllowed(texts.NOT_FOR_YOU_TO_KEEP)
    return scene
