"""Journeys: /export, a Scene to take home."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from PIL import Image
from simcord.results import InteractionResult, ResponseMessage

from bot.chronicle import Chronicle
from bot.custom_ids import Target
from bot.png_text import text_of as words_in_file
from bot.store import NewPicture, PictureKind
from inference import PictureRef, Size
from tests.bot.pictures import file_of
from tests.journeys.world import World, said, world


def messages(answer: InteractionResult) -> list[ResponseMessage]:
    return [message for message in (answer.response, *answer.followups) if message is not None]


async def zips(answer: InteractionResult) -> list[zipfile.ZipFile]:
    files = [file for message in messages(answer) for file in message.attachments]
    return [zipfile.ZipFile(io.BytesIO(await file.read())) for file in files]


def tree_in(package: zipfile.ZipFile) -> dict[int, dict[str, Any]]:
    return {node["number"]: node for node in json.loads(package.read("tree.json"))["pictures"]}


async def a_scene(here: World) -> None:
    await here.sketch(candidates=2, negative="clouds")
    await here.other.send(here.thread(), "rounder --n 1", reply_to=here.cards()[0])


async def keep(here: World, file: PictureRef, size: Size) -> None:
    """One more picture below picture 2."""
    new = NewPicture(kind=PictureKind.SHAPED, author_id=here.you.id, file=file, size=size, parent_id=2)
    await here.bot.showing.keep(1, new)


async def test_pictures_recipes_and_tree(tmp_path: Path) -> None:
    """Private; every picture whole, what it came of, how to ask for it again, a page to look at. Nobody is named."""
    async with world(tmp_path) as here:
        await a_scene(here)
        answer = await here.you.slash(here.thread(), "export")
        (package,) = await zips(answer)
        tree = tree_in(package)
        history = await here.store.history(1)
        sizes = [Image.open(io.BytesIO(package.read(node["file"]))).size for node in tree.values()]
        everything = b"".join(package.read(name) for name in package.namelist())

        assert all(message.ephemeral for message in messages(answer))
        assert "packed: open `index.html`" in said(answer)
        assert {number: node["parent"] for number, node in tree.items()} == {1: None, 2: 1, 3: 1, 4: 2}
        assert sizes == [(shown.picture.width, shown.picture.height) for shown in history]
        assert [node["mine"] for node in tree.values()] == [True, True, True, False]
        assert "index.html" in package.namelist()
        assert b"rounder --strength 0.55" in package.read("recipes.txt")
        assert words_in_file(package.read(tree[4]["file"])) is not None
        assert not any(str(person.id).encode() in everything for person in (here.you, here.other))


async def test_a_deleted_picture_is_not_packed(tmp_path: Path) -> None:
    """Its place in the tree is, for others came of it."""
    async with world(tmp_path) as here:
        await a_scene(here)
        await here.bot.deletion.delete(Target(picture_id=2), here.you.id, moderates=False)
        await here.env.settle()
        (package,) = await zips(await here.you.slash(here.thread(), "export"))
        tree = tree_in(package)

        assert (tree[2]["deleted"], tree[2]["file"]) == (True, None)
        assert len([name for name in package.namelist() if name.endswith(".png")]) == 3
        assert b"Picture 2 was deleted, so nobody can do that any more." in package.read("recipes.txt")


async def test_without_a_scene_or_a_picture(tmp_path: Path) -> None:
    """A sentence each; nothing is sent."""
    async with world(tmp_path) as here:
        nowhere = await here.you.slash(here.channel, "export")
        await here.sketch(candidates=1)
        async with here.store.transaction() as tx:
            for picture_id in (1, 2):
                await here.store.entomb(tx, picture_id, 0.0)
        empty = await here.you.slash(here.thread(), "export")

        assert "There is no Scene here yet." in said(nowhere)
        assert "All pictures of this Scene were deleted." in said(empty)
        assert await zips(empty) == []


async def test_more_than_a_file_may_hold_comes_in_parts(tmp_path: Path) -> None:
    """Each part is a zip of its own that Discord takes; together they have everything."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        for _ in range(2):
            noise = Image.effect_noise((700, 700), 90)
            await keep(here, await here.store.files.put(file_of(noise, "PNG")), Size(700, 700))
        scene = await here.store.scene(1)
        package = await here.bot.chronicle.package(scene, here.you.id, limit=900_000)
        names = [name for data in package.zips for name in zipfile.ZipFile(io.BytesIO(data)).namelist()]

        assert len(package.zips) == 2
        assert all(len(data) <= 900_000 for data in package.zips)
        assert "It is in 2 parts" in package.sentence
        assert len([name for name in names if name.startswith("00")]) == 4


async def test_far_too_much_keeps_ones_own_way_and_the_newest(tmp_path: Path) -> None:
    """What was left out is counted; the way to one's current picture is not torn."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=4)
        scene = await here.store.scene(1)
        await here.you.click(here.cards()[0], custom_id="art:pick:1:1")
        pictures = [shown.picture for shown in await here.store.history(1)]
        sizes = [len(await here.store.files.get(picture.file)) for picture in pictures]
        small = Chronicle(here.store, most_exported=sum(sizes[:2]) + sizes[4] + 2000)
        package = await small.package(scene, here.you.id, limit=9 * 2**20)
        (data,) = package.zips

        assert list(tree_in(zipfile.ZipFile(io.BytesIO(data)))) == [1, 2, 5]
        assert "2 of 5 pictures" in package.sentence
