"""The StepRunner: who is stepped, what is told, and that one sample's trouble is nobody else's."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from inference import latents
from inference.batching import StepRunner
from inference.errors import ModelUnavailable
from inference.runner import Outcome, Phase
from inference.types import (
    Blob,
    Box,
    Frame,
    ImageRequest,
    Init,
    InitKind,
    PictureRef,
    Progress,
    SampleDone,
    Size,
)
from tests.inference import tiny_models
from tests.inference.driving import (
    LATENTS,
    RIGHT_HALF,
    SKETCH,
    Played,
    as_bytes,
    config,
    fingerprint_of,
    ignore,
    masked_sketch,
    model_of,
    play,
    request,
    sketch,
    stored_latents,
)

BLOBS: dict[PictureRef, Blob] = masked_sketch()


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {
        "sd1": tiny_models.write_sd1(tmp_path_factory.mktemp("sd1")),
        "sd2": tiny_models.write_sd2(tmp_path_factory.mktemp("sd2")),
    }


class Diary:
    """Writes down each phase, and the keys that hold rows as it begins."""

    def __init__(self) -> None:
        self.phases: list[Phase] = []
        self.active: list[frozenset[int]] = []
        self.runner: StepRunner | None = None

    def __call__(self, phase: Phase) -> None:
        self.phases.append(phase)
        self.active.append(self.runner.active if self.runner else frozenset())


def make(folders: dict[str, Path], entering: Any = ignore, **settings: Any) -> StepRunner:
    runner = StepRunner(config(folders, **{"max_rows": 8, **settings}), folders, entering)
    runner.load("sd2")
    return runner


def sent(outcomes: list[Outcome], kind: type) -> list[int]:
    return [one.key for one in outcomes if isinstance(one.event, kind)]


def events(played: Played, key: int) -> list[object]:
    return [one.event for step in played.outcomes for one in step if one.key == key]


def apart(one: SampleDone, other: SampleDone) -> int:
    """The largest difference of two pictures, of 255."""
    return int(np.abs(as_bytes(one).astype(int) - as_bytes(other)).max())


def test_each_step_tells_of_every_sample_and_the_last_brings_the_result(folders: dict[str, Path]) -> None:
    """Progress is the heartbeat: one per sample and step, then the picture and its latents."""
    played = play(make(folders), [request("sd2", seeds=(1, 2), steps=3)], {})

    assert [Counter(sent(step, Progress)) for step in played.outcomes[:3]] == [Counter({0: 2})] * 3
    assert [one.step for one in played.progress()] == [1, 1, 2, 2, 3, 3]
    assert {one.steps for one in played.progress()} == {3}
    assert played.done[0].pixels.size == Size(64, 64)


def test_results_are_decoded_one_per_step(folders: dict[str, Path]) -> None:
    """A decode holds up everybody's step, so two samples that finish together are decoded one after the other."""
    diary = Diary()
    played = play(make(folders, diary), [request("sd2", seeds=(1, 2, 3), steps=2)], {})

    assert [len(sent(step, SampleDone)) for step in played.outcomes] == [0, 1, 1, 1]
    assert diary.phases[-5:] == [Phase.STEP, Phase.STEP, Phase.DECODE, Phase.DECODE, Phase.DECODE]


def test_sketches_are_encoded_one_per_step_and_once_for_all_seeds(folders: dict[str, Path]) -> None:
    """The second sketch waits for the second step; the seeds of one request share one encoded sketch."""
    runner = make(folders)
    passes: list[int] = []
    encoded: list[int] = []
    another = Init(kind=InitKind.PIXELS, ref=PictureRef("another"))
    model = model_of(runner)
    model.unet.register_forward_pre_hook(lambda *_: passes.append(1))
    model.vae.encoder.register_forward_pre_hook(lambda *_: encoded.append(len(passes)))
    for sample in range(2):
        runner.admit(0, request("sd2", InitKind.PIXELS, seeds=(1, 2)), sample, BLOBS)
    runner.admit(1, request("sd2", another), 0, {another.ref: sketch()})

    steps = [runner.step() for _ in range(3)]

    assert [sent(step, Progress) for step in steps] == [[0, 0], [0, 0, 1], [0, 0, 1]]
    assert encoded == [0, 1]


def test_two_windows_of_a_sketch_are_two_pictures(folders: dict[str, Path]) -> None:
    """Each is encoded, in a step of its own; a mask changes nothing of what is encoded."""
    runner = make(folders)
    encoded: list[int] = []
    passes: list[int] = []
    model = model_of(runner)
    model.unet.register_forward_pre_hook(lambda *_: passes.append(1))
    model.vae.encoder.register_forward_pre_hook(lambda *_: encoded.append(len(passes)))
    left, right = (Init(kind=InitKind.PIXELS, ref=SKETCH, window=Box(at, 0, 32, 32)) for at in (0, 32))
    asked = [
        request("sd2", left),
        request("sd2", left, mask=RIGHT_HALF),
        request("sd2", right),
    ]

    played = play(runner, asked, BLOBS)

    assert encoded == [0, 1]
    assert min(apart(played.done[0], played.done[key]) for key in (1, 2)) >= 100
    assert [len(step) for step in played.outcomes[:2]] == [2, 3]


