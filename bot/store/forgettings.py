"""Forgetting a person: every row that is theirs, or names them, in one transaction. Nothing is kept in its place but
tombstones, and those only where somebody else built on them.

What becomes of each table::

    scene            of theirs alone: gone. With others in it: owner_id 0, and a title that nobody wrote
    picture          gone; a tombstone with author_id 0, no job and no words where somebody else built on it
    job              gone. Others' that took over their words, in the same Scene: without words
    post             gone, and a trace for each message that still stands in Discord
    also_shows       goes with its post; others' films that show one of their pictures: a trace, and gone
    draft            gone
    current_picture, pick, undone, person   their rows: gone
    usage            their rows: gone, but today's, or limits would be lifted; it goes with the day
    rule, word, style, block   set_by 0
    block            of themselves: stays with its server
    audit            actor_id NULL and a note that says so; mentions of them are replaced
    doomed_file      names their files until they are removed
    forgetting, trace   remember them until Discord shows nothing more and the day is over
    server, ceiling, memo   hold nobody

A person is 0 from then on: nobody's id.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import msgspec

from bot.store.database import Database, Transaction
from bot.store.expiry import delete_scenes, doom_files
from bot.store.usages import DAY_SECONDS

_MINE = "(SELECT id FROM picture WHERE author_id = ?1)"

_BUILT_ON = (
    # From each picture that somebody else, or a kept one, came of, all the way up.
    "WITH RECURSIVE kept (id) AS ("
    f" SELECT parent_id FROM picture WHERE parent_id IN {_MINE} AND author_id != ?1"
    f" UNION SELECT parent_id FROM job WHERE parent_id IN {_MINE} AND author_id != ?1"
    f" UNION SELECT upload_id FROM job WHERE upload_id IN {_MINE} AND author_id != ?1"
    f" UNION SELECT base_id FROM draft WHERE base_id IN {_MINE} AND author_id != ?1"
    " UNION SELECT parent.parent_id FROM kept JOIN picture AS parent USING (id)"
    " JOIN picture AS above ON above.id = parent.parent_id AND above.author_id = ?1)"
)

_POSTS_OF_THEIRS = (
    "(SELECT nonce FROM post JOIN job ON job.id = job_id WHERE author_id = ?1"
    " UNION SELECT nonce FROM post JOIN picture ON picture.id = picture_id WHERE author_id = ?1"
    " UNION SELECT nonce FROM post JOIN draft ON draft.id = draft_id WHERE author_id = ?1)"
)
_POSTS_WITH_THEIRS = f"(SELECT nonce FROM also_shows WHERE picture_id IN {_MINE})"

_ON_BOARD = "message_id IS NOT NULL AND NOT gone"

_OTHERS_SAY_THE_SAME = (
    "author_id != ?1 AND EXISTS (SELECT 1 FROM job AS mine WHERE mine.author_id = ?1"
    " AND mine.scene_id = job.scene_id"
    " AND json_extract(mine.request, '$.prompt') = json_extract(job.request, '$.prompt')"
    " AND json_extract(mine.request, '$.prompt') != '')"
)

_NAMED_IN = (
    ("picture", "author_id"),
    ("job", "author_id"),
    ("draft", "author_id"),
    ("scene", "owner_id"),
    ("person", "person_id"),
    ("current_picture", "person_id"),
    ("pick", "person_id"),
    ("undone", "person_id"),
    ("audit", "actor_id"),
    ("rule", "set_by"),
    ("word", "set_by"),
    ("style", "set_by"),
    ("block", "set_by"),
)

_CARDS_OF_OTHERS = (
    # That show a picture of theirs beside the words, say their words, or name them for their pick.
    f"SELECT id FROM job WHERE author_id != ?1 AND deleted_at IS NULL AND (parent_id IN {_MINE}"
    f" OR upload_id IN {_MINE} OR id IN (SELECT job_id FROM pick WHERE person_id = ?1)"
    f" OR scene_id IN (SELECT scene_id FROM job WHERE author_id = ?1) AND {_OTHERS_SAY_THE_SAME})"
)


class TraceKind(StrEnum):
    """A thread that is named after their words; a message of ours that shows their work; somebody else's card that
    shows something of it."""

    THREAD = "thread"
    MESSAGE = "message"
    CARD = "card"


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that Discord still shows. message_id: None for a thread. job_id: whose card it is, for a card."""

    id: int
    person_id: int
    kind: TraceKind
    channel_id: int
    message_id: int | None
    job_id: int | None


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """One person's. channel_id, message_id: where its progress is shown. messages: how many there were to delete.

    refused: how many of those Discord would not delete. done_at: None while traces are left.
    """

    person_id: int
    asked_at: float
    channel_id: int | None
    message_id: int | None
    messages: int
    refused: int
    done_at: float | None


