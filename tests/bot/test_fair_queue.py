"""Whose turn it is: within a server, where nobody's first job falls back, and among servers, which share by weight."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.fair_queue import FairQueue
from bot.server_line import Entry

ANNA, BEN, CARA = 1, 2, 3
HOME, AWAY = 10, 20


def entry(
    job_id: int, person: int = ANNA, cost: float = 1.0, server: int = HOME, weight: float = 1.0
) -> Entry:
    return Entry(job_id=job_id, server=server, person=person, cost=cost, weight=weight)


def line_of(*entries: Entry) -> FairQueue:
    queue = FairQueue()
    for one in entries:
        queue.add(one)
    return queue


def ids(entries: Iterable[Entry]) -> list[int]:
    return [one.job_id for one in entries]


def drain(queue: FairQueue) -> list[int]:
    return [queue.take().job_id for _ in list(queue)]


def waiting_in(queue: FairQueue, server: int = HOME) -> list[int]:
    return [ticket.entry.job_id for ticket in queue.in_server(server)]


def firsts(queue: FairQueue) -> dict[tuple[int, int], tuple[int, int]]:
    """For each person in a server their first waiting job, and its place there."""
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for server in queue.servers():
        for place, ticket in enumerate(queue.in_server(server), start=1):
            found.setdefault((server, ticket.entry.person), (ticket.entry.job_id, place))
    return found


def fell_back(before: Mapping[tuple[int, int], tuple[int, int]], queue: FairQueue) -> list[int]:
    """Jobs that were somebody's first, still wait, and have a greater place now."""
    now = {
        ticket.entry.job_id: at for s in queue.servers() for at, ticket in enumerate(queue.in_server(s), 1)
    }
    return [job for job, place in before.values() if now.get(job, 0) > place]


wishes = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "add", "take", "cancel"]),
        st.integers(1, 4),
        st.sampled_from([HOME, AWAY]),
        st.sampled_from([0.1, 1.0, 1.5, 40.0]),
        st.integers(0, 30),
    ),
    min_size=10,
    max_size=80,
)


@given(wishes=wishes)
def test_a_first_job_never_falls_back(wishes: list[tuple[str, int, int, float, int]]) -> None:
    """Whoever comes with whatever, cancels or is served, in this server or in another."""
    queue = FairQueue()
    for number, (wish, person, server, cost, choice) in enumerate(wishes):
        before = firsts(queue)
        if wish == "add":
            queue.add(entry(number, person, cost, server))
        elif wish == "take" and len(queue):
            queue.take()
        elif wish == "cancel" and len(queue):
            queue.remove(ids(queue)[choice % len(queue)])

        assert fell_back(before, queue) == []


def test_a_later_job_does_fall_back() -> None:
    """What shows that the check above can fail: the second job of a person gives way to a newcomer."""
    queue = line_of(entry(1), entry(2))
    before = {(HOME, ANNA): (2, 2)}

    queue.add(entry(3, BEN))

    assert fell_back(before, queue) == [2]


@given(wishes=wishes, heavy=st.sampled_from([1, 2, 3, 4]))
def test_only_a_role_with_priority_passes_a_first_job(
    wishes: list[tuple[str, int, int, float, int]], heavy: int
) -> None:
    """Of two weights nobody passes the first jobs of the greater one, and the lesser give way to that one only."""
    queue = FairQueue()
    for number, (wish, person, server, cost, _) in enumerate(wishes):
        before = firsts(queue)
        if wish == "add":
            queue.add(entry(number, person, cost, server, weight=2.0 if person == heavy else 1.0))
        elif wish == "take" and len(queue):
            queue.take()

        back = fell_back(before, queue)
        assert back == [] or (wish == "add" and person == heavy)
        assert not any(before.get((at, heavy), (-1, 0))[0] in back for at in (HOME, AWAY))


def test_a_role_with_priority_goes_first() -> None:
    """Of two who have used nothing the one of greater weight is next, although they came last."""
    queue = line_of(entry(1), entry(2, BEN))
    before = firsts(queue)

    queue.add(entry(3, CARA, weight=2.0))

    assert ids(queue) == [3, 1, 2]
    assert fell_back(before, queue) == [1, 2]


costs = st.lists(st.sampled_from([0.5, 1.0, 2.0, 7.0]), min_size=30, max_size=60)


@given(anna=costs, ben=costs, weight=st.sampled_from([1.0, 2.0, 3.0]))
def test_persons_share_by_cost_and_weight(anna: list[float], ben: list[float], weight: float) -> None:
    """While both have jobs waiting, what each was given per weight never differs by more than a job of each."""
    queue = line_of(
        *(entry(number, ANNA, cost, weight=weight) for number, cost in enumerate(anna)),
        *(entry(100 + number, BEN, cost) for number, cost in enumerate(ben)),
    )
    left, given_to = Counter({ANNA: len(anna), BEN: len(ben)}), defaultdict[int, float](float)
    while left[ANNA] and left[BEN]:
        job = queue.take()
        left[job.person] -= 1
        given_to[job.person] += job.cost / job.weight

        assert abs(given_to[ANNA] - given_to[BEN]) <= 7 / weight + 7


