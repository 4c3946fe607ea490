"""Journeys: what people read when the host bans their server or drains the bot, and whom a weight favours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.host_live import LiveHost
from bot.host_questions import (
    AskDraining,
    AskServers,
    Ban,
    Declined,
    Done,
    Drain,
    Draining,
    HostAnswer,
    HostQuestion,
    Server,
    Servers,
    SetCeiling,
    SetWeight,
    Unban,
    Undrain,
)
from bot.store import JobState
from inference import Park
from inference.fake import FakeEngine
from tests.journeys.world import World, buttons_of, held_engine, said, text_of, world

BANNED = "Whoever runs me does not let this server use me. The reason: “sells our pictures”."
UPDATE = "I am about to be updated, so I take nothing new just now. What waits is kept."


def small_engine(park: Park) -> FakeEngine:
    """Beside a job of four candidates nothing else fits; no step is done before `release`."""
    return FakeEngine(park=park, held=True, row_credits=1)


async def host(here: World, question: HostQuestion) -> HostAnswer:
    """As it comes over the control socket."""
    with here.env._bot_scope():  # on the bot's clock
        answer = await LiveHost(here.bot).answer(question)
    await here.env.settle()
    return answer


async def ban(here: World) -> HostAnswer:
    return await host(here, Ban(server=here.guild.id, reason="sells our pictures"))


def elsewhere(here: World) -> tuple[Any, Any]:
    """`you` in another server, and its channel."""
    guild = here.env.create_guild("Elsewhere")
    channel = guild.create_text_channel("art")
    return guild.add_member(here.you.user), channel


async def states(here: World) -> list[JobState]:
    found: list[JobState] = []
    while (job := await here.store.job(len(found) + 1)) is not None:
        found.append(job.state)
    return found


async def test_people_of_a_banned_server_read_the_hosts_reason(tmp_path: Path) -> None:
    """At every door that draws; in another server all is as before, and so it is here when the ban is lifted."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=2)
        (card,) = here.cards()
        guest, channel = elsewhere(here)
        banned = await ban(here)
        refused = [
            await here.sketch(prompt="more moons"),
            await here.other.slash(here.channel, "imagine", prompt="a moon"),
            await here.you.click(card, custom_id=buttons_of(card)["Again"]),
            await here.you.context_menu(here.thread(), "Use as sketch", card),
        ]
        await here.you.send(here.thread(), "at night", reply_to=card)
        replied = here.thread().history()[-1]
        shown = await here.you.slash(here.channel, "queue")
        fine = await guest.slash(channel, "imagine", prompt="a moon")
        drawn = len(here.fake.requests)
        await host(here, Unban(server=here.guild.id))
        after = await here.sketch()

        assert banned == Done(sentence=f"From now on nothing is drawn for server {here.guild.id} (Studio).")
        for refusal in [*map(said, refused), replied.content]:
            assert BANNED in refusal
        assert all(each.ephemeral for each in refused)
        assert "/sketch prompt: more moons" in said(refused[0])
        assert BANNED not in said(shown)
        assert "I am on it" in said(fine)
        assert drawn == 2
        assert "I am on it" in said(after)


async def test_what_waits_and_runs_in_a_banned_server_ends_with_the_reason(tmp_path: Path) -> None:
    """Their cards say why, nothing is charged, and the engine is free for the next server at once."""
    async with world(tmp_path, small_engine) as here:
        guest, channel = elsewhere(here)
        await here.sketch(candidates=4)
        await here.sketch(candidates=4)
        await guest.slash(channel, "imagine", prompt="a moon", candidates=4)
        banned = await ban(here)
        here.fake.release(100_000)
        await here.env.settle()
        cards = [text_of(card) for thread in here.channel.threads for card in here.cards(thread)]
        entries = await here.store.audits.latest(here.guild.id, 10)

        assert isinstance(banned, Done)
        assert banned.sentence.endswith("2 jobs that waited or ran there were ended.")
        assert await states(here) == [JobState.FAILED, JobState.FAILED, JobState.POSTED]
        assert len(cards) == 2
        assert all(f"{BANNED} Nothing was charged." in card for card in cards)
        assert here.fake.closed_early == 1
        assert [(each.action, each.actor_id) for each in entries] == [("server banned by my host", None)]


async def test_a_ban_that_came_while_the_bot_was_down_ends_what_waits(tmp_path: Path) -> None:
    """The database was asked itself; at its turn a waiting job finds the ban."""
    async with world(tmp_path, small_engine) as here:
        await here.sketch(candidates=4)
        await here.bot.host.ban(here.guild.id, "sells our pictures")
        await here.restart()

        (card,) = here.cards()
        assert f"The rules changed while this waited. {BANNED}" in text_of(card)
        assert await states(here) == [JobState.FAILED]


async def test_direct_messages_can_be_closed_too(tmp_path: Path) -> None:
    """They are one more server to the host; servers do not notice."""
    async with world(tmp_path) as here:
        await host(here, Ban(server=0, reason="spam"))
        guild_id = None
        refused = [
            str(error)
            for where in (guild_id, here.guild.id)
            if (error := await refusal(here, where)) is not None
        ]

        assert refused == [
            "Whoever runs me does not let direct messages use me. The reason: “spam”. Nothing was charged."
        ]


async def refusal(here: World, guild_id: int | None) -> Exception | None:
    try:
        await here.bot.host.check(guild_id)
    except Exception as error:
        return error
    return None


