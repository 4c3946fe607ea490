"""The seconds that cards show are about right: a busy hour with run times that vary and a model that nobody knows."""

from __future__ import annotations

import statistics

import pytest

from bot.pace import Pace
from tests.simulations.engine import run
from tests.simulations.estimates import NEW, KnowsNothing, arrivals, errors, line_with


@pytest.mark.parametrize("seed", range(1, 4))
def test_estimates_are_off_by_a_quarter_at_most(seed: int) -> None:
    """The median of them, of those on acceptance and of all that cards show later; also those of the new model."""
    runs = run(line_with(Pace()), arrivals(seed))

    assert statistics.median(errors(runs, only_first=True)) <= 0.25
    assert statistics.median(errors(runs)) <= 0.25
    assert statistics.median(errors(runs, model=NEW)) <= 0.3


@pytest.mark.parametrize("seed", range(1, 4))
def test_what_does_not_learn_is_off_by_more(seed: int) -> None:
    """The control: one that keeps to the first job it saw, which loaded its model, fails by far."""
    runs = run(line_with(KnowsNothing()), arrivals(seed))

    assert statistics.median(errors(runs, only_first=True)) > 0.5
    assert statistics.median(errors(runs)) > 0.5
