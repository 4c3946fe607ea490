"""What the model is taught to draw, and what is kept from it until it is judged.

Both lists are TOML beside this file and were chosen by hand: `concepts.toml` by looking at every drawing of every set,
and `held_out.toml` before any training.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

GROUPS = ("animals and nature", "food and drink", "places and travel", "activities", "objects", "faces")

STANDS = ("ground", "air", "water", "anywhere")

SIZES = ("small", "medium", "large")

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Concept:
    """One thing that can be drawn.

    name: as captions say it, lower case, without an article ("beach umbrella").
    code: its code points in hex ("26f1"), by which the sets of art are joined.
    group: one of GROUPS. aliases: other names of the very same thing, which no other concept has.
    stands: one of STANDS, where it naturally is. size: one of SIZES, beside other things.
    core: belongs to the forty that the small recipe learns and that every recipe is judged on.
    """

    name: str
    code: str
    group: str
    aliases: tuple[str, ...] = ()
    stands: str = "ground"
    size: str = "medium"
    core: bool = False


@dataclass(frozen=True)
class HeldOut:
    """What training never sees.

    pairs: (concept's name, background's name). couples: the names of two concepts, in no order.
    templates: ids of caption templates.
    """

    pairs: frozenset[tuple[str, str]]
    couples: frozenset[frozenset[str]]
    templates: frozenset[str]


@cache
def read_concepts() -> tuple[Concept, ...]:
    """All concepts, the core ones first, else in the order of the file."""
    concepts = [
        Concept(name, group=group, **(entry | {"aliases": tuple(entry.get("aliases", ()))}))
        for group, entries in _read("concepts.toml").items()
        for name, entry in entries.items()
    ]
    return tuple(sorted(concepts, key=lambda concept: not concept.core))


@cache
def read_held_out() -> HeldOut:
    """What is kept for judging."""
    table = _read("held_out.toml")
    return HeldOut(
        pairs=frozenset((concept, background) for concept, background in table["pairs"]),
        couples=frozenset(frozenset(couple) for couple in table["couples"]),
        templates=frozenset(table["templates"]),
    )


def _read(name: str) -> dict[str, Any]:
    with (_FOLDER / name).open("rb") as file:
        return tomllib.load(file)
