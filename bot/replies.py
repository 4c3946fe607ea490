"""Door 2: a reply to one of our pictures refines it.

It works without the message-content intent: Discord shows a bot the text and files of a message that pings it, and a
reply pings by default. With the ping off the message arrives empty; then its author is told how.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
import structlog

from bot import texts
from bot.asker import Asker
from bot.delivery import REFUSALS
from bot.errors import BadOption, Refusal

if TYPE_CHECKING:
    from bot.client import ArtBot

log = structlog.get_logger(__name__)


async def on_reply(bot: ArtBot, message: discord.Message) -> None:
    """Take a message for a reply to a picture, if it is one; anything else is left alone."""
    if message.author.bot or message.type is not discord.MessageType.reply:
        return  # forwards, pins and new threads point at our messages as well
    replied_to = await _picture_message(bot, message)
    if replied_to is None:
        return
    try:
        await _refine(bot, message, replied_to)
    except Refusal as error:
        words = _without_ping(bot, message.content)
        await _answer(message, texts.with_what_was_typed(str(error), words) if words else str(error))
    except Exception:
        # The last net under an event: the person gets a sentence, the log the trace.
        log.exception("a reply broke", message=message.id)
        await _answer(message, texts.INTERNAL_ERROR)


async def _picture_message(bot: ArtBot, message: discord.Message) -> int | None:
    """The message of ours that carries a picture: the one replied to, or the one that ours answered ("ready")."""
    reference = message.reference
    if reference is None or reference.message_id is None:
        return None
    candidates = [reference.message_id]
    ours = reference.resolved
    if isinstance(ours, discord.Message) and ours.author == bot.user and ours.reference is not None:
        candidates.append(ours.reference.message_id or 0)
    for message_id in candidates:
        post = await bot.store.post_of_message(message_id)
        # Discord lets nobody reply across channels; that a reply says so is not believed.
        if post is not None and post.channel_id == message.channel.id:
            return message_id
    return None


async def _refine(bot: ArtBot, message: discord.Message, replied_to: int) -> None:
    words = _without_ping(bot, message.content)
    if not words and not message.attachments:
        raise BadOption(texts.EMPTY_REPLY if _is_readable(bot, message) else texts.PING_IS_OFF)
    who = Asker(
        source=f"m{message.id}",
        person_id=message.author.id,
        guild_id=message.guild.id if message.guild else None,
        place=message.channel,
    )
    await bot.doors.reply(who, replied_to, words, message.attachments)


def _is_readable(bot: ArtBot, message: discord.Message) -> bool:
    """May we see this message's content at all? Then an empty one is really empty."""
    return bot.intents.message_content or message.guild is None or bot.user in message.mentions


def _without_ping(bot: ArtBot, content: str) -> str:
    """The words without our own mention, which some people type in front of them."""
    assert bot.user is not None  # messages come only after login
    return content.replace(f"<@{bot.user.id}>", " ").replace(f"<@!{bot.user.id}>", " ").strip()


async def _answer(message: discord.Message, sentence: str) -> None:
    try:
        await message.reply(sentence, mention_author=False, nonce=f"m{message.id}:no"[:25])
    except REFUSALS as error:
        log.info("a reply could not be answered", message=message.id, why=str(error))
