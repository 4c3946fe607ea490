"""The buttons of a Card, and what pressing them does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self

import discord
from discord import ui

from bot import texts
from bot.answers import answering
from bot.asker import Asker
from bot.blocks import Guarded
from bot.components.forms import Subject, form_about, open_form
from bot.components.pieces import begin_placing
from bot.custom_ids import BUTTON_TEMPLATE, Action, How, button_id
from bot.delivery import NOBODY, files_on
from bot.errors import Gone

if TYPE_CHECKING:
    from bot.client import ArtBot

_STYLES = {Action.AGAIN: discord.ButtonStyle.primary, Action.CANCEL: discord.ButtonStyle.danger}


class ActionButton(Guarded, ui.DynamicItem[ui.Button[Any]], template=BUTTON_TEMPLATE):
    """One button of a Card; everything it knows is in its custom_id. strength: what the pick is called on a strip."""

    def __init__(
        self,
        action: Action,
        job_id: int,
        candidate: int = 0,
        *,
        chosen: bool = False,
        strength: float | None = None,
    ) -> None:
        style = discord.ButtonStyle.success if chosen else _STYLES.get(action, discord.ButtonStyle.secondary)
        super().__init__(
            ui.Button(
                label=texts.button(action, candidate, strength),
                style=style,
                custom_id=button_id(action, job_id, candidate),
            )
        )
        self.action = action
        self.job_id = job_id
        self.candidate = candidate

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's signature
        item: ui.Item[Any],  # noqa: ARG003
        match: re.Match[str],
    ) -> Self:
        return cls(Action(match["action"]), int(match["job"]), int(match["candidate"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answering(interaction):
            match self.action:
                case Action.PICK:
                    await _pick(interaction, self.job_id, self.candidate)
                case Action.CANCEL:
                    await _cancel(interaction, self.job_id)
                case Action.REFINE:
                    await _refine(interaction, self.job_id, self.candidate)
                case Action.HARMONISE:
                    await _harmonise(interaction, self.job_id, self.candidate)
                case Action.PLACE:
                    await _place(interaction, self.job_id, self.candidate)
                case Action.AGAIN | Action.SUBTLE | Action.STRONG | Action.WHOLE:
                    await _go_on(interaction, self.action, self.job_id, self.candidate)


async def _pick(interaction: discord.Interaction[ArtBot], job_id: int, candidate: int) -> None:
    """Answered by editing the card in place: outside the channel's edit limit, and still a regular message."""
    bot = interaction.client
    await bot.doors.pick(job_id, candidate, interaction.user.id)
    content = await bot.jobs.render(job_id)
    assert interaction.message is not None  # a button hangs on a message
    kept = [file.as_attachment for file in files_on(interaction.message) if file.filename in content.needs]
    await interaction.response.edit_message(view=content.view, attachments=kept, allowed_mentions=NOBODY)


async def _refine(interaction: discord.Interaction[ArtBot], job_id: int, candidate: int) -> None:
    """A form can only be the first answer, so one read is all that comes before it."""
    bot = interaction.client
    found = await bot.store.found_on_card(job_id, candidate, interaction.user.id)
    if found is None:
        raise Gone(texts.PICTURE_WAS_DELETED)
    await open_form(interaction, *form_about(found, How.REFINE, bot.engine.models()[0].strength))


async def _harmonise(interaction: discord.Interaction[ArtBot], job_id: int, candidate: int) -> None:
    bot = interaction.client
    found = await bot.store.found_on_card(job_id, candidate, interaction.user.id)
    if found is None:
        raise Gone(texts.PICTURE_WAS_DELETED)
    subject = Subject("p", found.picture.id, How.WHOLE)
    await open_form(interaction, subject, await bot.harmonising.filled(Asker.of(interaction), *subject))


async def _place(interaction: discord.Interaction[ArtBot], job_id: int, candidate: int) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    reach = interaction.client.reach
    picture, _ = await reach.candidate(await reach.job(job_id), candidate, interaction.user.id)
    await begin_placing(interaction, picture.id)


async def _cancel(interaction: discord.Interaction[ArtBot], job_id: int) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    moderates = interaction.permissions.manage_messages
    await interaction.client.moderating.cancel(job_id, interaction.user.id, moderates=moderates)
    await interaction.edit_original_response(content=texts.CANCELLED)


async def _go_on(
    interaction: discord.Interaction[ArtBot], action: Action, job_id: int, candidate: int
) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    receipt = await interaction.client.doors.press(Asker.of(interaction), action, job_id, candidate)
    await interaction.edit_original_response(content=receipt.sentence)
