"""Whose turn it is, which place a job has and how long it will take. No Discord, no torch, no clock.

Today's policy is a round robin over persons: each in turn gives their oldest waiting job. What the callers see is
final: entries carry their server, person and cost, so that a policy over servers and weights fits behind it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A waiting job. cost: executed steps × rows × megapixels, corrected by the model's own row cost."""

    job_id: int
    server: int | None
    person: int
    cost: float


class FairQueue:
    """The line. A person who joins goes to the end of the round; who has been served goes there too."""

    def __init__(self) -> None:
        self._waiting: dict[int, deque[Entry]] = {}
        self._round: deque[int] = deque()

    def __len__(self) -> int:
        return sum(len(entries) for entries in self._waiting.values())

    def __contains__(self, job_id: int) -> bool:
        return any(entry.job_id == job_id for entry in self)

    def __iter__(self) -> Iterator[Entry]:
        """Every entry in the order in which it will be served if nothing else comes."""
        waiting = {person: deque(entries) for person, entries in self._waiting.items()}
        turns = deque(self._round)
        while turns:
            person = turns.popleft()
            yield waiting[person].popleft()
            if waiting[person]:
                turns.append(person)

    def add(self, entry: Entry) -> None:
        """At the end of the person's own jobs."""
        self._join(entry.person).append(entry)

    def put_back(self, entry: Entry) -> None:
        """Its person is next again: the job was taken, and could not be run through no fault of its own.

        Of several jobs that are put back the oldest comes first, whichever came back last.
        """
        entries = self._join(entry.person)
        entries.insert(sum(other.job_id < entry.job_id for other in entries), entry)
        self._round.remove(entry.person)
        self._round.appendleft(entry.person)

    def next(self) -> Entry | None:
        """Whose turn it is, without taking it."""
        return self._waiting[self._round[0]][0] if self._round else None

    def take(self) -> Entry:
        """Remove and return the next entry; its person goes to the end of the round. IndexError when empty."""
        person = self._round.popleft()
        entry = self._waiting[person].popleft()
        if self._waiting[person]:
            self._round.append(person)
        else:
            del self._waiting[person]
        return entry

    def remove(self, job_id: int) -> bool:
        """Forget a waiting job. False if it does not wait here."""
        for person, entries in self._waiting.items():
            for entry in entries:
                if entry.job_id == job_id:
                    entries.remove(entry)
                    if not entries:
                        del self._waiting[person]
                        self._round.remove(person)
                    return True
        return False

    def _join(self, person: int) -> deque[Entry]:
        if person not in self._waiting:
            self._waiting[person] = deque()
            self._round.append(person)
        return self._waiting[person]


class Pace:
    """How many seconds one unit of cost takes, learned from jobs that ran. Unknown until the first one did."""

    _WEIGHT = 0.3

    def __init__(self) -> None:
        self._seconds_per_cost: float | None = None

    def learn(self, cost: float, seconds: float) -> None:
        """`seconds` is the job's share of the engine's time: what it added to the line, not its own duration."""
        if cost <= 0 or seconds <= 0:
            return
        seen = seconds / cost
        old = self._seconds_per_cost
        self._seconds_per_cost = seen if old is None else old + self._WEIGHT * (seen - old)

    def seconds(self, costs: Iterable[float]) -> float | None:
        """How long this much work takes, None while that is not known."""
        return None if self._seconds_per_cost is None else self._seconds_per_cost * sum(costs)
