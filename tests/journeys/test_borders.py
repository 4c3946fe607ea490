"""The border between servers: whatever people of one forge, nothing of another one is read or written.

Two thousand random actions here; `python -m tests.journeys.test_borders 10000 1` does that many of them, with that
seed, in worlds of a thousand each.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from bot import custom_ids, logs, texts
from bot.custom_ids import How
from tests.discord.limits import Request
from tests.journeys.attackers import TEMPLATES, Attacker, Attacks, Attempt, attackers_of
from tests.journeys.two_servers import (
    Ids,
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
from tests.journeys.world import World, said, world

_SNOWFLAKE = re.compile(r"\d{17,20}")
_BROKEN = (texts.INTERNAL_ERROR, texts.PICTURE_FILE_GONE)
_NOBODY = Ids(*(frozenset() for _ in Ids._fields))


class Outcome(NamedTuple):
    """What came of one attempt. shown: what of the side under guard it brought to light. broken: with a sentence that
    says so. answered: as far as the bot should."""

    attempt: Attempt
    shown: frozenset[str]
    broken: bool
    answered: bool


class Guard:
    """Reads whatever the bot sends, and says what of it is of one side: words, ids, and colours of pictures."""

    def __init__(self, here: World, folder: Path, side: Side) -> None:
        self._here, self._folder, self._side = here, folder, side
        rows = rows_in(folder)
        self.ids = ids_of(side, rows)
        self._colours = colours_of(folder, belonging_to(self.ids, rows))
        self._before = self._state()
        self._typed = set[str]()

    def has_changed(self) -> bool:
        """Rows, files and messages of that side."""
        return self._state() != self._before

    async def see(self, attempt: Attempt) -> Outcome:
        self._typed |= set(_SNOWFLAKE.findall(attempt.said))
        sent, files = len(self._here.watch.requests), len(self._blobs())
        answer = await attempt.run()
        requests = self._here.watch.requests[sent:]
        shown = frozenset(
            [*self._in_requests(requests, attempt.said), *self._in_files(self._blobs()[files:])]
        )
        said = " ".join(str(request.body) for request in requests)
        broken = any(sentence in said for sentence in _BROKEN)
        return Outcome(attempt, shown, broken, answer is None or answer.acknowledged or not attempt.ours)

    def _state(self) -> object:
        files = {
            path.name: path.read_bytes() for path in (self._folder / "pictures").rglob("*") if path.is_file()
        }
        rows = belonging_to(self.ids, rows_in(self._folder))
        named = [str(row.get("file")) for row in rows["picture"]]
        return rows, messages_of(self._side), {name: files.get(name) for name in named}

    def _blobs(self) -> list[bytes]:
        return list(self._here.env.backend.cdn._blobs.values())

    def _in_requests(self, requests: Iterable[Request], said: str) -> Iterator[str]:
        """What somebody typed themselves may come back to them; whom they named also later, in their server's log."""
        for request in requests:
            text = f"{request.path} {request.body} {[upload.filename for upload in request.uploads]}"
            yield from (word for word in self._side.words if word in text.lower() and word not in said)
            yield from (set(_SNOWFLAKE.findall(text)) & self.ids.snowflakes) - self._typed

    def _in_files(self, files: Iterable[bytes]) -> Iterator[str]:
        for data in files:
            yield from (f"{word} in a file" for word in self._side.words if word in words_in(data))
            if shows_colour(data, self._colours):
                yield "a picture"


async def attack(here: World, folder: Path, count: int, seed: int) -> tuple[list[Outcome], bool]:
    """B against A; and whether anything of A has changed."""
    a, b = await two_sides(here)
    guard = Guard(here, folder, a)
    attacks = Attacks(attackers_of(b), a, guard.ids, ids_of(b, rows_in(folder)), seed)
    outcomes = [await guard.see(attacks.attempt()) for _ in range(count)]
    return outcomes, guard.has_changed()


