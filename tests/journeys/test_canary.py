"""Journeys: what people write never reaches the log, nor what a running bot says of itself. Nor does its token."""

from __future__ import annotations

import io
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
import structlog

from bot import logs, texts
from bot.control import AskDatabase, AskStatus
from bot.recent_troubles import RecentTroubles, noting_troubles
from bot.reporter import Reporter
from inference import EngineState, EngineUnavailable, RequestFailed
from tests.journeys.forms import send
from tests.journeys.placing_world import place, press
from tests.journeys.world import World, buttons_of, fake_engine, png, said, world

CANARY = "zebrafinch"
WORDS = f"a {CANARY} on the moon"


class Heard(NamedTuple):
    """All that whoever runs the bot may get to read."""

    log: io.StringIO
    troubles: RecentTroubles

    def all_of(self) -> str:
        return "\n".join([self.log.getvalue(), *(trouble.sentence for trouble in self.troubles.kept)])


@contextmanager
def listening() -> Iterator[Heard]:
    """As in production, at its most talkative; afterwards journeys log as they do."""
    stream = io.StringIO()
    logs.configure("DEBUG", stream)
    try:
        with noting_troubles() as troubles:
            yield Heard(stream, troubles)
    finally:
        logs.configure("INFO")


async def answers_of(here: World, heard: Heard) -> str:
    """What the control socket tells, as it goes over the wire."""
    reporter = Reporter(here.bot, heard.troubles)
    answers = [await reporter.answer(question) for question in (AskStatus(), AskDatabase())]
    return b"".join(map(msgspec.json.encode, answers)).decode()


@asynccontextmanager
async def breaking(folder: Path) -> AsyncGenerator[World, None]:
    """A world in which more than a refusal goes wrong, on purpose."""
    here = World(folder, fake_engine, {})
    await here.start()
    try:
        yield here
        assert here.env.errors  # having looked at them is what simcord asks for
    finally:
        await here.close()


@asynccontextmanager
async def watched(
    folder: Path, make: Callable[[Path], AbstractAsyncContextManager[World]] = world
) -> AsyncGenerator[tuple[World, Heard], None]:
    """A world in which somebody reads everything, and finds the word nowhere."""
    with listening() as heard:
        async with make(folder) as here:
            yield here, heard
            told = await answers_of(here, heard)
            assert f'"{here.bot.engine.status.state}"' in told
    assert CANARY not in heard.all_of() + told
    assert "TestBot" in heard.all_of()


async def test_the_word_is_found_where_it_is_logged() -> None:
    """The control: as a value, in another library's record, in the text of an error of a kind that is told."""
    with listening() as heard:
        structlog.get_logger("bot.test").debug("said", words=WORDS)
        structlog.get_logger("bot.test").warning(WORDS)
        structlog.get_logger("bot.test").error("it broke", exc_info=OSError(WORDS))

    assert heard.log.getvalue().count(CANARY) == 3
    assert heard.all_of().count(CANARY) == 4


async def test_drawing_says_nothing_of_the_words(tmp_path: Path) -> None:
    """Sketch, imagine, reply, form, repaint, again: all that leads to a picture."""
    async with watched(tmp_path) as (here, _):
        await here.sketch(prompt=WORDS, negative=f"no {CANARY}", candidates=2)
        await here.you.slash(here.channel, "imagine", prompt=WORDS, candidates=1)
        card = here.cards()[0]
        await here.you.send(here.thread(), f"{WORDS} --no {CANARY}", reply_to=card)
        form = await here.you.click(card, custom_id=buttons_of(card)["Refine…"])
        await send(here.you, form, prompt=WORDS)
        menu = await here.you.context_menu(here.thread(), "Use as sketch", card)
        await send(here.you, menu, prompt=WORDS)
        await here.you.slash(here.thread(), "repaint", prompt=WORDS, region="B2:C3", candidates=1)
        await here.you.click(card, custom_id=buttons_of(card)["Again"])
        await here.you.click(card, custom_id=buttons_of(card)["Delete"])

        assert len(here.fake.requests) == 7
        assert all(CANARY in request.prompt for request in here.fake.requests)


async def test_pieces_say_nothing_of_their_names(tmp_path: Path) -> None:
    """Cut out, placed, harmonised, exported, looked at."""
    async with watched(tmp_path) as (here, _):
        await here.sketch(prompt=WORDS, candidates=1)
        await here.you.slash(here.thread(), "piece", file=(f"{CANARY}.png", png((80, 80), "red", "RGBA")))
        await place(here, CANARY, at="50%,50%", size=30)
        await press(here, "Place")
        await here.you.slash(here.thread(), "harmonise", candidates=1)
        for name in ("history", "export", "pieces", "queue", "undo"):
            await here.you.slash(here.thread(), name)

        assert any(CANARY in (shown.picture.piece or "") for shown in await here.store.history(1))


