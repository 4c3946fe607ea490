"""Whether a job may come in, and once more when its turn comes: everything that can say no, in one order.

Rules change while jobs wait, and what a moderator or the host decides takes effect at once: so the same questions
are asked again before any time of the engine is spent. Every no is a Refusal; then nothing was stored or charged, or
what was charged is given back.
"""

from __future__ import annotations

from bot.blocks import Blocks
from bot.host import Host
from bot.options import Options
from bot.rules import Rules
from bot.screening import Screening
from bot.store import Job, NewJob, Transaction


class Gate:
    def __init__(self, host: Host, blocks: Blocks, rules: Rules, screening: Screening) -> None:
        self._host = host
        self._blocks = blocks
        self._rules = rules
        self._screening = screening

    async def fitted(self, new: NewJob, said: Options) -> NewJob:
        """As far as its author did not say otherwise, within what is allowed here."""
        return await self._rules.fitted(new, said)

    async def admit(self, new: NewJob) -> str | None:
        """What can be said without counting. Returns why it has to wait for a moderator, else None. Raises Refusal."""
        await self._rules.check(new)
        return await self._screening.admit(new)

    async def admit_in(self, tx: Transaction, new: NewJob) -> None:
        """What has to be counted, in the transaction that accepts it. Raises Refusal."""
        # In here, and not before: a block that comes meanwhile ends the jobs that are stored, and this is not one yet.
        await self._host.check(new.guild_id)
        await self._blocks.check(new.guild_id, new.author_id)
        await self._rules.check_counts(tx, new)

    async def still_allows(self, job: Job) -> None:
        """Its turn has come: the rules may have changed since it was accepted. Raises Refusal."""
        await self._host.check_ban(job.guild_id)
        await self._blocks.check(job.guild_id, job.author_id)
        await self._rules.check(job)
        await self._rules.check_used(job)
        await self._screening.still_allows(job)
