"""What was found: one line each."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Level(StrEnum):
    """note: good to know, the bot works all the same. mend: with this the bot does not work as it should."""

    OK = "ok"
    NOTE = "note"
    MEND = "MEND"


class Finding(msgspec.Struct, frozen=True):
    """advice: what to do about it, a line each; empty where there is nothing to do."""

    topic: str
    level: Level
    sentence: str
    advice: str = ""


def ok(topic: str, sentence: str) -> Finding:
    return Finding(topic, Level.OK, sentence)


def note(topic: str, sentence: str, advice: str = "") -> Finding:
    return Finding(topic, Level.NOTE, sentence, advice)


def mend(topic: str, sentence: str, advice: str) -> Finding:
    return Finding(topic, Level.MEND, sentence, advice)


def gigabytes(count: float) -> str:
    return f"{count / 1e9:.1f} GB"
