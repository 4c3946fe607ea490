"""What `moonsketch doctor` finds, and that it says what to do about it."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import discord
import pytest
from aiohttp import web
from discord.http import Route
from filelock import FileLock

from bot import permissions
from bot.control import DatabaseChecked, Question, Status, serving
from bot.doctor.discord_side import look_at_discord
from bot.doctor.engine_side import (
    Devices,
    Memory,
    Model,
    about_device,
    about_memory,
    about_model,
    about_safety,
    about_worker,
    look_at_engine,
)
from bot.doctor.findings import Finding, Level
from bot.doctor.folders import DATABASE, look_at_folders
from bot.doctor.running import Holder, Running, find_running
from bot.errors import NotAllowed
from bot.places import check_permissions, may_have_thread
from bot.settings import Settings
from bot.store import Store
from inference import EngineState, EngineStatus
from tests.bot.test_control import a_status
from tests.discord.limits import Request
from tests.discord.server import Answer, FakeDiscord
from tests.inference.toys import make_folder
from tests.journeys.world import said, world

ROOT = Path(__file__).parents[2]
APPLICATION = 1456074443980800000
TOKEN = f"{base64.b64encode(str(APPLICATION).encode()).decode().rstrip('=')}.GabcDE.{'x' * 38}"
ABOUT_ME = ("GET", "/oauth2/applications/@me")

NO_ONE = Running(holder=Holder.NOBODY)


def settings(folder: Path, **changes: Any) -> Settings:
    places = {"data": folder / "data", "models": folder / "models", "catalogue": folder / "models.toml"}
    return Settings(_env_file=None, **{**places, **changes})  # type: ignore[call-arg]  # pydantic-settings' own


def level_of(findings: Iterable[Finding], topic: str) -> Level:
    """The worst of that topic."""
    return max((each.level for each in findings if each.topic == topic), key=list(Level).index)


def words_of(findings: Iterable[Finding], topic: str) -> str:
    return "\n".join(f"{each.sentence} → {each.advice}" for each in findings if each.topic == topic)


# Discord


@asynccontextmanager
async def discord_says(
    monkeypatch: pytest.MonkeyPatch, application: Mapping[str, Any] | None = None
) -> AsyncGenerator[FakeDiscord, None]:
    """A Discord that knows TOKEN, and something about its application that differs from the usual."""
    async with FakeDiscord() as fake:
        fake.token = TOKEN
        monkeypatch.setattr(Route, "BASE", f"{fake.base}/api/v10")
        _, usual = fake.apply(Request(*ABOUT_ME), [], {})

        async def describe(_request: Request) -> web.Response:
            body = json.dumps({**usual, **(application or {})}).encode()
            return web.Response(body=body, content_type="application/json")

        fake.before(*ABOUT_ME, describe)
        yield fake


async def findings_about(token: str | None, folder: Path, **changes: Any) -> list[Finding]:
    return list(await look_at_discord(settings(folder, token=token, **changes), folder / ".env"))


async def test_a_good_token_is_known_to_discord(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name, its servers and the link with exactly the permissions that are needed; nothing needs to be mended."""
    async with discord_says(monkeypatch, {"approximate_guild_count": 3}) as fake:
        found = await findings_about(TOKEN, tmp_path)

    assert {each.level for each in found} == {Level.OK}
    assert re.search(r"TestBot, application \d+, in 3 servers", words_of(found, "token"))
    assert f"permissions={permissions.needed().value}" in words_of(found, "invite")
    assert "scope=bot+applications.commands" in words_of(found, "invite")
    assert [str(request) for request in fake.watch.requests] == [
        "GET /users/@me",
        "GET /oauth2/applications/@me",
    ]


async def test_a_bot_in_no_server_is_told_to_be_invited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The link is there, and what to do with it."""
    async with discord_says(monkeypatch, {"approximate_guild_count": 0}):
        found = await findings_about(TOKEN, tmp_path)

    assert level_of(found, "invite") is Level.NOTE
    assert "in no server yet" in words_of(found, "invite")
    assert "→ Open it" in words_of(found, "invite")


async def test_a_token_that_discord_refuses_must_be_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it looks well; it is not repeated."""
    async with discord_says(monkeypatch):
        found = await findings_about(TOKEN + "y", tmp_path)

    assert level_of(found, "token") is Level.MEND
    assert "Discord does not accept" in words_of(found, "token")
    assert "Reset Token" in words_of(found, "token")
    assert TOKEN not in str(found)


