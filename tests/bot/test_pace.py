"""How long work takes: rates that are learned by model, and whose the engine's time was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.pace import Meter, Pace, Work, work_of
from tests.bot.records import model, request

WORK = Work("one", raw=10.0)


def taught(*runs: tuple[Work, float]) -> Pace:
    pace = Pace()
    for work, seconds in runs:
        pace.learn(work, seconds)
    return pace


def test_an_unknown_pace_gives_no_estimate() -> None:
    """Before the first job nobody knows; that is not zero seconds. The line is divided up all the same."""
    pace = Pace()

    assert pace.seconds(WORK) is None
    assert pace.cost(Work("two", raw=10.0, row_cost=3.0)) == 3 * pace.cost(WORK)


def test_the_first_job_sets_the_pace() -> None:
    """Twice the work takes twice as long."""
    pace = taught((WORK, 5.0))

    assert pace.seconds(WORK) == pytest.approx(5.0)
    assert pace.seconds(Work("one", raw=20.0)) == pytest.approx(10.0)


def test_a_model_not_seen_before_begins_at_the_pace_of_all() -> None:
    """Times what it says of itself; once it ran, its own pace counts and that of the others stays."""
    new = Work("new", raw=10.0, row_cost=2.0)
    pace = taught((WORK, 5.0))
    before = pace.seconds(new)

    pace.learn(new, 30.0)

    assert before == pytest.approx(10.0)
    assert pace.seconds(new) == pytest.approx(30.0)
    assert pace.seconds(WORK) == pytest.approx(5.0)


def test_one_outlier_moves_little_and_a_change_is_followed() -> None:
    """A job in which weights were loaded is no news; a machine that stays slow is believed in the end."""
    pace = taught(*[(WORK, 5.0)] * 10)

    pace.learn(WORK, 500.0)
    after_one = pace.seconds(WORK)
    for _ in range(30):
        pace.learn(WORK, 50.0)

    assert after_one is not None
    assert after_one == pytest.approx(5.0, rel=0.1)
    assert pace.seconds(WORK) == pytest.approx(50.0)


def test_a_bad_beginning_is_forgotten() -> None:
    """The very first job took a hundred times as long; after three more that shows no longer."""
    pace = taught((WORK, 500.0), *[(WORK, 5.0)] * 3)

    assert pace.seconds(WORK) == pytest.approx(5.0, rel=0.3)


@given(factors=st.lists(st.floats(0.7, 1.4), min_size=24, max_size=24))
def test_the_pace_is_that_of_all_the_time_spent(factors: list[float]) -> None:
    """Estimates add up: where nothing is an outlier, that many jobs take what they took."""
    pace = taught(*((WORK, 5.0 * factor) for factor in factors))

    assert pace.seconds(WORK) == pytest.approx(5.0 * sum(factors) / len(factors))


def test_costs_keep_their_measure() -> None:
    """What was put in line before anything was known weighs as before; a model that proves slow weighs more."""
    slow = Work("slow", raw=10.0)
    unknown = Pace()
    pace = taught((WORK, 0.5), (slow, 2.0))

    assert pace.cost(WORK) == pytest.approx(unknown.cost(WORK))
    assert pace.cost(slow) == pytest.approx(4 * pace.cost(WORK))


@pytest.mark.parametrize("raw, seconds", [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0), (1.0, -1.0)])
def test_a_measurement_that_cannot_be_is_ignored(raw: float, seconds: float) -> None:
    """Two jobs that end together, or a clock that was set back, teach nothing."""
    pace = taught((WORK, 2.0), (Work("one", raw), seconds))

    assert pace.seconds(WORK) == pytest.approx(2.0)


def test_work_is_what_can_be_counted() -> None:
    """Steps of all samples × rows × megapixels; guidance takes a second row, a model's own guess stands apart."""
    asked = request(seeds=(1, 2), steps=10, guidance=7.5)
    unguided = request(seeds=(1, 2), steps=10, guidance=1.0)

    work = work_of(asked, model())

    assert work.raw == pytest.approx(asked.total_steps * 2 * asked.frame.canvas.area / 1e6)
    assert work_of(unguided, model()).raw == pytest.approx(work.raw / 2)
    assert work_of(asked, None).row_cost == 1.0


def test_a_job_alone_has_all_the_time() -> None:
    """From its start to its end, however its steps came; what passed before was nobody's."""
    meter = Meter()
    meter.start(1, WORK, 100.0)
    meter.step(1, 0.5, 103.0)
    meter.step(1, 1.0, 104.0)

    assert meter.end(1, 105.0) == pytest.approx(5.0)
    meter.start(2, WORK, 500.0)
    meter.step(2, 1.0, 501.0)
    assert meter.end(2, 501.0) == pytest.approx(1.0)


def test_jobs_in_one_batch_share_its_time_by_their_steps() -> None:
    """Two that step together have half each, whoever of them is told first; together they have all of it."""
    meter = Meter()
    meter.start(1, WORK, 0.0)
    meter.start(2, WORK, 0.0)
    for step in range(1, 11):
        meter.step(1, step / 10, float(step))
        meter.step(2, step / 10, float(step))

    assert meter.end(1, 10.0) == pytest.approx(5.0)
    assert meter.end(2, 10.0) == pytest.approx(5.0)


def test_models_in_turn_have_their_own_time() -> None:
    """The slow one's steps are not the quick one's time, although both run all the while."""
    meter, slow = Meter(), Work("slow", raw=10.0)
    meter.start(1, WORK, 0.0)
    meter.start(2, slow, 0.0)
    now = 0.0
    for step in range(1, 11):
        meter.step(1, step / 10, now := now + 1)
        meter.step(2, step / 10, now := now + 9)

    assert meter.end(1, now) == pytest.approx(10.0)
    assert meter.end(2, now) == pytest.approx(90.0)


def test_a_restart_of_the_engine_is_nobodys_time() -> None:
    """What a job did before counts, for it was done; the minute that the engine needed to come back does not."""
    meter = Meter()
    meter.start(1, WORK, 0.0)
    meter.step(1, 0.5, 5.0)
    meter.restart(1, 65.0)
    meter.step(1, 0.5, 70.0)
    meter.step(1, 1.0, 75.0)

    assert meter.end(1, 75.0) == pytest.approx(10.0)


def test_a_job_that_ends_without_a_step_has_what_passed() -> None:
    """And one that was forgotten holds nobody up."""
    meter = Meter()
    meter.start(1, WORK, 0.0)
    meter.start(2, WORK, 0.0)
    meter.forget(2)
    meter.forget(2)

    assert meter.end(1, 3.0) == pytest.approx(3.0)
