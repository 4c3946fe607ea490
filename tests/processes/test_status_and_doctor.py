"""`status` and `doctor` beside a bot that runs in a process of its own, and after it was killed."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from pathlib import Path

import pytest

from bot import control
from tests.discord.process import ROOT
from tests.processes.test_kill_bot import Stage, stage


async def command(here: Stage, folder: Path, *words: str) -> tuple[int | None, str]:
    """The command line with the bot's own settings: its exit status and all that it says."""
    process = await begun(here, folder, *words)
    assert process.stdout is not None
    said = await process.stdout.read()
    return await process.wait(), said.decode()


async def begun(here: Stage, folder: Path, *words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.discord.launch",
        "bot.__main__:main",
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=ROOT,
        env={
            **os.environ,
            "FAKE_DISCORD": here.world.base,
            "MOONSKETCH_TOKEN": here.world.token,
            "MOONSKETCH_DATA": str(here.data),
            "MOONSKETCH_MODELS": str(folder / "models"),
            "MOONSKETCH_CATALOGUE": str(folder / "models.toml"),
            "MOONSKETCH_DEVICE": "cpu",
        },
    )


async def draws(here: Stage) -> int:
    """Have a job stop in the middle of its second step. The worker's process id."""
    here.toy.decide = lambda turn: None if turn.name == "step" and len(here.toy.named("step")) == 2 else "go"
    await here.sketch()
    turn = await here.toy.until(lambda turn: turn.name == "step" and len(here.toy.named("step")) == 2)
    return turn.pid


def line(said: str, *beginning: str) -> str:
    return next(each for each in said.splitlines() if each.split()[: len(beginning)] == list(beginning))


async def test_a_running_bot_tells_how_it_is(tmp_path: Path) -> None:
    """Its process and its worker's, what waits and runs; the doctor finds it at work and asks it about its database."""
    async with stage(tmp_path) as here:
        worker = await draws(here)
        code, status = await command(here, tmp_path, "status")
        doctor_code, doctor = await command(here, tmp_path, "doctor")
        mode = stat.S_IMODE((here.data / control.SOCKET).stat().st_mode)
        here.toy.decide = lambda _turn: "go"
        for turn in here.toy.named("step")[1:]:
            turn.answer("go")
        await here.finished_card()

        assert (code, doctor_code, mode) == (0, 0, 0o600)
        assert f"process {here.bot.pid}" in status
        assert line(status, "Discord").endswith("connected, in 1 server")
        assert line(status, "Line").endswith("0 waiting, 1 running, 0 done but not yet posted")
        assert line(status, "Engine").endswith(f"busy, worker process {worker}")
        assert f"process {here.bot.pid}" in line(doctor, "ok", "lock")
        assert line(doctor, "ok", "database").endswith("It is sound.")
        assert f"worker process {worker}" in line(doctor, "ok", "device")
        assert "TestBot" in line(doctor, "ok", "token")
        assert "toy (the default) is here" in line(doctor, "ok", "models")
        assert here.world.token not in status + doctor + here.bot.output


async def test_what_is_left_of_a_killed_bot(tmp_path: Path) -> None:
    """Nobody answers at its socket; the doctor opens what it left of the database; the next bot answers again."""
    async with stage(tmp_path) as here:
        await here.sketch()
        await here.finished_card()
        await here.bot.kill()
        left = (here.data / control.SOCKET).exists()
        code, status = await command(here, tmp_path, "status")
        doctor_code, doctor = await command(here, tmp_path, "doctor")
        await here.bot.start()
        await here.world.online()
        again, _ = await command(here, tmp_path, "status")

        assert left
        assert code == 1
        assert status.startswith(f"No Moonsketch runs on the data folder {here.data}.")
        assert doctor_code == 0
        assert line(doctor, "ok", "lock").endswith("No bot runs on it.")
        assert line(doctor, "ok", "database").endswith("It is sound.")
        assert again == 0


@pytest.mark.skipif(sys.platform == "win32", reason="stops a process by a signal")
async def test_a_bot_that_is_told_to_end_takes_its_socket_along(tmp_path: Path) -> None:
    """What is left in the folder is data. The control is the killed one."""
    async with stage(tmp_path) as here:
        await here.sketch()
        await here.finished_card()
        await here.bot.stop()
        left = {path.name for path in here.data.iterdir()}

    assert control.SOCKET not in left
    assert left >= {"moonsketch.sqlite3", "pictures", "lock"}