@pytest.mark.parametrize(
    "token, words",
    [
        (None, "There is no bot token"),
        ("1456074443980800000", "the application's id"),
        ("0" * 64, "the application's public key"),
        ("abcdefghijklmnopqrstuvwxyz012345", "the client secret"),
        (f"Bot {TOKEN}", "leave that word out"),
        ("hello", "three parts with dots"),
        ("a.b.c", "three parts with dots"),
    ],
)
@pytest.mark.parametrize("reachable", [True, False])
async def test_what_is_no_token_is_called_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str | None, words: str, reachable: bool
) -> None:
    """With a network or without; and where to get the right one."""
    async with discord_says(monkeypatch):
        if not reachable:
            monkeypatch.setattr(Route, "BASE", closed_port())
        found = await findings_about(token, tmp_path)

    assert level_of(found, "token") is Level.MEND
    assert words in words_of(found, "token")
    assert "https://discord.com/developers/applications" in words_of(found, "token")


def closed_port() -> str:
    with closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{held.getsockname()[1]}"


async def test_without_a_network_it_is_said_what_can_be_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token's look, and the link to the application that it names; whoever has no network need not mend it."""
    monkeypatch.setattr(Route, "BASE", closed_port())
    found = await findings_about(TOKEN, tmp_path, message_content=True)

    assert {each.level for each in found} == {Level.NOTE}
    assert "could not be asked" in words_of(found, "discord")
    assert f"client_id={APPLICATION}" in words_of(found, "invite")
    assert "not known" in words_of(found, "intents")


async def test_a_discord_that_is_unwell_is_not_the_tokens_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says so, and the token counts as unknown."""
    async with discord_says(monkeypatch) as fake:
        fake.before("GET", "/users/@me", Answer(403, code=40333), times=10)
        found = await findings_about(TOKEN, tmp_path)

    assert level_of(found, "token") is Level.NOTE
    assert "403" in words_of(found, "discord")


@pytest.mark.parametrize(
    "on, flags, level",
    [
        (False, 0, Level.OK),
        (False, 1 << 18, Level.OK),
        (True, 0, Level.MEND),
        (True, 1 << 18, Level.OK),
        (True, 1 << 19, Level.OK),
        (True, 1 << 15, Level.MEND),
    ],
    ids=[
        "off",
        "off but allowed",
        "on",
        "on and allowed",
        "on and allowed for few",
        "on, another is allowed",
    ],
)
async def test_message_content_must_be_allowed_where_it_is_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on: bool, flags: int, level: Level
) -> None:
    """By the portal's own flags; off it needs nothing."""
    async with discord_says(monkeypatch, {"flags": flags}):
        found = await findings_about(TOKEN, tmp_path, message_content=on)

    assert level_of(found, "intents") is level
    if level is Level.MEND:
        assert "switch on Message Content Intent" in words_of(found, "intents")


@pytest.mark.parametrize(
    "trap, words",
    [
        ({"bot_require_code_grant": True}, "Requires OAuth2 Code Grant"),
        ({"interactions_endpoint_url": "https://example.org/"}, "Interactions Endpoint URL"),
    ],
)
async def test_the_portals_traps_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trap: dict[str, Any], words: str
) -> None:
    """Two switches with which a bot cannot be invited, or hears nothing."""
    async with discord_says(monkeypatch, trap):
        found = await findings_about(TOKEN, tmp_path)

    assert level_of(found, "portal") is Level.MEND
    assert words in words_of(found, "portal")


@pytest.mark.skipif(sys.platform == "win32", reason="knows other permissions")
@pytest.mark.parametrize("mode, told", [(0o600, False), (0o640, True), (0o644, True)])
async def test_a_token_that_others_can_read_is_worth_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, told: bool
) -> None:
    """With the command that closes the file."""
    (tmp_path / ".env").write_text("")
    (tmp_path / ".env").chmod(mode)
    async with discord_says(monkeypatch):
        found = await findings_about(TOKEN, tmp_path)

    assert (f"chmod 600 {tmp_path / '.env'}" in words_of(found, "secrets")) is told


