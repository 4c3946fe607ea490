"""Journeys: /edit, which changes a picture's shape without any model."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops

from bot.images import opened
from bot.store import JobKind, Picture, PictureKind
from inference import Size
from tests.journeys.world import World, buttons_of, encoded, pictures_of, said, text_of, world


async def edit(here: World, what: str, who: Any = None, **options: Any) -> Any:
    return await (who or here.you).slash(here.thread(), f"edit {what}", **options)


async def pictures(here: World) -> list[Picture]:
    """Those of the first Scene, by number."""
    return [entry.picture for entry in await here.store.history(1)]


async def seen(here: World, picture: Picture) -> Image.Image:
    return opened(await here.store.files.get(picture.file))


def two_colours() -> bytes:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (200, 100), "red")
    image.paste("blue", (100, 0, 200, 100))
    return encoded(image, "PNG")


async def begin(here: World, data: bytes | None = None) -> None:
    """A Scene whose picture 1 was sent, and whose picture 2 came of it; one's current one is the first."""
    await here.sketch(image=("sketch.png", data or two_colours()), candidates=1)
    await here.bot.doors.go_back(1, 1, here.you.id)


@pytest.mark.parametrize(
    "what, options, size, made",
    [
        ("upscale", {"factor": 2}, Size(400, 200), "2 times as large (400×200)"),
        ("upscale", {"factor": 4}, Size(800, 400), "4 times as large (800×400)"),
        ("crop", {"region": "0,0-50,100%"}, Size(100, 100), "cropped to 100×100"),
        ("extend", {"sides": "left", "share": 50}, Size(300, 100), "extended by 50 % at the left (300×100)"),
        ("extend", {"sides": "all"}, Size(300, 150), "extended by 25 % on all sides (300×150)"),
        ("rotate", {"degrees": 90}, Size(100, 200), "turned by 90°"),
        ("flip", {}, Size(200, 100), "mirrored left to right"),
        ("flip", {"direction": "top to bottom"}, Size(200, 100), "mirrored top to bottom"),
    ],
)
async def test_every_change_makes_a_picture_to_go_on_from(
    tmp_path: Path, what: str, options: dict[str, Any], size: Size, made: str
) -> None:
    """It joins the tree, is one's current one, and is posted; no model draws, and nobody waits in line."""
    async with world(tmp_path) as here:
        await begin(here)
        answer = await edit(here, what, **options)
        before, _, after = await pictures(here)
        current = await here.store.current_picture(1, here.you.id)
        post = here.cards()[-1]

        assert (after.kind, after.parent_id, after.size) == (PictureKind.SHAPED, before.id, size)
        assert after.made == made
        assert current == after
        assert text_of(post) == f"Picture 3: picture 1, {made}. Reply to this message to go on from it."
        assert [file.filename for file in post.attachments] == ["moonsketch-picture-3.png"]
        assert "Picture 3 is the newest message here" in said(answer)
        assert answer.ephemeral
        assert len(here.fake.requests) == 1


async def test_what_a_change_shows(tmp_path: Path) -> None:
    """Mirrored, the blue half is on the left; cropped to the right half, all is blue."""
    async with world(tmp_path) as here:
        await begin(here)
        await edit(here, "flip")
        await edit(here, "crop", region="0,0-50,100%")
        mirrored, cropped = [await seen(here, picture) for picture in (await pictures(here))[2:]]

        assert [mirrored.getpixel((x, 50)) for x in (20, 180)] == [(0, 0, 255), (255, 0, 0)]
        assert cropped.getcolors() == [(100 * 100, (0, 0, 255))]


async def test_a_picture_is_named_by_its_number(tmp_path: Path) -> None:
    """Else it is one's current one."""
    async with world(tmp_path) as here:
        await begin(here)
        await edit(here, "flip", picture=2)
        await edit(here, "upscale", factor=2)
        first, second, mirrored, larger = await pictures(here)

        assert (mirrored.parent_id, larger.parent_id) == (second.id, mirrored.id)
        assert first.parent_id is None


