"""Child processes: what they see of us, what they may log, and that they end with all they started."""

from __future__ import annotations

import asyncio
import logging
import os
import sys

import pytest

from inference.child import Child, LogLines, bare_environment
from tests.inference.toys import exit_of

log = logging.getLogger("test.child")


def lines_of(pieces: list[bytes], caplog: pytest.LogCaptureFixture) -> list[str]:
    with caplog.at_level(logging.INFO):
        lines = LogLines(log)
        for piece in pieces:
            lines.feed(piece)
        lines.flush()
    return [record.getMessage() for record in caplog.records]


def test_output_is_logged_line_by_line(caplog: pytest.LogCaptureFixture) -> None:
    """Pieces are put together, progress bars are taken apart, bytes that are no text do no harm."""
    pieces = [b"one\ntw", b"o\r", b"\nthree \xff\n\n", b"rest"]

    assert lines_of(pieces, caplog) == ["one", "two", "three \N{REPLACEMENT CHARACTER}", "rest"]


def test_the_log_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """A child that never stops talking fills neither the memory nor the disk."""
    endless_line = [b"x" * 1000] * 100
    logged = lines_of([*endless_line, b"\n", b"line\n" * 2 * LogLines.MOST], caplog)

    assert max(map(len, logged)) == LogLines.LONGEST
    assert len(logged) == LogLines.MOST + 1
    assert "left out" in logged[-1]


def test_a_bare_environment_is_made_of_known_names() -> None:
    """What the system and the number crunching need passes; everything else stays here."""
    ours = {
        "PATH": "/bin",
        "CUDA_VISIBLE_DEVICES": "1",
        "DISCORD_TOKEN": "t",
        "MY_CUDA_TOKEN": "t",
        "PATHOLOGY": "t",
    }

    assert bare_environment(ours).items() >= {"PATH": "/bin", "CUDA_VISIBLE_DEVICES": "1"}.items()
    assert "t" not in bare_environment(ours).values()


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits for a foreign process by pidfd")
async def test_what_a_child_started_ends_with_it() -> None:
    """A grandchild that holds the pipes open keeps nobody waiting: it is gone as soon as the child is."""
    code = (
        "import subprocess, sys;"
        "started = subprocess.Popen([sys.executable, '-c', 'import signal; signal.alarm(60); signal.pause()']);"
        "print(started.pid, flush=True);"
        "sys.stdin.readline()"
    )
    said = asyncio.Queue[bytes]()
    child = await Child.start(["-c", code], bare_environment(os.environ), said.put_nowait, log)
    grandchild = int(await said.get())
    gone = exit_of(grandchild)
    child.write(b"end\n")
    status = await child.ended
    await gone
    await child.stop(grace=60)

    assert status == 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
async def test_a_child_that_will_not_end_is_killed() -> None:
    """Neither its closed input nor a polite signal move it; the last word is ours."""
    code = (
        "import signal, threading;"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('deaf', flush=True);"
        "threading.Event().wait()"
    )
    said = asyncio.Queue[bytes]()
    child = await Child.start(["-c", code], bare_environment(os.environ), said.put_nowait, log)
    await said.get()
    await child.stop(grace=0.2)

    assert child.ended.result() == -9
