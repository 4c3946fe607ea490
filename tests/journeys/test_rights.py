"""Who may do what: each right held against everybody, by presses that nobody's client would offer them as well."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import discord
import pytest
from simcord import SetupError
from simcord.actors import MemberActor
from simcord.results import InteractionResult

from bot import custom_ids
from bot.custom_ids import Action, Answer, Press, Ruling, Step, Target
from bot.store import Job, JobState, Picture
from tests.journeys.attackers import Attacker
from tests.journeys.placing_world import begin, place
from tests.journeys.test_words import shown
from tests.journeys.world import World, world

AUTHOR, OTHER, MODERATOR, MANAGER, ADMIN, ELSEWHERE = (
    "author",
    "other",
    "moderator",
    "manager",
    "admin",
    "elsewhere",
)
_RIGHTS = {
    MODERATOR: discord.Permissions(manage_messages=True),
    MANAGER: discord.Permissions(manage_guild=True),
    ADMIN: discord.Permissions(administrator=True),
}


class Stage:
    """A server with a Scene of `author`, everybody who might do something to it, and an admin of another server."""

    def __init__(self, here: World) -> None:
        self.here = here
        self._places = {AUTHOR: here.thread(), OTHER: here.thread()}
        self._people: dict[str, MemberActor] = {AUTHOR: here.you, OTHER: here.other}
        for name, permissions in _RIGHTS.items():
            self._people[name] = here._member(name, here.guild.create_role(name, permissions=permissions))
            self._places[name] = here.thread()
        guild = here.env.create_guild("Elsewhere")
        role = guild.create_role("admin", permissions=_RIGHTS[ADMIN])
        self._people[ELSEWHERE] = guild.add_member(here.env.create_user("far-off"), roles=[role])
        self._places[ELSEWHERE] = guild.create_text_channel("art")

    async def press(self, who: str, custom_id: str, values: list[str] | None = None) -> InteractionResult:
        return await Attacker.at(self._people[who], self._places[who]).press(custom_id, values)

    async def command(self, who: str, name: str, **options: Any) -> str:
        """Its answer; empty where Discord does not offer them the command."""
        try:
            return shown(await self._people[who].slash(self._places[who], name, **options))
        except SetupError:
            return ""

    async def waiting(self) -> Job:
        """The author's job that waits, else a new one: nobody's job is started here any more."""
        await self.here.mod.slash(self.here.channel, "line-admin pause", reason="a rest")
        unfinished = await self.here.store.unfinished_jobs()
        if not unfinished:
            await self.here.you.slash(self.here.thread(), "imagine", prompt="a boat", candidates=1)
            unfinished = await self.here.store.unfinished_jobs()
        return unfinished[0]

    async def job(self, job_id: int) -> Job:
        job = await self.here.store.job(job_id)
        assert job is not None
        return job

    async def picture(self) -> Picture:
        """The author's newest."""
        living = [each.picture for each in await self.here.store.history(1) if not each.picture.deleted]
        return living[-1]


async def cancels(stage: Stage, who: str) -> bool:
    job = await stage.waiting()
    await stage.press(who, custom_ids.button_id(Action.CANCEL, job.id))
    return (await stage.job(job.id)).state is JobState.CANCELLED


async def cancels_in_queue(stage: Stage, who: str) -> bool:
    job = await stage.waiting()
    await stage.press(who, custom_ids.queue_id(job.id))
    return (await stage.job(job.id)).state is JobState.CANCELLED


async def drops(stage: Stage, who: str) -> bool:
    job = await stage.waiting()
    await stage.command(who, "line-admin drop", job=job.id, reason="a rest")
    return (await stage.job(job.id)).state is JobState.FAILED


async def lets_through(stage: Stage, who: str) -> bool:
    held = [job for job in await stage.here.store.unfinished_jobs() if job.held_for is not None]
    if not held:
        await stage.here.sketch(prompt="nude study in charcoal", candidates=1)
        held = await stage.here.store.unfinished_jobs()
    await stage.press(who, custom_ids.hold_id(held[0].id, Ruling.THROUGH))
    return (await stage.job(held[0].id)).held_for is None


async def deletes(stage: Stage, who: str) -> bool:
    """One of two on a card."""
    await stage.here.you.slash(stage.here.thread(), "imagine", prompt="a boat", candidates=2)
    picture = await stage.picture()
    await stage.press(who, custom_ids.erase_id(Target(picture_id=picture.id), Step.YES))
    deleted = await stage.here.store.picture(picture.id)
    assert deleted is not None
    return deleted.deleted


