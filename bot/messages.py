"""A person's message as a reply to one of our pictures: which picture it answers, its words, and who wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord

from bot.asker import Asker
from bot.standing import standing_of

if TYPE_CHECKING:
    from bot.client import ArtBot


async def picture_message(bot: ArtBot, message: discord.Message) -> int | None:
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


def words_of(bot: ArtBot, message: discord.Message) -> str:
    """Without our own mention, which some people type in front of them."""
    assert bot.user is not None  # messages come only after login
    return message.content.replace(f"<@{bot.user.id}>", " ").replace(f"<@!{bot.user.id}>", " ").strip()


def asker_of(message: discord.Message) -> Asker:
    return Asker(
        source=f"m{message.id}",
        person_id=message.author.id,
        guild_id=message.guild.id if message.guild else None,
        place=message.channel,
        standing=standing_of(message.author, message.channel),
    )
