"""Journeys: places in the line as people read them, with two servers, people who ask for much, pauses and roles."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import discord

from inference import Park
from inference.fake import FakeEngine
from tests.journeys.test_queue import queue, words_of
from tests.journeys.world import World, held_engine, png, said, text_of, world


def small_engine(park: Park) -> FakeEngine:
    """Three jobs of one picture run at a time, or one of three pictures: two rows, and four handed over ahead."""
    return FakeEngine(park=park, held=True, row_credits=2)


async def sketch_in(channel: Any, who: Any, prompt: str, candidates: int = 1) -> Any:
    image = ("sketch.png", png((160, 90)))
    return await who.slash(
        channel, "sketch", image=image, prompt=prompt, candidates=candidates, steps=4, strength=1.0
    )


async def allow_many(here: World) -> None:
    await here.limit("waiting-per-person", 20)


def place_on(card: discord.Message) -> int:
    """The place that a card of a waiting job shows; 0 once it runs."""
    if "Next." in text_of(card) or "Next, " in text_of(card):
        return 1
    found = re.search(r"(\d+)(?:st|nd|rd|th) in line", text_of(card))
    return int(found[1]) if found else 0


def card_of(here: World, prompt: str) -> discord.Message:
    """The card of the job with these words, as it looks now."""
    cards = [card for thread in here.channel.threads for card in here.cards(thread)]
    return next(card for card in cards if prompt in text_of(card))


async def test_a_server_that_asks_for_little_is_next(tmp_path: Path) -> None:
    """Of ten jobs of one person elsewhere only the one that was next already is drawn before the light server's."""
    async with world(tmp_path, small_engine) as here:
        await allow_many(here)
        quiet = here.env.create_guild("Quiet")
        corner = quiet.create_text_channel("corner")
        guest = quiet.add_member(here.env.create_user("guest"))
        for number in range(10):
            await sketch_in(here.channel, here.you, f"flood {number}", candidates=3)
        answer = await sketch_in(corner, guest, "a quiet moon", candidates=3)
        for _ in range(3):
            here.fake.release(4)
            await here.env.settle()

        assert said(answer).startswith("You are next, in <#")
        drawn = [request.prompt for request in here.fake.requests]
        assert drawn == ["flood 0", "flood 1", "a quiet moon", "flood 2"]


async def test_the_place_of_a_first_job_never_grows(tmp_path: Path) -> None:
    """However much others ask for after it, here or elsewhere, and whoever cancels: it only comes nearer."""
    async with world(tmp_path, small_engine) as here:
        await allow_many(here)
        quiet = here.env.create_guild("Quiet")
        elsewhere = quiet.create_text_channel("corner")
        for number in range(6):
            await sketch_in(here.channel, here.you, f"flood {number}")
        await sketch_in(here.channel, here.other, "my first")
        seen = [place_on(card_of(here, "my first"))]
        for number in range(3):
            await sketch_in(here.channel, here.mod, f"late {number}")
            await sketch_in(here.channel, here.you, f"more {number}")
            guest = quiet.add_member(here.env.create_user(f"guest {number}"))
            await sketch_in(elsewhere, guest, "far away")
            seen.append(place_on(card_of(here, "my first")))
        for _ in range(4):
            here.fake.release(4)
            await here.env.settle()
            seen.append(place_on(card_of(here, "my first")))

        assert seen[0] == 2
        assert seen == sorted(seen, reverse=True)
        assert seen[-1] == 0


async def test_a_later_job_shows_a_range(tmp_path: Path) -> None:
    """Its card says from where to where, and why; the answer too. It has one place as long as nobody else waits."""
    async with world(tmp_path, small_engine) as here:
        await allow_many(here)
        for number in range(5):
            answer = await sketch_in(here.channel, here.you, f"flood {number}")
        alone = text_of(card_of(here, "flood 4"))
        await sketch_in(here.channel, here.other, "theirs")
        later = await sketch_in(here.channel, here.you, "flood 5")
        card, first = text_of(card_of(here, "flood 4")), text_of(card_of(here, "theirs"))
        mine = words_of(await queue(here))

        assert said(answer).startswith("You are 2nd in line, in <#")
        assert "2nd in line." in alone
        assert "others who wait may still go" not in alone
        assert said(later).startswith("You are 4th to 6th in line, in <#")
        assert "3rd to 4th in line. Your job ahead of it keeps its place; before this one, others" in card
        assert "2nd in line." in first
        assert "**flood 4**\n3rd to 4th in line." in mine


