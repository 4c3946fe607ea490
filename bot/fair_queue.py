"""Whose turn it is among all servers. No Discord, no torch, no clock: the same calls give the same order.

Between servers: deficit round robin (Shreedhar & Varghese 1996), direct messages together being one more server. On
each visit a server gives jobs as long as its credit pays for them, and gets a quantum times its weight for the next
one. So servers share the engine's time by weight, whatever their jobs cost and however many they ask for, and nobody
waits for a share that is not used. The quantum is what the dearest of the latest jobs cost, in whatever unit: then one
visit pays for any job.

A server that asks for little should not wait for a whole round. So one that was not in the round begins in front of it,
with a quantum (MacGregor & Shi 2000; RFC 8290 does the same for packets), and goes to the end of the round when that
is spent or nobody waits there any more. Not before the round has come to it there may it begin in front again: by
asking for one job at a time it gets no more than its share.

Within a server: see `bot.server_line`. A job that was taken and could not be run stands in front of everybody: it has
been paid for. A paused server is passed over; its jobs keep their places.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Generic, Protocol, TypeVar

from bot.server_line import Entry, ServerLine, Ticket

_DEAREST_FADES = 0.98
"""How much of the quantum is left after each job that costs less."""


class _Visited(Protocol):
    """What a round visits: a server, or a copy of one to look ahead with."""

    weight: float
    credit: float

    @property
    def cost(self) -> float | None:
        """Of its next job; None if it has none to give."""


@dataclass(eq=False)
class _Server:
    line: ServerLine = field(default_factory=ServerLine)
    weight: float = 1.0
    credit: float = 0.0
    paused: bool = False

    @property
    def cost(self) -> float | None:
        return self.line.head.cost if len(self.line) and not self.paused else None


@dataclass(eq=False)
class _Copy:
    weight: float
    credit: float
    entries: deque[Entry]

    @property
    def cost(self) -> float | None:
        return self.entries[0].cost if self.entries else None


_V = TypeVar("_V", bound=_Visited)


class _Round(Generic[_V]):
    """Those to be visited, newcomers first."""

    def __init__(self, newcomers: Iterable[_V] = (), others: Iterable[_V] = ()) -> None:
        self.newcomers = deque(newcomers)
        self.others = deque(others)

    def __contains__(self, server: _V) -> bool:
        return server in self.newcomers or server in self.others

    def visit(self, quantum: float) -> _V | None:
        """Go round until somebody can pay, which they may go on doing. None if nobody has anything to give."""
        while at := self.newcomers or self.others:
            server, cost = at[0], at[0].cost
            if cost is not None and server.credit >= cost:
                return server
            at.popleft()
            if cost is not None:
                server.credit += quantum * server.weight
            if cost is not None or at is self.newcomers:
                self.others.append(server)
        return None


class FairQueue:
    """The line. See the module."""

    def __init__(self) -> None:
        self._servers: dict[int, _Server] = {}
        self._round: _Round[_Server] = _Round()
        self._put_back: list[Entry] = []
        self._tickets: dict[int, Ticket] = {}
        self._arrivals = 0
        self._quantum = 0.0

    def __len__(self) -> int:
        return len(self._tickets) + len(self._put_back)

    def __contains__(self, job_id: int) -> bool:
        return job_id in self._tickets or any(entry.job_id == job_id for entry in self._put_back)

    def __iter__(self) -> Iterator[Entry]:
        """Every entry in the order of being served if nothing else comes; those of paused servers are left out."""
        yield from (entry for entry in self._put_back if not self._paused(entry))
        ahead = _Round(map(_copy, self._round.newcomers), map(_copy, self._round.others))
        while (server := ahead.visit(self._quantum)) is not None:
            entry = server.entries.popleft()
            server.credit -= entry.cost
            yield entry

    def add(self, entry: Entry) -> None:
        """ValueError if it waits already."""
        if entry.job_id in self:
            raise ValueError(f"job {entry.job_id} waits already")
        self._quantum = max(entry.cost, self._quantum * _DEAREST_FADES)
        self._arrivals += 1
        server = self._server(entry.server)
        self._tickets[entry.job_id] = server.line.add(entry, self._arrivals)
        if server not in self._round:
            server.credit = self._quantum * server.weight
            self._round.newcomers.append(server)

    def put_back(self, entry: Entry) -> None:
        """It is next again: it was taken, and could not be run through no fault of its own.

        Of several jobs that are put back the oldest comes first, whichever came back last.
        """
        insort(self._put_back, entry, key=lambda other: other.job_id)

    def next(self) -> Entry | None:
        """Whose turn it is, without taking it."""
        back = next((entry for entry in self._put_back if not self._paused(entry)), None)
        if back is not None:
            return back
        server = self._round.visit(self._quantum)
        return None if server is None else server.line.head

    def take(self) -> Entry:
        """Remove and return the next entry. IndexError when there is none."""
        entry = self.next()
        if entry is None:
            raise IndexError("nobody is next")
        if entry in self._put_back:
            self._put_back.remove(entry)
            return entry
        server = self._server(entry.server)
        server.credit -= entry.cost
        del self._tickets[server.line.take().job_id]
        return entry

    def remove(self, job_id: int) -> bool:
        """Forget a waiting job. False if it does not wait here."""
        ticket = self._tickets.pop(job_id, None)
        if ticket is None:
            before = len(self._put_back)
            self._put_back = [entry for entry in self._put_back if entry.job_id != job_id]
            return len(self._put_back) < before
        self._server(ticket.entry.server).line.remove(ticket)
        return True

    def first(self, job_id: int) -> bool:
        """Move a job to the front of its server's line, behind those that were put back. False if it does not wait."""
        if job_id in self._tickets:
            ticket = self._tickets[job_id]
            self._tickets[job_id] = self._server(ticket.entry.server).line.to_front(ticket)
        return job_id in self

    def set_weight(self, server: int, weight: float) -> None:
        """Its share of the engine's time beside others; 1 unless set. ValueError unless above 0."""
        if weight <= 0:
            raise ValueError(f"a weight is above 0, not {weight}")
        self._server(server).weight = weight

    def pause(self, server: int) -> None:
        self._server(server).paused = True

    def resume(self, server: int) -> None:
        """At the end of the round, if it has left it."""
        resumed = self._server(server)
        resumed.paused = False
        if len(resumed.line) and resumed not in self._round:
            resumed.credit = 0.0
            self._round.others.append(resumed)

    def servers(self) -> list[int]:
        """Those in which somebody waits, paused ones too."""
        waiting = {number for number, server in self._servers.items() if len(server.line)}
        return sorted(waiting.union(entry.server for entry in self._put_back))

    def in_server(self, server: int) -> Iterator[Ticket]:
        """The server's own line, next first, whether it is paused or not."""
        back = (Ticket(entry, 0.0, 0) for entry in self._put_back if entry.server == server)
        return chain(back, self._server(server).line)

    def _server(self, number: int) -> _Server:
        return self._servers.setdefault(number, _Server())

    def _paused(self, entry: Entry) -> bool:
        return self._server(entry.server).paused


def _copy(server: _Server) -> _Copy:
    entries = () if server.paused else (ticket.entry for ticket in server.line)
    return _Copy(server.weight, server.credit, deque(entries))
