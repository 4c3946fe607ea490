"""`moonsketch admin` beside a bot that runs in a process of its own, with jobs in the middle of a step."""

from __future__ import annotations

import re
from pathlib import Path

from bot.store import JobState
from tests.processes.test_kill_bot import Stage, results, stage
from tests.processes.test_status_and_doctor import begun, command, draws, line


async def admin(here: Stage, folder: Path, *arguments: str) -> tuple[int | None, str]:
    return await command(here, folder, "admin", *arguments)


def server_of(here: Stage) -> str:
    return str(here.channel.guild_id)


def go_on(here: Stage) -> None:
    """Every step that waits, and all that come."""
    here.toy.decide = lambda _turn: "go"
    for turn in here.toy.named("step")[1:]:
        turn.answer("go")


async def test_a_drained_bot_can_be_updated(tmp_path: Path) -> None:
    """`drain --wait` returns when what runs is done; the next process draws what waited."""
    async with stage(tmp_path) as here:
        await draws(here)
        waiting = await begun(here, tmp_path, "admin", "drain", "--wait")
        assert waiting.stdout is not None
        begins = (await waiting.stdout.readline()).decode()
        twice = await admin(here, tmp_path, "drain")
        _, status = await command(here, tmp_path, "status")
        before = waiting.returncode
        go_on(here)
        ends = (await waiting.stdout.read()).decode()
        code = await waiting.wait()
        await here.bot.stop()
        state = await here.state_of_job()
        await here.bot.start()
        await here.world.online()
        _, after = await command(here, tmp_path, "status")
        undrained = await admin(here, tmp_path, "undrain")

        assert "1 job running, 0 waiting: what runs is finished, what waits is kept." in begins
        assert (before, code, ends) == (None, 0, "Nothing runs any more.\n")
        assert twice[0] == 1
        assert twice[1].startswith("The bot is draining already.")
        assert line(status, "Line").endswith("draining, so nothing new is begun")
        assert state in (JobState.POSTED, JobState.RENDERED)
        assert "draining" not in after
        assert undrained == (1, "The bot is not draining. Nothing was changed.\n")


async def test_a_banned_server_is_drawn_for_no_more(tmp_path: Path) -> None:
    """Its running job ends with the reason on its card, the next one is refused, until the ban is lifted."""
    async with stage(tmp_path) as here:
        await draws(here)
        code, said = await admin(here, tmp_path, "ban", server_of(here), "--reason", "a test")
        go_on(here)
        await here.world.wait_for(
            lambda: any("does not let this server use me" in str(card.components) for card in here.cards()),
            "the reason on the card",
        )
        _, status = await command(here, tmp_path, "status")
        _, listed = await admin(here, tmp_path, "servers")
        lifted = await admin(here, tmp_path, "unban", server_of(here))
        again = await admin(here, tmp_path, "unban", server_of(here))
        await here.sketch()
        await here.world.wait_for(
            lambda: any(len(results(card)) == 2 for card in here.cards()), "the pictures"
        )
        _, log = await admin(here, tmp_path, "log", "--server", server_of(here))

        assert code == 0
        assert said.endswith("1 job that waited or ran there was ended.\n")
        assert line(status, "Discord").endswith("connected, in 1 server (1 banned)")
        assert line(listed, server_of(here)).endswith("a test")
        assert lifted[0] == 0
        assert again == (1, f"There is no ban on server {server_of(here)}. Nothing was changed.\n")
        assert [each.split("  ")[-1] for each in log.splitlines()] == [
            "ban lifted by my host",
            "server banned by my host; “a test”",
        ]


async def test_what_was_set_in_a_running_bot_is_kept(tmp_path: Path) -> None:
    """A weight and a ceiling; the next process has them, and so has the database while none runs."""
    async with stage(tmp_path) as here:
        await here.sketch()
        await here.finished_card()
        changes = [
            await admin(here, tmp_path, "weight", server_of(here), "2.5"),
            await admin(here, tmp_path, "ceiling", "steps", "40"),
        ]
        wrong = await admin(here, tmp_path, "weight", server_of(here), "-1")
        await here.bot.stop()
        offline = await admin(here, tmp_path, "servers")
        await here.bot.start()
        await here.world.online()
        online = await admin(here, tmp_path, "servers")
        _, ceilings = await admin(here, tmp_path, "ceilings")

        assert [code for code, _ in changes] == [0, 0]
        assert wrong[0] == 1
        assert "“-1” is no weight" in wrong[1]
        assert "No Moonsketch runs on this data folder" in offline[1]
        assert "No Moonsketch runs on this data folder" not in online[1]
        for _, listed in (offline, online):
            assert re.search(r" 2\.5 ", line(listed, server_of(here)))
        assert line(ceilings, "steps").split()[-1] == "40"
