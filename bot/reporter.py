"""Answers the control socket's questions about the running bot."""

from __future__ import annotations

import os
from collections import Counter

from bot.client import ArtBot
from bot.control import Answer, AskDatabase, AskStatus, DatabaseChecked, Question, Status
from bot.host_live import LiveHost
from bot.recent_troubles import RecentTroubles
from bot.store import JobState, integrity
from bot.version import version


class Reporter:
    def __init__(self, bot: ArtBot, troubles: RecentTroubles) -> None:
        self._bot = bot
        self._host = LiveHost(bot)
        self._troubles = troubles
        self._began = bot.now()

    async def answer(self, question: Question) -> Answer:
        match question:
            case AskStatus():
                return await self._status()
            case AskDatabase():
                async with self._bot.store.transaction() as tx:
                    return DatabaseChecked(problems=await integrity.problems(tx))
            case _:
                return await self._host.answer(question)

    async def _status(self) -> Status:
        bot, now = self._bot, self._bot.now()
        jobs = await bot.store.unfinished_jobs()
        rows = await bot.store.servers.all()
        waiting = [job.created_at for job in jobs if job.state is JobState.QUEUED]
        return Status(
            version=version(),
            pid=os.getpid(),
            uptime_seconds=now - self._began,
            connected=bot.is_ready() and not any(shard.is_closed() for shard in bot.shards.values()),
            servers=len(bot.guilds),
            paused=sum(row.paused_for is not None for row in rows),
            banned=sum(row.banned_for is not None for row in rows),
            draining=bot.jobs.line.draining,
            line=dict(Counter(job.state for job in jobs)),
            oldest_wait_seconds=now - min(waiting) if waiting else None,
            engine=bot.engine.status,
            rows_given=sum(job.request.rows for job in jobs if job.state is JobState.RUNNING),
            row_credits=bot.engine.row_credits,
            troubles=self._troubles.kept,
        )
