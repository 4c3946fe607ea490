"""How large the files may be that we send with the answer to a command or a press."""

from __future__ import annotations

from typing import Any

import discord

_LARGEST_FILE = 20 * 2**20
"""Where a server takes more than that in one file, the whole message still may not have more than 25 MiB."""

_REST_OF_MESSAGE = 2**20


def zip_limit(interaction: discord.Interaction[Any]) -> int:
    """Bytes."""
    return min(interaction.filesize_limit, _LARGEST_FILE) - _REST_OF_MESSAGE