def test_a_masked_request_is_dropped_as_any_other(folders: dict[str, Path]) -> None:
    """Its neighbour goes on as if it had never been there."""
    runner = make(folders)
    neighbour = request("sd2", InitKind.PIXELS, steps=6)
    runner.admit(1, request("sd2", InitKind.PIXELS, mask=RIGHT_HALF, seeds=(1, 2)), 0, BLOBS)
    runner.admit(2, neighbour, 0, BLOBS)
    runner.step()

    runner.drop(1)
    after = [outcome for _ in range(4) for outcome in runner.step()]

    alone = play(runner, [neighbour], BLOBS).done[0]
    assert {one.key for one in after} == {2}
    assert [apart(one.event, alone) <= 1 for one in after if isinstance(one.event, SampleDone)] == [True]


def test_who_holds_rows_is_known_as_each_phase_begins(folders: dict[str, Path]) -> None:
    """A crash is blamed on the requests at work: those that enter, those that step and the one that is decoded."""
    diary = Diary()
    runner = diary.runner = make(folders, diary, max_rows=2)
    runner.admit(5, request("sd2", steps=1), 0, {})
    runner.admit(6, request("sd2", steps=1), 0, {})

    runner.step()

    assert diary.phases[-3:] == [Phase.ENCODE, Phase.STEP, Phase.DECODE]
    assert diary.active[-3:] == [frozenset({5})] * 3
    assert runner.active == frozenset()


def test_rows_are_kept_to_the_limit(folders: dict[str, Path]) -> None:
    """Four guided samples take eight rows; the fifth waits for one of them to finish."""
    played = play(make(folders), [request("sd2", seeds=(1, 2, 3, 4, 5), steps=3)], {})

    assert played.rows == [8, 8, 8, 2, 2, 2]


def test_candidates_start_one_by_one_as_rows_come_free(folders: dict[str, Path]) -> None:
    """Four seeds beside a neighbour with room for two samples: nobody waits for all four rows, and each candidate is
    what its seed alone gives."""
    runner = make(folders, max_rows=4)
    neighbour, four = request("sd2", steps=2), request("sd2", seeds=(1, 2, 3, 4), steps=3)

    played = play(runner, [neighbour, four], {})
    alone = [play(runner, [request("sd2", seeds=(seed,), steps=3)], {}).done[0] for seed in (*four.seeds, 99)]

    begun = {
        one.event.sample: number
        for number, step in reversed(list(enumerate(played.outcomes)))
        for one in step
        if one.key == 1 and isinstance(one.event, Progress)
    }
    done = [event for event in events(played, 1) if isinstance(event, SampleDone)]
    assert begun == {0: 0, 1: 2, 2: 3, 3: 5}
    assert [one.sample for one in done] == [0, 1, 2, 3]
    assert all(apart(one, alone[one.sample]) <= 1 for one in done)
    assert min(apart(one, alone[one.sample + 1]) for one in done) >= 100, "the control: another seed"
    assert set(played.rows) == {4, 2}


def test_a_dropped_request_is_gone_from_the_next_step(folders: dict[str, Path]) -> None:
    """Cancelling frees the rows within one step, whether samples step, wait or are about to be decoded."""
    runner = make(folders, max_rows=4)
    for sample in range(3):
        runner.admit(1, request("sd2", seeds=(1, 2, 3), steps=2), sample, {})
    runner.admit(2, request("sd2", steps=2), 0, {})
    runner.step()
    runner.step()

    runner.drop(1)
    after = runner.step()

    assert {one.key for one in after} == {2}
    assert runner.active == {2}


def test_dropping_everything_leaves_nothing_to_do(folders: dict[str, Path]) -> None:
    """An idle runner holds nobody's rows."""
    runner = make(folders)
    runner.admit(1, request("sd2"), 0, {})
    runner.step()

    runner.drop(1)

    assert not runner.waiting
    assert not runner.active


