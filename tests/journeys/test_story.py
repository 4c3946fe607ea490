"""The story that this bot exists for, told once on the real worker with the built-in model.

MOONSKETCH_STORY=FOLDER leaves its pictures in that folder, with what was asked for each in its `story.txt`;
`tests.journeys.story_strip` lays them side by side.
"""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import discord
import numpy as np
import pytest
from PIL import Image, ImageSequence

from bot.store import Job, JobKind, JobState, Picture, PictureKind
from tests.journeys.crude_drawings import earth, moonscape, with_chair_and_umbrella
from tests.journeys.painting import changed, outside, pictures, region_of, stored
from tests.journeys.placing_world import near, place, press, preview
from tests.journeys.test_export import zips
from tests.journeys.test_real_worker import over, real_engine, started
from tests.journeys.test_undo import current, go, words_of
from tests.journeys.world import World, buttons_of, encoded, opened, pictures_of, said, text_of, world

MOON = "the surface of the moon"
EARTH = "the planet earth"
CHAIR = "a chair and a beach umbrella on the moon"
ALL = "a chair and a beach umbrella on the moon, the earth in the background"
SUNSET = "the earth at sunset"

STEPS = 16
"""Of every round but the harmonising one, which takes its usual 50."""


class Story:
    """A world, and an album of what was seen in it."""

    def __init__(self, here: World, folder: Path) -> None:
        self.here = here
        self._folder = folder
        self._lines: list[str] = []

    def keep(self, name: str, image: Image.Image, asked: str) -> None:
        """One more picture of the album, as PNG, named after its place and what it is."""
        file = f"{len(self._lines) + 1:02}-{name}.png"
        image.save(self._folder / file)
        self._lines.append(f"{file}: {asked}\n")
        (self._folder / "story.txt").write_text("".join(self._lines), encoding="utf-8")

    async def keep_all(self, name: str, drawn: list[Picture], asked: str, picked: int) -> list[Image.Image]:
        """All candidates of a card. picked: the number of the one that the story goes on from."""
        images = [await stored(self.here, picture) for picture in drawn]
        for number, image in enumerate(images, 1):
            self.keep(f"{name}-{number}", image, f"{asked}{' (picked)' if number == picked else ''}")
        return images

    async def done(self, job_id: int) -> tuple[Job, discord.Message, list[Picture]]:
        """Wait for it: the job, its card, and what came of it: every picture that was asked for."""
        job = await over(self.here, job_id)
        card = self.here.cards()[-1]
        drawn = await self.here.store.candidates(job_id)

        assert job.state is JobState.POSTED
        assert len(pictures_of(card)) == len(drawn) == len(job.request.seeds)
        return job, card, drawn

    async def pick(self, card: discord.Message, number: int) -> None:
        await self.here.you.click(card, custom_id=buttons_of(card)[str(number)])

    async def reply(self, text: str, to: discord.Message, *files: tuple[str, bytes]) -> None:
        await self.here.you.send(self.here.thread(), text, reply_to=to, attachments=list(files))


