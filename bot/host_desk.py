"""Answers the host's questions from the database, whether or not a bot runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from bot import texts
from bot.errors import NotAllowed
from bot.host import Host
from bot.host_questions import (
    AskCeilings,
    AskLog,
    AskServers,
    Ban,
    Ceiling,
    Ceilings,
    DatabaseQuestion,
    Done,
    LatestLog,
    Server,
    Servers,
    SetCeiling,
    SetWeight,
    Unban,
)
from bot.store import AuditEntry, JobState, Store

SERVERS_AT_ONCE = 50
_LONGEST_WORDS = 200
"""Of one part of an entry of the log: all of them have to fit into one answer."""


async def _nobody_reads(_entry: AuditEntry) -> None:
    pass


def _no_names() -> Mapping[int, str]:
    return {}


class Desk:
    """names: of the servers that the bot is in. publish: is handed each change's entry once it is written."""

    def __init__(
        self,
        store: Store,
        host: Host,
        *,
        now: Callable[[], float],
        names: Callable[[], Mapping[int, str]] = _no_names,
        publish: Callable[[AuditEntry], Awaitable[None]] = _nobody_reads,
    ) -> None:
        self._store = store
        self._host = host
        self._now = now
        self._names = names
        self._publish = publish

    async def answer(self, question: DatabaseQuestion) -> Ceilings | Servers | LatestLog | Done:
        """Raises Refusal; then nothing was changed."""
        match question:
            case AskCeilings():
                return await self._ceilings()
            case AskServers():
                return await self._servers(question.after)
            case AskLog():
                entries = await self._store.audits.latest_of(question.server, question.most)
                return LatestLog(entries=tuple(map(_shortened, entries)))
            case SetCeiling():
                entry = await self._host.set_ceiling(question.rule, question.value)
                sentence = texts.ceiling_is_now(entry.subject, entry.before, entry.after)
            case SetWeight():
                if question.server not in await self._known():
                    raise NotAllowed(texts.unknown_server(question.server))
                entry = await self._host.set_weight(question.server, question.weight)
                sentence = texts.weighs_now(self.named(question.server), entry.before, entry.after)
            case Ban():
                entry = await self._host.ban(question.server, question.reason)
                sentence = texts.is_banned_now(self.named(question.server), 0)
            case Unban():
                entry = await self._host.unban(question.server)
                sentence = texts.is_unbanned_now(self.named(question.server))
        await self._publish(entry)
        return Done(sentence=sentence)

    def named(self, server: int) -> str:
        return texts.server_named(server, self._names().get(server))

    async def _ceilings(self) -> Ceilings:
        rules = await self._host.ceilings()
        return Ceilings(
            rules=tuple(
                Ceiling(rule=rule, default=default, ceiling=ceiling) for rule, default, ceiling in rules
            )
        )

    async def _known(self) -> set[int]:
        rows = {row.guild_id for row in await self._store.servers.all()}
        return {0} | rows | await self._store.expiry.known_servers() | self._names().keys()

    async def _servers(self, after: int) -> Servers:
        ids = sorted(server for server in await self._known() if server > after)
        rows = {row.guild_id: row for row in await self._store.servers.all()}
        used = await self._store.usages.by_server(self._now())
        jobs = Counter((job.guild_id or 0, job.state) for job in await self._store.unfinished_jobs())
        names = self._names()

        def told(server: int) -> Server:
            today, lately = used.get(server, (0.0, 0.0))
            row = rows.get(server)
            return Server(
                guild_id=server,
                name=texts.unformatted(names[server], 100) if server in names else None,
                weight=row.weight if row else 1.0,
                waiting=jobs[server, JobState.QUEUED],
                running=jobs[server, JobState.RUNNING],
                seconds_today=today,
                seconds_lately=lately,
                paused_for=row.paused_for if row else None,
                banned_for=row.banned_for if row else None,
            )

        return Servers(servers=tuple(map(told, ids[:SERVERS_AT_ONCE])), more=len(ids) > SERVERS_AT_ONCE)


def _shortened(entry: AuditEntry) -> AuditEntry:
    words = ("action", "subject", "before", "after", "reason")
    return msgspec.structs.replace(
        entry, **{each: texts.unformatted(getattr(entry, each), _LONGEST_WORDS) for each in words}
    )
