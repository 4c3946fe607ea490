"""Who somebody is in a server, and what kind of place they ask in: what rules look at. Read off Discord's objects."""

from __future__ import annotations

import discord

from bot.places import Place
from bot.store import Standing


def standing_of(person: discord.Member | discord.User, place: Place) -> Standing:
    """Discord sends roles and join date with every interaction and message in a server."""
    if not isinstance(person, discord.Member):
        return Standing(channel_ids=(place.id,), adults_only=is_for_adults(place))
    return Standing(
        role_ids=tuple(role.id for role in person.roles if not role.is_default()),
        joined_at=person.joined_at.timestamp() if person.joined_at else None,
        channel_ids=_channel_ids(place),
        adults_only=is_for_adults(place),
        manages=person.guild_permissions.manage_guild,
    )


def is_for_adults(place: Place) -> bool:
    """The one place that says what audience a channel has: Discord's own age restriction.

    A thread has that of its channel; direct messages have none, for Discord does not tell how old people are.
    """
    if isinstance(place, discord.Thread):
        return place.parent is not None and place.parent.is_nsfw()
    return (
        isinstance(place, discord.TextChannel | discord.VoiceChannel | discord.StageChannel)
        and place.is_nsfw()
    )


def _channel_ids(place: Place) -> tuple[int, ...]:
    return (place.id, place.parent_id) if isinstance(place, discord.Thread) else (place.id,)
