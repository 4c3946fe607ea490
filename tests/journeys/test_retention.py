"""Journeys: what goes by itself, and what /keep and /privacy say about it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import discord
import pytest

from bot import texts
from bot.client import wall_clock
from bot.retention import Retention
from bot.store import AuditEntry, Scope, SetRule
from tests.journeys.test_delete import files_of, moderator
from tests.journeys.test_forget_me import press
from tests.journeys.world import EngineMaker, World, buttons_of, fake_engine, held_engine, said, world

DAY = 86_400

T = TypeVar("T")


class Calendar:
    """The bot's clock, which can be put forward by days; Discord's own goes on as it does."""

    def __init__(self) -> None:
        self.days = 0

    def __call__(self) -> float:
        return wall_clock() + self.days * DAY


@asynccontextmanager
async def over_days(folder: Path, make_engine: EngineMaker = fake_engine) -> AsyncGenerator[World, None]:
    async with world(folder, make_engine, now=Calendar()) as here:
        yield here


async def days_pass(here: World, days: int) -> None:
    """And at the end of them what is due is swept; the bot itself does that once a day, whenever it was started."""
    calendar = here.bot.now
    assert isinstance(calendar, Calendar)
    calendar.days += days
    await sweep(here)


def now(here: World) -> float:
    """As the bot sees it."""
    with here.env._bot_scope():
        return here.bot.now()


async def sweep(here: World) -> None:
    with here.env._bot_scope():
        await here.bot.retention.sweep()
    await here.env.settle()


async def scenes(here: World) -> list[int]:
    async with here.store.transaction() as tx:
        return [row["id"] for row in await tx.all("SELECT id FROM scene ORDER BY id")]


async def test_a_scene_that_nobody_uses_goes_whole(tmp_path: Path) -> None:
    """After thirty days its rows and bytes are gone; its messages stay, and pressing a button there gets a sentence."""
    async with over_days(tmp_path) as here:
        await here.sketch(candidates=1)
        await days_pass(here, 29)
        before = await scenes(here), len(files_of(tmp_path))
        await days_pass(here, 2)
        (card,) = here.cards()
        answers = [
            said(await here.you.click(card, custom_id=buttons_of(card)[label]))
            for label in ("Again", "Subtle", "Refine…", "Delete")
        ]

        assert before == ([1], 3)
        assert await scenes(here) == []
        assert files_of(tmp_path) == set()
        assert answers == [
            texts.SCENE_CARD_GONE,
            texts.SCENE_CARD_GONE,
            texts.PICTURE_WAS_DELETED,
            texts.DELETED_ALREADY,
        ]


async def test_a_server_says_itself_for_how_long(tmp_path: Path) -> None:
    """Its Scenes go after five days, those of direct messages still after thirty; /privacy says so in each place."""
    async with over_days(tmp_path) as here:
        await here.sketch(candidates=1)
        await here.you.user.slash("imagine", prompt="a moon", candidates=1)
        five = SetRule(scope=Scope.SERVER, scope_id=here.guild.id, name="retention_days", value=5)
        async with here.store.transaction() as tx:
            await here.store.rules.set(tx, here.guild.id, five, by=here.mod.id, now=0.0)
        told = said(await here.you.slash(here.channel, "privacy")), said(await here.you.user.slash("privacy"))
        await days_pass(here, 6)

        assert "5 days after it was last used here" in told[0]
        assert "30 days after it was last used here" in told[1]
        assert await scenes(here) == [2]


async def test_using_it_counts(tmp_path: Path) -> None:
    """A job, a picture that no model drew and a placing each begin the thirty days anew."""
    async with over_days(tmp_path) as here:
        await here.sketch(candidates=1)
        await days_pass(here, 20)
        (card,) = here.cards()
        await here.other.click(card, custom_id=buttons_of(card)["Subtle"])
        await days_pass(here, 20)
        await here.you.slash(here.thread(), "edit flip")
        await days_pass(here, 20)
        async with here.store.transaction() as tx:
            draft_id = await here.store.drafts.begin(
                tx, scene_id=1, author_id=here.you.id, base_id=1, layers="[]", now=0.0
            )
        draft = await here.store.drafts.get(draft_id)
        assert draft is not None
        async with here.store.transaction() as tx:
            await here.store.drafts.change(tx, draft, now(here))
        await days_pass(here, 20)
        kept = await scenes(here)
        await days_pass(here, 20)

        assert kept == [1]
        assert await scenes(here) == []


async def test_a_scene_that_is_kept_stays(tmp_path: Path) -> None:
    """/keep by its owner; and once it is let go, it goes with the others."""
    async with over_days(tmp_path) as here:
        await here.sketch(candidates=1)
        asked = await here.you.slash(here.thread(), "keep")
        goes = said(asked)
        answer = await press(asked, "Keep it", here.you)
        await days_pass(here, 400)
        kept = await scenes(here)
        let_go = await here.you.slash(here.thread(), "keep", on=False)
        await sweep(here)

        assert "goes, with all its pictures, 30 days after it was last used" in goes
        assert "is kept until somebody deletes it" in said(answer)
        assert kept == [1]
        assert "goes, with all its pictures" in said(let_go)
        assert await scenes(here) == []


@pytest.mark.parametrize("who, may", [("other", False), ("mod", False), ("moderator", True)])
async def test_who_may_say_whether_a_scene_is_kept(tmp_path: Path, who: str, may: bool) -> None:
    """Its owner, and who manages messages."""
    async with over_days(tmp_path) as here:
        person = moderator(here) if who == "moderator" else getattr(here, who)
        await here.sketch(candidates=1)
        answer = await person.slash(here.thread(), "keep", on=True)
        scene = await here.store.scene(1)

        assert scene.pinned is may
        assert ("Only the Scene's owner or a moderator" in said(answer)) is not may


async def test_there_is_nothing_to_keep_where_no_scene_is(tmp_path: Path) -> None:
    """Nor in another server, whatever the button says."""
    async with over_days(tmp_path) as here:
        nowhere = await here.you.slash(here.channel, "keep")
        await here.sketch(candidates=1)
        asked = await here.you.slash(here.thread(), "keep")
        await here.bot.forgetting.forget(here.you.id)
        await here.env.settle()
        gone = await press(asked, "Keep it", here.you)

        assert "There is no Scene here yet." in said(nowhere) == said(gone)


async def test_a_job_that_waits_keeps_its_scene(tmp_path: Path) -> None:
    """However long it waits; the Scene's own time begins with its end."""
    async with over_days(tmp_path, held_engine) as here:
        await here.sketch(candidates=1)
        await days_pass(here, 40)
        waiting = await scenes(here)
        here.fake.release(1000)
        await here.env.settle()
        await sweep(here)

        assert waiting == await scenes(here) == [1]


