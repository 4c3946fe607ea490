"""What /line shows: who runs and who waits in this server's line, in words and as a chart, and a button to look again.

In direct messages, whose people have nothing to do with each other, it shows only one's own jobs.
"""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import discord
import msgspec
from discord import ui

from bot import texts
from bot.answers import answering
from bot.blocks import Guarded
from bot.charts import LineChart, Row, draw_line
from bot.custom_ids import LINE_TEMPLATE, line_id
from bot.delivery import NOBODY
from bot.line import Turn
from bot.names import names_for
from bot.store import Job, JobState

if TYPE_CHECKING:
    from bot.client import ArtBot

MOST_SHOWN = 15
MOST_IN_CHART = 10
"""Persons, in rows; the others share one more."""

_FILE = "line.png"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A job in the line. turn: None for one that runs. step: the one that is done, of how many."""

    job: Job
    turn: Turn | None = None
    step: tuple[int, int] | None = None


class Glance(msgspec.Struct, frozen=True, kw_only=True):
    """All that somebody may see of a line. places: those that run, then those that wait, next first.

    held: how many a moderator has to let through first. seconds: until all of them are done, None while nobody knows.
    trouble: sentences about what keeps it from moving, empty when nothing does. own_only: these are one's own alone.
    """

    places: Sequence[Place]
    held: int
    seconds: float | None
    trouble: str
    viewer_id: int
    own_only: bool
    now: float

    @property
    def running(self) -> int:
        return sum(place.turn is None for place in self.places)


class LineButton(Guarded, ui.DynamicItem[ui.Button[Any]], template=LINE_TEMPLATE):
    """Shows the line as it is now, in the same message. Whose line it is, the interaction says: no id can name one."""

    def __init__(self) -> None:
        super().__init__(ui.Button(label=texts.LOOK_AGAIN, custom_id=line_id()))

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's signature
        item: ui.Item[Any],  # noqa: ARG003
        match: re.Match[str],  # noqa: ARG003
    ) -> Self:
        return cls()

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answering(interaction):
            await interaction.response.defer()
            await show_line(interaction)


async def show_line(interaction: discord.Interaction[ArtBot]) -> None:
    """Into the private answer that was announced, or that the button hangs on."""
    glance = await _glance(interaction.client, interaction.guild_id, interaction.user.id)
    chart, files = None, list[discord.File]()
    if glance.places:
        names = await names_for(interaction, (place.job.author_id for place in glance.places))
        chart = chart_of(glance, names)
        files.append(discord.File(io.BytesIO(await asyncio.to_thread(draw_line, chart)), _FILE))
    await interaction.edit_original_response(
        view=line_view(glance, chart), attachments=files, allowed_mentions=NOBODY
    )


async def _glance(bot: ArtBot, guild_id: int | None, viewer_id: int) -> Glance:
    jobs = {
        job.id: job
        for job in await bot.store.unfinished_jobs()
        if job.guild_id == guild_id and (guild_id is not None or job.author_id == viewer_id)
    }
    line = bot.jobs.line
    running = [
        Place(job=jobs[job_id], step=bot.jobs.step_of(job_id))
        for job_id in line.running_in(guild_id)
        if job_id in jobs
    ]
    waiting = [
        Place(job=jobs[turn.job_id], turn=turn) for turn in line.waiting_in(guild_id) if turn.job_id in jobs
    ]
    held = [job for job in jobs.values() if job.held_for is not None and job.state is JobState.QUEUED]
    return Glance(
        places=[*running, *waiting],
        held=len(held),
        seconds=_seconds_of(waiting) if waiting else line.seconds_left(),
        trouble=_trouble(bot, guild_id),
        viewer_id=viewer_id,
        own_only=guild_id is None,
        now=bot.now(),
    )


def _seconds_of(waiting: Iterable[Place]) -> float | None:
    """Until the last of them is done; None if of any nobody can tell."""
    known = [place.turn.seconds if place.turn is not None else 0.0 for place in waiting]
    return None if None in known else max(seconds for seconds in known if seconds is not None)


def _trouble(bot: ArtBot, guild_id: int | None) -> str:
    line = bot.jobs.line
    paused_for = line.paused_for(guild_id)
    paused = texts.line_is_still(paused_for) if paused_for is not None else ""
    return f"{paused} {texts.trouble(bot.engine.status, draining=line.draining)}".strip()


def line_view(glance: Glance, chart: LineChart | None) -> ui.LayoutView:
    """chart: what the picture in it shows; None without one."""
    view = ui.LayoutView(timeout=None)
    view.add_item(ui.TextDisplay("\n".join(_words(glance))))
    if chart is not None:
        picture = discord.MediaGalleryItem(f"attachment://{_FILE}", description=texts.line_alt_text(chart))
        view.add_item(ui.MediaGallery(picture))
    view.add_item(ui.TextDisplay(texts.as_of(glance.now)))
    view.add_item(ui.ActionRow(LineButton()))
    return view


def _words(glance: Glance) -> Iterable[str]:
    waiting = len(glance.places) - glance.running
    yield texts.line_title(glance.running, waiting, glance.seconds, own_only=glance.own_only)
    if glance.trouble:
        yield glance.trouble
    for place in glance.places[:MOST_SHOWN]:
        own = place.job.author_id == glance.viewer_id
        yield texts.line_entry(place.job, place.turn, place.step, own=own)
    if len(glance.places) > MOST_SHOWN:
        yield texts.and_more_in_line(len(glance.places) - MOST_SHOWN)
    if glance.held:
        yield texts.held_beside_the_line(glance.held)


def chart_of(glance: Glance, names: Mapping[int, str]) -> LineChart:
    """A row for each person, oneself first, then in order of their turns; those beyond MOST_IN_CHART in one row."""
    people: dict[int, list[Place]] = {}
    for place in sorted(glance.places, key=lambda place: place.job.author_id != glance.viewer_id):
        people.setdefault(place.job.author_id, []).append(place)
    shown = list(people)[: MOST_IN_CHART if len(people) > MOST_IN_CHART + 1 else len(people)]
    rows = [
        _row(names.get(person, texts.SOMEBODY), people[person], glance, own=person == glance.viewer_id)
        for person in shown
    ]
    if others := list(people)[len(shown) :]:
        theirs = [place for person in others for place in people[person]]
        rows.append(_row(texts.other_people(len(others)), theirs, glance, own=False))
    return LineChart(
        rows=tuple(rows),
        jobs=texts.CHART_JOBS,
        running=texts.CHART_RUNNING,
        waiting=texts.CHART_WAITING,
        waited=texts.CHART_LONGEST_WAIT,
    )


def _row(name: str, places: Sequence[Place], glance: Glance, *, own: bool) -> Row:
    waits = [max(0.0, glance.now - place.job.created_at) for place in places if place.turn is not None]
    longest = max(waits, default=0.0)
    return Row(
        name=texts.unformatted(name, 40),
        running=len(places) - len(waits),
        waiting=len(waits),
        waited=longest,
        waited_label=texts.lasting(longest) if waits else "",
        own=own,
    )
