"""/words: moderators say which words are blocked, held for them, or allowed in their server; effective at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot import texts
from bot.asker import guild_of
from bot.components.holding import held_view
from bot.delivery import NOBODY
from bot.errors import BadOption
from bot.options import PROMPT_LENGTH
from bot.places import Place
from bot.standing import is_for_adults
from bot.store import Verdict

if TYPE_CHECKING:
    from bot.client import ArtBot

PAGE = 50
"""Words of 40 letters each, and their spoilers, fit into one message."""


class WordsCommands(
    app_commands.Group,
    name="words",
    description="Which words are refused here, and which wait for a moderator",
    guild_only=True,
    default_permissions=discord.Permissions(manage_guild=True),
):
    """Who may use it is Discord's matter: a default that admins can hand on in their server's own settings."""

    @app_commands.command(name="list", description="Show this server's own words")
    @app_commands.describe(page="Which page; 1 is the first")
    async def show(
        self, interaction: discord.Interaction[ArtBot], page: app_commands.Range[int, 1, 99] = 1
    ) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        words = await interaction.client.store.words.of(guild_of(interaction))
        pages = max(1, -(-len(words) // PAGE))
        if page > pages:
            raise BadOption(texts.no_page_of_words(page, pages))
        said = texts.words_listed(words[PAGE * (page - 1) : PAGE * page], page, pages)
        await _answer(interaction, said)

    @app_commands.command(description="Refuse prompts with a word at once")
    @app_commands.describe(word=texts.WORD_HELP)
    async def block(self, interaction: discord.Interaction[ArtBot], word: str) -> None:
        await _set(interaction, word, Verdict.BLOCK)

    @app_commands.command(description="Have prompts with a word wait for a moderator")
    @app_commands.describe(word=texts.WORD_HELP)
    async def hold(self, interaction: discord.Interaction[ArtBot], word: str) -> None:
        await _set(interaction, word, Verdict.HOLD)

    @app_commands.command(description="Let a word through although my own list would not")
    @app_commands.describe(word=texts.WORD_HELP)
    async def allow(self, interaction: discord.Interaction[ArtBot], word: str) -> None:
        await _set(interaction, word, Verdict.ALLOW)

    @app_commands.command(description="Take a word off this server's own list")
    @app_commands.describe(word="One of those that /words list shows")
    async def remove(self, interaction: discord.Interaction[ArtBot], word: str) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        guild_id = guild_of(interaction)
        removed = await interaction.client.vocabulary.remove(guild_id, word, by=interaction.user.id)
        decided = await interaction.client.holding.look_again(guild_id)
        await _answer(interaction, texts.word_removed(removed.word, removed.verdict, *decided))

    @app_commands.command(description="See what would become of a prompt here, and why")
    @app_commands.describe(prompt="It is not drawn, and nobody else sees it")
    async def test(
        self, interaction: discord.Interaction[ArtBot], prompt: app_commands.Range[str, 1, PROMPT_LENGTH]
    ) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        said = await interaction.client.vocabulary.tested(
            guild_of(interaction), prompt, adults_only=_is_for_adults(interaction)
        )
        await _answer(interaction, said)

    @app_commands.command(description="Show what waits for a moderator, and decide about it")
    async def held(self, interaction: discord.Interaction[ArtBot]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        waiting = await interaction.client.holding.held_in(guild_of(interaction))
        await interaction.edit_original_response(view=held_view(waiting), allowed_mentions=NOBODY)


async def _set(interaction: discord.Interaction[ArtBot], typed: str, verdict: Verdict) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    guild_id = guild_of(interaction)
    word, before = await interaction.client.vocabulary.set(guild_id, typed, verdict, by=interaction.user.id)
    released, ended = await interaction.client.holding.look_again(guild_id)
    said = texts.word_set(word.word, verdict, before, released, ended)
    await _answer(interaction, said)


def _is_for_adults(interaction: discord.Interaction[ArtBot]) -> bool:
    place = interaction.channel
    return isinstance(place, Place) and is_for_adults(place)


async def _answer(interaction: discord.Interaction[ArtBot], said: str) -> None:
    await interaction.edit_original_response(content=said, allowed_mentions=NOBODY)
