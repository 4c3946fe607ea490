"""Safety checkers for the tests.

What a picture's pixels all say decides: the toy runner paints every one of them with the seed's last byte.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from inference.framing import RGB
from inference.safety import Verdict

UNSAFE, FAILING, DEADLY = 13, 66, 99
CATEGORY = "test"


class ByValue:
    """Finds pictures of the value UNSAFE unsafe, fails at FAILING, and ends its process at DEADLY."""

    def check(self, pictures: Sequence[RGB]) -> list[Verdict]:
        values = [float(picture.mean()) for picture in pictures]
        if FAILING in values:
            raise RuntimeError("the checker was told to fail")
        if DEADLY in values:
            os._exit(1)
        return [Verdict(value == UNSAFE, CATEGORY, value) for value in values]


class Scripted:
    """Answers as it is told, and keeps what it was shown."""

    def __init__(self, answer: Callable[[int], Sequence[Verdict]]) -> None:
        self.shown: list[RGB] = []
        self._answer = answer

    def check(self, pictures: Sequence[RGB]) -> Sequence[Verdict]:
        self.shown += pictures
        return self._answer(len(pictures))


def incapable() -> object:
    """What a plug-in must not be: it cannot check anything."""
    return object()
