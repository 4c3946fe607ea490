"""Journeys: moderators turn the limits from inside Discord."""

from __future__ import annotations

from pathlib import Path

import pytest
from simcord import SetupError

from tests.journeys.world import held_engine, said, world


async def test_limits_are_shown_set_and_reset(tmp_path: Path) -> None:
    """`show` lists every limit, `set` says old and new, `reset` restores the defaults; all survive a restart."""
    async with world(tmp_path) as here:
        before = await here.mod.slash(here.channel, "limits show")
        change = await here.mod.slash(here.channel, "limits set", **{"waiting-per-person": 1, "steps": 30})
        await here.restart()
        after = await here.mod.slash(here.channel, "limits show")
        await here.mod.slash(here.channel, "limits reset")
        reset = await here.mod.slash(here.channel, "limits show")

        assert "**waiting-per-person**: 3" in said(before)
        assert "**waiting-per-person**: 3 → 1" in said(change)
        assert "**steps**: 50 → 30" in said(change)
        assert "**waiting-per-person**: 1 (set here)" in said(after)
        assert said(reset) == said(before)
        assert change.ephemeral


async def test_a_limit_holds_at_once_and_in_its_own_server_only(tmp_path: Path) -> None:
    """The job after the change is refused with a sentence; another server does not notice."""
    async with world(tmp_path, held_engine) as here:
        await here.mod.slash(here.channel, "limits set", **{"waiting-per-person": 1})
        await here.sketch()
        refused = await here.sketch()
        others = await here.sketch(who=here.other)
        elsewhere = here.env.create_guild("Elsewhere")
        channel = elsewhere.create_text_channel("art")
        guest = elsewhere.add_member(here.you.user)
        first = await guest.slash(channel, "imagine", prompt="a moon")
        second = await guest.slash(channel, "imagine", prompt="a moon")

        assert "You have 1 job waiting or running, and 1 is the most here." in said(refused)
        assert "waiting or running" not in said(others)
        assert "waiting or running" not in said(first)
        assert "waiting or running" not in said(second)


async def test_the_whole_server_has_a_limit_too(tmp_path: Path) -> None:
    """When the server's line is full, the next person is told, whoever it is."""
    async with world(tmp_path, held_engine) as here:
        await here.mod.slash(here.channel, "limits set", **{"waiting-per-server": 1})
        await here.sketch()
        refused = await here.sketch(who=here.other)

        assert "This server has 1 job waiting or running, and 1 is the most." in said(refused)


async def test_steps_and_candidates_have_a_most(tmp_path: Path) -> None:
    """What one job may ask for is limited; a refused job is not stored."""
    async with world(tmp_path) as here:
        await here.mod.slash(here.channel, "limits set", steps=20, candidates=1)
        steps = await here.sketch(steps=21, candidates=1)
        candidates = await here.sketch(steps=20, candidates=2)
        fine = await here.sketch(steps=20, candidates=1)

        assert "21 steps are more than the 20 that are allowed here." in said(steps)
        assert "2 pictures at once are more than the 1 that are allowed here." in said(candidates)
        assert "I am on it" in said(fine)
        assert len(here.fake.requests) == 1


async def test_setting_nothing_is_answered(tmp_path: Path) -> None:
    """`/limits set` without a limit says that one must be named."""
    async with world(tmp_path) as here:
        answer = await here.mod.slash(here.channel, "limits set")

        assert said(answer) == "Name at least one limit to set."


async def test_members_without_manage_server_do_not_see_the_command(tmp_path: Path) -> None:
    """Discord itself keeps it from them; admins can hand it on in their server's settings."""
    async with world(tmp_path) as here:
        with pytest.raises(SetupError):
            await here.you.slash(here.channel, "limits show")
