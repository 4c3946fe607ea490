"""Journeys: /mod, as the moderator and as the person it is about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import discord
import pytest
from simcord import SetupError
from simcord.results import InteractionResult

from bot.store import Block
from inference import Park
from inference.fake import FakeEngine
from tests.journeys.world import World, buttons_of, held_engine, said, text_of, world

DAY = 86_400


def small_engine(park: Park) -> FakeEngine:
    return FakeEngine(park=park, held=True, row_credits=1)


async def block(here: World, who: Any, by: Any = None, **options: Any) -> InteractionResult:
    given = {"person": who, "reason": "floods the line", **options}
    return await (by or here.mod).slash(here.channel, "mod block", **given)


def elsewhere(here: World) -> tuple[Any, Any]:
    """`you` in another server, and its channel."""
    guild = here.env.create_guild("Elsewhere")
    channel = guild.create_text_channel("art")
    return guild.add_member(here.you.user), channel


async def log_of(here: World) -> str:
    shown = await here.mod.slash(here.channel, "log show")
    assert shown.response is not None
    return "\n".join(item["content"] for item in shown.response.components if item["type"] == 10)


async def test_a_blocked_person_is_told_why_and_until_when(tmp_path: Path) -> None:
    """Every door is closed to them in that server, with the reason and Discord's own time; then all is as before."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=2)
        (card,) = here.cards()
        answer = await block(here, here.you, **{"for": "7d"})
        refused = [
            await here.sketch(prompt="more moons"),
            await here.you.slash(here.channel, "imagine", prompt="a moon"),
            await here.you.context_menu(here.thread(), "Use as sketch", card),
            await here.you.click(card, custom_id=buttons_of(card)["Again"]),
            await here.you.click(card, custom_id=buttons_of(card)["Refine…"]),
        ]
        await here.you.send(here.thread(), "at night", reply_to=card)
        replied = here.thread().history()[-1]
        await here.env.advance_time(7 * DAY + 1)
        after = await here.sketch()

        assert answer.ephemeral
        assert f"{here.you.mention} is blocked in this server until <t:" in said(answer)
        for refusal in [*map(said, refused), replied.content]:
            assert "A moderator has blocked you from using me in this server until <t:" in refusal
            assert "The reason: “floods the line”." in refusal
        assert all(each.ephemeral for each in refused)
        assert "/sketch prompt: more moons" in said(refused[0])
        assert "at night" in replied.content
        assert len(here.fake.requests) == 2
        assert "I am on it" in said(after)


async def test_a_form_that_was_open_is_refused_with_what_was_typed(tmp_path: Path) -> None:
    """The block comes while somebody types; nothing is drawn, and their words are not lost."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        (card,) = here.cards()
        form = await here.you.click(card, custom_id=buttons_of(card)["Refine…"])
        await block(here, here.you)
        sent = await here.you.submit_modal(form, {"prompt": "a moon at night"})

        assert "A moderator has blocked you from using me in this server for good." in said(sent)
        assert "a moon at night" in said(sent)
        assert len(here.fake.requests) == 1


async def test_what_is_their_own_stays_open(tmp_path: Path) -> None:
    """Reading, taking one's own along and having it forgotten are no favour that moderators grant."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        await block(here, here.you)
        answers = [
            await here.you.slash(here.thread(), name)
            for name in ("help", "about", "queue", "history", "share", "export", "privacy", "forget-me")
        ]
        told = [str(message) for answer in answers for message in (answer.response, *answer.followups)]

        assert all("blocked you" not in words for words in told)


async def test_jobs_of_a_blocked_person_end_with_the_reason_on_their_cards(tmp_path: Path) -> None:
    """What runs and what waits, in this server only; others' jobs go on, and the engine is free at once."""
    async with world(tmp_path, small_engine) as here:
        await here.sketch(prompt="mine runs", candidates=4)
        await here.sketch(prompt="mine waits", candidates=4)
        await here.sketch(who=here.other, prompt="theirs", candidates=1)
        guest, channel = elsewhere(here)
        await guest.slash(channel, "imagine", prompt="elsewhere")
        answer = await block(here, here.you)
        still = await guest.slash(channel, "imagine", prompt="elsewhere again")
        here.fake.release(1000)
        await here.env.settle()
        mine = [text_of(here.cards(here.thread(number))[0]) for number in (0, 1)]

        assert "2 jobs of theirs ended, and the card says why." in said(answer)
        for card in mine:
            assert f"A moderator has blocked {here.you.mention} here for good." in card
            assert "The reason: “floods the line”. Nothing was charged." in card
        assert "blocked" not in said(still)
        assert here.fake.closed_early == 1
        drawn = {request.prompt for request in here.fake.requests}
        assert drawn == {"mine runs", "theirs", "elsewhere", "elsewhere again"}


