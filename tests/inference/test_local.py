"""The local engine's life: start, status, set-up failures, environment, close; and the one drive of the real runner."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from inference import (
    BadRequest,
    Blob,
    Device,
    EngineConfig,
    EngineState,
    EngineStatus,
    Frame,
    Grey,
    ImageRequest,
    Init,
    InitKind,
    PictureRef,
    Pixels,
    Progress,
    Size,
)
from inference.catalogue import ONLY_BUILT_IN
from inference.local import Backoff, LocalEngine
from tests.inference.toys import (
    RUNNER,
    draw,
    make_folder,
    request,
    results,
    stage,
    toy_config,
    toy_engine,
    until_state,
)

CANARY = "canary-4f1c9a"


def test_the_engine_side_loads_no_torch() -> None:
    """The bot's process imports the face, the local engine and the catalogue, and stays small."""
    code = (
        "import sys, inference, inference.local, inference.catalogue;"
        "print(sorted({'torch', 'diffusers', 'transformers', 'huggingface_hub', 'numpy'} & sys.modules.keys()))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == "[]"


async def test_start_returns_before_the_model_is_loaded(tmp_path: Path) -> None:
    """The engine is starting while the worker loads, then ready, busy with a request, and ready again."""
    seen: list[EngineState] = []
    async with stage(tmp_path) as held:
        held.decide = lambda turn: None if turn.name == "load" and not held.named("admit") else "go"
        async with toy_engine(toy_config(tmp_path), ready=False) as engine:
            engine.watch(lambda status: seen.append(status.state))
            loading = await held.until(lambda turn: turn.name == "load")
            while_loading = engine.status
            held.decide = lambda _: "go"
            loading.answer("go")
            await draw(engine, request())
            await until_state(engine, EngineState.READY)

    assert while_loading == EngineStatus(state=EngineState.STARTING, worker_pid=loading.pid)
    states = [state for state in seen if state is not EngineState.STARTING]
    assert states == [EngineState.READY, EngineState.BUSY, EngineState.READY, EngineState.CLOSED]


async def test_requests_made_too_early_wait(tmp_path: Path) -> None:
    """A request made before the model is loaded is drawn as soon as it is."""
    async with stage(tmp_path), toy_engine(toy_config(tmp_path), ready=False) as engine:
        events = await draw(engine, request())

    assert len(results(events)) == 1


async def test_a_missing_folder_is_shown_until_it_appears(tmp_path: Path) -> None:
    """The status names the folder; requests wait; when somebody puts it there, they are drawn without a restart."""
    config = toy_config(tmp_path, backoff_seconds=(3600.0,))
    async with toy_engine(config, ready=False) as engine:
        failed = await until_state(engine, EngineState.SETUP_FAILED)
        waiting = asyncio.create_task(draw(engine, request()))
        make_folder(tmp_path / "toy")
        events = await waiting

    assert str(tmp_path / "toy") in failed.detail
    assert failed.worker_pid is None
    assert len(results(events)) == 1


async def test_a_model_that_does_not_load_is_tried_again(tmp_path: Path) -> None:
    """What the runner says of a model it cannot load is shown, and it is tried again after a pause."""
    async with stage(tmp_path) as held:
        held.decide = lambda _: "fail" if len(held.named("load")) < 3 else "go"
        async with toy_engine(toy_config(tmp_path), ready=False) as engine:
            failed = await until_state(engine, EngineState.SETUP_FAILED)
            ready = await until_state(engine, EngineState.READY)

    assert failed.detail == "toy is damaged."
    assert ready.worker_pid is not None
    assert len(held.named("load")) == 3


def test_pauses_grow_and_the_last_one_repeats() -> None:
    """No restart loop: each failure in a row waits longer, and a success starts from the front."""
    backoff = Backoff((1.0, 5.0, 60.0))

    assert [backoff.next() for _ in range(5)] == [1.0, 5.0, 60.0, 60.0, 60.0]
    backoff.reset()
    assert backoff.next() == 1.0


async def test_the_worker_sees_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its environment is made of what it needs: no token is in it, under whatever name, and the hub is closed."""
    for name in ("DISCORD_TOKEN", "MOONSKETCH_TOKEN", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "ANYTHING"):
        monkeypatch.setenv(name, CANARY)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    async with stage(tmp_path) as held, toy_engine(toy_config(tmp_path)):
        environment: dict[str, str] = held.named("hello")[0].details["environment"]

    assert CANARY not in str(environment)
    assert environment["HF_HUB_OFFLINE"] == "1"
    assert environment["OMP_NUM_THREADS"] == "1"
    assert os.environ["DISCORD_TOKEN"] == CANARY


async def test_a_watcher_that_fails_does_no_harm(tmp_path: Path) -> None:
    """A mistake in a reader of the status is logged; the engine goes on."""

    def broken(status: EngineStatus) -> None:
        raise RuntimeError(f"cannot show {status.state}")

    make_folder(tmp_path / "toy")
    async with toy_engine(toy_config(tmp_path), ready=False) as engine:
        engine.watch(broken)
        events = await draw(engine, request())

    assert len(results(events)) == 1


async def test_a_request_without_its_picture_is_refused(tmp_path: Path) -> None:
    """The bytes that a request refers to must come beside it."""
    make_folder(tmp_path / "toy")
    async with toy_engine(toy_config(tmp_path)) as engine:
        init = Init(kind=InitKind.PIXELS, ref=PictureRef("0" * 64))

        with pytest.raises(BadRequest, match="missing"):
            await draw(engine, request(init=init))


async def test_a_mask_reaches_the_worker_and_a_wrong_one_does_not(tmp_path: Path) -> None:
    """What does not fit is refused before the worker hears of it; what fits arrives beside its picture."""
    picture, mask = PictureRef("0" * 64), PictureRef("1" * 64)
    asked = request(init=Init(kind=InitKind.PIXELS, ref=picture), mask=mask, strength=1.0)
    blobs: dict[PictureRef, Blob] = {picture: Pixels(64, 48, bytes(64 * 48 * 3))}
    blobs[mask] = Grey(64, 48, bytes(64 * 48))
    async with stage(tmp_path) as held, toy_engine(toy_config(tmp_path)) as engine:
        with pytest.raises(BadRequest, match="Nothing is marked"):
            await draw(engine, asked, blobs)
        refused = len(held.named("admit"))
        blobs[mask] = Grey(64, 48, b"\xff" * (64 * 48))

        events = await draw(engine, asked, blobs)

    assert refused == 0
    assert [turn.details["blobs"] for turn in held.named("admit")] == [[picture, mask]]
    assert len(results(events)) == 1


async def test_an_engine_can_be_closed_before_it_has_started(tmp_path: Path) -> None:
    """Close is safe at any moment: never started, and twice."""
    engine = LocalEngine(toy_config(tmp_path), runner=RUNNER)
    await engine.close()
    await engine.close()

    assert engine.status == EngineStatus(state=EngineState.CLOSED)


async def test_waits_for_the_worker_are_parked(tmp_path: Path) -> None:
    """Every wait for another process goes through the seam, in the waiting task and never one inside another."""
    parked: dict[asyncio.Task[object] | None, str] = {}
    reasons: set[str] = set()

    async def park(awaitable, reason):  # type: ignore[no-untyped-def]  # a Park is generic in what it awaits
        task = asyncio.current_task()
        assert task not in parked, f"{reason} inside {parked[task]}"
        parked[task] = reason
        reasons.add(reason)
        try:
            return await awaitable
        finally:
            del parked[task]

    make_folder(tmp_path / "toy")
    engine = LocalEngine(toy_config(tmp_path), runner=RUNNER, park=park)
    await engine.start()
    events = await draw(engine, request())
    await engine.close()

    assert len(results(events)) == 1
    assert {"the engine's next event", "the worker's end"} <= reasons


async def test_the_real_runner_draws_with_the_built_in_model(tmp_path: Path) -> None:
    """Nothing set up at all: the real worker loads what came with the package and draws two samples of a request."""
    config = EngineConfig(catalogue=ONLY_BUILT_IN, models_dir=tmp_path / "none", device=Device.CPU)
    engine = LocalEngine(config)
    await engine.start()
    try:
        ready = await until_state(engine, EngineState.READY, EngineState.SETUP_FAILED, EngineState.UNHEALTHY)
        assert ready.state is EngineState.READY, ready.detail
        (model,) = engine.models()
        asked = ImageRequest(
            model=model.name,
            prompt="a moon",
            seeds=(1, 2),
            frame=Frame(canvas=model.native, content=model.native),
            steps=2,
        )
        events = await draw(engine, asked)
    finally:
        await engine.close()

    assert (model.title, len(model.version)) == ("emoji art (built-in)", 64)
    assert list(tmp_path.iterdir()) == [], "nothing is built or fetched"
    assert len([event for event in events if isinstance(event, Progress)]) == 4
    first, second = results(events)
    assert first.pixels.size == Size(256, 256)
    assert first.pixels != second.pixels
