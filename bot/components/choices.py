"""What somebody chose in a select. Whether it was among what was offered, nobody has checked before us."""

from __future__ import annotations

from typing import Any, cast

import discord

from bot import texts
from bot.errors import Gone

_MOST_DIGITS = 18
"""As in our custom_ids: what the store holds has no more."""


def chosen_in(interaction: discord.Interaction[Any]) -> str:
    return cast("dict[str, list[str]]", interaction.data)["values"][0]


def number_in(choice: str) -> int:
    """Raises Gone for what is no number of ours."""
    if not (choice.isascii() and choice.isdecimal() and len(choice) <= _MOST_DIGITS):
        raise Gone(texts.NOT_A_CHOICE)
    return int(choice)
