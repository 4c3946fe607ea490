"""Rows as frozen records. What the columns mean stands in the migrations."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from inference import ImageRequest, PictureRef, Size


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    RENDERED = "rendered"
    POSTED = "posted"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def waits_or_runs(self) -> bool:
        """The states that count as 'jobs waiting' and that a person can still cancel."""
        return self in (JobState.QUEUED, JobState.RUNNING)


class JobKind(StrEnum):
    """How the job came about; the card says it in words."""

    SKETCH = "sketch"
    IMAGINE = "imagine"
    REPLY = "reply"
    AGAIN = "again"
    SUBTLE = "subtle"
    STRONG = "strong"


class PictureKind(StrEnum):
    UPLOADED = "uploaded"
    GENERATED = "generated"


class Shares(StrEnum):
    """Whom a person lets go on from their pictures."""

    EVERYONE = "everyone"
    MINE = "mine"


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    guild_id: int | None
    channel_id: int
    thread_id: int | None
    wants_thread: bool
    title: str
    owner_id: int
    created_at: float

    @property
    def place_id(self) -> int:
        """The channel or thread its messages go to."""
        return self.thread_id if self.thread_id is not None else self.channel_id

    @property
    def awaits_thread(self) -> bool:
        return self.wants_thread and self.thread_id is None


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    scene_id: int
    number: int
    parent_id: int | None
    kind: PictureKind
    author_id: int
    file: PictureRef
    width: int
    height: int
    latents: PictureRef | None
    latents_of: str | None
    job_id: int | None
    candidate: int | None
    created_at: float
    deleted_at: float | None = None

    @property
    def size(self) -> Size:
        return Size(self.width, self.height)

    @property
    def deleted(self) -> bool:
        """A tombstone: it keeps its number and its place in the tree, its bytes are gone."""
        return self.deleted_at is not None


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A Picture in its Scene's history; prompt and kind are those of the job it came of."""

    picture: Picture
    prompt: str | None
    kind: JobKind | None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A Picture that somebody points at, and the request it came of; none for an uploaded one.

    picked: it is their own pick on that card.
    """

    picture: Picture
    request: ImageRequest | None
    picked: bool


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Who asked, where to answer, its state and attempt, and its ImageRequest."""

    id: int
    source: str
    kind: JobKind
    scene_id: int
    guild_id: int | None
    author_id: int
    state: JobState
    attempt: int
    request: ImageRequest
    model_version: str
    parent_id: int | None
    upload_id: int | None
    notes: tuple[str, ...]
    error: str | None
    shown: bool
    created_at: float
    started_at: float | None
    seconds: float | None
    deleted_at: float | None = None

    @property
    def deleted(self) -> bool:
        """Its card was deleted by somebody who may, and its words are gone."""
        return self.deleted_at is not None


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """A message of ours. Without a message id it was meant to be sent, and perhaps was."""

    nonce: str
    job_id: int | None
    picture_id: int | None
    channel_id: int
    message_id: int | None
    gone: bool = False
    created_at: float


class NewScene(msgspec.Struct, frozen=True, kw_only=True):
    guild_id: int | None
    channel_id: int
    wants_thread: bool
    title: str
    owner_id: int


class NewPicture(msgspec.Struct, frozen=True, kw_only=True):
    """A picture whose file is already stored and that is to join a Scene's tree."""

    kind: PictureKind
    author_id: int
    file: PictureRef
    size: Size
    parent_id: int | None = None
    latents: PictureRef | None = None
    latents_of: str | None = None
    candidate: int | None = None


class NewJob(msgspec.Struct, frozen=True, kw_only=True):
    """What a door hands to `jobs`: everything that is known before anything is stored.

    scene: an existing Scene's id, or how to begin one. upload: the picture that was sent along, to be remembered
    with the job. parent_id: the Picture it goes on from.
    """

    source: str
    kind: JobKind
    scene: int | NewScene
    guild_id: int | None
    author_id: int
    request: ImageRequest
    upload: NewPicture | None = None
    parent_id: int | None = None
    notes: tuple[str, ...] = ()
