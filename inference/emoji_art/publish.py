"""The finished model's folder: weights, vocabulary, model card, notices."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from inference.emoji_art.backgrounds import COLOURS, PLACES
from inference.emoji_art.captions import STYLES, words
from inference.emoji_art.carry import STATE
from inference.emoji_art.concepts import GROUPS, Concept
from inference.emoji_art.model_card import TITLE, Origin, write_card
from inference.sums import write_sums

VOCABULARY = "vocabulary.json"


def publish(
    model: Path, to: Path, *, evaluated: Path, log: Path, origin: Origin, concepts: Sequence[Concept]
) -> Path:
    """Replace `to` by the model with everything that belongs beside it. Returns the model card.

    evaluated: where `evaluate` left its files. log: of the training.
    """
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(model, to, ignore=shutil.ignore_patterns(STATE))
    (to / VOCABULARY).write_text(json.dumps(vocabulary_of(concepts), indent=1) + "\n", "utf-8")
    for file in (path for path in to.rglob("*") if path.is_file()):
        file.chmod(0o644)  # weights are saved for their owner only
    write_sums(to)
    return write_card(to, evaluated=evaluated, log=log, origin=origin, concepts=concepts)


def vocabulary_of(concepts: Sequence[Concept]) -> dict[str, object]:
    """What the model can be asked for, by group; and every other word that its captions had."""
    groups = {group: [concept.name for concept in concepts if concept.group == group] for group in GROUPS}
    groups |= {
        "places": [background.name for background in PLACES],
        "colours": list(COLOURS),
        "styles": list(STYLES),
    }
    aliases = {alias for concept in concepts for alias in concept.aliases}
    return {
        "title": TITLE,
        "groups": {group: names for group, names in groups.items() if names},
        "words": sorted(words(concepts) | aliases),
    }
