"""/line-admin: moderators pause their server's line, end jobs in it or move one to its front."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

import discord
from discord import app_commands

from bot import texts
from bot.asker import guild_of
from bot.commands.mod import Reason
from bot.names import names_for
from bot.store import Job, JobState

if TYPE_CHECKING:
    from bot.client import ArtBot

JobNumber: TypeAlias = app_commands.Range[int, 1, 2**53 - 1]

_MOST_CHOICES = 25
"""Discord shows no more."""


class LineAdminCommands(
    app_commands.Group,
    name="line-admin",
    description="Change this server's own line",
    guild_only=True,
    default_permissions=discord.Permissions(manage_guild=True),
):
    """Who may use it is Discord's matter: a default that admins can hand on in their server's own settings."""

    @app_commands.command(description="Start nothing more of this server until you resume")
    @app_commands.describe(reason=texts.REASON_HELP)
    async def pause(self, interaction: discord.Interaction[ArtBot], reason: Reason) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        waiting = await interaction.client.line_admin.pause(
            guild_of(interaction), by=interaction.user.id, reason=reason
        )
        await interaction.edit_original_response(content=texts.line_is_paused(reason, waiting))

    @app_commands.command(description="Let this server's line move again")
    async def resume(self, interaction: discord.Interaction[ArtBot]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.client.line_admin.resume(guild_of(interaction), by=interaction.user.id)
        await interaction.edit_original_response(content=texts.LINE_RESUMED)

    @app_commands.command(description="End one job that waits or runs in this server")
    @app_commands.describe(job="Which: choose from the list", reason=texts.REASON_HELP)
    async def drop(self, interaction: discord.Interaction[ArtBot], job: JobNumber, reason: Reason) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        dropped = await interaction.client.line_admin.drop(
            guild_of(interaction), job, by=interaction.user.id, reason=reason
        )
        await interaction.edit_original_response(content=texts.was_dropped(dropped.id, dropped.author_id))

    @app_commands.command(description="Put one waiting job first in this server's line")
    @app_commands.describe(job="Which: choose from the list", reason=texts.REASON_HELP)
    async def move(self, interaction: discord.Interaction[ArtBot], job: JobNumber, reason: Reason) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        moved = await interaction.client.line_admin.move(
            guild_of(interaction), job, by=interaction.user.id, reason=reason
        )
        await interaction.edit_original_response(content=texts.was_moved(moved.id, moved.author_id))

    @app_commands.command(description="End every job that waits in this server, or those of one person")
    @app_commands.describe(reason=texts.REASON_HELP, person="Only theirs")
    async def clear(
        self, interaction: discord.Interaction[ArtBot], reason: Reason, person: discord.User | None = None
    ) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        count = await interaction.client.line_admin.clear(
            guild_of(interaction),
            person.id if person is not None else None,
            by=interaction.user.id,
            reason=reason,
        )
        await interaction.edit_original_response(content=texts.was_cleared(count))

    @drop.autocomplete("job")
    @move.autocomplete("job")
    async def _complete_job(
        self, interaction: discord.Interaction[ArtBot], current: str
    ) -> list[app_commands.Choice[int]]:
        """By who asked, how and their place; never by a prompt."""
        bot = interaction.client
        jobs = await bot.moderating.jobs_in(guild_of(interaction))
        names = await names_for(interaction, (job.author_id for job in jobs))
        choices = [app_commands.Choice(name=_label(bot, job, names), value=job.id) for job in jobs]
        return [choice for choice in choices if current.lower() in choice.name.lower()][:_MOST_CHOICES]


def _label(bot: ArtBot, job: Job, names: Mapping[int, str]) -> str:
    name = names.get(job.author_id, texts.SOMEBODY)
    turn = bot.jobs.line.turn(job.id)
    return texts.job_choice(
        job.id, job.kind, name, turn.place if turn else 0, runs=job.state is JobState.RUNNING
    )