@pytest.mark.parametrize(
    "asked, blobs, sentence",
    [
        pytest.param(request("sd2", InitKind.PIXELS), {}, "did not arrive", id="no blob"),
        pytest.param(
            request("sd2", InitKind.LATENTS), {LATENTS: sketch()}, "did not arrive", id="wrong kind"
        ),
        pytest.param(
            request("sd2", InitKind.PIXELS, mask=RIGHT_HALF),
            {SKETCH: sketch()},
            "mask did not arrive",
            id="no mask",
        ),
        pytest.param(
            request("sd2", InitKind.LATENTS), {LATENTS: b"rubbish"}, "cannot be read", id="no latents"
        ),
        pytest.param(
            request("sd2", InitKind.LATENTS),
            {LATENTS: stored_latents("of another VAE")},
            "another model",
            id="foreign latents",
        ),
        pytest.param(request("sd2", steps=1001), {}, "1001 steps", id="more steps than the schedule has"),
        pytest.param(
            request("sd2", InitKind.PIXELS, steps=1001, strength=0.01),
            {SKETCH: sketch()},
            "1001 steps",
            id="more steps than the schedule has, though few are run",
        ),
        pytest.param(
            request("sd2", frame=Frame(canvas=Size(60, 64), content=Size(60, 64))),
            {},
            "multiples of 8",
            id="a canvas that does not fit the latents",
        ),
    ],
)
def test_a_sample_that_cannot_be_drawn_fails_alone(
    folders: dict[str, Path], asked: ImageRequest, blobs: dict[Any, Any], sentence: str
) -> None:
    """It gets a sentence; who shares the batch gets the same picture as without it."""
    other = request("sd2", steps=4)
    runner = make(folders)

    played = play(runner, [other, asked], blobs)
    alone = play(runner, [other], {})

    assert sentence in played.failures()[1]
    assert apart(played.done[0], alone.done[0]) <= 1
    assert 1 not in played.done


def test_latents_of_another_size_are_refused(folders: dict[str, Path]) -> None:
    """Stored latents start a run of their own canvas only."""
    runner = make(folders)
    wide = Frame(canvas=Size(128, 64), content=Size(128, 64))

    played = play(
        runner,
        [request("sd2", InitKind.LATENTS, frame=wide)],
        {LATENTS: stored_latents(fingerprint_of(runner))},
    )

    assert "another size" in played.failures()[0]


def test_a_result_can_be_refined_from_its_own_latents(folders: dict[str, Path]) -> None:
    """The latent blob of a result is an init of the same model, and a low strength stays close to it."""
    runner = make(folders)
    parent = play(runner, [request("sd2", InitKind.PIXELS)], BLOBS).done[0]

    child = play(
        runner, [request("sd2", InitKind.LATENTS, strength=0.1, guidance=1.0)], {LATENTS: parent.latents}
    ).done[0]
    stranger = play(runner, [request("sd2", seeds=(99,))], {}).done[0]

    near, far = (np.abs(as_bytes(one) - as_bytes(parent).astype(int)).mean() for one in (child, stranger))
    assert near < far / 3


def test_too_little_strength_for_one_step_runs_one(folders: dict[str, Path]) -> None:
    """int(10 × 0.05) is 0 steps, for which diffusers has no result at all; people still get a picture."""
    played = play(make(folders), [request("sd2", InitKind.PIXELS, strength=0.05, steps=10)], BLOBS)

    assert [one.steps for one in played.progress()] == [1]
    assert 0 in played.done


def test_sizes_take_turns(folders: dict[str, Path]) -> None:
    """Two canvas sizes never share a pass, and both get their pictures."""
    wide = Frame(canvas=Size(128, 64), content=Size(128, 64))
    played = play(make(folders), [request("sd2", steps=20), request("sd2", frame=wide, steps=10)], {})

    assert {one.pixels.size for one in played.done.values()} == {Size(64, 64), Size(128, 64)}
    assert set(played.rows) == {2}


def test_models_take_turns_in_memory(folders: dict[str, Path]) -> None:
    """Requests of two models are both drawn, each as if its model were the only one; weights are swapped between."""
    diary = Diary()
    runner = make(folders, diary)

    both = play(runner, [request("sd2", steps=5), request("sd1", steps=5)], {})
    alone = play(make({"sd1": folders["sd1"], "sd2": folders["sd2"]}), [request("sd2", steps=5)], {})

    assert diary.phases.count(Phase.LOAD) == 2
    assert both.done[0].pixels == alone.done[0].pixels
    assert both.done[0].pixels != both.done[1].pixels


def test_a_model_that_is_asked_for_meanwhile_does_not_take_the_loaded_ones_place(
    folders: dict[str, Path],
) -> None:
    """`load` while others step only looks at the folder: they would have to be swapped back at once."""
    runner = make(folders)
    runner.admit(0, request("sd2"), 0, {})
    runner.step()
    before = runner.loaded

    runner.load("sd1")

    assert runner.loaded is before
    with pytest.raises(ModelUnavailable):
        runner.load("nowhere")


def test_a_model_that_is_gone_when_its_turn_comes_fails_its_own_samples(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    """They get a sentence, and the other model's samples go on."""
    runner = make({**folders, "gone": tmp_path / "gone"})

    played = play(runner, [request("sd2", steps=2), request("gone", seeds=(1, 2))], {})

    assert "gone" in played.failures()[1]
    assert list(played.done) == [0]


def test_latents_that_are_no_numbers_fail_their_sample_with_a_sentence(folders: dict[str, Path]) -> None:
    """A sample that ran over ends with words, not with a black picture, and not with the process."""
    runner = make(folders)
    bad = torch.full((1, 4, 8, 8), float("nan"))

    played = play(
        runner,
        [request("sd2", InitKind.LATENTS), request("sd2", steps=3)],
        {LATENTS: latents.pack(bad, fingerprint_of(runner))},
    )

    assert "numbers" in played.failures()[0]
    assert list(played.done) == [1]
