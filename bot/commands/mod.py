"""/mod: moderators keep somebody from using the bot in their server, or warn them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import discord
from discord import app_commands

from bot import texts
from bot.asker import guild_of
from bot.delivery import REFUSALS
from bot.durations import seconds_of
from bot.errors import NotAllowed

if TYPE_CHECKING:
    from bot.client import ArtBot

REASON_LENGTH = 300
WARNINGS_SHOWN = 5

Reason: TypeAlias = app_commands.Range[str, 1, REASON_LENGTH]


class ModCommands(
    app_commands.Group,
    name="mod",
    description="Who may use me in this server",
    guild_only=True,
    default_permissions=discord.Permissions(manage_guild=True),
):
    """Who may use it is Discord's matter: a default that admins can hand on in their server's own settings."""

    @app_commands.command(description="Keep somebody from using me in this server; their jobs here end")
    @app_commands.rename(duration="for")
    @app_commands.describe(person="Whom", reason=texts.REASON_HELP, duration=texts.DURATION_HELP)
    async def block(
        self,
        interaction: discord.Interaction[ArtBot],
        person: discord.User,
        reason: Reason,
        duration: app_commands.Range[str, 1, 40] = "forever",
    ) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        bot, guild_id = interaction.client, guild_of(interaction)
        _check_may_be_blocked(interaction, person)
        block, ended = await bot.moderating.block(
            guild_id, person.id, by=interaction.user.id, seconds=seconds_of(duration), reason=reason
        )
        await interaction.edit_original_response(content=texts.was_blocked(person.id, block.until, ended))

    @app_commands.command(description="Let somebody use me in this server again")
    @app_commands.describe(person="Whom", reason="Why, for the log")
    async def unblock(
        self, interaction: discord.Interaction[ArtBot], person: discord.User, reason: Reason | None = None
    ) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.client.moderating.unblock(
            guild_of(interaction), person.id, by=interaction.user.id, reason=reason or ""
        )
        await interaction.edit_original_response(content=texts.was_unblocked(person.id))

    @app_commands.command(description="Send somebody a warning in a private message")
    @app_commands.describe(person="Whom", reason="What you want them to know")
    async def warn(
        self, interaction: discord.Interaction[ArtBot], person: discord.User, reason: Reason
    ) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        guild_id = guild_of(interaction)
        if person.id == interaction.user.id:
            raise NotAllowed(texts.CANNOT_WARN_YOURSELF)
        if person.bot:
            raise NotAllowed(texts.CANNOT_WARN_BOTS)
        if not isinstance(person, discord.Member):
            # People of any server can be named; moderators here have nothing to say to those of others.
            raise NotAllowed(texts.not_a_member(person.id))
        await interaction.client.moderating.warn(guild_id, person.id, by=interaction.user.id, reason=reason)
        told = await _tell(interaction, person, reason)
        await interaction.edit_original_response(content=texts.was_warned(person.id, told=told))

    @app_commands.command(
        description="Show whether somebody is blocked here, their warnings and waiting jobs"
    )
    @app_commands.describe(person="Whom")
    async def show(self, interaction: discord.Interaction[ArtBot], person: discord.User) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        bot, guild_id = interaction.client, guild_of(interaction)
        block = await bot.store.blocks.of(guild_id, person.id, bot.now())
        waiting = await bot.moderating.jobs_of(guild_id, person.id)
        warnings = await bot.moderating.warnings(guild_id, person.id, WARNINGS_SHOWN)
        said = texts.shown_person(person.id, block, len(waiting), warnings, most=WARNINGS_SHOWN)
        await interaction.edit_original_response(content=said)


def _check_may_be_blocked(
    interaction: discord.Interaction[ArtBot], person: discord.User | discord.Member
) -> None:
    """Raises NotAllowed for those who would then be kept out by nobody's right, or are no people."""
    owner_id = interaction.guild.owner_id if interaction.guild is not None else None
    if person.id == interaction.user.id:
        raise NotAllowed(texts.CANNOT_BLOCK_YOURSELF)
    if person == interaction.client.user:
        raise NotAllowed(texts.CANNOT_BLOCK_ME)
    if person.bot:
        raise NotAllowed(texts.CANNOT_BLOCK_BOTS)
    if person.id in host_ids(interaction.client.application):
        raise NotAllowed(texts.CANNOT_BLOCK_HOST)
    if person.id == owner_id:
        raise NotAllowed(texts.CANNOT_BLOCK_OWNER)
    manages = isinstance(person, discord.Member) and person.guild_permissions.manage_guild
    if manages and interaction.user.id != owner_id:
        raise NotAllowed(texts.CANNOT_BLOCK_MANAGERS)


def host_ids(application: discord.AppInfo | None) -> frozenset[int]:
    """Who runs this bot, as far as Discord knows: the application's owner, or the members of its team."""
    if application is None:
        return frozenset()
    if application.team is not None:
        return frozenset(member.id for member in application.team.members)
    return frozenset({application.owner.id})


async def _tell(
    interaction: discord.Interaction[ArtBot], person: discord.User | discord.Member, reason: str
) -> bool:
    """False if they take no private messages from the bot, or left."""
    server = interaction.guild.name if interaction.guild is not None else ""
    try:
        await person.send(texts.warning(server, reason), nonce=f"w{interaction.id}")
    except REFUSALS:
        return False
    return True
