"""The model card: README.md in the model's folder, written from figures and never by hand.

    write_card(model_folder, evaluated=folder_of_the_evaluation, log=folder_of_the_training / "log.jsonl", …)

What failed is said first. Beside it go the two sheets, the figures themselves, the training's log and the notices that
the art's licences ask for.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.emoji_art import notices
from inference.emoji_art.art import JUDGES_SETS, PACKAGES, SETS
from inference.emoji_art.concepts import GROUPS, Concept
from inference.emoji_art.findings import (
    EVALUATION,
    Check,
    Evaluation,
    bounds_of,
    found_of,
    read_evaluation,
    shown,
)
from inference.emoji_art.recipe import Recipe

TITLE = "emoji art (built-in)"
CARD = "README.md"
LOG = "training.jsonl"
SHEETS = ("sheet.webp", "nearest.webp")

GATES = {
    1: "Objects",
    2: "Doodle to picture",
    3: "Strength",
    4: "Captions and seeds",
    5: "Autoencoder",
    6: "Pictures to look at",
}


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where weights come from. commit: of this repository, when they were trained. hardware: in words.

    commands: what makes them again, one line each.
    """

    recipe: Recipe
    commit: str
    hardware: str
    commands: tuple[str, ...]


def write_card(
    folder: Path, *, evaluated: Path, log: Path, origin: Origin, concepts: Sequence[Concept]
) -> Path:
    """Write README.md and the notices into `folder`, and copy the sheets, the figures and the training's log there.

    evaluated: where `evaluate` left its files. Equal input gives an equal card. Raises OSError, msgspec.DecodeError.
    """
    evaluation = read_evaluation(evaluated / EVALUATION)
    for name in (EVALUATION, *SHEETS):
        shutil.copyfile(evaluated / name, folder / name)
    shutil.copyfile(log, folder / LOG)
    (folder / notices.FILE).write_text(notices.third_party_notices(), "utf-8")
    card = folder / CARD
    card.write_text(card_text(evaluation, stages_of(log), origin, concepts), "utf-8")
    return card


@dataclass(frozen=True)
class Stage:
    """One stage of a training: how long it took in all, and the last line that it logged."""

    name: str
    seconds: float
    last: dict[str, Any]


def stages_of(log: Path) -> tuple[Stage, ...]:
    """The stages in the log, in order. Its clock starts anew whenever a training is taken up again."""
    seconds: dict[str, float] = {}
    last: dict[str, dict[str, Any]] = {}
    before = 0.0
    for text in log.read_text("utf-8").splitlines():
        line = json.loads(text)
        name, now = line.pop("stage"), line.pop("seconds")
        seconds[name] = seconds.get(name, 0.0) + (now - before if now >= before else now)
        last[name] = {**last.get(name, {}), **line}
        before = now
    return tuple(Stage(name, seconds[name], last[name]) for name in seconds)


