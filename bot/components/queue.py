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
from bot.blocks import Guarded
from bot.custom_ids import QUEUE_TEMPLATE, queue_id
from bot.delivery import NOBODY
from bot.errors import Gone
from bot.line import Turn
from bot.store import Job, JobState

if TYPE_CHECKING:
    from bot.client import ArtBot

MOST_SHOWN = 10
"""Three components each, and a message holds forty; a person who has more cancels from the top."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """One unfinished job of a person. turn: None outside the line. step: of how many, None before the first one.

    paused_for: why the line of its server is. card: a link, None before it is posted.
    """

    job: Job
    turn: Turn | None
    step: tuple[int, int] | None
    paused_for: str | None
    place_id: int
    card: str | None


class QueueButton(Guarded, ui.DynamicItem[ui.Button[Any]], template=QUEUE_TEMPLATE):
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
    trouble = texts.trouble(bot.engine.status, draining=bot.jobs.line.draining)
    return queue_view(waiting, trouble=trouble, outcome=outcome)


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
    line = bot.jobs.line
    card = None
    if post is not None and post.message_id is not None and not post.gone:
        card = texts.message_link(job.guild_id, post.channel_id, post.message_id)
    return Waiting(
        job=job,
        turn=line.turn(job.id),
        step=bot.jobs.step_of(job.id),
        paused_for=line.paused_for(job.guild_id),
        place_id=scene.place_id,
        card=card,
    )


def _turn(waiting: Waiting) -> tuple[int, int]:
    """What runs, or is about to, has no place in the line and comes first."""
    return waiting.turn.place if waiting.turn is not None else 0, waiting.job.id


def _words(waiting: Waiting) -> str:
    if waiting.job.state is JobState.RUNNING:
        state = texts.runs_now(waiting.step)
    else:
        state = texts.waiting(waiting.turn, paused_for=waiting.paused_for)
    return texts.queue_entry(waiting.job.request.prompt, state, waiting.place_id, waiting.card)
