"""The line of one server: who of its people is next. No Discord, no torch, no clock.

Start-time fair queueing (Goyal, Vin & Cheng 1996) over persons, and a promise. A job gets its tag when it comes and
keeps it for good::

    tag    = max(the line's virtual time, finish of the person's job before, every promised job's tag)
    finish = tag + cost / weight

The lowest tag is next, of equal ones the one that came first; the virtual time is the tag of whoever went last. The
first two terms alone divide the engine's time by weight, whatever the jobs cost. But a newcomer would then slip in
front of somebody who has used more, and the place that this person read would grow. Hence the third: each person's
first waiting job is *promised* its place, and nobody gets a tag below it. So a first waiting job never falls back,
whoever comes, cancels or is served; only later jobs of a person, whose places are shown as a range, give way.

What the promise costs: a person who has only ever one job in the line goes once per job of each other person,
however small their own are. Who keeps as much waiting as the dearest job costs is served by cost alone. There is no
rule that gives more: whoever may not pass a waiting job has to wait for it.

A role with a greater weight is the one exception, and the card says so: its jobs mind only the promises to people of
at least its weight, and of equal tags the greater weight goes first. What a moderator moves leaves the order of tags
altogether and stands in front of it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain


@dataclass(frozen=True)
class Entry:
    """A waiting job. server: 0 for direct messages, all together. cost: any unit, above 0. weight: of the person."""

    job_id: int
    server: int
    person: int
    cost: float
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.cost <= 0 or self.weight <= 0:
            raise ValueError(f"cost and weight are above 0: {self}")


@dataclass(frozen=True)
class Ticket:
    """An entry with what it was given when it came. arrival: a number that grows from job to job.

    moved: a moderator put it in front.
    """

    entry: Entry
    tag: float
    arrival: int
    moved: bool = False

    @property
    def finish(self) -> float:
        return self.tag + self.entry.cost / self.entry.weight

    @property
    def key(self) -> tuple[float, float, int]:
        return self.tag, -self.entry.weight, self.arrival


class ServerLine:
    """See the module."""

    def __init__(self) -> None:
        self._moved: list[Ticket] = []
        self._in_order: list[Ticket] = []
        self._of_person: dict[int, list[Ticket]] = {}
        self._finish_of: dict[int, float] = {}
        self._virtual_time = 0.0

    def __len__(self) -> int:
        return len(self._moved) + len(self._in_order)

    def __iter__(self) -> Iterator[Ticket]:
        """Next first."""
        return chain(self._moved, self._in_order)

    @property
    def head(self) -> Entry:
        """Who is next. IndexError when nobody waits."""
        return (self._moved or self._in_order)[0].entry

    def add(self, entry: Entry, arrival: int) -> Ticket:
        own = self._of_person.setdefault(entry.person, [])
        finish = own[-1].finish if own else self._finish_of.get(entry.person, 0.0)
        promised = (
            tickets[0].tag
            for tickets in self._of_person.values()
            if tickets and tickets[0].entry.weight >= entry.weight
        )
        ticket = Ticket(entry, max(self._virtual_time, finish, *promised), arrival)
        insort(self._in_order, ticket, key=_key)
        insort(own, ticket, key=_key)
        return ticket

    def take(self) -> Entry:
        """Remove and return who is next. IndexError when nobody waits."""
        if self._moved:
            return self._moved.pop(0).entry
        ticket = self._in_order[0]
        self.remove(ticket)
        self._virtual_time = max(self._virtual_time, ticket.tag)
        person = ticket.entry.person
        self._finish_of[person] = max(self._finish_of.get(person, 0.0), ticket.finish)
        if not self._in_order:  # everybody was served: whoever used more has no debt any longer
            self._virtual_time = max(self._virtual_time, *self._finish_of.values())
            self._finish_of.clear()
        return ticket.entry

    def remove(self, ticket: Ticket) -> None:
        """It must wait here."""
        if ticket.moved:
            self._moved.remove(ticket)
            return
        own = self._of_person[ticket.entry.person]
        for tickets in (self._in_order, own):
            del tickets[bisect_left(tickets, ticket.key, key=_key)]
        if not own:
            del self._of_person[ticket.entry.person]

    def to_front(self, ticket: Ticket) -> Ticket:
        """Ahead of all that wait here, also of those that were moved before."""
        self.remove(ticket)
        moved = replace(ticket, moved=True)
        self._moved.insert(0, moved)
        return moved


def _key(ticket: Ticket) -> tuple[float, float, int]:
    return ticket.key
