"""/style: which styles there are, and those that a server adds for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
import structlog
from discord import app_commands, ui

from bot import texts
from bot.commands.asking import Name, Strength, offered
from bot.errors import BadOption, NotAllowed
from bot.options import STRENGTH, nearest
from bot.styles import NAME_LENGTH, NEGATIVE_LENGTH, TEMPLATE_LENGTH, as_name, built_in, own_style

if TYPE_CHECKING:
    from bot.client import ArtBot

log = structlog.get_logger(__name__)


class StyleCommands(app_commands.Group, name="style", description="Styles that pictures are drawn in"):
    """Discord lets a server close a command only as a whole, and everybody may see the list.

    So who may add and remove is asked here.
    """

    @app_commands.command(name="list", description="Show the styles there are")
    async def show(self, interaction: discord.Interaction[ArtBot]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        guild_id = interaction.guild_id
        own = await interaction.client.store.styles.of(guild_id) if guild_id is not None else None
        view = ui.LayoutView(timeout=None)
        view.add_item(ui.TextDisplay(texts.styles_listed(own, built_in())))
        await interaction.edit_original_response(view=view)

    @app_commands.command(description="Add a style of this server's own (for those who may manage it)")
    @app_commands.describe(
        name="What people type: a short word, for instance charcoal",
        template="What is said in their place, with {prompt} for their own words: {prompt}, a charcoal drawing",
        negative="What should not be in such pictures",
        strength=f"The strength it works best at. {STRENGTH.help}",
    )
    async def add(
        self,
        interaction: discord.Interaction[ArtBot],
        name: app_commands.Range[str, 1, NAME_LENGTH],
        template: app_commands.Range[str, 1, TEMPLATE_LENGTH],
        negative: app_commands.Range[str, 0, NEGATIVE_LENGTH] = "",
        strength: Strength | None = None,
    ) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        bot, guild_id = interaction.client, _guild_to_manage(interaction)
        style = own_style(await bot.styles.known(guild_id), name, template, negative, strength)
        await bot.screening.check_style(guild_id, interaction.user.id, style)
        async with bot.store.transaction() as tx:
            await bot.store.styles.add(tx, guild_id, style, by=interaction.user.id, now=bot.now())
        log.info("style added", server=guild_id, by=interaction.user.id, style=style.name)
        await interaction.edit_original_response(content=texts.style_added(style.name))

    @app_commands.command(description="Take a style of this server's own away (for those who may manage it)")
    @app_commands.describe(name="Which of this server's own styles")
    async def remove(self, interaction: discord.Interaction[ArtBot], name: Name) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        bot, guild_id = interaction.client, _guild_to_manage(interaction)
        wanted = as_name(name)
        async with bot.store.transaction() as tx:
            removed = await bot.store.styles.remove(tx, guild_id, wanted)
        if not removed:
            own = [style.name for style in await bot.store.styles.of(guild_id)]
            raise BadOption(texts.not_an_own_style(name, nearest(wanted, own)))
        log.info("style removed", server=guild_id, by=interaction.user.id, style=wanted)
        await interaction.edit_original_response(content=texts.style_removed(wanted))

    @remove.autocomplete("name")
    async def _complete_own(
        self, interaction: discord.Interaction[ArtBot], current: str
    ) -> list[app_commands.Choice[str]]:
        own = await interaction.client.store.styles.of(interaction.guild_id or 0)
        return offered([style.name for style in own if as_name(current) in style.name])


def _guild_to_manage(interaction: discord.Interaction[ArtBot]) -> int:
    if interaction.guild_id is None:
        raise NotAllowed(texts.ONLY_IN_SERVERS)
    if not interaction.permissions.manage_guild:
        raise NotAllowed(texts.ONLY_MANAGERS_CHANGE_STYLES)
    return interaction.guild_id