async def test_the_bot_sweeps_by_itself(tmp_path: Path) -> None:
    """Once a day; nobody has to ask for it, nor to start it anew."""
    async with over_days(tmp_path) as here:
        await here.sketch(candidates=1)
        calendar = here.bot.now
        assert isinstance(calendar, Calendar)
        calendar.days += 31
        await here.env.advance_time(DAY + 1)

        assert await scenes(here) == []
        assert files_of(tmp_path) == set()


async def test_what_was_due_while_the_bot_was_away_goes_at_the_start(tmp_path: Path) -> None:
    """Before anybody asks for anything."""
    async with over_days(tmp_path) as here:
        await here.sketch(candidates=1)
        async with here.store.transaction() as tx:
            await here.store.use(tx, 1, now(here) - 31 * DAY)
        await here.restart()

        assert await scenes(here) == []


async def test_a_discarded_placing_goes_with_the_month(tmp_path: Path) -> None:
    """While its Scene, which is still in use, stays; an open one stays too."""
    async with over_days(tmp_path) as here:
        await here.sketch(candidates=1)
        long_ago = now(here) - 31 * DAY
        async with here.store.transaction() as tx:
            for _ in range(2):
                await here.store.drafts.begin(
                    tx, scene_id=1, author_id=here.you.id, base_id=1, layers="[]", now=long_ago
                )
            await tx.run("UPDATE draft SET state = 'discarded' WHERE id = 1")
        await sweep(here)
        left = [await here.store.drafts.get(number) is not None for number in (1, 2)]

        assert left == [False, True]
        assert await scenes(here) == [1]


