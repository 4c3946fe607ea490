"""The way from the first sketch to now, as an animation that can be sent."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from bot.scene.timelapse import LARGEST_SIDE, MOST_SECONDS, timelapse

COLOURS = ("red", "lime", "blue", "yellow")
STRIP = 32


def frames(count: int, size: tuple[int, int] = (96, 64)) -> list[tuple[Image.Image, str]]:
    return [
        (Image.new("RGB", size, COLOURS[number % 4]), f"{number + 1} · refined") for number in range(count)
    ]


def noise(count: int, side: int) -> list[tuple[Image.Image, str]]:
    """The most that a codec can be asked for."""
    generator = np.random.default_rng(7)
    made = (generator.integers(0, 256, (side, side, 3), dtype=np.uint8) for _ in range(count))
    return [(Image.fromarray(pixels), "noise") for pixels in made]


def played(data: bytes) -> list[tuple[Image.Image, int]]:
    """Each picture and how many milliseconds it stays."""
    shown = []
    with Image.open(io.BytesIO(data)) as moving:
        for number in range(getattr(moving, "n_frames", 1)):
            moving.seek(number)
            moving.load()
            shown.append((moving.convert("RGB"), int(moving.info["duration"])))
    return shown


def is_near(picture: Image.Image, colour: str) -> bool:
    wanted = Image.new("RGB", (1, 1), colour).getpixel((0, 0))
    seen = picture.getpixel((picture.width // 2, (picture.height - STRIP) // 2))
    return bool(np.abs(np.subtract(seen, wanted)).max() <= 12)  # type: ignore[arg-type]  # of RGB it is a tuple


@pytest.mark.parametrize("gif", [False, True], ids=["WebP", "GIF"])
def test_pictures_come_in_order(gif: bool) -> None:
    """Each is seen for a while, the first and the last for longer, and what is between them is a short fade."""
    shown = played(timelapse(frames(3), gif=gif))

    held = [(picture, stay) for picture, stay in shown if stay > 100]
    assert [is_near(picture, colour) for (picture, _), colour in zip(held, COLOURS, strict=False)] == [
        True
    ] * 3
    assert not is_near(held[0][0], COLOURS[1])
    assert held[0][1] > held[1][1] < held[2][1]
    assert len(shown) == (3 if gif else 9)


def test_it_starts_again() -> None:
    """In both formats, without an end."""
    for gif in (False, True):
        with Image.open(io.BytesIO(timelapse(frames(2), gif=gif))) as moving:
            assert moving.format == ("GIF" if gif else "WEBP")
            assert moving.info["loop"] == 0


def test_all_frames_have_the_shape_of_the_last() -> None:
    """A picture of another shape is seen whole, with some ground beside it."""
    tall = Image.new("RGB", (40, 160), "red")

    first, *_, last = played(timelapse([(tall, "sketch"), *frames(1)]))

    assert first[0].size == last[0].size == (96, 64 + STRIP)
    assert is_near(first[0], "red")
    assert not is_near(first[0].crop((0, 0, 20, 64 + STRIP)), "red")
    assert is_near(last[0].crop((0, 0, 20, 64 + STRIP)), "red")  # the control: this one is red all over


def test_captions_stand_below_the_picture() -> None:
    """Other words, other pixels; and those only in the strip."""
    ground = Image.new("RGB", (96, 64), "red")
    words, others = (played(timelapse([(ground, caption), (ground, "b")]))[0][0] for caption in ("a", "moon"))

    difference = np.abs(np.asarray(words, np.int64) - np.asarray(others, np.int64)).max(axis=2)
    assert difference[64:].max() > 50
    assert difference[:56].max() <= 12  # WebP spreads a little


@pytest.mark.parametrize("count", [2, 12, 90, 500])
def test_it_takes_a_minute_at_most(count: int) -> None:
    """Many pictures stay shorter, and of very many some are left out; never the last."""
    shown = played(timelapse(frames(count, (24, 16))))

    assert sum(stay for _, stay in shown) <= MOST_SECONDS * 1000
    assert is_near(shown[-1][0], COLOURS[(count - 1) % 4])


@pytest.mark.parametrize("gif", [False, True], ids=["WebP", "GIF"])
def test_it_becomes_smaller_until_it_fits(gif: bool) -> None:
    """Size and quality give way to the limit; with room enough they stay."""
    free, tight = (timelapse(noise(3, 128), gif=gif, limit=limit) for limit in (2**23, 40_000))

    assert len(tight) <= 40_000 < len(free)
    assert played(free)[0][0].size == (128, 128 + STRIP)


def test_large_pictures_are_scaled_down() -> None:
    """To what a phone shows."""
    assert played(timelapse(frames(2, (1600, 900))))[0][0].size == (LARGEST_SIDE, 432 + STRIP)


def test_a_sliver_has_room_for_its_caption() -> None:
    """A line of pixels is no reason to fail."""
    assert played(timelapse(frames(2, (600, 1))))[0][0].width == 600


def test_transparent_parts_show_the_ground() -> None:
    """A Piece among the pictures has no white box round it."""
    piece = Image.new("RGBA", (96, 64), (255, 255, 255, 0))

    first = played(timelapse([(piece, "piece"), *frames(1)]))[0][0]

    assert is_near(first, "#2b2d31")


def test_the_same_frames_are_the_same_bytes() -> None:
    """Nothing of the time or the machine goes into it."""
    assert timelapse(frames(3)) == timelapse(frames(3))
    assert timelapse(frames(3)) != timelapse(frames(4))


@pytest.mark.parametrize("count", [0, 1])
def test_one_picture_does_not_move(count: int) -> None:
    """The caller says that in words."""
    with pytest.raises(ValueError, match="does not move"):
        timelapse(frames(count))


def test_a_limit_that_nothing_meets_is_said() -> None:
    """Rather than to send what would be refused."""
    with pytest.raises(ValueError, match="not even the smallest"):
        timelapse(frames(2), limit=10)
