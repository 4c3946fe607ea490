"""Rows as frozen records. What the columns mean stands in the migrations."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

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
    REPAINT = "repaint"
    PIECE = "piece"
    HARMONISE = "harmonise"
    STRIP = "strip"


class PictureKind(StrEnum):
    """How a Picture came about. painted: an edited copy of its parent, cleaned. shaped: cropped, turned, scaled …"""

    UPLOADED = "uploaded"
    GENERATED = "generated"
    PAINTED = "painted"
    CUT = "cut"
    COMPOSED = "composed"
    SHAPED = "shaped"


class Scope(StrEnum):
    """Whom a rule is for."""

    SERVER = "server"
    CHANNEL = "channel"
    ROLE = "role"


class Named(StrEnum):
    """What an id in a custom_id may be of: the tables whose rows belong to a Scene, and the Scene itself."""

    SCENE = "scene"
    JOB = "job"
    PICTURE = "picture"
    DRAFT = "draft"


class Shares(StrEnum):
    """Whom a person lets go on from their pictures."""

    EVERYONE = "everyone"
    MINE = "mine"


class Style(msgspec.Struct, frozen=True, kw_only=True):
    """A preset of words that are put round a person's own.

    template: a prompt with {prompt} in it. strength: the recommended one, None for the model's own. title: what it is
    called in full; empty for a server's own.
    """

    HOLE: ClassVar[str] = "{prompt}"

    name: str
    template: str
    negative: str = ""
    strength: float | None = None
    title: str = ""

    def round(self, request: ImageRequest) -> ImageRequest:
        """The request as the engine is told it. Not `format`: people write braces too."""
        negative = ", ".join(part for part in (request.negative_prompt, self.negative) if part)
        prompt = self.template.replace(self.HOLE, request.prompt)
        return msgspec.structs.replace(request, prompt=prompt, negative_prompt=negative)


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """owner_id: 0 once they are forgotten. used_at: None while it was not since it began. pinned: it never expires."""

    id: int
    guild_id: int | None
    channel_id: int
    thread_id: int | None
    wants_thread: bool
    title: str
    owner_id: int
    created_at: float
    used_at: float | None = None
    pinned: bool = False

    @property
    def place_id(self) -> int:
        """The channel or thread its messages go to."""
        return self.thread_id if self.thread_id is not None else self.channel_id

    @property
    def awaits_thread(self) -> bool:
        return self.wants_thread and self.thread_id is None


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """piece: its name, where it is a Piece. made: how it came of its parent without a model, in words for people.

    unsafe: what the safety check took it for, in its word, or that it has yet to look: it is shown hidden. None where
    nothing was found, or there is no check.
    """

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
    piece: str | None = None
    made: str | None = None
    unsafe: str | None = None
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
    """A Picture in its Scene's history, and the job it came of, if it came of one."""

    picture: Picture
    kind: JobKind | None = None
    request: ImageRequest | None = None
    style: Style | None = None
    model_version: str = ""

    @property
    def sample(self) -> int:
        return (self.picture.candidate or 1) - 1

    @property
    def told(self) -> ImageRequest | None:
        """The request as the engine got it: with the words of its style."""
        return self.request if self.request is None or self.style is None else self.style.round(self.request)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A Picture that somebody points at, and the request and style it came of; none for an uploaded one.

    picked: it is their own pick on that card.
    """

    picture: Picture
    request: ImageRequest | None
    picked: bool
    style: Style | None = None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Who somebody was, and where, when they asked: what the rules of a server look at.

    It is kept with the job, so that rules that changed in the meantime can be applied once more at its turn.
    joined_at: seconds since 1970, None outside servers. channel_ids: the channel, and the one that its thread hangs
    under. adults_only: the channel is age-restricted. manages: they may manage the server.
    """

    role_ids: tuple[int, ...] = ()
    joined_at: float | None = None
    channel_ids: tuple[int, ...] = ()
    adults_only: bool = False
    manages: bool = False


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Who asked, where to answer, its state and attempt, and its ImageRequest.

    request: in the person's own words; `to_draw` has those of the style round them.
    held_for: why it waits for a moderator to let it through; it is queued, but not in the line. let_through: one did.
    moved_for: why a moderator put it first in the server's line. gpu_seconds: its share of the engine's time.
    """

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
    style: Style | None = None
    standing: Standing = Standing()
    held_for: str | None = None
    let_through: bool = False
    moved_for: str | None = None
    gpu_seconds: float | None = None
    deleted_at: float | None = None

    @property
    def to_draw(self) -> ImageRequest:
        """What the engine is told."""
        return self.request if self.style is None else self.style.round(self.request)

    @property
    def deleted(self) -> bool:
        """Its card was deleted by somebody who may, and its words are gone."""
        return self.deleted_at is not None


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """A message of ours. Without a message id it was meant to be sent, and perhaps was."""

    nonce: str
    job_id: int | None
    picture_id: int | None
    draft_id: int | None = None
    channel_id: int
    message_id: int | None
    gone: bool = False
    created_at: float


class OwnedPiece(msgspec.Struct, frozen=True, kw_only=True):
    """A Piece that somebody may place, and the title of the Scene that it is of."""

    picture: Picture
    scene_title: str


class DraftState(StrEnum):
    OPEN = "open"
    PLACED = "placed"
    DISCARDED = "discarded"


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A placing in progress. layers and earlier are JSON, which `bot.scene.drafting` reads and writes.

    base_id: the Picture that is placed onto. result_id: the one that it became.
    """

    id: int
    scene_id: int
    author_id: int
    base_id: int
    layers: str
    selected: int
    earlier: str
    state: DraftState
    result_id: int | None
    created_at: float


class NewScene(msgspec.Struct, frozen=True, kw_only=True):
    guild_id: int | None
    channel_id: int
    wants_thread: bool
    title: str
    owner_id: int


class NewPicture(msgspec.Struct, frozen=True, kw_only=True):
    """A picture whose file is already stored and that is to join a Scene's tree.

    unsafe: as in Picture; what no model drew has that of its parent too.
    """

    kind: PictureKind
    author_id: int
    file: PictureRef
    size: Size
    parent_id: int | None = None
    latents: PictureRef | None = None
    latents_of: str | None = None
    candidate: int | None = None
    piece: str | None = None
    made: str | None = None
    unsafe: str | None = None


class NewJob(msgspec.Struct, frozen=True, kw_only=True):
    """What a door hands to `jobs`: everything that is known before anything is stored.

    request: in the person's own words; those of `style` are put round them when it is drawn.
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
    style: Style | None = None
    standing: Standing = Standing()
    notes: tuple[str, ...] = ()
