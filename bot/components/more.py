"""The *More…* list of a card: what is wanted too seldom for a button."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import discord
from discord import ui

from bot import texts
from bot.answers import answering
from bot.asker import Asker
from bot.blocks import Guarded
from bot.components.choices import chosen_in, number_in
from bot.components.deleting import ask_to_delete
from bot.components.history import show_history
from bot.components.pieces import begin_placing
from bot.components.recipes import show_recipe
from bot.components.repainting import show_grid
from bot.components.sharing import show_sharing
from bot.custom_ids import MORE_TEMPLATE, Target, more_id
from bot.errors import Gone

if TYPE_CHECKING:
    from bot.client import ArtBot

_HISTORY, _RECIPE, _STRIP, _SHARE, _DELETE = "history", "recipe", "strip", "share", "delete-"
_REPAINT, _PLACE = "repaint", "place"


class MoreSelect(Guarded, ui.DynamicItem[ui.Select[Any]], template=MORE_TEMPLATE):
    """Its choices are only needed to draw it; which was taken comes with the interaction.

    candidates: (candidate, number in the Scene) of the pictures that can be deleted one by one.
    """

    def __init__(self, job_id: int, candidates: Sequence[tuple[int, int]] = ()) -> None:
        self.job_id = job_id
        super().__init__(
            ui.Select(custom_id=more_id(job_id), placeholder=texts.MORE, options=_choices(candidates))
        )

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's signature
        item: ui.Item[Any],  # noqa: ARG003
        match: re.Match[str],
    ) -> Self:
        return cls(int(match["job"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answering(interaction):
            await interaction.response.defer(ephemeral=True, thinking=True)
            await _carry_out(interaction, self.job_id, chosen_in(interaction))


def _choices(candidates: Sequence[tuple[int, int]]) -> list[discord.SelectOption]:
    choices = [
        discord.SelectOption(label=texts.MORE_HISTORY, description=texts.MORE_HISTORY_HELP, value=_HISTORY),
        discord.SelectOption(label=texts.MORE_RECIPE, description=texts.MORE_RECIPE_HELP, value=_RECIPE),
        discord.SelectOption(label=texts.REPAINT_PART, description=texts.REPAINT_PART_HELP, value=_REPAINT),
        discord.SelectOption(label=texts.MORE_STRIP, description=texts.MORE_STRIP_HELP, value=_STRIP),
        discord.SelectOption(label=texts.MORE_PLACE, description=texts.MORE_PLACE_HELP, value=_PLACE),
        discord.SelectOption(label=texts.MORE_SHARE, description=texts.MORE_SHARE_HELP, value=_SHARE),
    ]
    if len(candidates) > 1:  # the only one goes with its card
        choices += [
            discord.SelectOption(
                label=texts.more_delete(number),
                description=texts.more_delete_help(candidate),
                value=f"{_DELETE}{candidate}",
            )
            for candidate, number in candidates
        ]
    return choices


async def _carry_out(interaction: discord.Interaction[ArtBot], job_id: int, chosen: str) -> None:
    store = interaction.client.store
    if chosen == _SHARE:
        await show_sharing(interaction, None)
        return
    job = await store.job(job_id)
    if job is None or job.deleted:
        raise Gone(texts.PICTURE_WAS_DELETED)
    if chosen == _HISTORY:
        await show_history(interaction, await store.scene(job.scene_id))
    elif chosen == _RECIPE:
        picture, _ = await interaction.client.reach.candidate(job, 0, interaction.user.id)
        await show_recipe(interaction, picture.id)
    elif chosen == _REPAINT:
        picture, _ = await interaction.client.reach.candidate(job, 0, interaction.user.id)
        await show_grid(interaction, picture)
    elif chosen == _STRIP:
        receipt = await interaction.client.doors.strip_of(Asker.of(interaction), job_id)
        await interaction.edit_original_response(content=receipt.sentence)
    elif chosen == _PLACE:
        picture, _ = await interaction.client.reach.candidate(job, 0, interaction.user.id)
        await begin_placing(interaction, picture.id)
    elif chosen.startswith(_DELETE):
        found = await store.found_on_card(
            job_id, number_in(chosen.removeprefix(_DELETE)), interaction.user.id
        )
        if found is None:
            raise Gone(texts.DELETED_ALREADY)
        await ask_to_delete(interaction, Target(picture_id=found.picture.id))
    else:
        raise Gone(texts.NOT_A_CHOICE)
