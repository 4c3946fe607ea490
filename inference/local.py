"""The engine on this machine: starts the worker process, watches it, and hands it requests.

::

    generate ──▶ Admission ──▶ worker process (load, then step after step)
        ▲                            │ messages
        └────── events ◀─────────────┘ heartbeat, phases, results

The worker may die at any moment. Then the requests it held are run again by a new one (see `inference.admission` for
who runs alone), and their readers get `Restarted`. What a dead worker still had to say is not heard.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from inference import messages
from inference.admission import Admission, Order
from inference.blobs import checked
from inference.catalogue import model_infos, problem_of
from inference.config import EngineConfig
from inference.engine import Park, unparked
from inference.errors import EngineClosed, EngineError, ModelUnavailable, UnknownModel, as_named
from inference.incarnation import Incarnation
from inference.messages import FromWorker
from inference.provision import provide
from inference.real_time import now, pause
from inference.runner import DEFAULT_RUNNER
from inference.types import (
    Blob,
    EngineState,
    EngineStatus,
    Event,
    ImageRequest,
    ModelInfo,
    PictureRef,
    SampleBlocked,
    SampleDone,
    Strictness,
)

_FOLDER_LOOK_SECONDS = 0.5
_CLOSED = "The engine was closed."
_RESTARTING = "The drawing process stopped and is being started again."

log = logging.getLogger(__name__)


class LocalEngine:
    """Implements `inference.engine.Engine`. See the module.

    park: marks waits for the worker. runner: what the worker draws with, see DEFAULT_RUNNER; tests have a small one.
    """

    def __init__(self, config: EngineConfig, *, park: Park = unparked, runner: str = DEFAULT_RUNNER) -> None:
        self._config = msgspec.structs.replace(config, models_dir=config.models_dir.resolve())
        self._park = park
        self._runner = runner
        self._admission = Admission()
        self._infos: tuple[ModelInfo, ...] | None = None
        self._row_limit = 0
        self._status = EngineStatus(state=EngineState.STARTING)
        self._watchers: list[Callable[[EngineStatus], None]] = []
        self._worker: Incarnation | None = None
        self._backoff = Backoff(config.backoff_seconds)
        self._supervisor: asyncio.Task[None] | None = None
        self._fetcher: asyncio.Task[None] | None = None

    async def start(self) -> None:
        if self._supervisor is not None:
            raise RuntimeError("an engine is started once")
        self._supervisor = _owned(self._supervise(), "engine supervisor")

    async def close(self) -> None:
        self._become(EngineState.CLOSED)
        self._admission.end_all(EngineClosed(_CLOSED))
        tasks = [task for task in (self._fetcher, self._supervisor) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def status(self) -> EngineStatus:
        return self._status

    def watch(self, changed: Callable[[EngineStatus], None]) -> None:
        self._watchers.append(changed)

    @property
    def row_credits(self) -> int:
        """As the last worker said; 0 until one was ready."""
        return self._row_limit

    @property
    def checks(self) -> str:
        return self._config.checks

    def models(self) -> Sequence[ModelInfo]:
        if self._infos is None:
            self._infos = model_infos(self._config.catalogue, self._config.models_dir)
        return self._infos

    async def generate(
        self,
        request: ImageRequest,
        blobs: Mapping[PictureRef, Blob],
        strictness: Strictness = Strictness.OFF,
    ) -> AsyncGenerator[Event, None]:
        """See Engine. Samples that fail do not stop the others: RequestFailed comes after the last result."""
        order = self._admission.enter(request, self._checked(request, blobs), strictness)
        self._hand_over()
        try:
            while (event := await self._park(order.events.get(), "the engine's next event")) is not None:
                if isinstance(event, EngineError):
                    raise event
                yield event
        finally:
            self._forget(order)

    def _checked(self, request: ImageRequest, blobs: Mapping[PictureRef, Blob]) -> dict[PictureRef, Blob]:
        """The blobs that the request refers to. Raises what `generate` raises at once."""
        if self._status.state is EngineState.CLOSED:
            raise EngineClosed(_CLOSED)
        if request.model not in self._config.catalogue.models:
            raise UnknownModel(f"There is no model called {request.model}.")
        return checked(request, blobs)

    # --- handing over, and what comes back ---

    def _hand_over(self) -> None:
        """Give the worker every request that it may have now."""
        if self._worker is not None and self._worker.ready:
            for order in self._admission.due():
                order.held = True
                self._worker.send(order.submission())
        self._show_load()

    def _forget(self, order: Order) -> None:
        """Nobody reads the order any more: its rows are wanted by others."""
        if self._admission.leave(order):
            if order.held and self._worker is not None:
                self._worker.send(messages.Drop(key=order.key))
            self._hand_over()

    def _on_message(self, worker: Incarnation, message: FromWorker) -> None:
        if worker is not self._worker:
            return
        match message:
            case messages.Ready(row_limit=row_limit):
                self._on_ready(row_limit)
            case messages.Entered(keys=keys):
                self._admission.taken(keys)
            case messages.Report(outcome=outcome):
                if (order := self._admission.find(outcome.key)) is not None:
                    order.tell(outcome.event)
                    if isinstance(outcome.event, SampleDone | SampleBlocked):
                        self._backoff.reset()
                    self._end_if_done(order)
            case messages.Refused(key=key, kind=kind, sentence=sentence, category=category):
                if (order := self._admission.find(key)) is not None:
                    self._admission.end(order, as_named(kind, sentence, category))
                    self._hand_over()

    def _on_ready(self, row_limit: int) -> None:
        if self._status.state is not EngineState.UNHEALTHY:
            self._backoff.reset()  # what kept the model from being loaded is mended
        self._row_limit = row_limit
        self._infos = None
        self._become(EngineState.READY)
        self._hand_over()
        if self._fetcher is None:
            self._fetcher = _owned(self._fetch_the_rest(), "fetching further models")

    def _end_if_done(self, order: Order) -> None:
        if order.done:
            self._admission.end(order)
            self._hand_over()

    # --- supervision ---

    async def _supervise(self) -> None:
        while True:
            try:
                await self._one_life()
            except ModelUnavailable as error:
                log.error("the worker lacks what it cannot do without: %s", error)
                self._become(EngineState.SETUP_FAILED, str(error))
                await self._park(self._until_folder_appears(), "the next try to load the model")
            except Exception as error:
                # The line must go on whatever happens here (no process can be started, the disk is full).
                log.exception("the worker could not be run")
                self._become(EngineState.UNHEALTHY, f"The drawing process cannot be started: {error}.")
                await self._park(pause(self._backoff.next()), "the next start of the worker")
            else:
                await self._park(pause(self._backoff.next()), "the next start of the worker")

    async def _one_life(self) -> None:
        """Start a worker and watch it until it has ended. Raises ModelUnavailable, OSError."""
        await provide(self._config, self._config.catalogue.default, self._tell_progress, self._park)
        worker = Incarnation(self._config, self._on_message, lambda: bool(self._admission.held))
        try:
            await worker.start(self._runner)
            self._worker = worker
            self._become(self._status.state, self._status.detail)
            cause = await self._park(worker.until_over(), "the worker's end")
            self._worker = None
            self._after_life(worker, cause)
        finally:
            self._worker = None
            await self._park(worker.stop(), "the worker's end")

    def _after_life(self, worker: Incarnation, cause: str) -> None:
        """Book the worker's end. Raises ModelUnavailable if it ended because it could not load the model."""
        if worker.setup_problem:
            raise ModelUnavailable(worker.setup_problem)
        log.warning("the worker died (%s); requests in its batch: %s", cause, worker.blamed or "none")
        if worker.ready and now() - worker.ready_at > max(self._config.backoff_seconds):
            self._backoff.reset()
        self._become(EngineState.UNHEALTHY, _RESTARTING)
        self._admission.worker_died(worker.blamed)

    async def _until_folder_appears(self) -> None:
        """Wait for the back-off, but no longer than until somebody puts the missing folder there."""
        was_missing = self._default_problem()
        end = now() + self._backoff.next()
        while (left := end - now()) > 0:
            await pause(min(left, _FOLDER_LOOK_SECONDS))
            if was_missing and not self._default_problem():
                return

    def _default_problem(self) -> str:
        catalogue = self._config.catalogue
        return problem_of(catalogue.default, catalogue.models[catalogue.default], self._config.models_dir)

    async def _fetch_the_rest(self) -> None:
        """Bring the models that nobody has to wait for at the start."""
        for name in self._config.catalogue.models:
            try:
                await provide(self._config, name, partial(log.info, "%s"), self._park)
            except (ModelUnavailable, OSError) as error:
                log.warning("the model %s is not available: %s", name, error)
            self._infos = None

    def _tell_progress(self, sentence: str) -> None:
        self._become(EngineState.STARTING, sentence)

    def _show_load(self) -> None:
        if self._worker is not None and self._worker.ready:
            self._become(EngineState.BUSY if self._admission.held else EngineState.READY)

    def _become(self, state: EngineState, detail: str = "") -> None:
        closed = EngineState.CLOSED in (state, self._status.state)
        pid = None if self._worker is None or closed else self._worker.pid
        status = EngineStatus(state=state, detail=detail, worker_pid=pid)
        if status == self._status or self._status.state is EngineState.CLOSED:
            return
        self._status = status
        for changed in self._watchers:
            try:
                changed(status)
            except Exception:  # a reader's mistake must not end the worker's supervision
                log.exception("a watcher of the engine's status failed")


class Backoff:
    """How long to wait after each failure in a row; the last pause repeats."""

    def __init__(self, pauses: Sequence[float]) -> None:
        self._pauses = pauses
        self._failures = 0

    def reset(self) -> None:
        self._failures = 0

    def next(self) -> float:
        """Seconds to wait after one more failure."""
        self._failures += 1
        return self._pauses[min(self._failures, len(self._pauses)) - 1]


def _owned(coroutine: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """A task whose failure is not lost. The caller keeps and cancels it."""

    def note(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s failed", name, exc_info=error)

    task = asyncio.create_task(coroutine, name=name)
    task.add_done_callback(note)
    return task
