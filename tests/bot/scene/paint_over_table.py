"""How well edited copies are understood, as a table: `python -m tests.bot.scene.paint_over_table`.

The cases follow from their seeds. Those from FINAL on were never looked at while the detector was written.
"""

from __future__ import annotations

import argparse
from collections import defaultdict

import numpy as np

from bot.scene.paint_over import find_region
from tests.bot.scene.paint_over_cases import Case, edited_case, unedited_case

FINAL = 2_001_000


def overlap(case: Case) -> float:
    """Intersection over union of what was painted and what was found, before it is grown."""
    found = find_region(case.parent, case.edited).painted
    return float((found & case.truth).sum() / max(1, (found | case.truth).sum()))


def is_left_alone(case: Case) -> bool:
    return find_region(case.parent, case.edited).region is None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=FINAL)
    parser.add_argument("--edited", type=int, default=300)
    parser.add_argument("--unedited", type=int, default=150)
    options = parser.parse_args()
    groups: dict[str, list[float]] = defaultdict(list)
    for seed in range(options.first, options.first + options.edited):
        case = edited_case(seed)
        value = overlap(case)
        for group in ("all", f"saved as: {case.saving}", f"picture: {case.look}", f"with: {case.tool}"):
            groups[group].append(value)
    print("| cases | how many | median | 5 % are below | 0.7 or more |\n|---|---|---|---|---|")  # noqa: T201 - its job
    for group, values in sorted(groups.items()):
        share = np.mean(np.array(values) >= 0.7)
        low = np.quantile(values, 0.05)
        print(f"| {group} | {len(values)} | {np.median(values):.2f} | {low:.2f} | {share:.0%} |")  # noqa: T201
    seeds = range(options.first, options.first + options.unedited)
    alone = sum(is_left_alone(unedited_case(seed)) for seed in seeds)
    print(f"\nOnly saved again: {alone} of {len(seeds)} left alone.")  # noqa: T201


if __name__ == "__main__":
    main()
