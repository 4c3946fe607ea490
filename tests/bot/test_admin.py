"""`moonsketch admin` where no bot runs: on the database itself, and what it says no to."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from bot.admin import commands
from bot.control import Answer, Question, serving
from bot.host_desk import SERVERS_AT_ONCE
from bot.host_questions import AskDraining, Done, Drain, Draining
from bot.settings import Settings
from bot.store import AuditEntry, ServerRow, Store
from bot.store.usages import DAY_SECONDS
from tests.bot.records import GUILD, NOW, new_job, opened
from tests.bot.test_command_line import ROOT, bot

SERVER = 424242424242424242
Ask = Callable[..., str | None]


def settings(folder: Path) -> Settings:
    return Settings(data=folder, _env_file=None)  # type: ignore[call-arg]  # pydantic-settings' own


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As a bot left it: one job waits in GUILD, which used 12 s of the engine some days ago, and as many long ago."""

    async def arrange() -> None:
        async with opened(tmp_path) as store, store.transaction() as tx:
            await store.accept(tx, new_job(), NOW)
            for at in (time.time() - 5 * DAY_SECONDS, NOW):
                await store.usages.add(tx, GUILD, 30, at, gpu_seconds=12.0, waited=3.0)

    asyncio.run(arrange())
    return tmp_path


async def kept(folder: Path) -> tuple[list[ServerRow], dict[str, object], list[AuditEntry]]:
    """Everything that the host decided."""
    async with opened(folder) as store:
        return (
            await store.servers.all(),
            await store.ceilings.all(),
            await store.audits.latest_of(None, 50),
        )


def look(folder: Path) -> tuple[list[ServerRow], dict[str, object], list[AuditEntry]]:
    return asyncio.run(kept(folder))


# What is decided


