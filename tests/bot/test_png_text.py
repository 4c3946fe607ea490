"""The text chunk of a PNG goes in and comes out without touching a pixel."""

from __future__ import annotations

import io
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bot.png_text import LONGEST, text_of, with_text
from tests.bot.pictures import chunk, file_of, halves, raw_png, rows

PNG = file_of(halves("red", "blue"), "PNG")
plain = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.just("\n"), max_size=300)


@given(text=plain)
@example("a moon\nSteps: 30")
@example("ä moon")
@example("月 😀")
def test_what_goes_in_comes_out(text: str) -> None:
    """With our own reader and with Pillow's alike."""
    written = with_text(PNG, text)

    image = Image.open(io.BytesIO(written), formats=("PNG",))
    image.load()
    assert text_of(written) == text
    assert str(image.info["parameters"]) == text
    assert text_of(PNG) is None


@pytest.mark.parametrize("text, name", [("ä moon", b"tEXt"), ("月", b"iTXt")])
def test_only_bytes_are_added(text: str, name: bytes) -> None:
    """Behind the header, in the plainest chunk that can hold the text; all others stay as they are."""
    written = with_text(PNG, text)

    added = len(written) - len(PNG)
    assert written[37:41] == name
    assert written[:33] + written[33 + added :] == PNG


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("text", ["a moon", "月"])
def test_chunks_that_pillow_writes_are_found(text: str, packed: bool) -> None:
    """As the web UI does; one that is compressed is left alone, whatever it would unpack to."""
    info = PngInfo()
    info.add_text("Comment", "no")
    info.add_text("parameters", text, zip=packed)

    assert text_of(file_of(halves("red", "blue"), "PNG", pnginfo=info)) == (None if packed else text)


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param(chunk(b"tEXt", b"parameters"), id="nothing behind the keyword"),
        pytest.param(chunk(b"iTXt", b"parameters\0"), id="no flags"),
        pytest.param(chunk(b"iTXt", b"parameters\0\0\0en"), id="no text"),
        pytest.param(chunk(b"iTXt", b"parameters\0\1\0\0\0" + zlib.compress(bytes(2**24))), id="a bomb"),
        pytest.param(chunk(b"zTXt", b"parameters\0\0" + zlib.compress(bytes(2**24))), id="an older bomb"),
        pytest.param(chunk(b"tEXt", b"Parameters\0a"), id="another keyword"),
        pytest.param(b"\xff\xff\xff\xfftEXtparameters\0a", id="a length behind the end"),
    ],
)
def test_odd_chunks_say_nothing(extra: bytes) -> None:
    """Neither an error nor a text; beside them the control, which does say something."""
    png = raw_png(8, 8, rows(8, 8), extra)

    assert text_of(png) is None
    assert text_of(with_text(png, "a")) == "a"


@given(data=st.binary(max_size=200))
def test_no_bytes_make_it_raise(data: bytes) -> None:
    """Whatever follows the signature, or does not."""
    assert text_of(data) is None
    assert text_of(PNG[:8] + data) is None or b"parameters" in data


def test_a_text_has_an_end() -> None:
    """What is longer is cut, on the way in as on the way out; marks that nobody can read are dropped."""
    longer = raw_png(8, 8, rows(8, 8), chunk(b"tEXt", b"parameters\0" + b"a" * (LONGEST + 1)))

    assert text_of(longer) == "a" * LONGEST
    assert text_of(with_text(PNG, "月" * (LONGEST + 1))) == "月" * LONGEST
    assert text_of(with_text(PNG, "a\0b\x1b\ud800c月")) == "abc月"


@pytest.mark.parametrize("data", [b"", file_of(halves("red", "blue"), "JPEG"), PNG[:12]])
def test_only_a_png_takes_a_text(data: bytes) -> None:
    """Anything else is the caller's mistake."""
    with pytest.raises(ValueError, match="not a PNG"):
        with_text(data, "a moon")
