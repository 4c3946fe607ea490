"""The latest warnings and errors, kept in memory for `status`: when, where and what, without secrets or traces."""

from __future__ import annotations

import logging
import re
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec

from bot.logs import escaped

MOST = 20
LONGEST = 300

_LIKE_A_TOKEN = re.compile(r"[\w.-]{40,}")
"""The bot's token, and those of interactions in the addresses that discord.py logs; hashes too, nobody misses them."""

_OF_THE_LOGGER = frozenset({"event", "level", "logger", "timestamp", "exc_info", "stack_info"})


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """at: seconds since 1970. source: the logger's name."""

    at: float
    level: str
    source: str
    sentence: str


class RecentTroubles(logging.Handler):
    """See the module. hide: words that are never kept. What is logged holds no prompts in any case (`bot.logs`)."""

    def __init__(self, hide: Iterable[str] = ()) -> None:
        super().__init__(logging.WARNING)
        self._hidden = [word for word in hide if word]
        self._kept: deque[Trouble] = deque(maxlen=MOST)

    @property
    def kept(self) -> tuple[Trouble, ...]:
        """Oldest first."""
        return tuple(self._kept)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sentence = self._clean(_words(record))
        except Exception:  # as logging asks of its handlers: what cannot be logged breaks nothing
            self.handleError(record)
            return
        level = record.levelname.lower()
        self._kept.append(Trouble(at=record.created, level=level, source=record.name, sentence=sentence))

    def _clean(self, words: str) -> str:
        """One line without secrets. Of a trace only its first line would be left."""
        lines = words.strip().splitlines() or [""]
        line = escaped(lines[0]) + ("…" if len(lines) > 1 else "")  # it will be shown in a terminal
        for word in self._hidden:
            line = line.replace(word, "…")
        line = _LIKE_A_TOKEN.sub("…", line)
        return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


@contextmanager
def noting_troubles(hide: Iterable[str] = ()) -> Iterator[RecentTroubles]:
    """Keep what every logger of the process has to complain about."""
    troubles, root = RecentTroubles(hide), logging.getLogger()
    root.addHandler(troubles)
    try:
        yield troubles
    finally:
        root.removeHandler(troubles)


def _words(record: logging.LogRecord) -> str:
    """structlog hands over a mapping, the standard library a text."""
    if isinstance(record.msg, Mapping):
        said: Mapping[str, Any] = record.msg
        values = [
            f"{key}={value}"
            for key, value in said.items()
            if key not in _OF_THE_LOGGER and not key.startswith("_")
        ]
        words, error = " ".join([str(said.get("event", "")), *values]), said.get("exc_info")
    else:
        words, error = record.getMessage(), record.exc_info
    return f"{words} ({name})" if (name := _kind_of(error)) else words


def _kind_of(error: Any) -> str:
    """The name of an exception's type; its text may hold anything."""
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple):
        error = error[1]
    return type(error).__name__ if isinstance(error, BaseException) else ""
