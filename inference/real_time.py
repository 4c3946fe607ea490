"""Waiting by the machine's clock.

A worker lives in real time also where the event loop does not: a simulated Discord holds the loop's timers back until
a test moves its clock, and replaces `time.monotonic`. So pauses come from a thread, and times from `perf_counter`.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from time import perf_counter as now
from typing import Any

__all__ = ["now", "pause"]


async def pause(seconds: float, *until: asyncio.Future[Any]) -> None:
    """Return after `seconds`, or as soon as one of `until` is done."""
    loop = asyncio.get_running_loop()
    rung = loop.create_future()
    timer = threading.Timer(seconds, _ring, (loop, rung))
    timer.daemon = True
    timer.start()
    try:
        await asyncio.wait((rung, *until), return_when=asyncio.FIRST_COMPLETED)
    finally:
        timer.cancel()
        rung.cancel()


def _ring(loop: asyncio.AbstractEventLoop, rung: asyncio.Future[None]) -> None:
    def answer() -> None:
        if not rung.done():
            rung.set_result(None)

    with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits any more
        loop.call_soon_threadsafe(answer)
