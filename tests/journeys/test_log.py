"""Journeys: /log, the server's log and the channel that it is posted in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import discord
from simcord.results import InteractionResult, ResponseMessage

from bot.components.log_pages import LogButton
from bot.store import AuditEntry
from tests.journeys.world import World, said, walk, world


def shown(result: InteractionResult) -> ResponseMessage:
    assert result.response is not None
    return result.response


def words_of(message: ResponseMessage) -> str:
    return "\n".join(item["content"] for item in walk(message.components) if item["type"] == 10)


def labels_of(message: ResponseMessage) -> list[str]:
    return [item["label"] for item in walk(message.components) if item["type"] == 2]


async def show(here: World, **options: Any) -> ResponseMessage:
    return shown(await here.mod.slash(here.channel, "log show", **options))


async def write(here: World, count: int, **fields: Any) -> None:
    async with here.store.transaction() as tx:
        for number in range(1, count + 1):
            given = {
                "guild_id": here.guild.id,
                "actor_id": here.mod.id,
                "subject": f"number {number}",
                **fields,
            }
            await here.bot.audit.note(tx, AuditEntry(at=1e9 + number, action="limit changed", **given))


async def test_the_log_is_shown_newest_first_in_pages(tmp_path: Path) -> None:
    """Ten on a page; Newer and Older turn them in the same message, also after a restart; nobody is pinged."""
    async with world(tmp_path) as here:
        await write(here, 23, before="50", after="30")
        first = await show(here)
        older = await here.mod.click(first, label="Older")
        second = words_of(first)
        await here.restart()
        await here.mod.click(first, label="Older")
        third, buttons_of_third = words_of(first), labels_of(first)
        await here.mod.click(first, label="Newer")
        asked = await show(here, page=3)

        assert first.ephemeral
        assert older.followups == []
        assert "page 2" in second
        assert f"<t:1000000013:f> {here.mod.mention}: **limit changed** number 13: 50 → 30." in second
        assert "number 14" not in second
        assert "number 3" in third
        assert "number 4" not in third
        assert buttons_of_third == ["Newer"]
        assert words_of(first) == second
        assert words_of(asked) == third


async def test_the_log_about_one_person(tmp_path: Path) -> None:
    """What they did and what was done to them."""
    async with world(tmp_path) as here:
        await write(here, 1, subject="nobody")
        await write(here, 1, subject=here.you.mention, reason="gore")
        await write(here, 1, actor_id=here.you.id, subject="their own")
        about = words_of(await show(here, person=here.you))

        assert f"**The log of this server about {here.you.mention}**, page 1" in about
        assert "their own" in about
        assert "“gore”" in about
        assert "nobody" not in about


async def test_a_page_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    """The first may be empty, a later one not."""
    async with world(tmp_path) as here:
        empty = await show(here)
        beyond = await here.mod.slash(here.channel, "log show", page=2)

        assert words_of(empty) == "Nothing is in the log yet."
        assert labels_of(empty) == []
        assert said(beyond).startswith("The log has no page 2.")


async def test_long_and_hostile_entries_fit_and_do_nothing(tmp_path: Path) -> None:
    """Markdown and made-up mentions are shown as they are; ten of the longest entries still fit into a message."""
    async with world(tmp_path) as here:
        bad = "@everyone **x** [a](https://example.org) `" * 12
        await write(here, 11, subject=bad, before=bad, after=bad, reason=bad)
        page = await show(here)

        assert len(words_of(page)) <= 4000
        assert words_of(page).count("**limit changed**") == 10
        assert "@everyone **x**" not in words_of(page)
        assert labels_of(page) == ["Older"]


async def test_another_server_reads_its_own_log_only(tmp_path: Path) -> None:
    """The log of a server says nothing of what happens in another."""
    async with world(tmp_path) as here:
        await write(here, 11, subject="ours")
        guild = here.env.create_guild("Elsewhere")
        channel = guild.create_text_channel("art")
        role = guild.create_role("Managers", permissions=discord.Permissions(manage_guild=True))
        theirs = guild.add_member(here.other.user, roles=[role])
        elsewhere = shown(await theirs.slash(channel, "log show"))

        assert "ours" in words_of(await show(here))
        assert words_of(elsewhere) == "Nothing is in the log yet."


async def test_a_forged_button_shows_no_log(tmp_path: Path) -> None:
    """Whoever may not manage the server reads a sentence; in direct messages there is no log at all."""
    async with world(tmp_path) as here:
        await write(here, 11, subject="ours")
        view = discord.ui.LayoutView(timeout=None)
        view.add_item(discord.ui.ActionRow[Any](LogButton(None, 1)))
        forged = await post(here, here.channel.id, view)
        pressed = await here.you.click(forged, custom_id="art:log:0:1")
        private = await post(here, here.you.user.dm_channel.id, view)
        pressed_there = await here.you.user.click(private, custom_id="art:log:0:1")

        for refused in (pressed, pressed_there):
            assert "Only members who may manage this server turn these pages." in said(refused)
        assert "ours" not in words_of(shown(pressed) if pressed.response else pressed.followups[-1])


async def post(here: World, channel_id: int, view: discord.ui.LayoutView) -> discord.Message:
    """A message of the bot's with a button that it would not offer there."""
    with here.env._bot_scope():
        return await here.bot.get_partial_messageable(channel_id).send(view=view)


