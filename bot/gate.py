"""Whether a job may come in, and once more when its turn comes: everything that can say no, in one order.

Rules change while jobs wait, and what a moderator or the host decides takes effect at once: so the same questions
are asked again before any time of the engine is spent. Every no is a Refusal; then nothing was stored or charged, or
what was charged is given back.
"""

from __future__ import annotations

from bot.limits import check_line, check_request, limits_from
from bot.store import Job, NewJob, Store, Transaction


class Gate:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def admit(self, new: NewJob) -> str | None:
        """What can be said without counting. Returns why it has to wait for a moderator, else None. Raises Refusal."""
        limits = limits_from(await self._store.limits_set_in(new.guild_id) if new.guild_id else {})
        check_request(limits, new.request)
        return None

    async def admit_in(self, tx: Transaction, new: NewJob) -> None:
        """What has to be counted, in the transaction that accepts it. Raises Refusal."""
        limits = limits_from(await self._store.limits_set_in(new.guild_id) if new.guild_id else {})
        mine, all_here = await self._store.count_waiting(tx, new.guild_id, new.author_id)
        # Direct messages are no server: strangers who write there do not stand in each other's way.
        check_line(limits, mine, all_here if new.guild_id is not None else mine)

    async def still_allows(self, job: Job) -> None:
        """Its turn has come: the rules may have changed since it was accepted. Raises Refusal."""
        limits = limits_from(await self._store.limits_set_in(job.guild_id) if job.guild_id else {})
        check_request(limits, job.request)
