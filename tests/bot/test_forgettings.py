"""Forgetting a person in the database: no row, no column and no byte of the file is left out."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from pathlib import Path

import msgspec
import pytest

from bot.store import (
    AuditEntry,
    JobKind,
    NewJob,
    NewPicture,
    NewScene,
    PictureKind,
    Post,
    Shares,
    Store,
    Style,
    Transaction,
)
from bot.store import forgettings as module
from bot.store.usages import DAY_SECONDS
from inference import PictureRef
from tests.bot.records import BEN, GUILD, NOW, SQUARE, new_scene, opened, request

ANNA = 424_242_424_242
CANARY = "zebrafinch"

PERSONAL = {
    "scene": {"owner_id", "title", "channel_id", "thread_id"},
    "picture": {"author_id", "file", "latents", "piece", "made"},
    "job": {"source", "author_id", "request", "style", "notes", "error", "standing", "held_for", "moved_for"},
    "post": {"channel_id", "message_id"},
    "current_picture": {"person_id"},
    "pick": {"person_id"},
    "memo": set(),
    "person": {"person_id"},
    "doomed_file": {"file"},
    "draft": {"author_id", "layers", "earlier"},
    "undone": {"person_id"},
    "also_shows": set(),
    "style": {"set_by"},
    "rule": {"set_by"},
    "ceiling": set(),
    "server": set(),
    "block": {"person_id", "set_by", "reason"},
    "word": {"set_by"},
    "audit": {"actor_id", "subject", "before", "after", "reason"},
    "usage": {"person_id"},
    "forgetting": {"person_id", "channel_id", "message_id"},
    "trace": {"person_id", "channel_id", "message_id"},
}
"""Columns that name a person, or hold words or works of theirs."""

NOBODYS = {
    "scene": {"id", "guild_id", "wants_thread", "created_at", "used_at", "pinned"},
    "picture": {"id", "scene_id", "number", "parent_id", "kind", "width", "height", "latents_of", "job_id"}
    | {"candidate", "created_at", "deleted_at", "unsafe"},
    "job": {
        "id",
        "kind",
        "let_through",
        "scene_id",
        "guild_id",
        "state",
        "attempt",
        "model_version",
        "parent_id",
        "upload_id",
    }
    | {"shown", "created_at", "started_at", "seconds", "deleted_at", "gpu_seconds"},
    "post": {"nonce", "job_id", "picture_id", "draft_id", "gone", "created_at"},
    "current_picture": {"scene_id", "picture_id"},
    "pick": {"job_id", "candidate"},
    "memo": {"name", "value"},
    "person": {"shares"},
    "doomed_file": set(),
    "draft": {"id", "scene_id", "base_id", "selected", "state", "result_id", "created_at"},
    "undone": {"scene_id", "depth", "picture_id"},
    "also_shows": {"nonce", "picture_id"},
    "style": {"guild_id", "name", "template", "negative", "strength", "set_at"},
    "rule": {"guild_id", "scope", "scope_id", "name", "value", "set_at"},
    "ceiling": {"name", "value", "set_at"},
    "server": {"guild_id", "weight", "banned_for", "paused_for", "log_channel_id", "left_at"},
    "block": {"guild_id", "until", "set_at"},
    "word": {"guild_id", "word", "verdict", "set_at"},
    "audit": {"id", "guild_id", "at", "action"},
    "usage": {"guild_id", "day", "jobs", "gpu_seconds", "waited"},
    "forgetting": {"asked_at", "messages", "refused", "done_at"},
    "trace": {"id", "kind", "job_id"},
}
"""All others."""

OUTLIVES = {
    ("block", "person_id"),
    ("usage", "person_id"),
    ("forgetting", "person_id"),
    ("trace", "person_id"),
}
"""What is kept on purpose, as /forget-me says; the last two until Discord shows nothing more and the day is over."""


def columns(path: Path) -> dict[str, set[str]]:
    connection = sqlite3.connect(path)
    try:
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
        return {
            name: {row[1] for row in connection.execute(f"PRAGMA table_info({name})")} for (name,) in tables
        }
    finally:
        connection.close()


def cells_with(path: Path, what: str) -> set[tuple[str, str]]:
    """Where in the tables a text, or a number, is found."""
    connection = sqlite3.connect(path)
    try:
        return {
            (table, column)
            for table, names in columns(path).items()
            for column in names
            if connection.execute(
                f"SELECT 1 FROM {table} WHERE instr(CAST({column} AS TEXT), ?) LIMIT 1", (what,)
            ).fetchone()
        }
    finally:
        connection.close()


def raw(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("moonsketch.sqlite3*"))


async def test_every_column_was_thought_of(tmp_path: Path) -> None:
    """Whoever adds one says here whether it holds somebody; if so, `erase` and the tests below deal with it."""
    async with opened(tmp_path):
        pass

    assert columns(tmp_path / "moonsketch.sqlite3") == {
        table: PERSONAL[table] | NOBODYS[table] for table in PERSONAL
    }
    assert all(re.search(rf"\b{table}\b", module.__doc__ or "") for table in PERSONAL)


# A life with the bot, in every table


def job_of(author: int, source: str, scene: int | None = None, parent_id: int | None = None) -> NewJob:
    return NewJob(
        source=source,
        kind=JobKind.REPLY,
        scene=new_scene_of(author) if scene is None else scene,
        guild_id=GUILD,
        author_id=author,
        request=request(prompt=f"a {CANARY} on the moon", negative_prompt=f"no {CANARY}"),
        style=Style(name="x", template=f"{{prompt}} {CANARY}"),
        notes=(f"about {CANARY}",),
        parent_id=parent_id,
    )


def new_scene_of(owner: int) -> NewScene:
    return msgspec.structs.replace(new_scene(), owner_id=owner, title=f"a {CANARY}")


def picture_of(author: int, name: str, parent: int | None = None) -> NewPicture:
    return NewPicture(
        kind=PictureKind.GENERATED,
        author_id=author,
        file=PictureRef(name * 64),
        size=SQUARE,
        parent_id=parent,
        latents=PictureRef(name * 63 + "0"),
        piece=CANARY,
        made=f"made of {CANARY}",
        candidate=1,
    )


async def done(store: Store, tx: Transaction, new: NewJob, picture: NewPicture) -> tuple[int, int]:
    """A job that was drawn and posted, and its picture."""
    job = await store.accept(tx, new, NOW)
    picture_id = await store.add_picture(tx, job.scene_id, job.id, picture, NOW)
    await tx.run("UPDATE job SET state = 'posted', shown = 1 WHERE id = ?", job.id)
    return job.id, picture_id


async def post(
    store: Store,
    tx: Transaction,
    nonce: str,
    message_id: int,
    *,
    job_id: int | None = None,
    picture_id: int | None = None,
    draft_id: int | None = None,
) -> None:
    new = Post(
        nonce=nonce,
        job_id=job_id,
        picture_id=picture_id,
        draft_id=draft_id,
        channel_id=77,
        message_id=message_id,
        created_at=NOW,
    )
    await store.intend_post(tx, new)


async def live(store: Store) -> None:
    """Anna draws alone in Scene 1, and with Ben in Scene 2; she also picks, places, moderates and is blocked."""
    async with store.transaction() as tx:
        await done(store, tx, job_of(ANNA, "i1"), picture_of(ANNA, "a"))  # Scene 1, job 1, picture 1
        _, base = await done(
            store, tx, job_of(ANNA, "i2"), picture_of(ANNA, "b")
        )  # Scene 2, job 2, picture 2
        await post(store, tx, "2:card:0", 1002, job_id=2)
        _, middle = await done(store, tx, job_of(ANNA, "i3", 2, parent_id=base), picture_of(ANNA, "c", base))
        _, leaf = await done(
            store, tx, job_of(ANNA, "i4", 2, parent_id=middle), picture_of(ANNA, "d", middle)
        )
        _, bens = await done(store, tx, job_of(BEN, "i5", 2, parent_id=middle), picture_of(BEN, "e", middle))
        await tx.run("UPDATE job SET style = NULL, notes = '[]' WHERE author_id = ?", BEN)
        await tx.run("UPDATE picture SET piece = NULL, made = NULL WHERE author_id = ?", BEN)
        await post(store, tx, "5:card:0", 1005, job_id=5)
        await post(store, tx, "p5:show:0", 1006, picture_id=bens)
        await store.also_shows(tx, "p5:show:0", [base, bens])
        await store.move_current(tx, 2, ANNA, leaf)
        await store.move_current(tx, 2, BEN, leaf)
        await tx.run("INSERT INTO pick VALUES (5, ?, 1)", ANNA)
        await store.ways.undone(tx, 2, ANNA, leaf)
        await store.set_shares(tx, ANNA, Shares.MINE)
        draft = await store.drafts.begin(
            tx, scene_id=2, author_id=ANNA, base_id=bens, layers=f'["{CANARY}"]', now=NOW
        )
        await post(store, tx, f"d{draft}:show:0", 1007, draft_id=draft)
        for day in (0, 1):
            await store.usages.add(tx, GUILD, ANNA, NOW - day * DAY_SECONDS, gpu_seconds=1.0, waited=1.0)
        await tx.run("INSERT INTO rule VALUES (?, 'server', ?, 'most_steps', '9', ?, 0)", GUILD, GUILD, ANNA)
        await tx.run("INSERT INTO word VALUES (?, 'x', 'block', ?, 0)", GUILD, ANNA)
        await tx.run("INSERT INTO style VALUES (?, 'x', '{prompt}', '', NULL, ?, 0)", GUILD, ANNA)
        await tx.run("INSERT INTO block VALUES (?, ?, 'spam', NULL, ?, 0)", GUILD, BEN, ANNA)
        await tx.run("INSERT INTO block VALUES (?, ?, 'spam', NULL, ?, 0)", GUILD, ANNA, BEN)
        for actor, subject in ((ANNA, "most steps"), (BEN, f"<@{ANNA}>"), (BEN, f"<@!{ANNA}> and {ANNA}")):
            entry = AuditEntry(
                guild_id=GUILD, at=NOW, actor_id=actor, action="x", subject=subject, reason="y"
            )
            await store.audits.add(tx, entry)


async def forget(store: Store) -> None:
    async with store.transaction() as tx:
        await store.forgettings.erase(tx, ANNA, NOW, nobody="somebody", title="a Scene")
    await store.scrub()


async def test_a_life_touches_every_personal_column_that_can_hold_an_id(tmp_path: Path) -> None:
    """The control of the test below: before, Anna is in all of them."""
    async with opened(tmp_path) as store:
        await live(store)

    ids = {
        (table, column)
        for table, names in PERSONAL.items()
        for column in names
        if column in ("owner_id", "author_id", "person_id", "set_by", "actor_id")
    }
    assert cells_with(tmp_path / "moonsketch.sqlite3", str(ANNA)) >= ids - {
        ("forgetting", "person_id"),
        ("trace", "person_id"),
    }
    assert raw(tmp_path).count(CANARY.encode()) > 20


async def test_nothing_is_left_of_her_in_any_table_or_byte(tmp_path: Path) -> None:
    """But for what is kept on purpose. Ben's job keeps its picture and loses the words that it took over from her."""
    async with opened(tmp_path) as store:
        await live(store)
        await forget(store)
        left = cells_with(tmp_path / "moonsketch.sqlite3", str(ANNA))
        in_files = raw(tmp_path).count(CANARY.encode())
        bens = await store.job(5)

        assert left == OUTLIVES
        assert in_files == 0
        assert bens is not None
        assert bens.request.prompt == ""
        assert [each.author_id for each in await store.candidates(5)] == [BEN]


