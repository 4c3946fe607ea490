"""The model card and the notices: written from figures alone, with what failed at the top."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from inference.emoji_art.art import NEVER_SEEN, PACKAGES, SETS
from inference.emoji_art.findings import Check, Evaluation, JudgeFigures, Losses, Nearest, Strengths
from inference.emoji_art.model_card import Origin, stages_of, write_card
from inference.emoji_art.notices import third_party_notices
from inference.emoji_art.recipe import TOY
from tests.inference.emoji_art.toys import toy_concepts

ORIGIN = Origin(
    recipe=TOY,
    commit="0123abc",
    hardware="two CPU cores",
    commands=("python -m inference.emoji_art train training --recipe toy",),
)

MET = Check(
    gate=1, claim="single objects", unit="%", values=(0.8125, 0.75), low=0.7, high=None, chance=1 / 3, count=16,
    passed=True,
)  # fmt: skip
FAILED = Check(
    gate=5, claim="round trip of scenes", unit="dB", values=(24.26,), low=28.0, high=None, chance=None, count=8,
    passed=False,
)  # fmt: skip

EVALUATION = Evaluation(
    scale="toy",
    steps=20,
    guidance=4.0,
    weights="f00d" * 16,
    labels=("ball", "box", "tree"),
    checks=(MET,),
    judges=(
        JudgeFigures(
            seed=0,
            scenes=1.0,
            never_seen_core=0.9125,
            never_seen_every=0.9,
            never_seen_grey=0.5,
            blobs=0.25,
            weakest={"box": 0.625},
        ),
    ),
    recognised={"ball": 1.0, "box": 0.25},
    doodles_before=(0.7,),
    strengths=Strengths(
        strengths=(0.2, 0.4),
        distances=(0.02, 0.05),
        recognised=(0.7, 0.8),
        wrong_doodle=(0.7, 0.6),
        wrong_prompt=(0.0, 0.1),
    ),
    losses=Losses(true=0.1, empty=0.12, shuffled=0.2),
    nearest=Nearest(outputs=0.031, copies=0.012, strangers=0.06),
    prompts=("a ball on the beach", "a box"),
    seconds=61.0,
    machine="a test",
)

LOG = (
    {"stage": "autoencoder", "step": 0, "loss": 1.5, "seconds": 10.0},
    {"stage": "autoencoder", "step": 50, "loss": 0.5, "seconds": 70.0},
    # Taken up again: the clock starts anew.
    {"stage": "autoencoder", "psnr_scenes": 24.3, "seconds": 30.0},
    {"stage": "denoiser", "step": 0, "loss": 0.9, "seconds": 150.0},
)


def card_of(tmp_path: Path, evaluation: Evaluation) -> str:
    """Writes the card into tmp_path/model; what the evaluation left lies in tmp_path/evaluated."""
    evaluated, folder = tmp_path / "evaluated", tmp_path / "model"
    evaluated.mkdir(exist_ok=True)
    folder.mkdir(exist_ok=True)
    (evaluated / "evaluation.json").write_bytes(msgspec.json.encode(evaluation))
    for name in ("sheet.webp", "nearest.webp"):
        (evaluated / name).write_bytes(name.encode())
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in LOG))
    write_card(folder, evaluated=evaluated, log=log, origin=ORIGIN, concepts=toy_concepts())
    return (folder / "README.md").read_text("utf-8")


def test_what_failed_stands_at_the_top(tmp_path: Path) -> None:
    """A model that misses one bound is called a demo, and the card says which before it shows a picture."""
    evaluation = msgspec.structs.replace(EVALUATION, checks=(MET, FAILED))

    card = card_of(tmp_path, evaluation)

    assert card.splitlines()[0].endswith(": a demo")
    top = card.partition("## What it draws")[0]
    assert "1 of 2 checks failed" in top
    assert "Gate 5: round trip of scenes: 24.3 dB, asked for at least 28 dB." in top
    assert ORIGIN.commands[0] in top
    assert "| **failed** |" in card


def test_a_model_that_passes_is_no_demo(tmp_path: Path) -> None:
    """Only a failed check makes a demo."""
    card = card_of(tmp_path, EVALUATION)

    assert "demo" not in card
    assert "All 1 checks of the six gates below are met." in card


def test_figures_stand_beside_their_chance(tmp_path: Path) -> None:
    """Each check has its bound, what both judges found, the chance and the number of pictures in one row."""
    card = card_of(tmp_path, EVALUATION)

    row = next(line for line in card.splitlines() if "| single objects |" in line)
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        "1. Objects",
        "single objects",
        "at least 70 %",
        "81.2 % and 75 %",
        "33.3 %",
        "16",
        "met",
    ]


def test_the_card_tells_what_it_knows_and_what_it_copies(tmp_path: Path) -> None:
    """Concepts by group, those that are seldom recognised by name, and how near its pictures come to the art."""
    card = card_of(tmp_path, EVALUATION)

    assert "- **objects**: box" in card
    assert "box 25 %" in card
    assert "ball 100 %" not in card
    assert "0.031" in card
    assert "closely and by design" in card


def test_the_card_tells_how_to_make_it_again(tmp_path: Path) -> None:
    """Recipe, seed, commit, command, package versions with their hashes, and the weights' fingerprint."""
    card = card_of(tmp_path, EVALUATION)

    for expected in (
        "`toy`",
        f"seed {TOY.seed}",
        "`0123abc`",
        ORIGIN.commands[0],
        "two CPU cores",
        "f00d" * 16,
    ):
        assert expected in card
    for package in PACKAGES:
        row = next(line for line in card.splitlines() if f"{package.name} {package.version}" in line)
        assert package.integrity in row
        assert ("trained on" in row) == (package.set in SETS)
        assert ("test only" in row) == (package.set == NEVER_SEEN)


