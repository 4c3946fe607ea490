"""What people are called in a server, asked for when it is to be read: names are neither stored nor logged."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import discord

_MOST_ASKED_FOR = 100
"""Discord answers for no more at once."""

_WITHIN_SECONDS = 2.0


async def names_for(interaction: discord.Interaction[Any], people: Iterable[int]) -> Mapping[int, str]:
    """As the server calls them that the interaction came from; who left it, or is not told in time, is missing.

    Asked for all at once: without the members intent Discord tells a bot of nobody by itself.
    """
    own = {interaction.user.id: interaction.user.display_name}
    wanted = sorted({person for person in people if person} - own.keys())[:_MOST_ASKED_FOR]
    if interaction.guild is None or not wanted:
        return own
    asking = interaction.guild.query_members(user_ids=wanted, limit=len(wanted), cache=False)
    try:
        members = await asyncio.wait_for(asking, _WITHIN_SECONDS)
    except TimeoutError:
        return own
    return own | {member.id: member.display_name for member in members}
