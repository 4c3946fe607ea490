"""The control socket: only its owner may ask, nonsense does no harm, and what it tells holds no secrets."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import stat
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
import structlog

from bot import logs
from bot.control import (
    LONGEST_ANSWER,
    LONGEST_QUESTION,
    MOST_AT_ONCE,
    PORT_FILE,
    SOCKET,
    Answer,
    AskDatabase,
    AskStatus,
    DatabaseChecked,
    NoAnswer,
    NobodyAnswers,
    Question,
    Status,
    ask_database,
    ask_host,
    ask_status,
    serving,
)
from bot.host_questions import Ban, Done, Drain
from bot.recent_troubles import LONGEST, MOST, RecentTroubles, Trouble, noting_troubles
from bot.reporter import Reporter
from bot.settings import Settings
from bot.status import duration, lines, main
from bot.store import JobState
from inference import EngineState, EngineStatus
from tests.journeys.world import held_engine, world

UNIX = [
    pytest.param(True, marks=pytest.mark.skipif(sys.platform == "win32", reason="has no such sockets")),
    False,
]
TOKEN = "MTQ1NjA3NDQ0Mzk4MDgwMDAwMA.GabcDE.abcdefghijklmnopqrstuvwxyz0123456789AB"


def a_status(**changes: object) -> Status:
    plain = Status(
        version="1.2",
        pid=4711,
        uptime_seconds=11_520.0,
        connected=True,
        servers=1,
        line={JobState.QUEUED: 3, JobState.RUNNING: 2},
        oldest_wait_seconds=42.4,
        engine=EngineStatus(state=EngineState.BUSY, worker_pid=4712),
        rows_given=6,
        row_credits=8,
        troubles=(),
    )
    return msgspec.structs.replace(plain, **changes)


async def answer(question: Question) -> Answer:
    """As a bot that is well."""
    match question:
        case AskStatus():
            return a_status()
        case AskDatabase():
            return DatabaseChecked(problems=("Row 3 is odd.",))
        case _:
            return Done(sentence=f"{type(question).__name__} it is.")


async def break_down(question: Question) -> Status | DatabaseChecked:
    raise RuntimeError(f"about {question}")


@asynccontextmanager
async def connection(folder: Path) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter], None]:
    """Whoever speaks without the client."""
    reader, writer = await asyncio.open_unix_connection(folder / SOCKET, limit=LONGEST_ANSWER)
    try:
        yield reader, writer
    finally:
        writer.close()


async def told(folder: Path, words: bytes) -> bytes:
    """The answer to these bytes, and nothing after them."""
    async with connection(folder) as (reader, writer):
        writer.write(words)
        writer.write_eof()
        return await reader.read()


needs_unix_sockets = pytest.mark.skipif(sys.platform == "win32", reason="has no such sockets")


# Asking


@pytest.mark.parametrize("unix_sockets", UNIX)
async def test_a_question_gets_its_answer(tmp_path: Path, unix_sockets: bool) -> None:
    """Again and again, over a socket in the folder or over a port; afterwards nothing of it is left."""
    async with serving(tmp_path, answer, unix_sockets=unix_sockets):
        used = {path.name for path in tmp_path.iterdir()}
        statuses = [await ask_status(tmp_path) for _ in range(3)]
        problems = await ask_database(tmp_path)
        done = await ask_host(tmp_path, Ban(server=5, reason="spam"))

    assert used == {SOCKET if unix_sockets else PORT_FILE}
    assert statuses == [a_status()] * 3
    assert problems == ("Row 3 is odd.",)
    assert done == Done(sentence="Ban it is.")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="knows other permissions")
@pytest.mark.parametrize("unix_sockets", [True, False])
async def test_only_its_owner_may_ask(tmp_path: Path, unix_sockets: bool) -> None:
    """The socket, or the file with the port and the token, is closed to everybody else."""
    async with serving(tmp_path, answer, unix_sockets=unix_sockets):
        (way,) = tmp_path.iterdir()
        mode = stat.S_IMODE(way.stat().st_mode)

    assert mode == 0o600


@pytest.mark.parametrize("token", ["", "0" * 64, "ü"])
async def test_over_a_port_the_token_is_asked_for(tmp_path: Path, token: str) -> None:
    """Anybody on this machine can reach a port; without the token from the file they learn nothing."""
    async with serving(tmp_path, answer, unix_sockets=False):
        port = msgspec.json.decode((tmp_path / PORT_FILE).read_bytes())
        (tmp_path / PORT_FILE).write_bytes(msgspec.json.encode({**port, "token": token}))
        for ask in (ask_status(tmp_path), ask_host(tmp_path, Drain())):
            with pytest.raises(NoAnswer, match="not the token"):
                await ask
        (tmp_path / PORT_FILE).write_bytes(msgspec.json.encode(port))

        assert await ask_status(tmp_path) == a_status()
        assert len(port["token"]) == 64


@needs_unix_sockets
async def test_a_folder_too_deep_for_a_socket_gets_a_port(tmp_path: Path) -> None:
    """An address of a socket is short; how people name their folders is not our business."""
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    async with serving(deep, answer):
        used = [path.name for path in deep.iterdir()]
        status = await ask_status(deep)

    assert used == [PORT_FILE]
    assert status == a_status()


@needs_unix_sockets
async def test_what_a_killed_bot_left_behind_is_nobody(tmp_path: Path) -> None:
    """Its socket is still there and nobody listens; the next bot puts its own in its place."""
    for _ in range(2):
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as left:
            (tmp_path / SOCKET).unlink(missing_ok=True)
            left.bind(str(tmp_path / SOCKET))
    with pytest.raises(NobodyAnswers):
        await ask_status(tmp_path)

    async with serving(tmp_path, answer):
        assert await ask_status(tmp_path) == a_status()


async def test_where_there_never_was_a_bot_nobody_answers(tmp_path: Path) -> None:
    """Neither in an empty folder nor in one that is not there; nor at a port that somebody had."""
    with contextlib.closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        left = {"port": held.getsockname()[1], "token": "0"}
    (tmp_path / "left").mkdir()
    (tmp_path / "left" / PORT_FILE).write_bytes(msgspec.json.encode(left))

    for folder in (tmp_path, tmp_path / "nothing", tmp_path / "left"):
        with pytest.raises(NobodyAnswers):
            await ask_status(folder)


# Nonsense


@needs_unix_sockets
@pytest.mark.parametrize(
    "words",
    [
        b"",
        b"\n",
        b"hello\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"{}\n",
        b"null\n",
        b'{"type":"admin"}\n',
        b'{"type":"status","token":5}\n',
        b'{"type":"status","more":1}\n',
        b'{"type":"drain","now":true}\n',
        b'{"type":"ban","server":5}\n',
        b'{"type":"ban","server":-1,"reason":"spam"}\n',
        b'{"type":"ban","server":"5","reason":"spam"}\n',
        b'{"type":"ban","server":9223372036854775808,"reason":"spam"}\n',
        b'{"type":"unban","server":null}\n',
        b'{"type":"set weight","server":5,"weight":NaN}\n',
        b'{"type":"set weight","server":5,"weight":"heavy"}\n',
        b'{"type":"log","server":5,"most":1000000}\n',
        b'{"type":"status"',
        b"[" * (LONGEST_QUESTION - 1) + b"\n",
        b'{"type":"status","token":"' + b"x" * LONGEST_QUESTION + b'"}\n',
        b"x" * 10_000,
        bytes(range(256)),
        b"\xff\xfe\n",
    ],
)
async def test_nonsense_is_refused_and_does_no_harm(tmp_path: Path, words: bytes) -> None:
    """With a word, or with a closed connection; whoever asks properly afterwards is answered."""
    async with serving(tmp_path, answer):
        with contextlib.suppress(ConnectionError):  # what was not read when it closed resets the connection
            refused = await told(tmp_path, words)

            assert b"That is no question." in refused
        assert await ask_status(tmp_path) == a_status()


@needs_unix_sockets
async def test_a_question_of_one_line_is_taken_by_hand(tmp_path: Path) -> None:
    """The control to all that nonsense: one line of JSON in, one line of JSON out."""
    async with serving(tmp_path, answer):
        line = await told(tmp_path, b'{"type":"status"}\n{"type":"database"}\n')

    assert line.count(b"\n") == 1
    assert msgspec.json.decode(line, type=Status) == a_status()


@needs_unix_sockets
async def test_who_connects_and_says_nothing_keeps_nobody_out(tmp_path: Path) -> None:
    """As long as there are few of them; more are refused, and when they are gone there is room again."""
    async with serving(tmp_path, answer):
        async with contextlib.AsyncExitStack() as silent:
            for _ in range(MOST_AT_ONCE - 1):
                await silent.enter_async_context(connection(tmp_path))
            between = await ask_status(tmp_path)
            for _ in range(2):
                await silent.enter_async_context(connection(tmp_path))
            with pytest.raises(NoAnswer, match="Too many ask at once"):
                await ask_status(tmp_path)
        after = await until_answered(tmp_path)

    assert (between, after) == (a_status(), a_status())


async def until_answered(folder: Path) -> Status:
    """The server notices the end of a connection a moment after it."""
    while True:
        try:
            return await ask_status(folder)
        except NoAnswer:
            await asyncio.sleep(0)


@needs_unix_sockets
async def test_the_end_does_not_wait_for_who_says_nothing(tmp_path: Path) -> None:
    """Their connections are closed."""
    async with serving(tmp_path, answer):
        reader, writer = await asyncio.open_unix_connection(tmp_path / SOCKET)
        await ask_status(tmp_path)  # by then the silent one has been let in
    said = await reader.read()
    writer.close()

    assert said == b""


async def test_an_answer_that_breaks_is_an_answer_too(tmp_path: Path) -> None:
    """Whoever asks hears that something broke, not what; the bot goes on."""
    async with serving(tmp_path, break_down):
        for ask in (ask_status(tmp_path), ask_database(tmp_path), ask_host(tmp_path, Drain())):
            with pytest.raises(NoAnswer, match="Something broke; the bot's log says what") as caught:
                await ask

            assert "about" not in str(caught.value)


async def test_an_answer_is_never_longer_than_can_be_read(tmp_path: Path) -> None:
    """Whatever it holds; the client is told."""

    async def say_much(_question: Question) -> DatabaseChecked:
        return DatabaseChecked(problems=("x" * LONGEST_ANSWER,))

    async with serving(tmp_path, say_much):
        with pytest.raises(NoAnswer, match="too long"):
            await ask_database(tmp_path)


@needs_unix_sockets
@pytest.mark.parametrize(
    "words", [b"", b"hello\n", b"x" * (LONGEST_ANSWER + 1), b'{"type":"database","problems":[]}\n']
)
async def test_whatever_else_listens_there_gives_no_status(tmp_path: Path, words: bytes) -> None:
    """A stranger's socket is not taken for a bot."""

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(words)
        writer.close()

    async with await asyncio.start_unix_server(babble, tmp_path / SOCKET):
        with pytest.raises(NoAnswer):
            await ask_status(tmp_path)


