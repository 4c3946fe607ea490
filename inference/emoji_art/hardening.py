"""What makes a judge's life hard while it learns, so that it goes by shapes and not by what one set of artists does."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from inference.emoji_art.art import Sprites

GREY = (0.299, 0.587, 0.114)
"""How bright red, green and blue look."""

_AT_A_TIME = 32
_ANY_HUE = 0.15
_COLOURLESS = 0.15
_TEXTURED = 0.2
_KERNELS = (1, 3, 5)


def harden(pictures: Tensor, side: int, generator: torch.Generator, hardness: float = 1.0) -> Tensor:
    """(n, 3, any, any) in [-1, 1] to (n, 3, side, side): bent, recoloured, blurred and noised, each its own way.

    hardness: 0 … 1, how often colours and textures are replaced altogether.
    """
    grid = _bent_grid(len(pictures), side, generator)
    seen = functional.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)
    seen = _retextured(_recoloured(seen, generator, hardness), generator, hardness)
    return _noised(_blurred(seen, generator), generator)


def recoloured_sprites(sprites: Sprites, generator: torch.Generator) -> Sprites:
    """The same drawings, each in a hue, vividness and brightness of its own: a purple apple is an apple."""
    pixels = sprites.pixels.clone()
    flat = pixels.flatten(0, 1)
    for start in range(0, len(flat), _AT_A_TIME):
        part = flat[start : start + _AT_A_TIME, :3].float() / 127.5 - 1
        count = len(part)
        changed = _turned(
            part,
            _uniform(count, generator, -math.pi, math.pi),
            _uniform(count, generator, 0.3, 1.3),
        )
        changed = changed * _uniform(count, generator, 0.7, 1.1).view(-1, 1, 1, 1)
        changed = changed + _uniform(count, generator, -0.2, 0.2).view(-1, 1, 1, 1)
        flat[start : start + _AT_A_TIME, :3] = ((changed + 1) * 127.5).clamp(0, 255).to(torch.uint8)
    return replace(sprites, pixels=flat.view_as(pixels))


def _bent_grid(count: int, side: int, generator: torch.Generator) -> Tensor:
    """(count, side, side, 2): zoomed, squeezed, turned, moved, mirrored, and pulled about like rubber."""
    zoom = _uniform(count, generator, 0.75, 1.15)
    squeeze = _uniform(count, generator, -0.18, 0.18).exp()
    far = torch.rand(count, generator=generator) < 0.3
    turn = _uniform(count, generator, -1, 1) * torch.where(far, 0.6, 0.26)
    mirror = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = mirror * zoom * squeeze * turn.cos()
    theta[:, 0, 1] = -zoom / squeeze * turn.sin()
    theta[:, 1, 0] = mirror * zoom * squeeze * turn.sin()
    theta[:, 1, 1] = zoom / squeeze * turn.cos()
    theta[:, :, 2] = _uniform(2 * count, generator, -0.15, 0.15).view(count, 2)
    grid = functional.affine_grid(theta, [count, 3, side, side], align_corners=False)
    pull = torch.randn(count, 2, 5, 5, generator=generator) * _uniform(count, generator, 0, 0.06).view(
        -1, 1, 1, 1
    )
    pull = functional.interpolate(pull, size=(side, side), mode="bicubic", align_corners=False)
    return grid + pull.permute(0, 2, 3, 1)


def _recoloured(pictures: Tensor, generator: torch.Generator, hardness: float) -> Tensor:
    """Hue, vividness, contrast and brightness; some grey, and some of any hue at all."""
    count = len(pictures)
    kind = torch.rand(count, generator=generator)
    turn = 0.25 * torch.randn(count, generator=generator)
    turn = torch.where(kind < hardness * _ANY_HUE, _uniform(count, generator, -math.pi, math.pi), turn)
    vividness = torch.where(kind > 1 - _COLOURLESS, 0.0, _uniform(count, generator, 0.6, 1.3))
    contrast = _uniform(count, generator, 0.65, 1.2).view(-1, 1, 1, 1)
    light = _uniform(count, generator, -0.2, 0.2).view(-1, 1, 1, 1)
    return (_turned(pictures, turn, vividness) * contrast + light).clamp(-1, 1)


def _turned(pictures: Tensor, angles: Tensor, vividness: Tensor) -> Tensor:
    """Colours turned about the grey axis of red, green and blue (Rodrigues), and drawn to it or away from it."""
    grey = (pictures * torch.tensor(GREY).view(1, 3, 1, 1)).sum(1, keepdim=True)
    across = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    cosine, sine = angles.cos().view(-1, 1, 1), angles.sin().view(-1, 1, 1)
    matrices = cosine * torch.eye(3) + sine * across + (1 - cosine) / 3
    turned = torch.einsum("nij,njhw->nihw", matrices, pictures - grey)
    return grey + turned * vividness.view(-1, 1, 1, 1)


def _retextured(pictures: Tensor, generator: torch.Generator, hardness: float) -> Tensor:
    """Some mixed with what a random convolution makes of them: shapes stay, colours and textures go.

    After Xu et al., "Robust and Generalizable Visual Representation Learning via Random Convolutions", 2021.
    """
    kind = torch.rand(len(pictures), generator=generator) / max(1e-6, hardness * _TEXTURED) * len(_KERNELS)
    changed = pictures.clone()
    for index, width in enumerate(_KERNELS):
        rows = ((kind >= index) & (kind < index + 1)).nonzero()[:, 0]
        if len(rows):
            strange = _convolved(pictures[rows], width, generator)
            share = torch.rand(len(rows), 1, 1, 1, generator=generator)
            changed[rows] = torch.lerp(pictures[rows], strange, share).clamp(-1, 1)
    return changed


def _convolved(pictures: Tensor, width: int, generator: torch.Generator) -> Tensor:
    """Each picture under a random kernel of its own, brought back to the contrast of a picture."""
    count, _, height, across = pictures.shape
    kernels = torch.randn(3 * count, 3, width, width, generator=generator)
    padded = functional.pad(pictures.reshape(1, -1, height, across), [width // 2] * 4, mode="reflect")
    strange = functional.conv2d(padded, kernels, groups=count).view_as(pictures)
    strange = strange - strange.mean((2, 3), keepdim=True)
    spread = strange.std((2, 3), keepdim=True) / (
        0.25 + 0.35 * torch.rand(count, 3, 1, 1, generator=generator)
    )
    return strange / (spread + 0.05) + 0.3 * torch.randn(count, 3, 1, 1, generator=generator)


def _blurred(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Half of them mixed with a soft copy, as a small model's pictures are soft."""
    side = int(torch.randint(14, 40, (), generator=generator))
    soft = functional.interpolate(pictures, size=(side, side), mode="area")
    soft = functional.interpolate(soft, size=pictures.shape[2:], mode="bilinear", align_corners=False)
    share = (2 * torch.rand(len(pictures), generator=generator) - 1).clamp(min=0).view(-1, 1, 1, 1)
    return torch.lerp(pictures, soft, share)


def _noised(pictures: Tensor, generator: torch.Generator) -> Tensor:
    strength = _uniform(len(pictures), generator, 0, 0.12).view(-1, 1, 1, 1)
    return pictures + strength * torch.randn(pictures.shape, generator=generator)


def _uniform(count: int, generator: torch.Generator, low: float, high: float) -> Tensor:
    return low + (high - low) * torch.rand(count, generator=generator)
