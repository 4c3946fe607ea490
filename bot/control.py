"""The control socket: how `status`, `doctor` and `admin` ask the bot that runs on a data folder.

::

    status, doctor, admin ── one line of JSON ──▶ running bot
                          ◀── one line of JSON ──

One question per connection, small and answered in a short time; whatever else arrives is refused and does the bot no
harm. It is a Unix socket in the data folder that only its owner may open. Where there are none (Windows, or a folder
whose path is too long for one) it is a port of this machine alone, and a file that only the owner may read says which
and holds the token that every question must carry.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import os
import secrets
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar

import msgspec
import structlog

from bot.host_questions import HostAnswer, HostQuestion
from bot.recent_troubles import Trouble
from bot.store import JobState
from inference import EngineStatus

log = structlog.get_logger(__name__)

_A = TypeVar("_A", bound=msgspec.Struct)

SOCKET, PORT_FILE = "control.sock", "control.json"

LONGEST_QUESTION = 4 * 1024
LONGEST_ANSWER = 256 * 1024
MOST_AT_ONCE = 8
QUESTION_SECONDS = 5.0
"""How long somebody may take to ask, and to take the answer."""

STATUS_SECONDS, HOST_SECONDS, DATABASE_SECONDS = 10.0, 30.0, 300.0
_LONGEST_SOCKET_PATH = 100
"""Linux allows 107 bytes, macOS 103."""

_OWNER_ONLY = 0o600


class AskStatus(msgspec.Struct, frozen=True, kw_only=True, tag="status", forbid_unknown_fields=True):
    token: str = ""


class AskDatabase(msgspec.Struct, frozen=True, kw_only=True, tag="database", forbid_unknown_fields=True):
    """Have the database checked by the one process that may open it."""

    token: str = ""


class Status(msgspec.Struct, frozen=True, kw_only=True, tag="status"):
    """How a running bot is.

    paused, banned: how many servers are, those that the bot is not in included. draining: nothing new is begun.
    line: how many jobs are in each state that is not over. rows_given: of jobs that the engine has; row_credits: how
    many it steps at once. troubles: the latest warnings, oldest first.
    """

    version: str
    pid: int
    uptime_seconds: float
    connected: bool
    servers: int
    paused: int = 0
    banned: int = 0
    draining: bool = False
    line: dict[JobState, int]
    oldest_wait_seconds: float | None
    engine: EngineStatus
    rows_given: int
    row_credits: int
    troubles: tuple[Trouble, ...]


class DatabaseChecked(msgspec.Struct, frozen=True, kw_only=True, tag="database"):
    problems: tuple[str, ...]


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag="refused"):
    why: str


Question = AskStatus | AskDatabase | HostQuestion
Answer = Status | DatabaseChecked | HostAnswer | Refused
Answerer = Callable[[Question], Awaitable[Answer]]

_QUESTION: Final[msgspec.json.Decoder[Question]] = msgspec.json.Decoder(Question)
_ANSWER: Final[msgspec.json.Decoder[Answer]] = msgspec.json.Decoder(Answer)


class _Port(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the port file."""

    port: int
    token: str


class NobodyAnswers(Exception):
    """No bot listens on this data folder."""


class NoAnswer(Exception):
    """Somebody listens, but there was no answer that could be understood; str() says why."""


# The bot's side


@asynccontextmanager
async def serving(
    folder: Path, answer: Answerer, *, unix_sockets: bool = hasattr(socket, "AF_UNIX")
) -> AsyncGenerator[None, None]:
    """Answer questions until the end. The data folder must be this process's own: what is left there is replaced."""
    _forget(folder)
    desk = _Desk(answer)
    async with AsyncExitStack() as closing:
        closing.callback(_forget, folder)
        try:
            server = await _open(folder, desk, unix_sockets)
        except OSError as error:
            log.warning("nobody can ask how the bot is", why=str(error))  # it draws all the same
        else:
            closing.push_async_callback(_close, server, desk)
        yield


async def _open(folder: Path, desk: _Desk, unix_sockets: bool) -> asyncio.Server:
    """Raises OSError where neither a socket nor a port can be had."""
    path = _shortest(folder / SOCKET)
    if unix_sockets and len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
        try:
            return await _open_socket(path, desk)
        except OSError as error:  # not every file system has sockets
            log.info("there can be no socket in the data folder; a port is used", why=str(error))
    return await _open_port(folder, desk)


class _Desk:
    """Answers whoever comes in, a few at a time."""

    def __init__(self, answer: Answerer) -> None:
        self.token = ""
        self._answer = answer
        self._busy: set[asyncio.Task[object]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # asyncio runs this in a task of its own
        self._busy.add(task)
        try:
            answer = await self._hear(reader)
            async with asyncio.timeout(QUESTION_SECONDS):
                writer.write(_line(answer))
                await writer.drain()
        except (OSError, TimeoutError) as error:
            log.debug("a question was left unanswered", why=repr(error))
        finally:
            self._busy.discard(task)
            writer.close()

    async def close(self) -> None:
        busy = list(self._busy)
        for task in busy:
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)

    async def _hear(self, reader: asyncio.StreamReader) -> Answer:
        if len(self._busy) > MOST_AT_ONCE:
            return Refused(why="Too many ask at once.")
        try:
            async with asyncio.timeout(QUESTION_SECONDS):
                question = _QUESTION.decode(await reader.readline())
        except (ValueError, RecursionError):  # also of a line that is too long
            return Refused(why="That is no question.")
        if not hmac.compare_digest(question.token.encode(), self.token.encode()):
            return Refused(why="That is not the token.")
        try:
            return await self._answer(question)
        except Exception:
            # Whoever asks must not be able to end the bot by it, whatever breaks; and gets an answer.
            log.exception("a question could not be answered", question=type(question).__name__)
            return Refused(why="Something broke; the bot's log says what.")


