"""When a worker counts as dead although its process lives: plain arithmetic on times, no process, no loop."""

from __future__ import annotations

import math

from inference.config import EngineConfig
from inference.runner import Phase

_TIMES_EXPECTED = 10
_LATE_SECONDS = 1.0


class ProgressWatch:
    """Watches one worker. Times are seconds of any clock that rises steadily.

    Two things are watched: that it speaks at all (a stopped process does not), and that it goes on from phase to phase
    (a step that never returns still has a beating heart). An idle worker that holds no request owes only its heartbeat.
    """

    def __init__(self, config: EngineConfig, now: float) -> None:
        self._silence = config.heartbeat_seconds
        self._deadlines = _deadlines(config)
        # What is due can come closer while we rest (a new phase), so no rest is longer than the shortest limit.
        self._longest_rest = min(self._silence, *self._deadlines.values())
        self._phase = Phase.LOAD
        self._heard = math.inf
        self._since = self._due = now

    def ready(self, now: float) -> None:
        """From now on it must not be silent. Before, the imports of large libraries hold up its heartbeat as well."""
        self._heard = now

    def heard(self, now: float) -> None:
        if self._heard < math.inf:
            self._heard = now

    def entered(self, phase: Phase, now: float) -> None:
        self._phase = phase
        self._since = now

    def handed_work(self, now: float) -> None:
        """An idle worker has been given something: from now on it owes progress."""
        if self._phase is Phase.IDLE:
            self._since = now

    def rest(self, now: float, *, holds_work: bool) -> float:
        """Seconds until the next look is due."""
        limits = (self._heard + self._silence, self._since + self._deadline(holds_work))
        self._due = max(now, min(now + self._longest_rest, *limits))
        return self._due - now

    def verdict(self, now: float, *, holds_work: bool) -> str:
        """Why the worker is dead, empty while it is well."""
        if now - self._due > _LATE_SECONDS:
            # We did not look, so nobody read its messages either (a busy event loop, a sleeping laptop): start anew.
            self._since = self._due = now
            self.heard(now)
            return ""
        if now - self._heard >= self._silence:
            return f"it was silent for {now - self._heard:.1f} s"
        if now - self._since >= self._deadline(holds_work):
            return f"the phase '{self._phase}' has lasted {now - self._since:.1f} s"
        return ""

    def _deadline(self, holds_work: bool) -> float:
        if self._phase is Phase.IDLE and not holds_work:
            return math.inf
        return self._deadlines[self._phase]


def _deadlines(config: EngineConfig) -> dict[Phase, float]:
    def deadline(expected: float) -> float:
        return max(config.deadline_floor_seconds, _TIMES_EXPECTED * expected)

    step = deadline(config.step_seconds)
    return dict.fromkeys(Phase, step) | {Phase.LOAD: deadline(config.load_seconds)}
