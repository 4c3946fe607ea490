"""The border between servers: whatever people of one forge, nothing of another one is read or written.

Two thousand random actions here; `python -m tests.journeys.test_borders 10000` does that many of them, with another
seed as its second argument.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from bot import texts
from tests.discord.limits import Request
from tests.journeys.attackers import Attacks, Attempt, attackers_of
from tests.journeys.two_servers import (
    Side,
    belonging_to,
    colours_of,
    ids_of,
    messages_of,
    rows_in,
    shows_colour,
    two_sides,
    words_in,
)
from tests.journeys.world import World, world

ACTIONS = 500
SEEDS = range(4)

_SNOWFLAKE = re.compile(r"\d{17,20}")
_BROKEN = (texts.INTERNAL_ERROR, texts.PICTURE_FILE_GONE)


class Outcome(NamedTuple):
    """What came of one attempt. shown: what of the other side it brought to light. broken: a sentence that says so."""

    attempt: Attempt
    shown: frozenset[str]
    broken: bool
    unanswered: bool


class Sentry:
    """Reads whatever the bot sends, and says what of it is of one side: words, ids, and colours of pictures."""

    def __init__(self, here: World, folder: Path, side: Side) -> None:
        self._here = here
        rows = rows_in(folder)
        self.ids = ids_of(side, rows)
        theirs = belonging_to(self.ids, rows)
        self._colours = colours_of(folder, theirs)
        self._words = (side.secret, side.name)
        self._sent = 0
        self._files = 0
        self.skip()

    def skip(self) -> None:
        """What was sent so far is none of its business."""
        self._sent = len(self._here.watch.requests)
        self._files = len(self._here.env.backend.cdn._blobs)

    async def see(self, attempt: Attempt) -> Outcome:
        self.skip()
        answer = await attempt.run()
        requests = self._here.watch.requests[self._sent :]
        shown = frozenset(self._of_requests(requests, attempt.said)) | frozenset(self._of_files())
        said = " ".join(str(request.body) for request in requests)
        unanswered = answer is not None and not answer.acknowledged
        return Outcome(attempt, shown, any(sentence in said for sentence in _BROKEN), unanswered)

    def _of_requests(self, requests: list[Request], said: str) -> Iterator[str]:
        for request in requests:
            text = f"{request.path} {request.body} {[upload.filename for upload in request.uploads]}"
            yield from (word for word in self._words if word in text.lower() and word not in said)
            yield from set(_SNOWFLAKE.findall(text)) & self.ids.snowflakes - set(_SNOWFLAKE.findall(said))

    def _of_files(self) -> Iterator[str]:
        blobs: dict[str, bytes] = self._here.env.backend.cdn._blobs
        for data in list(blobs.values())[self._files :]:
            yield from (f"{word} in a file" for word in self._words if word in words_in(data))
            if not data.startswith(b"PK") and shows_colour(data, self._colours):
                yield "a picture"


async def attack(here: World, folder: Path, count: int, seed: int) -> list[Outcome]:
    """B against A; fails where anything of A is not as it was."""
    a, b = await two_sides(here)
    sentry = Sentry(here, folder, a)
    attacks = Attacks(attackers_of(b), a, sentry.ids, ids_of(b, rows_in(folder)), seed)
    rows, messages, files = belonging_to(sentry.ids, rows_in(folder)), messages_of(a), files_in(folder)
    outcomes = [await sentry.see(attacks.attempt()) for _ in range(count)]

    assert belonging_to(sentry.ids, rows_in(folder)) == rows
    assert messages_of(a) == messages
    assert files.items() <= files_in(folder).items()
    return outcomes


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "pictures").rglob("*.*")}


def told(outcomes: list[Outcome]) -> list[str]:
    return sorted({f"{each.attempt.kind}: {', '.join(sorted(each.shown))}" for each in outcomes})[:40]


@pytest.mark.parametrize("seed", SEEDS)
async def test_nothing_of_another_server_is_read_or_written(tmp_path: Path, seed: int) -> None:
    """Forged presses, selects, forms, replies, menus, options and completions by members, moderators and in private."""
    async with world(tmp_path) as here:
        outcomes = await attack(here, tmp_path, ACTIONS, seed)

        assert told([each for each in outcomes if each.shown]) == []
        assert told([each for each in outcomes if each.broken]) == []


if __name__ == "__main__":
    pass
