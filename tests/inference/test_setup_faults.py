"""What people see while the drawing process cannot start, and that it is not started over and over."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Awaitable
from contextlib import aclosing
from pathlib import Path
from typing import TypeVar

import pytest

from inference import EngineState, EngineStatus, Event
from inference.local import LocalEngine
from tests.inference import driving, tiny_models
from tests.inference.toys import (
    RUNNER,
    draw,
    request,
    results,
    stage,
    toy_config,
    toy_engine,
    until_state,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="uses POSIX signals")

T = TypeVar("T")


class Waits:
    """A Park that lets a test wait until something has been waited for so many times."""

    def __init__(self) -> None:
        self._reasons: list[str] = []
        self._news = asyncio.Condition()

    async def __call__(self, awaitable: Awaitable[T], reason: str) -> T:
        async with self._news:
            self._reasons.append(reason)
            self._news.notify_all()
        return await awaitable

    async def until(self, reason: str, times: int) -> None:
        async with self._news:
            await self._news.wait_for(lambda: self._reasons.count(reason) >= times)


async def test_a_worker_that_dies_each_time_is_not_started_over_and_over(tmp_path: Path) -> None:
    """Each death in a row waits for its own pause: after two short ones the third start is followed by an hour."""
    waits = Waits()
    async with stage(tmp_path) as held:
        held.decide = lambda turn: "die" if turn.name == "load" else "go"
        engine = LocalEngine(
            toy_config(tmp_path, backoff_seconds=(0.01, 0.01, 3600.0)), park=waits, runner=RUNNER
        )
        await engine.start()
        try:
            await waits.until("the next start of the worker", times=3)
            resting = engine.status
        finally:
            await engine.close()

    assert len(held.named("hello")) == 3
    assert resting.state is EngineState.UNHEALTHY
    assert "being started again" in resting.detail
    assert resting.worker_pid is None


async def test_a_model_that_cannot_be_loaded_is_not_tried_over_and_over(tmp_path: Path) -> None:
    """The same for a worker that ends in order because its model is damaged."""
    waits = Waits()
    async with stage(tmp_path) as held:
        held.decide = lambda turn: "fail" if turn.name == "load" else "go"
        engine = LocalEngine(toy_config(tmp_path, backoff_seconds=(0.01, 3600.0)), park=waits, runner=RUNNER)
        await engine.start()
        try:
            await waits.until("the next try to load the model", times=2)
            resting = engine.status
        finally:
            await engine.close()

    assert len(held.named("load")) == 2
    assert resting == EngineStatus(state=EngineState.SETUP_FAILED, detail="toy is damaged.")


async def test_a_load_that_never_ends_is_given_up(tmp_path: Path) -> None:
    """Its deadline ends the process, people see that, and the next one draws what was waiting."""
    async with stage(tmp_path) as held:
        held.decide = lambda turn: "hang" if turn.name == "load" and len(held.named("hello")) == 1 else "go"
        config = toy_config(tmp_path, deadline_floor_seconds=2.0, load_seconds=0.0)
        async with toy_engine(config, ready=False) as engine:
            waiting = asyncio.create_task(draw(engine, request()))
            given_up = await until_state(engine, EngineState.UNHEALTHY)
            events = await waiting

    assert given_up.worker_pid is None
    assert len(results(events)) == 1
    assert len(held.named("hello")) == 2


async def test_every_state_is_told_as_it_comes(tmp_path: Path) -> None:
    """Failed set-up, start, ready, busy, dead, busy again with what it had, ready, closed: each once, in this order."""
    seen: list[EngineStatus] = []
    async with stage(tmp_path) as held:
        hidden = (tmp_path / "toy").rename(tmp_path / "not yet")
        async with toy_engine(toy_config(tmp_path), ready=False) as engine:
            engine.watch(seen.append)
            await until_state(engine, EngineState.SETUP_FAILED)
            hidden.rename(tmp_path / "toy")
            await until_state(engine, EngineState.READY)
            held.decide = lambda turn: None if turn.name == "step" else "go"
            drawing = asyncio.create_task(draw(engine, request()))
            stuck = await held.until(lambda turn: turn.name == "step")
            held.decide = lambda _: "go"
            os.kill(stuck.pid, signal.SIGKILL)
            await drawing
            await until_state(engine, EngineState.READY)

    states = [status.state for status in seen]
    told = [state for at, state in enumerate(states) if at == 0 or states[at - 1] is not state]
    assert told == [
        EngineState.SETUP_FAILED,
        EngineState.READY,
        EngineState.BUSY,
        EngineState.UNHEALTHY,
        EngineState.READY,
        EngineState.BUSY,
        EngineState.READY,
        EngineState.CLOSED,
    ]
    assert all(status.detail for status in seen if not status.state.takes_work and status is not seen[-1])
    assert {status.worker_pid for status in seen if status.state is EngineState.BUSY} >= {stuck.pid}


def whole_and_damaged(folder: Path) -> tuple[Path, Path]:
    """A tiny model's weights cut off in the middle, and a copy of what they were."""
    weights = tiny_models.write_sd2(folder) / "unet" / "diffusion_pytorch_model.safetensors"
    whole = Path(shutil.copy(weights, folder.parent / "whole.safetensors"))
    os.truncate(weights, weights.stat().st_size // 2)
    return whole, weights


async def test_damaged_weights_are_named_until_they_are_mended(tmp_path: Path) -> None:
    """The real worker says which file cannot be read; when it is whole again, the model is loaded without a restart of
    the bot, and what was asked for meanwhile is drawn."""
    whole, weights = whole_and_damaged(tmp_path / "moon")
    engine = LocalEngine(driving.config({"moon": tmp_path / "moon"}, max_rows=4, backoff_seconds=(0.1,)))

    async def drawn() -> list[Event]:
        async with aclosing(engine.generate(driving.request("moon", steps=2), {})) as events:
            return [event async for event in events]

    await engine.start()
    try:
        waiting = asyncio.create_task(drawn())
        failed = await until_state(engine, EngineState.SETUP_FAILED, EngineState.UNHEALTHY)
        whole.replace(weights)
        events = await waiting
    finally:
        await engine.close()

    assert failed.state is EngineState.SETUP_FAILED
    assert failed.detail == f"The model moon is damaged: {weights} cannot be read to its end. Fetch it again."
    assert failed.worker_pid is None
    assert len(results(events)) == 1
