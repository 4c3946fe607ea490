"""How long something is to hold, as people type it: `30m`, `2 hours`, `1d 12h`, `a week`, `forever`."""

from __future__ import annotations

import re

from bot import texts
from bot.errors import BadOption

FOREVER = frozenset({"forever", "for ever", "always", "permanent", "permanently", "for good"})
LONGEST_DAYS = 365

_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_UNIT = {
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("h", "hour", "hours"), "h"),
    **dict.fromkeys(("d", "day", "days"), "d"),
    **dict.fromkeys(("w", "week", "weeks"), "w"),
}
_PART = re.compile(
    r"(?:(?P<number>[0-9]{1,7})\s*|(?P<one>an?|one)\s+)(?P<unit>[a-z]+)(?:\s+|,\s*|$|(?=[0-9]))"
)


def seconds_of(text: str) -> float | None:
    """None: without an end. Raises BadOption for what is no time, for none at all and for more than a year."""
    typed = " ".join(text.lower().split())
    if typed in FOREVER:
        return None
    total, at = 0, 0
    while at < len(typed):
        part = _PART.match(typed, at)
        if part is None or part["unit"] not in _UNIT:
            raise BadOption(texts.not_a_duration(text))
        total += int(part["number"] or 1) * _SECONDS[_UNIT[part["unit"]]]
        at = part.end()
    if not 0 < total <= LONGEST_DAYS * _SECONDS["d"]:
        raise BadOption(texts.not_a_duration(text))
    return float(total)
