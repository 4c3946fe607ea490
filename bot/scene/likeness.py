"""Which pictures look most like a file at a glance: what is cheap to know before they are compared with care."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

_SIDE = 16


def likeliest(edited: Image.Image, pictures: Sequence[Image.Image], count: int) -> list[int]:
    """The indices of at most `count` pictures, RGB, in their own order: those the edited copy may well be one of.

    Half of a copy may be painted on, and a border of a few pixels moves little at this size: the median passes over
    both. Erased parts are left out.
    """
    if len(pictures) <= count:
        return list(range(len(pictures)))
    glance, seen = _glance(edited), _seen(edited)
    if not seen.any():
        return list(range(count))
    apart = [float(np.median(np.abs(_glance(picture) - glance)[seen])) for picture in pictures]
    return sorted(sorted(range(len(pictures)), key=apart.__getitem__)[:count])


def _glance(image: Image.Image) -> npt.NDArray[np.float32]:
    return np.asarray(image.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BOX), np.float32)


def _seen(image: Image.Image) -> npt.NDArray[np.bool_]:
    alpha = image.convert("RGBA").getchannel("A").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    return np.asarray(alpha) > 200