async def deletes_a_card(stage: Stage, who: str) -> bool:
    await stage.here.you.slash(stage.here.thread(), "imagine", prompt="a boat", candidates=1)
    job_id = (await stage.picture()).job_id
    assert job_id is not None
    await stage.press(who, custom_ids.erase_id(Target(job_id=job_id), Step.YES))
    return (await stage.job(job_id)).deleted


async def moves_a_draft(stage: Stage, who: str) -> bool:
    before = await stage.here.store.drafts.get(1)
    await stage.press(who, custom_ids.draft_id(1, Press.FLIP))
    return await stage.here.store.drafts.get(1) != before


async def goes_on_from_unshared(stage: Stage, who: str) -> bool:
    await stage.here.you.slash(stage.here.channel, "share", who="mine")
    before = len(stage.here.fake.requests)
    await stage.press(who, custom_ids.button_id(Action.SUBTLE, 1))
    return len(stage.here.fake.requests) > before


async def goes_on_from_shared(stage: Stage, who: str) -> bool:
    before = len(stage.here.fake.requests)
    await stage.press(who, custom_ids.button_id(Action.SUBTLE, 1))
    return len(stage.here.fake.requests) > before


async def reads_the_history(stage: Stage, who: str) -> bool:
    answer = await stage.press(who, custom_ids.more_id(1), ["history"])
    shown_there = [part for part in (answer.response, *answer.followups) if part is not None]
    return any(part.attachments for part in shown_there)


async def keeps(stage: Stage, who: str) -> bool:
    async with stage.here.store.transaction() as tx:
        await stage.here.store.pin(tx, 1, pinned=False)
    await stage.press(who, custom_ids.keep_id(1, on=True))
    return (await stage.here.store.scene(1)).pinned


async def reads_the_log(stage: Stage, who: str) -> bool:
    await stage.here.mod.slash(stage.here.channel, "mod warn", person=stage.here.other, reason="a heron")
    answer = await stage.press(who, custom_ids.log_id(None, 1))
    return "a heron" in shown(answer)


async def turns_a_limit(stage: Stage, who: str) -> bool:
    before = await stage.here.store.rules.of(stage.here.guild.id)
    await stage.command(who, "limits set", rule="steps", value=str(20 + len(before)))
    await stage.command(who, "limits set", rule="steps", value=str(40 + len(before)))
    return await stage.here.store.rules.of(stage.here.guild.id) != before


async def has_all_forgotten(stage: Stage, who: str) -> bool:
    await stage.press(who, custom_ids.forget_id(stage.here.you.id, Answer.YES))
    return await stage.here.store.forgettings.get(stage.here.you.id) is not None


MATRIX: dict[Callable[[Stage, str], Awaitable[bool]], set[str]] = {
    cancels: {AUTHOR, MODERATOR, ADMIN},
    cancels_in_queue: {AUTHOR},
    drops: {MANAGER, ADMIN},
    lets_through: {MANAGER, ADMIN},
    deletes: {AUTHOR, MODERATOR, ADMIN},
    deletes_a_card: {AUTHOR, MODERATOR, ADMIN},
    moves_a_draft: {AUTHOR},
    goes_on_from_unshared: {AUTHOR},
    goes_on_from_shared: {AUTHOR, OTHER, MODERATOR, MANAGER, ADMIN},
    reads_the_history: {AUTHOR, OTHER, MODERATOR, MANAGER, ADMIN},
    keeps: {AUTHOR, MODERATOR, ADMIN},
    reads_the_log: {MANAGER, ADMIN},
    turns_a_limit: {MANAGER, ADMIN},
    has_all_forgotten: {AUTHOR},
}


@pytest.mark.parametrize("right", MATRIX, ids=lambda right: right.__name__)
async def test_who_may(tmp_path: Path, right: Callable[[Stage, str], Awaitable[bool]]) -> None:
    """Author (and the Scene's owner), others, moderators, managers, admins, and an admin of another server."""
    async with world(tmp_path) as here:
        await begin(here)
        await place(here)
        stage = Stage(here)
        people = (ELSEWHERE, OTHER, MANAGER, MODERATOR, ADMIN, AUTHOR)
        may = {who for who in people if await right(stage, who)}

        assert may == MATRIX[right]


@pytest.mark.parametrize("who", [AUTHOR, OTHER, MANAGER])
async def test_an_author_in_somebody_elses_scene(tmp_path: Path, who: str) -> None:
    """Who made it and whose Scene it is may delete it; who only manages the server may not."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        await here.other.send(here.thread(), "rounder", reply_to=here.cards()[0])
        stage = Stage(here)
        picture = await stage.picture()
        await stage.press(who, custom_ids.erase_id(Target(picture_id=picture.id), Step.YES))
        after = await here.store.picture(picture.id)

        assert picture.author_id == here.other.id
        assert after is not None
        assert after.deleted is (who != MANAGER)
