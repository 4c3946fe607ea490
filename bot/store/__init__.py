"""What the bot remembers. Reads are methods named after the question they answer; writes take a Transaction.

::

    async with store.transaction() as tx:
        job = await store.accept(tx, new_job, now)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from bot.store.audits import AuditEntry, Audits
from bot.store.blocks import Block, Blocks
from bot.store.ceilings import Ceilings
from bot.store.database import Database, DatabaseTooNew, Row, Transaction
from bot.store.drafts import Drafts
from bot.store.expiry import Expiry
from bot.store.files import FileMissing, Files
from bot.store.forgettings import Belongings, Forgettings, Forgotten, Trace, TraceKind
from bot.store.pieces import Pieces
from bot.store.records import (
    Draft,
    DraftState,
    Found,
    Job,
    JobKind,
    JobState,
    Named,
    NewJob,
    NewPicture,
    NewScene,
    OwnedPiece,
    Picture,
    PictureKind,
    Post,
    Scene,
    Scope,
    Shares,
    Shown,
    Standing,
    Style,
)
from bot.store.rules import SetRule, SetRules
from bot.store.servers import ServerRow, Servers
from bot.store.styles import OwnStyles
from bot.store.usages import Usages, Used
from bot.store.ways import Ways, shown_of
from bot.store.words import OwnWord, OwnWords, Verdict
from inference import ImageRequest, PictureRef

__all__ = [
    "AuditEntry",
    "Belongings",
    "Block",
    "DatabaseTooNew",
    "Draft",
    "DraftState",
    "FileMissing",
    "Files",
    "Forgotten",
    "Found",
    "Job",
    "JobKind",
    "JobState",
    "Named",
    "NewJob",
    "NewPicture",
    "NewScene",
    "OwnWord",
    "OwnedPiece",
    "Picture",
    "PictureKind",
    "Post",
    "Scene",
    "Scope",
    "ServerRow",
    "SetRule",
    "Shares",
    "Shown",
    "Standing",
    "Store",
    "Style",
    "Trace",
    "TraceKind",
    "Transaction",
    "Used",
    "Verdict",
]

_R = TypeVar("_R", bound=msgspec.Struct)

_ERASED_AT_ONCE = 50
"""Files in one transaction: each is a wait for the disk, and nobody else writes meanwhile."""

_JSON_COLUMNS = {"request": ImageRequest, "notes": tuple[str, ...], "style": Style, "standing": Standing}


class Store:
    """One data folder: `moonsketch.sqlite3` and the `pictures` folder. The folder itself must be there."""

    def __init__(self, database: Database, files: Files) -> None:
        self._database = database
        self.files = files
        self.audits = Audits(database)
        self.blocks = Blocks(database)
        self.ceilings = Ceilings(database)
        self.drafts = Drafts(database)
        self.expiry = Expiry(database)
        self.forgettings = Forgettings(database)
        self.pieces = Pieces(database)
        self.servers = Servers(database)
        self.rules = SetRules(database)
        self.styles = OwnStyles(database)
        self.usages = Usages(database)
        self.ways = Ways(database)
        self.words = OwnWords(database)

    @classmethod
    async def open(cls, folder: Path) -> Store:
        database = await Database.open(folder / "moonsketch.sqlite3")
        files = Files(folder / "pictures")
        await files.sweep()
        return cls(database, files)

    async def close(self) -> None:
        await self._database.close()

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction()

    async def scrub(self) -> None:
        """Leave nothing of deleted rows on the disk. See Database.scrub."""
        await self._database.scrub()

    # Jobs

    async def job(self, job_id: int) -> Job | None:
        return _as(Job, await self._database.one("SELECT * FROM job WHERE id = ?", job_id))

    async def unfinished_jobs(self) -> list[Job]:
        """Jobs that wait, run or still have to be posted, in the order they were accepted."""
        rows = await self._database.all(
            "SELECT * FROM job WHERE state IN ('queued', 'running', 'rendered') ORDER BY id"
        )
        return [_record(Job, row) for row in rows]

    async def jobs_to_take_up(self) -> list[Job]:
        """Unfinished jobs, and those whose end nobody could be told of yet, in the order they were accepted."""
        rows = await self._database.all("SELECT * FROM job WHERE NOT shown ORDER BY id")
        return [_record(Job, row) for row in rows]

    async def recent_runs(self, limit: int) -> list[tuple[ImageRequest, float]]:
        """The latest rendered jobs, newest first: what was asked for, and its share of the engine's time in seconds."""
        rows = await self._database.all(
            "SELECT request, gpu_seconds FROM job WHERE gpu_seconds IS NOT NULL ORDER BY id DESC LIMIT ?",
            limit,
        )
        return [(msgspec.json.decode(row["request"], type=ImageRequest), row["gpu_seconds"]) for row in rows]

    async def accept(self, tx: Transaction, new: NewJob, now: float, *, held_for: str | None = None) -> Job:
        """Remember a new job and what came with it. The same `source` again gives the job of the first time."""
        row = await tx.one("SELECT * FROM job WHERE source = ?", new.source)
        if row is not None:
            return _record(Job, row)
        scene_id = await _begin_scene(tx, new.scene, now) if isinstance(new.scene, NewScene) else new.scene
        upload_id = await self.add_picture(tx, scene_id, None, new.upload, now) if new.upload else None
        self.files.claimed(new.request.mask)
        await self.use(tx, scene_id, now)
        job_id = await tx.insert(
            "INSERT INTO job (source, kind, scene_id, guild_id, author_id, state, request, style, parent_id,"
            " upload_id, notes, standing, held_for, created_at)"
            " VALUES (?, ?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?)",
            new.source,
            new.kind,
            scene_id,
            new.guild_id,
            new.author_id,
            _json(new.request),
            None if new.style is None else _json(new.style),
            new.parent_id,
            upload_id,
            _json(new.notes),
            _json(new.standing),
            held_for,
            now,
        )
        return _record(Job, await tx.one("SELECT * FROM job WHERE id = ?", job_id))

    async def accepted_before(self, source: str) -> Job | None:
        return _as(Job, await self._database.one("SELECT * FROM job WHERE source = ?", source))

    async def count_waiting(self, tx: Transaction, guild_id: int | None, author_id: int) -> tuple[int, int]:
        """Jobs queued or running: of this person everywhere in this server, and of the whole server."""
        row = await tx.one(
            "SELECT total(author_id = ?), count(*) FROM job"
            " WHERE guild_id IS ? AND state IN ('queued', 'running')",
            author_id,
            guild_id,
        )
        assert row is not None  # an aggregate always has one row
        return int(row[0]), int(row[1])

    async def asked_since(
        self, tx: Transaction, guild_id: int | None, author_id: int, since: float
    ) -> list[float]:
        """When this person's jobs here were asked for, oldest first; those that came to nothing do not count."""
        rows = await tx.all(
            "SELECT created_at FROM job WHERE guild_id IS ? AND author_id = ? AND created_at >= ?"
            " AND state NOT IN ('failed', 'cancelled') ORDER BY created_at",
            guild_id,
            author_id,
            since,
        )
        return [row["created_at"] for row in rows]

    async def start_attempt(
        self, tx: Transaction, job_id: int, request: ImageRequest, now: float
    ) -> Job | None:
        """queued or running → running, one attempt further. None if it is neither any more."""
        changed = await tx.run(
            "UPDATE job SET state = 'running', attempt = attempt + 1, started_at = ?, request = ?"
            " WHERE id = ? AND state IN ('queued', 'running')",
            now,
            _json(request),
            job_id,
        )
        if not changed:
            return None
        return _record(Job, await tx.one("SELECT * FROM job WHERE id = ?", job_id))

    async def requeue_all(self, tx: Transaction) -> None:
        """running → queued for every job: what ran in the last process runs no more."""
        await tx.run("UPDATE job SET state = 'queued' WHERE state = 'running'")

    async def requeue(self, tx: Transaction, job: Job) -> None:
        """running → queued: the engine could not take it; nobody's fault."""
        await tx.run(
            "UPDATE job SET state = 'queued' WHERE id = ? AND attempt = ? AND state = 'running'",
            job.id,
            job.attempt,
        )

    async def finish(
        self,
        tx: Transaction,
        job: Job,
        pictures: Sequence[NewPicture],
        *,
        seconds: float,
        gpu_seconds: float,
        model_version: str,
        now: float,
    ) -> bool:
        """running → rendered, with its Candidates in the Scene's tree. False for a result of an older attempt."""
        changed = await tx.run(
            "UPDATE job SET state = 'rendered', seconds = ?, gpu_seconds = ?, model_version = ?"
            " WHERE id = ? AND attempt = ? AND state = 'running'",
            seconds,
            gpu_seconds,
            model_version,
            job.id,
            job.attempt,
        )
        if not changed:
            return False
        added = [await self.add_picture(tx, job.scene_id, job.id, picture, now) for picture in pictures]
        if len(added) == 1 and pictures[0].piece is None:
            await self.set_current(tx, job.scene_id, job.author_id, added[0])
        await self.ways.forget(tx, job.scene_id, job.author_id)
        waited = (job.started_at or now) - job.created_at
        await self.usages.add(tx, job.guild_id, job.author_id, now, gpu_seconds=gpu_seconds, waited=waited)
        return True

    async def shown(self, tx: Transaction, job_id: int) -> None:
        """People can see how the job ended (or nobody is left who could); rendered → posted."""
        await tx.run(
            "UPDATE job SET shown = 1, state = iif(state = 'rendered', 'posted', state) WHERE id = ?", job_id
        )

    async def cancel(self, tx: Transaction, job_id: int) -> bool:
        """queued or running → cancelled. False if it is neither any more."""
        changed = await tx.run(
            "UPDATE job SET state = 'cancelled' WHERE id = ? AND state IN ('queued', 'running')", job_id
        )
        return bool(changed)

    async def fail(self, tx: Transaction, job_id: int, sentence: str) -> bool:
        """Any unfinished state → failed. False if it was over already."""
        changed = await tx.run(
            "UPDATE job SET state = 'failed', error = ?"
            " WHERE id = ? AND state IN ('queued', 'running', 'rendered')",
            sentence,
            job_id,
        )
        return bool(changed)

    async def release(self, tx: Transaction, job_id: int) -> bool:
        """A moderator let a held job through. False if it is held no more."""
        changed = await tx.run(
            "UPDATE job SET held_for = NULL, let_through = 1"
            " WHERE id = ? AND held_for IS NOT NULL AND state = 'queued'",
            job_id,
        )
        return bool(changed)

    async def move(self, tx: Transaction, job_id: int, reason: str) -> bool:
        """A moderator put it first in its server's line. False if it does not wait there (any more)."""
        changed = await tx.run(
            "UPDATE job SET moved_for = ? WHERE id = ? AND held_for IS NULL AND state = 'queued'",
            reason,
            job_id,
        )
        return bool(changed)

    async def add_note(self, tx: Transaction, job: Job, note: str) -> None:
        """One more sentence for the card."""
        # Appended to the row and not to the record, which may be older than another note.
        await tx.run("UPDATE job SET notes = json_insert(notes, '$[#]', ?) WHERE id = ?", note, job.id)

    async def jobs_in_place(self, place_id: int) -> list[Job]:
        """Unfinished jobs whose Scene is held in this thread or channel."""
        rows = await self._database.all(
            "SELECT job.* FROM job JOIN scene ON scene.id = job.scene_id"
            " WHERE coalesce(scene.thread_id, scene.channel_id) = ?"
            " AND job.state IN ('queued', 'running', 'rendered') ORDER BY job.id",
            place_id,
        )
        return [_record(Job, row) for row in rows]

    # Scenes

    async def begin_scene(self, tx: Transaction, new: NewScene, now: float) -> int:
        """For a first picture that no job makes."""
        return await _begin_scene(tx, new, now)

    async def scene(self, scene_id: int) -> Scene:
        """The Scene of a row that names it."""
        return _record(Scene, await self._database.one("SELECT * FROM scene WHERE id = ?", scene_id))

    async def scene_if_any(self, scene_id: int) -> Scene | None:
        """For an id that may be older than the Scene's end."""
        return _as(Scene, await self._database.one("SELECT * FROM scene WHERE id = ?", scene_id))

    async def scene_of(self, what: Named, number: int) -> Scene | None:
        """The Scene that such a record belongs to; None if there is no such record (any more)."""
        named = "?" if what is Named.SCENE else f"(SELECT scene_id FROM {what} WHERE id = ?)"
        return _as(Scene, await self._database.one(f"SELECT * FROM scene WHERE id = {named}", number))

    async def scene_of_thread(self, thread_id: int) -> Scene | None:
        """The Scene that the bot opened this thread for."""
        return _as(Scene, await self._database.one("SELECT * FROM scene WHERE thread_id = ?", thread_id))

    async def latest_scene_of(self, person_id: int, channel_id: int) -> Scene | None:
        """The Scene that this person last asked for a picture in, in this channel."""
        row = await self._database.one(
            "SELECT scene.* FROM scene JOIN job ON job.scene_id = scene.id"
            " WHERE scene.channel_id = ? AND job.author_id = ? ORDER BY job.id DESC LIMIT 1",
            channel_id,
            person_id,
        )
        return _as(Scene, row)

    async def set_thread(self, tx: Transaction, scene_id: int, thread_id: int | None) -> None:
        """The Scene's thread is open; None: it could not be opened, the Scene stays in the channel."""
        await tx.run(
            "UPDATE scene SET thread_id = ?, wants_thread = ? WHERE id = ?",
            thread_id,
            int(thread_id is not None),
            scene_id,
        )

    async def use(self, tx: Transaction, scene_id: int, now: float) -> None:
        """Something is added to it: from now on it is kept for as long as its server keeps Scenes."""
        await tx.run("UPDATE scene SET used_at = ? WHERE id = ?", now, scene_id)

    async def pin(self, tx: Transaction, scene_id: int, *, pinned: bool) -> None:
        """Kept however long it is not used, or no longer so."""
        await tx.run("UPDATE scene SET pinned = ? WHERE id = ?", int(pinned), scene_id)

    # Pictures

    async def picture(self, picture_id: int) -> Picture | None:
        return _as(Picture, await self._database.one("SELECT * FROM picture WHERE id = ?", picture_id))

    async def history(self, scene_id: int) -> list[Shown]:
        """Every picture of a Scene, oldest first."""
        rows = await self._database.all(
            "SELECT picture.*, job.kind AS job_kind, request, style, model_version FROM picture"
            " LEFT JOIN job ON job.id = picture.job_id WHERE picture.scene_id = ? ORDER BY number",
            scene_id,
        )
        return [shown_of(row) for row in rows]

    async def numbered(self, scene_id: int, number: int) -> Picture | None:
        """The picture that people call by that number."""
        row = await self._database.one(
            "SELECT * FROM picture WHERE scene_id = ? AND number = ?", scene_id, number
        )
        return _as(Picture, row)

    async def last_number(self, scene_id: int) -> int:
        row = await self._database.one(
            "SELECT coalesce(max(number), 0) FROM picture WHERE scene_id = ?", scene_id
        )
        assert row is not None  # an aggregate always has one row
        return int(row[0])

    async def candidates(self, job_id: int) -> list[Picture]:
        """What came of a job and was not deleted, in order."""
        rows = await self._database.all(
            "SELECT * FROM picture WHERE job_id = ? AND deleted_at IS NULL ORDER BY candidate", job_id
        )
        return [_record(Picture, row) for row in rows]

    async def found_on_card(self, job_id: int, candidate: int, person_id: int) -> Found | None:
        """That Candidate of a job; for 0 the person's own pick, else the first. None if there is none (any more)."""
        return await self._found(
            "picture.job_id = ?2 AND ?3 IN (0, picture.candidate)", person_id, job_id, candidate
        )

    async def found_in_message(self, message_id: int, person_id: int) -> Found | None:
        """The picture that a message of ours shows; of several the person's own pick, else the first."""
        return await self._found(
            "picture.id = (SELECT picture_id FROM post WHERE message_id = ?2)"
            " OR picture.job_id = (SELECT job_id FROM post WHERE message_id = ?2)",
            person_id,
            message_id,
        )

    async def found(self, picture_id: int, person_id: int) -> Found | None:
        return await self._found("picture.id = ?2", person_id, picture_id)

    async def _found(self, where: str, person_id: int, *values: int) -> Found | None:
        """One read, for a modal has to be the first answer to a press."""
        row = await self._database.one(
            "SELECT picture.*, request AS made_by, style AS made_in, person_id IS NOT NULL AS picked FROM picture"
            " LEFT JOIN job ON job.id = picture.job_id LEFT JOIN pick"
            " ON pick.job_id = picture.job_id AND pick.candidate = picture.candidate AND person_id = ?1"
            f" WHERE picture.deleted_at IS NULL AND ({where}) ORDER BY picked DESC, picture.candidate LIMIT 1",
            person_id,
            *values,
        )
        if row is None:
            return None
        request = msgspec.json.decode(row["made_by"], type=ImageRequest) if row["made_by"] else None
        style = msgspec.json.decode(row["made_in"], type=Style) if row["made_in"] else None
        return Found(picture=_record(Picture, row), request=request, style=style, picked=bool(row["picked"]))

    async def current_picture(self, scene_id: int, person_id: int) -> Picture | None:
        """The person's own pick in this Scene, else the Scene's latest that is no Piece, if it has any such."""
        row = await self._database.one(
            "SELECT picture.* FROM picture"
            " LEFT JOIN current_picture ON current_picture.picture_id = picture.id AND person_id = ?"
            " WHERE picture.scene_id = ? AND deleted_at IS NULL"
            " ORDER BY person_id IS NULL, piece IS NOT NULL, number DESC LIMIT 1",
            person_id,
            scene_id,
        )
        return _as(Picture, row)

    async def picks_among(self, job_id: int) -> dict[int, int]:
        """Who picked which of this job's Candidates: person → candidate."""
        rows = await self._database.all(
            "SELECT person_id, candidate FROM pick JOIN picture USING (job_id, candidate)"
            " WHERE job_id = ? AND deleted_at IS NULL ORDER BY person_id",
            job_id,
        )
        return {row["person_id"]: row["candidate"] for row in rows}

    async def pick(self, tx: Transaction, picture: Picture, person_id: int) -> None:
        """A person's choice among a job's Candidates; it becomes their current picture too, if it is no Piece."""
        await tx.run(
            "INSERT INTO pick VALUES (?, ?, ?)"
            " ON CONFLICT (job_id, person_id) DO UPDATE SET candidate = excluded.candidate",
            picture.job_id,
            person_id,
            picture.candidate,
        )
        if picture.piece is None:
            await self.set_current(tx, picture.scene_id, person_id, picture.id)

    async def add_picture(
        self, tx: Transaction, scene_id: int, job_id: int | None, new: NewPicture, now: float
    ) -> int:
        self.files.claimed(new.file, new.latents)
        await self.use(tx, scene_id, now)
        return await tx.insert(
            "INSERT INTO picture (scene_id, number, parent_id, kind, author_id, file, width, height, latents,"
            " latents_of, job_id, candidate, piece, made, created_at, unsafe)"
            " SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,"
            " coalesce(?15, (SELECT unsafe FROM picture WHERE id = ?2 AND ?3 != 'generated'))"
            " FROM picture WHERE scene_id = ?1",
            scene_id,
            new.parent_id,
            new.kind,
            new.author_id,
            new.file,
            new.size.width,
            new.size.height,
            new.latents,
            new.latents_of,
            job_id,
            new.candidate,
            new.piece,
            new.made,
            now,
            new.unsafe,
        )

    async def mark_unsafe(self, tx: Transaction, picture_id: int, category: str | None) -> None:
        """The safety check took it for that: from now on it is shown hidden. None: it is no longer."""
        await tx.run("UPDATE picture SET unsafe = ? WHERE id = ?", category, picture_id)

    async def set_current(self, tx: Transaction, scene_id: int, person_id: int, picture_id: int) -> None:
        """A person goes on from that picture; what they undid before cannot be redone any more."""
        await self.move_current(tx, scene_id, person_id, picture_id)
        await self.ways.forget(tx, scene_id, person_id)

    async def move_current(self, tx: Transaction, scene_id: int, person_id: int, picture_id: int) -> None:
        """The same for a step back or forward."""
        await tx.run(
            "INSERT INTO current_picture VALUES (?, ?, ?)"
            " ON CONFLICT (scene_id, person_id) DO UPDATE SET picture_id = excluded.picture_id",
            scene_id,
            person_id,
            picture_id,
        )

    # Posts

    async def also_shows(self, tx: Transaction, nonce: str, picture_ids: Iterable[int]) -> None:
        """The message is deleted with any of these pictures."""
        for picture_id in picture_ids:
            await tx.run("INSERT OR IGNORE INTO also_shows VALUES (?, ?)", nonce, picture_id)

    async def post_of_message(self, message_id: int) -> Post | None:
        return _as(Post, await self._database.one("SELECT * FROM post WHERE message_id = ?", message_id))

    async def latest_post_of_job(self, job_id: int) -> Post | None:
        """The job's card: the newest message that was meant to carry it."""
        row = await self._database.one(
            "SELECT * FROM post WHERE job_id = ? ORDER BY rowid DESC LIMIT 1", job_id
        )
        return _as(Post, row)

    async def count_posts(
        self, tx: Transaction, job_id: int | None, picture_id: int | None, draft_id: int | None = None
    ) -> int:
        row = await tx.one(
            "SELECT count(*) FROM post WHERE job_id IS ? AND picture_id IS ? AND draft_id IS ?",
            job_id,
            picture_id,
            draft_id,
        )
        assert row is not None  # an aggregate always has one row
        return int(row[0])

    async def intend_post(self, tx: Transaction, post: Post) -> None:
        await tx.run(
            "INSERT INTO post (nonce, job_id, picture_id, draft_id, channel_id, message_id, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            post.nonce,
            post.job_id,
            post.picture_id,
            post.draft_id,
            post.channel_id,
            post.message_id,
            post.created_at,
        )

    async def posted_as(self, tx: Transaction, nonce: str, message_id: int) -> None:
        await tx.run("UPDATE post SET message_id = ? WHERE nonce = ?", message_id, nonce)

    async def forget_message(self, message_id: int) -> None:
        """The message was deleted in Discord: its card is detached, the job and its pictures stay."""
        async with self.transaction() as tx:
            await tx.run("UPDATE post SET gone = 1 WHERE message_id = ?", message_id)

    # People

    async def shares(self, person_id: int) -> Shares:
        row = await self._database.one("SELECT shares FROM person WHERE person_id = ?", person_id)
        return Shares.EVERYONE if row is None else Shares(row["shares"])

    async def set_shares(self, tx: Transaction, person_id: int, shares: Shares) -> None:
        await tx.run(
            "INSERT INTO person VALUES (?, ?) ON CONFLICT (person_id) DO UPDATE SET shares = excluded.shares",
            person_id,
            shares,
        )

    # Deletion

    async def delete_job(self, tx: Transaction, job_id: int, now: float) -> bool:
        """Its words go, and whatever it still had to do. False if it was deleted before."""
        changed = await tx.run(
            "UPDATE job SET deleted_at = ?, shown = 1, notes = '[]', style = NULL,"
            " request = json_set(request, '$.prompt', '', '$.negative_prompt', ''),"
            " state = CASE WHEN state IN ('queued', 'running') THEN 'cancelled'"
            " WHEN state = 'rendered' THEN 'posted' ELSE state END WHERE id = ? AND deleted_at IS NULL",
            now,
            job_id,
        )
        await tx.run(
            "INSERT OR IGNORE INTO doomed_file SELECT json_extract(request, '$.mask') FROM job WHERE id = ?"
            " AND json_extract(request, '$.mask') IS NOT NULL",
            job_id,
        )
        return bool(changed)

    async def entomb(self, tx: Transaction, picture_id: int, now: float) -> bool:
        """Leave a tombstone and doom the bytes. False if it is one already."""
        changed = await tx.run(
            "UPDATE picture SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL", now, picture_id
        )
        await tx.run(
            "INSERT OR IGNORE INTO doomed_file SELECT file FROM picture WHERE id = ?1"
            " UNION SELECT latents FROM picture WHERE id = ?1 AND latents IS NOT NULL",
            picture_id,
        )
        return bool(changed)

    async def doom(self, tx: Transaction, files: Iterable[PictureRef]) -> None:
        """Bytes that were stored for a result that nobody wants any more."""
        for file in files:
            self.files.claimed(file)
            await tx.run("INSERT OR IGNORE INTO doomed_file VALUES (?)", file)

    async def others_start_from(self, job_id: int, picture_id: int) -> bool:
        """Does a job other than this one go on from that picture?"""
        row = await self._database.one(
            "SELECT 1 FROM job WHERE ? IN (upload_id, parent_id) AND id != ? AND deleted_at IS NULL LIMIT 1",
            picture_id,
            job_id,
        )
        return row is not None

    async def jobs_started_from(self, picture_id: int) -> list[Job]:
        """Whose cards show that picture beside their words."""
        rows = await self._database.all(
            "SELECT * FROM job WHERE (upload_id = ?1 OR upload_id IS NULL AND parent_id = ?1)"
            " AND deleted_at IS NULL ORDER BY id",
            picture_id,
        )
        return [_record(Job, row) for row in rows]

    async def condemned_posts(self) -> list[Post]:
        """Messages that still show what was deleted."""
        rows = await self._database.all(
            "SELECT post.* FROM job JOIN post ON post.job_id = job.id WHERE deleted_at IS NOT NULL AND NOT gone"
            " AND message_id IS NOT NULL UNION SELECT post.* FROM picture JOIN post"
            " ON post.picture_id = picture.id WHERE deleted_at IS NOT NULL AND NOT gone"
            " AND message_id IS NOT NULL UNION SELECT post.* FROM picture JOIN also_shows"
            " ON also_shows.picture_id = picture.id JOIN post USING (nonce) WHERE deleted_at IS NOT NULL AND NOT gone"
            " AND message_id IS NOT NULL"
        )
        return [_record(Post, row) for row in rows]

    async def erase_doomed(self) -> None:
        """Remove the files that no living Picture holds; in transactions, so that none is taken up meanwhile."""
        doomed = [PictureRef(row["file"]) for row in await self._database.all("SELECT file FROM doomed_file")]
        for begin in range(0, len(doomed), _ERASED_AT_ONCE):
            async with self.transaction() as tx:
                for file in doomed[begin : begin + _ERASED_AT_ONCE]:
                    await self._erase(tx, file)

    async def _erase(self, tx: Transaction, file: PictureRef) -> None:
        if not await _is_held(tx, file):
            if self.files.is_unclaimed(file):
                return
            await self.files.remove(file)
        await tx.run("DELETE FROM doomed_file WHERE file = ?", file)

    # Small things the bot itself remembers

    async def remembered(self, name: str) -> str | None:
        row = await self._database.one("SELECT value FROM memo WHERE name = ?", name)
        return None if row is None else str(row["value"])

    async def remember(self, name: str, value: str) -> None:
        async with self.transaction() as tx:
            await tx.run(
                "INSERT INTO memo VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                name,
                value,
            )


