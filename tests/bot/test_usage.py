"""What /usage sums up, per person and per day."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot import texts
from bot.store import Used
from bot.store.usages import DAY_SECONDS
from bot.usage import MOST_IN_CHART, Sum, chart_of, usage_of
from tests.bot.records import opened

TODAY = 20_000
ANNA, BEN = 1, 2


def used(person: int, day: int = TODAY, jobs: int = 1, gpu: float = 10.0, waited: float = 0.0) -> Used:
    return Used(person_id=person, day=day, jobs=jobs, gpu_seconds=gpu, waited=waited)


def test_it_sums_up_persons_and_today() -> None:
    """Who used most comes first."""
    usage = usage_of([used(ANNA, jobs=3), used(BEN, TODAY - 1, gpu=50.0), used(ANNA, TODAY - 1)], TODAY, 30)

    assert list(usage.people) == [BEN, ANNA]
    assert usage.people[ANNA] == Sum(jobs=4, gpu_seconds=20.0)
    assert usage.total == Sum(jobs=5, gpu_seconds=70.0)
    assert usage.today == Sum(jobs=3, gpu_seconds=10.0)
    assert usage.first_day == TODAY - 29


def test_a_stack_of_waits_is_as_high_as_the_mean_wait_of_that_day() -> None:
    """Each person's part of it is their part of all waiting, not their own mean."""
    usage = usage_of([used(ANNA, jobs=3, waited=60.0), used(BEN, jobs=1, waited=40.0)], TODAY, 1)
    _, jobs, waits = chart_of(usage, {}).panels

    assert waits.caption == "Mean wait of a job, seconds"
    assert waits.values == ((15.0,), (10.0,))
    assert waits.totals == [usage.total.mean_wait]
    assert jobs.values == ((3.0,), (1.0,))


def test_days_stand_where_they_belong() -> None:
    """One value per day, the last one today's."""
    usage = usage_of([used(ANNA, TODAY - 2, gpu=1.0), used(ANNA, TODAY, gpu=3.0)], TODAY, 4)
    chart = chart_of(usage, {})

    assert chart.first_day == TODAY - 3
    assert chart.panels[0].values == ((0.0, 1.0, 0.0, 3.0),)


@pytest.mark.parametrize("people", [1, MOST_IN_CHART, MOST_IN_CHART + 1, 30])
def test_those_who_used_least_share_a_colour(people: int) -> None:
    """One alone is shown by name; together they make up all that is left."""
    usage = usage_of([used(person, gpu=float(person)) for person in range(1, people + 1)], TODAY, 1)
    chart = chart_of(usage, {person: f"P{person}" for person in range(1, people + 1)})
    (total,) = chart.panels[0].totals

    assert len(chart.names) == min(people, MOST_IN_CHART + 1)
    assert chart.names[0] == f"1 P{people}"
    assert chart.has_others == (people > MOST_IN_CHART + 1)
    assert (chart.names[-1] == "25 others") == (people == 30)
    assert total * (60 if people == 30 else 1) == pytest.approx(sum(range(1, people + 1)))


@pytest.mark.parametrize(
    "seconds, caption, value",
    [
        (119.0, "GPU time, seconds", 119.0),
        (180.0, "GPU time, minutes", 3.0),
        (9000.0, "GPU time, hours", 2.5),
    ],
)
def test_time_is_in_a_unit_that_can_be_read(seconds: float, caption: str, value: float) -> None:
    """By the longest day."""
    panel = chart_of(usage_of([used(ANNA, gpu=seconds)], TODAY, 1), {}).panels[0]

    assert panel.caption == caption
    assert panel.values == ((value,),)


def test_what_the_plot_shows_is_said_in_words() -> None:
    """For those who cannot see it: who, how long, and how much at most on one day."""
    usage = usage_of([used(ANNA, jobs=7), used(0, TODAY - 1, jobs=2)], TODAY, 30)

    assert texts.usage_alt_text(30, chart_of(usage, {ANNA: "Anna"})) == (
        "Bars per day in the last 30 days, stacked by person (1 Anna and 2 somebody). GPU time, seconds up to 10;"
        " Jobs up to 7; Mean wait of a job, seconds up to 0."
    )


async def test_the_store_tells_of_one_server_from_a_day_on(tmp_path: Path) -> None:
    """Not of another one, nor of direct messages, nor of the days before."""
    async with opened(tmp_path) as store:
        async with store.transaction() as tx:
            for guild, person, day in (
                (7, ANNA, TODAY),
                (7, BEN, TODAY - 5),
                (8, BEN, TODAY),
                (None, ANNA, TODAY),
            ):
                await store.usages.add(tx, guild, person, day * DAY_SECONDS, gpu_seconds=2.0, waited=1.0)

        assert await store.usages.since(7, TODAY) == [used(ANNA, gpu=2.0, waited=1.0)]
        assert len(await store.usages.since(7, TODAY - 5)) == 2


async def test_who_is_being_forgotten_is_nobody(tmp_path: Path) -> None:
    """Several of them on one day are one row; others keep theirs."""
    async with opened(tmp_path) as store:
        async with store.transaction() as tx:
            for person in (ANNA, BEN, 3):
                await store.usages.add(tx, 7, person, TODAY * DAY_SECONDS, gpu_seconds=2.0, waited=1.0)
            for person in (ANNA, BEN):
                await tx.run("INSERT INTO forgetting (person_id, asked_at) VALUES (?, ?)", person, 0.0)

        assert await store.usages.since(7, TODAY) == [
            used(0, jobs=2, gpu=4.0, waited=2.0),
            used(3, gpu=2.0, waited=1.0),
        ]
