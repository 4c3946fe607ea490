"""The line, against a naive model of it; and the pace that turns it into seconds."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.fair_queue import Entry, FairQueue, Pace

ANNA, BEN, CARA = 1, 2, 3


def entry(job_id: int, person: int = ANNA, cost: float = 1.0) -> Entry:
    return Entry(job_id=job_id, server=None, person=person, cost=cost)


def line_of(*entries: Entry) -> FairQueue:
    queue = FairQueue()
    for one in entries:
        queue.add(one)
    return queue


def ids(entries: Iterable[Entry]) -> list[int]:
    return [one.job_id for one in entries]


def drain(queue: FairQueue) -> list[int]:
    return [queue.take().job_id for _ in range(len(queue))]


class NaiveLine:
    """Whose turn it is, worked out from scratch each time: a list of persons and a list of jobs."""

    def __init__(self) -> None:
        self.round: list[int] = []
        self.jobs: list[Entry] = []

    def oldest_of(self, person: int) -> Entry:
        return min((job for job in self.jobs if job.person == person), key=lambda job: job.job_id)

    def add(self, job: Entry) -> None:
        self.jobs.append(job)
        if job.person not in self.round:
            self.round.append(job.person)

    def put_back(self, job: Entry) -> None:
        self.jobs.append(job)
        self.round = [job.person, *(person for person in self.round if person != job.person)]

    def remove(self, job: Entry) -> None:
        self.jobs.remove(job)
        self.round = [person for person in self.round if any(left.person == person for left in self.jobs)]

    def take(self) -> Entry:
        job = self.oldest_of(self.round[0])
        self.round.append(self.round.pop(0))
        self.remove(job)
        return job

    def order(self) -> list[Entry]:
        copy = NaiveLine()
        copy.round, copy.jobs = list(self.round), list(self.jobs)
        return [copy.take() for _ in self.jobs]


wishes = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, 4)),
        st.tuples(st.sampled_from(["take", "put back", "remove"]), st.integers(0, 30)),
    ),
    min_size=12,
    max_size=60,
)


@given(wishes=wishes)
def test_the_line_is_the_naive_one(wishes: list[tuple[str, int]]) -> None:
    """After any history of joining, serving, putting back and cancelling both lines agree in every answer."""
    queue, naive = FairQueue(), NaiveLine()
    taken: list[Entry] = []
    for number, (wish, choice) in enumerate(wishes):
        if wish == "add":
            new = entry(number, person=choice)
            queue.add(new)
            naive.add(new)
        elif wish == "take" and naive.jobs:
            taken.append(queue.take())
            assert taken[-1] == naive.take()
        elif wish == "put back" and taken:
            back = taken.pop(choice % len(taken))
            queue.put_back(back)
            naive.put_back(back)
        elif wish == "remove" and naive.jobs:
            gone = naive.jobs[choice % len(naive.jobs)]
            naive.remove(gone)
            assert queue.remove(gone.job_id)

        order = naive.order()
        assert list(queue) == order
        assert len(queue) == len(order)
        assert queue.next() == (order[0] if order else None)
        assert all(one.job_id in queue for one in order)
        assert not any(one.job_id in queue for one in taken)


@given(persons=st.lists(st.integers(1, 5), max_size=20))
def test_the_order_that_is_shown_is_the_order_that_is_served(persons: list[int]) -> None:
    """Iterating changes nothing and predicts every take."""
    queue = line_of(*(entry(number, person) for number, person in enumerate(persons)))

    shown = ids(queue)

    assert drain(queue) == shown
    assert len(queue) == 0


def test_each_person_in_turn_gives_their_oldest_job() -> None:
    """Who asks for much waits for everybody else once per job of theirs."""
    queue = line_of(entry(1), entry(2), entry(3), entry(4, BEN), entry(5, CARA), entry(6, BEN))

    assert drain(queue) == [1, 4, 5, 2, 6, 3]


def test_a_latecomer_waits_for_one_job_of_a_flooder() -> None:
    """A hundred jobs of one person are one turn to everybody else."""
    queue = line_of(*(entry(number) for number in range(100)))
    queue.add(entry(100, BEN))

    assert drain(queue)[:3] == [0, 100, 1]


def test_who_was_served_goes_to_the_end_of_the_round() -> None:
    """Joining again at once does not bring the next turn."""
    queue = line_of(entry(1), entry(2, BEN))
    queue.take()
    queue.add(entry(3))

    assert drain(queue) == [2, 3]


def test_a_job_that_is_put_back_is_next() -> None:
    """What the engine could not run through no fault of its own has lost no place."""
    queue = line_of(entry(1), entry(2, BEN), entry(3))
    first = queue.take()

    queue.put_back(first)

    assert drain(queue) == [1, 2, 3]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_jobs_of_one_person_are_put_back_in_their_own_order(order: tuple[int, int]) -> None:
    """Whichever of them the engine gave back last, the older one runs first."""
    queue = line_of(entry(1), entry(2), entry(3))
    taken = [queue.take(), queue.take()]

    for index in order:
        queue.put_back(taken[index])

    assert drain(queue) == [1, 2, 3]


def test_removing_keeps_everybody_elses_place() -> None:
    """A cancelled job leaves no gap, its person's next one moves up, and a person without jobs leaves the round."""
    queue = line_of(entry(1), entry(2, BEN), entry(3), entry(4, CARA))

    assert queue.remove(1)
    assert queue.remove(2)

    assert drain(queue) == [3, 4]


def test_what_does_not_wait_cannot_be_removed() -> None:
    """A job that was taken, or never was there, is not in the line."""
    queue = line_of(entry(1), entry(2))
    queue.take()

    assert not queue.remove(1)
    assert not queue.remove(99)
    assert ids(queue) == [2]


def test_an_empty_line_has_nobody_next() -> None:
    """Looking is safe; taking is not."""
    queue = FairQueue()

    assert queue.next() is None
    assert list(queue) == []
    with pytest.raises(IndexError):
        queue.take()


def test_an_unknown_pace_gives_no_estimate() -> None:
    """Before the first job nobody knows; that is not zero seconds."""
    pace = Pace()

    assert pace.seconds([1.0]) is None


def test_the_first_job_sets_the_pace() -> None:
    """Twice the work takes twice as long; no work takes no time."""
    pace = Pace()
    pace.learn(10.0, 5.0)

    assert pace.seconds([10.0]) == pytest.approx(5.0)
    assert pace.seconds([10.0, 10.0]) == pytest.approx(10.0)
    assert pace.seconds([]) == 0


def test_the_pace_follows_a_change_and_is_not_thrown_by_one_job() -> None:
    """A single slow job moves it by less than half; a machine that stays slow is believed in the end."""
    pace = Pace()
    pace.learn(1.0, 1.0)

    pace.learn(1.0, 10.0)
    after_one = pace.seconds([1.0])
    for _ in range(30):
        pace.learn(1.0, 10.0)

    assert after_one == pytest.approx(3.7)
    assert pace.seconds([1.0]) == pytest.approx(10.0, rel=0.01)


@pytest.mark.parametrize("cost, seconds", [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0), (1.0, -1.0)])
def test_a_measurement_that_cannot_be_is_ignored(cost: float, seconds: float) -> None:
    """Two jobs that end together, or a clock that was set back, teach nothing."""
    pace = Pace()
    pace.learn(1.0, 2.0)

    pace.learn(cost, seconds)

    assert pace.seconds([1.0]) == pytest.approx(2.0)
