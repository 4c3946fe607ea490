"""Pieces, and who may take hold of which."""

from __future__ import annotations

import msgspec

from bot.store.database import Database, Row
from bot.store.records import OwnedPiece, Picture

_WITHIN_REACH = (
    # A UNION, for SQLite would go through all pictures for an OR of these; completions ask on every key.
    "SELECT picture.*, scene.title FROM picture JOIN scene ON scene.id = scene_id LEFT JOIN pick"
    " ON pick.job_id = picture.job_id AND pick.candidate = picture.candidate AND person_id = ?1 WHERE picture.id IN"
    " (SELECT id FROM picture WHERE author_id = ?1 AND piece IS NOT NULL AND deleted_at IS NULL"
    " UNION SELECT id FROM picture WHERE scene_id = ?2 AND piece IS NOT NULL AND deleted_at IS NULL AND NOT EXISTS"
    " (SELECT 1 FROM person WHERE person.person_id = author_id AND shares = 'mine'))"
    # Direct messages are no server: what belongs to one stays in it.
    " AND scene.guild_id IS ?3 AND (?3 IS NOT NULL OR scene.channel_id = ?4)"
)

_NEWEST_FIRST = (
    # Of the candidates of one job the person's pick comes first, as on its card.
    "ORDER BY max(picture.id) OVER (PARTITION BY coalesce(picture.job_id, -picture.id)) DESC,"
    " person_id IS NULL, picture.candidate"
)


class Pieces:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def within_reach(
        self,
        person_id: int,
        scene_id: int | None,
        guild_id: int | None,
        channel_id: int,
        *,
        like: str = "",
        limit: int,
    ) -> list[OwnedPiece]:
        """A person's own in this server (or in these direct messages), and those of this Scene that others share.

        like: what their names contain. Newest first, and of one card's candidates the one they picked.
        """
        rows = await self._database.all(
            f"{_WITHIN_REACH} AND instr(lower(piece), lower(?5)) {_NEWEST_FIRST} LIMIT ?6",
            person_id,
            scene_id,
            guild_id,
            channel_id,
            like,
            limit,
        )
        return [OwnedPiece(picture=_picture(row), scene_title=row["title"]) for row in rows]

    async def count_names(self, scene_id: int) -> int:
        """How many differently named pieces a Scene had."""
        row = await self._database.one(
            "SELECT count(DISTINCT piece) FROM picture WHERE scene_id = ? AND piece IS NOT NULL", scene_id
        )
        assert row is not None  # an aggregate always has one row
        return int(row[0])


def _picture(row: Row) -> Picture:
    return msgspec.convert({name: row[name] for name in Picture.__struct_fields__}, Picture, strict=False)
