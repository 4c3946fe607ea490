"""/log: who changed what in this server, and where that is posted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from bot import texts
from bot.asker import guild_of
from bot.components.log_pages import MOST_PAGES, show_log
from bot.errors import BadOption, NotAllowed
from bot.places import lacks_to_write
from bot.store import AuditEntry

if TYPE_CHECKING:
    from bot.client import ArtBot


class TextChannel(app_commands.Transformer):
    """Whatever Discord offers for it, as it is: discord.py's own fails for a channel that the bot does not see."""

    @property
    def type(self) -> discord.AppCommandOptionType:
        return discord.AppCommandOptionType.channel

    @property
    def channel_types(self) -> list[discord.ChannelType]:
        return [discord.ChannelType.text, discord.ChannelType.news]

    async def transform(
        self,
        interaction: discord.Interaction[Any],  # noqa: ARG002 - discord.py's signature
        value: Any,
        /,
    ) -> app_commands.AppCommandChannel:
        assert isinstance(value, app_commands.AppCommandChannel)  # what Discord sends for this type
        return value


class LogCommands(
    app_commands.Group,
    name="log",
    description="What moderators, the host and my safety checks did in this server",
    guild_only=True,
    default_permissions=discord.Permissions(manage_guild=True),
):
    """Who may use it is Discord's matter: a default that admins can hand on in their server's own settings."""

    @app_commands.command(description="Show the log of this server, newest first")
    @app_commands.describe(
        person="Only what they did or what was done to them", page="Which page; 1 is the newest"
    )
    async def show(
        self,
        interaction: discord.Interaction[ArtBot],
        person: discord.User | None = None,
        page: app_commands.Range[int, 1, MOST_PAGES] = 1,
    ) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await show_log(interaction, person.id if person is not None else None, page)

    @app_commands.command(description="Post every entry of the log in a channel too, or no longer")
    @app_commands.describe(channel="Where I may write. Left out: nowhere any more")
    async def channel(
        self,
        interaction: discord.Interaction[ArtBot],
        channel: app_commands.Transform[app_commands.AppCommandChannel, TextChannel] | None = None,
    ) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        guild_id = guild_of(interaction)
        if channel is not None:
            _check_suits(channel)
        await _set(interaction, guild_id, channel.id if channel is not None else None)
        said = texts.LOG_CHANNEL_CLEARED if channel is None else texts.log_channel_set(channel.id)
        await interaction.edit_original_response(content=said)


def _check_suits(channel: app_commands.AppCommandChannel) -> None:
    """Raises BadOption for what is no place for texts, NotAllowed where the bot may not write."""
    known = channel.resolve()
    if not isinstance(known, discord.TextChannel):
        raise BadOption(texts.LOG_CHANNEL_IS_NO_CHANNEL)
    if lacking := lacks_to_write(known):
        raise NotAllowed(texts.missing_permissions(lacking, known.mention))


async def _set(interaction: discord.Interaction[ArtBot], guild_id: int, channel_id: int | None) -> None:
    """Logged, and in the old channel too if it is closed: there people see that it ends. Raises BadOption."""
    bot = interaction.client
    before = (await bot.store.servers.of(guild_id)).log_channel_id
    if before == channel_id:
        already = (
            texts.LOG_CHANNEL_NOT_SET if channel_id is None else texts.log_channel_is_that_already(channel_id)
        )
        raise BadOption(already)
    entry = AuditEntry(
        guild_id=guild_id,
        at=bot.now(),
        actor_id=interaction.user.id,
        action=texts.DID_SET_LOG,
        before=texts.channel_named(before),
        after=texts.channel_named(channel_id),
    )
    async with bot.audit.change(entry) as tx:
        await bot.store.servers.set(tx, guild_id, log_channel_id=channel_id)
