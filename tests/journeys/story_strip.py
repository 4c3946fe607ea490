"""Makes the README's picture of the story, of all that its journey leaves behind and nothing else:

MOONSKETCH_STORY=FOLDER pytest tests/journeys/test_story.py
python -m tests.journeys.story_strip FOLDER docs/story.webp
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageDraw

from bot.lettering import drawable, font

_COLUMNS, _SIDE, _GAP = 5, 256, 12
_LETTERS, _LINE, _LINES = 16, 20, 4
_PAPER, _INK = "white", (31, 35, 40)


def strip(folder: Path) -> Image.Image:
    """The pictures of a story as they are, row by row, each with what was asked for below it."""
    told = [line.split(": ", 1) for line in (folder / "story.txt").read_text(encoding="utf-8").splitlines()]
    rows = -(-len(told) // _COLUMNS)
    across, down = _SIDE + _GAP, _SIDE + _LINES * _LINE + _GAP
    page = Image.new("RGB", (_COLUMNS * across - _GAP, rows * down - _GAP), _PAPER)
    draw = ImageDraw.Draw(page)
    for number, (file, asked) in enumerate(told):
        left, top = number % _COLUMNS * across, number // _COLUMNS * down
        with Image.open(folder / file) as image:
            shown = image.convert("RGBA")
        page.paste(shown, (left, top), shown)
        for line, words in enumerate(_wrapped(f"{number + 1}. {asked}")):
            place = (left, top + _SIDE + 4 + line * _LINE)
            draw.text(place, words, fill=_INK, font=font(_LETTERS))
    return page


def _wrapped(text: str) -> list[str]:
    """Lines no wider than a picture."""
    lines = [""]
    for word in drawable(text).split():
        longer = f"{lines[-1]} {word}".strip()
        if font(_LETTERS).getlength(longer) <= _SIDE:
            lines[-1] = longer
        else:
            lines.append(word)
    assert len(lines) <= _LINES, text
    return lines


if __name__ == "__main__":
    strip(Path(sys.argv[1])).save(sys.argv[2], "WEBP", quality=90, method=6)
