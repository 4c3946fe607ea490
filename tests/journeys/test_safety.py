"""Journeys: pictures that safety keeps back or hides, what people read of it, and what moderators do."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.images import Decoder
from bot.safeguard import NOT_LOOKED_AT
from bot.store import FileMissing, JobState, PictureKind
from inference import CheckFailed, Park, PictureRef, Strictness
from inference.fake import UNSAFE, FakeEngine
from tests.journeys.placing_world import add_piece, is_draft, place
from tests.journeys.test_queue import shown_by, words_of
from tests.journeys.world import (
    EngineMaker,
    World,
    buttons_of,
    fake_engine,
    held_engine,
    pictures_of,
    png,
    said,
    text_of,
    walk,
    world,
)

SKETCH = png((160, 90), "navy")
NOTHING = 1
"""A seed that nobody asks for: with it there is a check, and it finds nothing."""


def checked(*seeds: int, inputs: Collection[PictureRef] = (), held: bool = False) -> EngineMaker:
    def make(park: Park) -> FakeEngine:
        return FakeEngine(park=park, unsafe_seeds={*seeds, NOTHING}, unsafe_inputs=inputs, held=held)

    return make


async def kept_as(data: bytes) -> PictureRef:
    """What a file that somebody sends is stored and drawn from as."""
    decoder = Decoder()
    try:
        return PictureRef(hashlib.sha256((await decoder.clean(data)).png).hexdigest())
    finally:
        await decoder.close()


async def draw(here: World, **options: Any) -> discord.Message:
    """/sketch in a thread of its own; returns the card as it is then."""
    given = {"image": ("sketch.png", SKETCH), "prompt": "a secret moon", "seed": 1000, **options}
    await here.you.slash(here.channel, "sketch", **given)
    (card,) = here.cards(here.thread(len(here.channel.threads) - 1))
    return card


def hidden(here: World, message: discord.Message) -> dict[str, bool]:
    """File → whether it is shown only to who wants to see it."""
    parts = walk(here.env.backend.get_message(message.channel.id, message.id).components)
    media = [item for part in parts if part["type"] == 12 for item in part["items"]]
    media += [part["accessory"] for part in parts if part.get("accessory", {}).get("type") == 11]
    return {
        item["media"]["url"].rpartition("/")[2].partition("?")[0]: bool(item.get("spoiler")) for item in media
    }


async def test_one_of_four_is_kept_back(tmp_path: Path) -> None:
    """The others are posted under their own numbers, the card says why one is missing; it is nowhere stored."""
    async with world(tmp_path, checked(1001)) as here:
        card = await draw(here, candidates=4)
        kept = await here.store.candidates(1)

        assert here.fake.strictnesses == [Strictness.BLOCK]
        assert [picture.candidate for picture in kept] == [1, 3, 4]
        assert [file.filename for file in pictures_of(card)] == [f"moonsketch-1-{at}.png" for at in (1, 3, 4)]
        assert list(buttons_of(card))[:3] == ["1", "3", "4"]
        assert "1 of 4 pictures was kept back: the safety check took it for" in text_of(card)
        assert not any(hidden(here, card).values())


async def test_a_safe_job_says_nothing_of_it(tmp_path: Path) -> None:
    """The control: with the same check and other seeds all four are there, and moderators have nothing to read."""
    async with world(tmp_path, checked()) as here:
        card = await draw(here, candidates=4)

        assert len(pictures_of(card)) == 4
        assert "kept back" not in text_of(card)
        assert await here.store.audits.latest(here.guild.id, 10) == []


async def test_where_all_are_kept_back_the_job_is_over_and_free(tmp_path: Path) -> None:
    """The card says so and what to do; no picture came of it, and nothing counts as used."""
    async with world(tmp_path, checked(1000, 1001)) as here:
        card = await draw(here, candidates=2)
        job = await here.store.job(1)
        async with here.store.transaction() as tx:
            used = await here.store.usages.today(tx, here.guild.id, here.you.id, here.bot.now())

        assert job is not None
        assert job.state is JobState.FAILED
        assert "The safety check took all 2 pictures for something that may not be shown here" in text_of(
            card
        )
        assert "Nothing was charged." in text_of(card)
        assert card.attachments == []
        assert await here.store.candidates(1) == []
        assert used == (0, 0)
        assert list(buttons_of(card)) == ["Again", "Delete"]


async def test_an_unsafe_sketch_is_neither_drawn_nor_kept_nor_shown(tmp_path: Path) -> None:
    """Its bytes are gone, it never stood on the card, and the card says what to do."""
    async with world(tmp_path, checked(inputs=[await kept_as(SKETCH)])) as here:
        card = await draw(here)
        upload = await here.store.picture(1)

        assert upload is not None
        assert (upload.kind, upload.deleted) == (PictureKind.UPLOADED, True)
        with pytest.raises(FileMissing):
            await here.store.files.get(upload.file)
        assert "Nothing was drawn: the safety check took the picture to start from" in text_of(card)
        assert "and it was not kept" in text_of(card)
        assert card.attachments == []


async def test_a_sketch_waits_until_it_was_looked_at(tmp_path: Path) -> None:
    """It joins the card with the results, and not before."""
    async with world(tmp_path, checked(held=True)) as here:
        waiting = [file.filename for file in (await draw(here, candidates=1)).attachments]
        here.fake.release(3)
        await here.env.settle()
        running = [file.filename for file in here.cards()[0].attachments]
        here.fake.release(100)
        await here.env.settle()
        done = [file.filename for file in here.cards()[0].attachments]

        assert waiting == []
        assert running == ["preview-3.webp"]
        assert sorted(done) == ["moonsketch-1-1.png", "sketch.webp"]


async def test_a_sketch_that_nobody_looked_at_is_not_shown_later(tmp_path: Path) -> None:
    """Its job was cancelled: it stays in the history, where it can be gone on from and not posted."""
    async with world(tmp_path, checked(held=True)) as here:
        card = await draw(here, candidates=1)
        await here.you.click(card, label="Cancel")
        sheet = shown_by(await here.you.slash(here.thread(), "history"))
        select = next(item for item in walk(sheet.components) if item["type"] == 3)
        value = select["options"][0]["value"]
        answer = await here.you.select(sheet, custom_id=select["custom_id"], values=[value])
        unseen = await here.store.picture(1)
        await here.you.click(here.cards()[0], label="Again")
        here.fake.release(100)
        await here.env.settle()
        seen = await here.store.picture(1)

        assert unseen is not None
        assert unseen.unsafe == NOT_LOOKED_AT
        assert "may not be shown here, or has not looked at it yet" in said(answer)
        assert seen is not None
        assert seen.unsafe is None
        assert sorted(hidden(here, here.cards()[-1])) == ["moonsketch-2-1.png", "sketch.webp"]


async def test_what_could_not_be_checked_is_not_shown(tmp_path: Path) -> None:
    """The check itself failed: the job is over and free, with no picture, and its sketch stays unseen."""
    async with world(tmp_path, checked()) as here:
        here.fake.fail_next(CheckFailed("The safety check failed."))
        card = await draw(here, candidates=2)
        sketch = await here.store.picture(1)

        assert "The safety check failed. Nothing was charged." in text_of(card)
        assert pictures_of(card) == []
        assert "sketch.webp" not in [file.filename for file in card.attachments]
        assert await here.store.candidates(1) == []
        assert sketch is not None
        assert sketch.unsafe == NOT_LOOKED_AT


async def test_where_nothing_is_checked_a_sketch_is_shown_at_once(tmp_path: Path) -> None:
    """The control: it stands on the card before anything is drawn."""
    async with world(tmp_path, held_engine) as here:
        waiting = await draw(here, candidates=1)

        assert here.fake.strictnesses == [Strictness.OFF]
        assert [file.filename for file in waiting.attachments] == ["sketch.webp"]


async def test_moderators_read_what_was_kept_back_but_no_words(tmp_path: Path) -> None:
    """Who, in which job and what was found, in the log and in its channel; never the prompt."""
    async with world(tmp_path, checked(1001, 1002)) as here:
        await here.mod.slash(here.channel, "log channel", channel=here.channel)
        await draw(here, candidates=4)
        entry = (await here.store.audits.latest(here.guild.id, 1))[0]
        posted = text_of(here.channel.history()[-1])

        assert (entry.action, entry.actor_id) == ("pictures kept back by safety", None)
        assert (entry.subject, entry.after, entry.reason) == (f"<@{here.you.id}>", f"{UNSAFE} ×2", "job 1")
        assert "pictures kept back by safety" in posted
        assert "secret" not in posted


async def test_a_refused_sketch_is_in_the_log_too(tmp_path: Path) -> None:
    """As what it is."""
    async with world(tmp_path, checked(inputs=[await kept_as(SKETCH)])) as here:
        await draw(here)
        (entry,) = await here.store.audits.latest(here.guild.id, 5)

        assert (entry.action, entry.after) == ("picture refused by safety", UNSAFE)


async def test_a_server_may_hide_instead(tmp_path: Path) -> None:
    """With `safety spoiler` all are delivered, the unsafe one under a cover, on the card and wherever it is shown."""
    async with world(tmp_path, checked(1001)) as here:
        await here.limit("safety", "spoiler")
        card = await draw(here, candidates=2)
        await here.you.click(card, label="2")
        (card,) = here.cards()
        pictures = await here.store.candidates(1)
        shown = await here.bot.showing.show(pictures[1], "Again.")
        safe = await here.bot.showing.show(pictures[0], "Again.")

        assert here.fake.strictnesses == [Strictness.SPOILER]
        assert [picture.unsafe for picture in pictures] == [None, UNSAFE]
        assert hidden(here, card) == {
            "moonsketch-1-1.png": False,
            "moonsketch-1-2.png": True,
            "sketch.webp": False,
        }
        assert list(hidden(here, shown).values()) == [True]
        assert list(hidden(here, safe).values()) == [False]
        assert "kept back" not in text_of(card)


async def test_a_hidden_sketch_stays_hidden(tmp_path: Path) -> None:
    """Drawn from, because the server hides only: it and all that came of it are under covers."""
    async with world(tmp_path, checked(inputs=[await kept_as(SKETCH)])) as here:
        await here.limit("safety", "spoiler")
        card = await draw(here, candidates=1)

        assert hidden(here, card) == {"moonsketch-1-1.png": True, "sketch.webp": True}


async def test_no_server_turns_it_off_in_a_channel_for_everyone(tmp_path: Path) -> None:
    """`safety off` there hides at least: Discord wants what is for adults in age-restricted channels only."""
    async with world(tmp_path, checked(1001)) as here:
        await here.limit("safety", "off")
        card = await draw(here, candidates=2)

        assert here.fake.strictnesses == [Strictness.SPOILER]
        assert hidden(here, card)["moonsketch-1-2.png"]


async def test_direct_messages_are_for_everyone(tmp_path: Path) -> None:
    """Discord does not tell how old people are, so what is unsafe is kept back there."""
    async with world(tmp_path, checked(1000)) as here:
        await here.you.user.slash("imagine", prompt="a moon", seed=1000, candidates=1)

        assert here.fake.strictnesses == [Strictness.BLOCK]


async def test_what_comes_of_a_hidden_picture_without_a_model_is_hidden(tmp_path: Path) -> None:
    """A piece cut from it, and the picture that this is placed onto; a piece of a safe one is not."""
    async with world(tmp_path, checked(1001)) as here:
        await here.limit("safety", "spoiler")
        card = await draw(here, candidates=2)
        await here.you.click(card, label="2")
        await here.you.slash(here.thread(), "piece", region="B2:D4", name="dark")
        await add_piece(here, "red")
        dark, red = [shown.picture for shown in await here.store.history(1)][-2:]
        await here.you.click(here.cards()[0], label="1")
        await place(here, "dark")
        preview = next(message for message in reversed(here.cards()) if is_draft(message))

        assert (dark.piece, dark.unsafe) == ("dark", UNSAFE)
        assert (red.piece, red.unsafe) == ("red", None)
        assert list(hidden(here, preview).values()) == [True]


async def test_a_hidden_piece_is_not_placed_where_such_are_kept_back(tmp_path: Path) -> None:
    """Pieces may come from other places; nothing is changed, and the answer says what to do."""
    async with world(tmp_path, checked()) as here:
        await draw(here, candidates=1)
        await add_piece(here, "red")
        piece = (await here.store.history(1))[-1].picture
        async with here.store.transaction() as tx:
            await here.store.mark_unsafe(tx, piece.id, UNSAFE)
        answer = await place(here, "red")
        await here.limit("safety", "spoiler")
        allowed = await place(here, "red")

        assert "may not be shown here" in said(answer)
        assert "may not be shown here" not in said(allowed)


@pytest.mark.parametrize(
    "make_engine, sentence",
    [
        (checked(), f"Safety: {UNSAFE} looks at the pictures that I start from"),
        (fake_engine, "Nothing looks at pictures for safety here"),
    ],
)
async def test_about_says_what_looks_at_pictures(
    tmp_path: Path, make_engine: EngineMaker, sentence: str
) -> None:
    """Or that nothing does."""
    async with world(tmp_path, make_engine) as here:
        told = words_of(shown_by(await here.you.slash(here.channel, "about")))

        assert sentence in told
