"""The command itself: `python -m bot playground` from its first line to Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from bot.playground.installed import SIMCORD, check_installed, problem_with
from tests.journeys.world import until

LINUX = Path("/proc/self/task").exists()


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl-C reaches what is started here, also where the tests run in the background, which lets them ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(not LINUX, reason="looks for child processes in /proc")
@pytest.mark.usefixtures("ctrl_c")
async def test_one_line_then_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    """One line with the URL on stdout; Ctrl-C ends it cleanly: no process and no file of it is left."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(temporary),
        "MOONSKETCH_MODELS": str(tmp_path / "models"),
        "MOONSKETCH_CATALOGUE": str(tmp_path / "none.toml"),
        "OMP_NUM_THREADS": "1",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "playground", "--no-browser"),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        process_group=0,
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    url = next((word for word in line.split() if word.startswith("http://127.0.0.1:")), "")
    async with aiohttp.ClientSession() as session, session.get(url) as page:
        title = await page.text()
    folders = list(temporary.glob("moonsketch-*"))
    children = await until_it_has_children(process.pid)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to everything that was started there
    output, errors = await process.communicate()

    assert "page.js" in title
    assert len(folders) == 1
    assert process.returncode == 0
    assert output.decode().splitlines() == ["The playground has ended; nothing of it was kept."]
    assert errors.decode() == ""
    assert not list(temporary.glob("moonsketch-*"))
    assert not [child for child in children if (Path("/proc") / child).exists()]


async def until_it_has_children(pid: int) -> list[str]:
    """Process ids of what it started, as soon as there is something (the worker)."""
    children = Path("/proc") / str(pid) / "task" / str(pid) / "children"
    await until(lambda: children.read_text() != "")
    return children.read_text().split()


def test_what_is_missing_is_a_sentence() -> None:
    """Without simcord, or with another version of it, one sentence says what to install."""
    assert (
        problem_with(None)
        == f'The playground needs simcord {SIMCORD}: pip install "simcord[preview]=={SIMCORD}"'
    )
    assert f"made for simcord {SIMCORD}, and 9.9 is installed" in str(problem_with("9.9"))
    assert problem_with(SIMCORD) is None


def test_what_is_installed_here_serves() -> None:
    """The version that this project pins is the one that the playground is written for."""
    check_installed()
