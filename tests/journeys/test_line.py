"""Journeys: /line, who runs and who waits in a server, for everyone; in direct messages only oneself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simcord.results import InteractionResult, ResponseMessage

from inference import EngineState, Park
from inference.fake import FakeEngine
from tests.journeys.world import World, held_engine, opened, walk, world

REFRESH = "art:line:0:0"
EMPTY = "Nobody runs or waits in this server's line. Begin with `/sketch` or `/imagine`."


def small_engine(park: Park) -> FakeEngine:
    return FakeEngine(park=park, held=True, row_credits=2)


def shown_by(result: InteractionResult) -> ResponseMessage:
    message = result.followups[-1] if result.followups else result.response
    assert message is not None
    return message


def words_of(message: ResponseMessage) -> str:
    return "\n".join(item["content"] for item in walk(message.components) if item["type"] == 10)


def alt_texts(message: ResponseMessage) -> list[str]:
    galleries = [item for item in walk(message.components) if item["type"] == 12]
    return [picture["description"] for gallery in galleries for picture in gallery["items"]]


async def look(here: World, who: Any = None, place: Any = None) -> ResponseMessage:
    return shown_by(await (who or here.you).slash(place or here.channel, "line"))


async def some_wait(here: World) -> None:
    """One job was measured; now `you` have one that runs and one that waits, with one of `other` between them."""
    await here.sketch(candidates=1, steps=10, strength=1.0)
    await here.env.advance_time(6)
    here.fake.release(10)
    await here.env.settle()
    await here.sketch(prompt="first", candidates=3, steps=10, strength=1.0)
    await here.sketch(who=here.other, prompt="theirs", candidates=1, steps=10, strength=1.0)
    await here.sketch(prompt="second", candidates=1, steps=10, strength=1.0)


async def test_everyone_sees_the_line_at_a_glance(tmp_path: Path) -> None:
    """Privately and without a ping: who runs, who waits where for how long, one's own marked; a chart of the same."""
    async with world(tmp_path, small_engine) as here:
        await some_wait(here)
        await here.env.advance_time(120)
        seen = await look(here)
        theirs = await look(here, here.other)
        (chart,) = seen.attachments
        picture = await opened(chart)
        lines = words_of(seen).split("\n")

        assert seen.ephemeral
        assert lines[0] == "**This server's line: 1 running, 2 waiting**, all done in about 30 s."
        assert lines[1].startswith("`▶` **you**, from a sketch, running, asked <t:")
        assert lines[2].startswith(f"`1.` {here.other.mention}, from a sketch, asked <t:")
        assert lines[2].endswith(":R>, about 25 s to go")
        assert lines[3].startswith("`2.` **you**, from a sketch, asked <t:")
        assert lines[4].startswith("-# As of <t:")
        assert "second" not in words_of(seen)
        assert f"`▶` {here.you.mention}, from a sketch" in words_of(theirs)
        assert "`1.` **you**" in words_of(theirs)
        assert here.env.backend.get_message(here.channel.id, seen.id).ping_user_ids == []
        assert alt_texts(seen) == [
            "Bars of jobs per person. you: 1 running, 1 waiting, the longest for 2 min;"
            " other: 0 running, 1 waiting, the longest for 2 min."
        ]
        assert (picture.format, picture.width) == ("PNG", 800)


async def test_refresh_shows_it_anew_in_the_same_message(tmp_path: Path) -> None:
    """Who was done is gone from the words and from the chart, of which there is still one."""
    async with world(tmp_path, small_engine) as here:
        await some_wait(here)
        seen = await look(here)
        before = words_of(seen), await seen.attachments[0].read()
        here.fake.release(10)
        await here.env.settle()
        pressed = await here.you.click(seen, custom_id=REFRESH)
        (chart,) = seen.attachments
        after = words_of(seen), await chart.read()
        again = await here.you.click(seen, custom_id=REFRESH)

        assert pressed.followups == again.followups == []
        assert "1 running, 2 waiting" in before[0]
        assert "2 running, 0 waiting" in after[0]
        assert before[1] != after[1]
        assert "1 running, 2 waiting" not in words_of(seen)
        assert len(seen.attachments) == 1