async def _begin_scene(tx: Transaction, new: NewScene, now: float) -> int:
    return await tx.insert(
        "INSERT INTO scene (guild_id, channel_id, wants_thread, title, owner_id, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        new.guild_id,
        new.channel_id,
        int(new.wants_thread),
        new.title,
        new.owner_id,
        now,
    )


async def _is_held(tx: Transaction, file: PictureRef) -> bool:
    row = await tx.one(
        "SELECT 1 FROM picture WHERE file = ?1 AND deleted_at IS NULL"
        " UNION SELECT 1 FROM picture WHERE latents = ?1 AND deleted_at IS NULL"
        " UNION SELECT 1 FROM job WHERE json_extract(request, '$.mask') = ?1 AND deleted_at IS NULL",
        file,
    )
    return row is not None


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _as(record: type[_R], row: Row | None) -> _R | None:
    return None if row is None else _record(record, row)


def _record(record: type[_R], row: Row | None) -> _R:
    """One row as a record; columns that hold JSON are decoded into their types."""
    if row is None:
        raise LookupError(f"no {record.__name__.lower()} of that id")
    values: dict[str, Any] = {column: row[column] for column in row.keys()}  # noqa: SIM118 - a Row iterates values
    for column, kind in _JSON_COLUMNS.items():
        if values.get(column) is not None:
            values[column] = msgspec.json.decode(values[column], type=kind)
    return msgspec.convert(values, record, strict=False)