async def test_replying_goes_on_with_the_words_and_style_of_before(tmp_path: Path) -> None:
    """What was cropped is still a picture of the same; with words of its own a reply says something else."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1, style="crayon", steps=20)
        await edit(here, "crop", region="top left")
        post = here.cards()[-1]
        await here.you.send(here.thread(), "--strength 0.3", reply_to=post)
        await here.you.send(here.thread(), "at night", reply_to=post)
        first, kept, changed = here.fake.requests
        cropped = (await pictures(here))[2]

        assert (kept.prompt, kept.steps, kept.strength) == (first.prompt, 20, 0.3)
        assert changed.prompt.startswith("at night, a crayon drawing")
        assert kept.init is not None
        assert kept.init.ref == cropped.file


async def test_room_round_a_picture_can_be_filled(tmp_path: Path) -> None:
    """The button has the new part drawn with the words of before; the old one stays to the bit, but for its seam."""
    async with world(tmp_path) as here:
        await begin(here)
        await edit(here, "extend", picture=2, sides="left", share=50)
        post = here.cards()[-1]
        answer = await here.you.click(post, custom_id=buttons_of(post)["Fill the new part"])
        extended, *filled = (await pictures(here))[2:]
        before, after = await seen(here, extended), await seen(here, filled[0])
        job = await here.store.job(2)
        request = here.fake.requests[1]
        width = extended.width // 3
        touched = ImageChops.difference(before, after).getbbox()

        assert "You are next" in said(answer) or "I am on it" in said(answer)
        assert job is not None
        assert job.kind is JobKind.REPAINT
        assert (request.prompt, request.strength) == ("the surface of the moon", 0.9)
        assert request.mask is not None
        assert touched is not None
        assert touched[0] == 0
        assert width <= touched[2] <= width + (extended.width - width) // 64 + 1
        assert "Fills what is new in picture 3." in text_of(here.cards()[-1])


async def test_an_uploaded_picture_is_filled_with_the_words_that_came_with_it(tmp_path: Path) -> None:
    """Nobody has to say again what it shows. After a restart too."""
    async with world(tmp_path) as here:
        await begin(here)
        await edit(here, "flip")
        await edit(here, "extend", sides="all", share=30)
        await here.restart()
        post = here.cards()[-1]
        await here.you.click(post, custom_id=buttons_of(post)["Fill the new part"])

        assert here.fake.requests[-1].prompt == "the surface of the moon"
        assert here.fake.requests[-1].mask is not None


async def test_a_deleted_sketch_leaves_no_words_to_fill_with(tmp_path: Path) -> None:
    """The answer says how to name them."""
    async with world(tmp_path) as here:
        await begin(here)
        await edit(here, "extend", sides="top")
        async with here.store.transaction() as tx:
            await here.store.delete_job(tx, 1, 0.0)
        post = here.cards()[-1]
        answer = await here.you.click(post, custom_id=buttons_of(post)["Fill the new part"])

        assert "`/repaint`" in said(answer)
        assert len(here.fake.requests) == 1


async def test_compare_is_for_oneself(tmp_path: Path) -> None:
    """Two files, private: side by side, and an animation of two frames. Nothing joins the Scene."""
    async with world(tmp_path) as here:
        await begin(here)
        answer = await edit(here, "compare", **{"with": 2})
        message = answer.followups[-1] if answer.followups else answer.response
        files = [Image.open(io.BytesIO(await file.read())) for file in message.attachments]

        assert message.ephemeral
        assert "Pictures 1 and 2" in said(answer)
        assert [file.format for file in files] == ["PNG", "WEBP"]
        assert files[0].width > files[0].height
        assert getattr(files[1], "n_frames", 1) == 2
        assert len(await pictures(here)) == 2


async def test_crop_without_a_part_shows_the_grid(tmp_path: Path) -> None:
    """Privately, so that a part can be named."""
    async with world(tmp_path) as here:
        await begin(here)
        answer = await edit(here, "crop")
        message = answer.followups[-1] if answer.followups else answer.response

        assert "Name the part to keep" in said(answer)
        assert [file.filename for file in message.attachments] == ["grid-of-1.webp"]
        assert len(await pictures(here)) == 2


@pytest.mark.parametrize(
    "what, options, sentence",
    [
        ("crop", {"region": "Z99"}, "`Z99` lies outside the picture"),
        ("crop", {"region": "everywhere"}, "I don't know the place"),
        ("crop", {"region": "0,0-100,100%"}, "That is the whole picture"),
        ("crop", {"region": "0,0-1,1%"}, "it needs"),
        ("extend", {"sides": "left", "share": 0}, "grows by 5% to 100%"),
        ("extend", {"sides": "left", "share": 1000}, "grows by 5% to 100%"),
        ("extend", {"sides": "left", "share": -20}, "grows by 5% to 100%"),
        ("rotate", {"degrees": 360.0}, "looks as before"),
        ("flip", {"picture": 99}, "no picture 99"),
        ("compare", {"with": 1}, "Both are picture 1"),
        ("compare", {"with": 99}, "no picture 99"),
    ],
)
async def test_what_cannot_be_done_changes_nothing(
    tmp_path: Path, what: str, options: dict[str, Any], sentence: str
) -> None:
    """A private sentence; the Scene and one's current picture stay."""
    async with world(tmp_path) as here:
        await begin(here)
        answer = await edit(here, what, **options)
        current = await here.store.current_picture(1, here.you.id)

        assert sentence.lower() in said(answer).lower()
        assert answer.ephemeral
        assert len(await pictures(here)) == 2
        assert current is not None
        assert current.number == 1
        assert len(here.cards()) == 1