async def test_while_the_bot_drains_nothing_new_begins_and_nothing_is_lost(tmp_path: Path) -> None:
    """What runs is finished, what waits keeps its place and says why it waits; then it goes on."""
    async with world(tmp_path, small_engine) as here:
        await here.sketch(candidates=4)
        await here.sketch(candidates=4)
        begun = await host(here, Drain())
        twice = await host(here, Drain())
        refused = await here.sketch(who=here.other)
        waiting = text_of(here.cards(here.thread(1))[0])
        here.fake.release(100_000)
        await here.env.settle()
        empty = await host(here, AskDraining())
        between = await states(here)
        ended = await host(here, Undrain())
        here.fake.release(100_000)
        await here.env.settle()
        again = await host(here, Undrain())

        assert begun == Draining(draining=True, running=1, waiting=1)
        assert isinstance(twice, Declined)
        assert twice.sentence.startswith("The bot is draining already.")
        assert UPDATE in said(refused)
        assert "I am about to be updated" in waiting
        assert empty == Draining(draining=True, running=0, waiting=1)
        assert between == [JobState.POSTED, JobState.QUEUED]
        assert ended == Done(sentence="The bot takes new jobs again, and goes on with those that waited.")
        assert await states(here) == [JobState.POSTED, JobState.POSTED]
        assert again == Declined(sentence="The bot is not draining. Nothing was changed.")


async def test_a_restart_ends_the_draining(tmp_path: Path) -> None:
    """An update ends with one: the new process draws what waited."""
    async with world(tmp_path, small_engine) as here:
        await here.sketch(candidates=4)
        await here.sketch(candidates=4)
        await host(here, Drain())
        here.fake.release(100_000)
        await here.env.settle()
        before = await states(here)
        await here.restart()
        here.fake.release(100_000)
        await here.env.settle()

        assert before == [JobState.POSTED, JobState.QUEUED]
        assert await states(here) == [JobState.POSTED, JobState.POSTED]
        assert await host(here, AskDraining()) == Draining(draining=False, running=0, waiting=0)


async def order_with(folder: Path, weight: float) -> list[str]:
    """In which order two servers with three jobs each are served; the host gave the second one that weight."""
    folder.mkdir()
    async with world(folder, small_engine) as here:
        await here.limit("waiting-per-person", 10)
        guest, channel = elsewhere(here)
        other_guild = next(guild for guild in here.bot.guilds if guild.id != here.guild.id)
        await here.sketch(who=here.other, candidates=4)
        for _ in range(3):
            await here.sketch(candidates=4, prompt="here")
            await guest.slash(channel, "imagine", prompt="there", candidates=4)
        await host(here, SetWeight(server=other_guild.id, weight=weight))
        here.fake.release(100_000)
        await here.env.settle()
        return [request.prompt for request in here.fake.requests[1:]]


async def test_a_heavier_server_is_served_more_often(tmp_path: Path) -> None:
    """Jobs that wait already are taken by the new weight; with equal weights they take turns."""
    equal = await order_with(tmp_path / "equal", 1.0)
    heavy = await order_with(tmp_path / "heavy", 10.0)

    assert sorted(equal) == sorted(heavy) == ["here"] * 3 + ["there"] * 3
    assert equal == ["here", "there"] * 3
    assert heavy[-1] == "here"


async def test_a_ceiling_holds_at_once_for_jobs_that_wait_too(tmp_path: Path) -> None:
    """Whatever a server set before; when it is taken away, what the server set holds again."""
    async with world(tmp_path, small_engine) as here:
        await here.sketch(candidates=4)
        await here.sketch(candidates=4, steps=40)
        done = await host(here, SetCeiling(rule="steps", value="30"))
        refused = await here.sketch(who=here.other, steps=31)
        here.fake.release(100_000)
        await here.env.settle()
        (card,) = here.cards(here.thread(1))
        await host(here, SetCeiling(rule="steps", value=None))
        fine = await here.sketch(who=here.other, steps=31)

        assert done == Done(sentence="The ceiling of steps: none → 30. It holds at once, in every server.")
        assert "31 steps are more than the 30 that are allowed here." in said(refused)
        assert "40 steps are more than the 30 that are allowed here." in text_of(card)
        assert await states(here) == [JobState.POSTED, JobState.FAILED, JobState.POSTED]
        assert "I am on it" in said(fine)


async def test_the_host_sees_every_server(tmp_path: Path) -> None:
    """With its name, who waits and runs, and what moderators decided."""
    async with world(tmp_path, small_engine) as here:
        elsewhere(here)
        await here.sketch(candidates=4)
        await here.sketch(candidates=4)
        await here.mod.slash(here.channel, "line-admin pause", reason="a contest")
        answer = await host(here, AskServers())

        assert isinstance(answer, Servers)
        assert not answer.more
        direct, *servers = answer.servers
        assert direct == Server(guild_id=0)
        assert {server.name: (server.waiting, server.running, server.paused_for) for server in servers} == {
            "Studio": (1, 1, "a contest"),
            "Elsewhere": (0, 0, None),
        }


async def test_a_no_changes_nothing_in_a_running_bot_either(tmp_path: Path) -> None:
    """A sentence for the host; the server goes on drawing."""
    async with world(tmp_path, held_engine) as here:
        answers = [
            await host(here, SetWeight(server=here.guild.id, weight=-1.0)),
            await host(here, SetWeight(server=4242, weight=2.0)),
            await host(here, SetCeiling(rule="steps", value="a million")),
            await host(here, SetCeiling(rule="models", value="flaat")),
            await host(here, Unban(server=here.guild.id)),
            await host(here, Ban(server=here.guild.id, reason="x" * 301)),
        ]
        fine = await here.sketch()

        assert all(isinstance(answer, Declined) for answer in answers)
        assert "I don't know the model “flaat”" in str(answers[3])
        assert await here.store.audits.latest_of(None, 10) == []
        assert "I am on it" in said(fine)
