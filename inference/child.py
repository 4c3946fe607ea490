"""One child process of the engine: bytes out, bytes in, log lines, and an end that is seen at once.

It leads a process group of its own, so that what it started ends with it, and it gets only what it needs of our
environment: never a token.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from inference.real_time import pause

Received = Callable[[bytes], None]

_PACKAGE_ROOT = Path(__file__).resolve().parent.parent

# Shells and systems, dynamic linking, and what the number-crunching libraries are tuned by.
_PASSED_ON = re.compile(
    r"PATH|HOME|USER|LOGNAME|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|TEMP|TMP|XDG_CACHE_HOME|VIRTUAL_ENV"
    r"|SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|PATHEXT|USERPROFILE|(LOCAL)?APPDATA"
    r"|NUMBER_OF_PROCESSORS|PROCESSOR_ARCHITECTURE|(LD|DYLD)_LIBRARY_PATH"
    r"|(CUDA|CUDNN|NVIDIA|HSA|HIP|ROCM|ROCR|MIOPEN|OMP|KMP|MKL|OPENBLAS|PYTORCH|TORCH|TORCHINDUCTOR|TRITON)_\w+"
)


def bare_environment(ours: Mapping[str, str]) -> dict[str, str]:
    """What a child that needs no network and no token gets to see of `ours`."""
    passed = {name: value for name, value in ours.items() if _PASSED_ON.fullmatch(name.upper())}
    paths = (str(_PACKAGE_ROOT), ours.get("PYTHONPATH", ""))
    return passed | {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONSAFEPATH": "1",
        "PYTHONUNBUFFERED": "1",
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }


class Child(asyncio.SubprocessProtocol):
    """See the module. Its bytes and its end arrive as callbacks: nothing has to wait for them.

    ended: done with the exit status when the process is gone and all its output has been received.
    """

    def __init__(self, received: Received, log: logging.Logger) -> None:
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._received = received
        self._log_lines = LogLines(log)
        self._transport: asyncio.SubprocessTransport | None = None
        self._output_open = True
        self._exited = False

    @classmethod
    async def start(
        cls, arguments: Sequence[str], environment: Mapping[str, str], received: Received, log: logging.Logger
    ) -> Child:
        """Start this Python with `arguments`."""
        group: dict[str, Any] = {"process_group": 0}
        if sys.platform == "win32":
            group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        _, child = await asyncio.get_running_loop().subprocess_exec(
            lambda: cls(received, log), sys.executable, *arguments, env=dict(environment), **group
        )
        return child

    @property
    def pid(self) -> int:
        return self._running.get_pid()

    def write(self, data: bytes | bytearray) -> None:
        """Queue bytes for its standard input; they are lost if it is gone."""
        pipe = self._running.get_pipe_transport(0)
        if isinstance(pipe, asyncio.WriteTransport) and not pipe.is_closing():
            pipe.write(data)

    def kill(self) -> None:
        """End it and all it started, without a chance to object."""
        if sys.platform == "win32":
            with contextlib.suppress(ProcessLookupError):
                self._running.kill()
        else:
            self._signal_group(signal.SIGKILL)

    async def stop(self, grace: float) -> None:
        """End it: by closing its input, then by asking, then by force, `grace` seconds apart."""
        try:
            for nudge in (self._close_input, self._terminate, self.kill):
                if self.ended.done():
                    return
                nudge()
                await pause(grace, self.ended)
        finally:
            if not self.ended.done():
                self.kill()
            self._running.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)  # asyncio types it loosely
        self._transport = transport

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == 1:
            self._received(data)
        else:
            self._log_lines.feed(data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if fd == 1:
            self._output_open = False
            self._end_if_over()

    def process_exited(self) -> None:
        self._exited = True
        self.kill()  # what it started may hold its pipes open
        self._end_if_over()

    @property
    def _running(self) -> asyncio.SubprocessTransport:
        if self._transport is None:
            raise RuntimeError("the process has not been started")
        return self._transport

    def _end_if_over(self) -> None:
        if self._exited and not self._output_open and not self.ended.done():
            self._log_lines.flush()
            self.ended.set_result(self._running.get_returncode() or 0)

    def _close_input(self) -> None:
        pipe = self._running.get_pipe_transport(0)
        if pipe is not None:
            pipe.close()

    def _terminate(self) -> None:
        if sys.platform == "win32":
            with contextlib.suppress(ProcessLookupError):
                self._running.terminate()
        else:
            self._signal_group(signal.SIGTERM)

    def _signal_group(self, number: int) -> None:
        if sys.platform != "win32":
            # macOS answers PermissionError for a group of which only a zombie is left.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)


class LogLines:
    """Passes a child's error output on to a logger, line by line, and never without bound."""

    LONGEST = 2_000
    MOST = 5_000

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._rest = b""
        self._lines = 0

    def feed(self, data: bytes) -> None:
        # Progress bars end their lines with a carriage return.
        *lines, rest = (self._rest + data).replace(b"\r", b"\n").split(b"\n")
        self._rest = rest[: self.LONGEST]
        for line in lines:
            self._pass_on(line)

    def flush(self) -> None:
        self._pass_on(self._rest)
        self._rest = b""

    def _pass_on(self, line: bytes) -> None:
        text = line[: self.LONGEST].decode(errors="replace").strip()
        if not text or self._lines > self.MOST:
            return
        self._lines += 1
        self._log.info("%s", text if self._lines <= self.MOST else "(more lines are left out)")
