"""Where an error becomes an answer: a sentence for the person, the trace for the log."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import discord
import structlog

from bot import texts
from bot.delivery import REFUSALS
from bot.errors import Refusal
from bot.store import FileMissing

log = structlog.get_logger(__name__)


async def answer_error(interaction: discord.Interaction[Any], error: Exception) -> None:
    """Tell the person privately what went wrong, and repeat what they typed into a command."""
    sentence = sentence_for(interaction, error)
    if typed := _typed(interaction):
        sentence = texts.with_what_was_typed(sentence, typed)
    try:
        if interaction.response.is_done():
            await interaction.followup.send(sentence, ephemeral=True)
        else:
            await interaction.response.send_message(sentence, ephemeral=True)
    except REFUSALS as failure:
        log.info("an answer could not be given", interaction=interaction.id, why=str(failure))


def sentence_for(interaction: discord.Interaction[Any], error: Exception) -> str:
    """Our own refusals are their whole text; of anything else people read one sentence and the log gets the rest."""
    if isinstance(error, Refusal):
        return str(error)
    if isinstance(error, FileMissing):
        log.error("a stored file is missing", file=str(error))
        return texts.PICTURE_FILE_GONE
    log.error("an interaction failed", interaction=interaction.id, exc_info=error)
    return texts.INTERNAL_ERROR


def _typed(interaction: discord.Interaction[Any]) -> str:
    """The command with its words, as Discord takes it when it is pasted; empty where no words were typed.

    The file of an option is not repeated: it has to be attached once more.
    """
    if interaction.type is not discord.InteractionType.application_command or interaction.command is None:
        return ""
    given = [(name, value) for name, value in interaction.namespace if isinstance(value, str | int | float)]
    if not any(isinstance(value, str) for _, value in given):
        return ""
    return " ".join(
        [f"/{interaction.command.qualified_name}", *(f"{name}: {value}" for name, value in given)]
    )


@asynccontextmanager
async def answering(interaction: discord.Interaction[Any]) -> AsyncGenerator[None, None]:
    """Round the callback of a button or select: discord.py itself would only log what goes wrong there."""
    try:
        yield
    except Exception as error:
        await answer_error(interaction, error)