async def test_the_whole_story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a crude sketch to a harmonised picture, and back, and elsewhere: by one worker, and no step is lost."""
    folder = Path(os.environ.get("MOONSKETCH_STORY") or tmp_path / "story")
    folder.mkdir(parents=True, exist_ok=True)
    # The worker's threads would wait for each other more than they draw where others use the processor as well.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    async with world(tmp_path, real_engine(tmp_path)) as here:
        pid = await started(here)
        story = Story(here, folder)
        await a_sketch_becomes_a_moonscape(story)
        await an_earth_is_drawn_on_its_own(story)
        composite = await it_is_laid_over_the_moonscape(story)
        painted_on = await what_is_scribbled_onto_that_is_drawn(story, composite)
        harmonised = await all_of_it_gets_one_light(story, painted_on)
        await a_style_is_tried_and_undone(story, harmonised)
        await the_way_is_a_film(story, harmonised)
        await another_branch_grows(story, composite)
        await all_of_it_can_be_taken_home(story)

        assert here.engine.status.worker_pid == pid
        assert pid != os.getpid()


async def a_sketch_becomes_a_moonscape(story: Story) -> None:
    """Two candidates, each with the ground below and the sky above; the one that is picked is gone on from."""
    here, sketch = story.here, moonscape()
    story.keep("sketch", sketch, "drawn by hand")
    file = ("moon.png", encoded(sketch, "PNG"))
    await here.sketch(image=file, prompt=MOON, strength=0.8, steps=STEPS, candidates=2)
    job, card, drawn = await story.done(1)
    await story.pick(card, 2)
    first, second = await story.keep_all("moonscape", drawn, f"/sketch “{MOON}”, strength 0.8", picked=2)

    assert job.request.planned_steps == 12
    assert [picture.parent_id for picture in drawn] == [1, 1]
    assert all(brightness(image, 0, 0.4) < 40 < 100 < brightness(image, 0.65, 1) for image in (first, second))
    assert changed(first, second).mean() > 0.5
    assert await current(here, here.you) == drawn[1].number == 3


async def an_earth_is_drawn_on_its_own(story: Story) -> None:
    """Without what was round it in the file; one stays at the moonscape meanwhile."""
    here, drawing = story.here, earth()
    story.keep("earth-sketch", drawing, "drawn by hand")
    file = ("earth.png", encoded(drawing, "PNG"))
    await here.you.slash(
        here.thread(), "piece", file=file, background="remove", prompt=EARTH, steps=STEPS, candidates=2
    )
    job, card, drawn = await story.done(2)
    await story.pick(card, 2)
    _, one = await story.keep_all("earth", drawn, f"/piece “{EARTH}”, strength 0.6", picked=2)

    assert (job.kind, job.request.strength) == (JobKind.PIECE, 0.6)
    assert [picture.piece for picture in drawn] == ["earth", "earth"]
    assert alpha_at(one, 0.01) == 0
    assert alpha_at(one, 0.5) == 255
    assert await current(here, here.you) == 3


async def it_is_laid_over_the_moonscape(story: Story) -> Picture:
    """As its preview showed it, a nudge below where it was said; beside it not a bit changed, and nothing was drawn."""
    here, base = story.here, (await pictures(story.here))[2]
    answer = await place(here, "earth", at="top right", size=32)
    await press(here, "⬇️")
    shown = await preview(here)
    await press(here, "Place")
    composite = (await pictures(here))[-1]
    before, after = await stored(here, base), await stored(here, composite)
    story.keep("placed", after, "/place earth, at top right, and a press further down")

    assert "“earth” lies on picture 3" in said(answer)
    assert (composite.kind, composite.parent_id) == (PictureKind.COMPOSED, base.id)
    assert near(box_of(changed(before, after)), (0.68, 0.02, 1, 0.34), 0.02)
    assert apart(shown, after) < 3 < apart(shown, before)
    assert await here.store.job(3) is None
    assert await current(here, here.you) == composite.number
    return composite


async def what_is_scribbled_onto_that_is_drawn(story: Story, composite: Picture) -> Picture:
    """A JPEG of the posted file is known for an edited copy: drawn anew is what was painted on it, and only that."""
    here, post = story.here, story.here.cards()[-1]
    (posted,) = post.attachments
    edited = with_chair_and_umbrella(await opened(posted))
    story.keep("painted-over", edited, "painted onto 7 by hand")
    file = ("IMG_0042.jpg", encoded(edited, "JPEG", quality=88))
    await story.reply(f"{CHAIR} --steps {STEPS} --strength 0.6", post, file)
    job, card, drawn = await story.done(3)
    await story.pick(card, 2)
    images = await story.keep_all("repainted", drawn, f"that as a reply: “{CHAIR}”, strength 0.6", picked=2)
    before, kept = await stored(here, composite), outside(await region_of(here, job.request))
    painted = changed(before, with_chair_and_umbrella(before))

    assert f"You painted on picture {composite.number}. Only the part" in text_of(card)
    assert "Whole picture instead" in buttons_of(card)
    assert [picture.parent_id for picture in drawn] == [job.upload_id] * 2
    assert not any(changed(before, image)[kept].any() for image in images)
    assert changed(before, images[0])[painted].mean() > 0.9
    assert kept[painted].mean() < 0.02
    assert kept.mean() > 0.6
    return drawn[1]


async def all_of_it_gets_one_light(story: Story, painted_on: Picture) -> Picture:
    """The pick, and all of it; the card says how many steps that were."""
    here = story.here
    await here.you.slash(here.thread(), "harmonise", what="whole", prompt=ALL)
    job, card, drawn = await story.done(4)
    await story.pick(card, 2)
    _, picked = await story.keep_all("harmonised", drawn, f"/harmonise “{ALL}”, strength 0.7", picked=2)

    assert (job.kind, job.request.mask) == (JobKind.HARMONISE, None)
    assert (job.request.strength, job.request.steps, job.request.planned_steps) == (0.7, 50, 35)
    assert [picture.parent_id for picture in drawn] == [painted_on.id] * 2
    assert "strength 0.7: 35 of 50 steps" in text_of(card)
    assert changed(await stored(here, painted_on), picked).mean() > 0.9
    return drawn[1]


async def a_style_is_tried_and_undone(story: Story, harmonised: Picture) -> None:
    """The style's words go round those of before; a step back is the picture as it was."""
    here = story.here
    await story.reply(f"--style low-poly --strength 0.5 --steps {STEPS} --n 1", here.cards()[-1])
    job, card, drawn = await story.done(5)
    story.keep("restyled", await stored(here, drawn[0]), "reply “--style low-poly”, strength 0.5")
    undone = await go(here, "undo")

    assert (job.request.prompt, job.to_draw.prompt.startswith(f"{ALL}, low poly")) == (ALL, True)
    assert "style low-poly" in text_of(card)
    assert drawn[0].parent_id == harmonised.id
    assert f"You are back at picture {harmonised.number}" in words_of(undone)
    assert await current(here, here.you) == harmonised.number


