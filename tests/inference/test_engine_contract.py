"""What every Engine promises, whatever draws behind it: run against the fake one and against a real worker process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from inference import (
    BadRequest,
    Blob,
    Box,
    Engine,
    EngineClosed,
    EngineState,
    Grey,
    ImageRequest,
    Init,
    InitKind,
    PictureRef,
    Pixels,
    Progress,
    SampleBlocked,
    SampleDone,
    Strictness,
    UnknownModel,
    Unsafe,
)
from inference.fake import FakeEngine
from inference.local import LocalEngine
from tests.inference.checkers import CATEGORY, UNSAFE
from tests.inference.toys import RUNNER, draw, make_folder, request, results, toy_config, until_state

Opened = AbstractAsyncContextManager[Engine]
Opener = Callable[[Path], Opened]

BAD, GOOD = PictureRef("b" * 64), PictureRef("a" * 64)
STARTS: dict[PictureRef, Blob] = {
    ref: Pixels(64, 48, bytes([value]) * (64 * 48 * 3)) for ref, value in ((BAD, UNSAFE), (GOOD, 200))
}


def fake(tmp_path: Path) -> Engine:  # noqa: ARG001 - openers look alike
    return FakeEngine()


def local(tmp_path: Path) -> Engine:
    make_folder(tmp_path / "toy")
    return LocalEngine(toy_config(tmp_path), runner=RUNNER)


def checked_fake(tmp_path: Path) -> Engine:  # noqa: ARG001 - openers look alike
    return FakeEngine(unsafe_seeds={UNSAFE}, unsafe_inputs={BAD})


def checked_local(tmp_path: Path) -> Engine:
    make_folder(tmp_path / "toy")
    return LocalEngine(toy_config(tmp_path, safety="tests.inference.checkers:ByValue"), runner=RUNNER)


@pytest.fixture(params=[checked_fake, checked_local], ids=["fake", "local"])
def make_checked(request: pytest.FixtureRequest) -> Callable[[Path], Engine]:
    """An engine with a safety check that finds results of the seed UNSAFE and the picture BAD unsafe."""
    chosen: Callable[[Path], Engine] = request.param
    return chosen


@pytest.fixture(params=[fake, local], ids=["fake", "local"])
def make(request: pytest.FixtureRequest) -> Callable[[Path], Engine]:
    chosen: Callable[[Path], Engine] = request.param
    return chosen


@asynccontextmanager
async def ready(engine: Engine) -> AsyncIterator[Engine]:
    await engine.start()
    try:
        await until_state(engine, EngineState.READY)
        yield engine
    finally:
        await engine.close()


def wanted(engine: Engine, prompt: str = "a moon", **changes: object) -> ImageRequest:
    return request(prompt, **({"model": engine.models()[0].name} | changes))


async def test_events_come_in_order(make: Callable[[Path], Engine], tmp_path: Path) -> None:
    """Each sample counts its steps from one to the last, then comes its result, and nothing after the last result."""
    async with ready(make(tmp_path)) as engine:
        events = await draw(engine, wanted(engine, seeds=(1, 2), steps=4))

    for sample in (0, 1):
        own = [event for event in events if not hasattr(event, "alone") and event.sample == sample]
        assert [(event.step, event.steps) for event in own if isinstance(event, Progress)] == [
            (step, 4) for step in (1, 2, 3, 4)
        ]
        assert isinstance(own[-1], SampleDone)
    assert isinstance(events[-1], SampleDone)
    assert len(results(events)) == 2


async def test_a_result_has_the_size_of_the_content(make: Callable[[Path], Engine], tmp_path: Path) -> None:
    """The canvas is cropped back to the picture, and latents come with it."""
    async with ready(make(tmp_path)) as engine:
        asked = wanted(engine)
        (done,) = results(await draw(engine, asked))

    assert done.pixels.size == asked.frame.content
    assert done.pixels.size != asked.frame.canvas
    assert done.latents


async def test_requests_share_the_engine(make: Callable[[Path], Engine], tmp_path: Path) -> None:
    """Several at once each get what they get alone, and different ones get different pictures."""
    async with ready(make(tmp_path)) as engine:
        asked = [wanted(engine, seeds=(seed,), steps=seed + 1) for seed in range(6)]
        together = await asyncio.gather(*(draw(engine, one) for one in asked))
        alone = [await draw(engine, one) for one in asked]

    pictures = [results(events)[0].pixels for events in together]
    assert pictures == [results(events)[0].pixels for events in alone]
    assert len({picture.data for picture in pictures}) == 6


async def test_a_picture_can_be_the_start(make: Callable[[Path], Engine], tmp_path: Path) -> None:
    """The init's pixels travel beside the request; part of the steps is run on them."""
    ref = PictureRef("0" * 64)
    pixels = Pixels(64, 48, bytes(64 * 48 * 3))
    async with ready(make(tmp_path)) as engine:
        asked = wanted(engine, init=Init(kind=InitKind.PIXELS, ref=ref), strength=0.5, steps=10)
        async with aclosing(engine.generate(asked, {ref: pixels})) as events:
            seen = [event async for event in events]

    assert [event.steps for event in seen if isinstance(event, Progress)] == [5] * 5
    assert len(results(seen)) == 1


