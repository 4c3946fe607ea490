"""Who runs beside whom, and who is to blame: the rules after a crash, without processes."""

from __future__ import annotations

from inference import EngineError, Progress, RequestKillsWorker, Restarted
from inference.admission import Admission, Order
from tests.inference.toys import request


def hand_over(admission: Admission, *, taken: bool = True) -> list[Order]:
    """What the engine does with the orders that are due."""
    due = admission.due()
    for order in due:
        order.held = True
        order.taken = taken
    return due


def told(order: Order) -> list[Progress | Restarted | EngineError | object]:
    return [order.events.get_nowait() for _ in range(order.events.qsize())]


def three(admission: Admission) -> tuple[Order, Order, Order]:
    one, two, three = (admission.enter(request(), {}) for _ in range(3))
    return one, two, three


def test_all_orders_are_handed_over_at_once() -> None:
    """The worker batches; nothing is held back while nobody is under suspicion."""
    admission = Admission()
    orders = three(admission)

    assert hand_over(admission) == list(orders)
    assert hand_over(admission) == []


def test_suspects_run_one_at_a_time_and_the_others_after_them() -> None:
    """Two of three were in the batch: each of them gets the worker to itself, then the third and a new one share."""
    admission = Admission()
    one, two, innocent = three(admission)
    hand_over(admission)
    admission.worker_died({one.key, two.key})
    late = admission.enter(request(), {})

    assert [told(order) for order in (one, two, innocent, late)] == [
        [Restarted(alone=True)],
        [Restarted(alone=True)],
        [Restarted(alone=False)],
        [],
    ]
    assert hand_over(admission) == [one]
    assert hand_over(admission) == []
    admission.end(one)
    assert hand_over(admission) == [two]
    admission.end(two)
    assert hand_over(admission) == [innocent, late]


def test_only_a_death_alone_counts() -> None:
    """The death in company costs nobody anything; two alone are the end, and only of that order."""
    admission = Admission()
    bad, good, _ = three(admission)
    hand_over(admission)
    admission.worker_died({bad.key, good.key})
    assert (bad.deaths_alone, good.deaths_alone) == (0, 0)
    hand_over(admission)
    admission.worker_died({bad.key})
    assert hand_over(admission) == [good]
    admission.end(good)
    assert hand_over(admission) == [bad]

    admission.worker_died({bad.key})

    assert [type(event) for event in told(bad)] == [Restarted, Restarted, RequestKillsWorker]
    assert told(good) == [Restarted(alone=True), None]
    assert len(hand_over(admission)) == 1


def test_the_innocent_among_the_suspects_go_first() -> None:
    """A suspect that has died alone waits until the others have had their turn."""
    admission = Admission()
    bad, good, _ = three(admission)
    hand_over(admission)
    admission.worker_died({bad.key, good.key})
    assert hand_over(admission) == [bad]
    admission.worker_died({bad.key})

    assert hand_over(admission) == [good]


def test_a_death_before_anybody_was_named_is_blamed_on_the_newcomer() -> None:
    """Taking up a request may kill the worker before it can say so; those it had confirmed are not suspected."""
    admission = Admission()
    old = admission.enter(request(), {})
    hand_over(admission)
    new = admission.enter(request(), {})
    hand_over(admission, taken=False)
    admission.worker_died(())

    assert (old.suspect, new.suspect) == (False, True)


def test_a_death_is_not_alone_beside_one_that_was_just_dropped() -> None:
    """The order that was cancelled in the very step may be the killer: it does not count against its neighbour."""
    admission = Admission()
    killer, neighbour, third = three(admission)
    admission.leave(third)
    hand_over(admission)
    admission.leave(killer)
    admission.worker_died({killer.key, neighbour.key})

    assert neighbour.suspect
    assert neighbour.deaths_alone == 0