async def test_use_is_remembered_for_a_month(tmp_path: Path) -> None:
    """What /usage shows; older numbers go."""
    async with over_days(tmp_path) as here:
        async with here.store.transaction() as tx:
            for days in (5, 40):
                await here.store.usages.add(
                    tx, here.guild.id, here.you.id, now(here) - days * DAY, gpu_seconds=1.0, waited=0.0
                )
        await sweep(here)
        async with here.store.transaction() as tx:
            rows = await tx.all("SELECT * FROM usage")

        assert len(rows) == 1


async def test_files_that_no_row_names_go_after_a_day(tmp_path: Path) -> None:
    """A refused upload leaves one. One that is fresh, or that a row is about to name, stays; and so do pictures."""
    async with over_days(tmp_path) as here:
        await here.sketch(candidates=1)
        pictures = files_of(tmp_path)
        lost = here.bot.store.files
        refused, fresh, claimed = [await lost.put(data) for data in (b"refused", b"fresh", b"claimed")]
        lost.claimed(refused, fresh)  # as a start of the bot does: it knows of nothing that is being written
        for path in (tmp_path / "pictures").rglob("*"):
            if path.name != fresh and path.is_file():
                os.utime(path, (0, 0))
        await sweep(here)

        assert files_of(tmp_path) == pictures | {fresh, claimed}


async def test_a_sweep_that_breaks_is_tried_again_the_next_day(tmp_path: Path) -> None:
    """What a full disk or a bad row keeps from happening today must not end it for good."""
    async with over_days(tmp_path) as here:
        slept: list[str] = []

        async def park(awaitable: Coroutine[Any, Any, T], reason: str) -> T:
            slept.append(reason)
            awaitable.close()
            if len(slept) == 3:
                raise asyncio.CancelledError
            return cast("T", None)  # nobody looks at what a sleep gives back

        async def days_of(_guild_id: int | None) -> int:
            raise OSError(28, "No space left on device")

        await here.sketch(candidates=1)
        retention = Retention(here.store, here.bot.jobs, days_of=days_of, now=here.bot.now, park=park)
        with pytest.raises(asyncio.CancelledError):
            await retention.run()

        assert len(slept) == 3
        assert await scenes(here) == [1]


# Leaving a server


async def something_of(here: World) -> None:
    """A Scene, a rule, a word, an entry in the log and a ban by the host; and a Scene in another server."""
    await here.sketch(candidates=1)
    async with here.store.transaction() as tx:
        await tx.run("INSERT INTO rule VALUES (?1, 'server', ?1, 'most_steps', '9', 0, 0)", here.guild.id)
        await tx.run("INSERT INTO word VALUES (?, 'x', 'block', 0, 0)", here.guild.id)
        entry = AuditEntry(guild_id=here.guild.id, at=0.0, actor_id=None, action="x")
        await here.store.audits.add(tx, entry)
        await here.store.servers.set(tx, here.guild.id, log_channel_id=5)


async def rows_of(here: World) -> dict[str, int]:
    tables = ("scene", "job", "rule", "word", "audit", "server", "usage")
    async with here.store.transaction() as tx:
        counts = {
            table: (await tx.all(f"SELECT count(*) FROM {table} WHERE guild_id = ?", here.guild.id))[0][0]
            for table in tables
        }
    return {table: count for table, count in counts.items() if count}


async def leave(here: World) -> None:
    with here.env._bot_scope():
        here.env.backend.remove_guild(here.guild.id)
    await here.env.settle()