# Permissions


async def test_every_permission_in_the_link_is_needed(tmp_path: Path) -> None:
    """Without any one of them something is refused by its name, or a Scene gets no thread."""
    async with world(tmp_path) as here:
        lacking = {}
        for name in permissions.NAMES:
            here.move_to_channel_without(name)
            channel = here.bot.get_channel(here.channel.id)
            assert isinstance(channel, discord.TextChannel)
            try:
                check_permissions(channel)
                lacking[name] = "a thread" if not may_have_thread(channel) else "nothing"
            except NotAllowed as refusal:
                lacking[name] = str(refusal)

    assert permissions.needed() == discord.Permissions(**dict.fromkeys(permissions.NAMES, True))
    for name, words in (permissions.EVERYWHERE | permissions.TO_SEND).items():
        assert words in lacking.pop(name)
    assert lacking == {"create_public_threads": "a thread", "send_messages_in_threads": "a thread"}


async def test_the_permissions_in_the_link_are_enough(tmp_path: Path) -> None:
    """With everything else denied a sketch gets its thread, its card and its pictures."""
    async with world(tmp_path) as here:
        others = [name for name, allowed in permissions.needed() if not allowed]
        here.move_to_channel_without(*others)
        answer = said(await here.sketch())
        cards = here.cards()

    assert "I am on it" in answer
    assert [len(card.attachments) for card in cards] == [3]


def test_people_read_the_same_permissions_everywhere(tmp_path: Path) -> None:
    """In the README and where a token is missing, by the names that Discord shows."""
    readme = " ".join((ROOT / "README.md").read_text("utf-8").split())
    result = bot(tmp_path, "run")

    assert ", ".join(permissions.NAMES.values()) in readme
    assert ", ".join(permissions.NAMES.values()) in result.stderr


# Folders


async def folder_findings(folder: Path, **changes: Any) -> list[Finding]:
    given = settings(folder, **changes)
    async with find_running(given.data) as running:
        return list(await look_at_folders(given, running))


async def a_database(folder: Path) -> Path:
    """With one Scene and one picture in it, as a bot leaves it when it ends."""
    folder.mkdir(mode=0o700)
    store = await Store.open(folder)
    await store.close()
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        connection.execute("INSERT INTO scene VALUES (1, NULL, 5, NULL, 0, 'moon', 7, 0.0, NULL, 0)")
        connection.execute(
            "INSERT INTO picture (id, scene_id, number, kind, author_id, file, width, height, created_at)"
            " VALUES (3, 1, 1, 'uploaded', 7, 'x', 1, 1, 0.0)"
        )
    return folder / DATABASE


async def test_a_sound_data_folder_is_fine(tmp_path: Path) -> None:
    """Nobody runs on it, its database is sound, and it is left exactly as it was."""
    await a_database(tmp_path / "data")
    (tmp_path / "data" / "lock").touch()
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "data").iterdir()}
    found = await folder_findings(tmp_path)
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "data").iterdir()}

    assert {each.level for each in found if each.topic != "disk"} == {Level.OK}
    assert "It is sound" in words_of(found, "database")
    assert "No bot runs on it" in words_of(found, "lock")
    assert after == before


async def test_a_first_start_needs_no_folder(tmp_path: Path) -> None:
    """It will be made, and doctor does not make it."""
    found = await folder_findings(tmp_path)

    assert level_of(found, "data") is Level.OK
    assert "will be made" in words_of(found, "data")
    assert list(tmp_path.iterdir()) == []


async def test_a_file_in_the_folders_place_must_be_mended(tmp_path: Path) -> None:
    """With both ways out."""
    (tmp_path / "data").touch()
    found = await folder_findings(tmp_path)

    assert level_of(found, "data") is Level.MEND
    assert "MOONSKETCH_DATA" in words_of(found, "data")


