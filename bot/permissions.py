"""What the bot must be allowed to do: the one table behind the invite link, the checks and what people are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import discord

EVERYWHERE = {
    "view_channel": "see messages",
    "attach_files": "attach files",
    "read_message_history": "read the message history",
}
TO_SEND = {"send_messages": "send messages"}
TO_SEND_IN_THREADS = {"send_messages_in_threads": "send messages in threads"}
TO_OPEN_THREADS = {"create_public_threads": "open threads"}
"""Each maps discord.py's name to the words in which the bot says that it lacks the permission."""

NAMES = {
    "view_channel": "View Channels",
    "send_messages": "Send Messages",
    "send_messages_in_threads": "Send Messages in Threads",
    "create_public_threads": "Create Public Threads",
    "attach_files": "Attach Files",
    "read_message_history": "Read Message History",
}
"""All of them, as Discord's own settings name them."""

SCOPES = ("bot", "applications.commands")


def needed() -> discord.Permissions:
    """Everything that the bot uses in a server, and nothing else."""
    import discord  # only here, so that the command line need not load it to name the permissions

    return discord.Permissions(
        **dict.fromkeys(EVERYWHERE | TO_SEND | TO_SEND_IN_THREADS | TO_OPEN_THREADS, True)
    )


def invite_link(application_id: int) -> str:
    """The page on which somebody who manages a server adds the bot to it."""
    import discord

    return discord.utils.oauth_url(application_id, permissions=needed(), scopes=SCOPES)
