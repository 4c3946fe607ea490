"""When a worker counts as dead, on a clock made of numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference import EngineConfig
from inference.catalogue import ONLY_BUILT_IN
from inference.progress_watch import ProgressWatch
from inference.runner import Phase

CONFIG = EngineConfig(
    catalogue=ONLY_BUILT_IN, models_dir=Path(), heartbeat_seconds=15, step_seconds=20, load_seconds=30
)


def idle_watch(config: EngineConfig = CONFIG) -> ProgressWatch:
    """A worker that became ready at time 0."""
    watch = ProgressWatch(config, 0.0)
    watch.ready(0.0)
    watch.entered(Phase.IDLE, 0.0)
    return watch


def verdict_at(watch: ProgressWatch, end: float, *, beats: bool, holds_work: bool) -> tuple[str, float]:
    """Look whenever a look is due, with or without a heartbeat each second, until the verdict or `end`."""
    now = 0.0
    while now < end:
        now += watch.rest(now, holds_work=holds_work)
        if beats:
            watch.heard(now - 0.5)
        if verdict := watch.verdict(now, holds_work=holds_work):
            return verdict, now
    return "", now


def test_silence_is_noticed_within_the_heartbeat_limit() -> None:
    """Fifteen silent seconds are enough, idle or not; a beating heart is not silent."""
    assert verdict_at(idle_watch(), 1000, beats=False, holds_work=False) == ("it was silent for 15.0 s", 15.0)
    assert verdict_at(idle_watch(), 1000, beats=True, holds_work=False)[0] == ""


@pytest.mark.parametrize("phase", [Phase.ENCODE, Phase.STEP, Phase.DECODE, Phase.CHECK])
def test_a_phase_has_ten_times_what_it_is_expected_to_take(phase: Phase) -> None:
    """A step of 20 s may take 200 s, whether its request is still wanted or not."""
    watch = idle_watch()
    watch.entered(phase, 0.0)

    verdict, when = verdict_at(watch, 1000, beats=True, holds_work=False)
    assert (str(phase) in verdict, when) == (True, 200.0)


def test_no_deadline_is_below_the_floor() -> None:
    """A step that is expected to take no time at all still gets its minute."""
    quick = EngineConfig(catalogue=ONLY_BUILT_IN, models_dir=Path(), step_seconds=0.01)
    watch = idle_watch(quick)
    watch.entered(Phase.STEP, 0.0)

    assert verdict_at(watch, 1000, beats=True, holds_work=True)[1] == 60.0


def test_each_phase_starts_its_own_clock() -> None:
    """A worker that goes from step to step is well for ever."""
    watch = idle_watch()
    for second in range(0, 1000, 100):
        watch.entered(Phase.STEP, float(second))
        watch.heard(float(second))
        watch.rest(float(second), holds_work=True)
        assert watch.verdict(float(second), holds_work=True) == ""


def test_an_idle_worker_that_holds_work_owes_progress() -> None:
    """A request that it lost is noticed; with nothing to do it may be idle for ever."""
    watch = idle_watch()
    watch.handed_work(0.0)

    assert "idle" in verdict_at(watch, 1000, beats=True, holds_work=True)[0]
    assert verdict_at(idle_watch(), 1000, beats=True, holds_work=False)[0] == ""


def test_the_first_load_may_be_silent() -> None:
    """Importing large libraries holds up the heartbeat too; only the load's own deadline counts then."""
    watch = ProgressWatch(CONFIG, 0.0)

    assert verdict_at(watch, 1000, beats=False, holds_work=False)[1] == 300.0


def test_time_in_which_nobody_watched_does_not_count() -> None:
    """The watcher itself stood still for an hour (a busy event loop, a sleeping laptop): the worker is not killed."""
    watch = idle_watch()
    due = watch.rest(0.0, holds_work=False)

    assert watch.verdict(due - 1 + 3600, holds_work=False) == ""
    assert idle_watch().verdict(3600, holds_work=False) == ""
