"""/limits: moderators turn the rules of their server from inside Discord. Kept in the database, effective at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
import structlog
from discord import app_commands

from bot import texts
from bot.errors import BadOption, NotAllowed
from bot.limits import RULES, Rule, limits_from

if TYPE_CHECKING:
    from bot.client import ArtBot

log = structlog.get_logger(__name__)

_RULES = {rule.field: rule for rule in RULES}
_PERSON, _SERVER = _RULES["waiting_per_person"], _RULES["waiting_per_server"]
_STEPS, _CANDIDATES = _RULES["most_steps"], _RULES["most_candidates"]
_RECIPES = _RULES["recipes"]


class LimitsCommands(
    app_commands.Group,
    name="limits",
    description="What people may ask of me in this server",
    guild_only=True,
    default_permissions=discord.Permissions(manage_guild=True),
):
    """Who may use it is Discord's matter: a default that admins can hand on in their server's own settings."""

    @app_commands.command(description="Show the limits of this server")
    async def show(self, interaction: discord.Interaction[ArtBot]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        own = await interaction.client.store.limits_set_in(_guild(interaction))
        now = limits_from(own)
        rows = [(rule.option, _said(rule, getattr(now, rule.field)), rule.field in own) for rule in RULES]
        await interaction.edit_original_response(content=texts.limits_table(rows))

    @app_commands.command(description="Change limits of this server")
    @app_commands.rename(
        waiting_per_person=_PERSON.option,
        waiting_per_server=_SERVER.option,
        most_steps=_STEPS.option,
        most_candidates=_CANDIDATES.option,
        recipes=_RECIPES.option,
    )
    @app_commands.describe(**{rule.field: rule.help for rule in RULES})
    async def set(
        self,
        interaction: discord.Interaction[ArtBot],
        waiting_per_person: app_commands.Range[int, _PERSON.low, _PERSON.high] | None = None,
        waiting_per_server: app_commands.Range[int, _SERVER.low, _SERVER.high] | None = None,
        most_steps: app_commands.Range[int, _STEPS.low, _STEPS.high] | None = None,
        most_candidates: app_commands.Range[int, _CANDIDATES.low, _CANDIDATES.high] | None = None,
        recipes: bool | None = None,
    ) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        wanted = {
            "waiting_per_person": waiting_per_person,
            "waiting_per_server": waiting_per_server,
            "most_steps": most_steps,
            "most_candidates": most_candidates,
            "recipes": recipes,
        }
        changes = {_RULES[field]: int(value) for field, value in wanted.items() if value is not None}
        if not changes:
            raise BadOption(texts.NO_LIMIT_NAMED)
        await interaction.edit_original_response(content=await _change(interaction, changes))

    @app_commands.command(description="Put all limits of this server back to their defaults")
    async def reset(self, interaction: discord.Interaction[ArtBot]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        store = interaction.client.store
        async with store.transaction() as tx:
            await store.reset_limits(tx, _guild(interaction))
        log.info("limits reset", server=interaction.guild_id, by=interaction.user.id)
        await interaction.edit_original_response(content=texts.LIMITS_RESET)


async def _change(interaction: discord.Interaction[ArtBot], changes: dict[Rule, int]) -> str:
    bot, guild_id = interaction.client, _guild(interaction)
    before = limits_from(await bot.store.limits_set_in(guild_id))
    async with bot.store.transaction() as tx:
        for rule, value in changes.items():
            await bot.store.set_limit(tx, guild_id, rule.field, value, by=interaction.user.id, now=bot.now())
    named = {rule.option: value for rule, value in changes.items()}
    log.info("limits changed", server=guild_id, by=interaction.user.id, to=named)
    return texts.limits_changed(
        (rule.option, _said(rule, getattr(before, rule.field)), _said(rule, value))
        for rule, value in changes.items()
    )


def _said(rule: Rule, value: int) -> str:
    return texts.switch(bool(value)) if rule.is_switch else str(value)


def _guild(interaction: discord.Interaction[ArtBot]) -> int:
    if interaction.guild_id is None:
        raise NotAllowed(texts.ONLY_IN_SERVERS)
    return interaction.guild_id
