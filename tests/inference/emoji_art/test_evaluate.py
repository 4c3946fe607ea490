"""The gates: a model that draws what it is asked passes, one that does not fails, and every figure is written down."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
import torch
from PIL import Image

from inference.emoji_art import gates
from inference.emoji_art.drawer import Drawer, Pipelines
from inference.emoji_art.evaluate import fingerprint, judges_for, measure
from inference.emoji_art.findings import SCALES, Check, read_evaluation, sentence_of
from inference.emoji_art.gates import Inquiry, sheet_prompts
from tests.inference.emoji_art.judging import (
    TOY_SCALE,
    Deaf,
    Painter,
    strange_world,
    toy_judge,
    toy_world,
)
from tests.inference.tiny_models import write_sd2


def inquiry_into(drawer: Drawer) -> Inquiry:
    return Inquiry(drawer, (toy_judge(),), toy_world(), strange_world(), TOY_SCALE)


def passed(inquiry: Inquiry, claim: str) -> bool:
    return next(check.passed for check in inquiry.checks if check.claim.startswith(claim))


@pytest.fixture(scope="module")
def painted(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The evaluation of a model that draws what it is asked."""
    out = tmp_path_factory.mktemp("painted")
    return SimpleNamespace(out=out, evaluation=measure(inquiry_into(Painter()), out))


def test_a_model_that_draws_what_it_is_asked_passes(painted: SimpleNamespace) -> None:
    """A drawer that paints the sprites that its prompts name meets every check of every gate."""
    failed = [sentence_of(check) for check in painted.evaluation.checks if not check.passed]

    assert failed == []
    assert {check.gate for check in painted.evaluation.checks} == {1, 2, 3, 4, 5, 6}
    assert painted.evaluation.passed


def test_a_model_that_does_not_listen_fails() -> None:
    """A drawer whose pictures are perfect, but depend on the seed alone, fails for objects, doodles and prompts."""
    inquiry = inquiry_into(Deaf())

    for gate in (gates.objects, gates.doodles, gates.strengths, gates.prompts_apart):
        gate(inquiry)

    assert not passed(inquiry, "single objects")
    assert not passed(inquiry, "the prompt's object is recognised in doodles")
    assert not passed(inquiry, "with a wrong prompt the prompt's object leads")
    assert not passed(inquiry, "one seed, two objects")


def test_an_untrained_model_fails(tmp_path: Path) -> None:
    """A model of random weights goes through both real pipelines, and fails for objects and round trips."""
    inquiry = inquiry_into(Pipelines(write_sd2(tmp_path / "untrained"), steps=5))
    inquiry.scale = dataclasses.replace(TOY_SCALE, wordings=1, seeds=1, doodles=1, strengths=3, checked=4)

    for gate in (gates.objects, gates.doodles, gates.strengths, gates.captions, gates.round_trips):
        gate(inquiry)

    assert not passed(inquiry, "single objects")
    assert not passed(inquiry, "with a wrong prompt the prompt's object leads")
    assert not passed(inquiry, "the autoencoder's round trip of scenes")
    assert all(check.count > 0 and None not in check.values for check in inquiry.checks)


def test_what_is_no_number_fails() -> None:
    """A measurement that gave not-a-number is booked as failed and as nothing, whichever way its bound points."""
    inquiry = inquiry_into(Painter())

    inquiry.check(1, "claim", [math.nan], low=0.0, count=5)
    inquiry.check(1, "claim", [math.nan], high=1.0, count=5)
    inquiry.check(1, "claim", [0.5], low=0.0, count=0)
    inquiry.check(1, "claim", [0.5], low=0.0, count=5)

    assert [check.passed for check in inquiry.checks] == [False, False, False, True]
    assert inquiry.checks[0].values == (None,)


def test_the_worse_judge_counts() -> None:
    """A check with two judges passes only if both are over the bound."""
    inquiry = inquiry_into(Painter())

    inquiry.check(2, "claim", [0.9, 0.84], low=0.85, count=5)

    assert not inquiry.checks[0].passed


