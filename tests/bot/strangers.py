"""What strangers type: five hundred strings that a chat has to survive, the same ones on every run."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Final

CANARY: Final = "zebrafinch"
"""A word in every one of them; a log that holds it holds somebody's words."""

COUNT: Final = 500

_LONGEST = 4000
"""What Discord lets people with Nitro write in one message."""


def _around(mark: str) -> str:
    return f"{mark}{CANARY}{mark}"


_MENTIONS = (
    "@everyone",
    "@here",
    "<@123456789012345678>",
    "<@!123456789012345678>",
    "<@&123456789012345678>",
)
_REFERENCES = ("<#123456789012345678>", "</sketch:123456789012345678>", "<id:customize>", "<t:1700000000:R>")
_EMOJI = (
    "<:blob:123456789012345678>",
    "<a:blob:123456789012345678>",
    ":smile:",
    "\U0001f468\u200d\U0001f680",
)
_ADDRESSES = (
    "https://example.org/x",
    "<https://example.org>",
    "[a moon](https://example.org)",
    "[a moon](<https://example.org>)",
    "discord.gg/abcdef",
    "https://discord.gg/abcdef",
    "discord.com/invite/abcdef",
    "steam://run/1",
    "javascript:alert(1)",
    "http://127.0.0.1:80/",
)
_MARKDOWN = tuple(map(_around, ("*", "**", "***", "_", "__", "~~", "||", "`", "``", "```")))
_BLOCKS = (
    "# big",
    "## big",
    "### big",
    "-# small",
    "> quoted",
    ">>> all quoted",
    "- item",
    "* item",
    "+ item",
    "1. item",
)
_FENCES = (
    f"```py\n{CANARY}\n```",
    "```ansi\n\x1b[2;31mred\x1b[0m\n```",
    "```",
    "``````",
    "`` ` ``",
    "\\`",
    "\\\\*a\\*",
)
_ANSI = ("\x1b[31mred\x1b[0m", "\x1b[2J\x1b[H", "\x1b]0;title\x07", "\x9b31m", "\r\x1b[K", "\x08\x08\x08")
_LINES = (
    "\n2026-01-01T00:00:00Z [info     ] accepted job=1",
    "\r\n[error] forged",
    "\u2028forged",
    "\x85forged",
    "\x0bup",
)
_CONTROL = ("\x00", "a\x00b", "\x01\x02\x7f", "\x80\x90\x9f", "\x1c\x1d\x1e\x1f")
_BIDI = (
    "\u202etfel\u202c",
    "\u2066a\u2069",
    "\u200fb\u200e",
    "\u061cc",
    "\u202a\u202b\u202d",
    "\u2067\u2068",
)
_ZERO_WIDTH = (
    "z\u200be\u200br\u200bo",
    "\u200b" * 30,
    "\u2060\ufeff\u00ad",
    "@\u200beveryone",
    "\u180e",
    "\u2063",
)
_TOWERS = (
    "a" + "\u0301" * 60,
    "Z\u0351\u036b\u0343\u0337" * 40,
    "\u0489" * 50,
    "o\u20dd\u0338\u0338\u0338\u0338\u0338",
)
_SURROGATES = ("\ud800", "\udfff", "a\ud83db", "\udc00\ud800")
_RTL = ("ירח כחול", "القمر فوق الشاطئ", "ﷺ" * 20, "שלום hello عالم")
_LETTERS = (
    "Ａ＠ｅｖｅｒｙｏｎｅ",
    "@еveryone",
    "＜@123＞",
    "月の上の椅子",
    "ㅤ",
    "\u2800\u2800",
    "🏳️\u200d🌈",
    "\U000e0041\U000e007f",
)
_ODD = (
    "",
    "   ",
    "\t\n ",
    ".",
    "-",
    "--",
    "%s %n %d",
    "{0} {prompt}",
    "${jndi:x}",
    "'; DROP TABLE job; --",
    "<b>x</b>",
)
_FLAGS = (
    "--strength",
    "—steps 40",
    "--nonsense 1",
    "--no",
    "--seed 7 --seed 8",
    "--model @everyone",
    "--steps=٣",
)


def _long(chance: random.Random) -> str:
    return chance.choice(["x", "W", "\U0001f319", "ab ", "@everyone ", "* ", "\\", "ל", "月"]) * _LONGEST


KINDS: Final[dict[str, tuple[str, ...]]] = {
    "mentions": _MENTIONS,
    "references": _REFERENCES,
    "emoji": _EMOJI,
    "addresses": _ADDRESSES,
    "markdown": _MARKDOWN,
    "blocks": _BLOCKS,
    "fences": _FENCES,
    "terminal escapes": _ANSI,
    "line breaks": _LINES,
    "control characters": _CONTROL,
    "reading direction": _BIDI,
    "zero width": _ZERO_WIDTH,
    "towers": _TOWERS,
    "halves of characters": _SURROGATES,
    "right to left": _RTL,
    "look-alikes": _LETTERS,
    "odd words": _ODD,
    "flags": _FLAGS,
}

_SHAPES: Final[tuple[Callable[[str], str], ...]] = (
    lambda words: f"{words} {CANARY}",
    lambda words: f"{CANARY} {words}",
    lambda words: f"{words}{CANARY}{words}",
    lambda words: f"a {words} b\n{words} {CANARY}",
    lambda words: f"**{words}** {CANARY}",
)


def strings() -> tuple[str, ...]:
    """Every kind in every shape, then mixtures and a few very long ones, until there are enough; all different."""
    chance = random.Random(20)
    made = dict.fromkeys(shape(words) for kind in KINDS.values() for words in kind for shape in _SHAPES)
    chosen = chance.sample(list(made), COUNT - 100)
    longest = [f"{CANARY} {_long(chance)}"[:_LONGEST] for _ in range(10)]
    everything = [words for kind in KINDS.values() for words in kind]
    while len({*chosen, *longest}) < COUNT:
        mixture = "".join(chance.sample(everything, chance.randint(2, 12)))
        chosen.append(f"{mixture} {CANARY}")
    return tuple(dict.fromkeys([*chosen, *longest]))


STRINGS: Final = strings()


_DANGERS: Final = {
    "a mention of all": r"(?<!\\)@(everyone|here)",
    "a mention, emoji, command or time": r"(?<!\\)<(?=@|#|a?:|t:|id:|/)",
    "an address": r"(?<!\\):(?=//|\\?/)|javascript:",
    "an invitation": r"discord(\.gg|\.com/invite)/",
    "a masked link": r"(?<!\\)\]\(",
    "a heading or quotation": r"(?m)^\s*(#{1,3}|>|>>>|-#) ",
    "a hidden or fenced part": r"(?<!\\)(\|\||```)",
    "a control character": r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]",
    "another reading direction": r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]",
    "a tower": r"[\u0300-\u036f\u0483-\u0489\u20d0-\u20ff]{5}",
}

VISIBLE: Final = frozenset({"a control character", "another reading direction", "a tower"})
"""Those that do harm where nothing is formatted as well."""


def dangers(shown: str) -> list[str]:
    """What of a message would have an effect, or not look like what it is, in a chat."""
    return [name for name, pattern in _DANGERS.items() if re.search(pattern, shown)]
