"""What Discord still shows of somebody who is forgotten: messages of ours are deleted, cards of others drawn anew, and
threads that were named after their words get another name."""

from __future__ import annotations

import io
from enum import Enum, auto

import discord
import structlog

from bot import texts
from bot.delivery import NOBODY, REFUSALS, Throttles
from bot.errors import DeliveryFailed
from bot.jobs import Jobs
from bot.store import FileMissing, Store, Trace, TraceKind

log = structlog.get_logger(__name__)


class Outcome(Enum):
    """gone: it is taken away, or was not there any more. refused: it stays. later: Discord is unwell."""

    GONE = auto()
    REFUSED = auto()
    LATER = auto()


class Traces:
    def __init__(self, client: discord.Client, store: Store, jobs: Jobs, *, throttles: Throttles) -> None:
        self._client = client
        self._store = store
        self._jobs = jobs
        self._throttles = throttles

    async def take_away(self, trace: Trace) -> Outcome:
        """One of them. Discord's ways of saying no become an Outcome."""
        try:
            async with self._throttles(trace.channel_id):
                match trace.kind:
                    case TraceKind.THREAD:
                        await self._rename(trace.channel_id)
                    case TraceKind.MESSAGE:
                        await self._delete(trace)
                    case TraceKind.CARD:
                        await self._draw_anew(trace)
        except discord.NotFound:
            return Outcome.GONE
        except REFUSALS as error:
            outcome = _outcome(error)
            log.info("a trace is still there", trace=trace.id, outcome=outcome.name, why=str(error))
            return outcome
        return Outcome.GONE

    async def _rename(self, thread_id: int) -> None:
        thread = await self._place(thread_id)
        if isinstance(thread, discord.Thread):
            await thread.edit(name=texts.FORGOTTEN_SCENE, archived=False)

    async def _delete(self, trace: Trace) -> None:
        place = await self._place(trace.channel_id)
        if isinstance(place, discord.Thread) and place.archived:
            await place.edit(archived=False)  # Discord changes nothing in one that is
        await self._message(trace).delete()

    async def _draw_anew(self, trace: Trace) -> None:
        """With its files made anew: those on the message have the words in them."""
        assert trace.job_id is not None  # a card is that of a job
        job = await self._store.job(trace.job_id)
        if job is None or job.deleted:
            return
        try:
            if not job.shown:
                await self._jobs.redraw(job.id)
                return
            content = await self._jobs.render(job.id)
            files = [discord.File(io.BytesIO(await content.bytes_of(name)), name) for name in content.needs]
        except (DeliveryFailed, FileMissing) as error:
            log.info("a card could not be drawn anew", job=job.id, why=str(error))
            return
        await self._message(trace).edit(view=content.view, attachments=files, allowed_mentions=NOBODY)

    async def _place(self, channel_id: int) -> object:
        return self._client.get_channel(channel_id) or await self._client.fetch_channel(channel_id)

    def _message(self, trace: Trace) -> discord.PartialMessage:
        assert trace.message_id is not None  # only threads have none
        return self._client.get_partial_messageable(trace.channel_id).get_partial_message(trace.message_id)


def _outcome(error: Exception) -> Outcome:
    for_good = isinstance(error, discord.HTTPException) and 400 <= error.status < 500 and error.status != 429
    return Outcome.REFUSED if for_good else Outcome.LATER
