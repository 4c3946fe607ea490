"""A bot in a process of its own, to be killed without warning and started anew."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.discord.limits import Request
from tests.discord.server import FakeDiscord, Reset

ROOT = Path(__file__).resolve().parents[2]


class BotProcess:
    """Use as `async with BotProcess(world, "bot.__main__:main", "run", log=tmp_path / "bot.log") as bot`.

    target, arguments: what `launch` starts. env: added to this process's own. log: gets what the bot prints.
    A bot that ends by itself makes every `world.wait_for` fail with the end of that log.
    """

    def __init__(
        self,
        world: FakeDiscord,
        target: str,
        *arguments: str,
        log: Path,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.starts = 0
        self._world = world
        self._command = [sys.executable, "-m", "tests.discord.launch", target, *arguments]
        self._environment = {**os.environ, **(env or {})}
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._watcher: asyncio.Task[None] | None = None

    async def __aenter__(self) -> BotProcess:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.kill()

    @property
    def pid(self) -> int:
        assert self._process is not None, "the bot does not run"
        return self._process.pid

    @property
    def output(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    async def start(self) -> None:
        """Returns when the process runs; `world.online()` waits until it is connected."""
        assert self._process is None, "the bot runs already"
        environment = {**self._environment, "FAKE_DISCORD": self._world.base}
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment,
                cwd=ROOT,
            )
        self.starts += 1
        self._watcher = asyncio.create_task(self._watch(self._process))

    async def kill(self) -> None:
        """SIGKILL, as when the power goes; returns when it is gone and Discord has noticed."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """SIGTERM, as when the machine is shut down in order."""
        await self._end(signal.SIGTERM)

    async def restart(self) -> None:
        await self.kill()
        await self.start()

    async def dies(self, request: Request) -> type[Reset]:  # noqa: ARG002 - an accident's signature
        """An accident for `before` and `after`: the bot is killed while it waits for this answer."""
        await self.kill()
        return Reset

    async def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None or self._watcher is None:
            return
        if process.returncode is None:
            process.send_signal(how)
        await self._watcher
        await self._world.wait_for(lambda: not self._world.connected, "waiting for the connection to end")

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        code = await process.wait()
        if process is self._process:
            self._world.failed = f"the bot ended by itself with code {code}:\n{self.output[-4000:]}"
        self._world.changed(f"the bot's process ended with code {code}")
