"""How much every person used, per day. Days are counted since 1970, in UTC."""

from __future__ import annotations

import msgspec

from bot.store.database import Database, Transaction

DAY_SECONDS = 86_400


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """What one person used in one server on one day. waited: seconds from acceptance to start, of all jobs together."""

    person_id: int
    day: int
    jobs: int
    gpu_seconds: float
    waited: float


class Usages:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self,
        tx: Transaction,
        guild_id: int | None,
        person_id: int,
        now: float,
        *,
        gpu_seconds: float,
        waited: float,
    ) -> None:
        """One more job that was rendered."""
        await tx.run(
            "INSERT INTO usage VALUES (?, ?, ?, 1, ?, ?) ON CONFLICT (guild_id, person_id, day) DO UPDATE SET"
            " jobs = jobs + 1, gpu_seconds = gpu_seconds + excluded.gpu_seconds, waited = waited + excluded.waited",
            guild_id or 0,
            person_id,
            int(now // DAY_SECONDS),
            gpu_seconds,
            waited,
        )

    async def today(
        self, tx: Transaction, guild_id: int | None, person_id: int, now: float
    ) -> tuple[float, float]:
        """Seconds of the engine that were used today: by this person here, and by the whole server."""
        row = await tx.one(
            "SELECT total(iif(person_id = ?, gpu_seconds, 0)), total(gpu_seconds) FROM usage"
            " WHERE guild_id = ? AND day = ?",
            person_id,
            guild_id or 0,
            int(now // DAY_SECONDS),
        )
        assert row is not None  # an aggregate always has one row
        return row[0], row[1]

    async def by_server(self, now: float) -> dict[int, tuple[float, float]]:
        """Seconds of the engine that each server used: today, and in 30 days with today."""
        today = int(now // DAY_SECONDS)
        rows = await self._database.all(
            "SELECT guild_id, total(iif(day = ?1, gpu_seconds, 0)) AS today, total(gpu_seconds) AS lately"
            " FROM usage WHERE day > ?1 - 30 GROUP BY guild_id",
            today,
        )
        return {row["guild_id"]: (row["today"], row["lately"]) for row in rows}

    async def since(self, guild_id: int, day: int) -> list[Used]:
        """Of a server, from that day on, oldest first. Who is being forgotten is 0, however many they are."""
        rows = await self._database.all(
            "SELECT iif(person_id IN (SELECT person_id FROM forgetting), 0, person_id) AS person_id, day,"
            " sum(jobs) AS jobs, total(gpu_seconds) AS gpu_seconds, total(waited) AS waited FROM usage"
            " WHERE guild_id = ? AND day >= ? GROUP BY 1, 2 ORDER BY 2, 1",
            guild_id,
            day,
        )
        return [msgspec.convert(dict(row), Used) for row in rows]