# What is told


async def test_the_status_counts_what_waits_and_runs(tmp_path: Path) -> None:
    """Of a bot with a slow engine: one job runs, others wait; the oldest one's wait and the rows are told."""
    async with world(tmp_path, held_engine) as here:
        with here.env._bot_scope():  # on the bot's clock
            reporter = Reporter(here.bot, RecentTroubles())
            idle = await reporter.answer(AskStatus())
        for who in (here.you, here.you, here.you, here.other, here.other, here.other):
            await here.sketch(who, candidates=4)
        await here.env.advance_time(90)
        with here.env._bot_scope():
            busy = await reporter.answer(AskStatus())
            checked = await reporter.answer(AskDatabase())
        here.fake.release(100_000)
        await here.env.settle()

    assert isinstance(idle, Status)
    assert (idle.line, idle.oldest_wait_seconds, idle.rows_given) == ({}, None, 0)
    assert (idle.connected, idle.servers, idle.engine.state) == (True, 1, EngineState.READY)
    assert isinstance(busy, Status)
    assert busy.line == {JobState.RUNNING: 1, JobState.QUEUED: 5}
    assert (busy.rows_given, busy.row_credits) == (8, 8)
    assert busy.oldest_wait_seconds is not None
    assert 90 <= busy.oldest_wait_seconds <= busy.uptime_seconds
    assert checked == DatabaseChecked(problems=())