async def test_without_the_scrubbing_words_stay_in_the_file(tmp_path: Path) -> None:
    """The control: deleted rows alone leave them, at the least in the write-ahead log."""
    async with opened(tmp_path) as store:
        await live(store)
        async with store.transaction() as tx:
            await store.forgettings.erase(tx, ANNA, NOW, nobody="somebody", title="a Scene")

        assert CANARY.encode() in raw(tmp_path)


async def test_tombstones_stand_only_where_somebody_built_on(tmp_path: Path) -> None:
    """From Ben's picture up to the first; her other pictures, and the Scene that was hers alone, are gone."""
    async with opened(tmp_path) as store:
        await live(store)
        await forget(store)
        tree = [
            (shown.picture.id, shown.picture.author_id, shown.picture.deleted)
            for shown in await store.history(2)
        ]
        scenes = [await store.scene_if_any(number) for number in (1, 2)]

        assert tree == [(2, 0, True), (3, 0, True), (5, BEN, False)]
        assert scenes[0] is None
        assert scenes[1] is not None
        assert (scenes[1].owner_id, scenes[1].title) == (0, "a Scene")


async def test_what_discord_shows_is_noted(tmp_path: Path) -> None:
    """Her cards and drafts and Ben's film with her picture are to be deleted, Ben's card to be drawn anew."""
    async with opened(tmp_path) as store:
        await live(store)
        await forget(store)
        traces = []
        while (trace := await store.forgettings.next_trace(ANNA)) is not None:
            traces.append((str(trace.kind), trace.message_id, trace.job_id))
            async with store.transaction() as tx:
                await store.forgettings.settle(tx, trace, refused=False)

        assert sorted(traces) == [
            ("card", 1005, 5),
            ("message", 1002, None),
            ("message", 1006, None),
            ("message", 1007, None),
        ]


