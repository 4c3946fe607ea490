"""Drafts: placings in progress. They are free of charge, and every press is remembered."""

from __future__ import annotations

import msgspec

from bot.store.database import Database, Row, Transaction
from bot.store.records import Draft, DraftState, Post


class Drafts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, draft_id: int) -> Draft | None:
        return _draft(await self._database.one("SELECT * FROM draft WHERE id = ?", draft_id))

    async def open_of(self, scene_id: int, person_id: int) -> Draft | None:
        """The one that this person has not ended yet, in this Scene; of several the newest."""
        row = await self._database.one(
            "SELECT * FROM draft WHERE author_id = ? AND scene_id = ? AND state = 'open' ORDER BY id DESC LIMIT 1",
            person_id,
            scene_id,
        )
        return _draft(row)

    async def that_became(self, picture_id: int) -> Draft | None:
        return _draft(await self._database.one("SELECT * FROM draft WHERE result_id = ?", picture_id))

    async def begin(
        self, tx: Transaction, *, scene_id: int, author_id: int, base_id: int, layers: str, now: float
    ) -> int:
        """A Draft with these first layers, the first of them selected."""
        return await tx.insert(
            "INSERT INTO draft (scene_id, author_id, base_id, layers, selected, earlier, state, created_at)"
            " VALUES (?, ?, ?, ?, 0, '[]', 'open', ?)",
            scene_id,
            author_id,
            base_id,
            layers,
            now,
        )

    async def change(self, tx: Transaction, draft: Draft, now: float) -> None:
        """Remember its layers, its selection and what Undo goes back to. Its Scene is in use."""
        await tx.run("UPDATE scene SET used_at = ? WHERE id = ?", now, draft.scene_id)
        await tx.run(
            "UPDATE draft SET layers = ?, selected = ?, earlier = ? WHERE id = ?",
            draft.layers,
            draft.selected,
            draft.earlier,
            draft.id,
        )

    async def set_state(
        self, tx: Transaction, draft_id: int, state: DraftState, result_id: int | None = None
    ) -> None:
        """result_id: the Picture that it became."""
        await tx.run("UPDATE draft SET state = ?, result_id = ? WHERE id = ?", state, result_id, draft_id)

    async def messages_of(self, draft_id: int) -> list[Post]:
        """Those that show it and are not known to be gone."""
        rows = await self._database.all(
            "SELECT * FROM post WHERE draft_id = ? AND message_id IS NOT NULL AND NOT gone", draft_id
        )
        return [msgspec.convert(dict(row), Post, strict=False) for row in rows]

    async def was_shown(self, picture_id: int) -> bool:
        """Was the picture that came of a Draft posted?"""
        row = await self._database.one(
            "SELECT 1 FROM post WHERE picture_id = ? AND message_id IS NOT NULL LIMIT 1", picture_id
        )
        return row is not None


def _draft(row: Row | None) -> Draft | None:
    return None if row is None else msgspec.convert(dict(row), Draft, strict=False)
