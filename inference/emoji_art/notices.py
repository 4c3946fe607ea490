"""The notices that go wherever the weights go: whose art they learned from, and under which terms.

Whether weights are a work derived from what they were trained on is not settled. These were trained on few drawings
each seen many times, so they are treated as if they were. `licences/` holds the texts as their owners publish them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inference.emoji_art.art import PACKAGES, SETS, Package

FILE = "THIRD_PARTY_NOTICES"

_LICENCES = Path(__file__).parent / "licences"
_RULE = "-" * 80


@dataclass(frozen=True)
class _Work:
    """Somebody's work that is in the weights. notice: its copyright line. licence: an SPDX id."""

    title: str
    notice: str
    licence: str
    source: str
    used: str


def third_party_notices(packages: Sequence[Package] = PACKAGES) -> str:
    """The whole text. Raises OSError if a licence text is missing."""
    versions = {package.set: f"{package.name} {package.version}" for package in packages}
    works = _works(versions)
    parts = [_INTRODUCTION, *(_notice(work) for work in works)]
    parts += [_licence(name) for name in dict.fromkeys(work.licence for work in works) if name != "MIT"]
    return f"\n{_RULE}\n\n".join(parts)


def _works(versions: dict[str, str]) -> tuple[_Work, ...]:
    pictures = "Changed: cropped, scaled, composed into scenes and drawn over, and used to train the weights."
    return (
        _Work(
            "Fluent Emoji, in 3D and flat",
            "Copyright (c) Microsoft Corporation",
            "MIT",
            f"https://github.com/microsoft/fluentui-emoji, by way of {versions['3d']} and {versions['flat']} (npm)",
            pictures,
        ),
        _Work(
            "@lobehub/fluent-emoji-3d, the packaging of the 3D art",
            "Copyright (c) 2023 LobeHub",
            "MIT",
            "https://github.com/lobehub/fluent-emoji",
            "Its pictures are Microsoft's, above.",
        ),
        _Work(
            "Noto Emoji",
            "Copyright 2013 Google, Inc. All Rights Reserved.",
            "Apache-2.0",
            f"https://github.com/googlefonts/noto-emoji, by way of {versions['cartoon']} (npm)",
            f"Changed: rasterised. {pictures} The package has no NOTICE file.",
        ),
        _Work(
            "emojibase-data 17.0.0",
            "Copyright (c) 2017-2019 Miles Johnson",
            "MIT",
            "https://github.com/milesj/emojibase",
            "Some names of things and their other names were chosen with its help.",
        ),
        _Work(
            "Unicode CLDR short names",
            "Copyright © 1991-2026 Unicode, Inc.",
            "Unicode-3.0",
            "https://cldr.unicode.org, by way of emojibase-data",
            "Some names of things are these. Changed: chosen, shortened, put into the singular.",
        ),
    )


_INTRODUCTION = """\
THIRD-PARTY NOTICES

The model in this folder was trained by the Moonsketch project from nothing but the works below. It can draw pictures
that closely resemble them. Keep this file with the weights, and with collections of pictures made by them.
"""


def _notice(work: _Work) -> str:
    lines = [work.title, work.source, work.used, f"Licence: {work.licence}", "", work.notice]
    terms = _read("MIT") if work.licence == "MIT" else "The licence's text stands at the end of this file.\n"
    return "\n".join(lines) + "\n\n" + terms


def _licence(name: str) -> str:
    return f"{name}\n\n{_read(name)}"


def _read(name: str) -> str:
    return (_LICENCES / f"{name}.txt").read_text("utf-8")


def trained_on(packages: Sequence[Package] = PACKAGES) -> tuple[Package, ...]:
    """The packages whose art the weights come from, and not those that only serve to judge them."""
    return tuple(package for package in packages if package.set in SETS)
