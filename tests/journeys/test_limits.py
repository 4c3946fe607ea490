"""Journeys: moderators turn the limits from inside Discord."""

from __future__ import annotations

from pathlib import Path

import pytest
from simcord import SetupError

from bot.store import JobState
from tests.journeys.world import World, held_engine, said, text_of, world


async def show(here: World, **whom: object) -> str:
    return said(await here.mod.slash(here.channel, "limits show", **whom))


async def test_limits_are_shown_set_and_reset(tmp_path: Path) -> None:
    """`show` lists every limit, `set` says old and new, `reset` restores the defaults; all survive a restart."""
    async with world(tmp_path) as here:
        before = await show(here)
        change = await here.limit("waiting-per-person", 1)
        await here.limit("steps", 30)
        await here.restart()
        after = await show(here)
        one = await here.mod.slash(here.channel, "limits reset", rule="steps")
        between = await show(here)
        everything = await here.mod.slash(here.channel, "limits reset")

        assert "**waiting-per-person**: 3" in before
        assert "**waiting-per-person**: 3 → 1" in said(change)
        assert change.ephemeral
        assert "**waiting-per-person**: 1 (set here)" in after
        assert "**steps**: 30 (set here)" in after
        assert "For this server, **steps** is back" in said(one)
        assert "**steps**: 50\n" in between
        assert "**waiting-per-person**: 1 (set here)" in between
        assert "all limits are back" in said(everything)
        assert await show(here) == before


async def test_a_limit_holds_at_once_and_in_its_own_server_only(tmp_path: Path) -> None:
    """The job after the change is refused with a sentence; another server does not notice."""
    async with world(tmp_path, held_engine) as here:
        await here.limit("waiting-per-person", 1)
        await here.sketch()
        refused = await here.sketch()
        others = await here.sketch(who=here.other)
        elsewhere = here.env.create_guild("Elsewhere")
        channel = elsewhere.create_text_channel("art")
        guest = elsewhere.add_member(here.you.user)
        first = await guest.slash(channel, "imagine", prompt="a moon")
        second = await guest.slash(channel, "imagine", prompt="a moon")

        assert "You have 1 job waiting or running, and 1 is the most here." in said(refused)
        assert "(Limit **waiting-per-person**, set by this server.)" in said(refused)
        assert "waiting or running" not in said(others)
        assert "waiting or running" not in said(first)
        assert "waiting or running" not in said(second)


async def test_the_whole_server_has_a_limit_too(tmp_path: Path) -> None:
    """When the server's line is full, the next person is told, whoever it is."""
    async with world(tmp_path, held_engine) as here:
        await here.limit("waiting-per-server", 1)
        await here.sketch()
        refused = await here.sketch(who=here.other)

        assert "This server has 1 job waiting or running, and 1 is the most." in said(refused)


async def test_steps_and_candidates_have_a_most(tmp_path: Path) -> None:
    """What one job may ask for is limited; a refused job is not stored."""
    async with world(tmp_path) as here:
        await here.limit("steps", 20)
        await here.limit("candidates", 1)
        steps = await here.sketch(steps=21, candidates=1)
        candidates = await here.sketch(steps=20, candidates=2)
        fine = await here.sketch(steps=20, candidates=1)

        assert "21 steps are more than the 20 that are allowed here." in said(steps)
        assert "2 pictures at once are more than the 1 that are allowed here." in said(candidates)
        assert "I am on it" in said(fine)
        assert len(here.fake.requests) == 1


async def test_what_nobody_asked_for_is_kept_within_the_limits(tmp_path: Path) -> None:
    """Who says no number is not refused for the usual one: every door takes as much as is allowed."""
    async with world(tmp_path) as here:
        await here.limit("steps", 12)
        await here.limit("candidates", 1)
        await here.sketch()
        await here.you.slash(here.channel, "imagine", prompt="a moon")
        await here.you.send(here.thread(), "a crater", reply_to=here.cards()[-1])
        await here.you.slash(here.thread(), "repaint", region="B2:D4", prompt="a chair")
        await here.you.slash(here.thread(), "piece", region="B2:D4", prompt="a chair", name="chair")
        await here.you.slash(here.thread(), "harmonise")

        assert len(here.fake.requests) == 6
        assert {request.steps for request in here.fake.requests} == {12}
        assert {len(request.seeds) for request in here.fake.requests} == {1}


async def test_a_role_may_more_than_the_server(tmp_path: Path) -> None:
    """And `show` of a person says which rule decides, what others say, and how much they used."""
    async with world(tmp_path) as here:
        artists = here.guild.create_role("Artists")
        artist = here.guild.add_member(here.env.create_user("artist"), roles=[artists])
        await here.limit("steps", 10)
        await here.limit("steps", 40, role=artists)
        may = await here.sketch(who=artist, steps=40, candidates=1)
        may_not = await here.sketch(steps=40)
        of_artist = await show(here, person=artist)
        of_role = await show(here, role=artists)

        assert "I am on it" in said(may)
        assert "40 steps are more than the 10" in said(may_not)
        assert f"**steps**: 40 (<@&{artists.id}>; this server says 10)" in of_artist
        assert "**candidates**: 4 (the default)" in of_artist
        assert "Asked for in the last hour: 1." in of_artist
        assert "**steps**: 40" in of_role
        assert f"<@&{artists.id}>: **steps** 40" in await show(here)


