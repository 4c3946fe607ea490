"""Journeys: /timelapse, the way to a picture as a film."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, ImageSequence

from bot.custom_ids import Target
from tests.journeys.world import World, buttons_of, said, text_of, world


async def a_chain(here: World, count: int) -> None:
    """A sketch (1), a picture (2), and refinements of each other."""
    await here.sketch(candidates=1)
    for _ in range(count - 2):
        await here.you.send(here.thread(), "further", reply_to=here.cards()[-1])


@pytest.mark.parametrize("options, kind", [({}, "WEBP"), ({"format": "gif"}, "GIF")])
async def test_the_way_from_the_sketch_to_now(tmp_path: Path, options: dict[str, str], kind: str) -> None:
    """A regular message without a ping, in the form that was asked for; the answer says where it is."""
    async with world(tmp_path) as here:
        await a_chain(here, 4)
        answer = await here.you.slash(here.thread(), "timelapse", **options)
        post = here.cards()[-1]
        (file,) = post.attachments
        film = Image.open(io.BytesIO(await file.read()))

        assert "The film is the newest message here." in said(answer)
        assert answer.ephemeral
        assert f"<@{here.you.id}> shows the way from picture 1 to picture 4: 4 pictures." in text_of(post)
        assert film.format == kind
        assert len(list(ImageSequence.Iterator(film))) >= 4
        assert here.pinged_by(post) == []
        assert post.flags.suppress_notifications
        assert list(buttons_of(post)) == ["Refine…"]


async def test_a_reply_to_the_film_goes_on_from_its_last_picture(tmp_path: Path) -> None:
    """As a reply to that picture would."""
    async with world(tmp_path) as here:
        await a_chain(here, 3)
        await here.you.slash(here.thread(), "timelapse")
        await here.other.send(here.thread(), "at night", reply_to=here.cards()[-1])
        job = await here.store.job(3)

        assert job is not None
        assert job.parent_id == 3


async def test_to_a_picture_that_is_named(tmp_path: Path) -> None:
    """By its number, whichever one's current picture is; from a branch only that branch is shown."""
    async with world(tmp_path) as here:
        await a_chain(here, 3)
        await here.you.send(here.thread(), "another way", reply_to=here.cards()[0])
        await here.you.slash(here.thread(), "timelapse", picture=3)
        to_three = here.cards()[-1]
        await here.you.slash(here.thread(), "timelapse")
        to_current = here.cards()[-1]

        assert "from picture 1 to picture 3: 3 pictures" in text_of(to_three)
        assert "from picture 1 to picture 4: 3 pictures" in text_of(to_current)


async def test_it_is_posted_where_the_scene_is(tmp_path: Path) -> None:
    """Whoever asks for it in the channel above gets a link into the thread."""
    async with world(tmp_path) as here:
        await a_chain(here, 3)
        answer = await here.you.slash(here.channel, "timelapse")

        assert "There is no Scene here yet" not in said(answer)
        assert "from picture 1 to picture 3" in text_of(here.cards()[-1])
        assert "https://discord.com/channels/" in said(answer)


@pytest.mark.parametrize(
    "picture, sentence", [(1, "nothing would move yet"), (9, "has no picture 9: it has")]
)
async def test_what_cannot_be_a_film(tmp_path: Path, picture: int, sentence: str) -> None:
    """A single picture; a number that there is not. Nothing is posted."""
    async with world(tmp_path) as here:
        await a_chain(here, 2)
        answer = await here.you.slash(here.thread(), "timelapse", picture=picture)

        assert sentence in said(answer)
        assert len(here.cards()) == 1


async def test_a_deleted_picture_is_left_out_and_named(tmp_path: Path) -> None:
    """Only the living can be shown; one that is asked for by its number was deleted."""
    async with world(tmp_path) as here:
        await a_chain(here, 4)
        await here.bot.deletion.delete(Target(picture_id=3), here.you.id, moderates=False)
        await here.env.settle()
        await here.you.slash(here.thread(), "timelapse")
        to_deleted = await here.you.slash(here.thread(), "timelapse", picture=3)

        assert "3 pictures (picture 3 was deleted)" in text_of(here.cards()[-1])
        assert "That picture was deleted" in said(to_deleted)


@pytest.mark.parametrize("picture, left", [(2, 0), (5, 1)])
async def test_a_film_goes_with_any_picture_in_it(tmp_path: Path, picture: int, left: int) -> None:
    """Whoever deletes a picture deletes every message that shows it; one that the film does not show leaves it."""
    async with world(tmp_path) as here:
        await a_chain(here, 4)
        await here.you.slash(here.thread(), "timelapse")
        await here.you.send(here.thread(), "aside", reply_to=here.cards()[0])
        await here.bot.deletion.delete(Target(picture_id=picture), here.you.id, moderates=False)
        await here.env.settle()
        films = [card for card in here.cards() if "shows the way" in text_of(card)]

        assert len(films) == left


async def test_where_the_bot_may_not_post_nothing_is_made(tmp_path: Path) -> None:
    """The person reads why."""
    async with world(tmp_path) as here:
        await a_chain(here, 3)
        here.env.inject_error("POST", "/channels/*/messages", status=403, code=50013, times=1)
        answer = await here.you.slash(here.thread(), "timelapse")

        assert "I may not post in that Scene's thread any more." in said(answer)
