"""Delete: asks first, and takes a second press for an answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self, cast

import discord
from discord import ui

from bot import texts
from bot.answers import answering
from bot.blocks import Guarded
from bot.custom_ids import ERASE_TEMPLATE, Step, Target, erase_id

if TYPE_CHECKING:
    from bot.client import ArtBot

_LABELS = {Step.ASK: texts.DELETE, Step.YES: texts.DELETE_FOR_GOOD}
_STYLES = {Step.ASK: discord.ButtonStyle.secondary, Step.YES: discord.ButtonStyle.danger}


class DeleteButton(Guarded, ui.DynamicItem[ui.Button[Any]], template=ERASE_TEMPLATE):
    """On a card or picture it asks; below the question it does it."""

    def __init__(self, target: Target, step: Step = Step.ASK) -> None:
        super().__init__(
            ui.Button(label=_LABELS[step], style=_STYLES[step], custom_id=erase_id(target, step))
        )
        self.target = target
        self.step = step

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's signature
        item: ui.Item[Any],  # noqa: ARG003
        match: re.Match[str],
    ) -> Self:
        number = int(match["id"])
        target = Target(picture_id=number) if match["kind"] == "p" else Target(job_id=number)
        return cls(target, Step(match["step"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answering(interaction):
            if self.step is Step.ASK:
                await interaction.response.defer(ephemeral=True, thinking=True)
                await ask_to_delete(interaction, self.target)
            else:
                await _delete(interaction, self.target)


async def ask_to_delete(interaction: discord.Interaction[ArtBot], target: Target) -> None:
    """Answer, after an ephemeral defer, with what would go and the button that does it. Raises Refusal."""
    condemned = await interaction.client.deletion.ask(
        target, interaction.user.id, moderates=interaction.permissions.manage_messages
    )
    view = ui.View(timeout=None)
    view.add_item(DeleteButton(target, Step.YES))
    running = condemned.job is not None and condemned.job.state.waits_or_runs
    question = texts.really_delete(condemned.numbers, card=condemned.job is not None, running=running)
    await interaction.edit_original_response(content=question, view=view)


async def _delete(interaction: discord.Interaction[Any], target: Target) -> None:
    """The question itself becomes the answer, so that it cannot be pressed again."""
    await interaction.response.defer()
    condemned = await cast("discord.Interaction[ArtBot]", interaction).client.deletion.delete(
        target, interaction.user.id, moderates=interaction.permissions.manage_messages
    )
    await interaction.edit_original_response(content=texts.deleted(condemned.numbers), view=None)
