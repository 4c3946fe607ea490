"""The keeper of the line: what fits, what each person is told, and what moderators and the host decide."""

from __future__ import annotations

import pytest

from bot.line import LOOK_AHEAD_ROWS, Asked, Line
from bot.pace import Work

ANNA, BEN, CARA = 1, 2, 3
HOME, AWAY = 10, 20


def asked(
    job_id: int,
    person: int = ANNA,
    guild_id: int | None = HOME,
    *,
    raw: float = 10.0,
    rows: int = 2,
    weight: float = 1.0,
) -> Asked:
    return Asked(job_id, guild_id, person, Work("model", raw), rows, weight)


def line_of(*jobs: Asked, seconds: float | None = None) -> Line:
    """seconds: what a job of raw cost 10 takes, where that is known."""
    line = Line()
    if seconds is not None:
        line.pace.learn(Work("model", 10.0), seconds)
    for job in jobs:
        line.join(job)
    return line


def places(line: Line, guild_id: int | None = HOME) -> list[tuple[int, int, int]]:
    return [(turn.job_id, turn.place, turn.last_place) for turn in line.waiting_in(guild_id)]


def test_places_are_those_in_ones_own_server() -> None:
    """Other servers, and direct messages, have lines of their own."""
    line = line_of(asked(1), asked(2, BEN, AWAY), asked(3, BEN), asked(4, CARA, None))

    assert places(line) == [(1, 1, 1), (3, 2, 2)]
    assert places(line, AWAY) == [(2, 1, 1)]
    assert places(line, None) == places(line, 0) == [(4, 1, 1)]
    assert places(line, 99) == []
    assert {turn.job_id for turn in line.turns()} == {1, 2, 3, 4}


def test_later_jobs_of_a_person_have_a_range() -> None:
    """From the place if nothing else comes to where others may push it; first jobs, and whoever is alone, have one."""
    line = line_of(asked(1), asked(2), asked(3), asked(4, BEN), asked(5, CARA))
    alone = line_of(asked(1), asked(2))

    assert places(line) == [(1, 1, 1), (4, 2, 2), (5, 3, 3), (2, 4, 6), (3, 5, 9)]
    assert places(alone) == [(1, 1, 1), (2, 2, 2)]


def test_seconds_count_everybodys_work() -> None:
    """That of other servers, of what runs as far as it is left, and one's own."""
    line = line_of(asked(1), asked(2, BEN, AWAY), asked(3, BEN), seconds=4.0)
    before = {turn.job_id: turn.seconds for turn in line.turns()}
    line.start(8, 0.0)
    line.step(1, 0.75, 3.0)

    assert before == pytest.approx({1: 4.0, 2: 8.0, 3: 12.0})
    turn = line.turn(3)
    assert turn is not None
    assert turn.seconds == pytest.approx(1.0 + 4.0 + 4.0)
    assert line.turn(1) is None


def test_nobody_knows_before_the_first_job_ran() -> None:
    """Then the place alone is told; after it the seconds are."""
    line = line_of(asked(1), asked(2))
    unknown = [turn.seconds for turn in line.turns()]
    line.start(8, 0.0)
    line.step(1, 1.0, 5.0)
    share = line.measure(1, 5.0)
    line.stop(1)

    assert unknown == [None, None]
    assert share == pytest.approx(5.0)
    assert [turn.seconds for turn in line.turns()] == pytest.approx([5.0])


def test_only_what_fits_is_started() -> None:
    """In fair order: somebody small does not slip past somebody large, who runs at the latest when alone."""
    line = line_of(asked(1, rows=6), asked(2, BEN, rows=8), asked(3, CARA, rows=1))

    assert [line.start(2, 0.0), line.start(2, 0.0)] == [1, None]
    assert line.running_in(HOME) == [1]
    line.stop(1)
    assert [line.start(2, 0.0), line.start(2, 0.0)] == [2, None]
    line.stop(2)
    assert [line.start(2, 0.0), line.start(2, 0.0)] == [3, None]
    assert 2 + LOOK_AHEAD_ROWS == 6