async def test_entries_are_posted_in_the_log_channel(tmp_path: Path) -> None:
    """Silently, without pinging those who are named, from the next entry on; clearing it ends that."""
    async with world(tmp_path) as here:
        logs = here.guild.create_text_channel("logs")
        answer = await here.mod.slash(here.channel, "log channel", channel=logs)
        again = await here.mod.slash(here.channel, "log channel", channel=logs)
        await here.mod.slash(here.channel, "mod block", person=here.you, reason="floods")
        await here.restart()
        await here.mod.slash(here.channel, "mod unblock", person=here.you)
        await here.env.settle()
        posted = logs.history()
        cleared = await here.mod.slash(here.channel, "log channel")
        twice = await here.mod.slash(here.channel, "log channel")
        await here.mod.slash(here.channel, "mod block", person=here.you, reason="floods")
        await here.env.settle()

        assert said(answer) == f"From now on every entry of the log is posted in {logs.mention} too."
        assert "is the log channel already" in said(again)
        assert [message.content.split(": ", 1)[1] for message in posted] == [
            f"**log channel changed**: none → {logs.mention}.",
            f"**blocked** {here.you.mention}: for good. “floods”",
            f"**block lifted** {here.you.mention}: for good.",
        ]
        assert all(message.flags.silent for message in posted)
        assert [here.pinged_by(message) for message in posted] == [[], [], []]
        assert "no longer posted" in said(cleared)
        assert "nothing to clear" in said(twice)
        assert len(logs.history()) == 3


async def test_a_channel_that_i_may_not_write_in_is_refused(tmp_path: Path) -> None:
    """With what is lacking; nothing is changed."""
    async with world(tmp_path) as here:
        assert here.bot.user is not None
        denied = discord.PermissionOverwrite(send_messages=False)
        closed = here.guild.create_text_channel("closed", overwrites={here.bot.user: denied})
        refused = await here.mod.slash(here.channel, "log channel", channel=closed)

        assert f"I may not send messages in {closed.mention}." in said(refused)
        assert words_of(await show(here)) == "Nothing is in the log yet."


async def test_a_log_channel_that_is_deleted_loses_no_entry(tmp_path: Path) -> None:
    """What moderators do goes on as before, is kept, and /log show says that the channel is gone."""
    async with world(tmp_path) as here:
        logs = here.guild.create_text_channel("logs")
        await here.mod.slash(here.channel, "log channel", channel=logs)
        fine = words_of(await show(here))
        await here.delete_thread(logs)
        answer = await here.mod.slash(here.channel, "mod block", person=here.you, reason="floods")
        await here.env.settle()
        page = words_of(await show(here))

        assert "is blocked in this server" in said(answer)
        assert "is gone or closed to me" in page
        assert "**blocked**" in page
        assert "gone or closed" not in fine


async def test_a_discord_that_takes_no_entry_does_not_stop_a_moderator(tmp_path: Path) -> None:
    """The action is done and kept; only the message is missing."""
    async with world(tmp_path) as here:
        logs = here.guild.create_text_channel("logs")
        await here.mod.slash(here.channel, "log channel", channel=logs)
        here.env.inject_error("POST", f"/channels/{logs.id}/messages", status=403, code=50013, times=None)
        answer = await here.mod.slash(here.channel, "mod block", person=here.you, reason="floods")
        await here.env.settle()

        assert "is blocked in this server" in said(answer)
        assert "**blocked**" in words_of(await show(here))
        assert len(logs.history()) == 1
