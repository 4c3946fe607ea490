"""Memory that does not suffice: the batch halves, nobody fails who fits alone, and who does not gets a sentence."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from inference import Event, Restarted
from inference.batching import StepRunner
from inference.errors import ModelUnavailable
from inference.local import LocalEngine
from inference.memory import if_it_fits
from inference.runner import Outcome
from inference.types import EngineState, Frame, ImageRequest, InitKind, Progress, Size
from tests.inference import tiny_models
from tests.inference.crowded import Room, refuses_to_open
from tests.inference.driving import (
    RIGHT_HALF,
    SKETCH,
    as_bytes,
    config,
    ignore,
    masked_sketch,
    model_of,
    play,
    request,
    sketch,
)
from tests.inference.toys import results, until_state

WIDE = Frame(canvas=Size(128, 64), content=Size(128, 64))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.write_sd2(tmp_path_factory.mktemp("sd2"))


def make(folder: Path, opens: Any, **settings: Any) -> StepRunner:
    folders = {"sd2": folder, "other": folder}
    return StepRunner(config(folders, **{"max_rows": 16, **settings}), folders, ignore, opens=opens)


def eight() -> list[ImageRequest]:
    return [request("sd2", seeds=(seed,), steps=4 + seed % 3, prompt=f"moon {seed}") for seed in range(8)]


def told(outcomes: list[Outcome]) -> Counter[int]:
    return Counter(one.key for one in outcomes if isinstance(one.event, Progress))


def test_a_batch_that_does_not_fit_is_halved_and_nobody_fails(folder: Path) -> None:
    """Sixteen rows where three fit: each of eight requests gets its picture, and none loses a step over it."""
    room, plenty = Room(rows=3), Room(rows=16)

    played = play(make(folder, room.opens), eight(), {})
    roomy = play(make(folder, plenty.opens), eight(), {})

    assert sorted(played.done) == list(range(8))
    for key, done in roomy.done.items():
        assert np.abs(as_bytes(done).astype(int) - as_bytes(played.done[key])).max() <= 1
    assert told(played.outcomes[0]) == Counter(dict.fromkeys(range(8), 1))
    assert (max(played.rows), max(roomy.rows)) == (2, 16)
    assert (room.refused, plenty.refused) == (3, 0), "16, 8 and 4 rows were tried once each"


def test_masked_samples_are_halved_like_all_others(folder: Path) -> None:
    """What they keep is put back once per step, whatever the step took."""
    room, plenty = Room(rows=3), Room(rows=16)
    asked = [request("sd2", InitKind.PIXELS, seeds=(seed,), mask=RIGHT_HALF, steps=5) for seed in range(4)]
    blobs = masked_sketch()

    played = play(make(folder, room.opens), asked, blobs)
    roomy = play(make(folder, plenty.opens), asked, blobs)

    for key, done in roomy.done.items():
        assert np.abs(as_bytes(done).astype(int) - as_bytes(played.done[key])).max() <= 1
    assert np.abs(as_bytes(roomy.done[0]).astype(int) - as_bytes(roomy.done[1])).max() >= 100, "the control"
    assert (max(played.rows), max(roomy.rows)) == (2, 8)


def test_whoever_comes_later_finds_the_smaller_batch(folder: Path) -> None:
    """Rows that do not fit are not given away again while there is work; the next burst may try them anew."""
    room = Room(rows=4)
    runner = make(folder, room.opens)
    first = play(runner, eight(), {})
    refused = room.refused
    room.rows = 16

    second = play(runner, eight(), {})

    assert max(first.rows) == 4
    assert refused == 2
    assert max(second.rows) == 16
    assert room.refused == refused


def test_newcomers_are_not_seated_where_there_is_no_room(folder: Path) -> None:
    """Once four rows are known to be all that fits, a fifth request waits for one of them."""
    runner = make(folder, Room(rows=4).opens)
    for key, asked in enumerate(eight()):
        runner.load("sd2")
        runner.admit(key, asked, 0, {})
    runner.step()
    runner.drop(0)
    runner.admit(8, request("sd2", steps=2), 0, {})

    assert 8 not in told(runner.step())


def test_the_two_rows_of_a_guided_sample_may_take_a_pass_each(folder: Path) -> None:
    """Even where only a single row fits, the picture is the same."""
    asked = [request("sd2", steps=3)]

    played = play(make(folder, Room(rows=1).opens), asked, {})
    roomy = play(make(folder, Room(rows=2).opens), asked, {})

    assert np.abs(as_bytes(played.done[0]).astype(int) - as_bytes(roomy.done[0])).max() <= 1
    assert (played.rows, roomy.rows) == ([1] * 6, [2] * 3)


def test_a_picture_that_does_not_fit_alone_fails_with_a_sentence(folder: Path) -> None:
    """Another size still fits; its request goes on."""
    asked = [request("sd2", frame=WIDE, steps=3), request("sd2", steps=3)]

    played = play(make(folder, Room(rows=1).opens), asked, {})

    assert played.failures() == {
        0: "A picture of 128×64 needs more memory than there is, even alone. A smaller size may fit."
    }
    assert list(played.done) == [1]


def test_in_fixed_buckets_a_halved_bucket_is_filled_as_well(folder: Path) -> None:
    """The opt-in replay mode does not ask for the rows again that did not fit."""
    room = Room(rows=4)

    played = play(make(folder, room.opens, fixed_rows=True), eight()[:3], {})

    assert set(played.rows) == {4}
    assert room.refused == 2
    assert sorted(played.done) == [0, 1, 2]


class Scattered:
    """Refuses the first `times` calls of a module for want of memory."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self, *_call: object) -> None:
        if self.left:
            self.left -= 1
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 512.00 MiB.")


