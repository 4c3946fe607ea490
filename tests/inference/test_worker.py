"""The worker's loop without its process: what it does between two steps."""

from __future__ import annotations

import io
import queue
from collections.abc import Callable, Mapping

import pytest

from inference.messages import Drop, Submit, ToWorker
from inference.runner import Outcome
from inference.types import Blob, ImageRequest, PictureRef
from inference.worker import Outbox, Worker
from tests.inference.toys import request


class LastStep(Exception):
    """The test has seen enough: a worker's loop has no other end."""


class Noting:
    """A Runner that notes who is in each step; `during` is called in the middle of each."""

    row_limit = 8

    def __init__(self, during: Callable[[int], None], last: int) -> None:
        self.steps: list[set[int]] = []
        self._during = during
        self._last = last
        self._keys: set[int] = set()

    @property
    def active(self) -> frozenset[int]:
        return frozenset(self._keys)

    @property
    def waiting(self) -> bool:
        return bool(self._keys)

    def load(self, model: str) -> None:
        """It is there."""

    def admit(self, key: int, request: ImageRequest, sample: int, blobs: Mapping[PictureRef, Blob]) -> None:  # noqa: ARG002
        self._keys.add(key)

    def drop(self, key: int) -> None:
        self._keys.discard(key)

    def step(self) -> list[Outcome]:
        self.steps.append(set(self._keys))
        self._during(len(self.steps))
        if len(self.steps) == self._last:
            raise LastStep
        return []


def submit(key: int) -> Submit:
    return Submit(key=key, request=request(), samples=(0,), blobs={})


def steps_of(arriving: dict[int, list[ToWorker]], last: int) -> list[set[int]]:
    """Who is in each step when those messages arrive during them; 0 is before the first."""
    inbox: queue.SimpleQueue[ToWorker] = queue.SimpleQueue()

    def arrive(step: int) -> None:
        for message in arriving.get(step, ()):
            inbox.put(message)

    arrive(0)
    runner = Noting(arrive, last)
    with pytest.raises(LastStep):
        Worker(inbox, Outbox(io.BytesIO())).serve(runner)
    return runner.steps


def test_what_is_dropped_during_a_step_is_not_in_the_next() -> None:
    """Cancelling frees the rows within one step."""
    assert steps_of({0: [submit(1), submit(2)], 2: [Drop(key=1)]}, last=4) == [{1, 2}, {1, 2}, {2}, {2}]


def test_what_arrives_during_a_step_is_in_the_next() -> None:
    """Nobody waits for somebody else's whole job."""
    assert steps_of({0: [submit(1)], 1: [submit(2), submit(3)]}, last=2) == [{1}, {1, 2, 3}]


def test_what_is_dropped_before_it_was_taken_up_never_steps() -> None:
    """Both messages may wait together; a key is never used again, so their order does not matter."""
    assert steps_of({0: [submit(1)], 1: [submit(2), Drop(key=2)]}, last=2) == [{1}, {1}]