async def test_samples_may_differ_in_strength(make: Callable[[Path], Engine], tmp_path: Path) -> None:
    """Each counts the steps of its own."""
    ref = PictureRef("0" * 64)
    async with ready(make(tmp_path)) as engine:
        init = Init(kind=InitKind.PIXELS, ref=ref)
        asked = wanted(engine, init=init, seeds=(1, 1, 1), strengths=(0.2, 0.9, 0.5), steps=10)
        seen = await draw(engine, asked, {ref: Pixels(64, 48, bytes(64 * 48 * 3))})

    told = [(one.sample, one.step, one.steps) for one in seen if isinstance(one, Progress)]
    assert sorted(told) == sorted((at, step + 1, n) for at, n in enumerate((2, 9, 5)) for step in range(n))
    assert sorted(done.sample for done in results(seen)) == [0, 1, 2]


async def test_a_window_has_the_size_of_the_content_too(
    make: Callable[[Path], Engine], tmp_path: Path
) -> None:
    """With a mask as well; and a window that is not within its picture is refused."""
    picture, mask = PictureRef("0" * 64), PictureRef("1" * 64)
    blobs: dict[PictureRef, Blob] = {picture: Pixels(20, 10, bytes(600)), mask: Grey(20, 10, b"\xff" * 200)}
    async with ready(make(tmp_path)) as engine:
        inside, outside = (
            wanted(engine, init=Init(kind=InitKind.PIXELS, ref=picture, window=box), mask=mask)
            for box in (Box(4, 4, 8, 6), Box(4, 5, 8, 6))
        )
        (done,) = results(await draw(engine, inside, blobs))

        with pytest.raises(BadRequest, match="outside"):
            await draw(engine, outside, blobs)

    assert done.pixels.size == inside.frame.content


async def test_closing_the_reader_leaves_the_engine_usable(
    make: Callable[[Path], Engine], tmp_path: Path
) -> None:
    """A reader that goes away after its first event takes nothing with it."""
    async with ready(make(tmp_path)) as engine:
        async with aclosing(engine.generate(wanted(engine, steps=1000), {})) as events:
            first = await anext(events)
        afterwards = await draw(engine, wanted(engine))

    assert isinstance(first, Progress)
    assert len(results(afterwards)) == 1


async def test_an_unknown_model_is_refused(make: Callable[[Path], Engine], tmp_path: Path) -> None:
    """Nobody can draw with a model that is not configured; the error says which it was."""
    async with ready(make(tmp_path)) as engine:
        asked = msgspec.structs.replace(wanted(engine), model="nobody")

        with pytest.raises(UnknownModel, match="nobody"):
            await draw(engine, asked)


async def test_closing_the_engine_ends_what_runs(make: Callable[[Path], Engine], tmp_path: Path) -> None:
    """A running request and a later one both raise EngineClosed, and the status says closed."""
    async with ready(make(tmp_path)) as engine:
        asked = wanted(engine, steps=1_000_000)
        async with aclosing(engine.generate(asked, {})) as events:
            await anext(events)
            await engine.close()
            with pytest.raises(EngineClosed):
                _ = [event async for event in events]

        with pytest.raises(EngineClosed):
            await draw(engine, asked)
        assert engine.status.state is EngineState.CLOSED


async def test_models_are_known_before_the_start(make: Callable[[Path], Engine], tmp_path: Path) -> None:
    """The bot can offer models and sizes while nothing is loaded yet."""
    engine = make(tmp_path)

    assert engine.status.state is EngineState.STARTING
    assert engine.models()[0].sizes


async def test_watchers_see_the_engine_become_ready(make: Callable[[Path], Engine], tmp_path: Path) -> None:
    """The status that watchers are told is the one that is shown; a ready engine has rows to give."""
    engine = make(tmp_path)
    told: list[EngineState] = []
    engine.watch(lambda status: told.append(status.state))
    async with ready(engine):
        state, rows = engine.status.state, engine.row_credits

    assert told[0] in (EngineState.STARTING, EngineState.READY)
    assert state is EngineState.READY
    assert rows >= 1
    assert told[-1] is EngineState.CLOSED