@given(anna=costs, ben=costs)
def test_persons_who_come_again_and_again_share_by_cost(anna: list[float], ben: list[float]) -> None:
    """The same while jobs keep coming, for those who have the cost of two of the dearest jobs waiting."""
    queue, given_to = FairQueue(), defaultdict[int, float](float)
    coming = {ANNA: list(anna), BEN: list(ben)}
    waiting = defaultdict[int, float](float)
    number = 0
    while True:
        for person in (ANNA, BEN):
            while waiting[person] < 14 and coming[person]:
                queue.add(entry(number, person, coming[person].pop()))
                waiting[person] += next(
                    t.entry.cost for t in queue.in_server(HOME) if t.entry.job_id == number
                )
                number += 1
        if min(waiting[ANNA], waiting[BEN]) < 14:
            break
        job = queue.take()
        waiting[job.person] -= job.cost
        given_to[job.person] += job.cost

        assert abs(given_to[ANNA] - given_to[BEN]) <= 14


@given(wishes=wishes, weight=st.sampled_from([0.25, 1.0, 3.0]))
def test_the_order_that_is_shown_is_the_order_that_is_served(
    wishes: list[tuple[str, int, int, float, int]], weight: float
) -> None:
    """After any history, looking changes nothing and predicts every take."""
    queue = FairQueue()
    queue.set_weight(AWAY, weight)
    for number, (wish, person, server, cost, _) in enumerate(wishes):
        if wish == "add":
            queue.add(entry(number, person, cost, server))
        elif wish == "take" and len(queue):
            queue.take()
        else:
            queue.first(number - 1)

    shown = ids(queue)

    assert len(shown) == len(queue)
    assert drain(queue) == shown
    assert len(queue) == 0


@given(home=costs, away=costs, weight=st.sampled_from([0.5, 1.0, 2.0]))
def test_servers_share_by_cost_and_weight(home: list[float], away: list[float], weight: float) -> None:
    """Whatever their jobs cost: what each was given per weight differs by less than two visits."""
    queue = line_of(*(entry(number, ANNA, cost, HOME) for number, cost in enumerate(home)))
    for number, cost in enumerate(away):
        queue.add(entry(100 + number, BEN, cost, AWAY))
    queue.set_weight(AWAY, weight)
    weights, given_to = {HOME: 1.0, AWAY: weight}, {HOME: 0.0, AWAY: 0.0}
    while all(waiting_in(queue, server) for server in weights):
        job = queue.take()
        given_to[job.server] += job.cost / weights[job.server]

        assert abs(given_to[HOME] - given_to[AWAY]) <= 2 * (7 + 7 / weight)


def test_a_flooding_server_is_one_server() -> None:
    """A hundred jobs there are no reason to wait: the next job is a newcomer's."""
    queue = line_of(*(entry(number, number) for number in range(100)))
    queue.take()

    queue.add(entry(100, BEN, server=AWAY))

    assert ids(queue)[0] == 100


def test_asking_for_one_job_at_a_time_gives_no_more_than_a_share() -> None:
    """A server that comes back as soon as it was served takes turns with one that has jobs waiting all the time."""
    queue = line_of(*(entry(number) for number in range(200)), entry(1000, server=AWAY))
    served: Counter[int] = Counter()
    for number in range(200):
        job = queue.take()
        served[job.server] += 1
        if job.server == AWAY:
            queue.add(entry(2000 + number, server=AWAY))

    assert served[AWAY] == pytest.approx(100, abs=2)


def test_nobody_starves_behind_servers_that_come_and_go() -> None:
    """Five servers that ask anew once another was served begin in front each time and leave the sixth its share."""
    queue = line_of(*(entry(number) for number in range(200)))
    for server in range(1, 6):
        queue.add(entry(1000 + server, server=server))
    served: Counter[int] = Counter()
    gone = entry(9999)
    for number in range(180):
        job = queue.take()
        served[job.server] += 1
        if gone.server != HOME:
            queue.add(entry(2000 + number, server=gone.server))
        gone = job

    assert served[HOME] >= 30


def test_a_latecomer_waits_for_one_job_of_somebody_who_asks_for_much() -> None:
    """A hundred jobs of one person are one turn to everybody else in the server."""
    queue = line_of(*(entry(number) for number in range(100)))
    queue.add(entry(100, BEN))

    assert drain(queue)[:3] == [0, 100, 1]


