"""The stage round the Runner: what it lets out, what it changes on the way, and that it fails closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from inference import (
    BadRequest,
    Blob,
    Box,
    CheckFailed,
    Engine,
    EngineState,
    Event,
    ImageRequest,
    Init,
    InitKind,
    ModelUnavailable,
    PictureRef,
    Pixels,
    Progress,
    RequestFailed,
    RequestKillsWorker,
    SampleBlocked,
    SampleDone,
    Strictness,
    Unsafe,
)
from inference.errors import as_named
from inference.memory import spoils_device
from inference.runner import Outcome, Phase, SampleFailed
from inference.safety import COARSE, SafetyChecker, Stage, Verdict, coarsened, load
from tests.inference.checkers import CATEGORY, DEADLY, FAILING, UNSAFE, ByValue, Scripted
from tests.inference.toys import draw, make_folder, request, results, toy_config, toy_engine, until_state

PLUG_IN = "tests.inference.checkers:ByValue"
REF = PictureRef("0" * 64)
STRICT = (Strictness.SPOILER, Strictness.BLOCK)


def flat(value: int, width: int = 8, height: int = 6) -> Pixels:
    return Pixels(width, height, bytes([value]) * (3 * width * height))


def done(value: int, sample: int = 0) -> Outcome:
    return Outcome(key=1, event=SampleDone(sample=sample, pixels=flat(value), latents=b"latents"))


def stage(checker: SafetyChecker | None, strictness: Strictness, **changes: Any) -> Stage:
    """One that has admitted the request of key 1."""
    made = Stage(checker, lambda _: None)
    asked = request(**changes)
    made.admit(1, asked, range(len(asked.seeds)), {REF: flat(0)}, strictness)
    return made


def starting(kind: InitKind = InitKind.PIXELS, window: Box | None = None) -> ImageRequest:
    return request(init=Init(kind=kind, ref=REF, window=window))


def admitted(checker: SafetyChecker, asked: ImageRequest, blobs: Mapping[PictureRef, Blob]) -> None:
    Stage(checker, lambda _: None).admit(1, asked, (0,), blobs, Strictness.BLOCK)


def test_a_blocked_result_carries_nothing_of_the_picture() -> None:
    """Under BLOCK only the sample and the category are left; a safe one passes as it is."""
    out = stage(ByValue(), Strictness.BLOCK, seeds=(1, 2))

    assert out.let_out(done(UNSAFE)).event == SampleBlocked(sample=0, category=CATEGORY)
    assert out.let_out(done(7, sample=1)) == done(7, sample=1)


def test_a_spoiler_changes_only_what_is_said_of_the_picture() -> None:
    """Pixels and latents come out, and the category with them."""
    event = stage(ByValue(), Strictness.SPOILER).let_out(done(UNSAFE)).event

    assert event == SampleDone(sample=0, pixels=flat(UNSAFE), latents=b"latents", unsafe=CATEGORY)


@pytest.mark.parametrize("checker, strictness", [(ByValue(), Strictness.OFF), (None, Strictness.BLOCK)])
def test_nothing_is_checked_where_nobody_asked_for_it(
    checker: SafetyChecker | None, strictness: Strictness
) -> None:
    """With strictness off, and with no checker: results and previews come out as they are."""
    out = stage(checker, strictness, seeds=(1, 2))
    preview = Outcome(key=1, event=Progress(sample=0, step=1, steps=2, preview=checkerboard()))

    assert out.let_out(preview) == preview
    assert out.let_out(done(UNSAFE)) == done(UNSAFE)


FAULTS: dict[str, Callable[[int], Any]] = {
    "no verdict": lambda _: [],
    "too many": lambda count: [Verdict(False, "", 0.0)] * (count + 1),
    "nothing": lambda _: None,
    "not a number": lambda count: [Verdict(False, "", float("nan"))] * count,
    "infinite": lambda count: [Verdict(False, "", float("inf"))] * count,
    "no score": lambda count: [Verdict(False, "", None)] * count,  # type: ignore[arg-type]  # a plug-in may
    "neither": lambda count: [Verdict(None, "", 0.0)] * count,  # type: ignore[arg-type]  # a plug-in may
    "plain tuples": lambda count: [(False, "", 0.0)] * count,
}


def raises(error: BaseException) -> Callable[[int], Sequence[Verdict]]:
    def answer(_count: int) -> Sequence[Verdict]:
        raise error

    return answer


FAULTS["raising"] = raises(ValueError("no"))
FAULTS["out of memory"] = raises(torch.OutOfMemoryError("CUDA out of memory."))
FAULTS["no memory"] = raises(MemoryError())


@pytest.mark.parametrize("strictness", STRICT)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_picture_without_a_verdict_stays_inside(fault: str, strictness: Strictness) -> None:
    """Whatever is wrong with the checker, the sample fails; with a sound one the same picture comes out."""
    failed = stage(Scripted(FAULTS[fault]), strictness).let_out(done(7)).event
    sound = stage(Scripted(lambda count: [Verdict(False, "", 0.0)] * count), strictness).let_out(done(7))

    assert isinstance(failed, SampleFailed)
    assert isinstance(as_named(failed.kind, failed.sentence), CheckFailed)
    assert sound == done(7)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_start_without_a_verdict_is_not_drawn(fault: str) -> None:
    """The same for the picture that a request starts from."""
    with pytest.raises(CheckFailed):
        admitted(Scripted(FAULTS[fault]), starting(), {REF: flat(7)})


@pytest.mark.skipif(not hasattr(torch, "AcceleratorError"), reason="an older torch has no class for it")
def test_a_broken_device_ends_the_worker() -> None:
    """After such an error nothing that the process computes can be trusted, so it is not taken for a failed check."""
    broken = torch.AcceleratorError("CUDA error: an illegal memory access was encountered")

    with pytest.raises(torch.AcceleratorError):
        stage(Scripted(raises(broken)), Strictness.BLOCK).let_out(done(7))
    assert not spoils_device(torch.OutOfMemoryError("CUDA out of memory."))


def test_an_unsafe_picture_without_a_category_is_unsafe() -> None:
    """An empty category means safe to whoever reads a result, so it gets another."""
    checker = Scripted(lambda count: [Verdict(True, "", 1.0)] * count)

    event = stage(checker, Strictness.SPOILER).let_out(done(7)).event
    assert isinstance(event, SampleDone)
    assert event.unsafe


def test_of_several_verdicts_the_worst_counts() -> None:
    """A picture is as unsafe as its worst part; among the unsafe ones the surest names the category."""
    verdicts = [Verdict(True, "mild", 0.1), Verdict(True, "wild", 0.9)]
    window = Box(0, 0, 4, 4)

    with pytest.raises(Unsafe) as caught:
        admitted(Scripted(lambda _: verdicts), starting(window=window), {REF: flat(7)})
    assert caught.value.category == "wild"
    with pytest.raises(Unsafe):
        admitted(
            Scripted(lambda _: [Verdict(False, "", 9.0), verdicts[0]]),
            starting(window=window),
            {REF: flat(7)},
        )


def test_the_part_that_is_drawn_is_looked_at_by_itself() -> None:
    """What is small in the picture is large in its window: both are shown to the checker."""
    colours = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)
    checker = Scripted(lambda count: [Verdict(False, "", 0.0)] * count)

    admitted(checker, starting(window=Box(2, 1, 4, 3)), {REF: Pixels(8, 6, colours.tobytes())})

    whole, part = checker.shown
    assert np.array_equal(whole, colours)
    assert np.array_equal(part, colours[1:4, 2:6])


def test_latents_are_not_checked_but_what_comes_of_them_is() -> None:
    """They are a result of ours, which was checked when it was made."""
    checker = Scripted(lambda count: [Verdict(True, CATEGORY, 1.0)] * count)
    out = Stage(checker, lambda _: None)

    out.admit(1, starting(InitKind.LATENTS), (0,), {REF: b"latents"}, Strictness.BLOCK)
    assert checker.shown == []
    assert isinstance(out.let_out(done(7)).event, SampleBlocked)


@pytest.mark.parametrize("blobs", [{}, {REF: b"latents"}], ids=["nothing", "no picture"])
def test_a_start_that_did_not_arrive_is_not_safe(blobs: Mapping[PictureRef, Blob]) -> None:
    """What cannot be looked at is refused."""
    with pytest.raises(BadRequest, match="did not arrive"):
        admitted(ByValue(), starting(), blobs)


def test_the_same_start_is_checked_once() -> None:
    """ "Again" starts from the same picture; another window of it is another thing to look at."""
    checker = Scripted(lambda count: [Verdict(False, "", 0.0)] * count)
    out = Stage(checker, lambda _: None)
    for key in (1, 2):
        out.admit(key, starting(), (0,), {REF: flat(7)}, Strictness.BLOCK)
    assert len(checker.shown) == 1

    out.admit(3, starting(window=Box(0, 0, 2, 2)), (0,), {REF: flat(7)}, Strictness.BLOCK)
    assert len(checker.shown) == 3


def test_a_failed_check_is_tried_again() -> None:
    """Only verdicts are kept."""
    answers = [[], [Verdict(False, "", 0.0)]]
    out = Stage(Scripted(lambda _: answers.pop(0)), lambda _: None)
    with pytest.raises(CheckFailed):
        out.admit(1, starting(), (0,), {REF: flat(7)}, Strictness.BLOCK)

    out.admit(1, starting(), (0,), {REF: flat(7)}, Strictness.BLOCK)
    assert answers == []


def test_what_was_never_admitted_does_not_leave() -> None:
    """Nor what was admitted and dropped, nor a second result of the same sample."""
    out = stage(ByValue(), Strictness.BLOCK)
    out.drop(1)
    with pytest.raises(KeyError):
        out.let_out(done(7))

    again = stage(None, Strictness.OFF)
    assert again.let_out(done(7)) == done(7)
    with pytest.raises(KeyError):
        again.let_out(done(7))


def test_each_check_is_a_phase() -> None:
    """So that one which never ends is noticed; without a check there is none."""
    phases: list[Phase] = []
    out = Stage(ByValue(), phases.append)
    out.admit(1, starting(), (0,), {REF: flat(0)}, Strictness.BLOCK)
    out.admit(2, starting(), (0,), {REF: flat(1)}, Strictness.OFF)
    out.let_out(done(7))

    assert phases == [Phase.CHECK, Phase.CHECK]


# --- previews ---


def checkerboard(cell: int = 2, side: int = 48, low: int = 0, high: int = 200) -> Pixels:
    down, across = np.mgrid[0:side, 0:side] // cell
    values = np.where((down + across) % 2 == 0, low, high).astype(np.uint8)
    return Pixels(side, side, np.repeat(values[..., None], 3, axis=-1).tobytes())


def values_of(pixels: Pixels) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.frombuffer(pixels.data, np.uint8).reshape(pixels.height, pixels.width, 3).astype(float)


def test_nothing_but_a_mood_is_left_of_a_preview() -> None:
    """Two pictures that differ in everything but the mean colours of a coarse grid become the same one."""
    detailed, plain = checkerboard(), checkerboard(low=100, high=100)

    assert np.abs(values_of(detailed) - values_of(plain)).min() == 100
    assert np.abs(values_of(coarsened(detailed)) - values_of(coarsened(plain))).max() <= 1


def test_a_preview_keeps_its_mood() -> None:
    """Where it is bright and where it is dark: else there would be nothing to look at."""
    halves = np.zeros((48, 48, 3), np.uint8)
    halves[:24] = 200
    blurred = values_of(coarsened(Pixels(48, 48, halves.tobytes())))

    assert blurred.shape == (48, 48, 3)
    assert blurred[:8].min() > 150
    assert blurred[-8:].max() < 50


def test_no_preview_has_more_colours_than_the_grid() -> None:
    """Random pictures of odd sizes: what comes out lies in the space that so many mean colours span, and no higher."""
    random = np.random.default_rng(0)
    pictures = [Pixels(31, 23, random.integers(0, 256, 31 * 23 * 3, np.uint8).tobytes()) for _ in range(120)]

    def dimensions(seen: Sequence[Pixels]) -> int:
        grey = np.stack([values_of(one)[..., 0].ravel() for one in seen])
        strengths = np.linalg.svd(grey, compute_uv=False)
        return int((strengths > strengths[0] * 0.02).sum())

    assert dimensions([coarsened(picture) for picture in pictures]) <= COARSE**2
    assert dimensions(pictures) > 100


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (6, 6)])
def test_small_previews_keep_their_size(size: tuple[int, int]) -> None:
    """Whatever the frame, there is something to show."""
    assert coarsened(flat(7, *size)) == flat(7, *size)


@pytest.mark.parametrize("strictness", STRICT)
def test_previews_are_blurred_before_they_leave(strictness: Strictness) -> None:
    """Whatever the result will turn out to be; the steps are counted as ever."""
    shown = Progress(sample=0, step=1, steps=2, preview=checkerboard())
    silent = Progress(sample=0, step=2, steps=2)
    out = stage(ByValue(), strictness)

    blurred = Progress(sample=0, step=1, steps=2, preview=coarsened(checkerboard()))
    assert blurred != shown
    assert [out.let_out(Outcome(key=1, event=event)).event for event in (shown, silent)] == [blurred, silent]


# --- loading ---


@pytest.mark.parametrize(
    "name, reason",
    [
        ("nonsense", "neither"),
        ("no_such_module:checker", "no_such_module"),
        ("tests.inference.checkers:Nothing", "Nothing"),
        ("tests.inference.checkers:incapable", "check"),
        ("diffusers:", "config.json"),
        ("diffusers:/no/such/folder", "/no/such/folder"),
    ],
)
def test_a_checker_that_cannot_be_loaded_is_named(name: str, reason: str, tmp_path: Path) -> None:
    """With why not."""
    with pytest.raises(ModelUnavailable, match=reason) as caught:
        load(toy_config(tmp_path, safety=name))
    assert name in str(caught.value)


def test_a_plug_in_is_called_by_its_name(tmp_path: Path) -> None:
    """And nothing is loaded where nothing is named."""
    assert isinstance(load(toy_config(tmp_path, safety=PLUG_IN)), ByValue)
    assert load(toy_config(tmp_path)) is None


def test_the_short_name_needs_no_loading(tmp_path: Path) -> None:
    """It follows from the configuration alone."""
    names = ("", "skin", "diffusers:/a/folder", "my_checker:Checker")

    assert [toy_config(tmp_path, safety=name).checks for name in names] == [
        "",
        "skin tones",
        "Stable Diffusion safety checker",
        "my_checker",
    ]


# --- in a worker process ---


async def test_without_its_checker_nothing_is_drawn(tmp_path: Path) -> None:
    """The engine says why its set-up failed, and a waiting request is not served without; the control is served."""
    make_folder(tmp_path / "toy")
    missing = toy_config(tmp_path, safety="no_such_module:checker")
    async with toy_engine(missing, ready=False) as engine:
        waiting = asyncio.create_task(draw(engine, request()))
        failed = await until_state(engine, EngineState.SETUP_FAILED, EngineState.READY)
        served = waiting.done()
        waiting.cancel()
    async with toy_engine(toy_config(tmp_path, safety=PLUG_IN)) as engine:
        drawn = await draw(engine, request())

    assert failed.state is EngineState.SETUP_FAILED
    assert "no_such_module" in failed.detail
    assert not served
    assert len(results(drawn)) == 1


async def test_a_failed_check_harms_nobody_else(tmp_path: Path) -> None:
    """Not those in the same batch, nor the other samples of the same request."""
    make_folder(tmp_path / "toy")
    seen: list[Event] = []

    async def collect(engine: Engine, asked: ImageRequest) -> None:
        async for event in engine.generate(asked, {}, Strictness.BLOCK):
            seen.append(event)  # noqa: PERF401 - it ends with an error, and what came before it counts

    async with toy_engine(toy_config(tmp_path, safety=PLUG_IN)) as engine:
        neighbour = asyncio.create_task(draw(engine, request(seeds=(3,)), strictness=Strictness.BLOCK))
        with pytest.raises(CheckFailed, match="not handed out"):
            await collect(engine, request(seeds=(7, FAILING)))
        beside = await neighbour
        pid = engine.status.worker_pid
        unchecked = await draw(engine, request(seeds=(FAILING,)))
        assert pid == engine.status.worker_pid, "the worker lives on"

    assert [event.sample for event in results(seen)] == [0]
    assert len(results(beside)) == len(results(unchecked)) == 1


async def test_a_check_that_kills_the_worker_is_blamed_on_its_request(tmp_path: Path) -> None:
    """As in every other phase: the request that it happened to is given up, its neighbour gets its picture."""
    make_folder(tmp_path / "toy")
    async with toy_engine(toy_config(tmp_path, safety=PLUG_IN)) as engine:
        neighbour = asyncio.create_task(
            draw(engine, request(seeds=(3,), steps=9), strictness=Strictness.BLOCK)
        )
        with pytest.raises(RequestKillsWorker):
            await draw(engine, request(seeds=(DEADLY,)), strictness=Strictness.BLOCK)
        beside = await neighbour

    assert len(results(beside)) == 1


@pytest.mark.parametrize("kind", [BadRequest, ModelUnavailable, RequestFailed, CheckFailed, Unsafe])
def test_errors_come_back_as_what_they_were(kind: type[Exception]) -> None:
    """The worker tells their class by name; one that is not known is a failed request."""
    error = as_named(kind.__name__, "No.", "test")

    assert (type(error), str(error)) == (kind, "No.")
    assert getattr(error, "category", "test") == "test"
    assert type(as_named("Nonsense", "No.")) is RequestFailed
