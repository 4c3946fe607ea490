"""/undo and /redo: steps along the way that led to somebody's own current picture. Others stay where they are."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bot import texts
from bot.errors import Gone
from bot.store import Picture, Shown, Store


class Stepped(msgspec.Struct, frozen=True, kw_only=True):
    """before: the number of the picture where one was. deleted: numbers of the tombstones that were passed."""

    picture: Picture
    before: int
    deleted: tuple[int, ...] = ()


class Undoing:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def undo(self, scene_id: int, person_id: int) -> Stepped:
        """To the picture that one's current one came of; past those that were deleted. Raises Gone at the first."""
        async with (
            self._store.transaction() as tx
        ):  # whoever presses twice takes two steps, not the same one twice
            current = await self._current(scene_id, person_id)
            *before, _ = await self._store.ways.to(current.id)
            stepped = _last_living(before, current)
            await self._store.ways.undone(tx, scene_id, person_id, current.id)
            await self._store.move_current(tx, scene_id, person_id, stepped.picture.id)
        return stepped

    async def redo(self, scene_id: int, person_id: int) -> Stepped:
        """To the picture that the last undo left. Raises Gone if there is none."""
        async with self._store.transaction() as tx:
            current = await self._current(scene_id, person_id)
            picture = await self._store.ways.redone(tx, scene_id, person_id)
            if picture is None:
                raise Gone(texts.NOTHING_TO_REDO)
            await self._store.move_current(tx, scene_id, person_id, picture.id)
        return Stepped(picture=picture, before=current.number)

    async def _current(self, scene_id: int, person_id: int) -> Picture:
        current = await self._store.current_picture(scene_id, person_id)
        if current is None:
            raise Gone(texts.NO_PICTURES_YET)
        return current


def _last_living(way: Sequence[Shown], current: Picture) -> Stepped:
    """way: what came before the current picture, oldest first."""
    if not way:
        raise Gone(texts.at_the_root(current.number))
    passed: list[int] = []
    for shown in reversed(way):
        if not shown.picture.deleted:
            return Stepped(picture=shown.picture, before=current.number, deleted=tuple(sorted(passed)))
        passed.append(shown.picture.number)
    raise Gone(texts.only_deleted_before(current.number))