def test_a_job_that_could_not_be_run_is_next_again() -> None:
    """Its place is kept, and nothing of it counts as done."""
    line = line_of(asked(1), asked(2, BEN), seconds=4.0)
    line.start(8, 0.0)
    line.step(1, 0.5, 1.0)

    line.put_back(1)
    line.stop(1)

    assert places(line) == [(1, 1, 1), (2, 2, 2)]
    assert [turn.seconds for turn in line.turns()] == pytest.approx([4.0, 8.0])
    assert line.running_in(HOME) == []
    assert line.start(8, 9.0) == 1


def test_who_leaves_makes_room() -> None:
    """Whether it waits or not: the line closes up, and asking twice changes nothing."""
    line = line_of(asked(1), asked(2, BEN))

    line.leave(1)
    line.leave(1)
    line.stop(1)

    assert not line.waits(1)
    assert places(line) == [(2, 1, 1)]


def test_a_paused_server_keeps_its_places_and_has_no_estimate() -> None:
    """Nothing of it starts until it is resumed; others go on, and need not count its work."""
    line = line_of(asked(1), asked(2, BEN), asked(3, guild_id=AWAY), seconds=4.0)

    line.pause(HOME, "movie night")

    assert line.paused_for(HOME) == "movie night"
    assert [(turn.job_id, turn.seconds) for turn in line.turns()] == [(1, None), (2, None), (3, 4.0)]
    assert [line.start(8, 0.0), line.start(8, 0.0)] == [3, None]
    line.stop(3)
    line.resume(HOME)
    assert line.paused_for(HOME) is None
    assert places(line) == [(1, 1, 1), (2, 2, 2)]
    assert line.start(8, 0.0) == 1


def test_draining_starts_nothing() -> None:
    """What waits keeps its place, without an estimate, and goes on afterwards."""
    line = line_of(asked(1), asked(2, BEN), seconds=4.0)
    line.start(2, 0.0)

    line.drain()

    assert line.draining
    assert line.running_in(HOME) == [1]
    assert line.start(8, 0.0) is None
    assert [turn.seconds for turn in line.turns()] == [None]
    line.undrain()
    assert line.start(8, 0.0) == 2


def test_what_a_moderator_moves_is_next() -> None:
    """Those in front of whom it went are told why; those who were behind it anyhow are not."""
    line = line_of(asked(1), asked(2, BEN), asked(3, CARA), asked(4, 4))

    assert line.first(3)
    assert not line.first(99)

    assert [(turn.job_id, turn.behind_moved) for turn in line.waiting_in(HOME)] == [
        (3, False),
        (1, True),
        (2, True),
        (4, False),
    ]


def test_who_falls_back_behind_a_role_is_told() -> None:
    """And only they: not the one who came after it, not the one it did not pass."""
    line = line_of(asked(1), asked(2, BEN))
    line.join(asked(3, CARA, weight=2.0))
    line.join(asked(4, 4))

    assert [(turn.job_id, turn.behind_role) for turn in line.waiting_in(HOME)] == [
        (3, False),
        (1, True),
        (2, True),
        (4, False),
    ]


def test_the_host_sets_a_servers_weight() -> None:
    """Twice the weight, twice the jobs; what is not above 0 is refused."""
    line = line_of(*(asked(number) for number in range(30)))
    for number in range(30):
        line.join(asked(100 + number, BEN, AWAY))
    line.set_weight(AWAY, 2.0)

    started = [line.start(1000, 0.0) for _ in range(30)]

    assert len([job for job in started if job is not None and job >= 100]) == pytest.approx(20, abs=2)
    with pytest.raises(ValueError, match="above 0"):
        line.set_weight(AWAY, 0.0)


def test_every_decision_is_told_at_once() -> None:
    """Whoever keeps the jobs can start what may start now and show what changed."""
    told: list[str] = []
    line = Line(changed=lambda: told.append("changed"))
    line.join(asked(1))

    line.pause(HOME)
    line.resume(HOME)
    line.first(1)
    line.set_weight(HOME, 2.0)
    line.drain()
    line.undrain()

    assert len(told) == 6
