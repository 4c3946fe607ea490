"""Who is blocked where, what is known of servers, and the pages of their log: the rows."""

from __future__ import annotations

from pathlib import Path

import discord
import msgspec
import pytest

from bot.blocks import OPEN_COMMANDS, OPEN_PRESSES, Blocks, Guarded
from bot.client import _ITEMS
from bot.commands import add_commands
from bot.commands.mod import host_ids
from bot.errors import NotAllowed
from bot.store import AuditEntry, Block, ServerRow, Store
from tests.bot.records import ANNA, BEN, GUILD, NOW, opened

ELSEWHERE = GUILD + 1
BLOCK = Block(guild_id=GUILD, person_id=ANNA, reason="spam", until=NOW + 60, set_by=BEN, set_at=NOW)


async def add(store: Store, block: Block) -> None:
    async with store.transaction() as tx:
        await store.blocks.add(tx, block)


async def is_let_in(store: Store, guild_id: int | None, person_id: int, now: float = NOW) -> bool:
    try:
        await Blocks(store, now=lambda: now).check(guild_id, person_id)
    except NotAllowed:
        return False
    return True


async def test_a_block_holds_for_one_person_in_one_server_and_only_so_long(tmp_path: Path) -> None:
    """Others, other servers and direct messages are left alone; the moment it runs out it is none."""
    async with opened(tmp_path) as store:
        await add(store, BLOCK)

        assert not await is_let_in(store, GUILD, ANNA)
        assert not await is_let_in(store, GUILD, ANNA, NOW + 59.9)
        assert await is_let_in(store, GUILD, ANNA, NOW + 60)
        assert await is_let_in(store, GUILD, BEN)
        assert await is_let_in(store, ELSEWHERE, ANNA)
        assert await is_let_in(store, None, ANNA)


async def test_a_block_without_an_end_stays_until_it_is_lifted(tmp_path: Path) -> None:
    """However late it is; lifting it in another server does nothing."""
    async with opened(tmp_path) as store:
        await add(store, msgspec.structs.replace(BLOCK, until=None))
        async with store.transaction() as tx:
            await store.blocks.remove(tx, ELSEWHERE, ANNA)
        years_later = await is_let_in(store, GUILD, ANNA, NOW + 10**9)
        async with store.transaction() as tx:
            await store.blocks.remove(tx, GUILD, ANNA)

        assert not years_later
        assert await is_let_in(store, GUILD, ANNA)


async def test_a_new_block_takes_the_place_of_one_that_ran_out(tmp_path: Path) -> None:
    """There is never more than one."""
    async with opened(tmp_path) as store:
        await add(store, BLOCK)
        again = msgspec.structs.replace(BLOCK, reason="spam again", until=NOW + 600, set_at=NOW + 100)
        await add(store, again)

        assert await store.blocks.of(GUILD, ANNA, NOW + 100) == again


async def test_what_is_known_of_a_server_is_changed_one_by_one(tmp_path: Path) -> None:
    """What is not named stays; a server that nothing is known of has the defaults; 0 are the direct messages."""
    async with opened(tmp_path) as store:
        async with store.transaction() as tx:
            await store.servers.set(tx, GUILD, paused_for="a party", log_channel_id=5)
            await store.servers.set(tx, GUILD, weight=2.0)
            await store.servers.set(tx, GUILD, log_channel_id=None)
            await store.servers.set(tx, None, weight=0.5)

        assert await store.servers.of(GUILD) == ServerRow(guild_id=GUILD, weight=2.0, paused_for="a party")
        assert await store.servers.of(ELSEWHERE) == ServerRow(guild_id=ELSEWHERE)
        assert await store.servers.all() == [
            ServerRow(guild_id=0, weight=0.5),
            ServerRow(guild_id=GUILD, weight=2.0, paused_for="a party"),
        ]


async def test_a_column_that_servers_do_not_have_is_refused(tmp_path: Path) -> None:
    """Names become SQL, so only the known ones may."""
    async with opened(tmp_path) as store, store.transaction() as tx:
        with pytest.raises(KeyError):
            await store.servers.set(tx, GUILD, nickname="art")


async def test_the_log_is_found_by_person_and_page(tmp_path: Path) -> None:
    """Newest first: what they did and what was done to them, in this server only."""
    async with opened(tmp_path) as store:
        entries = [
            AuditEntry(guild_id=GUILD, at=NOW, actor_id=BEN, action="warned", subject=f"<@{ANNA}>"),
            AuditEntry(guild_id=GUILD, at=NOW + 1, actor_id=BEN, action="line paused"),
            AuditEntry(guild_id=GUILD, at=NOW + 2, actor_id=ANNA, action="limit changed", subject="steps"),
            AuditEntry(guild_id=ELSEWHERE, at=NOW + 3, actor_id=ANNA, action="line paused"),
            AuditEntry(guild_id=GUILD, at=NOW + 4, actor_id=BEN, action="warned", subject=f"<@{ANNA}1>"),
        ]
        async with store.transaction() as tx:
            for entry in entries:
                await store.audits.add(tx, entry)
        by_ben, of_anna, other_server, limits, of_another = (
            entries[1],
            entries[0],
            *entries[3:1:-1],
            entries[4],
        )

        assert await store.audits.latest(GUILD, 10) == [of_another, limits, by_ben, of_anna]
        assert await store.audits.latest(GUILD, 2, skip=1) == [limits, by_ben]
        assert await store.audits.latest(GUILD, 10, person_id=ANNA) == [limits, of_anna]
        assert await store.audits.latest(GUILD, 10, subject=f"<@{ANNA}>", action="warned") == [of_anna]
        assert await store.audits.latest(ELSEWHERE, 10) == [other_server]


@pytest.mark.parametrize("item", _ITEMS)
def test_every_button_asks_first(item: type) -> None:
    """One that does not would be open to whom the moderators keep out."""
    assert item.interaction_check is Guarded.interaction_check  # type: ignore[attr-defined] # of every item


def test_the_names_of_what_stays_open_are_real() -> None:
    """A misspelt name would lock people out of what is theirs."""
    names: set[str] = set()

    class Tree:
        def add_command(self, command: object) -> None:
            names.add(command.name)  # type: ignore[attr-defined] # groups, commands and menus all have one

    add_commands(Tree())  # type: ignore[arg-type] # all that it is asked to do
    templates = [item.__discord_ui_compiled_template__.pattern for item in _ITEMS]

    assert names >= OPEN_COMMANDS
    for press in OPEN_PRESSES:
        assert any(template.startswith(f"art:{press}:") for template in templates)


def test_who_runs_the_bot_is_known_alone_and_in_a_team() -> None:
    """An application has an owner, or it belongs to a team, and then its owner is nobody."""

    def person(number: int) -> dict[str, object]:
        return {"id": str(number), "username": "host", "discriminator": "0", "avatar": None}

    def application(**more: object) -> discord.AppInfo:
        payload = {
            "id": "1",
            "name": "Moonsketch",
            "description": "",
            "icon": None,
            "rpc_origins": [],
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "",
            "owner": person(5),
            **more,
        }
        client = discord.Client(intents=discord.Intents.none())
        return discord.AppInfo(client._connection, payload)  # type: ignore[arg-type]  # as Discord sends it

    members = [
        {"user": person(number), "team_id": "9", "membership_state": 2, "role": "admin", "permissions": ["*"]}
        for number in (6, 7)
    ]
    team = {"id": "9", "name": "Studio", "icon": None, "owner_user_id": "6", "members": members}

    assert host_ids(application()) == {5}
    assert host_ids(application(team=team)) == {6, 7}
    assert host_ids(None) == frozenset()