def start(ref: PictureRef, kind: InitKind = InitKind.PIXELS) -> Init:
    return Init(kind=kind, ref=ref)


async def test_under_spoiler_unsafe_results_say_so(
    make_checked: Callable[[Path], Engine], tmp_path: Path
) -> None:
    """They come all the same, and the safe ones beside them say nothing."""
    async with ready(make_checked(tmp_path)) as engine:
        events = await draw(engine, wanted(engine, seeds=(1, UNSAFE)), strictness=Strictness.SPOILER)

    assert {done.sample: done.unsafe for done in results(events)} == {0: "", 1: CATEGORY}
    assert all(done.pixels.data and done.latents for done in results(events))


async def test_under_block_unsafe_results_do_not_come(
    make_checked: Callable[[Path], Engine], tmp_path: Path
) -> None:
    """In their place comes what was found; the request ends as ever, also when nothing of it is left."""
    async with ready(make_checked(tmp_path)) as engine:
        some = await draw(engine, wanted(engine, seeds=(1, UNSAFE)), strictness=Strictness.BLOCK)
        none = await draw(engine, wanted(engine, seeds=(UNSAFE,)), strictness=Strictness.BLOCK)

    blocked = [event for event in some if isinstance(event, SampleBlocked)]
    assert blocked == [SampleBlocked(sample=1, category=CATEGORY)]
    assert [(done.sample, done.unsafe) for done in results(some)] == [(0, "")]
    assert results(none) == []
    assert none[-1] == SampleBlocked(sample=0, category=CATEGORY)


async def test_with_strictness_off_nothing_is_checked(
    make_checked: Callable[[Path], Engine], tmp_path: Path
) -> None:
    """Neither the results nor the picture to start from."""
    async with ready(make_checked(tmp_path)) as engine:
        (drawn,) = results(await draw(engine, wanted(engine, seeds=(UNSAFE,))))
        (from_bad,) = results(await draw(engine, wanted(engine, init=start(BAD)), STARTS))

    assert (drawn.unsafe, from_bad.unsafe) == ("", "")


async def test_an_unsafe_start_is_refused_under_block(
    make_checked: Callable[[Path], Engine], tmp_path: Path
) -> None:
    """Before anything of it is drawn; another picture is not."""
    async with ready(make_checked(tmp_path)) as engine:
        generating = engine.generate(wanted(engine, init=start(BAD)), STARTS, Strictness.BLOCK)
        with pytest.raises(Unsafe) as caught:
            await anext(generating)
        drawn = await draw(engine, wanted(engine, init=start(GOOD)), STARTS, Strictness.BLOCK)

    assert caught.value.category == CATEGORY
    assert len(results(drawn)) == 1


async def test_an_unsafe_start_taints_what_comes_of_it(
    make_checked: Callable[[Path], Engine], tmp_path: Path
) -> None:
    """Under SPOILER it is drawn, and every result is told to be unsafe, because it may show the start again."""
    async with ready(make_checked(tmp_path)) as engine:
        bad, good = [
            await draw(engine, wanted(engine, seeds=(1, 2), init=start(ref)), STARTS, Strictness.SPOILER)
            for ref in (BAD, GOOD)
        ]

    assert [done.unsafe for done in results(bad)] == [CATEGORY] * 2
    assert [done.unsafe for done in results(good)] == [""] * 2


async def test_latents_to_start_from_are_not_checked(
    make_checked: Callable[[Path], Engine], tmp_path: Path
) -> None:
    """They are a result of the engine's own, checked when it was made; what comes of them is checked."""
    async with ready(make_checked(tmp_path)) as engine:
        init, blobs = start(BAD, InitKind.LATENTS), {BAD: bytes([UNSAFE]) * 3}
        events = await draw(
            engine, wanted(engine, seeds=(1, UNSAFE), init=init), blobs, strictness=Strictness.BLOCK
        )

    assert [done.sample for done in results(events)] == [0]
    assert SampleBlocked(sample=1, category=CATEGORY) in events


async def test_strictness_without_a_checker_changes_nothing(
    make: Callable[[Path], Engine], make_checked: Callable[[Path], Engine], tmp_path: Path
) -> None:
    """Whoever runs the engine decided so, and `checks` tells it."""
    unchecked, checked = make(tmp_path / "one"), make_checked(tmp_path / "two")
    async with ready(unchecked) as engine:
        asked = wanted(engine, seeds=(UNSAFE,), init=start(BAD))
        strict = await draw(engine, asked, STARTS, Strictness.BLOCK)
        free = await draw(engine, asked, STARTS)

    assert results(strict) == results(free) != []
    assert unchecked.checks == ""
    assert checked.checks