async def test_a_paused_line_says_so_until_it_is_resumed(tmp_path: Path) -> None:
    """On the cards of those who wait there and in /queue, with the reason; after a restart as well."""
    async with world(tmp_path, held_engine) as here:
        async with here.store.transaction() as tx:
            await here.store.servers.set(tx, here.guild.id, paused_for="movie night")
        with here.env._bot_scope():
            here.bot.jobs.line.pause(here.guild.id, "movie night")
        await here.env.settle()
        await here.sketch()
        paused, mine = text_of(here.cards()[0]), words_of(await queue(here))
        await here.restart()
        restarted = text_of(here.cards()[0])
        drawn_meanwhile = list(here.fake.requests)
        with here.env._bot_scope():
            here.bot.jobs.line.resume(here.guild.id)
        await here.env.settle()
        resumed = text_of(here.cards()[0])

        for shown in (paused, mine, restarted):
            assert "Next. The line of this server is paused. The reason: “movie night”." in shown
            assert "Your place in the line is kept." in shown
        assert drawn_meanwhile == []
        assert "paused" not in resumed
        assert len(here.fake.requests) == 1


async def test_draining_says_what_it_waits_for(tmp_path: Path) -> None:
    """Before an update nothing new is begun, what runs is finished; it goes on when the host says so."""
    async with world(tmp_path, small_engine) as here:
        await here.sketch(prompt="runs", candidates=3)
        await here.sketch(prompt="waits", candidates=3)
        with here.env._bot_scope():
            here.bot.jobs.line.drain()
        await here.env.settle()
        waits = text_of(card_of(here, "waits"))
        mine = words_of(await queue(here))
        here.fake.release(1000)
        await here.env.settle()
        ran = text_of(card_of(here, "runs"))
        begun = [request.prompt for request in here.fake.requests]
        with here.env._bot_scope():
            here.bot.jobs.line.undrain()
        await here.env.settle()

        assert "Next. I am about to be updated" in waits
        assert mine.count("I am about to be updated") == 1
        assert "Done." in ran
        assert begun == ["runs"]
        assert "Done." in text_of(card_of(here, "waits"))


async def test_who_falls_back_reads_why(tmp_path: Path) -> None:
    """A job that a moderator moved, and a role that goes first, are the only reasons, and the card names them."""
    async with world(tmp_path, small_engine) as here:
        await allow_many(here)
        for number in range(3):
            await sketch_in(here.channel, here.you, f"runs {number}")
        await sketch_in(here.channel, here.you, "mine")
        await sketch_in(here.channel, here.other, "theirs")
        with here.env._bot_scope():
            here.bot.jobs.line.first(5)
        await here.env.settle()
        card, moved = text_of(card_of(here, "mine")), text_of(card_of(here, "theirs"))

        assert "2nd in line. A moderator moved another job to the front." in card
        assert "Next." in moved
        assert "moderator" not in moved


async def test_a_role_with_a_greater_weight_goes_first(tmp_path: Path) -> None:
    """Once /limits gives it one: in front of those who have used as much, and their cards say that it was a role."""
    async with world(tmp_path, small_engine) as here:
        patrons = here.guild.create_role("Patrons")
        patron = here.guild.add_member(here.env.create_user("patron"), roles=[patrons])
        await here.limit("line-weight", 2, role=patrons)
        await sketch_in(here.channel, here.you, "runs", candidates=3)
        await sketch_in(here.channel, here.other, "theirs", candidates=3)
        before = text_of(card_of(here, "theirs"))
        answer = await sketch_in(here.channel, patron, "a patron's", candidates=3)
        after = text_of(card_of(here, "theirs"))

        assert "Next." in before
        assert said(answer).startswith("You are next, in <#")
        assert "2nd in line. Somebody whose role goes first in this server came in between." in after


async def test_queue_shows_the_step_of_a_running_job(tmp_path: Path) -> None:
    """That of the picture that has the most to do; nothing is made up before the first one."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=1, steps=10, strength=1.0)
        before = words_of(await queue(here))
        here.fake.release(3)
        await here.env.settle()
        after = words_of(await queue(here))

        assert "Running. [Its card](" in before
        assert "Running: step 3 of 10. [Its card](" in after