async def test_a_server_that_the_bot_left_is_forgotten_after_a_week(tmp_path: Path) -> None:
    """All that is its: Scenes, bytes, rules, words, its log. What another server has stays."""
    async with over_days(tmp_path) as here:
        await something_of(here)
        elsewhere = here.env.create_guild("Elsewhere")
        channel = elsewhere.create_text_channel("art")
        them = elsewhere.add_member(here.other.user)
        await them.slash(channel, "imagine", prompt="a moon", candidates=1)
        await leave(here)
        await days_pass(here, 6)
        after_six = await rows_of(here)
        await days_pass(here, 2)

        assert after_six == {"scene": 1, "job": 1, "rule": 1, "word": 1, "audit": 1, "server": 1, "usage": 1}
        assert await rows_of(here) == {}
        assert await scenes(here) == [2]
        assert len(files_of(tmp_path)) == 2


async def test_what_the_host_decided_stays(tmp_path: Path) -> None:
    """Otherwise a banned server would only have to come back."""
    async with over_days(tmp_path) as here:
        await something_of(here)
        async with here.store.transaction() as tx:
            await here.store.servers.set(tx, here.guild.id, banned_for="spam", weight=0.5)
        await leave(here)
        await days_pass(here, 8)
        server = await here.store.servers.of(here.guild.id)

        assert await rows_of(here) == {"server": 1}
        assert (server.banned_for, server.weight) == ("spam", 0.5)
        assert (server.log_channel_id, server.left_at) == (None, None)


async def test_who_comes_back_within_the_week_finds_everything(tmp_path: Path) -> None:
    """Bots are removed by mistake."""
    async with over_days(tmp_path) as here:
        await something_of(here)
        before = await rows_of(here)
        guild = here.bot.get_guild(here.guild.id)
        assert guild is not None
        await leave(here)
        await days_pass(here, 6)
        await here.bot.on_guild_join(guild)  # simcord gives no id out twice
        await days_pass(here, 6)

        assert await rows_of(here) == before
        assert (await here.store.servers.of(here.guild.id)).left_at is None


async def test_a_removal_while_the_bot_was_away_is_noticed_at_the_start(tmp_path: Path) -> None:
    """Only a server that Discord does not list counts; one that is out of order is listed."""
    async with over_days(tmp_path) as here:
        await something_of(here)
        listed = {guild.id for guild in here.bot.guilds}
        await here.bot.retention.compare(listed)
        still_there = (await here.store.servers.of(here.guild.id)).left_at
        await here.bot.retention.compare(set())
        missing = (await here.store.servers.of(here.guild.id)).left_at
        await here.bot.retention.compare(listed)
        back = (await here.store.servers.of(here.guild.id)).left_at

        assert still_there is None
        assert missing is not None
        assert back is None


async def test_an_outage_is_no_removal(tmp_path: Path) -> None:
    """Discord says of a server that it is unavailable: nothing is marked."""
    async with over_days(tmp_path) as here:
        await something_of(here)
        with here.env._bot_scope():
            here.env.backend.emit("GUILD_DELETE", {"id": str(here.guild.id), "unavailable": True})
        await here.env.settle()
        await here.bot.on_ready()

        assert (await here.store.servers.of(here.guild.id)).left_at is None
        assert isinstance(here.bot.get_guild(here.guild.id), discord.Guild)


async def test_jobs_that_wait_in_a_server_that_was_left_are_over(tmp_path: Path) -> None:
    """Those that nobody could let through any more, too."""
    async with over_days(tmp_path, held_engine) as here:
        await here.sketch(candidates=4)
        await here.sketch(who=here.other, candidates=4)
        await leave(here)
        await days_pass(here, 8)
        here.fake.release(1000)
        await here.env.settle()

        assert await rows_of(here) == {}
        assert files_of(tmp_path) == set()


# What /privacy says


async def test_privacy_in_three_sentences(tmp_path: Path) -> None:
    """What is kept, for how long here, how to take it away; privately."""
    async with over_days(tmp_path) as here:
        answer = await here.you.slash(here.channel, "privacy")
        direct = await here.you.user.slash("privacy")
        told = said(answer)

        assert answer.ephemeral
        assert told.count("\n") == 2
        assert "What I keep" in told
        assert "30 days after it was last used here" in told
        assert "`/forget-me` has all that is yours forgotten" in told
        assert said(direct) == told
