"""Keeper of the line: who waits, who runs, who is next, and what each is told of it. No Discord, no torch, no clock.

Places are those in a server's own line, which other servers cannot lengthen; seconds count everybody's work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from bot.fair_queue import FairQueue
from bot.pace import Meter, Pace, Work
from bot.server_line import Entry, Ticket

LOOK_AHEAD_ROWS = 4
"""Rows handed to the engine beyond those it can step at once, so that a row that comes free is taken at once."""


class Asked(msgspec.Struct, frozen=True):
    """A job as the line sees it. guild_id: None for direct messages. weight: of the person, by their roles."""

    job_id: int
    guild_id: int | None
    person_id: int
    work: Work
    rows: int
    weight: float = 1.0


class Turn(msgspec.Struct, frozen=True):
    """What somebody who waits is told. place: in their server's line, 1 is next.

    last_place: how far back the job may fall as the others who wait there ask for more; the same as `place` for a
    person's first job, which never falls back. seconds: until it is done, None while nobody knows.
    behind_role, behind_moved: somebody stands in front only by a role, or by a moderator's word.
    """

    job_id: int
    person_id: int
    place: int
    last_place: int
    seconds: float | None
    behind_role: bool = False
    behind_moved: bool = False


@dataclass
class _Job:
    asked: Asked
    entry: Entry
    share_done: float = 0.0


class Line:
    """See the module. changed: called after the host or a moderator changed whose turn it is.

    Servers are named by guild_id; None and 0 are the direct messages.
    """

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self.pace = Pace()
        self.draining = False
        self._queue = FairQueue()
        self._meter = Meter()
        self._changed = changed
        self._waiting: dict[int, _Job] = {}
        self._running: dict[int, _Job] = {}
        self._paused_for: dict[int, str] = {}
        self._turns: dict[int, Turn] | None = None

    # Wait

    def join(self, asked: Asked) -> None:
        """ValueError if it waits already."""
        cost = self.pace.cost(asked.work)
        entry = Entry(asked.job_id, asked.guild_id or 0, asked.person_id, cost, asked.weight)
        self._queue.add(entry)
        self._waiting[asked.job_id] = _Job(asked, entry)
        self._turns = None

    def leave(self, job_id: int) -> None:
        """It waits no longer, if it did."""
        if self._queue.remove(job_id):
            del self._waiting[job_id]
            self._turns = None

    def waits(self, job_id: int) -> bool:
        return job_id in self._waiting

    def turn(self, job_id: int) -> Turn | None:
        """None for a job that does not wait."""
        turn = self._all_turns().get(job_id)
        return None if turn is None else _later(turn, self._left())

    def turns(self) -> Iterator[Turn]:
        """Of everybody who waits, server by server, next first."""
        left = self._left()
        return (_later(turn, left) for turn in self._all_turns().values())

    def waiting_in(self, guild_id: int | None) -> list[Turn]:
        """A server's own line, next first."""
        tickets = self._queue.in_server(guild_id or 0)
        turns, left = self._all_turns(), self._left()
        return [_later(turns[ticket.entry.job_id], left) for ticket in tickets]

    def running_in(self, guild_id: int | None) -> list[int]:
        """Job ids, in the order in which they started."""
        return [job_id for job_id, job in self._running.items() if job.entry.server == (guild_id or 0)]

    def seconds_left(self) -> float | None:
        """Until what runs is done, of all servers together. None while nobody knows."""
        return self._left() or None

    # Run

    def start(self, row_credits: int, now: float) -> int | None:
        """Who is next runs from now on. None if nobody is, or there is no room: nobody small slips past the large."""
        entry = None if self.draining else self._queue.next()
        if entry is None or not self._fits(self._waiting[entry.job_id].asked.rows, row_credits):
            return None
        self._queue.take()
        job = self._waiting.pop(entry.job_id)
        self._running[entry.job_id] = job
        self._meter.start(entry.job_id, job.asked.work, now)
        self._turns = None
        return entry.job_id

    def step(self, job_id: int, share_done: float, now: float) -> None:
        """A running job went on. share_done: of all that it has to do, from 0 to 1."""
        self._running[job_id].share_done = share_done
        self._meter.step(job_id, share_done, now)

    def measure(self, job_id: int, now: float) -> float:
        """A running job has done all its steps. Its share of the engine's time in seconds, from which is learned."""
        seconds = self._meter.end(job_id, now)
        self.pace.learn(self._running[job_id].asked.work, seconds)
        self._turns = None
        return seconds

    def restart(self, job_id: int, now: float) -> None:
        """A running job begins anew, after a while in which the engine worked for nobody."""
        self._running[job_id].share_done = 0.0
        self._meter.restart(job_id, now)

    def stop(self, job_id: int) -> None:
        """It runs no longer, if it did."""
        if self._running.pop(job_id, None) is not None:
            self._meter.forget(job_id)

    def put_back(self, job_id: int) -> None:
        """A running job could not be run through no fault of its own: it is next again."""
        job = self._running.pop(job_id)
        self._meter.forget(job_id)
        job.share_done = 0.0
        self._waiting[job_id] = job
        self._queue.put_back(job.entry)
        self._turns = None

    # Decide

    def first(self, job_id: int) -> bool:
        """Move a job to the front of its server's line. False if it does not wait."""
        moved = self._queue.first(job_id)
        self._decided()
        return moved

    def pause(self, guild_id: int | None, reason: str = "") -> None:
        """Nothing of the server starts until `resume`; its jobs keep their places."""
        self._paused_for[guild_id or 0] = reason
        self._queue.pause(guild_id or 0)
        self._decided()

    def resume(self, guild_id: int | None) -> None:
        self._paused_for.pop(guild_id or 0, None)
        self._queue.resume(guild_id or 0)
        self._decided()

    def paused_for(self, guild_id: int | None) -> str | None:
        """Why the server's line stands still; None if it does not."""
        return self._paused_for.get(guild_id or 0)

    def set_weight(self, guild_id: int | None, weight: float) -> None:
        """The server's share of the engine's time beside others; 1 unless set. ValueError unless above 0."""
        self._queue.set_weight(guild_id or 0, weight)
        self._decided()

    def drain(self) -> None:
        """Nothing starts until `undrain`; what runs is finished."""
        self.draining = True
        self._decided()

    def undrain(self) -> None:
        self.draining = False
        self._decided()

    def _decided(self) -> None:
        self._turns = None
        self._changed()

    def _fits(self, rows: int, row_credits: int) -> bool:
        in_use = sum(job.asked.rows for job in self._running.values())
        return in_use == 0 or in_use + rows <= row_credits + LOOK_AHEAD_ROWS

    # Tell

    def _left(self) -> float:
        """Seconds of what is still to be done of the running jobs."""
        return sum(
            (self.pace.seconds(job.asked.work) or 0.0) * (1 - job.share_done)
            for job in self._running.values()
        )

    def _all_turns(self) -> dict[int, Turn]:
        """By job, as if nothing ran: worked out once after each change, however many ask."""
        if self._turns is None:
            seconds = self._seconds_to_wait()
            self._turns = {
                turn.job_id: turn
                for server in self._queue.servers()
                for turn in _turns_of(list(self._queue.in_server(server)), seconds)
            }
        return self._turns

    def _seconds_to_wait(self) -> dict[int, float]:
        """For each waiting job its own time and that of all before it; nothing for those that nobody can tell."""
        total, after = 0.0, dict[int, float]()
        if self.draining:
            return after
        for entry in self._queue:
            own = self.pace.seconds(self._waiting[entry.job_id].asked.work)
            if own is not None:
                total += own
                after[entry.job_id] = total
        return after