def test_a_cancelled_job_is_not_held_against_its_person() -> None:
    """The next one stands where it would have stood without it."""
    ben = [entry(3, BEN), entry(4, BEN, cost=2.0), entry(5, BEN)]
    queue = line_of(entry(1), entry(2, cost=50.0), *ben)
    queue.remove(2)

    queue.add(entry(6))

    assert drain(queue) == [1, 3, 4, 6, 5]
    assert drain(line_of(entry(1), *ben, entry(6))) == [1, 3, 4, 6, 5]


def test_everybody_begins_anew_when_all_were_served() -> None:
    """What somebody used in a line that is empty now is no debt: who comes first is first."""
    queue = line_of(entry(1, cost=50.0), entry(2, BEN))
    drain(queue)

    queue.add(entry(3))
    queue.add(entry(4, BEN))

    assert drain(queue) == [3, 4]


def test_a_moderator_moves_a_job_to_the_front() -> None:
    """The job moved last is first; everybody else keeps their order, and a newcomer is not behind what was moved."""
    queue = line_of(*(entry(number) for number in range(5)), entry(5, BEN))
    before = firsts(queue)

    assert queue.first(3)
    assert queue.first(4)
    assert not queue.first(99)
    first = queue.take().job_id
    queue.add(entry(6, CARA))

    assert first == 4
    assert drain(queue) == [3, 0, 5, 6, 1, 2]
    assert before[HOME, BEN] == (5, 2)


def test_a_paused_server_is_passed_over_and_keeps_its_line() -> None:
    """What waits there is not served, its places stay, also for who comes meanwhile; resuming takes it in again."""
    queue = line_of(entry(1), entry(2, server=AWAY), entry(3, BEN))
    queue.pause(HOME)
    queue.add(entry(4, CARA))

    shown, places = ids(queue), waiting_in(queue)
    taken = queue.take().job_id

    assert (shown, taken) == ([2], 2)
    assert places == [1, 3, 4]
    assert queue.next() is None
    queue.resume(HOME)
    assert drain(queue) == [1, 3, 4]


def test_pausing_twice_and_resuming_what_runs_change_nothing() -> None:
    """Nobody is twice in the round, and an empty server is not in it."""
    queue = line_of(entry(1), entry(2, server=AWAY))
    for _ in range(2):
        queue.pause(HOME)
    for _ in range(2):
        queue.resume(HOME)
    queue.resume(AWAY)
    queue.resume(99)

    assert sorted(drain(queue)) == [1, 2]


def test_a_job_that_is_put_back_is_next() -> None:
    """What the engine could not run through no fault of its own has lost no place, and its server pays once."""
    queue = line_of(entry(1), entry(2, BEN), entry(3), entry(4, server=AWAY))
    order = ids(queue)
    first = queue.take()

    queue.put_back(first)

    assert waiting_in(queue) == [1, 2, 3]
    assert drain(queue) == order


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_jobs_are_put_back_in_their_own_order(order: tuple[int, int]) -> None:
    """Whichever of them the engine gave back last, the older one runs first."""
    queue = line_of(entry(1), entry(2), entry(3))
    taken = [queue.take(), queue.take()]

    for index in order:
        queue.put_back(taken[index])

    assert 1 in queue
    assert drain(queue) == [1, 2, 3]


def test_what_was_put_back_waits_while_its_server_is_paused() -> None:
    """It can be cancelled like any other."""
    queue = line_of(entry(1), entry(2, server=AWAY))
    queue.put_back(queue.take())
    queue.pause(HOME)

    assert ids(queue) == [2]
    assert queue.remove(1)
    assert waiting_in(queue) == []


def test_removing_keeps_everybody_elses_place() -> None:
    """A cancelled job leaves no gap, and its person's next one moves up."""
    queue = line_of(entry(1), entry(2, BEN), entry(3), entry(4, CARA))

    assert queue.remove(1)
    assert queue.remove(2)

    assert 2 not in queue
    assert drain(queue) == [4, 3]


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


@pytest.mark.parametrize("cost, weight", [(0.0, 1.0), (-1.0, 1.0), (1.0, 0.0), (1.0, -2.0)])
def test_a_job_costs_something_and_a_person_weighs_something(cost: float, weight: float) -> None:
    """Otherwise a round would never end."""
    with pytest.raises(ValueError, match="above 0"):
        entry(1, cost=cost, weight=weight)


def test_what_cannot_be_is_refused() -> None:
    """A job waits once, and a server without weight would never be served."""
    queue = line_of(entry(1))

    with pytest.raises(ValueError, match="waits already"):
        queue.add(entry(1))
    with pytest.raises(ValueError, match="above 0"):
        queue.set_weight(HOME, 0)
