"""Which limits hold for whom: roles over channels over the server, and the host's ceilings over all of them."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bot.store
from bot.errors import LimitReached
from bot.limits import BY_FIELD, Limits
from bot.rules import Rules, Whose, limits_of_server, settle
from bot.store import Scope, SetRule, Standing, Store
from inference import Strictness
from tests.bot.records import ANNA, BEN, GUILD, NOW, new_job

CHANNEL, PARENT, ROLE, OTHER_ROLE = 7, 8, 21, 22
WHO = Standing(role_ids=(ROLE, OTHER_ROLE), channel_ids=(CHANNEL, PARENT))


async def settled(
    folder: Path, *rules: tuple[Scope, int, str, Any], who: Standing = WHO, **ceilings: Any
) -> Limits:
    """The limits of somebody where exactly these rules are set."""
    store = await Store.open(folder)
    try:
        await keep(store, rules, ceilings)
        return await Rules(store, now=lambda: NOW).limits(GUILD, who)
    finally:
        await store.close()


async def keep(store: Store, rules: Sequence[tuple[Scope, int, str, Any]], ceilings: dict[str, Any]) -> None:
    async with store.transaction() as tx:
        for scope, scope_id, name, value in rules:
            new = SetRule(scope=scope, scope_id=scope_id, name=name, value=value)
            await store.rules.set(tx, GUILD, new, by=ANNA, now=NOW)
        for name, value in ceilings.items():
            await store.ceilings.set(tx, name, value, NOW)


async def test_without_rules_the_defaults_hold(tmp_path: Path) -> None:
    """For somebody in a server, and for direct messages."""
    assert await settled(tmp_path) == Limits()


async def test_a_role_wins_over_the_channel_and_the_channel_over_the_server(tmp_path: Path) -> None:
    """Each rule for itself: what a role does not say the channel does."""
    limits = await settled(
        tmp_path,
        (Scope.SERVER, GUILD, "most_steps", 10),
        (Scope.CHANNEL, PARENT, "most_steps", 20),
        (Scope.ROLE, ROLE, "most_steps", 15),
        (Scope.CHANNEL, PARENT, "cooldown", 60),
        (Scope.SERVER, GUILD, "cooldown", 5),
        (Scope.SERVER, GUILD, "most_candidates", 1),
    )

    assert (limits.most_steps, limits.cooldown, limits.most_candidates) == (15, 60, 1)


async def test_of_several_roles_the_most_generous_wins(tmp_path: Path) -> None:
    """More of what is asked for, less of what is waited for; no limit at all is the most; all is more than some."""
    limits = await settled(
        tmp_path,
        (Scope.ROLE, ROLE, "most_steps", 15),
        (Scope.ROLE, OTHER_ROLE, "most_steps", 40),
        (Scope.ROLE, ROLE, "cooldown", 60),
        (Scope.ROLE, OTHER_ROLE, "cooldown", 5),
        (Scope.ROLE, ROLE, "gpu_seconds", 0),
        (Scope.ROLE, OTHER_ROLE, "gpu_seconds", 500),
        (Scope.ROLE, ROLE, "models", ["moon"]),
        (Scope.ROLE, OTHER_ROLE, "models", ["sun"]),
        (Scope.ROLE, 99, "most_candidates", 1),
    )

    assert (limits.most_steps, limits.cooldown, limits.gpu_seconds) == (40, 5, 0)
    assert limits.models == ("moon", "sun")
    assert limits.most_candidates == 4


async def test_a_thread_comes_before_its_channel(tmp_path: Path) -> None:
    """What is set for the thread itself is nearer."""
    rules = (Scope.CHANNEL, PARENT, "most_steps", 20), (Scope.CHANNEL, CHANNEL, "most_steps", 5)

    assert (await settled(tmp_path, *rules)).most_steps == 5


async def test_nobody_but_a_role(tmp_path: Path) -> None:
    """Off for the server and on for a role is how only its people may."""
    rules = (Scope.SERVER, GUILD, "use", False), (Scope.ROLE, ROLE, "use", True)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    assert (await settled(tmp_path / "a", *rules)).use
    assert not (await settled(tmp_path / "b", *rules, who=Standing(channel_ids=(CHANNEL,)))).use


async def test_a_value_that_means_nothing_is_passed_over(tmp_path: Path) -> None:
    """Another version may have stored it; the next wider scope decides, and nobody is shut out by it."""
    limits = await settled(
        tmp_path,
        (Scope.ROLE, ROLE, "most_steps", "plenty"),
        (Scope.CHANNEL, CHANNEL, "most_steps", -3),
        (Scope.SERVER, GUILD, "most_steps", 12),
        (Scope.SERVER, GUILD, "most_moons", 3),
        (Scope.CHANNEL, CHANNEL, "retention_days", 1),
    )

    assert (limits.most_steps, limits.retention_days) == (12, 30)


@pytest.mark.parametrize(
    "adults_only, stored, ceiling, holds",
    [
        (False, None, None, Strictness.BLOCK),
        (True, None, None, Strictness.SPOILER),
        (False, "off", None, Strictness.SPOILER),
        (True, "off", None, Strictness.OFF),
        (True, "off", "block", Strictness.BLOCK),
    ],
)
async def test_how_strict_safety_is_follows_the_audience(
    tmp_path: Path, adults_only: bool, stored: str | None, ceiling: str | None, holds: Strictness
) -> None:
    """Off is for age-restricted channels only; the host's word is the last."""
    rules = [(Scope.SERVER, GUILD, "safety", stored)] if stored else []
    ceilings = {"safety": ceiling} if ceiling else {}

    assert (
        await settled(tmp_path, *rules, who=Standing(adults_only=adults_only), **ceilings)
    ).safety is holds


