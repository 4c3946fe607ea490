"""Door 2: a reply to one of our pictures refines it.

It works without the message-content intent: Discord shows a bot the text and files of a message that pings it, and a
reply pings by default. With the ping off the message arrives empty; then its author is told how.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import discord
import structlog
from discord import ui
from discord.utils import MISSING

from bot import texts
from bot.components.repainting import which_view
from bot.delivery import REFUSALS
from bot.errors import BadOption, Refusal
from bot.messages import asker_of, picture_message, words_of
from bot.paint_overs import Tied
from bot.words import WordsRefused

if TYPE_CHECKING:
    from bot.client import ArtBot

log = structlog.get_logger(__name__)


async def on_reply(bot: ArtBot, message: discord.Message) -> None:
    """Take a message for a reply to a picture, if it is one; anything else is left alone."""
    if message.author.bot or message.type is not discord.MessageType.reply:
        return  # forwards, pins and new threads point at our messages as well
    replied_to = await picture_message(bot, message)
    if replied_to is None:
        return
    try:
        await _refine(bot, message, replied_to)
    except Tied as tied:
        await _answer(message, str(tied), which_view(message.id, tied.pictures))
    except WordsRefused as refused:
        await _answer(message, str(refused))  # for all to read, so without the words
    except Refusal as error:
        words = words_of(bot, message)
        await _answer(message, texts.with_what_was_typed(str(error), words) if words else str(error))
    except Exception:
        # The last net under an event: the person gets a sentence, the log the trace.
        log.exception("a reply broke", message=message.id)
        await _answer(message, texts.INTERNAL_ERROR)


async def _refine(bot: ArtBot, message: discord.Message, replied_to: int) -> None:
    guild_id = message.guild.id if message.guild else None
    await bot.host.check_ban(guild_id)
    await bot.blocks.check(guild_id, message.author.id)
    words = words_of(bot, message)
    if not words and not message.attachments:
        raise BadOption(texts.EMPTY_REPLY if _is_readable(bot, message) else texts.PING_IS_OFF)
    # To find out what was painted on a copy takes seconds in which nothing else could be seen.
    async with message.channel.typing() if message.attachments else nullcontext():
        await bot.doors.reply(asker_of(message), replied_to, words, message.attachments)


def _is_readable(bot: ArtBot, message: discord.Message) -> bool:
    """May we see this message's content at all? Then an empty one is really empty."""
    return bot.intents.message_content or message.guild is None or bot.user in message.mentions


async def _answer(message: discord.Message, sentence: str, view: ui.View = MISSING) -> None:
    try:
        await message.reply(sentence, view=view, mention_author=False, nonce=f"m{message.id}:no"[:25])
    except REFUSALS as error:
        log.info("a reply could not be answered", message=message.id, why=str(error))