async def test_her_bytes_are_doomed_and_bens_are_not(tmp_path: Path) -> None:
    """Pictures, latents; `erase_doomed` removes them."""
    async with opened(tmp_path) as store:
        await live(store)
        await forget(store)
        async with store.transaction() as tx:
            doomed = {row["file"][0] for row in await tx.all("SELECT file FROM doomed_file")}

        assert doomed == {"a", "b", "c", "d"}


async def test_the_audit_log_says_that_somebody_did_it(tmp_path: Path) -> None:
    """Not that the bot itself did."""
    async with opened(tmp_path) as store:
        await live(store)
        await forget(store)
        entries = list(reversed(await store.audits.latest(GUILD, 10)))

        assert [(entry.actor_id, entry.subject, entry.reason) for entry in entries] == [
            (None, "most steps", "y (somebody)"),
            (BEN, "somebody", "y"),
            (BEN, "somebody and somebody", "y"),
        ]


@pytest.mark.parametrize("hours, left", [(0, 1), (25, 0)])
async def test_todays_use_goes_with_the_day(tmp_path: Path, hours: int, left: int) -> None:
    """Until then limits hold; afterwards not even the forgetting itself is remembered."""
    async with opened(tmp_path) as store:
        await live(store)
        await forget(store)
        async with store.transaction() as tx:
            await tx.run("DELETE FROM trace")
            assert await store.forgettings.done(tx, ANNA, NOW)
            await store.forgettings.end_of_day(tx, int((NOW + hours * 3600) // DAY_SECONDS))
            used = await tx.all("SELECT * FROM usage WHERE person_id = ?", ANNA)

        assert len(used) == left
        assert (await store.forgettings.get(ANNA) is not None) == bool(left)


async def test_a_forgetting_that_is_not_done_is_remembered_after_midnight(tmp_path: Path) -> None:
    """Discord was unwell for a day: messages are still to be deleted."""
    async with opened(tmp_path) as store:
        await live(store)
        await forget(store)
        async with store.transaction() as tx:
            assert not await store.forgettings.done(tx, ANNA, NOW)
            await store.forgettings.end_of_day(tx, int(NOW // DAY_SECONDS) + 2)

        assert await store.forgettings.under_way() == [ANNA]


async def test_asking_twice_adds_up(tmp_path: Path) -> None:
    """Of a forgetting that is under way; of one that is done the count begins anew."""
    async with opened(tmp_path) as store:
        await live(store)
        await forget(store)
        await forget(store)
        first = await store.forgettings.get(ANNA)
        async with store.transaction() as tx:
            await tx.run("DELETE FROM trace")
            await store.forgettings.done(tx, ANNA, NOW)
        await forget(store)
        second = await store.forgettings.get(ANNA)

        assert first is not None
        assert second is not None
        assert (first.messages, second.messages, second.done_at) == (3, 0, None)


async def test_who_is_unknown_is_not_known(tmp_path: Path) -> None:
    """Also after forgetting; what is kept on purpose does not count."""
    async with opened(tmp_path) as store:
        before = await store.forgettings.knows(ANNA, NOW)
        await live(store)
        during = await store.forgettings.knows(ANNA, NOW)
        await forget(store)
        after = await store.forgettings.knows(ANNA, NOW)

        assert (before, during, after) == (False, True, False)


async def test_scrubbing_and_reading_do_not_disturb_each_other(tmp_path: Path) -> None:
    """SQLite scrubs only while no statement waits for its next row to be fetched: here none ever does."""
    async with opened(tmp_path) as store:
        await live(store)
        scrubs = [asyncio.create_task(store.scrub()) for _ in range(5)]
        jobs = await asyncio.gather(*(store.job(number % 5 + 1) for number in range(100)))
        await asyncio.gather(*scrubs)

        assert all(job is not None for job in jobs)
