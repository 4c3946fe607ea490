"""Where a Scene is held, and what the bot may do there."""

from __future__ import annotations

from typing import TypeAlias

import discord

from bot import texts
from bot.errors import NotAllowed

Place: TypeAlias = (
    discord.TextChannel
    | discord.VoiceChannel
    | discord.StageChannel
    | discord.Thread
    | discord.DMChannel
    | discord.GroupChannel
    | discord.PartialMessageable
)

_NEEDED = {
    "view_channel": "see messages",
    "attach_files": "attach files",
    "read_message_history": "read the message history",
}
_TO_SEND = {"send_messages": "send messages"}
_TO_SEND_IN_THREADS = {"send_messages_in_threads": "send messages in threads"}

_CLOCK_SKEW_SECONDS = 60.0


def may_have_thread(channel: Place | None) -> bool:
    """True where a Scene gets a thread of its own: a text channel in which the bot may open one and write in it."""
    if not isinstance(channel, discord.TextChannel):
        return False
    mine = channel.permissions_for(channel.guild.me)
    return mine.create_public_threads and mine.send_messages_in_threads


def check_permissions(channel: Place | None) -> None:
    """Raises NotAllowed with every permission that the bot lacks to hold a Scene here."""
    if not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
        return
    sending = _TO_SEND_IN_THREADS if isinstance(channel, discord.Thread) else _TO_SEND
    mine = channel.permissions_for(channel.guild.me)
    missing = [words for name, words in (sending | _NEEDED).items() if not getattr(mine, name)]
    if missing and missing[0] in sending.values():
        # Who may not send may not attach either, whatever is set: naming both would send people looking in vain.
        missing = [words for words in missing if words != _NEEDED["attach_files"]]
    if missing:
        raise NotAllowed(texts.missing_permissions(missing, channel.mention))


def threads_like(channel: discord.TextChannel, name: str, opened_after: float) -> list[discord.Thread]:
    """Active threads of that name that the bot opened since then (seconds since 1970, give or take a clock)."""
    return [
        thread
        for thread in channel.threads
        if thread.owner_id == channel.guild.me.id
        and thread.name == name
        and thread.created_at is not None
        and thread.created_at.timestamp() >= opened_after - _CLOCK_SKEW_SECONDS
    ]


def thread_name(title: str) -> str:
    """Discord allows 1 to 100 characters."""
    return " ".join(title.split())[:80] or "a new Scene"