def card_text(
    evaluation: Evaluation, stages: Sequence[Stage], origin: Origin, concepts: Sequence[Concept]
) -> str:
    """The card's Markdown."""
    parts = [
        _title(evaluation),
        _verdict(evaluation, origin),
        _pictures(evaluation),
        _gates(evaluation),
        _judges(evaluation),
        _curves(evaluation),
        _vocabulary(evaluation, concepts),
        _likeness(evaluation),
        _training(evaluation, stages, origin),
        _data(),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _title(evaluation: Evaluation) -> str:
    demo = "" if evaluation.passed else ": a demo"
    return f"""\
# {TITLE}{demo}

A small text-conditioned diffusion model, trained from nothing by the Moonsketch project on openly licensed emoji art.
It draws {len(evaluation.labels)} things in emoji style, at 256×256, alone or a few together, in simple places, and
redraws sketches of them. It knows nothing else: it has never seen a photograph, a person or a letter.

This page is written by `python -m inference.emoji_art publish` from measured figures. Do not edit it.

```python
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionPipeline

pipeline = StableDiffusionPipeline.from_pretrained(folder, safety_checker=None, feature_extractor=None)
picture = pipeline("{evaluation.prompts[0] if evaluation.prompts else ""}", num_inference_steps={evaluation.steps}, \
guidance_scale={evaluation.guidance:g}).images[0]
```"""


def _verdict(evaluation: Evaluation, origin: Origin) -> str:
    failed = [check for check in evaluation.checks if not check.passed]
    met = len(evaluation.checks) - len(failed)
    if not failed:
        return f"**All {met} checks of the six gates below are met.**"
    wrong = "\n".join(f"- {_plainly(check)}" for check in failed)
    again = "\n".join(origin.commands)
    return f"""\
**This is a demo: {len(failed)} of {len(evaluation.checks)} checks failed.** The bounds were fixed before the training \
and are not moved.

{wrong}

A longer training replaces these weights:

```
{again}
```"""


def _plainly(check: Check) -> str:
    return f"Gate {check.gate}: {check.claim}: {found_of(check)}, asked for {bounds_of(check)}."


def _pictures(evaluation: Evaluation) -> str:
    return f"""\
## What it draws

![{len(evaluation.prompts)} pictures with their prompts]({SHEETS[0]})

The first {len(evaluation.prompts)} seeds, 0 to {len(evaluation.prompts) - 1}, of a fixed list of prompts. None was \
picked and none left out; {evaluation.steps} steps, guidance {evaluation.guidance:g}."""


def _gates(evaluation: Evaluation) -> str:
    rows = [
        [
            f"{check.gate}. {GATES[check.gate]}",
            check.claim,
            bounds_of(check),
            found_of(check),
            shown(check.chance, check.unit) if check.chance is not None else "",
            str(check.count),
            "met" if check.passed else "**failed**",
        ]
        for check in evaluation.checks
    ]
    return f"""\
## Gates

Two figures are those of two judges; the worse one counts. “Chance” is what guessing reaches, or what another picture's
answer would give.

{_table(["gate", "claim", "asked", "found", "chance", "n", ""], rows)}"""


def _judges(evaluation: Evaluation) -> str:
    rows = [
        [
            str(judge.seed),
            shown(judge.scenes, "%"),
            shown(judge.never_seen_core, "%"),
            shown(judge.never_seen_every, "%"),
            shown(judge.never_seen_grey, "%"),
            shown(judge.blobs, "%"),
        ]
        for judge in evaluation.judges
    ]
    weakest: dict[str, float] = {}
    for judge in evaluation.judges:
        for name, share in judge.weakest.items():
            weakest[name] = min(share, weakest.get(name, share))
    header = [
        "seed",
        "new scenes",
        "never-seen art, core",
        "never-seen art, all",
        "the same in grey",
        "blobs",
    ]
    chance = shown(1 / len(evaluation.labels), "%")
    return f"""\
## How far the judges can be trusted

A judge is two small convolutional networks that were trained on scenes of the same art and of two sets more, a part
of them grey, turned in hue, bent, blurred or doodled. They name one of {len(evaluation.labels)} things; chance is \
{chance}. “Never-seen” is Twemoji, which neither the judges nor the model were trained on; how judges are trained was
settled by looking at that column, so it flatters them a little. “Blobs” are things smeared to a disc of their mean
colour: what a judge would credit for colour alone.

{_table(header, rows)}

Least recognised in never-seen art: {_shares(weakest)}."""


def _curves(evaluation: Evaluation) -> str:
    found = evaluation.strengths
    rows = [
        [
            f"{strength:g}",
            shown(distance, ""),
            shown(recognised, "%"),
            shown(doodle, "%"),
            shown(prompt, "%"),
        ]
        for strength, distance, recognised, doodle, prompt in zip(
            found.strengths,
            found.distances,
            found.recognised,
            found.wrong_doodle,
            found.wrong_prompt,
            strict=True,
        )
    ]
    before = " and ".join(shown(share, "%") for share in evaluation.doodles_before)
    losses = evaluation.losses
    header = [
        "strength",
        "distance to the sketch",
        "object seen",
        "wrong prompt: doodle's",
        "wrong prompt: prompt's",
    ]
    return f"""\
## Strength

Doodles of never-seen art, redrawn with the prompt that names what they show, and with a wrong one. The judges see the
object in {before} of the doodles as they are sent.

{_table(header, rows)}

Loss of the denoiser on scenes it was not trained on: {shown(losses.true, "")} with true captions, \
{shown(losses.empty, "")} with none, {shown(losses.shuffled, "")} with those of other scenes."""


def _vocabulary(evaluation: Evaluation, concepts: Sequence[Concept]) -> str:
    taught = [concept for concept in concepts if concept.name in set(evaluation.labels)]
    groups = [
        f"- **{group}**: {', '.join(names)}"
        for group in GROUPS
        if (names := [concept.name for concept in taught if concept.group == group])
    ]
    weak = {name: share for name, share in evaluation.recognised.items() if share < 0.5}
    told = (
        f"Seldom recognised, before backgrounds that training kept from them: {_shares(weak)}."
        if weak
        else "Each of those asked for was recognised in at least half of its pictures."
    )
    return "## What it knows\n\n" + "\n".join(groups) + "\n\n" + told


def _likeness(evaluation: Evaluation) -> str:
    near = evaluation.nearest
    return f"""\
## How much it copies

![outputs, each beside its nearest training sprite]({SHEETS[1]})

It has seen each thing drawn in two or three ways, many thousand times: **its pictures resemble the art that it was
trained on, closely and by design.** Left, twelve outputs (every third of the sheet above); right, the training sprite
that is nearest in pixels, wherever and however large it is put. The mean distance is {shown(near.outputs, "")} of the
range of a pixel; scenes made of the training art itself have {shown(near.copies, "")}, and scenes of never-seen art,
which cannot be copies, {shown(near.strangers, "")}."""


def _training(evaluation: Evaluation, stages: Sequence[Stage], origin: Origin) -> str:
    rows = [
        [
            stage.name,
            f"{stage.seconds / 60:.1f}",
            ", ".join(f"{key} {value}" for key, value in stage.last.items()),
        ]
        for stage in stages
    ]
    commands = "\n".join(origin.commands)
    return f"""\
## Training

Recipe `{origin.recipe.name}`, seed {origin.recipe.seed}, commit `{origin.commit}`, on {origin.hardware}: \
{sum(stage.seconds for stage in stages) / 60:.0f} minutes in all. The whole log is `{LOG}`.

{_table(["stage", "minutes", "last figures"], rows)}

```
{commands}
```

Weights (SHA-256 over names and contents): `{evaluation.weights}`. Evaluated at scale `{evaluation.scale}` in \
{evaluation.seconds / 60:.0f} minutes on {evaluation.machine}."""


def _data() -> str:
    rows = [
        [
            package.set,
            f"{package.name} {package.version}",
            package.licence,
            _use(package.set),
            f"`{package.integrity}`",
        ]
        for package in PACKAGES
    ]
    return f"""\
## Data and licences

{_table(["set", "npm package", "licence of the art", "use", "integrity"], rows)}

The packages name these licences but do not hold the art's own licence files; the texts are in `{notices.FILE}`. The
weights are under this project's MIT licence. Because they come so close to the art, treat them and collections of
their pictures as works derived from it: keep `{notices.FILE}` with them."""


def _use(set_name: str) -> str:
    if set_name in SETS:
        return "trained on"
    return "judges only, not shipped" if set_name in JUDGES_SETS else "test only, not shipped"


def _shares(shares: dict[str, float]) -> str:
    ordered = sorted(shares.items(), key=lambda item: (item[1], item[0]))
    return ", ".join(f"{name} {shown(share, '%')}" for name, share in ordered)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
