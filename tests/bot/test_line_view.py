"""What /line makes of a line: its words and its chart."""

from __future__ import annotations

import itertools

import pytest
from discord import ui

from bot.components.line import MOST_IN_CHART, Glance, LineButton, Place, chart_of, line_view
from bot.line import Turn
from bot.store import Job, JobKind, JobState
from tests.bot.records import request

NOW = 10_000.0
VIEWER = 99
_numbers = itertools.count(1)


def place(person: int, *, turn: int | None = 1, asked: float = NOW, seconds: float | None = None) -> Place:
    """turn: the place in the line; None: it runs."""
    number = next(_numbers)
    job = Job(
        id=number,
        source=f"i{number}",
        kind=JobKind.IMAGINE,
        scene_id=1,
        guild_id=1,
        author_id=person,
        state=JobState.QUEUED if turn else JobState.RUNNING,
        attempt=0,
        request=request(),
        model_version="",
        parent_id=None,
        upload_id=None,
        notes=(),
        error=None,
        shown=False,
        created_at=asked,
        started_at=None,
        seconds=None,
    )
    waits = Turn(number, person, turn, turn, seconds) if turn is not None else None
    return Place(job=job, turn=waits, step=None)


def glance(*places: Place, held: int = 0, seconds: float | None = None, own_only: bool = False) -> Glance:
    return Glance(
        places=places, held=held, seconds=seconds, trouble="", viewer_id=VIEWER, own_only=own_only, now=NOW
    )


def words(seen: Glance) -> str:
    view = line_view(seen, None)
    return "\n".join(item.content for item in view.walk_children() if isinstance(item, ui.TextDisplay))


def test_a_row_for_each_person() -> None:
    """With all of their jobs and the longest of their waits; oneself first, somebody whose name is not known."""
    seen = glance(
        place(1, turn=None, asked=NOW - 900), place(1, turn=1, asked=NOW - 30), place(1, turn=2, asked=NOW - 120),
        place(VIEWER, turn=3),
    )  # fmt: skip
    mine, theirs = chart_of(seen, {VIEWER: "Anna"}).rows

    assert (mine.name, mine.running, mine.waiting, mine.waited_label, mine.own) == ("Anna", 0, 1, "0 s", True)
    assert (theirs.name, theirs.running, theirs.waiting, theirs.own) == ("somebody", 1, 2, False)
    assert (theirs.waited, theirs.waited_label) == (120.0, "2 min")


@pytest.mark.parametrize(
    "people, rows", [(1, 1), (MOST_IN_CHART + 1, MOST_IN_CHART + 1), (30, MOST_IN_CHART + 1)]
)
def test_many_people_share_a_row(people: int, rows: int) -> None:
    """Nobody is left out of the numbers, and oneself never shares it, however far back."""
    others = [place(person, turn=person, asked=NOW - person) for person in range(1, people)]
    chart = chart_of(glance(*others, place(VIEWER, turn=people)), {VIEWER: "Anna"})

    assert len(chart.rows) == rows
    assert sum(row.waiting for row in chart.rows) == people
    assert [row.own for row in chart.rows] == [True] + [False] * (rows - 1)
    assert (chart.rows[-1].name == "20 others") == (people == 30)


def test_a_clock_that_was_set_back_makes_no_negative_wait() -> None:
    """It is no wait at all."""
    (row,) = chart_of(glance(place(1, asked=NOW + 60)), {}).rows

    assert (row.waited, row.waited_label) == (0.0, "0 s")


def test_what_nobody_knows_is_not_said() -> None:
    """An estimate stands there only where there is one; held jobs only where there are some."""
    unknown = words(glance(place(1)))
    known = words(glance(place(1, seconds=30.0), seconds=30.0, held=1))

    assert "about" not in unknown
    assert "to go" not in unknown
    assert "moderator" not in unknown
    assert "all done in about 30 s" in known
    assert "about 30 s to go" in known
    assert "1 job more waits for a moderator, outside the line." in known


def test_an_empty_line_has_a_button_and_no_picture() -> None:
    """It may fill up."""
    items = list(line_view(glance(), None).walk_children())

    assert [item for item in items if isinstance(item, ui.MediaGallery)] == []
    assert [item.custom_id for item in items if isinstance(item, LineButton)] == ["art:line:0:0"]