async def test_a_channel_can_be_closed_and_one_left_open(tmp_path: Path) -> None:
    """Off for the server and on for a channel: also in the threads that hang under it."""
    async with world(tmp_path) as here:
        await here.limit("use", "off")
        await here.limit("use", "on", channel=here.channel)
        other = here.guild.create_text_channel("talk")
        fine = await here.sketch(candidates=1)
        await here.you.send(here.thread(), "a crater", reply_to=here.cards()[-1])
        refused = await here.you.slash(other, "imagine", prompt="a moon")

        assert "I am on it" in said(fine)
        assert len(here.fake.requests) == 2
        assert "You may not use me here." in said(refused)
        assert "(Limit **use**, set by this server.)" in said(refused)


async def test_a_job_that_waits_is_held_to_rules_that_changed(tmp_path: Path) -> None:
    """At its turn it ends with the sentence; nothing is drawn or charged."""
    async with world(tmp_path, held_engine) as here:
        for _ in range(3):
            await here.sketch(candidates=4)
        await here.limit("candidates", 2)
        for _ in range(3):
            here.fake.release(1000)
            await here.env.settle()
        jobs = [await here.store.job(number) for number in (1, 2, 3)]
        refused = [job for job in jobs if job is not None and job.state is JobState.FAILED]

        assert refused
        assert jobs[0] is not None
        assert jobs[0].state is JobState.POSTED
        assert all("The rules changed while this waited. 4 pictures" in str(job.error) for job in refused)
        assert any(
            "The rules changed while this waited" in text_of(card) for card in here.cards(here.thread(-1))
        )
        async with here.store.transaction() as tx:
            used = await here.store.usages.today(tx, here.guild.id, here.you.id, here.bot.now())
        assert used[0] == sum(job.gpu_seconds or 0 for job in jobs if job is not None and job not in refused)
        assert len(here.fake.requests) == 3 - len(refused)


async def test_jobs_can_come_too_soon(tmp_path: Path) -> None:
    """The sentence says when; what was refused does not count, and time passing helps."""
    clock = [1_800_000_000.0]
    async with world(tmp_path, now=lambda: clock[0]) as here:
        await here.limit("cooldown", 60)
        await here.sketch(candidates=1)
        refused = await here.sketch(candidates=1)
        clock[0] += 61
        fine = await here.sketch(candidates=1)

        assert "Between two jobs you wait 60 seconds here: try again <t:1800000061:R>." in said(refused)
        assert "I am on it" in said(fine)


async def test_jobs_per_hour(tmp_path: Path) -> None:
    """An hour after the first one the next may come; those that came to nothing do not count."""
    clock = [1_800_000_000.0]
    async with world(tmp_path, now=lambda: clock[0]) as here:
        await here.limit("jobs-per-hour", 2)
        await here.sketch(candidates=1)
        clock[0] += 1000
        await here.sketch(candidates=1)
        refused = await here.sketch(candidates=1)
        clock[0] += 2601
        fine = await here.sketch(candidates=1)

        assert "You asked for 2 jobs in the last hour, and 2 is the most here" in said(refused)
        assert "<t:1800003601:R>" in said(refused)
        assert "I am on it" in said(fine)


async def test_a_days_time_is_used_up(tmp_path: Path) -> None:
    """Seconds of drawing count per day; the next day there are new ones."""
    clock = [1_800_000_000.0]

    def now() -> float:
        clock[0] += 1.0  # every look at the clock takes a second, so that drawing does
        return clock[0]

    async with world(tmp_path, now=now) as here:
        await here.limit("gpu-seconds", 1)
        first = await here.sketch(candidates=1)
        refused = await here.sketch(candidates=1)
        clock[0] += 86_400
        fine = await here.sketch(candidates=1)

        assert "seconds of drawing for today; they come back" not in said(first)
        assert "of your 1 seconds of drawing for today; they come back <t:" in said(refused)
        assert "seconds of drawing for today; they come back" not in said(fine)


async def test_models_and_styles_can_be_narrowed(tmp_path: Path) -> None:
    """An unknown model is refused when the rule is set; a style that is not allowed when it is asked for."""
    async with world(tmp_path) as here:
        wrong = await here.limit("models", "moonish")
        typo = await here.limit("styles", "crayonn")
        await here.limit("styles", "crayon")
        crayon = await here.sketch(style="crayon", candidates=1)
        oil = await here.sketch(style="clay", candidates=1)

        assert "I don't know the model “moonish”" in said(wrong)
        assert "Did you mean `crayon`" in said(typo)
        assert "I am on it" in said(crayon)
        assert "The style clay may not be used here; you can choose crayon." in said(oil)