async def test_who_decided_is_known(tmp_path: Path) -> None:
    """For `/limits show @person`: the nearest that counts, what others say, and the host where it took something."""
    store = await Store.open(tmp_path)
    rules = (
        (Scope.SERVER, GUILD, "most_steps", 10),
        (Scope.ROLE, ROLE, "most_steps", 60),
        (Scope.CHANNEL, CHANNEL, "cooldown", 9),
    )
    await keep(store, rules, {"most_steps": 40})
    why = await Rules(store, now=lambda: NOW).why(GUILD, WHO)
    server = await limits_of_server(store, GUILD)
    await store.close()

    assert (why["most_steps"].value, why["most_steps"].whose) == (40, Whose(Scope.ROLE, ROLE, host=True))
    assert why["most_steps"].others == ((Whose(Scope.SERVER, GUILD), 10),)
    assert (why["cooldown"].value, why["cooldown"].whose) == (9, Whose(Scope.CHANNEL, CHANNEL))
    assert why["most_candidates"].whose == Whose()
    assert (server.most_steps, server.cooldown) == (10, 0)


async def test_in_direct_messages_strangers_do_not_use_up_each_others_time(tmp_path: Path) -> None:
    """They are no server, whatever ceiling servers have."""
    store = await Store.open(tmp_path)
    await keep(store, (), {"gpu_seconds_of_server": 10})
    async with store.transaction() as tx:
        await store.usages.add(tx, None, BEN, NOW, gpu_seconds=11, waited=0)
        await Rules(store, now=lambda: NOW).check_counts(tx, new_job(guild_id=None, author_id=ANNA))
        await store.usages.add(tx, GUILD, BEN, NOW, gpu_seconds=11, waited=0)
        with pytest.raises(LimitReached, match="This server used 11"):
            await Rules(store, now=lambda: NOW).check_counts(tx, new_job(author_id=ANNA))
    await store.close()


def test_switches_of_earlier_versions_are_still_switches(tmp_path: Path) -> None:
    """They were stored as 0 and 1; a server that had set one must not be shut out by the new tables."""
    migrations = sorted((Path(bot.store.__file__).parent / "migrations").glob("*.sql"))
    database = sqlite3.connect(tmp_path / "moonsketch.sqlite3")
    for number, migration in enumerate(migrations[:3], start=1):
        database.executescript(migration.read_text("utf-8"))
        database.execute(f"PRAGMA user_version = {number}")
    database.execute("INSERT INTO server_limit VALUES (?, 'recipes', 0, ?, ?)", (GUILD, ANNA, NOW))
    database.execute("INSERT INTO server_limit VALUES (?, 'most_steps', 12, ?, ?)", (GUILD, ANNA, NOW))
    database.commit()
    database.close()

    async def opened() -> Limits:
        store = await Store.open(tmp_path)
        try:
            return await limits_of_server(store, GUILD)
        finally:
            await store.close()

    limits = asyncio.run(opened())
    assert (limits.recipes, limits.most_steps) == (False, 12)


VALUES = {
    "most_steps": st.integers(1, 150),
    "cooldown": st.integers(0, 86_400),
    "gpu_seconds": st.just(0) | st.integers(1, 1_000_000),
    "use": st.booleans(),
    "models": st.lists(st.sampled_from(["moon", "sun", "sea"]), unique=True).map(tuple),
    "safety": st.sampled_from(list(Strictness)),
}


@given(st.data())
def test_of_two_values_one_is_more_generous_and_the_ceiling_is_above_both(data: st.DataObject) -> None:
    """The order does not matter; another role never takes away; what the host holds down stays down."""
    name = data.draw(st.sampled_from(sorted(VALUES)))
    kind = BY_FIELD[name].kind
    some, other, ceiling = (data.draw(VALUES[name]) for _ in range(3))
    best = kind.generous(some, other)

    assert set_of(best) == set_of(kind.generous(other, some))
    assert set_of(kind.generous(best, some)) == set_of(best)
    assert set_of(kind.capped(kind.capped(best, ceiling), ceiling)) == set_of(kind.capped(best, ceiling))
    assert set_of(kind.generous(kind.capped(best, ceiling), ceiling)) == set_of(ceiling)


def set_of(value: Any) -> Any:
    return frozenset(value) if isinstance(value, tuple) else value


@given(st.data())
def test_another_role_never_takes_away_and_the_ceiling_always_holds(data: st.DataObject) -> None:
    """For any values of two roles, a channel and a server, under any ceiling."""
    name = data.draw(st.sampled_from(sorted(VALUES)))
    kind, value = BY_FIELD[name].kind, VALUES[name]
    ceilings = {name: ceiling} if (ceiling := data.draw(st.none() | value)) is not None else {}
    scopes = (Scope.ROLE, ROLE), (Scope.CHANNEL, CHANNEL), (Scope.SERVER, GUILD)
    stored = [
        SetRule(scope=scope, scope_id=scope_id, name=name, value=data.draw(value))
        for scope, scope_id in scopes
        if scope is Scope.ROLE or data.draw(st.booleans())
    ]
    another = SetRule(scope=Scope.ROLE, scope_id=OTHER_ROLE, name=name, value=data.draw(value))
    before = settle(stored, WHO, ceilings)[name].value
    after = settle([*stored, another], WHO, ceilings)[name].value

    assert set_of(kind.generous(before, after)) == set_of(after)
    if ceilings:
        assert set_of(kind.generous(after, ceilings[name])) == set_of(ceilings[name])