async def test_a_folder_that_cannot_be_made_must_be_mended(tmp_path: Path) -> None:
    """It is said what is in the way."""
    (tmp_path / "file").touch(mode=0o600)
    found = await folder_findings(tmp_path, data=tmp_path / "file" / "data")

    assert level_of(found, "data") is Level.MEND
    assert f"{tmp_path / 'file'} may not be written" in words_of(found, "data")


async def test_a_broken_database_must_be_mended(tmp_path: Path) -> None:
    """What SQLite says of it, and to put back a backup. The control is the sound one above."""
    path = await a_database(tmp_path / "data")
    content = bytearray(path.read_bytes())
    content[4096 + 100 : 3 * 4096] = os.urandom(2 * 4096 - 100)
    path.write_bytes(content)
    found = await folder_findings(tmp_path)

    assert level_of(found, "database") is Level.MEND
    assert "put back a backup" in words_of(found, "database")


@pytest.mark.parametrize("content", [b"no database at all" * 500, b""])
async def test_a_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    """Is named as such; an empty one is what SQLite makes first and does no harm."""
    path = await a_database(tmp_path / "data")
    path.write_bytes(content)
    found = await folder_findings(tmp_path)

    assert level_of(found, "database") is (Level.MEND if content else Level.OK)
    if content:
        assert "not a database" in words_of(found, "database")


async def test_a_row_that_refers_to_nothing_must_be_mended(tmp_path: Path) -> None:
    """By table and number."""
    path = await a_database(tmp_path / "data")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM scene")
    found = await folder_findings(tmp_path)

    assert level_of(found, "database") is Level.MEND
    assert "Picture 3 refers to a scene that is not there." in words_of(found, "database")


async def test_a_database_of_a_later_version_must_be_mended(tmp_path: Path) -> None:
    """By an update, not by a backup's loss."""
    path = await a_database(tmp_path / "data")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA user_version = 9999")
    found = await folder_findings(tmp_path)

    assert level_of(found, "database") is Level.MEND
    assert "later Moonsketch" in words_of(found, "database")


async def test_what_a_killed_bot_wrote_last_is_looked_at_too(tmp_path: Path) -> None:
    """A kill leaves a journal behind; what stands only in there counts."""
    path = await a_database(tmp_path / "living")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("DELETE FROM scene")
        shutil.copytree(tmp_path / "living", tmp_path / "data")
    found = await folder_findings(tmp_path)

    assert (tmp_path / "data" / f"{DATABASE}-wal").stat().st_size > 0
    assert "Picture 3 refers to a scene" in words_of(found, "database")


async def well(question: Question) -> Status | DatabaseChecked:
    """As a bot that found something in its database."""
    return (
        DatabaseChecked(problems=("Page 5 is odd.",)) if "Database" in type(question).__name__ else a_status()
    )


async def test_a_running_bot_is_asked(tmp_path: Path) -> None:
    """Who it is, and what it thinks of its database, which is then not opened: here it is not even one."""
    data = tmp_path / "data"
    data.mkdir()
    (data / DATABASE).write_bytes(b"not a database at all")
    with FileLock(data / "lock"):
        async with serving(data, well):
            found = await folder_findings(tmp_path)

    assert "A bot runs on it: process 4711" in words_of(found, "lock")
    assert "Page 5 is odd." in words_of(found, "database")


async def test_a_process_that_holds_the_folder_and_says_nothing_is_named(tmp_path: Path) -> None:
    """The database stays closed; what to do is said."""
    data = tmp_path / "data"
    await a_database(data)
    with FileLock(data / "lock"):
        found = await folder_findings(tmp_path)

    assert level_of(found, "lock") is Level.MEND
    if Path("/proc/locks").exists():
        assert f"Process {os.getpid()} holds" in words_of(found, "lock")
    assert "end that process" in words_of(found, "lock")
    assert level_of(found, "database") is Level.NOTE


async def test_no_bot_starts_while_the_doctor_has_the_database_open(tmp_path: Path) -> None:
    """It holds the lock for as long as it looks, and gives it back."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "lock").touch()
    async with find_running(data) as running:
        held = running.holder is Holder.NOBODY and not can_lock(data / "lock")
    free = can_lock(data / "lock")

    assert (held, free) == (True, True)


def can_lock(path: Path) -> bool:
    lock = FileLock(path, timeout=0)
    try:
        with lock:
            return True
    except TimeoutError:
        return False


@pytest.mark.skipif(sys.platform == "win32", reason="knows other permissions")
async def test_a_history_that_others_can_read_is_worth_a_word(tmp_path: Path) -> None:
    """Pictures of people lie in there."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(0o755)
    found = await folder_findings(tmp_path)

    assert level_of(found, "data") is Level.NOTE
    assert f"chmod 700 {tmp_path / 'data'}" in words_of(found, "data")