@pytest.mark.parametrize("part", ["encoder", "decoder"])
@pytest.mark.parametrize("times, fails", [(1, False), (2, True)])
def test_a_picture_that_cannot_be_encoded_or_decoded_is_tried_twice(
    folder: Path, part: str, times: int, fails: bool
) -> None:
    """Cached memory is given back in between; if that does not help its request fails, and no other."""
    runner = make(folder, Room(rows=16).opens)
    runner.load("sd2")
    vae: Any = model_of(runner).vae
    getattr(vae, part).register_forward_pre_hook(Scattered(times))
    others = [request("sd2", steps=6)]

    played = play(runner, [request("sd2", InitKind.PIXELS, steps=2), *others], {SKETCH: sketch()})

    assert (0 in played.failures()) is fails
    assert 1 in played.done


def test_a_model_that_does_not_fit_is_not_available(folder: Path) -> None:
    """A sentence says so, and the worker that hears of it ends in order instead of crashing over and over."""
    with pytest.raises(ModelUnavailable, match="The model sd2 needs more memory than is free"):
        make(folder, refuses_to_open).load("sd2")


def test_a_second_model_that_does_not_fit_fails_only_its_own_requests(folder: Path) -> None:
    """The first one is loaded again and finishes what it had begun."""
    room = Room(rows=16)

    def opens(name: str, *where: Any) -> Any:
        return (refuses_to_open if name == "other" else room.opens)(name, *where)

    played = play(make(folder, opens), [request("sd2", steps=70), request("other", steps=2)], {})

    assert "more memory" in played.failures()[1]
    assert list(played.done) == [0]


def test_any_other_error_of_the_device_ends_the_worker(folder: Path) -> None:
    """The control: only want of memory leaves a process sound."""
    runner = make(folder, Room(rows=16).opens)
    runner.load("sd2")

    def fail(*_call: object) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    model_of(runner).unet.register_forward_pre_hook(fail)

    with pytest.raises(RuntimeError, match="illegal"):
        play(runner, [request("sd2")], {})


def test_a_processors_own_want_of_memory_is_recognised() -> None:
    """On CPU torch raises a plain RuntimeError for it; shapes that do not fit raise one, too."""
    assert if_it_fits(lambda: torch.empty(1 << 58, dtype=torch.uint8)) is None
    assert if_it_fits(lambda: torch.empty(8)) is not None
    with pytest.raises(RuntimeError, match="must match"):
        if_it_fits(lambda: torch.ones(2) + torch.ones(3))


async def test_a_real_worker_survives_its_want_of_memory(folder: Path) -> None:
    """Eight requests at once in a process with room for three rows: eight pictures, by the same process."""
    engine = LocalEngine(config({"sd2": folder}, max_rows=16), runner="tests.inference.crowded:factory")

    async def draw(asked: ImageRequest) -> list[Event]:
        async with aclosing(engine.generate(asked, {})) as events:
            return [event async for event in events]

    await engine.start()
    try:
        ready = await until_state(engine, EngineState.READY, EngineState.SETUP_FAILED, EngineState.UNHEALTHY)
        drawn = await asyncio.gather(*map(draw, eight()))
        afterwards = engine.status
    finally:
        await engine.close()

    assert [len(results(events)) for events in drawn] == [1] * 8
    assert not [event for events in drawn for event in events if isinstance(event, Restarted)]
    assert ready.worker_pid == afterwards.worker_pid
    assert ready.worker_pid is not None
