"""Journeys: /usage, what a server used of the engine, for those who manage it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import discord
import pytest
from simcord import SetupError
from simcord.results import ResponseMessage

from bot.store.usages import DAY_SECONDS
from tests.journeys.test_line import alt_texts, shown_by, words_of
from tests.journeys.world import World, held_engine, opened, said, walk, world


async def usage(here: World, who: Any = None, place: Any = None, **options: Any) -> ResponseMessage:
    return shown_by(await (who or here.mod).slash(place or here.channel, "usage", **options))


async def draw(here: World, who: Any, seconds: float) -> None:
    """A job that takes so long."""
    await here.sketch(who=who, candidates=1, steps=10, strength=1.0)
    await here.env.advance_time(seconds)
    here.fake.release(10)
    await here.env.settle()


async def test_a_moderator_sees_who_used_how_much(tmp_path: Path) -> None:
    """Privately and without a ping: totals, today, a line for each person, who used most first; and a plot."""
    async with world(tmp_path, held_engine) as here:
        await draw(here, here.you, 6)
        await draw(here, here.other, 90)
        await draw(here, here.other, 30)
        seen = await usage(here)
        (plot,) = seen.attachments
        picture = await opened(plot)

        assert seen.ephemeral
        assert words_of(seen).split("\n") == [
            "**What this server used in the last 30 days**: 3 jobs, 2 min of the GPU, mean wait 0 s.",
            "Today (by UTC): 3 jobs, 2 min of the GPU, mean wait 0 s.",
            f"`1.` {here.other.mention}: 2 jobs, 2 min of the GPU, mean wait 0 s",
            f"`2.` {here.you.mention}: 1 job, 6 s of the GPU, mean wait 0 s",
        ]
        assert alt_texts(seen) == [
            "Bars per day in the last 30 days, stacked by person (1 other and 2 you). GPU time, minutes up to 2.1;"
            " Jobs up to 3; Mean wait of a job, seconds up to 0."
        ]
        assert (picture.format, picture.width) == ("PNG", 800)
        assert here.env.backend.get_message(here.channel.id, seen.id).ping_user_ids == []


async def test_waiting_counts_from_asking_to_the_start(tmp_path: Path) -> None:
    """Of two that were asked for together, the second waits until the first is done."""
    async with world(tmp_path, held_engine) as here:
        await here.mod.slash(here.channel, "line-admin pause", reason="a party first")
        await here.sketch(candidates=1, steps=10, strength=1.0)
        await here.env.advance_time(240)
        await here.mod.slash(here.channel, "line-admin resume")
        here.fake.release(10)
        await here.env.settle()

        assert "1 job, 0 s of the GPU, mean wait 4 min" in words_of(await usage(here))


async def test_only_the_days_that_are_asked_for(tmp_path: Path) -> None:
    """A week ago is among the last thirty days, and not today."""
    async with world(tmp_path, held_engine) as here:
        await draw(here, here.you, 6)
        await here.env.advance_time(7 * DAY_SECONDS)
        await draw(here, here.other, 8)
        month, today = await usage(here), await usage(here, days=1)

        assert "2 jobs, 14 s of the GPU" in words_of(month)
        assert "Today (by UTC): 1 job, 8 s of the GPU" in words_of(month)
        assert words_of(today).startswith("**What this server used today**: 1 job, 8 s of the GPU")
        assert here.you.mention not in words_of(today)


async def test_a_server_that_used_nothing_reads_a_sentence(tmp_path: Path) -> None:
    """Instead of an empty plot; what waits or runs has used nothing yet."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch()
        nothing = await here.mod.slash(here.channel, "usage")

        assert said(nothing).startswith("Nobody had me draw anything in this server in the last 30 days.")
        assert shown_by(nothing).attachments == []


async def test_nothing_crosses_from_one_server_to_another(tmp_path: Path) -> None:
    """The same person in two servers: each sees what was used there."""
    async with world(tmp_path, held_engine) as here:
        guild = here.env.create_guild("Elsewhere")
        channel = guild.create_text_channel("art")
        manager = guild.create_role("Managers", permissions=discord.Permissions(manage_guild=True))
        guest, boss = guild.add_member(here.you.user), guild.add_member(here.other.user, roles=[manager])
        await draw(here, here.you, 6)
        empty = said(await boss.slash(channel, "usage"))
        await guest.slash(channel, "imagine", prompt="elsewhere", candidates=1, steps=10)
        await here.env.advance_time(40)
        here.fake.release(10)
        await here.env.settle()
        here_, there = await usage(here), await usage(here, boss, channel)

        assert empty.startswith("Nobody had me draw anything")
        assert "1 job, 6 s of the GPU" in words_of(here_)
        assert "1 job, 40 s of the GPU" in words_of(there)


async def test_the_numbers_survive_a_restart(tmp_path: Path) -> None:
    """They are the database's."""
    async with world(tmp_path, held_engine) as here:
        await draw(here, here.you, 6)
        before = words_of(await usage(here))
        await here.restart()
        after = await usage(here)

        assert words_of(after) == before
        assert len(after.attachments) == 1


async def test_who_asked_to_be_forgotten_is_somebody(tmp_path: Path) -> None:
    """Today's numbers stay until the day is over, or limits could be escaped; they name nobody."""
    async with world(tmp_path, held_engine) as here:
        await draw(here, here.you, 6)
        before = words_of(await usage(here))
        asked = shown_by(await here.you.slash(here.channel, "forget-me"))
        (button,) = [item for item in walk(asked.components) if item.get("label") == "Forget me"]
        await here.you.click(asked, custom_id=button["custom_id"])
        await here.env.settle()
        after = await usage(here)

        assert here.you.mention in before
        assert here.you.mention not in words_of(after)
        assert "`1.` somebody: 1 job, 6 s of the GPU" in words_of(after)
        assert "(1 somebody)" in alt_texts(after)[0]


async def test_members_without_manage_server_do_not_see_the_command(tmp_path: Path) -> None:
    """Discord itself keeps it from them; admins can hand it on in their server's settings."""
    async with world(tmp_path) as here:
        with pytest.raises(SetupError):
            await here.you.slash(here.channel, "usage")
