"""The colours of a paint program."""

from __future__ import annotations

import torch
from torch import Tensor

from inference.emoji_art.doodles.hands import Hands

_PAINTS = torch.tensor(
    [
        *[(0.05, 0.05, 0.07), (0.5, 0.5, 0.5), (0.76, 0.76, 0.76), (1.0, 1.0, 1.0), (0.53, 0.0, 0.08)],
        *[(0.93, 0.11, 0.14), (1.0, 0.5, 0.15), (1.0, 0.79, 0.05), (1.0, 0.95, 0.0), (0.94, 0.89, 0.69)],
        *[(0.13, 0.69, 0.3), (0.71, 0.9, 0.11), (0.05, 0.4, 0.15), (0.0, 0.64, 0.91), (0.6, 0.85, 0.92)],
        *[(0.25, 0.28, 0.8), (0.1, 0.15, 0.45), (0.64, 0.29, 0.64), (0.78, 0.75, 0.91), (1.0, 0.68, 0.79)],
        *[(0.9, 0.25, 0.6), (0.73, 0.48, 0.34), (0.45, 0.26, 0.12), (1.0, 0.8, 0.6), (0.44, 0.57, 0.75)],
        *[(0.15, 0.78, 0.72), (0.48, 0.25, 0.75)],
    ]
)
"""What a paint program offers, red, green and blue."""


def in_feature_space(colours: Tensor) -> Tensor:
    """Colours (..., 3) where equal steps look about equal: lightness, and two contrasts that weigh a little more."""
    red, green, blue = colours.unbind(-1)
    return torch.stack(
        [(red + 2 * green + blue) / 4, 0.9 * (red - green), 0.6 * ((red + green) / 2 - blue)], -1
    )


def paint(colours: Tensor, hands: Hands) -> Tensor:
    """Colours (pictures, any, 3) as they come out of a paint program: more vivid, and some of them one of its own."""
    grey = colours.mean(-1, keepdim=True)
    vivid = (grey + (colours - grey) * hands.vivid[:, None, None]).clamp(0, 1)
    paints = _PAINTS.to(colours.device)
    nearest = torch.cdist(
        in_feature_space(vivid), in_feature_space(paints).expand(len(colours), -1, -1)
    ).argmin(2)
    return torch.lerp(vivid, paints[nearest], hands.paint[:, None, None])
