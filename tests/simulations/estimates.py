"""How true the seconds are that cards show: `python -m tests.simulations.estimates` prints the errors of a busy hour.

Three models, one of which nobody used before the middle of the hour; many sizes and steps; run times that vary from
job to job, and each model's first job loads it.
The line is never without work for long, and no estimate knows who will come.
"""

from __future__ import annotations

import math
import random
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.line import Asked, Line
from bot.pace import Pace, Work
from tests.simulations.engine import Coming, Run, run

_MINUTES = 60
_LOAD = 0.95
_SERVERS, _PEOPLE = 6, 8
_NOISE = 0.25
_RATES = {"quick": 0.02, "slow": 0.07, "new": 0.045}
"""Seconds per raw cost in truth."""

_LOADING = 4.0
"""How many times longer the first job of a model takes: its weights are read."""

_ROW_COSTS = {"quick": 1.0, "slow": 2.5, "new": 1.5}
"""What each model says of itself, which is about right."""

NEW = "new"


class KnowsNothing(Pace):
    """The control: it goes on believing the first job that it saw."""

    def learn(self, work: Work, seconds: float) -> None:
        if self.seconds(work) is None:
            super().learn(work, seconds)


def arrivals(seed: int) -> list[Coming]:
    chance = random.Random(seed)
    drawn = [_job(chance, number, 0.0) for number in range(3000)]
    gap = statistics.mean(job.seconds for job in drawn) / _LOAD
    at, jobs = 0.0, list[Coming]()
    while at < _MINUTES * 60:
        at += chance.expovariate(1 / gap)
        jobs.append(_job(chance, len(jobs), at))
    for model in _RATES:
        first = next(number for number, job in enumerate(jobs) if job.asked.work.model == model)
        jobs[first] = replace(jobs[first], rate=jobs[first].rate * _LOADING)
    return jobs


def _job(chance: random.Random, number: int, at: float) -> Coming:
    model = chance.choices(("quick", "slow", NEW), (6, 3, 3 if at > _MINUTES * 30 else 0))[0]
    samples, steps = chance.choice((1, 2, 4)), chance.choice((8, 15, 22, 30, 45))
    megapixels = chance.choice((0.26, 0.39, 0.59))
    work = Work(model, samples * 2 * steps * megapixels, _ROW_COSTS[model])
    server = chance.randrange(1, _SERVERS + 1)
    asked = Asked(number, server, server * 100 + chance.randrange(_PEOPLE), work, rows=2 * samples)
    noise = chance.lognormvariate(-(_NOISE**2) / 2, _NOISE)
    return Coming(at, asked, samples, steps, _RATES[model] * noise)


def errors(runs: Sequence[Run], *, only_first: bool = False, model: str | None = None) -> list[float]:
    """How far off each shown estimate was, as a part of the time that it really took from then on."""
    chosen = [each for each in runs if model in (None, each.coming.asked.work.model)]
    return [error for each in chosen for error in _errors(each, only_first=only_first)]


def _errors(of: Run, *, only_first: bool) -> Iterator[float]:
    for at, seconds in of.shown[: 1 if only_first else None]:
        yield abs(seconds - (of.ended - at)) / (of.ended - at)


def line_with(pace: Pace) -> Line:
    line = Line()
    line.pace = pace
    return line


def main(seed: int) -> None:
    jobs = arrivals(seed)
    print(f"seed {seed}: {len(jobs)} jobs in {_MINUTES} min; relative errors of the estimates")  # noqa: T201
    print(f"{'':16}{'estimates':12}{'number':>8}{'median':>8}{'p90':>8}")  # noqa: T201
    for name, pace in (("learning", Pace()), ("knows nothing", KnowsNothing())):
        runs = run(line_with(pace), jobs)
        for what, found in (
            ("all", errors(runs)),
            ("the first", errors(runs, only_first=True)),
            ("new model's", errors(runs, model=NEW)),
        ):
            p90 = statistics.quantiles(found, n=10)[-1] if len(found) > 1 else math.nan
            print(f"{name:16}{what:12}{len(found):8}{statistics.median(found):8.0%}{p90:8.0%}")  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
