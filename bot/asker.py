"""Who asks, where, and by which interaction or message: what every door knows before anything else."""

from __future__ import annotations

from typing import Any

import discord
import msgspec

from bot import texts
from bot.errors import NotAllowed
from bot.places import Place
from bot.standing import standing_of
from bot.store import Standing


def guild_of(interaction: discord.Interaction[Any]) -> int:
    """The server's id. Raises NotAllowed in direct messages."""
    if interaction.guild_id is None:
        raise NotAllowed(texts.ONLY_IN_SERVERS)
    return interaction.guild_id


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, where, and by which interaction or message."""

    source: str
    person_id: int
    guild_id: int | None
    place: Place
    standing: Standing = Standing()

    @classmethod
    def of(cls, interaction: discord.Interaction[Any]) -> Asker:
        """Whoever used a command or pressed a button. Raises NotAllowed where the bot could post nothing."""
        place = interaction.channel
        if place is None or isinstance(place, discord.CategoryChannel | discord.ForumChannel):
            raise NotAllowed(texts.ONLY_WHERE_I_CAN_WRITE)
        return cls(
            source=f"i{interaction.id}",
            person_id=interaction.user.id,
            guild_id=interaction.guild_id,
            place=place,
            standing=standing_of(interaction.user, place),
        )
