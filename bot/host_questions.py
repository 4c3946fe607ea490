"""What `moonsketch admin` asks over the control socket and is told; see bot/control.py.

Servers are named by their id, 0 being the direct messages. Every question carries the token that a port asks for.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from bot.store import AuditEntry

MOST_ENTRIES = 50
HIGHEST_ID = 2**63 - 1

ServerId = Annotated[int, msgspec.Meta(ge=0, le=HIGHEST_ID)]


class AskCeilings(msgspec.Struct, frozen=True, kw_only=True, tag="ceilings", forbid_unknown_fields=True):
    token: str = ""


class SetCeiling(msgspec.Struct, frozen=True, kw_only=True, tag="set ceiling", forbid_unknown_fields=True):
    """value: as the host typed it; None takes the ceiling away."""

    rule: str
    value: str | None
    token: str = ""


class AskServers(msgspec.Struct, frozen=True, kw_only=True, tag="servers", forbid_unknown_fields=True):
    """The first few whose ids are above `after`: all of them would not fit into one answer."""

    after: Annotated[int, msgspec.Meta(ge=-1, le=HIGHEST_ID)] = -1
    token: str = ""


class SetWeight(msgspec.Struct, frozen=True, kw_only=True, tag="set weight", forbid_unknown_fields=True):
    server: ServerId
    weight: float
    token: str = ""


class Ban(msgspec.Struct, frozen=True, kw_only=True, tag="ban", forbid_unknown_fields=True):
    server: ServerId
    reason: str
    token: str = ""


class Unban(msgspec.Struct, frozen=True, kw_only=True, tag="unban", forbid_unknown_fields=True):
    server: ServerId
    token: str = ""


class AskLog(msgspec.Struct, frozen=True, kw_only=True, tag="log", forbid_unknown_fields=True):
    """server: None for the entries of all of them, and the host's own."""

    server: ServerId | None
    most: Annotated[int, msgspec.Meta(ge=1, le=MOST_ENTRIES)]
    token: str = ""


class Drain(msgspec.Struct, frozen=True, kw_only=True, tag="drain", forbid_unknown_fields=True):
    token: str = ""


class Undrain(msgspec.Struct, frozen=True, kw_only=True, tag="undrain", forbid_unknown_fields=True):
    token: str = ""


class AskDraining(msgspec.Struct, frozen=True, kw_only=True, tag="draining", forbid_unknown_fields=True):
    token: str = ""


DatabaseQuestion = AskCeilings | SetCeiling | AskServers | SetWeight | Ban | Unban | AskLog
"""What the database alone can answer, so that no bot need run."""

HostQuestion = DatabaseQuestion | Drain | Undrain | AskDraining


class Ceiling(msgspec.Struct, frozen=True, kw_only=True):
    """All as people read them."""

    rule: str
    default: str
    ceiling: str


class Ceilings(msgspec.Struct, frozen=True, kw_only=True, tag="ceilings"):
    rules: tuple[Ceiling, ...]


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """name: None where it is not known. seconds_*: of the engine's time, `lately` in 30 days with today."""

    guild_id: int
    name: str | None = None
    weight: float = 1.0
    waiting: int = 0
    running: int = 0
    seconds_today: float = 0.0
    seconds_lately: float = 0.0
    paused_for: str | None = None
    banned_for: str | None = None


class Servers(msgspec.Struct, frozen=True, kw_only=True, tag="servers"):
    """By id. more: there are others, whose ids are higher."""

    servers: tuple[Server, ...]
    more: bool


class LatestLog(msgspec.Struct, frozen=True, kw_only=True, tag="log"):
    """Newest first; long words are cut."""

    entries: tuple[AuditEntry, ...]


class Draining(msgspec.Struct, frozen=True, kw_only=True, tag="draining"):
    """running, waiting: how many jobs."""

    draining: bool
    running: int
    waiting: int


class Done(msgspec.Struct, frozen=True, kw_only=True, tag="done"):
    """sentence: what is so now."""

    sentence: str


class Declined(msgspec.Struct, frozen=True, kw_only=True, tag="declined"):
    """The question was understood and the answer is no; nothing was changed."""

    sentence: str


HostAnswer = Ceilings | Servers | LatestLog | Draining | Done | Declined
