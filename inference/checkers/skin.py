"""A crude checker without a model: how much of a picture has the colour of skin.

For tests, and as an example of what a checker looks like. It knows colours and nothing else: it finds sand, wood and
portraits unsafe, and nothing in black and white.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inference.framing import RGB
from inference.safety import Verdict

MOST = 0.3
"""Share of a picture that may have the colour of skin."""


class SkinChecker:
    """Implements `inference.safety.SafetyChecker`; the score is the share, from 0 to 1."""

    def check(self, pictures: Sequence[RGB]) -> list[Verdict]:
        shares = [skin_share(picture) for picture in pictures]
        return [Verdict(share > MOST, "skin", share) for share in shares]


def skin_share(picture: RGB) -> float:
    """The share of pixels that have the colour of skin in daylight, by the rule in RGB of Kovač, Peer and Solina,
    "Human skin colour clustering for face detection" (EUROCON 2003)."""
    red, green, blue = np.moveaxis(picture.astype(np.int16), -1, 0)
    spread = picture.max(axis=-1).astype(np.int16) - picture.min(axis=-1)
    bright = (red > 95) & (green > 40) & (blue > 20)
    reddish = (np.abs(red - green) > 15) & (red > green) & (red > blue)
    return float((bright & (spread > 15) & reddish).mean())
