"""The way to a picture, and the way forward that /undo leaves."""

from __future__ import annotations

from pathlib import Path

import msgspec

from bot.store import JobKind, Store
from tests.bot.records import ANNA, BEN, NOW, generated, new_job, opened, uploaded


async def a_chain(store: Store, count: int, scene: int | None = None, parent: int | None = None) -> list[int]:
    """Pictures, each the parent of the next; the first without one, or below `parent`."""
    async with store.transaction() as tx:
        if scene is None:
            scene = (await store.accept(tx, new_job(), NOW)).scene_id
        ids = [parent] if parent is not None else []
        for _ in range(count):
            new = msgspec.structs.replace(uploaded(), parent_id=ids[-1] if ids else None)
            ids.append(await store.add_picture(tx, scene, None, new, NOW))
    return ids[-count:]


async def test_the_way_goes_from_the_first_picture_to_that_one(tmp_path: Path) -> None:
    """Tombstones belong to it, other branches do not."""
    async with opened(tmp_path) as store:
        ids = await a_chain(store, 4)
        await a_chain(store, 2, scene=1, parent=ids[1])
        async with store.transaction() as tx:
            await store.entomb(tx, ids[1], NOW)
        way = await store.ways.to(ids[3])
        unknown = await store.ways.to(999)

        assert [shown.picture.id for shown in way] == ids
        assert [shown.picture.deleted for shown in way] == [False, True, False, False]
        assert unknown == []


async def test_a_way_ends_where_another_scene_begins(tmp_path: Path) -> None:
    """What was brought along from elsewhere is a first picture here."""
    async with opened(tmp_path) as store:
        (elsewhere,) = await a_chain(store, 1)
        (first,) = await a_chain(store, 1)
        ids = await a_chain(store, 2, scene=2, parent=elsewhere)
        way = await store.ways.to(ids[1])

        assert [shown.picture.id for shown in way] == ids
        assert first not in [shown.picture.id for shown in way]


async def test_a_drawn_picture_brings_what_it_was_drawn_with(tmp_path: Path) -> None:
    """The kind of its job and its request; one that was sent has neither."""
    async with opened(tmp_path) as store:
        async with store.transaction() as tx:
            accepted = await store.accept(tx, new_job(upload=uploaded()), NOW)
            job = await store.start_attempt(tx, accepted.id, accepted.request, NOW)
            assert job is not None
            result = msgspec.structs.replace(generated(1), parent_id=job.upload_id)
            await store.finish(tx, job, [result], seconds=1.0, gpu_seconds=1.0, model_version="v1", now=NOW)
        sent, drawn = await store.ways.to(2)

        assert (sent.kind, sent.request, sent.model_version) == (None, None, "")
        assert (drawn.kind, drawn.request, drawn.model_version) == (JobKind.IMAGINE, job.request, "v1")


async def test_what_was_undone_comes_back_last_first(tmp_path: Path) -> None:
    """For each person apart; what was deleted meanwhile is passed over, and forgotten."""
    async with opened(tmp_path) as store:
        first, second, third = await a_chain(store, 3)
        async with store.transaction() as tx:
            for picture_id in (third, second, first):
                await store.ways.undone(tx, 1, ANNA, picture_id)
            await store.ways.undone(tx, 1, BEN, third)
            await store.entomb(tx, first, NOW)
            back = [await store.ways.redone(tx, 1, ANNA) for _ in range(3)]
            await store.set_current(tx, 1, ANNA, third)
            other = await store.ways.redone(tx, 1, BEN)

        assert [picture and picture.id for picture in back] == [second, third, None]
        assert other is not None
        assert other.id == third


async def test_going_on_forgets_what_was_undone(tmp_path: Path) -> None:
    """A step along the way does not."""
    async with opened(tmp_path) as store:
        first, second = await a_chain(store, 2)
        async with store.transaction() as tx:
            await store.ways.undone(tx, 1, ANNA, second)
            await store.move_current(tx, 1, ANNA, first)
            kept = await store.ways.redone(tx, 1, ANNA)
            await store.ways.undone(tx, 1, ANNA, second)
            await store.set_current(tx, 1, ANNA, first)
            forgotten = await store.ways.redone(tx, 1, ANNA)

        assert kept is not None
        assert forgotten is None
