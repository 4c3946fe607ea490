"""The *More…* list of a card: what is wanted too seldom for a button."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self, cast

import discord
from discord import ui

from bot import texts
from bot.answers import answering
from bot.components.deleting import ask_to_delete
from bot.components.history import show_history
from bot.components.sharing import show_sharing
from bot.custom_ids import MORE_TEMPLATE, Target, more_id
from bot.errors import Gone
from bot.recipe import recipe_text

if TYPE_CHECKING:
    from bot.client import ArtBot

_HISTORY, _RECIPE, _SHARE, _DELETE = "history", "recipe", "share", "delete-"


class MoreSelect(ui.DynamicItem[ui.Select[Any]], template=MORE_TEMPLATE):
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
            chosen = cast("dict[str, list[str]]", interaction.data)["values"][0]
            await _carry_out(cast("discord.Interaction[ArtBot]", interaction), self.job_id, chosen)


def _choices(candidates: Sequence[tuple[int, int]]) -> list[discord.SelectOption]:
    choices = [
        discord.SelectOption(label=texts.MORE_HISTORY, description=texts.MORE_HISTORY_HELP, value=_HISTORY),
        discord.SelectOption(label=texts.MORE_RECIPE, description=texts.MORE_RECIPE_HELP, value=_RECIPE),
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
        parent = await store.picture(job.parent_id) if job.parent_id is not None else None
        await interaction.edit_original_response(
            content=recipe_text(job, parent.number if parent is not None else None)
        )
    elif chosen.startswith(_DELETE):
        found = await store.found_on_card(job_id, int(chosen.removeprefix(_DELETE)), interaction.user.id)
        if found is None:
            raise Gone(texts.DELETED_ALREADY)
        await ask_to_delete(interaction, Target(picture_id=found.picture.id))
    else:
        raise Gone(texts.NOT_A_CHOICE)
