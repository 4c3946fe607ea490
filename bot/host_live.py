"""Answers the host's questions in a running bot: what the database says, and what was decided takes effect at once."""

from __future__ import annotations

from collections.abc import Mapping

from bot import texts
from bot.client import ArtBot
from bot.errors import NotAllowed, Refusal
from bot.host_desk import Desk
from bot.host_questions import (
    AskDraining,
    Ban,
    Declined,
    Done,
    Drain,
    Draining,
    HostAnswer,
    HostQuestion,
    SetWeight,
    Undrain,
)
from bot.store import JobState


class LiveHost:
    def __init__(self, bot: ArtBot) -> None:
        self._bot = bot
        self._desk = Desk(bot.store, bot.host, now=bot.now, names=self._names, publish=bot.audit.publish)

    async def answer(self, question: HostQuestion) -> HostAnswer:
        try:
            return await self._answer(question)
        except Refusal as error:
            return Declined(sentence=texts.for_terminal(str(error)))

    async def _answer(self, question: HostQuestion) -> HostAnswer:
        """Raises Refusal; then nothing was changed."""
        match question:
            case AskDraining():
                return await self.draining()
            case Drain():
                return await self._drain()
            case Undrain():
                return await self._undrain()
            case Ban():
                await self._desk.answer(question)
                ended = await self._end_jobs(question.server)
                return Done(sentence=texts.is_banned_now(self._desk.named(question.server), ended))
            case SetWeight():
                told = await self._desk.answer(question)
                self._bot.jobs.line.set_weight(question.server, question.weight)
                return told
            case _:
                return await self._desk.answer(question)

    async def draining(self) -> Draining:
        """Who runs is asked of the line: a job that was just given to the engine still counts as waiting elsewhere."""
        jobs = await self._bot.store.unfinished_jobs()
        line = self._bot.jobs.line
        running = {job_id for server in {job.guild_id for job in jobs} for job_id in line.running_in(server)}
        waiting = [job for job in jobs if job.state is JobState.QUEUED and job.id not in running]
        return Draining(draining=line.draining, running=len(running), waiting=len(waiting))

    async def _drain(self) -> Draining:
        if self._bot.jobs.line.draining:
            raise NotAllowed(texts.DRAINING_ALREADY)
        self._bot.jobs.line.drain()
        await self._bot.host.note_draining(draining=True)
        return await self.draining()

    async def _undrain(self) -> Done:
        if not self._bot.jobs.line.draining:
            raise NotAllowed(texts.NOT_DRAINING)
        self._bot.jobs.line.undrain()
        await self._bot.host.note_draining(draining=False)
        return Done(sentence=texts.NO_LONGER_DRAINING)

    async def _end_jobs(self, server: int) -> int:
        """Those that come in later find the ban; these were there before it."""
        row = await self._bot.store.servers.of(server)
        sentence = texts.banned_by_host(server, row.banned_for or "")
        jobs = [job for job in await self._bot.store.unfinished_jobs() if (job.guild_id or 0) == server]
        return sum([await self._bot.jobs.refuse(job.id, sentence) for job in jobs])

    def _names(self) -> Mapping[int, str]:
        return {guild.id: guild.name for guild in self._bot.guilds}
