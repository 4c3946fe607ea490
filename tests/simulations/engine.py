"""The real line in front of a simple engine, on a simulated clock: an hour of it takes a second or two.

The engine steps the samples of as many jobs as fit into its rows, all of one model, and stays with a model for a
while, as the real one does. A job's noise stretches each of its steps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot import texts
from bot.line import Asked, Line

ROWS = 8
"""That the engine can step at once: four guided samples."""

_MODEL_STAY = 60


@dataclass(frozen=True)
class Coming:
    """A job that somebody asks for at a time. rate: seconds per raw cost in truth, this job's noise included."""

    at: float
    asked: Asked
    samples: int
    steps: int
    rate: float

    @property
    def seconds(self) -> float:
        """What it adds to everybody's time."""
        return self.asked.work.raw * self.rate


@dataclass
class Run:
    """What became of a job. shown: each estimate that its card showed, with when it did."""

    coming: Coming
    began: float = -1.0
    ended: float = -1.0
    steps_left: list[int] = field(default_factory=list)
    shown: list[tuple[float, float]] = field(default_factory=list)
    last_text: str = ""

    @property
    def waited(self) -> float:
        return self.began - self.coming.at


def run(line: Line, jobs: Sequence[Coming], *, shows: bool = True) -> list[Run]:
    """Everybody's jobs from the first to the last, through `line`. shows: what the cards of those who wait say."""
    return _Simulation(line, jobs, shows=shows).run()


class _Simulation:
    def __init__(self, line: Line, jobs: Sequence[Coming], *, shows: bool) -> None:
        self._line = line
        self._shows = shows
        self._coming = deque(sorted(jobs, key=lambda job: job.at))
        self._runs = {job.asked.job_id: Run(job) for job in self._coming}
        self._seated: list[tuple[int, int]] = []
        self._now = 0.0
        self._model = ""
        self._model_steps = 0

    def run(self) -> list[Run]:
        while self._coming or self._seated:
            self._admit()
            if self._seated:
                self._step()
            else:
                self._now = self._coming[0].at
        return list(self._runs.values())

    def _admit(self) -> None:
        while self._coming and self._coming[0].at <= self._now:
            self._line.join(self._coming.popleft().asked)
            self._pump()

    def _pump(self) -> None:
        """As in `bot.jobs`."""
        while (job_id := self._line.start(ROWS, self._now)) is not None:
            run = self._runs[job_id]
            run.steps_left = [run.coming.steps] * run.coming.samples
            self._seated += [(job_id, sample) for sample in range(run.coming.samples)]
        for turn in self._line.turns() if self._shows else ():
            run = self._runs[turn.job_id]
            if turn.seconds is not None and texts.about(turn.seconds) != run.last_text:
                run.last_text = texts.about(turn.seconds)
                run.shown.append((self._now, turn.seconds))

    def _step(self) -> None:
        batch = self._batch()
        self._now += sum(self._seconds_of_step(self._runs[job_id].coming) for job_id, _ in batch)
        for job_id, sample in batch:
            run = self._runs[job_id]
            if run.began < 0:
                run.began = self._now
            run.steps_left[sample] -= 1
            done = 1 - sum(run.steps_left) / (run.coming.steps * run.coming.samples)
            self._line.step(job_id, done, self._now)
        for job_id in dict(batch):
            if not any(self._runs[job_id].steps_left):
                self._end(job_id)
        self._seated = [
            (job_id, sample) for job_id, sample in self._seated if self._runs[job_id].steps_left[sample]
        ]

    def _end(self, job_id: int) -> None:
        self._runs[job_id].ended = self._now
        self._line.measure(job_id, self._now)
        self._line.stop(job_id)
        self._pump()

    def _batch(self) -> list[tuple[int, int]]:
        models = [self._runs[job_id].coming.asked.work.model for job_id, _ in self._seated]
        if self._model not in models or (self._model_steps >= _MODEL_STAY and models[0] != self._model):
            self._model, self._model_steps = models[0], 0
        self._model_steps += 1
        batch, room = [], ROWS
        for seat, model in zip(self._seated, models, strict=True):
            coming = self._runs[seat[0]].coming
            rows = coming.asked.rows // coming.samples
            if model == self._model and rows <= room:
                batch.append(seat)
                room -= rows
        return batch

    @staticmethod
    def _seconds_of_step(coming: Coming) -> float:
        return coming.seconds / (coming.steps * coming.samples)
