"""The worker process: load once, then receive → admit or drop → step → check → report.

It owns the GPU and nothing else: no token, no network, no data folder. It ends when its parent does, at any moment.
Only `python -m inference.worker` runs this; what draws (and needs torch) is imported in here and nowhere else.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import importlib
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, NoReturn

from inference import messages
from inference.config import EngineConfig
from inference.errors import EngineError, ModelUnavailable, Unsafe
from inference.messages import FromWorker, ToWorker
from inference.runner import DEFAULT_RUNNER, Phase, Runner, RunnerFactory
from inference.safety import SafetyChecker, Stage
from inference.safety import load as load_checker

MakeFactory = Callable[[EngineConfig, Mapping[str, Path]], RunnerFactory]

EXIT_CRASHED = 70
_LONGEST_LAST_WORDS = 4_000
_PR_SET_PDEATHSIG = 1


class Outbox:
    """Sends messages to the parent; whole packets, from any thread."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lock = threading.Lock()

    def send(self, message: FromWorker) -> None:
        packet = messages.pack(message)
        try:
            with self._lock:
                self._write(packet)
        except OSError:
            os._exit(0)  # nobody listens any more

    def _write(self, packet: bytearray) -> None:
        # An unbuffered file may take only a part of what it is given.
        with memoryview(packet) as rest:
            sent = 0
            while sent < len(rest):
                sent += self._file.write(rest[sent:]) or 0


class Worker:
    """The loop around one Runner, and the safety check around that. One thread calls it."""

    def __init__(self, inbox: queue.SimpleQueue[ToWorker], outbox: Outbox) -> None:
        self.phase = Phase.LOAD
        self._inbox = inbox
        self._outbox = outbox
        self._runner: Runner | None = None
        self._stage = Stage(None, self.entering)
        self._handled: frozenset[int] = frozenset()

    def entering(self, phase: Phase) -> None:
        """Say what begins, and who is to blame if it never ends."""
        self.phase = phase
        active = self._runner.active if self._runner is not None else frozenset()
        self._outbox.send(messages.Entered(phase=phase, keys=tuple(sorted(active | self._handled))))

    def check_with(self, checker: SafetyChecker | None) -> None:
        """From now on nothing leaves that this checker has not seen; None for no check."""
        self._stage = Stage(checker, self.entering)

    def load(self, factory: RunnerFactory, model: str) -> Runner:
        """Have the first model ready. Raises ModelUnavailable."""
        runner = self._runner = factory(self.entering)
        self.entering(Phase.LOAD)
        runner.load(model)
        self._outbox.send(messages.Ready(row_limit=runner.row_limit))
        return runner

    def serve(self, runner: Runner) -> NoReturn:
        """Draw until the process ends."""
        while True:
            self._receive(runner)
            if runner.waiting:
                for outcome in runner.step():
                    with self._handling(outcome.key):
                        let_out = self._stage.let_out(outcome)
                    self._outbox.send(messages.Report(outcome=let_out))

    def _receive(self, runner: Runner) -> None:
        """Take in what has come; wait for it when there is nothing else to do."""
        arrived: list[ToWorker] = []
        if not runner.waiting:
            self.entering(Phase.IDLE)
            arrived.append(self._inbox.get())
        with contextlib.suppress(queue.Empty):
            while True:
                arrived.append(self._inbox.get_nowait())
        dropped = {message.key for message in arrived if isinstance(message, messages.Drop)}
        for key in dropped:
            self._drop(runner, key)
        for message in arrived:
            if isinstance(message, messages.Submit) and message.key not in dropped:
                self._admit(runner, message)

    def _admit(self, runner: Runner, message: messages.Submit) -> None:
        with self._handling(message.key):
            self.entering(Phase.LOAD)
            try:
                runner.load(message.request.model)
                self._stage.admit(
                    message.key, message.request, message.samples, message.blobs, message.strictness
                )
                for sample in message.samples:
                    runner.admit(message.key, message.request, sample, message.blobs)
            except EngineError as error:
                self._drop(runner, message.key)
                self._outbox.send(_refused(message.key, error))

    def _drop(self, runner: Runner, key: int) -> None:
        runner.drop(key)
        self._stage.drop(key)

    @contextlib.contextmanager
    def _handling(self, key: int) -> Iterator[None]:
        """This request is to blame as well for what happens meanwhile, though it holds no rows."""
        self._handled = frozenset({key})
        try:
            yield
        finally:
            self._handled = frozenset()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m inference.worker", description=__doc__)
    parser.add_argument("--runner", default=DEFAULT_RUNNER, metavar="MODULE:CALLABLE")
    runner_name: str = parser.parse_args().runner
    _die_with_parent()
    inbox_file, outbox = _take_over_pipes()
    setup = messages.read_packet(inbox_file)
    if not isinstance(setup, messages.Setup):
        os._exit(0 if setup is None else EXIT_CRASHED)
    inbox: queue.SimpleQueue[ToWorker] = queue.SimpleQueue()
    worker = Worker(inbox, outbox)
    beat_seconds = min(1.0, setup.config.heartbeat_seconds / 5)
    _start_thread("inbox", lambda: _fill(inbox, inbox_file, outbox))
    _start_thread("heartbeat", lambda: _beat(worker, outbox, beat_seconds))
    os._exit(_run(worker, outbox, setup, runner_name))


def _run(worker: Worker, outbox: Outbox, setup: messages.Setup, runner_name: str) -> int:
    """The process's exit status; a worker never ends of itself unless something is wrong."""
    folders = {name: Path(folder) for name, folder in setup.folders.items()}
    try:
        factory = _find(runner_name)(setup.config, folders)
        try:
            # Before the model, which takes what is left of the memory into account.
            worker.check_with(load_checker(setup.config))
            runner = worker.load(factory, setup.config.catalogue.default)
        except ModelUnavailable as error:
            outbox.send(messages.SetupFailed(sentence=str(error)))
            return 0
        worker.serve(runner)
    except BaseException:
        # Whatever it is, this process's state (and the GPU's) cannot be trusted after it: a new one takes over.
        outbox.send(messages.Crashed(text=traceback.format_exc()[-_LONGEST_LAST_WORDS:]))
    return EXIT_CRASHED


def _refused(key: int, error: EngineError) -> messages.Refused:
    category = error.category if isinstance(error, Unsafe) else ""
    return messages.Refused(key=key, kind=type(error).__name__, sentence=str(error), category=category)


def _find(name: str) -> MakeFactory:
    module, _, attribute = name.partition(":")
    found: MakeFactory = getattr(importlib.import_module(module), attribute)
    return found


def _fill(inbox: queue.SimpleQueue[ToWorker], file: BinaryIO, outbox: Outbox) -> None:
    """Runs beside the steps, so that the parent's end is the worker's end also in the middle of one."""
    try:
        while (message := messages.read_packet(file)) is not None:
            inbox.put(message)
    except messages.BrokenPacket as error:
        outbox.send(messages.Crashed(text=f"a broken packet came from the engine: {error}"))
        os._exit(EXIT_CRASHED)
    os._exit(0)


def _beat(worker: Worker, outbox: Outbox, seconds: float) -> None:
    pause = threading.Event()
    while not pause.wait(seconds):
        outbox.send(messages.Beat(phase=worker.phase))


def _start_thread(name: str, target: Callable[[], None]) -> None:
    threading.Thread(target=target, name=name, daemon=True).start()


def _take_over_pipes() -> tuple[BinaryIO, Outbox]:
    """Keep the pipes to the parent for packets alone.

    Whatever prints, in Python or in C, prints to the log; what we start does not inherit the pipes.
    """
    inbox = os.fdopen(os.dup(0), "rb")
    outbox = os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return inbox, Outbox(outbox)


def _die_with_parent() -> None:
    """A step that holds the interpreter's lock cannot notice a closed pipe; Linux can end the process itself."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
