"""`python -m tests.bot.words.table`: how much the filter catches and how much it wrongly holds, and how long it takes.

Counts only: nobody who mends the filter may read the unseen rows.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping

from bot.words.default import default
from bot.words.reading import read
from tests.bot.words.sets import Share, caught, caught_by, rows

_MOST_TEXT = 4000
"""Characters: what Discord lets people write in one message."""


def _block(title: str, shares: Mapping[str, Share]) -> Iterator[str]:
    yield f"  {title}"
    yield from (f"    {name:12} {share}" for name, share in shares.items())


def lines(half: str) -> Iterator[str]:
    """half: seen or unseen."""
    bad, art = rows(f"bad_{half}"), rows(f"art_{half}")
    plain = [row for row in art if row.category == "art"]
    nudes = [row for row in art if row.category == "adult-art"]
    yield f"{half}"
    yield f"  caught, in a channel for everybody            {caught(bad)}"
    yield f"  wrongly held, in a channel for everybody      {caught(plain)}"
    yield f"  wrongly held, in an age-restricted channel    {caught(plain, adults_only=True)}"
    yield f"  artistic nudity held, for everybody           {caught(nudes)}"
    yield f"  artistic nudity held, age-restricted          {caught(nudes, adults_only=True)}"
    yield from _block("caught, by category", caught_by(bad, lambda row: row.category))
    yield from _block("caught, by disguise", caught_by(bad, lambda row: row.disguise))


def seconds_for(text: str, repeats: int = 7) -> float:
    """Processor time, the best of some."""
    best = float("inf")
    for _ in range(repeats):
        begun = time.process_time()
        default().matcher.hits(read(text))
        best = min(best, time.process_time() - begun)
    return best


def long_texts() -> dict[str, str]:
    """Of four thousand characters each: ordinary words, and what is the most work."""
    prose = " ".join(row.prompt for row in rows("art_seen"))
    texts = {
        "prompts": prose,
        "hits": "a nude study in charcoal ",
        "pairs": "kill all jews as rats ",
        "hyphens": "as-",
        "spelt out": "p o r n ",
        "crumbs": "ab cd ef gh ",
        "one letter": "p",
    }
    return {name: (text * _MOST_TEXT)[:_MOST_TEXT] for name, text in texts.items()}


def main(halves: list[str]) -> None:
    for half in halves or ["seen", "unseen"]:
        sys.stdout.write("\n".join(lines(half)) + "\n")
    for name, text in long_texts().items():
        sys.stdout.write(f"{name:12} {len(text)} characters: {seconds_for(text) * 1000:5.1f} ms\n")


if __name__ == "__main__":
    main(sys.argv[1:])
