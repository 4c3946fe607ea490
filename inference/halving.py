"""Work that may not fit into memory at once: it is done in parts, and the parts are halved until they fit.

Plain Python. What counts as not fitting is the caller's affair (`inference.memory` knows torch's errors).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_parts(
    items: Sequence[T],
    most: int,
    compute: Callable[[Sequence[T], int], Sequence[R] | None],
    *,
    filled: bool = False,
) -> tuple[list[R | None], int]:
    """Compute all items, at most `most` of them at a time.

    compute: gets some items and how many there could be; gives their results in order, or None if they did not fit into
    memory together. Then half as many are tried, and the larger number is not tried again. Returns the results (None
    for an item that did not fit even alone) and how many items at a time it has come down to. filled: `compute` takes
    the memory of `most` items for any number of them.
    """
    results: list[R | None] = []
    while len(results) < len(items):
        part = items[len(results) : len(results) + most]
        tried = most if filled else len(part)
        computed = compute(part, most)
        if computed is not None:
            results.extend(computed)
        elif tried > 1:
            most = tried // 2
        else:
            results.append(None)
    return results, most
