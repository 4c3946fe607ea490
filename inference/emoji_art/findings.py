"""What an evaluation asks for and what it found: plain records, and the bounds that were fixed before any training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import msgspec

EVALUATION = "evaluation.json"

STRENGTHS = (0.2, 0.4, 0.6, 0.8, 1.0)
DOODLE_STRENGTH = 0.6

SINGLES = 0.70
COUPLES = 0.45
NEVER_SEEN_CORE = 0.85
DOODLES = 0.85
RISES = 0.95
COLOUR_DRIFT = 0.06
"""How far the colours of 8×8 fields may be off at strength 0.2, in shares of the range."""
EMPTY_OVER_TRUE = 1.05
SHUFFLED_OVER_EMPTY = 1.15
PROMPTS_APART = 0.05
"""How far pictures of one seed and two prompts must be apart, mean over pixels, in shares of the range."""
DECIBELS = 28.0
SHEET = 36
NEAREST = 12


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How many pictures the figures come from.

    pairs, couples: at most so many of what is held out. wordings: prompts for each, seeds: pictures for each prompt.
    doodles: per core concept. strengths: doodles that are redrawn at every strength. checked: scenes for losses and
    the autoencoder. own: scenes per concept by which the judges are judged.
    """

    name: str
    pairs: int
    couples: int
    wordings: int
    seeds: int
    doodles: int
    strengths: int
    checked: int
    own: int
    judge_steps: int
    judge_scenes: int


QUICK = Scale(
    name="quick", pairs=8, couples=8, wordings=1, seeds=1, doodles=1, strengths=4, checked=8, own=2,
    judge_steps=200, judge_scenes=512,
)  # fmt: skip
SMALL = Scale(
    name="small", pairs=40, couples=20, wordings=1, seeds=4, doodles=2, strengths=20, checked=64, own=10,
    judge_steps=4_500, judge_scenes=6_144,
)  # fmt: skip
FULL = Scale(
    name="full", pairs=40, couples=20, wordings=8, seeds=4, doodles=4, strengths=40, checked=256, own=4,
    judge_steps=10_000, judge_scenes=16_384,
)  # fmt: skip
SCALES = {scale.name: scale for scale in (QUICK, SMALL, FULL)}


Figure = float | None
"""A number, or nothing where what was measured gave none (a model that draws not-a-number)."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a gate asks for.

    values: one per judge where judges say it. low, high: what they must all lie between. chance: what guessing reaches.
    count: how many pictures, pairs of pictures or scenes it comes from. unit: "%" for shares (0 … 1), "dB", "×", or
    nothing for plain numbers.
    """

    gate: int
    claim: str
    unit: str
    values: tuple[Figure, ...]
    low: float | None
    high: float | None
    chance: float | None
    count: int
    passed: bool


class JudgeFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How far one judge can be trusted: shares of scenes with one object in which it names that object first.

    core, every: among all labels, on scenes of core concepts and of all. scenes: made of the training art. never_seen:
    of art by other people; grey: that without colour. blobs: of the training art, each object one smear of its own
    colours, which nobody could name by its shape.
    """

    seed: int
    scenes: float
    never_seen_core: float
    never_seen_every: float
    never_seen_grey: float
    blobs: float
    weakest: dict[str, float]


class Strengths(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of doodles at each strength.

    distances: mean distance to the doodle's round trip, in shares of the range. The others are shares of pictures in
    which the judges see the object: with the right prompt, and with a wrong one the doodle's and the prompt's.
    """

    strengths: tuple[float, ...]
    distances: tuple[Figure, ...]
    recognised: tuple[float, ...]
    wrong_doodle: tuple[float, ...]
    wrong_prompt: tuple[float, ...]


class Losses(msgspec.Struct, frozen=True, kw_only=True):
    """The denoiser's mean squared error with true captions, with none and with those of other pictures."""

    true: Figure
    empty: Figure
    shuffled: Figure


class Nearest(msgspec.Struct, frozen=True, kw_only=True):
    """Mean distance, in shares of the range, to the most similar sprite of the training art, wherever it is put.

    outputs: of pictures that the model drew. copies: of scenes made of that art itself. strangers: of scenes made of
    never-seen art, which cannot be copies.
    """

    outputs: Figure
    copies: float
    strangers: float


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was found. prompts: those of the contact sheet, in its order; the seeds are 0, 1, 2 …"""

    scale: str
    steps: int
    guidance: float
    weights: str
    labels: tuple[str, ...]
    checks: tuple[Check, ...]
    judges: tuple[JudgeFigures, ...]
    recognised: dict[str, float]
    doodles_before: tuple[float, ...]
    strengths: Strengths
    losses: Losses
    nearest: Nearest
    prompts: tuple[str, ...]
    seconds: float
    machine: str

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)


def read_evaluation(path: Path) -> Evaluation:
    """Raises OSError, msgspec.DecodeError."""
    return msgspec.json.decode(path.read_bytes(), type=Evaluation)


def finite(value: float) -> Figure:
    return value if math.isfinite(value) else None


def bounds_of(check: Check) -> str:
    """What is asked for: "at least 70 %"."""
    bounds = [f"at least {shown(check.low, check.unit)}"] if check.low is not None else []
    bounds += [f"at most {shown(check.high, check.unit)}"] if check.high is not None else []
    return " and ".join(bounds)


def found_of(check: Check) -> str:
    """What was found: "72.5 % and 71 %"."""
    return " and ".join(shown(value, check.unit) for value in check.values)


def shown(value: Figure, unit: str) -> str:
    if value is None:
        return "not a number"
    if unit == "%":
        return f"{value:.1%}".replace(".0%", "%").replace("%", " %")
    return f"{value:.3g}{unit and ' ' * (unit != '×') + unit}"


def sentence_of(check: Check) -> str:
    """The check as a line of text."""
    chance = f"; chance {shown(check.chance, check.unit)}" if check.chance is not None else ""
    verdict = "passed" if check.passed else "FAILED"
    asked = f"{bounds_of(check)}; n = {check.count}{chance}"
    return f"gate {check.gate} {verdict}: {check.claim}: {found_of(check)} ({asked})"
