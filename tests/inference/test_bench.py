"""The bench measures what it says; how good the figures are is for a quiet machine to tell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inference.bench import VirtualClock, run_bench
from inference.catalogue import ONLY_BUILT_IN
from inference.config import Device, EngineConfig
from tests.inference.driving import Clock
from tests.inference.tiny_models import write_sd2


def test_both_arms_draw_every_job(tmp_path: Path) -> None:
    """A run of a few jobs gives ratios of what was measured, as text and as JSON."""
    settings = EngineConfig(catalogue=ONLY_BUILT_IN, models_dir=tmp_path, device=Device.CPU)

    result = run_bench(write_sd2(tmp_path / "tiny"), settings, jobs=3, repeats=1, mixtures=2)

    (pipeline,), (engine,) = result.pipeline, result.engine
    assert result.work == pytest.approx(engine.work / pipeline.work)
    assert 0 < engine.first_preview <= engine.latency
    assert 0 < pipeline.first_preview < pipeline.latency
    assert json.loads(result.as_json())["jobs"] == 3
    assert "S/P" in result.as_text()


def test_the_clock_moves_by_work_and_by_jumps_only() -> None:
    """Whatever else the machine does between two pieces of work is not counted."""
    meter = Clock()
    clock = VirtualClock(meter)

    meter.now = 100.0
    with clock.working():
        meter.now += 2.0
        inside = clock()
    meter.now += 50.0
    clock.jump(10.0)
    clock.jump(5.0)

    assert inside == 2.0
    assert clock() == 10.0
    assert clock.worked == 2.0
