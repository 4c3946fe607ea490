"""Cancels a coroutine at a chosen await, so that a test can try them all."""

from __future__ import annotations

import asyncio
from collections.abc import Container, Coroutine, Generator
from types import coroutine
from typing import Any


class Driven:
    """Runs one coroutine in a task and cancels that task at the awaits numbered in `at`, counted from 1."""

    def __init__(self, at: Container[int]) -> None:
        self.awaits = 0
        self._at = at

    async def run(self, work: Coroutine[Any, Any, object]) -> bool:
        """True if the coroutine came to its end; False if the cancellation reached the top."""
        task = asyncio.create_task(self._await(work))
        await asyncio.wait([task])
        if task.cancelled():
            return False
        task.result()
        return True

    async def _await(self, work: Coroutine[Any, Any, object]) -> None:
        await self._step_by_step(work)

    @coroutine
    def _step_by_step(self, work: Coroutine[Any, Any, object]) -> Generator[Any, Any, None]:
        waits_for = self._next(work, None)
        while waits_for is not _END:
            self.awaits += 1
            if self.awaits in self._at:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()  # takes effect at the very wait that is handed on in the next line
            error: BaseException | None = None
            try:
                yield waits_for
            except BaseException as caught:  # to be thrown into the coroutine, where it belongs
                error = caught
            waits_for = self._next(work, error)

    @staticmethod
    def _next(work: Coroutine[Any, Any, object], error: BaseException | None) -> object:
        try:
            return work.send(None) if error is None else work.throw(error)
        except StopIteration:
            return _END


_END = object()