class Belongings(NamedTuple):
    """What is kept of a person. built_on: of the pictures, those that somebody else went on from."""

    pictures: int
    built_on: int
    jobs: int
    unfinished: int
    messages: int
    scenes: int


class Forgettings:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def belongings(self, person_id: int) -> Belongings:
        row = await self._database.one(
            f"{_BUILT_ON} SELECT"
            " (SELECT count(*) FROM picture WHERE author_id = ?1 AND deleted_at IS NULL),"
            " (SELECT count(*) FROM picture JOIN kept USING (id) WHERE author_id = ?1 AND deleted_at IS NULL),"
            " (SELECT count(*) FROM job WHERE author_id = ?1 AND deleted_at IS NULL),"
            " (SELECT count(*) FROM job WHERE author_id = ?1 AND state IN ('queued', 'running')),"
            f" (SELECT count(*) FROM post WHERE {_ON_BOARD}"
            f" AND (nonce IN {_POSTS_OF_THEIRS} OR nonce IN {_POSTS_WITH_THEIRS})),"
            " (SELECT count(*) FROM scene WHERE owner_id = ?1)",
            person_id,
        )
        assert row is not None  # a SELECT of values always has one row
        return Belongings(*row)

    async def knows(self, person_id: int, now: float) -> bool:
        """Is there any row of theirs, but for those that outlive the forgetting?"""
        union = " UNION ALL ".join(
            f"SELECT 1 FROM {table} WHERE {column} = ?1" for table, column in _NAMED_IN
        )
        row = await self._database.one(
            f"SELECT EXISTS ({union} UNION ALL SELECT 1 FROM usage WHERE person_id = ?1 AND day < ?2)",
            person_id,
            int(now // DAY_SECONDS),
        )
        assert row is not None  # a SELECT of values always has one row
        return bool(row[0])

    async def scenes_with(self, person_id: int) -> list[int]:
        """Scenes in which they have pictures that are not deleted, oldest first."""
        rows = await self._database.all(
            "SELECT DISTINCT scene_id FROM picture WHERE author_id = ? AND deleted_at IS NULL ORDER BY scene_id",
            person_id,
        )
        return [row["scene_id"] for row in rows]

    async def unfinished_jobs_of(self, person_id: int) -> list[int]:
        """Jobs that wait, run, or whose end is still to be shown."""
        rows = await self._database.all("SELECT id FROM job WHERE author_id = ? AND NOT shown", person_id)
        return [row["id"] for row in rows]

    async def others_in_their_words(self, person_id: int) -> list[int]:
        """Jobs of others that wait or run with words that they took over from a job of theirs."""
        rows = await self._database.all(
            f"SELECT id FROM job WHERE state IN ('queued', 'running') AND {_OTHERS_SAY_THE_SAME}", person_id
        )
        return [row["id"] for row in rows]

    # Erasing

    async def erase(self, tx: Transaction, person_id: int, now: float, *, nobody: str, title: str) -> None:
        """See the module. nobody: what stands where they were named. title: of Scenes that others go on with.

        Their files are doomed, what Discord shows is noted as traces, and the forgetting is remembered.
        """
        # Pictures and jobs name each other: whether all of it fits is asked once, at the commit.
        await tx.run("PRAGMA defer_foreign_keys = ON")
        await doom_files(tx, "author_id = ?", person_id)
        messages = await self._note_traces(tx, person_id)
        await self._forget_words(tx, person_id)
        await self._forget_scenes(tx, person_id, title)
        await self._forget_work(tx, person_id, now)
        await self._forget_person(tx, person_id, now, nobody)
        await tx.run(
            "INSERT INTO forgetting (person_id, asked_at, messages) VALUES (?1, ?2, ?3)"
            " ON CONFLICT (person_id) DO UPDATE SET asked_at = ?2, done_at = NULL,"
            " messages = iif(done_at IS NULL, messages, 0) + ?3, refused = iif(done_at IS NULL, refused, 0)",
            person_id,
            now,
            messages,
        )

    async def _note_traces(self, tx: Transaction, person_id: int) -> int:
        """Returns how many messages are to be deleted."""
        note = "INSERT INTO trace (person_id, kind, channel_id, message_id, job_id) SELECT ?1,"
        await tx.run(
            f"{note} 'thread', thread_id, NULL, NULL FROM scene WHERE owner_id = ?1 AND thread_id IS NOT NULL",
            person_id,
        )
        messages = await tx.run(
            f"{note} 'message', channel_id, message_id, NULL FROM post WHERE {_ON_BOARD}"
            f" AND (nonce IN {_POSTS_OF_THEIRS} OR nonce IN {_POSTS_WITH_THEIRS}) ORDER BY channel_id, message_id DESC",
            person_id,
        )
        await tx.run(
            f"{note} 'card', channel_id, message_id, job_id FROM post WHERE {_ON_BOARD}"
            f" AND job_id IN ({_CARDS_OF_OTHERS})",
            person_id,
        )
        return messages

    async def _forget_words(self, tx: Transaction, person_id: int) -> None:
        """Where somebody else pressed Again or Subtle, their job has the same words."""
        await tx.run(
            "UPDATE job SET request = json_set(request, '$.prompt', '', '$.negative_prompt', '')"
            f" WHERE scene_id IN (SELECT scene_id FROM job WHERE author_id = ?1) AND {_OTHERS_SAY_THE_SAME}",
            person_id,
        )

    async def _forget_scenes(self, tx: Transaction, person_id: int, title: str) -> None:
        others = "author_id NOT IN (0, ?1) AND scene_id = scene.id"
        alone = await tx.all(
            "SELECT id FROM scene WHERE owner_id = ?1 AND NOT EXISTS (SELECT 1 FROM picture WHERE"
            f" {others} UNION ALL SELECT 1 FROM job WHERE {others} UNION ALL SELECT 1 FROM draft WHERE {others})",
            person_id,
        )
        await delete_scenes(tx, [row["id"] for row in alone])
        await tx.run("UPDATE scene SET owner_id = 0, title = ? WHERE owner_id = ?", title, person_id)

    async def _forget_work(self, tx: Transaction, person_id: int, now: float) -> None:
        await tx.run(f"UPDATE post SET gone = 1 WHERE nonce IN {_POSTS_WITH_THEIRS}", person_id)
        await tx.run(f"DELETE FROM post WHERE nonce IN {_POSTS_OF_THEIRS}", person_id)
        await tx.run(
            f"{_BUILT_ON} UPDATE picture SET author_id = 0, deleted_at = coalesce(deleted_at, ?2), piece = NULL,"
            " made = NULL, latents = NULL, latents_of = NULL, job_id = NULL, candidate = NULL"
            " WHERE author_id = ?1 AND id IN kept",
            person_id,
            now,
        )
        for table in ("draft", "job", "picture"):
            await tx.run(f"DELETE FROM {table} WHERE author_id = ?", person_id)

    async def _forget_person(self, tx: Transaction, person_id: int, now: float, nobody: str) -> None:
        for table in ("current_picture", "pick", "undone", "person"):
            await tx.run(f"DELETE FROM {table} WHERE person_id = ?", person_id)
        today = int(now // DAY_SECONDS)
        await tx.run("DELETE FROM usage WHERE person_id = ? AND day < ?", person_id, today)
        for table in ("rule", "word", "style", "block"):
            await tx.run(f"UPDATE {table} SET set_by = 0 WHERE set_by = ?", person_id)
        await tx.run(
            "UPDATE audit SET actor_id = NULL, reason = ltrim(reason || ' ') || ?2 WHERE actor_id = ?1",
            person_id,
            f"({nobody})",
        )
        for column in ("subject", "before", "after", "reason"):
            await tx.run(
                f"UPDATE audit SET {column} = replace(replace(replace({column}, '<@' || ?1 || '>', ?2),"
                f" '<@!' || ?1 || '>', ?2), ?1, ?2) WHERE instr({column}, ?1)",
                str(person_id),
                nobody,
            )

    # What Discord still shows

    async def get(self, person_id: int) -> Forgotten | None:
        row = await self._database.one("SELECT * FROM forgetting WHERE person_id = ?", person_id)
        return None if row is None else msgspec.convert(dict(row), Forgotten)

    async def under_way(self) -> list[int]:
        """People of whom Discord still shows something, or may."""
        rows = await self._database.all(
            "SELECT person_id FROM forgetting WHERE done_at IS NULL ORDER BY asked_at"
        )
        return [row["person_id"] for row in rows]

    async def next_trace(self, person_id: int) -> Trace | None:
        """Threads first: one that is archived has to be opened before messages in it can be deleted."""
        row = await self._database.one(
            "SELECT * FROM trace WHERE person_id = ? ORDER BY kind != 'thread', kind != 'message', id LIMIT 1",
            person_id,
        )
        return None if row is None else msgspec.convert(dict(row), Trace)

    async def messages_left(self, person_id: int) -> int:
        row = await self._database.one(
            "SELECT count(*) FROM trace WHERE person_id = ? AND kind = 'message'", person_id
        )
        assert row is not None  # an aggregate always has one row
        return int(row[0])

    async def settle(self, tx: Transaction, trace: Trace, *, refused: bool) -> None:
        """It is taken away, or Discord will never allow that."""
        await tx.run("DELETE FROM trace WHERE id = ?", trace.id)
        if refused and trace.kind is TraceKind.MESSAGE:
            await tx.run("UPDATE forgetting SET refused = refused + 1 WHERE person_id = ?", trace.person_id)

    async def show_at(self, tx: Transaction, person_id: int, channel_id: int, message_id: int) -> None:
        """The message that tells how far it is."""
        await tx.run(
            "UPDATE forgetting SET channel_id = ?, message_id = ? WHERE person_id = ?",
            channel_id,
            message_id,
            person_id,
        )

    async def done(self, tx: Transaction, person_id: int, now: float) -> bool:
        """False if there are traces again: they asked once more meanwhile."""
        return bool(
            await tx.run(
                "UPDATE forgetting SET done_at = ?2 WHERE person_id = ?1"
                " AND NOT EXISTS (SELECT 1 FROM trace WHERE person_id = ?1)",
                person_id,
                now,
            )
        )

    async def end_of_day(self, tx: Transaction, today: int) -> None:
        """Of people whose forgetting is done and was not asked for today: what was kept so that limits hold."""
        over = "forgetting WHERE done_at IS NOT NULL AND asked_at < ?1"
        midnight = today * DAY_SECONDS
        await tx.run(
            f"DELETE FROM usage WHERE day * {DAY_SECONDS} < ?1 AND person_id IN (SELECT person_id FROM {over})"
            f" AND day <= (SELECT asked_at / {DAY_SECONDS} FROM forgetting WHERE person_id = usage.person_id)",
            midnight,
        )
        await tx.run(f"DELETE FROM {over}", midnight)
