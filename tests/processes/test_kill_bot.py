"""`kill -9` of the bot process in each state of a job: nothing lost, nothing posted twice.

The bot and its worker are real processes; Discord is a fake on this machine that goes on while they die.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web
from filelock import FileLock
from simcord.backend.models import Channel, Message, User

from bot.run import run_bot
from bot.settings import Settings
from bot.store import JobState, Store
from tests.discord.limits import Request
from tests.discord.process import BotProcess
from tests.discord.server import FakeDiscord, Reset
from tests.inference import toys
from tests.journeys.world import png

OPEN_THREAD = ("POST", "/channels/*/threads")
POST_CARD = ("POST", "/channels/*/messages")
EDIT_CARD = ("PATCH", "/channels/*/messages/*")
ANSWER = ("PATCH", "/webhooks/*")


@dataclass
class Stage:
    world: FakeDiscord
    bot: BotProcess
    toy: toys.Stage
    channel: Channel
    ada: User
    data: Path

    async def sketch(self) -> None:
        picture = ("sketch.png", png((64, 48)))
        await self.world.slash(
            self.ada,
            self.channel,
            "sketch",
            image=picture,
            prompt="a moon",
            steps=4,
            strength=1,
            candidates=2,
        )

    async def killed(self, _request: Request) -> web.Response | type[Reset] | None:
        """An accident: the bot is gone before it hears the answer."""
        await self.bot.kill()
        return Reset

    async def finished_card(self) -> Message:
        """Wait for a card with both pictures."""
        return await self.world.wait_for(
            lambda: next((card for card in self.cards() if len(results(card)) == 2), None), "the pictures"
        )

    def cards(self) -> list[Message]:
        return [message for message in self.world.posted.values() if message.components]

    async def state_of_job(self) -> JobState | None:
        """Read only while the bot is not running: it alone may have the database open."""
        store = await Store.open(self.data)
        job = await store.job(1)
        await store.close()
        return job.state if job is not None else None


def results(message: Message) -> list[str]:
    names = [file["filename"] for file in message.attachments]
    return [name for name in names if name.startswith("moonsketch-")]


@asynccontextmanager
async def stage(folder: Path) -> AsyncGenerator[Stage, None]:
    async with toys.stage(folder) as toy, FakeDiscord() as world:
        guild = world.guild()
        channel, ada = world.channel(guild), world.person("ada", guild)
        catalogue = folder / "models.toml"
        catalogue.write_text(f'[models.toy]\nfolder = "{folder / "toy"}"\nnative = 64\n')
        data = folder / "data"
        data.mkdir()
        env = {
            "MOONSKETCH_TOKEN": world.token,
            "MOONSKETCH_DATA": str(data),
            "MOONSKETCH_MODELS": str(folder / "models"),
            "MOONSKETCH_CATALOGUE": str(catalogue),
        }
        async with BotProcess(world, "tests.processes.entry:main", log=folder / "bot.log", env=env) as bot:
            yield Stage(world, bot, toy, channel, ada, data)
        world.assert_clean()


Moment = Callable[[Stage], Awaitable[None]]


def at_request(when: str, route: tuple[str, str], skip: int = 0) -> Moment:
    """Die at this request: `before` it is carried out, or `after` it was but before the answer is heard."""

    async def die(here: Stage) -> None:
        arm = here.world.before if when == "before" else here.world.after
        hook = arm(*route, here.killed, skip=skip)
        await here.sketch()
        await here.world.wait_for(lambda: hook.met and not here.world.connected, "the bot to die")

    return die


async def while_drawing(here: Stage) -> None:
    """Die in the middle of the worker's second step."""
    here.toy.decide = lambda turn: None if turn.name == "step" and len(here.toy.named("step")) == 2 else "go"
    await here.sketch()
    await here.toy.until(lambda turn: turn.name == "step" and len(here.toy.named("step")) == 2)
    await here.bot.kill()
    here.toy.decide = lambda _turn: "go"


async def after_all(here: Stage) -> None:
    await here.sketch()
    await here.finished_card()
    await here.world.wait_for(lambda: here.bot.output.count("rendered") == 1)
    await here.bot.kill()


MOMENTS: dict[str, tuple[Moment, set[JobState]]] = {
    "accepted, no thread yet": (at_request("before", OPEN_THREAD), {JobState.QUEUED}),
    "the thread is open, nobody remembers": (at_request("after", OPEN_THREAD), {JobState.QUEUED}),
    "no card yet": (at_request("before", POST_CARD), {JobState.QUEUED}),
    "the card is posted, nobody remembers": (at_request("after", POST_CARD), {JobState.QUEUED}),
    "the person waits for the answer": (
        at_request("before", ANSWER),
        {JobState.QUEUED, JobState.RUNNING, JobState.RENDERED, JobState.POSTED},
    ),
    "drawing": (while_drawing, {JobState.RUNNING}),
    "all is done": (after_all, {JobState.POSTED, JobState.RENDERED}),
}


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_killed_bot_finishes_every_job_exactly_once(tmp_path: Path, moment: str) -> None:
    """Whenever it dies, its next start ends with one thread, one card and both pictures."""
    die, states = MOMENTS[moment]
    async with stage(tmp_path) as here:
        await die(here)
        state = await here.state_of_job()
        await here.bot.start()
        card = await here.finished_card()
        await here.world.online()

        assert state in states
        assert [each.id for each in here.cards()] == [card.id]
        assert len(here.world.threads(here.channel)) == 1
        here.world.assert_nothing_twice()


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_bot_killed_while_delivering_delivers_once(tmp_path: Path, when: str) -> None:
    """The edit with the pictures is the moment of death, carried out or not: the pictures are there once."""
    async with stage(tmp_path) as here:

        async def kill_at_pictures(request: Request) -> web.Response | type[Reset] | None:
            with_pictures = any(upload.filename.startswith("moonsketch-") for upload in request.uploads)
            return await here.killed(request) if with_pictures and here.bot.starts == 1 else None

        arm = here.world.before if when == "before" else here.world.after
        arm(*EDIT_CARD, kill_at_pictures, times=1000)
        await here.sketch()
        await here.world.wait_for(lambda: here.world.session and not here.world.connected, "the bot to die")
        state = await here.state_of_job()
        await here.bot.start()
        card = await here.finished_card()

        assert state is JobState.RENDERED
        assert [each.id for each in here.cards()] == [card.id]
        here.world.assert_nothing_twice()


async def test_buttons_and_replies_work_on_the_card_of_a_killed_bot(tmp_path: Path) -> None:
    """A new process takes presses and replies on what an earlier one posted."""
    async with stage(tmp_path) as here:
        await here.sketch()
        card = await here.finished_card()
        await here.bot.restart()
        await here.world.click(here.ada, card, "art:again:1:0")
        await here.world.wait_for(lambda: len(here.cards()) == 2, "the card of Again")
        await here.world.reply(here.ada, card, "rounder --n 1")
        await here.world.wait_for(lambda: len(here.cards()) == 3, "the card of the reply")
        await here.world.wait_for(lambda: all(map(results, here.cards())), "all pictures")

        assert [len(results(each)) for each in here.cards()] == [2, 2, 1]


async def test_a_second_bot_on_the_same_data_folder_is_refused(tmp_path: Path) -> None:
    """Two processes would deliver every job twice: the second says so and ends."""
    with FileLock(tmp_path / "lock"):
        sentence = run_bot(Settings(data=tmp_path, _env_file=None))  # type: ignore[call-arg]  # pydantic-settings' own

    assert sentence is not None
    assert "Another Moonsketch runs on the data folder" in sentence
