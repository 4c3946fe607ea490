"""Logging: ours and discord.py's in one format on stderr, one line per event.

Prompts, picture contents and tokens are never logged. What other libraries say of their own work holds them at the
level of debugging (Discord's whole messages, the parameters of SQL), so only our own loggers go below INFO.

Of an exception a trace tells its type and where it came from, but not what it says, unless it is of a kind that never
repeats anybody's words: `int("a naked moon")` raises a ValueError that does.

What a stranger can put into a line (an error's text, a name) cannot begin another line, nor move the cursor of a
terminal that shows it: whatever is not printed as it stands is escaped, and the lines of a trace are indented.
"""

from __future__ import annotations

import logging
import sqlite3
import sys
import traceback
from collections.abc import Iterator
from typing import TextIO

import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

OURS = ("bot", "inference")

_TELLS_NO_WORDS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    IndexError,
    MemoryError,
    NameError,
    NotImplementedError,
    OSError,
    RecursionError,
    TypeError,
    sqlite3.Error,
)
_TELL_NO_WORDS_EITHER = "discord.errors"
"""What Discord or its library says of a request. By name: who only asks how the bot is need not load it."""

_FOR_THE_RENDERER = frozenset({"event", "timestamp", "level", "logger", "exc_info", "stack"})


def configure(level: str, stream: TextIO | None = None) -> None:
    """Send every record of the standard library and of structlog through one handler, to stderr if not elsewhere."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    out = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _in_one_line,
                # The default trace prints local variables: prompts and tokens among them.
                structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=_indented_trace),
            ],
        )
    )
    wanted = logging.getLevelNamesMapping()[level]
    logging.basicConfig(handlers=[handler], level=max(wanted, logging.INFO), force=True)
    for name in OURS:
        logging.getLogger(name).setLevel(wanted)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def escaped(text: str) -> str:
    """The text with whatever is not printed as it stands in the way of Python's literals."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def _in_one_line(_logger: WrappedLogger, _method: str, said: EventDict) -> EventDict:
    """The renderer itself quotes values that could be taken for several."""
    said["event"] = escaped(str(said.get("event", "")))
    for key in said.keys() - _FOR_THE_RENDERER:
        said[key] = escaped(said[key] if isinstance(said[key], str) else repr(said[key]))
    return said


def _indented_trace(out: TextIO, error: ExcInfo) -> None:
    for part in _trace(error[1], set()):
        out.writelines(f"\n    {escaped(line)}" for line in part.rstrip("\n").split("\n"))


def _trace(error: BaseException | None, told: set[int]) -> Iterator[str]:
    """As Python tells it, what came first at first, without the words. told: the ids of those that need no telling."""
    if error is None or id(error) in told:
        return
    told.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _trace(before, told)
        yield "which led to:"
    yield "Traceback (most recent call last):"
    yield from traceback.format_tb(error.__traceback__)
    kind = type(error)
    speaks = isinstance(error, _TELLS_NO_WORDS) or kind.__module__ == _TELL_NO_WORDS_EITHER
    text = str(error) if speaks else "(not logged: it may hold somebody's words)"
    yield f"{kind.__module__}.{kind.__qualname__}: {text}".removeprefix("builtins.")
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _trace(each, told)