async def _open_socket(path: str, desk: _Desk) -> asyncio.Server:
    """Only the owner may connect, from the first moment: before `listen` nobody can."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.bind(path)
        os.chmod(path, _OWNER_ONLY)  # noqa: PTH101 - an address, and one call that takes no time
        return await asyncio.start_unix_server(desk.serve, sock=listening, limit=LONGEST_QUESTION)
    except BaseException:
        listening.close()
        raise


async def _open_port(folder: Path, desk: _Desk) -> asyncio.Server:
    desk.token = secrets.token_hex(32)
    server = await asyncio.start_server(desk.serve, "127.0.0.1", 0, limit=LONGEST_QUESTION)
    port = _Port(port=server.sockets[0].getsockname()[1], token=desk.token)
    unfinished = folder / f"{PORT_FILE}.new"
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "wb") as file:
        file.write(msgspec.json.encode(port))
    unfinished.replace(folder / PORT_FILE)
    return server


async def _close(server: asyncio.Server, desk: _Desk) -> None:
    server.close()
    await desk.close()


def _forget(folder: Path) -> None:
    for name in (SOCKET, PORT_FILE):
        (folder / name).unlink(missing_ok=True)


def _line(answer: Answer) -> bytes:
    encoded = msgspec.json.encode(answer)
    if len(encoded) >= LONGEST_ANSWER:
        encoded = msgspec.json.encode(Refused(why="The answer is too long."))
    return encoded + b"\n"


def _shortest(path: Path) -> str:
    """A socket's address is short, however deep its folder lies."""
    candidates = [str(path.absolute())]
    with contextlib.suppress(ValueError):  # on another drive
        candidates.append(os.path.relpath(path))
    return min(candidates, key=len)


# The side of whoever asks


async def ask_status(folder: Path) -> Status:
    """Raises NobodyAnswers, NoAnswer."""
    return _as(Status, await _ask(folder, AskStatus(), STATUS_SECONDS))


async def ask_database(folder: Path) -> tuple[str, ...]:
    """What is wrong with the database, a sentence each. Raises NobodyAnswers, NoAnswer."""
    return _as(DatabaseChecked, await _ask(folder, AskDatabase(), DATABASE_SECONDS)).problems


async def ask_host(folder: Path, question: HostQuestion) -> HostAnswer:
    """Raises NobodyAnswers, NoAnswer."""
    answer = await _ask(folder, question, HOST_SECONDS)
    if isinstance(answer, Status | DatabaseChecked):
        raise _something_else(answer)
    return answer


def _as(expected: type[_A], answer: Answer) -> _A:
    """Raises NoAnswer for any other answer: whatever listens there need not be a bot of ours."""
    if not isinstance(answer, expected):
        raise _something_else(answer)
    return answer


def _something_else(answer: Answer) -> NoAnswer:
    return NoAnswer(f"It answered with something else ({type(answer).__name__}).")


async def _ask(folder: Path, question: Question, seconds: float) -> Status | DatabaseChecked | HostAnswer:
    reader, writer, token = await _connect(folder)
    try:
        async with asyncio.timeout(seconds):
            writer.write(msgspec.json.encode(msgspec.structs.replace(question, token=token)) + b"\n")
            await writer.drain()
            answer = _ANSWER.decode(await reader.readline())
    except TimeoutError:
        raise NoAnswer(f"It did not answer in {seconds:g} s.") from None
    except (OSError, ValueError) as error:
        raise NoAnswer(f"It did not answer as expected: {error}.") from error
    finally:
        writer.close()
    if isinstance(answer, Refused):
        raise NoAnswer(f"It refused to answer: {answer.why}")
    return answer


async def _connect(folder: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, str]:
    try:
        async with asyncio.timeout(QUESTION_SECONDS):
            try:
                port = msgspec.json.decode((folder / PORT_FILE).read_bytes(), type=_Port)
            except FileNotFoundError:
                path = _shortest(folder / SOCKET)
                return *await asyncio.open_unix_connection(path, limit=LONGEST_ANSWER), ""
            return *await asyncio.open_connection("127.0.0.1", port.port, limit=LONGEST_ANSWER), port.token
    except (FileNotFoundError, ConnectionRefusedError, AttributeError):
        # Nothing is there, or a bot that was killed left it behind; or this platform has no such sockets at all.
        raise NobodyAnswers from None
    except (OSError, ValueError, TimeoutError) as error:
        raise NoAnswer(f"It could not be asked: {error}.") from error