def test_a_status_is_a_few_plain_lines() -> None:
    """What a person wants to know first stands first."""
    trouble = Trouble(at=0.0, level="warning", source="bot.jobs", sentence="a job failed job=3")

    shown = list(lines(a_status(troubles=(trouble,))))

    assert shown[:6] == [
        "Moonsketch 1.2, process 4711, up for 3 h 12 min",
        "Discord   connected, in 1 server",
        "Line      3 waiting (the oldest for 42 s), 2 running, 0 done but not yet posted",
        "Engine    busy, worker process 4712",
        "Rows      6 given to the engine, which steps 8 at once",
        "Trouble   1 warning lately",
    ]
    assert shown[6].endswith("warning bot.jobs: a job failed job=3")


def test_a_status_of_a_bot_in_trouble_says_so() -> None:
    """Without a connection, a worker or anybody in line."""
    engine = EngineStatus(state=EngineState.SETUP_FAILED, detail="The model moon is not on this machine.")

    shown = list(lines(a_status(engine=engine, connected=False, line={}, oldest_wait_seconds=None)))

    assert shown[1:4] == [
        "Discord   not connected",
        "Line      0 waiting, 0 running, 0 done but not yet posted",
        "Engine    setup failed, no worker process: The model moon is not on this machine.",
    ]
    assert shown[-1] == "Trouble   none"


