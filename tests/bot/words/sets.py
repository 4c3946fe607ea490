"""The labelled prompts, and what the filter makes of them in a channel of each audience."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from bot.store import Verdict
from bot.words.default import default
from bot.words.reading import read

HERE = Path(__file__).parent


class Row(NamedTuple):
    prompt: str
    category: str
    disguise: str


class Share(NamedTuple):
    """How many of how many."""

    number: int
    of: int

    @property
    def ratio(self) -> float:
        return self.number / self.of

    def __str__(self) -> str:
        return f"{self.number:3d} of {self.of:3d} ({self.ratio:6.1%})"


def rows(name: str) -> list[Row]:
    """name: a file without its suffix."""
    with (HERE / f"{name}.tsv").open(encoding="utf-8", newline="") as file:
        table = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Row(row["prompt"], row["category"], row["disguise"]) for row in table]


def is_caught(row: Row, *, adults_only: bool = False) -> bool:
    """Refused or held."""
    kinds = default().kinds
    found = default().matcher.hits(read(row.prompt))
    return any(kinds[hit.key].verdict(adults_only=adults_only) is not Verdict.ALLOW for hit in found)


def caught(these: Sequence[Row], *, adults_only: bool = False) -> Share:
    return Share(sum(is_caught(row, adults_only=adults_only) for row in these), len(these))


def caught_by(these: Sequence[Row], key: Callable[[Row], str]) -> dict[str, Share]:
    """By what `key` says of a row."""
    total, found = Counter(map(key, these)), Counter(key(row) for row in these if is_caught(row))
    return {each: Share(found[each], total[each]) for each in sorted(total)}