async def test_a_block_in_one_server_does_not_touch_another(tmp_path: Path) -> None:
    """Neither what they ask for there nor what that server's log says."""
    async with world(tmp_path) as here:
        await block(here, here.you)
        guest, channel = elsewhere(here)
        drawn = await guest.slash(channel, "imagine", prompt="a moon")
        role = guest.guild.create_role("Managers", permissions=discord.Permissions(manage_guild=True))
        manager = guest.guild.add_member(here.other.user, roles=[role])
        log = await manager.slash(channel, "log show")
        lifted = await manager.slash(channel, "mod unblock", person=guest)

        assert "I am on it" in said(drawn)
        assert log.response is not None
        assert "Nothing is in the log yet." in str(log.response.components)
        assert "is not blocked in this server" in said(lifted)
        assert "blocked you" in said(await here.sketch())


async def test_a_job_whose_author_was_blocked_is_not_begun_at_its_turn(tmp_path: Path) -> None:
    """Also where a crash came between the block and the end of their jobs; nothing is drawn or charged."""
    async with world(tmp_path, held_engine) as here:
        await here.mod.slash(here.channel, "line-admin pause", reason="a party first")
        await here.sketch(candidates=1)
        now = here.bot.now()
        async with here.store.transaction() as tx:
            row = Block(
                guild_id=here.guild.id,
                person_id=here.you.id,
                reason="floods the line",
                until=now + DAY,
                set_by=here.mod.id,
                set_at=now,
            )
            await here.store.blocks.add(tx, row)
        await here.mod.slash(here.channel, "line-admin resume")
        card = text_of(here.cards()[0])

        assert "The rules changed while this waited. A moderator has blocked you" in card
        assert here.fake.requests == []


async def test_a_block_survives_a_restart_and_can_be_lifted(tmp_path: Path) -> None:
    """It is in the database; lifting it says so, and a second time that there is nothing to lift."""
    async with world(tmp_path) as here:
        await block(here, here.you)
        await here.restart()
        blocked = await here.sketch()
        lifted = await here.mod.slash(here.channel, "mod unblock", person=here.you, reason="talked to them")
        again = await here.mod.slash(here.channel, "mod unblock", person=here.you)
        after = await here.sketch()
        log = await log_of(here)

        assert "blocked you" in said(blocked)
        assert said(lifted) == f"{here.you.mention} may use me in this server again."
        assert "is not blocked in this server" in said(again)
        assert "I am on it" in said(after)
        assert f"{here.mod.mention}: **blocked** {here.you.mention}: for good. “floods the line”" in log
        assert f"**block lifted** {here.you.mention}: for good. “talked to them”" in log


async def test_some_cannot_be_blocked(tmp_path: Path) -> None:
    """Oneself, the bot, other bots, the owner, those who manage the server, who is blocked already: a sentence each."""
    async with world(tmp_path) as here:
        manager = here.guild.create_role("More managers", permissions=discord.Permissions(manage_guild=True))
        second = here.guild.add_member(here.env.create_user("second"), roles=[manager])
        robot = here.guild.add_member(here.env.create_user("robot", bot=True))
        owner = here.guild.owner
        refused = {
            "yourself": await block(here, here.mod),
            "robot": await block(here, robot),
            "owner": await block(here, owner),
            "manager": await block(here, second),
        }
        await block(here, here.you, **{"for": "2h"})
        twice = await block(here, here.you)
        log = await log_of(here)

        assert "You cannot block yourself." in said(refused["yourself"])
        assert "Bots cannot use me anyway" in said(refused["robot"])
        assert "The owner of this server cannot be blocked." in said(refused["owner"])
        assert "only its owner can block them" in said(refused["manager"])
        assert "is blocked already, until <t:" in said(twice)
        assert log.count("**blocked**") == 1


async def test_the_owner_may_block_a_manager(tmp_path: Path) -> None:
    """And then the manager cannot lift it."""
    async with world(tmp_path) as here:
        boss = here.env.create_user("boss")
        guild = here.env.create_guild("Owned", owner=boss)
        channel = guild.create_text_channel("art")
        role = guild.create_role("Managers", permissions=discord.Permissions(manage_guild=True))
        manager = guild.add_member(here.env.create_user("manager"), roles=[role])
        (owner,) = (
            [guild.add_member(boss)] if boss.id not in guild.member_ids() else [actor(here, guild, boss)]
        )
        answer = await owner.slash(channel, "mod block", person=manager, reason="quarrels")
        tried = await manager.slash(channel, "mod unblock", person=manager)

        assert "is blocked in this server for good" in said(answer)
        assert "A moderator has blocked you" in said(tried)


def actor(here: World, guild: Any, user: Any) -> Any:
    """Somebody who is a member already."""
    return type(here.you)(here.env, guild, user)