def test_a_failed_check_says_so() -> None:
    """Its sentence names the gate, the figures, the bound, the chance and how many pictures it comes from."""
    check = Check(
        gate=2, claim="doodles", unit="%", values=(0.5, 0.725), low=0.85, high=None, chance=0.025, count=80,
        passed=False,
    )  # fmt: skip

    assert sentence_of(check) == (
        "gate 2 FAILED: doodles: 50 % and 72.5 % (at least 85 %; n = 80; chance 2.5 %)"
    )


def test_figures_survive_the_file(painted: SimpleNamespace, tmp_path: Path) -> None:
    """What is written is read back whole, with chance and count beside every share."""
    path = tmp_path / "evaluation.json"
    path.write_bytes(msgspec.json.encode(painted.evaluation))

    evaluation = read_evaluation(path)

    assert evaluation == painted.evaluation
    assert all(check.chance is not None for check in evaluation.checks if check.unit == "%")


def test_sheets_show_everything(painted: SimpleNamespace) -> None:
    """The contact sheet has six rows of six, the other one twelve pairs."""
    with Image.open(painted.out / "sheet.webp") as sheet, Image.open(painted.out / "nearest.webp") as nearest:
        sizes = sheet.size, nearest.size

    assert sizes[0][0] == sizes[1][0]
    assert sizes[0][1] > sizes[0][0] > sizes[1][1]
    assert painted.evaluation.prompts == sheet_prompts(toy_world().sprites)
    assert len(painted.evaluation.prompts) == 36


def test_copies_are_nearer_than_what_others_drew(painted: SimpleNamespace) -> None:
    """A painter of the training art is as near to it as that art itself, and nearer than somebody else's."""
    nearest = painted.evaluation.nearest

    assert nearest.outputs < nearest.strangers
    assert nearest.copies < nearest.strangers


def test_judges_are_trained_once(tmp_path: Path) -> None:
    """A second call takes the judges from the folder; other labels make new ones."""
    quick = dataclasses.replace(TOY_SCALE, judge_steps=1, judge_scenes=4)
    sprites = toy_world().sprites

    first = judges_for(sprites, tmp_path, scale=quick)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    again = judges_for(sprites, tmp_path, scale=quick)

    picture = torch.zeros(1, 3, 256, 256)
    assert len(written) == len(first) == 2
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == written
    assert torch.allclose(first[1].scores(picture), again[1].scores(picture), atol=1e-4)
    assert not torch.allclose(first[0].scores(picture), first[1].scores(picture), atol=1e-4)


def test_other_labels_are_refused(tmp_path: Path) -> None:
    """Judges of other concepts cannot measure these."""
    judge = toy_judge()
    judge_of_others = type(judge)(torch.nn.Identity(), ("ball", "box", "rose"))
    inquiry = Inquiry(Painter(), (judge_of_others,), toy_world(), strange_world(), TOY_SCALE)

    with pytest.raises(ValueError, match="other concepts"):
        measure(inquiry, tmp_path)


def test_the_fingerprint_follows_the_weights(tmp_path: Path) -> None:
    """One changed byte in one shard is another model; a changed text file is not."""
    (tmp_path / "unet").mkdir()
    weights = tmp_path / "unet" / "model.safetensors"
    weights.write_bytes(b"weights")
    before = fingerprint(tmp_path)
    (tmp_path / "README.md").write_text("words")
    with_words = fingerprint(tmp_path)
    weights.write_bytes(b"weightz")

    assert before == with_words
    assert before != fingerprint(tmp_path)


def test_scales_ask_for_everything_that_is_held_out() -> None:
    """But for the quick one, every scale draws all forty pairs and twenty couples, with four seeds each."""
    for name in ("small", "full"):
        scale = SCALES[name]

        assert (scale.pairs, scale.couples, scale.seeds) == (40, 20, 4)
    assert SCALES["full"].pairs * SCALES["full"].wordings >= 300
