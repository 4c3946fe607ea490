"""What a person takes home: everything of the Scene that is theirs to have, in files that can be sent."""

from __future__ import annotations

import io
import json
import time
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from PIL import Image

from bot.scene.export import Entry, export
from tests.bot.pictures import file_of, halves
from tests.bot.records import NOW, from_pixels, request

PNG = file_of(halves("red", "blue"), "PNG")


def entry(number: int, **changes: object) -> Entry:
    made = Entry(number=number, parent=number - 1 or None, kind="sketch", png=PNG, created_at=NOW + number)
    return structs.replace(made, **changes)


def opened(data: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(data))


def names(data: bytes) -> list[str]:
    return opened(data).namelist()


def noise(side: int) -> bytes:
    generator = np.random.default_rng(7)
    return file_of(Image.fromarray(generator.integers(0, 256, (side, side, 3), dtype=np.uint8)), "PNG")


def wasteful(side: int) -> bytes:
    """A large PNG of a picture that a better codec packs to nothing."""
    return file_of(Image.new("RGB", (side, side), "red"), "PNG", compress_level=0)


def test_pictures_come_as_they_are() -> None:
    """Byte for byte, under names that sort and say what they are."""
    made = export([entry(2, kind="Strong change…"), entry(1)], "the moon")

    (packed,) = map(opened, made.zips)
    assert packed.testzip() is None
    assert packed.namelist() == ["tree.json", "index.html", "001-sketch.png", "002-strong-change.png"]
    assert packed.read("001-sketch.png") == PNG
    assert made.sentence == ""


def test_the_tree_is_told_to_programs() -> None:
    """Numbers, parents, times and requests; of people only which pictures are one's own."""
    asked = request(init=from_pixels())
    entries = [
        entry(1, mine=True, request=asked, sample=1, model_version="f00d"),
        entry(2, png=None),
        entry(3, parent=1),
    ]

    tree = json.loads(opened(export(entries, "the “moon”").zips[0]).read("tree.json"))

    first, second, third = tree["pictures"]
    assert tree["title"] == "the “moon”"
    assert first["recipe"]["request"]["prompt"] == asked.prompt
    assert (first["recipe"]["sample"], first["recipe"]["model_version"]) == (1, "f00d")
    assert (first["mine"], first["created"]) == (True, "2025-06-15T15:06:41+00:00")
    assert (second["file"], second["deleted"], second["parent"]) == (None, True, 1)
    assert (third["file"], third["recipe"], third["mine"]) == ("003-sketch.png", None, False)


def test_recipes_are_told_to_people() -> None:
    """The commands as they were given; what has none is not in the list."""
    made = export([entry(1, command="/sketch prompt: a moon"), entry(2)], "the moon")

    assert opened(made.zips[0]).read("recipes.txt").decode() == "001 sketch\n/sketch prompt: a moon\n"


def test_the_page_shows_every_picture() -> None:
    """With a link to where each came from, and a word where there is none to show."""
    page = opened(export([entry(1), entry(2, png=None)], "the moon").zips[0]).read("index.html").decode()

    assert '<img src="001-sketch.png"' in page
    assert '<a href="#1">from 1</a>' in page
    assert "This picture was deleted." in page


@given(words=st.text(st.sampled_from("<>&\"'=/ax"), min_size=1, max_size=20))
def test_what_people_wrote_is_only_words_on_the_page(words: str) -> None:
    """The page has the same tags and attributes, whatever a title, a kind or a prompt says."""
    page, control = (
        opened(export([entry(1, kind=said, command=said)], said).zips[0]).read("index.html").decode()
        for said in (words, "x")
    )

    assert page.count("<") == control.count("<")
    assert page.count(">") == control.count(">")
    assert page.count("<script") == 0


def test_equal_entries_make_equal_bytes() -> None:
    """In whatever order and at whatever time; time stamps are those of the pictures."""
    entries = [entry(1), entry(2)]

    first, second = export(entries, "the moon"), export(entries[::-1], "the moon")

    packed = opened(first.zips[0])
    assert first == second
    assert first != export([entry(1), entry(3)], "the moon")
    assert packed.getinfo("002-sketch.png").date_time == time.gmtime(NOW + 2)[:6]
    assert packed.getinfo("tree.json").date_time == time.gmtime(NOW + 2)[:6]


@pytest.mark.parametrize("created_at, year", [(0.0, 1980), (1e10, 2107)])
def test_times_that_a_zip_cannot_say(created_at: float, year: int) -> None:
    """Are moved to the nearest year that it can."""
    made = export([entry(1, created_at=created_at)], "the moon")

    assert opened(made.zips[0]).getinfo("001-sketch.png").date_time[0] == year


@given(sides=st.lists(st.integers(1, 60), min_size=1, max_size=12), limit=st.integers(16_000, 40_000))
def test_parts_stay_within_the_limit(sides: list[int], limit: int) -> None:
    """Each of them, to the byte; together they hold every file once and in order."""
    entries = [entry(number, png=noise(side)) for number, side in enumerate(sides, 1)]

    made = export(entries, "the moon", limit=limit)

    assert all(len(part) <= limit for part in made.zips)
    together = [name for part in made.zips for name in names(part)]
    assert together[2:] == [f"{number:03}-sketch.png" for number in range(1, len(sides) + 1)]
    assert ("parts" in made.sentence) == (len(made.zips) > 1)


def test_no_part_is_begun_before_it_must_be() -> None:
    """What fits to the last byte is one zip; with a byte less it is two."""
    size = len(export([entry(1), entry(2)], "the moon").zips[0])

    exact, less = (export([entry(1), entry(2)], "the moon", limit=limit) for limit in (size, size - 1))

    assert [len(part) for part in exact.zips] == [size]
    assert [names(part)[-1] for part in less.zips] == ["001-sketch.png", "002-sketch.png"]


def test_a_picture_that_is_too_large_becomes_webp() -> None:
    """Of the same pixels, those that are transparent included; the person is told."""
    fading = Image.new("RGBA", (200, 200), (7, 8, 9, 0))
    large = file_of(fading, "PNG", compress_level=0)

    made = export([entry(1), entry(2, png=large)], "the moon", limit=20_000)

    packed = opened(made.zips[0])
    again = Image.open(io.BytesIO(packed.read("002-sketch.webp")))
    assert again.tobytes() == fading.tobytes()
    assert "002-sketch.webp" in packed.read("tree.json").decode()
    assert made.sentence == "To fit, picture 2 is WebP instead of PNG, without any loss."


def test_a_picture_that_is_still_too_large_is_named() -> None:
    """Everything else comes along, and the page says what is missing."""
    made = export([entry(1), entry(2, png=noise(100)), entry(3, png=wasteful(100))], "the moon", limit=20_000)

    assert [name for part in made.zips for name in names(part)][2:] == ["001-sketch.png", "003-sketch.webp"]
    assert made.sentence.endswith("Too large to send: picture 2.")
    assert "too large to come along" in opened(made.zips[0]).read("index.html").decode()


def test_nothing_is_no_export() -> None:
    """And neither is a limit under which not even the texts fit: the caller says so in words."""
    with pytest.raises(ValueError, match="nothing to export"):
        export([], "the moon")
    with pytest.raises(ValueError, match="larger than a zip"):
        export([entry(1)], "the moon", limit=500)


def test_odd_names_are_names_that_every_system_takes() -> None:
    """No slashes, no dots that lead upwards, no letters that a file system changes."""
    made = export([entry(1, kind="../../Ä/x"), entry(1234, kind="月")], "the moon")

    assert names(made.zips[0])[2:] == ["001-x.png", "1234-picture.png"]
