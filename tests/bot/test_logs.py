"""The log: one line per event whatever it holds, and nobody's words in it."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator

import pytest
import structlog

from bot import logs
from tests.bot.strangers import CANARY, STRINGS

BEGINNING = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z \[[a-z]+ *\] ")
"""How every event begins, and nothing else does."""


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the bot would print at its most talkative; afterwards everything is as it was."""
    stream = io.StringIO()
    logs.configure("DEBUG", stream)
    yield stream
    logs.configure("INFO")


def lines(log: io.StringIO) -> list[str]:
    return log.getvalue().rstrip("\n").split("\n")


def assert_one_event_a_line(log: io.StringIO, events: int) -> None:
    seen = lines(log)
    assert len(seen) == events
    assert all(BEGINNING.match(line) for line in seen)
    assert all(line.isprintable() for line in seen)


def test_what_strangers_typed_makes_one_line(log: io.StringIO) -> None:
    """As a value of ours, as a whole sentence, and in another library's record: each event stays one line."""
    ours, theirs = structlog.get_logger("bot.test"), logging.getLogger("discord.test")
    for words in STRINGS:
        ours.info("said", why=words, several=[words])
        ours.info(words)
        theirs.warning("they said %s", words)

    assert_one_event_a_line(log, 3 * len(STRINGS))


def test_without_our_renderer_the_same_words_make_many_lines() -> None:
    """The control: what the test above looks for is there in an ordinary handler."""
    stream = io.StringIO()
    for words in STRINGS:
        stream.write(f"2026-01-01T00:00:00Z [info     ] {words!s}\n")

    with pytest.raises(AssertionError):
        assert_one_event_a_line(stream, len(STRINGS))


def test_the_lines_of_a_trace_cannot_be_taken_for_events(log: io.StringIO) -> None:
    """An exception's text is a stranger's too: every line of it is indented and printable."""
    log_ours = structlog.get_logger("bot.test")
    for words in STRINGS:
        try:
            raise ValueError(words)
        except ValueError:
            log_ours.exception("it broke")
    events = [line for line in lines(log) if BEGINNING.match(line)]
    rest = [line for line in lines(log) if not BEGINNING.match(line)]

    assert len(events) == len(STRINGS)
    assert all(line.startswith("    ") and line.isprintable() for line in rest)
    assert any("ValueError: " in line for line in rest)


def broken(error: Exception) -> Exception:
    """The same, raised while another with the same words was handled, and in a group."""
    try:
        try:
            raise KeyError(CANARY)
        except KeyError:
            raise ExceptionGroup(CANARY, [error]) from None
    except ExceptionGroup as group:
        try:
            raise RuntimeError(CANARY) from group
        except RuntimeError as raised:
            return raised


@pytest.mark.parametrize(
    "error",
    [
        ValueError(CANARY),
        LookupError(CANARY),
        UnicodeEncodeError("utf-8", CANARY, 0, 1, "no"),
        Exception(CANARY),
    ],
)
def test_what_an_exception_says_may_be_somebodys_words(log: io.StringIO, error: Exception) -> None:
    """`int("a naked moon")` repeats them: the log has its type and the way to it, however deep it lies."""
    structlog.get_logger("bot.test").error("it broke", exc_info=broken(error))
    logging.getLogger("discord.test").error("it broke", exc_info=broken(error))

    assert CANARY not in log.getvalue()
    assert log.getvalue().count(f"{type(error).__name__}: (not logged") == 2
    assert "in broken" in log.getvalue()


def test_what_a_full_disk_says_is_nobodys_words(log: io.StringIO) -> None:
    """The control: what helps whoever runs the bot is still told."""
    structlog.get_logger("bot.test").error(
        "it broke", exc_info=broken(OSError(28, "No space left on device"))
    )

    assert "OSError: [Errno 28] No space left on device" in log.getvalue()


def test_a_value_with_spaces_is_quoted(log: io.StringIO) -> None:
    """So that it cannot pass for another value; short ones stay as they are, whatever they are made of."""
    structlog.get_logger("bot.test").info("said", why="no room job=9", job=8, kind="sketch", quote="it's")

    (line,) = lines(log)
    assert "why='no room job=9'" in line
    assert "job=8 " in line
    assert "kind=sketch" in line
    assert '''quote="it's"''' in line


@pytest.mark.parametrize(
    "name", ["discord.gateway", "discord.http", "aiosqlite", "asyncio", "PIL.PngImagePlugin"]
)
def test_other_libraries_do_not_say_everything(log: io.StringIO, name: str) -> None:
    """Their debugging holds whole messages and the parameters of SQL; what matters is still said."""
    logging.getLogger(name).debug("received %s", CANARY)
    logging.getLogger(name).info("connected")

    assert CANARY not in log.getvalue()
    assert "connected" in log.getvalue()


def test_our_own_debugging_is_said_when_it_is_asked_for(log: io.StringIO) -> None:
    """The control of the test above; at INFO it is not."""
    structlog.get_logger("bot.test").debug("once")
    logs.configure("INFO", log)
    structlog.get_logger("bot.other").debug("twice")

    assert "once" in log.getvalue()
    assert "twice" not in log.getvalue()


def test_only_errors_are_said_when_only_those_are_asked_for(log: io.StringIO) -> None:
    """The level holds for everybody."""
    logs.configure("ERROR", log)
    for name in ("bot.test", "discord.client"):
        logging.getLogger(name).warning("beware")
        logging.getLogger(name).error("alas")

    assert "beware" not in log.getvalue()
    assert log.getvalue().count("alas") == 2
