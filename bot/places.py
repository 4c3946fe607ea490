"""Where a Scene is held, and what the bot may do there."""

from __future__ import annotations

from typing import TypeAlias

import discord

from bot import texts
from bot.errors import NotAllowed
from bot.permissions import EVERYWHERE, TO_OPEN_THREADS, TO_SEND, TO_SEND_IN_THREADS

Place: TypeAlias = (
    discord.TextChannel
    | discord.VoiceChannel
    | discord.StageChannel
    | discord.Thread
    | discord.DMChannel
    | discord.GroupChannel
    | discord.PartialMessageable
)

_SEEING, _CONNECTING = "view_channel", "connect"
_VOICE = {_CONNECTING: "connect to voice channels"}
"""Discord shows the chat of a voice or stage channel only to those who may connect to it."""

_CLOCK_SKEW_SECONDS = 60.0


def may_have_thread(channel: Place | None) -> bool:
    """True where a Scene gets a thread of its own: a text channel in which the bot may open one and write in it."""
    if not isinstance(channel, discord.TextChannel):
        return False
    mine = _mine(channel)
    return all(getattr(mine, name) for name in TO_OPEN_THREADS | TO_SEND_IN_THREADS)


def check_permissions(channel: Place | None) -> None:
    """Raises NotAllowed: with every permission that the bot lacks to hold a Scene here; for a locked thread."""
    if not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
        return
    missing = _missing(channel)
    if missing:
        raise NotAllowed(texts.missing_permissions(missing, channel.mention))
    if isinstance(channel, discord.Thread) and channel.locked and not _mine(channel).manage_threads:
        raise NotAllowed(texts.thread_is_locked(channel.mention))


def lacks_to_write(channel: discord.TextChannel) -> list[str]:
    """What the bot may not do there, in words, for a message of words alone: that takes less than a Scene."""
    mine = _mine(channel)
    needed = {_SEEING: EVERYWHERE[_SEEING], **TO_SEND}
    return [words for name, words in needed.items() if not getattr(mine, name)]


def _missing(channel: discord.abc.GuildChannel | discord.Thread) -> list[str]:
    """In words, and only those that are the cause.

    Without seeing a channel one may do nothing in it, and who may not send may not attach either, whatever is set:
    naming what follows from something else would send people looking in vain.
    """
    needed = TO_SEND_IN_THREADS if isinstance(channel, discord.Thread) else TO_SEND
    sending = next(iter(needed))
    if isinstance(channel, discord.VoiceChannel | discord.StageChannel):
        needed = needed | _VOICE
    mine = _mine(channel)
    lacking = {name: words for name, words in (needed | EVERYWHERE).items() if not getattr(mine, name)}
    if _SEEING in lacking:
        return [lacking[_SEEING]]
    if sending in lacking:
        lacking.pop("attach_files", None)
    return list(lacking.values())


def _mine(channel: discord.abc.GuildChannel | discord.Thread) -> discord.Permissions:
    """What the bot may do there. A command can be used where it sees nothing, and then it may do nothing."""
    guild = channel.guild
    if isinstance(channel, discord.Thread):
        known = channel.parent is not None
    else:
        known = guild.get_channel(channel.id) is not None
    return channel.permissions_for(guild.me) if known else discord.Permissions.none()


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
    """Discord allows 1 to 100 characters. Nothing is formatted in a name, and what cannot be seen is no name."""
    return texts.unformatted(title, 80) or texts.NAMELESS_SCENE
