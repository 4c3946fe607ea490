"""The scheduler decides who steps together; these claims hold without torch or a model."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.scheduler import Group, Plan, Scheduler, Ticket
from inference.types import Size

SQUARE = Group("moon", Size(512, 512))
WIDE = Group("moon", Size(576, 448))
OTHER_MODEL = Group("earth", Size(512, 512))
GROUPS = (SQUARE, WIDE, OTHER_MODEL, Group("earth", Size(448, 576)))


def ticket(key: int, *, group: Group = SQUARE, rows: int = 2, encodes: str = "", sample: int = 0) -> Ticket:
    return Ticket(key=key, sample=sample, group=group, rows=rows, encodes=encodes)


def step(scheduler: Scheduler, *done: Ticket) -> Plan:
    plan = scheduler.decide()
    assert plan is not None
    scheduler.account(done)
    return plan


def keys(tickets: tuple[Ticket, ...]) -> list[int]:
    return [one.key for one in tickets]


def test_samples_are_admitted_by_rows_in_order_of_arrival() -> None:
    """A guided sample takes two rows; who does not fit waits, and nobody behind it overtakes."""
    scheduler = Scheduler(row_limit=4)
    for one in (ticket(1, rows=2), ticket(2, rows=1), ticket(3, rows=2), ticket(4, rows=1)):
        scheduler.join(one)

    plan = step(scheduler)

    assert keys(plan.batch) == [1, 2]
    assert keys(plan.entering) == [1, 2]


def test_rows_of_a_finished_sample_are_free_for_the_next_step() -> None:
    """Samples join and leave between steps: nobody waits for somebody else's whole job."""
    scheduler = Scheduler(row_limit=4)
    short, long, late = ticket(1), ticket(2), ticket(3)
    for one in (short, long, late):
        scheduler.join(one)

    first = step(scheduler, short)
    second = step(scheduler)

    assert keys(first.batch) == [1, 2]
    assert (keys(second.batch), keys(second.entering)) == ([2, 3], [3])


def test_dropped_samples_leave_at_once_whether_seated_or_in_line() -> None:
    """A cancelled request costs nobody another step."""
    scheduler = Scheduler(row_limit=4)
    cancelled = [ticket(1, sample=0), ticket(1, sample=1), ticket(1, sample=2)]
    for one in (*cancelled, ticket(2)):
        scheduler.join(one)
    step(scheduler)

    scheduler.leave(cancelled)

    assert keys(step(scheduler).batch) == [2]
    assert keys(scheduler.tickets) == [2]


def test_one_step_encodes_at_most_one_picture() -> None:
    """An encode holds up everybody's step, so two pictures are encoded in two steps; samples of one share it."""
    scheduler = Scheduler(row_limit=16)
    for one in (
        ticket(1, encodes="a"),
        ticket(1, encodes="a", sample=1),
        ticket(2),
        ticket(3, encodes="b"),
        ticket(4),
    ):
        scheduler.join(one)

    first, second = step(scheduler), step(scheduler)

    assert keys(first.entering) == [1, 1, 2]
    assert keys(second.entering) == [3, 4]


def test_only_one_group_steps_at_a_time_and_it_keeps_its_stay() -> None:
    """Sizes cannot share a forward pass; they take turns of `stay` steps, oldest wait first."""
    scheduler = Scheduler(row_limit=4, stay=3)
    scheduler.join(ticket(1, group=SQUARE))
    scheduler.join(ticket(2, group=WIDE))

    turns = [step(scheduler).group for _ in range(9)]

    assert turns == [SQUARE] * 3 + [WIDE] * 3 + [SQUARE] * 3


def test_a_paused_group_goes_on_with_the_same_samples() -> None:
    """A pause takes nobody's rows away."""
    scheduler = Scheduler(row_limit=2, stay=1)
    for one in (ticket(1, group=SQUARE), ticket(3, group=SQUARE), ticket(2, group=WIDE)):
        scheduler.join(one)

    plans = [step(scheduler) for _ in range(3)]

    assert [keys(plan.batch) for plan in plans] == [[1], [2], [1]]


def test_a_model_stays_longer_than_a_size() -> None:
    """Loading weights costs more than a step, so sizes of one model take turns before the model changes."""
    scheduler = Scheduler(row_limit=4, stay=1, model_stay=4)
    for key, group in enumerate((SQUARE, WIDE, OTHER_MODEL)):
        scheduler.join(ticket(key, group=group))

    turns = [step(scheduler).group for _ in range(5)]

    assert turns == [SQUARE, WIDE, SQUARE, WIDE, OTHER_MODEL]


