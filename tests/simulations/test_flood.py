"""One server that floods leaves the others their share: an hour of ten servers, simulated."""

from __future__ import annotations

import pytest

from bot.line import Line
from tests.simulations.engine import run
from tests.simulations.flood import FLOODER, LIGHT, arrivals, in_one_line, p95, waits


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_flood_is_felt_only_where_it_comes_from(seed: int) -> None:
    """From asking to the first step the others wait for six job times at most, 95 times of 100; in one line with the
    flood, first in, first out, for a hundred."""
    jobs = arrivals(seed)

    fair = run(Line(), jobs, shows=False)
    in_turn = run(Line(), in_one_line(jobs), shows=False)

    assert p95(waits(fair, list(LIGHT), jobs)) <= 6
    assert p95(waits(in_turn, list(LIGHT), jobs)) >= 100
    assert p95(waits(fair, [FLOODER], jobs)) >= 100


def test_the_engine_is_as_busy_either_way() -> None:
    """Fairness costs nothing: the same work is done by the same time, give or take a job."""
    jobs = arrivals(1)

    fair = max(each.ended for each in run(Line(), jobs, shows=False))
    in_turn = max(each.ended for each in run(Line(), in_one_line(jobs), shows=False))

    assert fair == pytest.approx(in_turn, rel=0.005)
