"""What /log show shows: the server's log, newest first, with buttons to turn its pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self, cast

import discord
from discord import ui

from bot import texts
from bot.answers import answering
from bot.blocks import Guarded
from bot.custom_ids import LOG_TEMPLATE, log_id
from bot.delivery import NOBODY
from bot.errors import BadOption, NotAllowed
from bot.places import lacks_to_write

if TYPE_CHECKING:
    from bot.client import ArtBot

PAGE = 10
MOST_PAGES = 99_999


class LogButton(Guarded, ui.DynamicItem[ui.Button[Any]], template=LOG_TEMPLATE):
    """Shows that page in the same message. Pages count from 1."""

    def __init__(self, person_id: int | None, page: int, label: str = texts.LOG_OLDER) -> None:
        super().__init__(ui.Button(label=label, custom_id=log_id(person_id, page)))
        self.person_id = person_id
        self.page = page

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's signature
        item: ui.Item[Any],  # noqa: ARG003
        match: re.Match[str],
    ) -> Self:
        return cls(int(match["person"]) or None, int(match["page"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answering(interaction):
            await interaction.response.defer()
            if interaction.guild_id is None or not interaction.permissions.manage_guild:
                raise NotAllowed(texts.LOG_IS_FOR_MANAGERS)
            await show_log(interaction, self.person_id, self.page)


async def show_log(interaction: discord.Interaction[Any], person_id: int | None, page: int) -> None:
    """Put that page into the deferred answer. Raises BadOption where there is none, and only the first may be empty."""
    bot = cast("discord.Interaction[ArtBot]", interaction).client
    guild = interaction.guild
    assert guild is not None  # the command is for servers only, and the button asks
    entries = await bot.store.audits.latest(guild.id, PAGE + 1, skip=PAGE * (page - 1), person_id=person_id)
    if page > 1 and not entries:
        raise BadOption(texts.nothing_on_page(page))
    view = ui.LayoutView(timeout=None)
    trouble = await _trouble(bot, guild)
    view.add_item(ui.TextDisplay(texts.log_page(entries[:PAGE], page, person_id, trouble)))
    buttons = [LogButton(person_id, page - 1, texts.LOG_NEWER)] if page > 1 else []
    buttons += [LogButton(person_id, page + 1, texts.LOG_OLDER)] if len(entries) > PAGE else []
    if buttons:
        view.add_item(ui.ActionRow[Any](*buttons))
    await interaction.edit_original_response(view=view, allowed_mentions=NOBODY)


async def _trouble(bot: ArtBot, guild: discord.Guild) -> str:
    """What keeps entries from the log channel, empty when nothing does."""
    channel_id = (await bot.store.servers.of(guild.id)).log_channel_id
    if channel_id is None:
        return ""
    channel = guild.get_channel(channel_id)
    works = isinstance(channel, discord.TextChannel) and not lacks_to_write(channel)
    return "" if works else texts.log_channel_lost(channel_id)
