"""What a sample looks like while it is drawn, without running the decoder.

A linear map from latents to colours, one pixel per latent (1/8 of the canvas), is enough to follow a picture and
costs nothing beside a step. Published factors exist for a few models only, so the map is fitted when a model is
loaded, to what its own decoder shows of two things: a generated picture that went through the encoder, because clean
latents are those of pictures; and smooth random fields of the same mean and spread, because the picture alone may
leave a direction of the latents undetermined.

A preview shows the clean latents that a step predicts, which the schedulers compute anyway: the noisy ones would show
mostly noise until the last steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch.nn.functional import interpolate

from inference.framing import RGB

Encode: TypeAlias = Callable[[RGB], torch.Tensor]
"""(height, width, 3) uint8 to scaled latents (1, channels, height / 8, width / 8)."""

Decode: TypeAlias = Callable[[torch.Tensor], npt.NDArray[np.float32]]
"""Scaled latents to (height, width, 3), from 0 to 1."""

_SIDE = 256
_RIDGE = 1e-3
"""Keeps the fit sane where a channel hardly moves."""


class PreviewMap:
    """weights: (channels + 1, 3), the last row is the constant; colours from 0 to 1."""

    def __init__(self, weights: torch.Tensor) -> None:
        self._weights = weights

    @torch.inference_mode()
    def __call__(self, latents: torch.Tensor) -> RGB:
        """latents: (1, channels, h, w), clean ones; returns (h, w, 3) uint8."""
        colours = _with_constant(latents).cpu() @ self._weights
        finite = torch.nan_to_num(colours).clamp(0, 1)
        picture: RGB = (finite * 255).round().to(torch.uint8).numpy()
        return picture.reshape(*latents.shape[-2:], 3)


@torch.inference_mode()
def fit(encode: Encode, decode: Decode) -> PreviewMap:
    """Least squares from latents to what the decoder shows at each of them."""
    pictures = encode(_patchwork())
    examples = (pictures, _fields_like(pictures))
    known = torch.cat([_with_constant(latents).cpu() for latents in examples])
    wanted = torch.cat([_shown(decode(latents), latents) for latents in examples])
    square = known.T @ known / len(known) + _RIDGE * torch.eye(known.shape[1])
    return PreviewMap(torch.linalg.solve(square, known.T @ wanted / len(known)))


def _with_constant(latents: torch.Tensor) -> torch.Tensor:
    """(1, channels, h, w) to (h × w, channels + 1) in float32."""
    rows = latents[0].flatten(1).T.float()
    return torch.cat([rows, torch.ones_like(rows[:, :1])], dim=1)


def _shown(picture: npt.NDArray[np.float32], latents: torch.Tensor) -> torch.Tensor:
    """A decoded picture as one mean colour per latent: (h × w, 3)."""
    planes = torch.from_numpy(picture).permute(2, 0, 1)[None]
    return interpolate(planes, size=latents.shape[-2:], mode="area").flatten(2)[0].T


def _fields_like(latents: torch.Tensor) -> torch.Tensor:
    channels, height, width = latents.shape[1:]
    coarse = torch.randn(1, channels, height // 4, width // 4, generator=torch.Generator().manual_seed(0))
    smooth = interpolate(coarse, size=(height, width), mode="bicubic").to(latents)
    spread, mean = torch.std_mean(latents.float(), dim=(2, 3), keepdim=True)
    return (smooth * spread + mean).to(latents.dtype)


def _patchwork() -> RGB:
    """Colours at four scales, always the same: flat fields, soft ones, texture and grain."""
    random = np.random.default_rng(0)
    picture = np.zeros((_SIDE, _SIDE, 3), np.float32)
    for cells, share in ((4, 0.45), (16, 0.3), (64, 0.15), (_SIDE, 0.1)):
        patches = Image.fromarray(random.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        edges = Image.Resampling.BICUBIC if cells == 16 else Image.Resampling.NEAREST
        picture += share * np.asarray(patches.resize((_SIDE, _SIDE), edges), np.float32)
    spread = (picture - 127.5) * 1.8 + 127.5
    return spread.clip(0, 255).astype(np.uint8)
