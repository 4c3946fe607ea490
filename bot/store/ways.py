"""The way that led to a Picture, and the way forward again that /undo leaves."""

from __future__ import annotations

import msgspec

from bot.store.database import Database, Row, Transaction
from bot.store.records import JobKind, Picture, Shown, Style
from inference import ImageRequest


class Ways:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def to(self, picture_id: int) -> list[Shown]:
        """Every picture from the first one of its Scene to this, tombstones too; empty if there is none of that id."""
        rows = await self._database.all(
            "WITH RECURSIVE way (id, back) AS (SELECT ?1, 0 UNION ALL"
            " SELECT parent.id, back + 1 FROM way JOIN picture AS child ON child.id = way.id"
            " JOIN picture AS parent ON parent.id = child.parent_id AND parent.scene_id = child.scene_id)"
            " SELECT picture.*, job.kind AS job_kind, request, style, model_version FROM way JOIN picture USING (id)"
            " LEFT JOIN job ON job.id = picture.job_id ORDER BY back DESC",
            picture_id,
        )
        return [shown_of(row) for row in rows]

    async def undone(self, tx: Transaction, scene_id: int, person_id: int, picture_id: int) -> None:
        """/undo left this picture."""
        await tx.run(
            "INSERT INTO undone SELECT ?1, ?2, coalesce(max(depth), 0) + 1, ?3 FROM undone"
            " WHERE scene_id = ?1 AND person_id = ?2",
            scene_id,
            person_id,
            picture_id,
        )

    async def redone(self, tx: Transaction, scene_id: int, person_id: int) -> Picture | None:
        """The picture that /undo left last, and that is not deleted; it is not remembered any longer."""
        row = await tx.one(
            "SELECT picture.*, depth FROM undone JOIN picture ON picture.id = picture_id"
            " WHERE undone.scene_id = ? AND person_id = ? AND deleted_at IS NULL ORDER BY depth DESC LIMIT 1",
            scene_id,
            person_id,
        )
        if row is None:
            return None
        await tx.run(
            "DELETE FROM undone WHERE scene_id = ? AND person_id = ? AND depth >= ?",
            scene_id,
            person_id,
            row["depth"],
        )
        return _picture(row)

    async def forget(self, tx: Transaction, scene_id: int, person_id: int) -> None:
        """Nothing is left to be redone."""
        await tx.run("DELETE FROM undone WHERE scene_id = ? AND person_id = ?", scene_id, person_id)


def shown_of(row: Row) -> Shown:
    """A row of `picture` with its job's kind (as job_kind), request, style and model_version."""
    return Shown(
        picture=_picture(row),
        kind=JobKind(row["job_kind"]) if row["job_kind"] else None,
        request=msgspec.json.decode(row["request"], type=ImageRequest) if row["request"] else None,
        style=msgspec.json.decode(row["style"], type=Style) if row["style"] else None,
        model_version=row["model_version"] or "",
    )


def _picture(row: Row) -> Picture:
    return msgspec.convert({name: row[name] for name in Picture.__struct_fields__}, Picture, strict=False)
