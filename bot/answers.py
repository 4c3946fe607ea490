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
    """Tell the person privately what went wrong; our own refusals are their whole text."""
    if isinstance(error, Refusal):
        sentence = str(error)
    elif isinstance(error, FileMissing):
        sentence = texts.PICTURE_FILE_GONE
        log.error("a stored file is missing", file=str(error))
    else:
        sentence = texts.INTERNAL_ERROR
        log.error("an interaction failed", interaction=interaction.id, exc_info=error)
    try:
        if interaction.response.is_done():
            await interaction.followup.send(sentence, ephemeral=True)
        else:
            await interaction.response.send_message(sentence, ephemeral=True)
    except REFUSALS as failure:
        log.info("an answer could not be given", interaction=interaction.id, why=str(failure))


@asynccontextmanager
async def answering(interaction: discord.Interaction[Any]) -> AsyncGenerator[None, None]:
    """Round the callback of a button or select: discord.py itself would only log what goes wrong there."""
    try:
        yield
    except Exception as error:
        await answer_error(interaction, error)