async def test_a_picture_is_enlarged_only_so_far(tmp_path: Path) -> None:
    """At 4096 pixels it ends."""
    async with world(tmp_path) as here:
        await begin(here, encoded(Image.new("RGB", (1100, 400)), "PNG"))
        too_far = await edit(here, "upscale", factor=4)
        await edit(here, "upscale", factor=2)

        assert "4400×1600" in said(too_far)
        assert "4096" in said(too_far)
        assert [picture.width for picture in await pictures(here)] == [1100, 880, 2200]


async def test_a_picture_too_heavy_for_discord_is_shown_as_a_lighter_file(tmp_path: Path) -> None:
    """Nothing of the picture itself is lost, and what is made of it is shown likewise."""
    noise = Image.frombytes("RGB", (1024, 1024), random.Random(1).randbytes(3 * 1024 * 1024))
    async with world(tmp_path) as here:
        await begin(here, encoded(noise, "PNG"))
        await edit(here, "upscale", factor=2)
        post = here.cards()[-1]
        larger = (await pictures(here))[-1]
        await here.you.slash(here.thread(), "repaint", prompt="a dog", region="B2", candidates=1)
        shown = [*post.attachments, *pictures_of(here.cards()[-1])]

        assert larger.size == Size(2048, 2048)
        assert len(await here.store.files.get(larger.file)) > 10 * 2**20
        assert [file.filename for file in shown] == ["moonsketch-picture-3.webp", "moonsketch-2-1.webp"]
        assert all(file.size <= 10 * 2**20 for file in shown)


async def test_where_there_is_nothing_yet(tmp_path: Path) -> None:
    """The answer says how to begin."""
    async with world(tmp_path) as here:
        for what, options in (("flip", {}), ("compare", {"with": 1}), ("crop", {})):
            answer = await here.you.slash(here.channel, f"edit {what}", **options)

            assert "There is no Scene here yet" in said(answer)


async def test_pictures_kept_for_oneself(tmp_path: Path) -> None:
    """Others look at them, and change their own."""
    async with world(tmp_path) as here:
        await begin(here)
        await here.you.slash(here.channel, "share", who="mine")
        answer = await edit(here, "flip", here.other, picture=1)
        looked = await edit(here, "compare", here.other, **{"picture": 1, "with": 2})

        assert "who keeps it for themselves" in said(answer)
        assert "Pictures 1 and 2" in said(looked)
        assert len(await pictures(here)) == 2


async def test_a_change_shows_where_its_scene_is_held(tmp_path: Path) -> None:
    """Asked for in the channel, where the Scene of one's last picture was begun, it links to the thread."""
    async with world(tmp_path) as here:
        await begin(here)
        answer = await here.you.slash(here.channel, "edit flip")
        post = here.cards()[-1]

        assert post.channel.id == here.thread().id
        assert post.jump_url in said(answer)


async def test_a_deleted_picture_is_not_changed(tmp_path: Path) -> None:
    """Its number stays, but there is nothing behind it."""
    async with world(tmp_path) as here:
        await begin(here)
        async with here.store.transaction() as tx:
            await here.store.entomb(tx, 2, 0.0)
        answer = await edit(here, "flip", picture=2)

        assert "was deleted" in said(answer)