def test_what_the_card_speaks_of_lies_beside_it(tmp_path: Path) -> None:
    """The sheets, the figures, the log and the notices are in the model's folder, whole."""
    card_of(tmp_path, EVALUATION)

    folder = tmp_path / "model"
    assert (folder / "sheet.webp").read_bytes() == b"sheet.webp"
    assert (folder / "nearest.webp").read_bytes() == b"nearest.webp"
    assert msgspec.json.decode((folder / "evaluation.json").read_bytes(), type=Evaluation) == EVALUATION
    assert len((folder / "training.jsonl").read_text().splitlines()) == len(LOG)
    assert (folder / "THIRD_PARTY_NOTICES").read_text("utf-8") == third_party_notices()


def test_equal_input_gives_an_equal_card(tmp_path: Path) -> None:
    """Nothing of the day or the machine slips in; another figure does change it."""
    first = card_of(tmp_path, EVALUATION)

    again = card_of(tmp_path, EVALUATION)
    other = card_of(tmp_path, msgspec.structs.replace(EVALUATION, seconds=600.0))

    assert first == again
    assert first != other


def test_a_training_in_pieces_is_summed(tmp_path: Path) -> None:
    """The log's clock starts anew in each piece; the minutes of a stage are those of all its pieces."""
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in LOG))

    stages = stages_of(log)

    assert [(stage.name, stage.seconds) for stage in stages] == [("autoencoder", 100.0), ("denoiser", 120.0)]
    assert stages[0].last == {"step": 50, "loss": 0.5, "psnr_scenes": 24.3}


@pytest.mark.parametrize(
    "phrase",
    [
        "Copyright (c) Microsoft Corporation",
        "Copyright (c) 2023 LobeHub",
        "Copyright 2013 Google, Inc.",
        "Copyright (c) 2017-2019 Miles Johnson",
        "Copyright © 1991-2026 Unicode, Inc.",
        "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION",
        "UNICODE LICENSE V3",
        "Changed: rasterised",
    ],
)
def test_the_notices_name_everybody(phrase: str) -> None:
    """Each owner's line, the licences' whole texts, and what was changed."""
    assert phrase in third_party_notices()


def test_the_notices_hold_the_mit_terms_for_each_of_three() -> None:
    """Every MIT work has the permission notice under its copyright line; Twemoji, which is not shipped, has none."""
    text = third_party_notices()

    assert (
        text.count("Permission is hereby granted, free of charge, to any person obtaining a copy\nof this")
        == 3
    )
    assert "twemoji" not in text.casefold()
