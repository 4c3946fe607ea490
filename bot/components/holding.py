"""What moderators press about jobs that wait for them: in the log channel, else on cards; and in /words held."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import discord
from discord import ui

from bot import texts
from bot.answers import answering
from bot.asker import guild_of
from bot.blocks import Guarded
from bot.custom_ids import HOLD_TEMPLATE, Ruling, hold_id
from bot.delivery import NOBODY
from bot.errors import NotAllowed

if TYPE_CHECKING:
    from bot.client import ArtBot

_LABELS = {Ruling.THROUGH: texts.LET_THROUGH, Ruling.REFUSE: texts.REFUSE_HELD}
_STYLES = {Ruling.THROUGH: discord.ButtonStyle.success, Ruling.REFUSE: discord.ButtonStyle.danger}

_MOST_LISTED = 8
"""Discord allows 40 components in a message, and each takes four."""


class Held(NamedTuple):
    """A job that waits, in a line for moderators."""

    job_id: int
    line: str


class HoldButton(Guarded, ui.DynamicItem[ui.Button[Any]], template=HOLD_TEMPLATE):
    """Who presses it is asked again: cards are everybody's to see."""

    def __init__(self, job_id: int, ruling: Ruling) -> None:
        button = ui.Button[Any](
            label=_LABELS[ruling], style=_STYLES[ruling], custom_id=hold_id(job_id, ruling)
        )
        super().__init__(button)
        self.job_id = job_id
        self.ruling = ruling

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's signature
        item: ui.Item[Any],  # noqa: ARG003
        match: re.Match[str],
    ) -> Self:
        return cls(int(match["job"]), Ruling(match["ruling"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answering(interaction):
            await interaction.response.defer()
            guild_id = guild_of(interaction)
            if not interaction.permissions.manage_guild:
                raise NotAllowed(texts.HELD_IS_FOR_MANAGERS)
            said = await _rule(interaction, guild_id, self.job_id, self.ruling)
            await interaction.followup.send(said, ephemeral=True)
            await _show_decided(interaction, guild_id, said)


async def _rule(interaction: discord.Interaction[ArtBot], guild_id: int, job_id: int, ruling: Ruling) -> str:
    holding = interaction.client.holding
    if ruling is Ruling.THROUGH:
        job = await holding.let_through(guild_id, job_id, by=interaction.user.id)
        return texts.was_let_through(job.id, job.author_id)
    job = await holding.refuse(guild_id, job_id, by=interaction.user.id)
    return texts.was_not_let_through(job.id, job.author_id)


async def _show_decided(interaction: discord.Interaction[ArtBot], guild_id: int, said: str) -> None:
    """In the message that the button is on; a card is shown anew by the job itself."""
    message = interaction.message
    assert message is not None  # a button hangs on a message
    if message.flags.ephemeral:
        view = held_view(await interaction.client.holding.held_in(guild_id))
    elif await interaction.client.store.post_of_message(message.id) is None:
        view = _one_line(texts.was_decided(said, interaction.user.id))
    else:
        return
    await interaction.edit_original_response(view=view, allowed_mentions=NOBODY)


def hold_row(job_id: int) -> ui.ActionRow[Any]:
    return ui.ActionRow(*(HoldButton(job_id, ruling) for ruling in Ruling))


def one_held_view(held: Held) -> ui.LayoutView:
    """The message to the moderators."""
    view = _one_line(held.line)
    view.add_item(hold_row(held.job_id))
    return view


def held_view(waiting: Sequence[Held]) -> ui.LayoutView:
    """What /words held shows."""
    if not waiting:
        return _one_line(texts.NOTHING_HELD)
    shown = waiting[:_MOST_LISTED]
    view = _one_line(texts.held_heading(len(waiting), len(shown)))
    for item in _rows(shown):
        view.add_item(item)
    return view


def _rows(waiting: Iterable[Held]) -> Iterable[ui.Item[Any]]:
    for held in waiting:
        yield ui.TextDisplay(held.line)
        yield hold_row(held.job_id)


def _one_line(line: str) -> ui.LayoutView:
    view = ui.LayoutView(timeout=None)
    view.add_item(ui.TextDisplay(line))
    return view