def test_a_model_with_nothing_to_do_yields_at_once() -> None:
    """The minimum stay never keeps the machine idle."""
    scheduler = Scheduler(row_limit=4)
    only = ticket(1, group=SQUARE)
    scheduler.join(only)
    scheduler.join(ticket(2, group=OTHER_MODEL))

    step(scheduler, only)

    assert step(scheduler).group == OTHER_MODEL


def test_a_group_that_was_shrunk_gives_away_no_more_rows_than_fit() -> None:
    """Who is seated stays and is stepped in several passes; newcomers wait; another canvas keeps its own rows."""
    scheduler = Scheduler(row_limit=8, stay=2)
    first = [ticket(key) for key in range(4)]
    for one in (*first, ticket(4), ticket(5, group=WIDE)):
        scheduler.join(one)

    before = step(scheduler)
    scheduler.shrink(SQUARE, 3)
    after = step(scheduler, *first[:3])
    turns = [step(scheduler) for _ in range(4)]

    assert (len(before.batch), before.rows) == (4, 8)
    assert (keys(after.batch), after.rows) == ([0, 1, 2, 3], 3)
    assert [(plan.group, keys(plan.batch), plan.rows) for plan in turns[::2]] == [
        (WIDE, [5], 8),
        (SQUARE, [3], 3),
    ]


def test_rows_that_did_not_fit_are_tried_again_after_the_group_was_done() -> None:
    """Memory that somebody else had taken may be free by then."""
    scheduler = Scheduler(row_limit=8)
    only = ticket(1)
    scheduler.join(only)
    step(scheduler)
    scheduler.shrink(SQUARE, 1)
    shrunk = step(scheduler, only)
    scheduler.join(ticket(2))

    assert (shrunk.rows, step(scheduler).rows) == (1, 8)


def test_a_guided_sample_is_seated_even_where_its_rows_need_two_passes() -> None:
    """With room for one row at a time it would wait for ever otherwise."""
    scheduler = Scheduler(row_limit=8)
    first = ticket(1, rows=1)
    for one in (first, ticket(2)):
        scheduler.join(one)
    step(scheduler)
    scheduler.shrink(SQUARE, 1)
    step(scheduler, first)

    assert keys(step(scheduler).batch) == [2]


def test_a_limit_below_a_guided_sample_is_refused() -> None:
    """A guided sample needs two rows: with fewer it would wait for ever."""
    with pytest.raises(ValueError, match="at least two"):
        Scheduler(row_limit=1)


tickets = st.builds(
    ticket,
    key=st.integers(0, 5),
    sample=st.integers(0, 10_000),
    group=st.sampled_from(GROUPS),
    rows=st.sampled_from((1, 2)),
    encodes=st.sampled_from(("", "a", "b")),
)
arrivals = st.lists(st.tuples(tickets, st.integers(1, 6)), max_size=40, unique_by=lambda pair: pair[0].sample)


@given(arrivals, st.integers(2, 9), st.integers(1, 4), st.integers(1, 9), st.data())
def test_whatever_comes_rows_are_kept_and_everybody_is_served_in_order(
    arriving: list[tuple[Ticket, int]], row_limit: int, stay: int, model_stay: int, data: st.DataObject
) -> None:
    """Never over the row limit, one group a step, first come first served within a group, nobody is left over."""
    scheduler = Scheduler(row_limit, stay=stay, model_stay=model_stay)
    left = dict(arriving)
    pending = [one for one, _ in arriving]
    started: list[Ticket] = []

    while pending or scheduler.tickets:
        for one in pending[: data.draw(st.integers(0, 3))]:
            scheduler.join(one)
            pending.remove(one)
        plan = scheduler.decide()
        if plan is None:
            continue
        assert sum(one.rows for one in plan.batch) <= row_limit
        assert {one.group for one in plan.batch} == {plan.group}
        assert len({one.encodes for one in plan.entering} - {""}) <= 1
        started.extend(plan.entering)
        for one in plan.batch:
            left[one] -= 1
        scheduler.account([one for one in plan.batch if left[one] == 0])

    assert set(left.values()) <= {0}
    for group in GROUPS:
        assert [one for one in started if one.group == group] == [
            one for one, _ in arriving if one.group == group
        ]


@given(st.integers(1, 5), st.integers(1, 12), st.sampled_from(GROUPS[1:]))
def test_nobody_starves_while_another_group_never_ends(stay: int, model_stay: int, group: Group) -> None:
    """However much work arrives for one group, another one's turn comes within the two stays."""
    scheduler = Scheduler(2, stay=stay, model_stay=model_stay)
    scheduler.join(ticket(-1, group=SQUARE))
    step(scheduler)
    scheduler.join(ticket(-2, group=group))
    turns: Counter[Group] = Counter()

    while not turns[group]:
        scheduler.join(ticket(len(turns), group=SQUARE, sample=turns.total()))
        turns[step(scheduler).group] += 1

    assert turns[SQUARE] <= max(stay, model_stay)