def told(outcomes: Iterable[Outcome]) -> list[str]:
    """What was tried, and what it brought to light; as many lines as somebody wants to read."""
    lines = Counter(f"{each.attempt.kind}: {', '.join(sorted(each.shown))}" for each in outcomes)
    return [f"{count} x {line}" for line, count in lines.most_common(40)]


def faults(outcomes: Sequence[Outcome]) -> list[str]:
    return told(each for each in outcomes if each.shown or each.broken or not each.answered)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
async def test_nothing_of_another_server_is_read_or_written(tmp_path: Path, seed: int) -> None:
    """Forged presses, selects, forms, replies, menus, options and completions by members, moderators and in private."""
    async with world(tmp_path) as here:
        outcomes, changed = await attack(here, tmp_path, 500, seed)
        pressed = {each.attempt.kind.split(":")[0] for each in outcomes if each.attempt.ours}

        assert faults(outcomes) == []
        assert not changed
        assert len(pressed) > len(TEMPLATES)


async def test_the_same_is_seen_where_it_is_allowed(tmp_path: Path) -> None:
    """A's own people do the same on their side of the border: most kinds of it show or change something of theirs."""
    async with world(tmp_path) as here:
        a, _ = await two_sides(here)
        attacks = Attacks(attackers_of(a), a, ids_of(a, rows_in(tmp_path)), _NOBODY, seed=3)
        guard = Guard(here, tmp_path, a)
        outcomes = [await guard.see(attacks.attempt()) for _ in range(60)]
        read = [each for each in outcomes if each.shown]

        assert len(read) > 10
        assert any("a picture" in each.shown for each in outcomes)
        assert guard.has_changed()
        assert [each for each in outcomes if each.broken] == []


async def test_a_form_about_somebodys_file_is_theirs_alone(tmp_path: Path) -> None:
    """Its id is known to who sees the form; nobody else gets what is filled in, nor can they send it."""
    async with world(tmp_path) as here:
        a, b = await two_sides(here)
        theirs, own = (custom_ids.form_id("m", a.offer, How.SKETCH), Attacker.at(a.you, a.thread))
        tried = [
            await Attacker.at(who, who_at).press(theirs)
            for who, who_at in ((a.mod, a.thread), (b.mod, b.thread))
        ]
        opened = await own.press(theirs)

        assert [answer.modal for answer in tried] == [None, None]
        assert all("I was started again since you opened that form" in said(answer) for answer in tried)
        assert a.secret in str(opened.modal)


async def test_people_of_other_servers_are_not_written_to_nor_looked_up(tmp_path: Path) -> None:
    """Discord lets moderators name anybody: who is not in their server gets no warning from them."""
    async with world(tmp_path) as here:
        stranger = here.env.create_guild("Elsewhere").add_member(here.env.create_user("stranger")).user
        warned = await here.mod.slash(here.channel, "mod warn", person=stranger, reason="a heron")
        looked = await here.mod.slash(here.channel, "limits show", person=stranger)

        assert f"{stranger.mention} is not in this server." in said(warned)
        assert f"{stranger.mention} is not in this server." in said(looked)
        assert stranger.id not in here.env.backend.dm_channels
        assert rows_in(tmp_path)["audit"] == []


async def _many(count: int, seed: int) -> None:
    logs.configure("ERROR")
    found: list[str] = []
    changed = False
    for part, start in enumerate(range(0, count, 1000)):
        with tempfile.TemporaryDirectory() as folder:
            async with world(Path(folder)) as here:
                outcomes, differs = await attack(
                    here, Path(folder), min(1000, count - start), seed * 1000 + part
                )
        found += faults(outcomes)
        changed |= differs
    summary = f"{count} actions, {len(found)} kinds of faults, rows or messages changed: {changed}"
    sys.stdout.write("\n".join([summary, *found, ""]))


if __name__ == "__main__":
    asyncio.run(_many(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1))
