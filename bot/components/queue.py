"""What /queue shows: one's own jobs that wait or run, in the order they will be done, each with a button to stop it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import discord
import msgspec
from discord import ui

from bot import texts
from bot.answers import answering
from bot.custom_ids import QUEUE_TEMPLATE, queue_id
from bot.delivery import NOBODY
from bot.errors import Gone
from bot.store import Job, JobState

if TYPE_CHECKING:
    from bot.client import ArtBot

MOST_SHOWN = 10
"""Three components each, and a message holds forty; a person who has more cancels from the top."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """One unfinished job of a person. position: 0 outside the line. card: a link, None before it is posted."""

    job: Job
    position: int
    seconds: float | None
    place_id: int
    card: str | None


class QueueButton(ui.DynamicItem[ui.Button[Any]], template=QUEUE_TEMPLATE):
    """Cancels one job and shows the list anew, in the same message."""

    def __init__(self, job_id: int) -> None:
        super().__init__(
            ui.Button(
                label=texts.CANCEL_IN_QUEUE, style=discord.ButtonStyle.danger, custom_id=queue_id(job_id)
            )
        )
        self.job_id = job_id

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's signature
        item: ui.Item[Any],  # noqa: ARG003
        match: re.Match[str],
    ) -> Self:
        return cls(int(match["job"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answering(interaction):
            await interaction.response.defer()
            outcome = await _cancel(interaction, self.job_id)
            view = await queue_of(interaction.client, interaction.user.id, outcome)
            await interaction.edit_original_response(view=view, allowed_mentions=NOBODY)


async def queue_of(bot: ArtBot, person_id: int, outcome: str = "") -> ui.LayoutView:
    """The person's jobs now. outcome: what became of the button they just pressed."""
    mine = [job for job in await bot.store.unfinished_jobs() if _counts(job, person_id)]
    waiting = sorted([await _waiting(bot, job) for job in mine], key=_turn)
    return queue_view(waiting, trouble=texts.engine_trouble(bot.engine.status), outcome=outcome)


def queue_view(waiting: Sequence[Waiting], *, trouble: str = "", outcome: str = "") -> ui.LayoutView:
    """trouble: what keeps the line from moving, empty when nothing does."""
    shown = waiting[:MOST_SHOWN]
    heading = texts.queue_title(len(waiting), len(shown)) if waiting else texts.QUEUE_IS_EMPTY
    view = ui.LayoutView(timeout=None)
    view.add_item(ui.TextDisplay("\n".join(line for line in (outcome, heading, trouble) if line)))
    for each in shown:
        view.add_item(ui.Section(ui.TextDisplay(_words(each)), accessory=QueueButton(each.job.id)))
    return view


async def _cancel(interaction: discord.Interaction[ArtBot], job_id: int) -> str:
    """What became of it: a job that ended in the meantime is no reason to leave an old list on the screen."""
    try:
        await interaction.client.jobs.cancel(job_id, interaction.user.id, moderates=False)
    except Gone as over:
        return str(over)
    return texts.CANCELLED


def _counts(job: Job, person_id: int) -> bool:
    return job.author_id == person_id and job.state.waits_or_runs


async def _waiting(bot: ArtBot, job: Job) -> Waiting:
    scene = await bot.store.scene(job.scene_id)
    post = await bot.store.latest_post_of_job(job.id)
    position, seconds = bot.jobs.position(job.id)
    card = None
    if post is not None and post.message_id is not None and not post.gone:
        card = texts.message_link(job.guild_id, post.channel_id, post.message_id)
    return Waiting(job=job, position=position, seconds=seconds, place_id=scene.place_id, card=card)


def _turn(waiting: Waiting) -> tuple[int, int]:
    """What runs, or is about to, has no place in the line and comes first."""
    return waiting.position, waiting.job.id


def _words(waiting: Waiting) -> str:
    runs = waiting.job.state is JobState.RUNNING
    state = texts.RUNS_NOW if runs else texts.in_line(waiting.position, waiting.seconds)
    return texts.queue_entry(waiting.job.request.prompt, state, waiting.place_id, waiting.card)