@pytest.mark.parametrize("typed", ["a million", "-1", "0m", "7", "9999w"])
async def test_a_bad_duration_changes_nothing(tmp_path: Path, typed: str) -> None:
    """A sentence with how to write it, and what was typed."""
    async with world(tmp_path) as here:
        refused = await block(here, here.you, **{"for": typed})
        after = await here.sketch()

        assert "as a time. Write `30m`, `2h`, `7d` or `2w`" in said(refused)
        assert "I am on it" in said(after)
        assert await log_of(here) == "Nothing is in the log yet."


async def test_a_warning_reaches_the_person_and_the_log(tmp_path: Path) -> None:
    """A private message with the server's name and the reason; /mod show and /log show have it."""
    async with world(tmp_path) as here:
        answer = await here.mod.slash(here.channel, "mod warn", person=here.you, reason="no *gore* please")
        shown = await here.mod.slash(here.channel, "mod show", person=here.you)
        (letter,) = here.you.user.dm_channel.history()

        assert said(answer) == f"I have sent {here.you.mention} the warning in a private message."
        assert "A moderator of **Studio** warns you" in letter.content
        assert "“no \\*gore\\* please”" in letter.content
        assert "Not blocked." in said(shown)
        assert "No jobs waiting or running." in said(shown)
        assert "**warned**" in said(shown)
        assert "**warned**" in await log_of(here)


async def test_a_warning_that_cannot_be_delivered_is_kept(tmp_path: Path) -> None:
    """Who takes no messages from the bot: the moderator is told to say it themselves."""
    async with world(tmp_path) as here:
        dm = here.you.user.dm_channel
        here.env.inject_error("POST", f"/channels/{dm.id}/messages", status=403, code=50007)
        answer = await here.mod.slash(here.channel, "mod warn", person=here.you, reason="no gore")

        assert "takes no private messages from me, so please tell them yourself" in said(answer)
        assert "**warned**" in await log_of(here)


async def test_warning_oneself_or_a_bot_sends_nothing(tmp_path: Path) -> None:
    """A sentence each, and no entry."""
    async with world(tmp_path) as here:
        robot = here.guild.add_member(here.env.create_user("robot", bot=True))
        oneself = await here.mod.slash(here.channel, "mod warn", person=here.mod, reason="x")
        bot = await here.mod.slash(here.channel, "mod warn", person=robot, reason="x")

        assert said(oneself).startswith("You cannot warn yourself. Nothing was sent.")
        assert said(bot).startswith("Bots do not read warnings. Nothing was sent.")
        assert await log_of(here) == "Nothing is in the log yet."


async def test_show_says_how_it_stands_with_somebody(tmp_path: Path) -> None:
    """Blocked or not and why, by whom, how many of their jobs wait."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=1)
        await here.sketch(candidates=1)
        before = await here.mod.slash(here.channel, "mod show", person=here.you)
        await block(here, here.you, **{"for": "1d"})
        after = await here.mod.slash(here.channel, "mod show", person=here.you)
        await here.env.advance_time(DAY + 1)
        later = await here.mod.slash(here.channel, "mod show", person=here.you)

        assert "Not blocked.\n2 jobs waiting or running.\nNever warned." in said(before)
        assert "Blocked until <t:" in said(after)
        assert f"by {here.mod.mention} on <t:" in said(after)
        assert "The reason: “floods the line”." in said(after)
        assert "No jobs waiting or running." in said(after)
        assert "Not blocked." in said(later)


async def test_deleting_and_cancelling_as_a_moderator_is_logged(tmp_path: Path) -> None:
    """What others made and started, not one's own; never the words it was made from."""
    async with world(tmp_path, held_engine) as here:
        role = here.guild.create_role("Tidy", permissions=discord.Permissions(manage_messages=True))
        tidy = here.guild.add_member(here.env.create_user("tidy"), roles=[role])
        await here.sketch(prompt="secret words", candidates=1)
        (running,) = here.cards()
        await here.sketch(who=tidy, prompt="own words", candidates=1)
        await tidy.click(here.cards(here.thread(1))[0], custom_id="art:cancel:2:0")
        own = await log_of(here)
        await tidy.click(running, custom_id="art:cancel:1:0")
        asked = await tidy.click(here.cards()[0], custom_id="art:erase:j1:ask")
        assert asked.response is not None
        await tidy.click(asked.response, custom_id="art:erase:j1:yes")
        log = await log_of(here)

        assert own == "Nothing is in the log yet."
        assert f"{tidy.mention}: **job cancelled** job 1 of {here.you.mention}." in log
        assert f"**pictures deleted** picture 1 of {here.you.mention} in {here.thread(0).mention}." in log
        assert "secret" not in log


async def test_members_without_manage_server_do_not_see_the_commands(tmp_path: Path) -> None:
    """Discord itself keeps them from them; admins can hand them on in their server's settings."""
    async with world(tmp_path) as here:
        with pytest.raises(SetupError):
            await here.you.slash(here.channel, "mod show", person=here.other)
        with pytest.raises(SetupError):
            await here.you.slash(here.channel, "log show")
        with pytest.raises(SetupError):
            await here.you.slash(here.channel, "line-admin resume")