async def the_way_is_a_film(story: Story, harmonised: Picture) -> None:
    """To where one is: sketch, moonscape, composite, what was painted onto it, what came of that, harmonised."""
    here = story.here
    await here.you.slash(here.thread(), "timelapse")
    post = here.cards()[-1]
    (file,) = post.attachments
    film = await opened(file)
    stays = [frame.copy().info["duration"] for frame in ImageSequence.Iterator(film)]

    assert f"the way from picture 1 to picture {harmonised.number}: 6 pictures" in text_of(post)
    assert film.format == "WEBP"
    assert sum(stay >= 900 for stay in stays) == 6
    assert len(stays) == 6 + 5 * 3  # fades


async def another_branch_grows(story: Story, composite: Picture) -> None:
    """A reply to the older picture goes on from that one."""
    here = story.here
    (post,) = [card for card in here.cards() if "placed onto picture 3" in text_of(card)]
    await story.reply(f"{SUNSET} --strength 0.7 --steps {STEPS} --n 1", post)
    job, _, drawn = await story.done(6)
    story.keep("branch", await stored(here, drawn[0]), f"reply to 7: “{SUNSET}”, strength 0.7")

    assert (job.kind, drawn[0].parent_id) == (JobKind.REPLY, composite.id)
    assert await current(here, here.you) == drawn[0].number


async def all_of_it_can_be_taken_home(story: Story) -> None:
    """Every picture of the story, to the bit as it is stored, and who came of whom."""
    here = story.here
    (package,) = await zips(await here.you.slash(here.thread(), "export"))
    nodes = json.loads(package.read("tree.json"))["pictures"]
    packed = {node["number"]: Image.open(io.BytesIO(package.read(node["file"]))) for node in nodes}
    kept = {picture.number: await stored(here, picture) for picture in await pictures(here)}

    assert [node["parent"] for node in nodes] == [parent for row in THE_TREE for parent in row]
    assert packed.keys() == kept.keys()
    assert all(packed[number].tobytes() == kept[number].tobytes() for number in kept)


THE_TREE: list[list[int | None]] = [
    [None, 1, 1],  # the sketch, the moonscapes
    [None, 4, 4],  # the Earth that was drawn by hand, the Earths
    [3, 7, 8, 8],  # placed, painted over, repainted
    [10, 10, 12],  # harmonised, restyled
    [7],  # the other branch
]
"""The parents of the pictures, in the order of their numbers."""


# Looking at pictures


def brightness(image: Image.Image, top: float, bottom: float) -> float:
    """The mean of a band of it, from 0 to 255. top, bottom: shares of its height."""
    grey = np.asarray(image.convert("L"))
    return float(grey[round(top * len(grey)) : round(bottom * len(grey))].mean())


def alpha_at(image: Image.Image, share: float) -> int:
    """How opaque it is at that share of its width and of its height."""
    return int(np.asarray(image)[round(share * image.height), round(share * image.width), 3])


def box_of(where: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of what is marked, as shares of the picture."""
    rows, columns = np.nonzero(where)
    height, width = where.shape
    return (
        columns.min() / width,
        rows.min() / height,
        (columns.max() + 1) / width,
        (rows.max() + 1) / height,
    )


def apart(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of their channels, from 0 to 255, in the size of the first."""
    scaled = other.resize(one.size, Image.Resampling.LANCZOS)
    return float(np.abs(np.asarray(one, int) - np.asarray(scaled, int)).mean())