def _turns_of(line: list[Ticket], seconds: dict[int, float]) -> Iterator[Turn]:
    """One server's line as its people read it."""
    others = len({ticket.entry.person for ticket in line}) - 1
    own_ahead: Counter[int] = Counter()
    moved: list[Ticket] = []
    lightest = min(ticket.entry.weight for ticket in line)
    latest_by_weight: dict[float, int] = {}
    for place, ticket in enumerate(line, start=1):
        entry = ticket.entry
        yield Turn(
            job_id=entry.job_id,
            person_id=entry.person,
            place=place,
            last_place=place + others * own_ahead[entry.person],
            seconds=seconds.get(entry.job_id),
            behind_role=len(latest_by_weight) > 0 and _is_behind_role(ticket, latest_by_weight),
            behind_moved=len(moved) > 0 and _is_behind_moved(ticket, moved),
        )
        own_ahead[entry.person] += 1
        if ticket.moved:
            moved.append(ticket)
        elif entry.weight > lightest:
            latest_by_weight[entry.weight] = max(ticket.arrival, latest_by_weight.get(entry.weight, 0))


def _is_behind_role(ticket: Ticket, latest_by_weight: dict[float, int]) -> bool:
    return any(
        weight > ticket.entry.weight and arrival > ticket.arrival
        for weight, arrival in latest_by_weight.items()
    )


def _is_behind_moved(ticket: Ticket, moved: list[Ticket]) -> bool:
    return not ticket.moved and any(
        other.key > ticket.key and other.entry.person != ticket.entry.person for other in moved
    )


def _later(turn: Turn, seconds: float) -> Turn:
    return turn if turn.seconds is None else msgspec.structs.replace(turn, seconds=turn.seconds + seconds)