# Models, device, memory


CPU = Memory("cpu", "2 cores, x86_64", 8_000_000_000, 4_000_000_000)
CARD = Memory("cuda", "a card", 12_000_000_000, 3_000_000_000)


def devices(*found: Memory, chosen: str = "cpu") -> Devices:
    return Devices("2.13.0", "", found, chosen, "float32")


async def engine_findings(folder: Path, catalogue: str | None, status: Status | None = None) -> list[Finding]:
    """With a running bot, so that no torch is loaded."""
    if catalogue is not None:
        (folder / "models.toml").write_text(catalogue)
    running = Running(holder=Holder.BOT, status=status or a_status())
    return list(await look_at_engine(settings(folder), running))


@pytest.mark.parametrize(
    "safety, level, sentence",
    [
        ("", Level.NOTE, "Nothing looks at pictures for safety."),
        ("skin", Level.NOTE, "Skin colours alone"),
        ("diffusers:{here}/checker", Level.OK, "The Stable Diffusion safety checker in {here}/checker looks"),
        ("diffusers:{here}/model", Level.OK, "in {here}/model/safety_checker looks"),
        ("diffusers:{here}/pickled", Level.MEND, "no Stable Diffusion safety checker with safetensors"),
        ("diffusers:{here}/nowhere", Level.MEND, "nothing is drawn"),
        ("strict", Level.MEND, "names no check"),
        (":strict", Level.MEND, "names no check"),
        ("no_such_plug_in.parts:Checker", Level.MEND, "cannot be found: no_such_plug_in.parts"),
        ("..:Checker", Level.MEND, "cannot be found"),
        ("inference.checkers.skin:SkinChecker", Level.OK, "The plug-in inference.checkers.skin:SkinChecker"),
    ],
)
def test_the_safety_check_is_looked_for(tmp_path: Path, safety: str, level: Level, sentence: str) -> None:
    """What can be said without loading it: is there one, and is it where the setting says."""
    for folder, weights in (
        ("checker", "model.safetensors"),
        ("model/safety_checker", "model.fp16.safetensors"),
        ("pickled", "pytorch_model.bin"),
    ):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "config.json").write_text("{}")
        (tmp_path / folder / weights).touch()

    found = about_safety(safety.format(here=tmp_path))

    assert (found.topic, found.level) == ("safety", level)
    assert sentence.format(here=tmp_path) in found.sentence
    assert (found.advice == "") == (level is Level.OK)


async def test_each_model_is_looked_at(tmp_path: Path) -> None:
    """One that is here, one that is to be fetched, one that is missing and the built-in one: each what it needs."""
    make_folder(tmp_path / "moon")
    found = await engine_findings(
        tmp_path,
        f'[models.moon]\nfolder = "{(tmp_path / "moon").as_posix()}"\n[models.far]\nhub = "someone/far"\n'
        '[models.gone]\nfolder = "gone"\n[models.emoji]\n',
    )

    models = [each for each in found if each.topic == "models"]
    assert [each.level for each in models] == [Level.OK, Level.NOTE, Level.MEND, Level.OK]
    assert "moon (the default) is here" in models[0].sentence
    assert "python -m inference fetch far" in models[1].advice
    assert str(tmp_path / "gone") in models[2].sentence


async def test_without_a_catalogue_there_is_the_built_in_model(tmp_path: Path) -> None:
    """Nothing is wrong with that; what it knows and where other pictures come from is said."""
    found = await engine_findings(tmp_path, None)

    assert level_of(found, "models") is Level.NOTE
    assert "/help" in words_of(found, "models")
    assert "README" in words_of(found, "models")


