"""Which samples share the next step: plain Python, no torch.

A step is three calls (`StepRunner.step` makes them): `decide` says what runs, the model computes it, `account` books
it. Samples join and leave between steps. Within a group they take their rows strictly in order of arrival; of several
groups only one steps at a time, and none waits for ever.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Collection, Iterable

import msgspec

from inference.types import Size

STAY = 8
"""Steps that a canvas size keeps once it has its turn: few, so that nobody waits long for a first preview."""

MODEL_STAY = 60
"""Steps that a model keeps: the next one's weights must be loaded first, which takes as long as many steps."""


class Group(msgspec.Struct, frozen=True):
    """What samples must have in common to share a forward pass.

    precise: they are computed in float32, because half precision ran over.
    """

    model: str
    canvas: Size
    precise: bool = False


class Ticket(msgspec.Struct, frozen=True):
    """One sample's place in line. `encodes` names the picture that the VAE must encode first, empty without one."""

    key: int
    sample: int
    group: Group
    rows: int
    encodes: str = ""


class Plan(msgspec.Struct, frozen=True):
    """What the next step does: `batch` shares the forward pass, `entering` are those of it that are new.

    rows: what one pass may hold; less than the batch has while the batch shrinks to what fits into memory.
    """

    group: Group
    batch: tuple[Ticket, ...]
    entering: tuple[Ticket, ...]
    rows: int


class Line:
    """One group's samples, and the keeper of its rows. A group that is not stepped keeps what it has seated.

    since: the step from which on the group has waited for its turn. rows: what has been found to fit into memory.
    """

    def __init__(self, group: Group, since: int) -> None:
        self.group = group
        self.since = since
        self.rows = sys.maxsize
        self.seated: list[Ticket] = []
        self._waiting: deque[Ticket] = deque()

    @property
    def tickets(self) -> tuple[Ticket, ...]:
        return (*self.seated, *self._waiting)

    def join(self, ticket: Ticket) -> None:
        self._waiting.append(ticket)

    def seat(self, row_limit: int) -> tuple[Ticket, ...]:
        """Give rows to as many as fit, in order, and return them.

        They share at most one picture to encode: an encode holds up everybody's step, so the next waits for the next.
        """
        entering: list[Ticket] = []
        pictures: set[str] = set()
        free = row_limit - sum(ticket.rows for ticket in self.seated)
        while self._waiting and self._waiting[0].rows <= free:
            pictures |= {self._waiting[0].encodes} - {""}
            if len(pictures) > 1:
                break
            free -= self._waiting[0].rows
            entering.append(self._waiting.popleft())
        self.seated.extend(entering)
        return tuple(entering)

    def leave(self, gone: Collection[Ticket]) -> None:
        self.seated = [ticket for ticket in self.seated if ticket not in gone]
        self._waiting = deque(ticket for ticket in self._waiting if ticket not in gone)


class Scheduler:
    """Groups by model and canvas, admits by rows, gives the groups turns. See the module."""

    def __init__(self, row_limit: int, *, stay: int = STAY, model_stay: int = MODEL_STAY) -> None:
        if row_limit < 2:
            raise ValueError("a guided sample takes two rows, so the limit is at least two")
        self.row_limit = row_limit
        self._stay = stay
        self._model_stay = model_stay
        self._lines: dict[Group, Line] = {}
        self._turn_of: Group | None = None
        self._steps = 0
        self._group_steps = 0
        self._model_steps = 0

    def join(self, ticket: Ticket) -> None:
        """Put a sample at the end of its group's line."""
        if ticket.group not in self._lines:
            self._lines[ticket.group] = Line(ticket.group, self._steps)
        self._lines[ticket.group].join(ticket)

    def leave(self, gone: Collection[Ticket]) -> None:
        """These samples give back their rows, or their place in line: done, failed or not wanted any more."""
        for group in {ticket.group for ticket in gone} & self._lines.keys():
            self._lines[group].leave(gone)
            if not self._lines[group].tickets:
                del self._lines[group]

    @property
    def tickets(self) -> tuple[Ticket, ...]:
        """Every sample that is stepped, paused or in line."""
        return tuple(ticket for line in self._lines.values() for ticket in line.tickets)

    @property
    def seated(self) -> tuple[Ticket, ...]:
        """The samples that hold rows in the group whose turn it is."""
        line = self._current
        return () if line is None else tuple(line.seated)

    def decide(self) -> Plan | None:
        """Whose turn it is, and who of them gets rows. None when nobody is there."""
        line = self._next_line()
        if line is None:
            return None
        self._give_turn(line.group)
        rows = min(self.row_limit, line.rows)
        entering = line.seat(
            max(2, rows)
        )  # a guided sample is seated even where its two rows take two passes
        return Plan(line.group, tuple(line.seated), entering, rows)

    def shrink(self, group: Group, rows: int) -> None:
        """No more rows than that fit into memory together; it holds until the group has nothing left to do."""
        if group in self._lines:
            self._lines[group].rows = rows

    def account(self, done: Iterable[Ticket]) -> None:
        """Book one step of the group whose turn it is; `done` have had their last one."""
        self._steps += 1
        self._group_steps += 1
        self._model_steps += 1
        self.leave(tuple(done))

    @property
    def _current(self) -> Line | None:
        return None if self._turn_of is None else self._lines.get(self._turn_of)

    def _next_line(self) -> Line | None:
        current = self._current
        rivals = [line for line in self._lines.values() if line is not current and self._may_follow(line)]
        if current is not None and (not rivals or self._group_steps < self._stay):
            return current
        return min(rivals, key=lambda line: line.since, default=None)

    def _may_follow(self, line: Line) -> bool:
        """Another model's group waits until the loaded one has had its stay, or has nothing left to do."""
        loaded = None if self._turn_of is None else self._turn_of.model
        busy = any(other.group.model == loaded for other in self._lines.values())
        return line.group.model == loaded or not busy or self._model_steps >= self._model_stay

    def _give_turn(self, group: Group) -> None:
        before = self._turn_of
        if group == before:
            return
        if self._current is not None:
            self._current.since = self._steps
        if before is None or group.model != before.model:
            self._model_steps = 0
        self._group_steps = 0
        self._turn_of = group
