"""What kind of place people ask in, read off Discord's own objects as its payloads make them."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from bot.standing import is_for_adults

_SERVER, _CHANNEL, _THREAD = 1, 20, 30


def server(*, nsfw: bool, kind: int = 0) -> discord.Guild:
    """With one channel, and a thread in it."""
    channel = {
        "id": _CHANNEL,
        "type": kind,
        "name": "art",
        "position": 0,
        "permission_overwrites": [],
        "nsfw": nsfw,
        "bitrate": 64_000,
        "user_limit": 0,
    }
    thread = {
        "id": _THREAD,
        "type": 11,
        "name": "moon",
        "parent_id": _CHANNEL,
        "owner_id": 5,
        "message_count": 0,
        "member_count": 1,
        "rate_limit_per_user": 0,
        "thread_metadata": {
            "archived": False,
            "auto_archive_duration": 60,
            "archive_timestamp": "2026-01-01T00:00:00+00:00",
            "locked": False,
        },
    }
    return discord.Guild(data=_payload(channel, thread), state=_state())


def _payload(channel: dict[str, Any], thread: dict[str, Any]) -> Any:
    return {"id": _SERVER, "name": "Studio", "channels": [channel], "threads": [thread], "roles": []}


def _state() -> Any:
    return discord.Client(intents=discord.Intents.none())._connection


@pytest.mark.parametrize("nsfw", [True, False])
@pytest.mark.parametrize("kind", [0, 2, 5, 13], ids=["text", "voice", "announcements", "stage"])
async def test_an_age_restricted_channel_is_for_adults(nsfw: bool, kind: int) -> None:
    """And one that is not, is not, whatever sort of channel it is."""
    channel: Any = server(nsfw=nsfw, kind=kind).get_channel(_CHANNEL)

    assert is_for_adults(channel) is nsfw


@pytest.mark.parametrize("nsfw", [True, False])
@pytest.mark.parametrize("kind", [0, 15], ids=["text", "forum"])
async def test_a_thread_has_the_audience_of_its_channel(nsfw: bool, kind: int) -> None:
    """Posts of a forum too."""
    thread = server(nsfw=nsfw, kind=kind).get_thread(_THREAD)

    assert thread is not None
    assert is_for_adults(thread) is nsfw


async def test_a_thread_whose_channel_is_not_known_is_for_everyone() -> None:
    """The careful guess: the bot may not see the channel."""
    guild = server(nsfw=True)
    thread = guild.get_thread(_THREAD)
    assert thread is not None
    thread.parent_id = 99

    assert not is_for_adults(thread)


async def test_direct_messages_are_for_everyone() -> None:
    """Discord does not tell how old people are."""
    me = discord.ClientUser(state=_state(), data=_user(1))
    direct_data: Any = {"id": 40, "type": 1, "last_message_id": None, "recipients": [_user(2)]}
    direct = discord.DMChannel(me=me, state=_state(), data=direct_data)

    assert not is_for_adults(direct)


def _user(number: int) -> Any:
    return {"id": number, "username": "anna", "discriminator": "0", "avatar": None, "global_name": None}
