"""One server floods, nine ask for something now and then: `python -m tests.simulations.flood` prints their waits.

Everything is drawn from a seed. The flooding server alone asks for 140 % of what the engine can do, with the jobs of
thirty people; each of the others for 3 %.
"""

from __future__ import annotations

import random
import statistics
import sys
from collections.abc import Sequence
from dataclasses import replace

from msgspec import structs

from bot.line import Asked, Line
from bot.pace import Work
from tests.simulations.engine import Coming, Run, run

FLOODER, LIGHT = 1, range(2, 11)
_MINUTES = 60
_FLOOD_PER_10_MINUTES, _LIGHT_PER_10_MINUTES = 150, 3
JOB_SECONDS = 600 * 1.4 / _FLOOD_PER_10_MINUTES


def arrivals(seed: int) -> list[Coming]:
    """An hour of people who do not know of each other: the gaps between jobs are exponential."""
    chance = random.Random(seed)
    jobs = []
    for server in (FLOODER, *LIGHT):
        rate = (_FLOOD_PER_10_MINUTES if server == FLOODER else _LIGHT_PER_10_MINUTES) / 600
        people = 30 if server == FLOODER else 5
        at = chance.expovariate(rate)
        while at < _MINUTES * 60:
            jobs.append((at, server, server * 100 + chance.randrange(people)))
            at += chance.expovariate(rate)
    return [_job(chance, number, *job) for number, job in enumerate(sorted(jobs))]


def _job(chance: random.Random, number: int, at: float, server: int, person: int) -> Coming:
    """Of a mean raw cost of 1: 1 to 3 samples of 10 to 30 steps, a third of them twice as large."""
    samples, steps, size = chance.choice((1, 2, 3)), chance.choice((10, 20, 30)), chance.choice((1, 1, 2))
    raw = samples * steps * size / (2 * 20 * 4 / 3)
    asked = Asked(number, server, person, Work("model", raw), rows=2 * samples)
    return Coming(at, asked, samples, steps, JOB_SECONDS * chance.lognormvariate(-0.02, 0.2))


def in_one_line(jobs: Sequence[Coming]) -> list[Coming]:
    """The same, as if one person had asked for everything: then the line is first in, first out."""
    one = [structs.replace(job.asked, guild_id=1, person_id=1) for job in jobs]
    return [replace(job, asked=asked) for job, asked in zip(jobs, one, strict=True)]


def waits(runs: Sequence[Run], servers: Sequence[int], jobs: Sequence[Coming]) -> list[float]:
    """In mean job times, of the jobs that these servers asked for."""
    server_of = {job.asked.job_id: job.asked.guild_id for job in jobs}
    return [each.waited / JOB_SECONDS for each in runs if server_of[each.coming.asked.job_id] in servers]


def p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def main(seed: int) -> None:
    jobs = arrivals(seed)
    print(f"seed {seed}: {len(jobs)} jobs in {_MINUTES} min, {JOB_SECONDS:.1f} s each; waits in job times")  # noqa: T201
    print(f"{'':22}{'servers':10}{'median':>8}{'p95':>8}{'longest':>9}")  # noqa: T201
    for name, asked in (("deficit round robin", jobs), ("first in, first out", in_one_line(jobs))):
        runs = run(Line(), asked, shows=False)
        for who, servers in (("light", list(LIGHT)), ("flooding", [FLOODER])):
            all_waits = waits(runs, servers, jobs)
            figures = statistics.median(all_waits), p95(all_waits), max(all_waits)
            print(f"{name:22}{who:10}" + "".join(f"{figure:8.1f}" for figure in figures))  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