async def test_bad_input_says_nothing_of_the_words(tmp_path: Path) -> None:
    """Whoever wrote it reads it again, in private; the log does not."""
    async with watched(tmp_path) as (here, _):
        await here.sketch(prompt=WORDS, candidates=1)
        (card,) = here.cards()
        for flags in (
            "--steps 9999",
            f"--steps {CANARY}",
            f"--{CANARY} 5",
            f"--style {CANARY}",
            "--strength 7",
        ):
            await here.you.send(here.thread(), f"{WORDS} {flags}", reply_to=card)
        answers = [
            await here.sketch(prompt=WORDS, image=("sketch.png", b"hello")),
            await here.sketch(prompt=WORDS, style=CANARY),
            await here.you.slash(here.thread(), "repaint", prompt=WORDS, region=CANARY),
            await here.you.slash(here.thread(), "place", piece=CANARY),
        ]
        form = await here.you.click(card, custom_id=buttons_of(card)["Refine…"])
        wrong = await send(here.you, form, prompt=WORDS, strength=CANARY)

        assert all(said(answer) for answer in answers)
        assert CANARY in said(wrong)
        assert len(here.fake.requests) == 1


@pytest.mark.parametrize(
    "error",
    [
        RequestFailed("The engine could not draw this."),
        EngineUnavailable("It is busy."),
        ValueError(f"cannot draw {WORDS}"),
        KeyError(WORDS),
        UnicodeEncodeError("utf-8", WORDS, 2, 3, "no such character"),
        RuntimeError(WORDS),
    ],
)
async def test_an_engine_that_fails_says_nothing_of_the_words(tmp_path: Path, error: Exception) -> None:
    """Not even when the error repeats them, as errors of libraries do."""
    async with watched(tmp_path) as (here, heard):
        here.fake.fail_next(error)
        await here.sketch(prompt=WORDS, candidates=1)
        await here.env.settle()

        known = isinstance(error, RequestFailed | EngineUnavailable)
        assert (f"{type(error).__name__}: (not logged" in heard.log.getvalue()) is not known


async def test_a_bot_that_breaks_says_nothing_of_the_words(tmp_path: Path) -> None:
    """A row of the database that cannot be read, files that are gone, a Discord that refuses: while words are about."""
    async with watched(tmp_path, breaking) as (here, heard):
        await here.sketch(prompt=WORDS, candidates=1)
        (card,) = here.cards()
        async with here.store.transaction() as tx:
            await tx.run("UPDATE job SET kind = 'no such kind'")
        answers = [
            await here.you.click(card, custom_id=buttons_of(card)["Again"]),
            await here.you.slash(here.thread(), "history"),
        ]
        await here.you.send(here.thread(), WORDS, reply_to=card)
        async with here.store.transaction() as tx:
            await tx.run("UPDATE job SET kind = 'sketch'")
        here.env.inject_error("PATCH", "/channels/*/messages/*", status=400, code=50035, times=2)
        await here.you.click(card, custom_id=buttons_of(card)["Again"])
        for path in (tmp_path / "pictures").rglob("*"):
            if path.is_file():
                path.unlink()
        await here.you.click(card, custom_id=buttons_of(card)["Subtle"])

        assert [said(answer) for answer in answers] == [texts.INTERNAL_ERROR] * 2
        assert "ValidationError" in heard.log.getvalue()


async def test_an_engine_that_cannot_be_set_up_tells_why_and_nothing_else(tmp_path: Path) -> None:
    """Jobs that wait for it are counted, not quoted."""
    async with watched(tmp_path) as (here, heard):
        await here.engine_becomes(EngineState.SETUP_FAILED, "The folder is missing.")
        await here.sketch(prompt=WORDS, candidates=1)
        told = await answers_of(here, heard)

        assert "The folder is missing." in told
        assert '"queued":1' in told


async def test_forgetting_and_sweeping_say_nothing_of_the_words(tmp_path: Path) -> None:
    """Nor who was forgotten."""
    async with watched(tmp_path) as (here, heard):
        await here.sketch(prompt=WORDS, candidates=1)
        before = len(heard.log.getvalue())
        await here.bot.forgetting.forget(here.you.id)
        await here.env.settle()
        await here.bot.retention.sweep()

        assert "a person is forgotten" in heard.log.getvalue()[before:]
        assert str(here.you.id) not in heard.log.getvalue()[before:]


async def test_the_token_is_nowhere(tmp_path: Path) -> None:
    """Nor are those of interactions, which are in the addresses that discord.py asks."""
    async with watched(tmp_path, breaking) as (here, heard):
        token = here.bot.http.token
        assert token
        answer = await here.sketch(prompt=WORDS, candidates=1)
        here.env.inject_error("PATCH", "/webhooks/*", status=500, times=1)
        await here.you.slash(here.channel, "queue")

        assert said(answer)
        assert token not in heard.all_of() + await answers_of(here, heard)
