"""The list that every server begins with: `default.toml`, compiled once."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import msgspec

from bot.store import Verdict
from bot.words.matcher import Matcher, Rules


class Kind(Rules, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What words can be about. general, adults: the verdict by the channel's audience. fixed: no server changes it."""

    general: Verdict
    adults: Verdict
    fixed: bool = False

    def verdict(self, *, adults_only: bool) -> Verdict:
        return self.adults if adults_only else self.general


class Default(NamedTuple):
    """kinds: by name, in the order of the file."""

    kinds: dict[str, Kind]
    matcher: Matcher[str]


@cache
def default() -> Default:
    """Compiled at the first call."""
    text = (resources.files("bot.words") / "default.toml").read_text("utf-8")
    tables: dict[str, Any] = tomllib.loads(text)
    never_shorten, groups = tables.pop("never_shorten"), tables.pop("groups")
    kinds = msgspec.convert(tables, dict[str, Kind])
    return Default(kinds, Matcher(kinds, groups, never_shorten))
