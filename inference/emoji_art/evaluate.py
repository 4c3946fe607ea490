"""Measures a finished model against gates that were fixed before it was trained, and writes what it found.

    evaluation = evaluate(model_folder, sprites_path, out_folder)

A gate is met or failed, nothing in between, and a failed one is written down like any other. What a figure is worth
is said beside it: what pure chance would reach, how many pictures it comes from, and how well the judges do on art by
people they have never seen. Two judges must agree; the worse one counts.
"""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import torch

from inference.emoji_art import gates
from inference.emoji_art.art import JUDGES_SETS, NEVER_SEEN, Sprites, load_sprites
from inference.emoji_art.concepts import Concept, read_concepts, read_held_out
from inference.emoji_art.drawer import GUIDANCE, STEPS, Pipelines
from inference.emoji_art.findings import EVALUATION, SMALL, Evaluation, Scale
from inference.emoji_art.judge import Judge, load_judge, train_judge
from inference.emoji_art.world import World

JUDGE_SEEDS = (0, 1)


def evaluate(
    folder: Path,
    sprites_path: Path,
    out: Path,
    *,
    scale: Scale = SMALL,
    concepts: Sequence[Concept] | None = None,
    device: str = "cpu",
    tell: Callable[[str], None] = lambda _: None,
) -> Evaluation:
    """Measure the model in `folder`, a plain diffusers folder, and write evaluation.json and two sheets into `out`.

    concepts: what it was taught, by default the core ones; they are the judges' labels. Judges that an earlier call
    trained for the same labels and scale are used again. tell: is given a line now and then. Raises ArtError, OSError
    and whatever diffusers raises for a folder that it cannot open.
    """
    if concepts is None:
        concepts = [concept for concept in read_concepts() if concept.core]
    out.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    held_out = read_held_out()
    seen = World(load_sprites(sprites_path, concepts), held_out, torch.device("cpu"))
    unseen = World(load_sprites(sprites_path, concepts, [NEVER_SEEN]), held_out, torch.device("cpu"))
    judges = judges_for(load_sprites(sprites_path, concepts, JUDGES_SETS), out, scale=scale, tell=tell)
    inquiry = gates.Inquiry(Pipelines(folder, device=device), judges, seen, unseen, scale, tell)
    evaluation = measure(inquiry, out, weights=fingerprint(folder), began=began)
    path = out / EVALUATION
    path.write_bytes(msgspec.json.format(msgspec.json.encode(evaluation), indent=2) + b"\n")
    return evaluation


def judges_for(
    sprites: Sprites, out: Path, *, scale: Scale, tell: Callable[[str], None] = lambda _: None
) -> tuple[Judge, ...]:
    """Two judges of these sprites' concepts, from `out` if they are there."""
    labels = tuple(concept.name for concept in sprites.concepts)
    judges = []
    for seed in JUDGE_SEEDS:
        path = out / f"judge-{scale.judge_steps}-{seed}.safetensors"
        judge = load_judge(path) if path.exists() else None
        if judge is None or judge.labels != labels:
            judge = train_judge(
                sprites, seed=seed, steps=scale.judge_steps, scenes=scale.judge_scenes, tell=tell
            )
            judge.save(path)
        judges.append(judge)
    return tuple(judges)


def fingerprint(folder: Path) -> str:
    """SHA-256 over the names and contents of all weights in a model folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.safetensors")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def measure(
    inquiry: gates.Inquiry, out: Path, *, weights: str = "", began: float | None = None
) -> Evaluation:
    """All gates in turn; the sheets go into `out`, evaluation.json does not."""
    began = time.monotonic() if began is None else began
    labels = tuple(concept.name for concept in inquiry.concepts)
    if any(judge.labels != labels for judge in inquiry.judges):
        raise ValueError("the judges know other concepts than these")
    judges = gates.judge_the_judges(inquiry)
    recognised = gates.objects(inquiry)
    before = gates.doodles(inquiry)
    strengths = gates.strengths(inquiry)
    losses = gates.captions(inquiry)
    gates.prompts_apart(inquiry)
    gates.round_trips(inquiry)
    prompts, nearest = gates.sheets(inquiry, out)
    return Evaluation(
        scale=inquiry.scale.name,
        steps=STEPS,
        guidance=GUIDANCE,
        weights=weights,
        labels=labels,
        checks=tuple(inquiry.checks),
        judges=judges,
        recognised=recognised,
        doodles_before=before,
        strengths=strengths,
        losses=losses,
        nearest=nearest,
        prompts=prompts,
        seconds=round(time.monotonic() - began, 1),
        machine=f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}",
    )
