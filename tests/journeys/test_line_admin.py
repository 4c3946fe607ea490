"""Journeys: /line-admin, as the moderator and as those whose jobs it is about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from simcord.results import InteractionResult

from inference import Park
from inference.fake import FakeEngine
from tests.journeys.world import World, held_engine, said, text_of, world

REASON = "The reason: “a party first”."


def small_engine(park: Park) -> FakeEngine:
    return FakeEngine(park=park, held=True, row_credits=1)


async def line_admin(here: World, what: str, **options: Any) -> InteractionResult:
    return await here.mod.slash(here.channel, f"line-admin {what}", **options)


async def log_of(here: World) -> str:
    shown = await here.mod.slash(here.channel, "log show")
    assert shown.response is not None
    return "\n".join(item["content"] for item in shown.response.components if item["type"] == 10)


def card_of(here: World, thread: int) -> str:
    return text_of(here.cards(here.thread(thread))[0])


def other_server(here: World) -> tuple[Any, Any]:
    """`other` in another server, and its channel."""
    guild = here.env.create_guild("Elsewhere")
    return guild.add_member(here.other.user), guild.create_text_channel("art")


async def test_a_paused_line_stands_still_and_says_why(tmp_path: Path) -> None:
    """Cards and receipts carry the reason, a restart changes nothing, another server goes on; resuming starts all."""
    async with world(tmp_path) as here:
        paused = await line_admin(here, "pause", reason="a party first")
        accepted = await here.sketch(prompt="waits", candidates=1)
        guest, channel = other_server(here)
        await guest.slash(channel, "imagine", prompt="elsewhere")
        before = card_of(here, 0)
        await here.restart()
        still = card_of(here, 0)
        drawn_before = [request.prompt for request in here.fake.requests]
        resumed = await line_admin(here, "resume")
        await here.env.settle()
        log = await log_of(here)

        assert "This server's line is paused: 0 jobs" in said(paused)
        assert f"The line of this server is paused. {REASON}" in said(accepted)
        assert f"The line of this server is paused. {REASON}" in before
        assert f"The line of this server is paused. {REASON}" in still
        assert drawn_before == []
        assert "elsewhere" not in still
        assert said(resumed) == "This server's line moves again."
        assert "Done." in card_of(here, 0)
        assert f"{here.mod.mention}: **line paused**. “a party first”" in log
        assert f"{here.mod.mention}: **line resumed**." in log


async def test_a_pause_stops_only_its_own_server(tmp_path: Path) -> None:
    """What is asked for in another one is drawn meanwhile."""
    async with world(tmp_path) as here:
        await line_admin(here, "pause", reason="a party first")
        await here.sketch(prompt="waits", candidates=1)
        guest, channel = other_server(here)
        await guest.slash(channel, "imagine", prompt="elsewhere")
        await here.env.settle()

        assert [request.prompt for request in here.fake.requests] == ["elsewhere"]


async def test_what_runs_is_finished_under_a_pause(tmp_path: Path) -> None:
    """Only the next one has to wait."""
    async with world(tmp_path, small_engine) as here:
        await here.sketch(prompt="runs", candidates=4)
        await here.sketch(prompt="waits", candidates=4)
        answer = await line_admin(here, "pause", reason="a party first")
        here.fake.release(1000)
        await here.env.settle()

        assert "This server's line is paused: 1 job and whatever" in said(answer)
        assert "Done." in card_of(here, 0)
        assert REASON in card_of(here, 1)
        assert [request.prompt for request in here.fake.requests] == ["runs"]


async def test_pausing_twice_and_resuming_what_moves_change_nothing(tmp_path: Path) -> None:
    """A sentence each; the first reason stays."""
    async with world(tmp_path) as here:
        early = await line_admin(here, "resume")
        await line_admin(here, "pause", reason="a party first")
        twice = await line_admin(here, "pause", reason="another reason")
        await here.sketch(candidates=1)
        log = await log_of(here)

        assert "This server's line is not paused. Nothing was changed." in said(early)
        assert f"This server's line is paused already. {REASON} Nothing was changed." in said(twice)
        assert REASON in card_of(here, 0)
        assert log.count("**line paused**") == 1
        assert "another reason" not in log


async def test_a_dropped_job_ends_with_the_reason_on_its_card(tmp_path: Path) -> None:
    """One that waits, and one that runs; the next moves up."""
    async with world(tmp_path, small_engine) as here:
        await here.sketch(prompt="runs", candidates=4)
        await here.sketch(prompt="waits", candidates=4)
        await here.sketch(who=here.other, prompt="next", candidates=1)
        waiting = await line_admin(here, "drop", job=2, reason="a party first")
        running = await line_admin(here, "drop", job=1, reason="a party first")
        again = await line_admin(here, "drop", job=1, reason="a party first")
        here.fake.release(1000)
        await here.env.settle()
        log = await log_of(here)

        assert said(waiting) == f"job 2 of {here.you.mention} is out of the line, and its card says why."
        assert said(running).startswith("job 1 of")
        assert "There is no such job waiting or running in this server." in said(again)
        for thread in (0, 1):
            assert f"A moderator took this out of the line. {REASON} Nothing was charged." in card_of(
                here, thread
            )
        assert "Done." in card_of(here, 2)
        assert f"**job taken out of the line** job 1 of {here.you.mention}. “a party first”" in log


async def test_a_moved_job_is_next_and_its_card_says_why(tmp_path: Path) -> None:
    """Before whoever came earlier, also after a restart."""
    async with world(tmp_path, small_engine) as here:
        await here.sketch(prompt="runs", candidates=4)
        await here.sketch(prompt="earlier", candidates=4)
        await here.sketch(who=here.other, prompt="moved", candidates=4)
        answer = await line_admin(here, "move", job=3, reason="a party first")
        moved, earlier = card_of(here, 2), card_of(here, 1)
        await here.restart()
        still = card_of(here, 2)
        here.fake.release(1000)
        await here.env.settle()
        log = await log_of(here)

        assert "is first in this server's line, and its card says why." in said(answer)
        for card in (moved, still):
            assert "A moderator moved this to the front of the line." in card
            assert REASON in card
        assert "A moderator moved another job to the front." in earlier
        drawn = [request.prompt for request in here.fake.requests]
        assert drawn.index("moved") < drawn.index("earlier")
        assert f"**job moved to the front** job 3 of {here.other.mention}: 2nd → 1st." in log


async def test_what_runs_cannot_be_moved(tmp_path: Path) -> None:
    """A sentence, no entry."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=1)
        refused = await line_admin(here, "move", job=1, reason="a party first")

        assert "That one runs already" in said(refused)
        assert await log_of(here) == "Nothing is in the log yet."


