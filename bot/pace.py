"""How long work takes, learned from jobs that ran: per model, so that the line and its estimates know slow ones.

*Raw cost* is what can be counted: executed steps × rows × megapixels. A model's *rate* is seconds per raw cost. What
is measured is a job's share of the engine's time, not its duration: jobs overlap.
"""

from __future__ import annotations

import statistics
from collections import deque
from dataclasses import dataclass

from inference import ImageRequest, ModelInfo

_REMEMBERED = 24
_OUTLIER = 2.0
"""How many times more, or less, than usual a job is believed to have taken: weights that were loaded, a busy disk."""


@dataclass(frozen=True)
class Work:
    """What a job is to the engine. raw: steps × rows × megapixels. row_cost: the model's own guess of its rate
    beside that of others."""

    model: str
    raw: float
    row_cost: float = 1.0


def work_of(request: ImageRequest, model: ModelInfo | None) -> Work:
    """model: None for one that is no longer configured."""
    rows_of_sample = request.rows / len(request.seeds)
    raw = request.total_steps * rows_of_sample * request.frame.canvas.area / 1e6
    return Work(request.model, raw, model.row_cost if model else 1.0)


class _Rate:
    """Seconds per cost over the latest jobs: all their time by all their cost, outliers cut to what is believed."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque(maxlen=_REMEMBERED)
        self.value: float | None = None

    def learn(self, cost: float, seconds: float) -> None:
        self._seen.append((cost, seconds))
        usual = statistics.median(seconds / cost for cost, seconds in self._seen)
        believed = (
            cost * min(max(seconds / cost, usual / _OUTLIER), usual * _OUTLIER)
            for cost, seconds in self._seen
        )
        self.value = sum(believed) / sum(cost for cost, _ in self._seen)


class Pace:
    """Rates by model. One that was not seen yet goes at that of all, times its own guess."""

    def __init__(self) -> None:
        self._of_all = _Rate()
        self._of_model: dict[str, _Rate] = {}
        self._unit = 1.0

    def learn(self, work: Work, seconds: float) -> None:
        """seconds: the job's share of the engine's time. What cannot be is ignored: a clock may be set back."""
        if work.raw <= 0 or seconds <= 0:
            return
        if self._of_all.value is None:
            self._unit = seconds / (work.raw * work.row_cost)
        self._of_all.learn(work.raw * work.row_cost, seconds)
        self._of_model.setdefault(work.model, _Rate()).learn(work.raw, seconds)

    def seconds(self, work: Work) -> float | None:
        """How long it takes, as its share of the engine's time. None until the first job ran."""
        own = self._of_model.get(work.model)
        if own is not None and own.value is not None:
            return work.raw * own.value
        return None if self._of_all.value is None else work.raw * work.row_cost * self._of_all.value

    def cost(self, work: Work) -> float:
        """The same for dividing up the line, which has to go on before anything is known and must not change its
        measure when it is: in units of what the first job took for each of its raw costs."""
        seconds = self.seconds(work)
        return work.raw * work.row_cost if seconds is None else seconds / self._unit


@dataclass
class _Clock:
    """What all jobs of one model have used and done since the bot started."""

    seconds: float = 0.0
    raw: float = 0.0


@dataclass
class _Started:
    work: Work
    seconds: float
    raw: float
    done: float = 0.0


class Meter:
    """Whose the engine's time was, told by who moved on in it.

    The engine steps the rows of one model at a time, so whatever passed between two steps was that model's; and
    each job had as much of it as it had of the steps. Any clock that only goes forward will do.
    """

    def __init__(self) -> None:
        self._clocks: dict[str, _Clock] = {}
        self._started: dict[int, _Started] = {}
        self._last = 0.0

    def start(self, job_id: int, work: Work, now: float) -> None:
        if not self._started:  # nobody used the time before
            self._last = now
        clock = self._clocks.setdefault(work.model, _Clock())
        self._started[job_id] = _Started(work, clock.seconds, clock.raw)

    def step(self, job_id: int, share_done: float, now: float) -> None:
        """share_done: of all that the job has to do, from 0 to 1; less than before after a restart."""
        job = self._started[job_id]
        clock = self._tick(job.work.model, now)
        clock.raw += max(0.0, share_done - job.done) * job.work.raw
        job.done = share_done

    def restart(self, job_id: int, now: float) -> None:
        """It begins anew; what passed until now was nobody's."""
        self._started[job_id].done = 0.0
        self._last = max(self._last, now)

    def end(self, job_id: int, now: float) -> float:
        """The job's share of the engine's time in seconds. Only a job that ended well has done all its steps."""
        job = self._started[job_id]
        clock = self._tick(job.work.model, now)
        del self._started[job_id]
        stepped = clock.raw - job.raw
        seconds = clock.seconds - job.seconds
        return seconds * job.work.raw / stepped if stepped > 0 else seconds

    def forget(self, job_id: int) -> None:
        """It was stopped, or is measured already."""
        self._started.pop(job_id, None)

    def _tick(self, model: str, now: float) -> _Clock:
        clock = self._clocks[model]
        clock.seconds += max(0.0, now - self._last)
        self._last = max(self._last, now)
        return clock