def test_a_ceiling_is_set_shown_and_taken_away(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table has the default beside it; each change is in the log with before and after."""
    here = settings(folder)
    outcomes = [commands.ceiling(here, "steps", "30"), commands.ceilings(here)]
    shown = capsys.readouterr().out
    set_to = look(folder)[1]
    outcomes += [commands.ceiling(here, "steps", "none"), commands.ceilings(here)]
    after = capsys.readouterr().out
    _, ceilings, entries = look(folder)

    assert outcomes == [None] * 4
    assert "The ceiling of steps: none → 30." in shown
    assert row_of(shown, "steps") == ["steps", "50", "30"]
    assert row_of(after, "steps") == ["steps", "50", "none"]
    assert (list(set_to.values()), ceilings) == ([30], {})
    assert [(entry.subject, entry.before, entry.after) for entry in entries] == [
        ("steps", "30", "none"),
        ("steps", "none", "30"),
    ]
    assert {(entry.guild_id, entry.actor_id) for entry in entries} == {(None, None)}


def test_a_weight_is_set_for_a_server_and_for_direct_messages(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The list shows both, and what else is known of them."""
    here = settings(folder)
    outcomes = [
        commands.weight(here, str(GUILD), "2.5"),
        commands.weight(here, "dm", "0.1"),
        commands.servers(here),
    ]
    shown = capsys.readouterr().out
    rows, _, entries = look(folder)

    assert outcomes == [None] * 3
    assert [(row.guild_id, row.weight) for row in rows] == [(0, 0.1), (GUILD, 2.5)]
    assert row_of(shown, str(GUILD)) == [str(GUILD), "2.5", "1", "0", "0", "12", "no", "no"]
    assert row_of(shown, "dm") == ["dm", "(direct", "messages)", "0.1", "0", "0", "0", "0", "no", "no"]
    assert [(entry.guild_id, entry.before, entry.after) for entry in entries] == [
        (None, "1", "0.1"),
        (GUILD, "1", "2.5"),
    ]


def row_of(shown: str, head: str) -> list[str]:
    return next(line.split() for line in shown.splitlines() if line.startswith(f"{head} "))


def test_a_server_is_banned_before_it_ever_came_and_let_in_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The reason is kept as one plain line; both are in that server's log."""
    here = settings(folder)
    banned = commands.ban(here, str(SERVER), "sells\n  our \x1b[31mpictures")
    rows, _, _ = look(folder)
    shown = commands.servers(here), capsys.readouterr()
    lifted = commands.unban(here, str(SERVER))
    after, _, entries = look(folder)

    assert (banned, lifted, shown[0]) == (None, None, None)
    assert [(row.guild_id, row.banned_for) for row in rows] == [(SERVER, "sells our [31mpictures")]
    assert "sells our [31mpictures" in shown[1].out
    assert "\x1b" not in shown[1].out
    assert "No Moonsketch runs" in shown[1].err
    assert [row.banned_for for row in after] == [None]
    assert [(entry.guild_id, entry.reason) for entry in entries] == [
        (SERVER, ""),
        (SERVER, "sells our [31mpictures"),
    ]


def test_the_log_is_shown_for_all_or_for_one_server(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Newest first, and no more than were asked for."""
    here = settings(folder)
    commands.ban(here, str(SERVER), "spam")
    commands.weight(here, str(GUILD), "3")
    commands.ceiling(here, "steps", "20")
    capsys.readouterr()
    shown = []
    for server, most in ((None, 20), (None, 1), (str(SERVER), 20), ("77", 20)):
        assert commands.log(here, server, most) is None
        shown.append(capsys.readouterr().out.splitlines())
    everything, newest, of_server, of_nobody = shown

    assert [line.split()[2] for line in everything] == ["0", str(GUILD), str(SERVER)]
    assert newest == everything[:1]
    assert of_server == everything[2:]
    assert of_server[0].endswith("server banned by my host; “spam”")
    assert of_nobody == ["There are no entries."]


def test_more_servers_than_fit_one_answer_are_all_listed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each once, whoever used most first."""
    count = 2 * SERVERS_AT_ONCE + 1

    async def arrange() -> None:
        async with opened(folder) as store, store.transaction() as tx:
            for server in range(1000, 1000 + count):
                await store.servers.set(tx, server, weight=2.0)

    asyncio.run(arrange())
    said = commands.servers(settings(folder))
    ids = [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]]

    assert said is None
    assert sorted(ids) == sorted([*map(str, range(1000, 1000 + count)), str(GUILD), "dm"])


# What it says no to


def ways(name: str, *cases: tuple[tuple[str, ...], str]) -> Iterator[object]:
    for arguments, sentence in cases:
        yield pytest.param(name, arguments, sentence, id=f"{name} {' '.join(arguments)[:30]}")


@pytest.mark.parametrize(
    "name, arguments, sentence",
    [
        *ways(
            "ceiling",
            (("steps", "-1"), "; “-1” is not."),
            (("models", "none"), "`models` has no ceiling."),
            (("steps", "0"), "`steps` is "),
            (("steps", "a million"), "“a million” is not."),
            (("steps", "1" + "0" * 5000), "`steps` is "),
            (("steps", ""), "`steps` is "),
            (("steps", "٣"), "`steps` is "),
            (("stesp", "30"), "There is no limit “stesp”. Did you mean `steps`?"),
            (("", "30"), "There is no limit"),
        ),
        *ways(
            "weight",
            ((str(GUILD), "-1"), "“-1” is no weight: a number from 0.1 to 10"),
            ((str(GUILD), "0"), "is no weight"),
            ((str(GUILD), "10.01"), "is no weight"),
            ((str(GUILD), "a million"), "“a million” is no weight"),
            ((str(GUILD), "nan"), "is no weight"),
            ((str(GUILD), "inf"), "is no weight"),
            ((str(SERVER), "2"), f"I know nothing of server {SERVER}."),
            (("Studio", "2"), "“Studio” is no server's id"),
        ),
        *ways(
            "ban",
            (("Studio", "spam"), "is no server's id"),
            (("-5", "spam"), "is no server's id"),
            (("0", "spam"), "is no server's id"),
            ((str(2**63), "spam"), "is no server's id"),
            (("0" * 30 + "7", "spam"), "is no server's id"),
            ((str(SERVER), ""), "A reason is needed, of at most 300 characters"),
            ((str(SERVER), "\u200b \n"), "A reason is needed"),
            ((str(SERVER), "x" * 301), "A reason is needed"),
        ),
        *ways(
            "unban",
            ((str(GUILD),), f"There is no ban on server {GUILD}."),
            ((str(SERVER),), f"There is no ban on server {SERVER}."),
            (("dm",), "There is no ban on direct messages."),
            (("",), "is no server's id"),
        ),
    ],
)
def test_nonsense_gets_a_sentence_and_changes_nothing(
    folder: Path, name: str, arguments: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The control is that the same commands with sense in them change something."""
    before = look(folder)
    command: Ask = getattr(commands, name)
    said = command(settings(folder), *arguments)

    assert said is not None
    assert sentence in said
    assert said.endswith("Nothing was changed.")
    assert "\\" not in said
    assert look(folder) == before
    assert capsys.readouterr().out == ""


def test_who_is_banned_already_is_not_banned_again(folder: Path) -> None:
    """The first reason stays."""
    here = settings(folder)
    commands.ban(here, str(SERVER), "spam")
    before = look(folder)
    said = commands.ban(here, str(SERVER), "more spam")

    assert said is not None
    assert said.startswith(f"There is a ban on server {SERVER} already. The reason: “spam”.")
    assert look(folder) == before


def test_without_a_bot_there_is_nothing_to_drain(folder: Path) -> None:
    """It is a running bot's business alone, and does not outlive it."""
    here = settings(folder)
    said = {commands.drain(here, wait=False), commands.drain(here, wait=True), commands.undrain(here)}

    assert said == {"No Moonsketch runs, so there is nothing to drain."}


def test_a_folder_that_somebody_holds_is_left_alone(folder: Path) -> None:
    """A bot that starts holds the lock and does not answer yet; afterwards all is as it was."""
    here = settings(folder)
    before = look(folder)
    with FileLock(folder / "lock"):
        said = commands.ban(here, str(SERVER), "spam")
    unchanged = look(folder) == before
    after = commands.ban(here, str(SERVER), "spam")

    assert said is not None
    assert "Try again in a moment." in said
    assert unchanged
    assert after is None


def test_a_folder_without_a_bot_stays_empty(tmp_path: Path) -> None:
    """A mistyped folder does not get a database."""
    said = commands.servers(settings(tmp_path / "typo")), commands.servers(settings(tmp_path))

    assert all(each is not None and "No Moonsketch ever ran there." in each for each in said)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("version", [True, False], ids=["later version", "no database"])
def test_a_database_that_cannot_be_used_is_said(folder: Path, version: bool) -> None:
    """Of a later version, or no database at all."""
    path = folder / "moonsketch.sqlite3"
    if version:
        asyncio.run(_from_the_future(folder))
    else:
        path.write_bytes(b"no database" * 1000)
    said = commands.servers(settings(folder))

    assert said is not None
    assert ("later Moonsketch" if version else "cannot be used") in said


async def _from_the_future(folder: Path) -> None:
    store = await Store.open(folder)
    async with store.transaction() as tx:
        await tx.run("PRAGMA user_version = 9999")
    await store.close()


# Waiting for a bot to be drained


class Script:
    """A bot that gives these answers, one after the other, and the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.asked: list[Question] = []
        self.all_given = asyncio.Event()
        self._answers = list(answers)

    async def answer(self, question: Question) -> Answer:
        self.asked.append(question)
        if len(self.asked) >= len(self._answers):
            self.all_given.set()
        return self._answers[min(len(self.asked), len(self._answers)) - 1]


def running(count: int, *, draining: bool = True) -> Draining:
    return Draining(draining=draining, running=count, waiting=2)


async def drained_by(folder: Path, script: Script) -> str | None:
    async with serving(folder, script.answer):
        return await asyncio.to_thread(commands.drain, settings(folder), wait=True)


async def test_draining_is_waited_for_until_nothing_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What waits is no reason to wait: it is kept."""
    script = Script(running(1, draining=False), running(1), running(1), running(0))
    said = await drained_by(tmp_path, script)
    lines = capsys.readouterr().out.splitlines()

    assert said is None
    assert list(map(type, script.asked)) == [AskDraining, Drain, AskDraining, AskDraining]
    assert lines[0].startswith("Nothing new is begun or taken. 1 job running, 2 waiting")
    assert lines[1:] == ["Nothing runs any more."]


async def test_a_bot_that_drains_already_is_waited_for_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever broke off waiting can wait again."""
    script = Script(running(1), running(0))
    said = await drained_by(tmp_path, script)

    assert said is None
    assert Drain not in map(type, script.asked)
    assert capsys.readouterr().out.splitlines()[-1] == "Nothing runs any more."


async def test_an_update_does_not_go_on_when_somebody_ended_the_draining(tmp_path: Path) -> None:
    """Then new jobs run; that is no success."""
    said = await drained_by(tmp_path, Script(running(1), running(1, draining=False)))

    assert said == "The bot is not draining any more: somebody ended that, or it was started anew."


async def test_a_bot_that_ends_while_it_drains_is_no_success(tmp_path: Path) -> None:
    """It may have died in the middle of a picture."""
    script = Script(running(1), running(1))
    async with serving(tmp_path, script.answer):
        waiting = asyncio.create_task(
            asyncio.to_thread(commands.drain, settings(tmp_path), wait=True), name="admin drain"
        )
        await script.all_given.wait()
    said = await waiting

    assert said == "The bot ended before everything that ran was done. What was not done is kept."


async def test_what_answers_something_else_is_no_bot_of_ours(tmp_path: Path) -> None:
    """Of another version, for instance."""
    said = await drained_by(tmp_path, Script(Done(sentence="Sure.")))

    assert said is not None
    assert said.endswith("is no Moonsketch of this version.")


# As a process


def test_the_command_line_tells_success_from_failure(folder: Path) -> None:
    """Exit code 0 and the answer on stdout, or 1 and a sentence on stderr; a number with a minus is a value."""
    data = {"MOONSKETCH_DATA": str(folder)}
    done = bot(folder, "admin", "ban", str(SERVER), "--reason", "spam", **data)
    failed = bot(folder, "admin", "weight", str(GUILD), "-1", **data)
    unreasoned = bot(folder, "admin", "ban", str(SERVER), **data)

    assert (done.returncode, done.stdout) == (0, f"From now on nothing is drawn for server {SERVER}.\n")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.startswith("“-1” is no weight")
    assert unreasoned.returncode == 2
    assert "--reason" in unreasoned.stderr


def test_help_of_admin_names_every_command_and_loads_nothing(tmp_path: Path) -> None:
    """Whoever asks what there is does not wait for discord.py or a database."""
    named = bot(tmp_path, "admin", "--help")
    names = ["ceilings", "ceiling", "servers", "weight", "ban", "unban", "drain", "undrain", "log"]
    program = "import sys, bot.__main__; print({'discord', 'numpy', 'aiosqlite'} & sys.modules.keys())"
    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert named.returncode == 0
    assert all(f" {name} " in named.stdout for name in names)
    assert loaded.stdout == "set()\n"
