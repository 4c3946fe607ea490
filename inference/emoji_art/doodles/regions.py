"""What somebody sees in a sprite who is about to draw it: a few regions, each of one colour."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its usual name

from inference.emoji_art.doodles.chance import Dice, per_pixel, pixel_points, smooth_noise
from inference.emoji_art.doodles.colours import in_feature_space, paint
from inference.emoji_art.doodles.hands import Hands

SPRITE = 64
REACH = 1.25
MAP = int(SPRITE * REACH)
"""A region map shows a sprite at 64 pixels and a quarter more around it, into which a clumsy hand may stray."""

SOFT = 1.3
"""Standard deviation of the last smoothing of a map, in its pixels: how far a border is can be read off it."""

_REGIONS = 6

_TYPICAL = 0.3
"""How far from a region's colour, in feature space, a pixel may be to have a say in it."""

_TREMOR = ((3, 0.07), (7, 0.035), (18, 0.022))
"""How a hand strays from a line: waves across a map and their amplitudes in half maps."""


def regions(pixels: Tensor, hands: Hands, dice: Dice) -> tuple[Tensor, Tensor]:
    """Which of at most six regions each pixel belongs to, hard: (objects, 6, map, map) of 0 and 1, and the colour of
    each: (objects, 6, 3). A pixel in no region is empty."""
    wanted = 1 + ((1 - hands.crude) * 3 + dice.spread(len(pixels), within=(0.7, 2.7))).floor()
    centres, used = _palette(F.avg_pool2d(pixels, 2), wanted, 0.19 + 0.13 * hands.crude)
    alpha = pixels[:, 3:]
    straight = (pixels[:, :3] / alpha.clamp_min(0.02)).clamp_(0, 1)
    flat = straight.flatten(2).transpose(1, 2)
    distance, nearest = _distances(in_feature_space(flat), centres, used).min(2)
    cells = F.one_hot(nearest, _REGIONS).float().transpose(1, 2).unflatten(2, (SPRITE, SPRITE)) * alpha
    typical = cells.flatten(2) * (distance < _TYPICAL)[:, None]
    colours = typical @ flat / typical.sum(2, keepdim=True).clamp_min(1e-3)
    border = (MAP - SPRITE) // 2
    return F.pad(cells, (border,) * 4), paint(colours, hands)


def _palette(pixels: Tensor, wanted: Tensor, apart: Tensor) -> tuple[Tensor, Tensor]:
    """Centres (objects, 6, 3) in feature space, and which are used (objects, 6).

    The first is the colour that most pixels have. Each next one is the farthest from those there are, so that an eye
    counts as much as a face; one that is not `apart` from them is shading, which nobody draws who cannot draw.
    """
    weights = pixels[:, 3].flatten(1)
    straight = pixels[:, :3].flatten(2) / weights[:, None].clamp_min(0.02)
    features = in_feature_space(straight.clamp(0, 1).transpose(1, 2))
    solid = (weights > 0.8).float()
    rows = torch.arange(len(pixels), device=pixels.device)
    alike = torch.exp(-((torch.cdist(features[:, ::7], features) / 0.12) ** 2)) @ weights[..., None]
    first = features[rows, (alike[..., 0] * solid[:, ::7]).argmax(1) * 7]
    centres = first[:, None].expand(-1, _REGIONS, -1).clone()
    used = torch.zeros(len(pixels), _REGIONS, dtype=torch.bool, device=pixels.device)
    used[:, 0] = True
    nearest = _distances(features, centres[:, :1], used[:, :1]).amin(2)
    for index in range(1, _REGIONS):
        farthest = (nearest * solid).argmax(1)
        used[:, index] = ((nearest * solid)[rows, farthest] > apart) & (index < wanted)
        centres[:, index] = features[rows, farthest]
        nearest = torch.minimum(nearest, _distances(features, centres[:, [index]], used[:, [index]]).amin(2))
    return _settled(features, weights, centres, used), used


def _settled(features: Tensor, weights: Tensor, centres: Tensor, used: Tensor) -> Tensor:
    """The centres after a few rounds of k-means. What is far from all of them has no say: red and yellow are never
    averaged to an orange that was not there."""
    for _ in range(4):
        distance, nearest = _distances(features, centres, used).min(2)
        member = F.one_hot(nearest, _REGIONS).float() * (weights * (distance < _TYPICAL))[..., None]
        total = member.sum(1)[..., None]
        centres = torch.where(total > 0.5, member.transpose(1, 2) @ features / total.clamp_min(0.5), centres)
    return centres


def _distances(features: Tensor, centres: Tensor, used: Tensor) -> Tensor:
    """(objects, pixels, centres); to a centre that is not used it is far."""
    return torch.cdist(features, centres) + 10.0 * ~used[:, None]


def unsteady(cells: Tensor, crude: Tensor, dice: Dice) -> Tensor:
    """The region maps with small parts lost, drawn by an unsteady hand, then softened by a known amount."""
    simple = _smooth(cells, 0.5 + 1.6 * crude)
    identity = pixel_points(MAP, cells.device) * 2 - 1
    stray = smooth_noise(len(cells), dice, MAP, _TREMOR, channels=2) * per_pixel(0.45 + 0.85 * crude)
    moved = F.grid_sample(simple, identity + stray.permute(0, 2, 3, 1), align_corners=False)
    # An empty pixel wins only clearly: thin parts, which people draw too thick, would vanish otherwise.
    empty = (1 - moved.sum(1, keepdim=True)) * 0.8
    winner = torch.cat([empty, moved], 1).argmax(1)
    hard = F.one_hot(winner, _REGIONS + 1)[..., 1:].permute(0, 3, 1, 2).float()
    return _smooth(hard, torch.full_like(crude, SOFT))


def _smooth(maps: Tensor, sigma: Tensor) -> Tensor:
    """Gaussian blur, one standard deviation (in pixels) per row."""
    reach = 6
    steps = torch.arange(-reach, reach + 1, device=maps.device)
    kernel = torch.exp(-0.5 * (steps / sigma[:, None]) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(maps.shape[1], 0)
    flat = maps.flatten(0, 1)[None]
    flat = F.conv2d(flat, kernel[:, None, :, None], padding=(reach, 0), groups=flat.shape[1])
    flat = F.conv2d(flat, kernel[:, None, None, :], padding=(0, reach), groups=flat.shape[1])
    smooth: Tensor = flat[0].unflatten(0, maps.shape[:2])
    return smooth