def test_a_status_says_what_is_held_up() -> None:
    """Servers that are paused or banned, and that nothing new is begun; the plain one says nothing of it."""
    shown = list(lines(a_status(paused=1, banned=2, draining=True)))

    assert shown[1] == "Discord   connected, in 1 server (1 paused, 2 banned)"
    assert shown[2].endswith("0 done but not yet posted; draining, so nothing new is begun")
    assert "draining" not in "".join(lines(a_status()))


@pytest.mark.parametrize(
    "seconds, words",
    [
        (-1, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h 0 min"),
        (90_000, "1 day 1 h"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: float, words: str) -> None:
    """Nobody wants to know the seconds of a day."""
    assert duration(seconds) == words


def test_without_a_bot_there_is_a_sentence(tmp_path: Path) -> None:
    """Which folder was looked at, and how to start one."""
    said = main(Settings(data=tmp_path, _env_file=None))  # type: ignore[call-arg]  # pydantic-settings' own

    assert said == f"No Moonsketch runs on the data folder {tmp_path}. Start it with: moonsketch run"


# What is remembered of troubles


@pytest.fixture
def log() -> structlog.stdlib.BoundLogger:
    logs.configure("INFO")
    made: structlog.stdlib.BoundLogger = structlog.get_logger("tests.control")
    return made


def test_warnings_are_kept_with_what_they_say(log: structlog.stdlib.BoundLogger) -> None:
    """Ours and other libraries', in order; what is no trouble is not kept, nor what comes later."""
    with noting_troubles() as troubles:
        log.info("rendered", job=1)
        log.warning("a job failed", job=3, why="no memory")
        logging.getLogger("discord.gateway").error("Shard ID %s has stopped", 0)
    log.warning("too late")

    assert [(each.level, each.source, each.sentence) for each in troubles.kept] == [
        ("warning", "tests.control", "a job failed job=3 why=no memory"),
        ("error", "discord.gateway", "Shard ID 0 has stopped"),
    ]


def test_of_an_exception_only_its_kind_is_kept(log: structlog.stdlib.BoundLogger) -> None:
    """Its words and its trace may hold what somebody wrote."""
    with noting_troubles() as troubles:
        try:
            raise ValueError("the surface of the moon")
        except ValueError as error:
            log.exception("a job broke", job=3)
            log.error("a task failed", exc_info=error)
            logging.getLogger("asyncio").exception("never retrieved")
    kept = [each.sentence for each in troubles.kept]

    assert kept == [
        "a job broke job=3 (ValueError)",
        "a task failed (ValueError)",
        "never retrieved (ValueError)",
    ]


def test_secrets_and_traces_are_left_out(log: structlog.stdlib.BoundLogger) -> None:
    """The bot's own token, whatever looks like one in an address, and every line after the first."""
    with noting_troubles(hide=["a.fake.token"]) as troubles:
        log.warning("login with a.fake.token failed")
        logging.getLogger("discord.http").warning(
            "PATCH https://discord.com/webhooks/1/%s/messages", TOKEN * 2
        )
        log.error("last words: one\nTraceback: two\n")
        log.warning("x " * 1000)
    kept = [each.sentence for each in troubles.kept]

    assert kept[:3] == [
        "login with … failed",
        "PATCH https://discord.com/webhooks/1/…/messages",
        "last words: one…",
    ]
    assert len(kept[3]) == LONGEST


def test_a_terminal_is_not_given_orders() -> None:
    """What a library logs of a stranger's words is shown in somebody's terminal."""
    with noting_troubles() as troubles:
        logging.getLogger("discord.gateway").warning("closed: \x1b[2Jgone")

    assert [each.sentence for each in troubles.kept] == ["closed: \\x1b[2Jgone"]


def test_only_the_latest_troubles_are_kept(log: structlog.stdlib.BoundLogger) -> None:
    """However many there are, an answer stays small."""
    with noting_troubles() as troubles:
        for number in range(MOST + 5):
            log.warning("again", number=number)
    status = a_status(troubles=troubles.kept)

    assert [each.sentence for each in troubles.kept] == [
        f"again number={number}" for number in range(5, MOST + 5)
    ]
    assert len(msgspec.json.encode(status)) + MOST * (LONGEST * 4) < LONGEST_ANSWER


def test_a_record_that_cannot_be_shown_breaks_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """As the standard library asks of a handler."""
    troubles = RecentTroubles()
    troubles.handle(logging.LogRecord("odd", logging.WARNING, "odd.py", 1, "%d of them", ("many",), None))

    assert troubles.kept == ()
    assert "odd.py" in capsys.readouterr().err  # logging itself says where the mistake is