@pytest.mark.parametrize(
    "rule, value, sentence",
    [
        (
            "steps",
            "-1",
            "`steps` is a number from 1 to 150, in plain digits; “",
        ),
        ("steps", "a million", "“a million” is not. Nothing was changed."),
        ("steps", "1,000", "“1,000” is not."),
        ("safety", "strict", "`safety` is `block`, `spoiler` or `off`; “strict” is not."),
        ("line-weight", "2", "`line-weight` cannot be set for a server, only for a role."),
    ],
)
async def test_what_makes_no_sense_changes_nothing(
    tmp_path: Path, rule: str, value: str, sentence: str
) -> None:
    """Every wrong value gets a sentence that says what would be right."""
    async with world(tmp_path) as here:
        before = await show(here)
        if (
            rule == "moons"
        ):  # Discord itself offers only what there is; a forged one gets a sentence all the same
            answer = None
        else:
            answer = await here.limit(rule, value)

        if answer is not None:
            assert sentence in said(answer)
        assert await show(here) == before


async def test_setting_what_is_so_already_and_resetting_nothing(tmp_path: Path) -> None:
    """Both are said, and leave no entry in the log."""
    async with world(tmp_path) as here:
        await here.limit("steps", 20)
        entries = await here.store.audits.latest(here.guild.id, 10)
        again = await here.limit("steps", 20)
        nothing = await here.mod.slash(here.channel, "limits reset", rule="cooldown")
        both = await here.limit("steps", 10, channel=here.channel, role=here.guild.create_role("Artists"))

        assert "**steps** is 20 there already." in said(again)
        assert "Nothing of that is set for this server." in said(nothing)
        assert "Name a channel or a role, not both" in said(both)
        assert [(entry.action, entry.before, entry.after) for entry in entries] == [
            ("limit changed", "50", "20")
        ]
        assert len(await here.store.audits.latest(here.guild.id, 10)) == 1


async def test_a_thread_can_have_limits_of_its_own(tmp_path: Path) -> None:
    """Nearer than those of its channel; and what was reset can be read in the log."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        await here.limit("steps", 10, channel=here.channel)
        await here.limit("steps", 20, channel=here.thread())
        await here.you.send(here.thread(), "a crater --steps 20", reply_to=here.cards()[-1])
        refused = await here.sketch(steps=20)
        await here.mod.slash(here.channel, "limits reset", channel=here.channel)
        latest = (await here.store.audits.latest(here.guild.id, 1))[0]

        assert len(here.fake.requests) == 2
        assert "20 steps are more than the 10" in said(refused)
        assert (latest.before, latest.after) == ("steps 10", "the default")


async def test_new_members_wait(tmp_path: Path) -> None:
    """The sentence says until when; simcord's members joined at the beginning of its time."""
    clock = [1_767_225_600.0 + 3600]  # an hour after that
    async with world(tmp_path, now=lambda: clock[0]) as here:
        await here.limit("members-for-days", 2)
        refused = await here.sketch()
        clock[0] += 2 * 86_400
        fine = await here.sketch(candidates=1)

        assert "members for 2 days: you can begin <t:1767398400:R>." in said(refused)
        assert "I am on it" in said(fine)


async def test_what_was_set_for_a_deleted_channel_is_named_and_goes(tmp_path: Path) -> None:
    """Nobody can choose it any more, so resetting the server takes it along."""
    async with world(tmp_path) as here:
        gone = here.guild.create_text_channel("gone")
        await here.limit("steps", 10, channel=gone)
        with here.env._bot_scope():
            here.env.backend.delete_channel(gone.id)
        await here.env.settle()
        shown = await show(here)
        await here.mod.slash(here.channel, "limits reset")

        assert "- a channel that was deleted (`/limits reset` takes it away): **steps** 10" in shown
        assert await here.store.rules.of(here.guild.id) == []


async def test_the_hosts_ceiling_holds(tmp_path: Path) -> None:
    """Whatever a server sets; the moderator is told, and so is who runs into it."""
    async with world(tmp_path) as here:
        async with here.store.transaction() as tx:
            await here.store.ceilings.set(tx, "most_steps", 20, here.bot.now())
        answer = await here.limit("steps", 100)
        refused = await here.sketch(steps=30)

        assert "My host allows no more than 20, so that is what holds." in said(answer)
        assert "30 steps are more than the 20" in said(refused)
        assert "set by my host, for all servers" in said(refused)


async def test_members_without_manage_server_do_not_see_the_command(tmp_path: Path) -> None:
    """Discord itself keeps it from them; admins can hand it on in their server's settings."""
    async with world(tmp_path) as here:
        with pytest.raises(SetupError):
            await here.you.slash(here.channel, "limits show")
