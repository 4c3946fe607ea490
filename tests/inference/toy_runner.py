"""A Runner without torch that does nothing unasked: at every turn it tells the test and waits for the answer.

It runs in a real worker process. Where the test listens stands in `toy.json` in the model's folder; without that
file it draws at once and tells nobody.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from inference.config import EngineConfig
from inference.errors import ModelUnavailable
from inference.runner import Outcome, Phase, RunnerFactory, SampleFailed
from inference.types import Blob, ImageRequest, PictureRef, Pixels, Progress, SampleDone

ROWS = 8


def factory(_config: EngineConfig, folders: Mapping[str, Path]) -> RunnerFactory:
    return lambda entering: ToyRunner(folders, entering)


class Wire:
    """The line to the test. `say` returns its answer."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        ports = [
            json.loads(path.read_text())["port"]
            for folder in folders.values()
            if (path := folder / "toy.json").exists()
        ]
        self._line = socket.create_connection(("127.0.0.1", ports[0])).makefile("rw") if ports else None

    def say(self, turn: str, **details: Any) -> str:
        if self._line is None:
            return "go"
        self._line.write(json.dumps({"turn": turn, "pid": os.getpid(), **details}) + "\n")
        self._line.flush()
        answer: str = json.loads(self._line.readline())
        return answer


class Sample:
    def __init__(
        self, key: int, request: ImageRequest, sample: int, blobs: Mapping[PictureRef, Blob]
    ) -> None:
        self.key, self.request, self.sample, self.blobs = key, request, sample, blobs
        self.step = 0

    @property
    def rows(self) -> int:
        return 2 if self.request.guided else 1

    def progress(self) -> Progress:
        return Progress(sample=self.sample, step=self.step, steps=self.request.steps_of(self.sample))

    def result(self) -> SampleDone:
        """Every pixel has the seed's last byte."""
        size = self.request.frame.content
        pixels = Pixels(
            size.width, size.height, bytes([self.request.seeds[self.sample] % 256]) * (3 * size.area)
        )
        return SampleDone(sample=self.sample, pixels=pixels, latents=self.request.prompt.encode())


class ToyRunner:
    """Turns: hello, load, admit, drop, step, decode. Answers: go, fail, and the deeds of `_obey`."""

    def __init__(self, folders: Mapping[str, Path], entering: Callable[[Phase], None]) -> None:
        self._folders = folders
        self._entering = entering
        self._waiting: list[Sample] = []
        self._seated: list[Sample] = []
        self._wire = Wire(folders)
        self._ask("hello", environment=dict(os.environ))

    def load(self, model: str) -> None:
        self._entering(Phase.LOAD)
        if not self._folders[model].is_dir():
            raise ModelUnavailable(f"There is no folder {self._folders[model]}.")
        if self._ask("load", model=model) == "fail":
            raise ModelUnavailable(f"{model} is damaged.")

    def admit(self, key: int, request: ImageRequest, sample: int, blobs: Mapping[PictureRef, Blob]) -> None:
        self._waiting.append(Sample(key, request, sample, blobs))
        self._ask("admit", key=key, prompt=request.prompt, sample=sample, blobs=sorted(blobs))

    def drop(self, key: int) -> None:
        self._waiting = [sample for sample in self._waiting if sample.key != key]
        self._seated = [sample for sample in self._seated if sample.key != key]
        self._ask("drop", key=key)

    @property
    def row_limit(self) -> int:
        return ROWS

    @property
    def active(self) -> frozenset[int]:
        return frozenset(sample.key for sample in self._seated)

    @property
    def waiting(self) -> bool:
        return bool(self._waiting or self._seated)

    def step(self) -> list[Outcome]:
        while self._waiting and sum(sample.rows for sample in [*self._seated, self._waiting[0]]) <= ROWS:
            self._seated.append(self._waiting.pop(0))
        self._entering(Phase.STEP)
        failed = self._ask("step", prompts=[sample.request.prompt for sample in self._seated]) == "fail"
        if failed:
            victim = self._seated.pop(0)
            return [
                Outcome(key=victim.key, event=SampleFailed(sample=victim.sample, sentence="The toy gave up."))
            ]
        for sample in self._seated:
            sample.step += 1
        outcomes = [Outcome(key=sample.key, event=sample.progress()) for sample in self._seated]
        return outcomes + self._decode()

    def _decode(self) -> list[Outcome]:
        done = [sample for sample in self._seated if sample.step >= sample.request.steps_of(sample.sample)]
        if done:
            self._entering(Phase.DECODE)
            self._ask("decode", prompts=[sample.request.prompt for sample in done])
        self._seated = [sample for sample in self._seated if sample not in done]
        return [Outcome(key=sample.key, event=sample.result()) for sample in done]

    def _ask(self, turn: str, **details: Any) -> str:
        answer = self._wire.say(turn, **details)
        if answer == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        elif answer == "hang":
            threading.Event().wait()
        elif answer == "raise":
            raise RuntimeError("the toy was told to fail")
        elif answer == "print":
            print("a stray print")  # noqa: T201 - that is what it is for
            os.write(1, b"a stray write\n")
        elif answer == "garble":
            os.write(_pipe_to_parent(), b"this is no packet")
        return answer


def _pipe_to_parent() -> int:
    """The worker hides it well: it is the only pipe that is not one of the standard three."""
    for fd in range(3, 64):
        try:
            status = os.fstat(fd)
        except OSError:
            continue
        if stat.S_ISFIFO(status.st_mode) and os.fstat(2).st_ino != status.st_ino and _can_write(fd):
            return fd
    raise AssertionError("the pipe to the parent was not found")


def _can_write(fd: int) -> bool:
    import fcntl

    return fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY
