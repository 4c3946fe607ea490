"""One worker process from the engine's side: its start, its messages, its watch, its end."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

from inference import messages
from inference.catalogue import folder_of
from inference.child import Child, bare_environment
from inference.config import EngineConfig
from inference.messages import BrokenPacket, FromWorker, ToWorker
from inference.progress_watch import ProgressWatch
from inference.real_time import now, pause

log = logging.getLogger("inference.worker")


class Incarnation:
    """See the module. After its end has been decided it is deaf: nothing more is heard of it.

    ready: the default model is loaded. blamed: the requests that it named last, suspects if it dies now.
    setup_problem: why it could not load the model, a sentence. holds_work tells whether it owes progress.
    """

    def __init__(
        self,
        config: EngineConfig,
        heard: Callable[[Incarnation, FromWorker], None],
        holds_work: Callable[[], bool],
    ) -> None:
        self.ready = False
        self.ready_at = now()
        self.blamed: tuple[int, ...] = ()
        self.setup_problem = ""
        self._config = config
        self._heard = heard
        self._holds_work = holds_work
        self._watch = ProgressWatch(config, now())
        self._unpacker = messages.Unpacker()
        self._verdict = ""
        self._child: Child | None = None

    async def start(self, runner: str) -> None:
        """Start the process and tell it what to load. Raises OSError."""
        environment = bare_environment(os.environ)
        arguments = ["-m", "inference.worker", "--runner", runner]
        self._child = await Child.start(arguments, environment, self._received, log)
        models = self._config.catalogue.models
        folders = {
            name: str(folder_of(name, entry, self._config.models_dir)) for name, entry in models.items()
        }
        self.send(messages.Setup(config=self._config, folders=folders))

    @property
    def pid(self) -> int | None:
        return None if self._child is None else self._child.pid

    def send(self, message: ToWorker) -> None:
        if self._child is not None and not self._verdict:
            self._watch.handed_work(now())
            self._child.write(messages.pack(message))

    async def until_over(self) -> str:
        """Wait until the process has ended, and end it if it makes no progress. Returns why it ended."""
        child = self._started
        while not child.ended.done():
            await pause(self._watch.rest(now(), holds_work=self._holds_work()), child.ended)
            if not child.ended.done() and not self._verdict:
                self._condemn(self._watch.verdict(now(), holds_work=self._holds_work()))
            if self._verdict:
                # A process that waits for its device's driver does not die even so; the next one must not wait for it.
                await pause(self._config.grace_seconds, child.ended)
                break
        return self._verdict or _cause(child.ended.result())

    async def stop(self) -> None:
        """End the process, gently if it still lives."""
        if self._child is not None:
            await self._child.stop(self._config.grace_seconds)

    @property
    def _started(self) -> Child:
        if self._child is None:
            raise RuntimeError("the worker has not been started")
        return self._child

    def _received(self, data: bytes) -> None:
        if self._verdict:
            return
        try:
            arrived = self._unpacker.feed(data)
        except BrokenPacket as error:
            self._condemn(f"it sent a broken packet: {error}")
            return
        for message in arrived:
            self._take(message)

    def _take(self, message: FromWorker) -> None:
        self._watch.heard(now())
        match message:
            case messages.Ready():
                self.ready = True
                self.ready_at = now()
                self._watch.ready(now())
            case messages.SetupFailed(sentence=sentence):
                self.setup_problem = sentence
            case messages.Entered(phase=phase, keys=keys):
                self._watch.entered(phase, now())
                self.blamed = keys
            case messages.Crashed(text=text):
                log.error("last words: %s", text)
        self._heard(self, message)

    def _condemn(self, verdict: str) -> None:
        if verdict:
            self._verdict = verdict
            self._started.kill()


def _cause(status: int) -> str:
    return f"killed by signal {-status}" if status < 0 else f"exit status {status}"