async def test_every_mistake_in_the_catalogue_is_told(tmp_path: Path) -> None:
    """A line for each, and the rest is looked at all the same."""
    found = await engine_findings(tmp_path, '[models.photo]\nfolder = "x"\nsteps = 0\nstrength = 2\n')

    assert level_of(found, "models") is Level.MEND
    assert "steps must be" in words_of(found, "models")
    assert "strength must be" in words_of(found, "models")
    assert level_of(found, "device") is Level.OK


@pytest.mark.parametrize(
    "state, level",
    [
        (EngineState.READY, Level.OK),
        (EngineState.BUSY, Level.OK),
        (EngineState.STARTING, Level.NOTE),
        (EngineState.SETUP_FAILED, Level.MEND),
        (EngineState.UNHEALTHY, Level.MEND),
    ],
)
def test_the_engine_of_a_running_bot_speaks_for_the_device(state: EngineState, level: Level) -> None:
    """Loading torch beside it could take the memory that it needs."""
    finding = about_worker(EngineStatus(state=state, detail="Why.", worker_pid=5))

    assert (finding.topic, finding.level) == ("device", level)
    assert bool(finding.advice) is (level is Level.MEND)


def test_a_card_that_is_wanted_and_not_there_must_be_mended() -> None:
    """What torch finds instead, and where another torch comes from."""
    found = about_device(devices(CPU, chosen="cuda"))

    assert level_of(found, "device") is Level.MEND
    assert "finds only cpu" in words_of(found, "device")
    assert "https://pytorch.org" in words_of(found, "device")


def test_the_chosen_device_is_named() -> None:
    """A card when there is one, and what it computes in."""
    found = about_device(devices(CPU, CARD, chosen="cuda"))

    assert [each.level for each in found] == [Level.OK]
    assert "cuda, a card, float32, torch 2.13.0" in found[0].sentence


@pytest.mark.parametrize("weights, told", [(2_000_000_000, False), (3_500_000_000, True)])
def test_a_model_larger_than_the_free_memory_is_worth_a_word(weights: int, told: bool) -> None:
    """Of the device that it would be loaded to."""
    found = about_memory(devices(CPU, CARD, chosen="cuda"), [Model("moon", "folder", True, "", weights)])

    assert ("more than is free on the cuda" in words_of(found, "memory")) is told
    assert "4.0 GB of 8.0 GB are free (cpu)" in words_of(found, "memory")


def test_a_model_that_is_broken_must_be_mended_wherever_it_came_from() -> None:
    """The engine's own sentence says what is wrong with it."""
    for source in ("hub", "folder"):
        finding = about_model(Model("moon", source, True, "It is incomplete.", 0), is_default=False)

        assert finding.level is Level.MEND
        assert "moon cannot be used. It is incomplete." in finding.sentence


# The command


def bot(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own, with nothing of this machine's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("MOONSKETCH_")}
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def test_doctor_is_a_command_that_a_script_can_use(tmp_path: Path) -> None:
    """A fresh folder: plain lines, exit status 1 for the missing token, and nothing is made; torch itself is asked."""
    result = bot(tmp_path, "doctor", MOONSKETCH_DEVICE="cpu", MOONSKETCH_PRECISION="bfloat16")

    assert result.returncode == 1
    assert result.stderr == "One thing must be mended.\n"
    assert {line.split()[1] for line in result.stdout.splitlines() if not line.startswith(" ")} >= {
        "token",
        "invite",
        "data",
        "disk",
        "models",
        "device",
        "memory",
    }
    assert [line for line in result.stdout.splitlines() if line.startswith("MEND")] == [
        "MEND  token     There is no bot token."
    ]
    assert re.search(r"ok    device    cpu, .*, bfloat16, torch \d", result.stdout)
    assert re.search(r"ok    memory    \d+\.\d GB of \d+\.\d GB are free \(cpu\)", result.stdout)
    assert "\x1b" not in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_wrong_settings_are_the_first_thing_to_mend(tmp_path: Path) -> None:
    """For both commands, all of them at once."""
    for command in ("doctor", "status"):
        result = bot(tmp_path, command, MOONSKETCH_ROWS="many", MOONSKETCH_DEVICE="toaster")

        assert result.returncode == 1
        assert len(result.stderr.splitlines()) == 3
