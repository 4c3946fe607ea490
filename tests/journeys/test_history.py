"""Journeys: /history and going back."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops
from simcord.results import InteractionResult, ResponseMessage

from bot import texts
from bot.custom_ids import history_id
from bot.store import NewPicture, PictureKind
from inference import Size
from tests.journeys.attackers import Attacker
from tests.journeys.world import World, buttons_of, png, said, text_of, walk, world


def answered(answer: InteractionResult) -> ResponseMessage:
    message = answer.followups[-1] if answer.followups else answer.response
    assert message is not None
    return message


def select_of(message: ResponseMessage) -> dict[str, Any]:
    (select,) = [item for item in walk(message.components) if item["type"] == 3]
    return select


def labels_of(message: ResponseMessage) -> list[str]:
    return [option["label"].split(":")[0] for option in select_of(message)["options"]]


async def choose(here: World, sheet: ResponseMessage, label: str) -> InteractionResult:
    select = select_of(sheet)
    (value,) = [option["value"] for option in select["options"] if option["label"].split(":")[0] == label]
    return await here.you.select(sheet, custom_id=select["custom_id"], values=[value])


async def tree_of(sheet: ResponseMessage) -> Image.Image:
    (file,) = sheet.attachments
    return Image.open(io.BytesIO(await file.read())).convert("RGB")


def differ(first: Image.Image, second: Image.Image) -> bool:
    return first.size != second.size or ImageChops.difference(first, second).getbbox() is not None


async def many(here: World, count: int) -> None:
    """A Scene with one card and, below its picture, so many more."""
    await here.sketch(candidates=1)
    file = await here.store.files.put(png((64, 36), "teal"))
    for _ in range(count - 2):
        new = NewPicture(
            kind=PictureKind.SHAPED, author_id=here.other.id, file=file, size=Size(64, 36), parent_id=2
        )
        await here.bot.showing.keep(1, new)


async def test_history_shows_every_picture_and_goes_back_to_one(tmp_path: Path) -> None:
    """A private picture with a select; choosing posts the picture anew, and a reply to it branches from there."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=2)
        (card,) = here.cards()
        await here.you.click(card, custom_id=buttons_of(card)["Strong"])
        thread = here.thread()
        sheet = answered(await here.you.slash(thread, "history"))
        chosen = next(option for option in select_of(sheet)["options"] if option["label"].startswith("3:"))
        shown = await choose(here, sheet, "3")
        post = here.cards(thread)[-1]
        await here.you.send(thread, "from here", reply_to=post)
        job = await here.store.job(3)

        assert sheet.ephemeral
        assert labels_of(sheet) == ["5", "4", "3", "2", "1"]
        assert "You are back at picture 3" in said(shown)
        assert f"<@{here.you.id}> is back at picture 3." in text_of(post)
        assert {"Subtle", "Strong", "Refine…", "Delete"} <= set(buttons_of(post))
        assert job is not None
        assert job.parent_id == int(chosen["value"])


async def test_the_tree_marks_the_askers_own_current_picture(tmp_path: Path) -> None:
    """The same Scene looks different to somebody who is elsewhere in it, and alike to the same person."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=2)
        (card,) = here.cards()
        await here.you.click(card, custom_id=buttons_of(card)["1"])
        mine = answered(await here.you.slash(here.thread(), "history"))
        again = answered(await here.you.slash(here.thread(), "history"))
        theirs = answered(await here.other.slash(here.thread(), "history"))
        described = [
            next(item["items"][0]["description"] for item in walk(sheet.components) if item["type"] == 12)
            for sheet in (mine, theirs)
        ]

        assert "Your current one is 2." in described[0]
        assert "Your current one is 3." in described[1]
        assert not differ(await tree_of(mine), await tree_of(again))
        assert differ(await tree_of(mine), await tree_of(theirs))


async def test_people_are_called_by_their_names_and_no_name_is_kept(tmp_path: Path) -> None:
    """Whoever cannot be asked for any more is somebody; the tree is drawn all the same."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        (card,) = here.cards()
        await here.other.click(card, custom_id=buttons_of(card)["Strong"])
        named = await tree_of(answered(await here.you.slash(here.thread(), "history")))
        here.env.inject_error("GET", "/guilds/*/members/*", status=404, code=10007)
        here.bot.get_guild(here.guild.id)._members.clear()  # type: ignore[union-attr]  # the server is there
        unnamed = await tree_of(answered(await here.you.slash(here.thread(), "history")))

        assert differ(named, unnamed)
        assert b"other" not in (tmp_path / "moonsketch.sqlite3").read_bytes()