async def test_clearing_ends_all_that_waits_or_that_of_one_person(tmp_path: Path) -> None:
    """What runs is finished; each card carries the reason; nothing left to clear is a sentence."""
    async with world(tmp_path, small_engine) as here:
        await here.sketch(prompt="runs", candidates=4)
        await here.sketch(prompt="mine", candidates=4)
        await here.sketch(who=here.other, prompt="theirs", candidates=4)
        one = await line_admin(here, "clear", reason="a party first", person=here.other)
        none_of_theirs = await line_admin(here, "clear", reason="a party first", person=here.other)
        mine = card_of(here, 1)
        rest = await line_admin(here, "clear", reason="a party first")
        empty = await line_admin(here, "clear", reason="a party first")
        here.fake.release(1000)
        await here.env.settle()
        log = await log_of(here)

        assert said(one).startswith("1 job out of the line")
        assert f"Nothing of {here.other.mention} waits" in said(none_of_theirs)
        assert REASON not in mine
        assert said(rest).startswith("1 job out of the line")
        assert "Nobody waits in this server's line. Nothing was changed." in said(empty)
        for thread in (1, 2):
            assert f"A moderator took this out of the line. {REASON}" in card_of(here, thread)
        assert [request.prompt for request in here.fake.requests] == ["runs"]
        assert log.count("**line cleared**") == 2


@pytest.mark.parametrize("what", ["drop", "move"])
async def test_jobs_of_other_servers_are_out_of_reach(tmp_path: Path, what: str) -> None:
    """Neither listed nor taken by their number; clearing here leaves them alone."""
    async with world(tmp_path, small_engine) as here:
        guest, channel = other_server(here)
        await guest.slash(channel, "imagine", prompt="elsewhere", candidates=4)
        await guest.slash(channel, "imagine", prompt="elsewhere too", candidates=4)
        listed = await here.mod.autocomplete(here.channel, f"line-admin {what}", "job", "")
        taken = await line_admin(here, what, job=2, reason="a party first")
        unknown = await line_admin(here, what, job=999, reason="a party first")
        cleared = await line_admin(here, "clear", reason="a party first")
        here.fake.release(1000)
        await here.env.settle()

        assert listed == []
        for refused in (taken, unknown):
            assert "There is no such job waiting or running in this server." in said(refused)
        assert "Nobody waits" in said(cleared)
        assert [request.prompt for request in here.fake.requests] == ["elsewhere", "elsewhere too"]


async def test_jobs_are_offered_by_person_kind_and_place(tmp_path: Path) -> None:
    """What was typed narrows the list down; prompts are not in it."""
    async with world(tmp_path, small_engine) as here:
        await here.sketch(prompt="secret words", candidates=4)
        await here.sketch(prompt="secret words", candidates=4)
        await here.sketch(who=here.other, prompt="secret words", candidates=4)
        everything = await here.mod.autocomplete(here.channel, "line-admin drop", "job", "")
        theirs = await here.mod.autocomplete(here.channel, "line-admin move", "job", "other")

        assert [choice["value"] for choice in everything] == [1, 2, 3]
        assert "you: " in everything[0]["name"]
        assert "running (job 1)" in everything[0]["name"]
        assert "in line (job 2)" in everything[1]["name"]
        assert [choice["value"] for choice in theirs] == [3]
        assert not any("secret" in choice["name"] for choice in everything)


async def test_log_entries_come_with_the_reason_in_the_channel(tmp_path: Path) -> None:
    """Pausing is posted where the server reads its log."""
    async with world(tmp_path) as here:
        logs = here.guild.create_text_channel("logs")
        await here.mod.slash(here.channel, "log channel", channel=logs)
        await line_admin(here, "pause", reason="a party first")
        await here.env.settle()

        assert "**line paused**. “a party first”" in logs.history()[-1].content