async def test_nothing_crosses_from_one_server_to_another(tmp_path: Path) -> None:
    """Each shows its own jobs, numbers and people; a button that is carried over shows the server it is pressed in."""
    async with world(tmp_path, small_engine) as here:
        guild = here.env.create_guild("Elsewhere")
        channel = guild.create_text_channel("art")
        guest = guild.add_member(here.other.user)
        stranger = guild.add_member(here.env.create_user("stranger"))
        await here.sketch(candidates=3)
        await here.sketch(who=here.other, candidates=1)
        before = await look(here, guest, channel)
        empty = words_of(before), before.attachments
        await stranger.slash(channel, "imagine", prompt="elsewhere", candidates=1)
        ours, theirs = await look(here), await look(here, guest, channel)
        await guest.click(before, custom_id=REFRESH)

        assert empty[0].startswith(EMPTY)
        assert empty[1] == []
        assert "1 running, 1 waiting" in words_of(ours)
        assert stranger.mention not in words_of(ours)
        assert "stranger" not in alt_texts(ours)[0]
        assert "0 running, 1 waiting" in words_of(theirs)
        assert f"`1.` {stranger.mention}, from words" in words_of(theirs)
        assert "you" not in words_of(theirs) + alt_texts(theirs)[0]
        assert words_of(before) == words_of(theirs)


async def test_direct_messages_show_ones_own_jobs_alone(tmp_path: Path) -> None:
    """Other people's, who write to the bot too, are neither listed nor counted nor drawn."""
    async with world(tmp_path, small_engine) as here:
        for who in (here.other.user, here.you.user):
            await who.slash("imagine", prompt="the planet earth", candidates=3)
        nobody = shown_by(await here.mod.user.slash("line"))
        mine = shown_by(await here.you.user.slash("line"))
        await here.you.user.click(mine, custom_id=REFRESH)

        assert words_of(nobody).startswith("You have nothing waiting or running.")
        assert nobody.attachments == []
        assert words_of(mine).startswith("**Your jobs here: 0 running, 1 waiting**")
        assert words_of(mine).count("**you**, from words") == 1
        assert here.other.mention not in words_of(mine)
        assert alt_texts(mine) == ["Bars of jobs per person. you: 0 running, 1 waiting, the longest for 0 s."]


async def test_it_says_why_nothing_moves(tmp_path: Path) -> None:
    """A line that moderators paused, and an engine that is not there, each with its reason; also with nobody in it."""
    async with world(tmp_path, held_engine) as here:
        fine = words_of(await look(here))
        await here.mod.slash(here.channel, "line-admin pause", reason="a party first")
        await here.sketch(candidates=1)
        paused = await look(here)
        still = words_of(paused)
        await here.mod.slash(here.channel, "line-admin resume")
        await here.engine_becomes(EngineState.SETUP_FAILED, "The folder is missing.")
        await here.you.click(paused, custom_id=REFRESH)
        trouble = words_of(paused)

        assert fine.startswith(EMPTY)
        assert "paused" not in fine + trouble
        assert "0 running, 1 waiting" in still
        assert "The line of this server is paused. The reason: “a party first”." in still
        assert "The engine could not be set up: The folder is missing." in trouble


async def test_the_button_works_after_a_restart(tmp_path: Path) -> None:
    """It names nothing: a new process looks up the line that the press comes from."""
    async with world(tmp_path, held_engine) as here:
        seen = await look(here)
        first = words_of(seen)
        await here.sketch(candidates=1)
        await here.restart()
        await here.you.click(seen, custom_id=REFRESH)

        assert first.startswith(EMPTY)
        assert "1 running, 0 waiting" in words_of(seen)
        assert len(seen.attachments) == 1


async def test_a_long_line_shows_its_beginning(tmp_path: Path) -> None:
    """The first fifteen, and how many more there are."""
    async with world(tmp_path, held_engine) as here:
        await here.limit("waiting-per-person", 20)
        for _ in range(18):
            await here.sketch(candidates=1)
        lines = words_of(await look(here)).split("\n")

        assert len([line for line in lines if line.startswith("`")]) == 15
        assert "and 3 more" in lines