async def test_the_select_works_after_a_restart(tmp_path: Path) -> None:
    """The select carries its Scene in its custom_id."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        sheet = answered(await here.you.slash(here.thread(), "history"))
        await here.restart()
        await choose(here, sheet, "1")
        current = await here.store.current_picture(1, here.you.id)

        assert current is not None
        assert current.number == 1
        assert len(here.cards()) == 2


@pytest.mark.parametrize("count, labels", [(23, 23), (24, 24), (60, 24)])
async def test_as_much_as_one_select_holds(tmp_path: Path, count: int, labels: int) -> None:
    """Older ones are behind one more entry, where there are older ones."""
    async with world(tmp_path) as here:
        await many(here, count)
        shown = labels_of(answered(await here.you.slash(here.thread(), "history")))

        assert shown[0] == str(count)
        assert len(shown) == labels
        assert (shown[-1] == "Older pictures…") is (count > 23)


async def test_every_picture_can_be_reached(tmp_path: Path) -> None:
    """Page by page in place, with the tree still there; the oldest is gone back to, and the way leads back as well."""
    async with world(tmp_path) as here:
        await many(here, 60)
        sheet = answered(await here.you.slash(here.thread(), "history"))
        pages = [labels_of(sheet)]
        for _ in range(2):
            sheet = answered(await choose(here, sheet, "Older pictures…"))
            pages.append(labels_of(sheet))
        files = len(sheet.attachments)
        await choose(here, sheet, "1")
        newer = answered(await choose(here, sheet, "Newer pictures…"))
        current = await here.store.current_picture(1, here.you.id)
        numbers = [label for page in pages for label in page if label.isdigit()]

        assert numbers == [str(number) for number in range(60, 0, -1)]
        assert [len(page) for page in pages] == [24, 25, 15]
        assert files == 1
        assert labels_of(newer) == pages[1]
        assert current is not None
        assert current.number == 1


async def test_a_deleted_picture_stays_in_the_tree_and_cannot_be_chosen(tmp_path: Path) -> None:
    """Its place is drawn, for others came of it; the select has the living only."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=2)
        before = answered(await here.you.slash(here.thread(), "history"))
        async with here.store.transaction() as tx:
            await here.store.entomb(tx, 2, 0.0)
        await here.store.erase_doomed()
        after = answered(await here.you.slash(here.thread(), "history"))

        assert labels_of(after) == ["3", "1"]
        assert (await tree_of(before)).size == (await tree_of(after)).size
        assert differ(await tree_of(before), await tree_of(after))


async def test_a_lost_file_does_not_take_the_history_along(tmp_path: Path) -> None:
    """Somebody removed it by hand: the others are shown."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=2)
        await here.store.files.remove((await here.store.candidates(1))[0].file)
        sheet = answered(await here.you.slash(here.thread(), "history"))

        assert labels_of(sheet) == ["3", "2", "1"]
        assert (await tree_of(sheet)).width > 100


async def test_history_without_a_scene_says_how_to_begin(tmp_path: Path) -> None:
    """In a channel where one has drawn nothing there is nothing to show."""
    async with world(tmp_path) as here:
        answer = await here.you.slash(here.channel, "history")

        assert "There is no Scene here yet." in said(answer)


async def test_history_of_a_scene_whose_pictures_are_all_deleted(tmp_path: Path) -> None:
    """That they were there is said, and how to begin anew."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        async with here.store.transaction() as tx:
            for picture_id in (1, 2):
                await here.store.entomb(tx, picture_id, 0.0)
        answer = await here.you.slash(here.thread(), "history")

        assert "All pictures of this Scene were deleted." in said(answer)


async def test_a_page_that_went_with_its_pictures(tmp_path: Path) -> None:
    """The select is older than the deletions: the last page that is left, and a sentence where nothing is."""
    async with world(tmp_path) as here:
        await many(here, 25)
        sheet = answered(await here.you.slash(here.thread(), "history"))
        await deleted(here, 1, 2)
        await choose(here, sheet, texts.HISTORY_OLDER)
        labels = labels_of(sheet)
        again = answered(await here.you.slash(here.thread(), "history"))
        await many(here, 3)
        older = answered(await here.you.slash(here.thread(), "history"))
        await deleted(here, *range(3, 29))
        nothing = await choose(here, older, texts.HISTORY_OLDER)

        assert labels == labels_of(again)
        assert len(labels) == 23
        assert "All pictures of this Scene were deleted." in said(nothing)


async def deleted(here: World, *picture_ids: int) -> None:
    async with here.store.transaction() as tx:
        for picture_id in picture_ids:
            await here.store.entomb(tx, picture_id, 0.0)


@pytest.mark.parametrize("value", ["-1", "x", "page-x", "page--1", "", "9" * 30])
async def test_a_choice_that_was_never_offered(tmp_path: Path, value: str) -> None:
    """A sentence, and the picture that one goes on from stays the same."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=2)
        before = await here.store.current_picture(1, here.you.id)
        answer = await Attacker.at(here.you, here.thread()).press(history_id(1), [value])

        assert said(answer) == "That is not offered any more. Open the list once more."
        assert await here.store.current_picture(1, here.you.id) == before
