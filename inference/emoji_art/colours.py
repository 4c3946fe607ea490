"""Which colour a person would say that a drawing has, measured from its pixels; so what captions say of it is true."""

from __future__ import annotations

from functools import cache

import torch

# What each word looks like in the art, in sRGB. Light and dark grey are apart, because people call nothing grey that
# is both: not a cow, not a zebra.
_SWATCHES: tuple[tuple[str | None, str], ...] = (
    ("red", "f8312f e5252a c21727 a01020 ff5048 7d0c18"),
    ("orange", "ff8a1e f57c00 ff9d2e ff6723 e86a0c"),
    ("yellow", "fcd53f ffe135 fff176 fdd835 f7c21c e5b80b"),
    ("green", "00d26a 4caf50 2e7d32 86d72f 8bc34a 1b5e20 44911b b4e067"),
    ("blue", "b9e4ea b3e5fc 0074ba 1976d2 00a6ed 42a5f5 0d47a1 26439b 83cbff 1e2f97"),
    ("purple", "8d65c5 7b1fa2 9c27b0 5e2d91 b48be0 4a1a6b c8a2f0 635994 533566"),
    ("pink", "f70a8d ff6dc6 f8a5c8 ff9bb5 e0518f ffc0d4 ee6aa0"),
    ("brown", "6d4534 8d5a3a 5d4037 a56a43 4e2a1e 7a4b2a 96613f"),
    ("black", "000000 1c1c1e 2b2b30 38373d"),
    ("white", "ffffff f4f4f4 e8eaed"),
    ("grey", "b4acbc bdbdbd c9ccd2 d2d2d2"),
    ("grey", "9b9b9b 757575 545459 8a8f98 636c77"),
    # Between the words: teal, beige, tan, amber, rust, olive, a purple black. Nobody would be sure of one.
    (None, "00b5ad 26a69a 80deea 00696b f3d9b5 e8c39e d2b48c 808040 c8a464 b5651d"),
    (None, "f3ad61 e39d57 d9a066 ffb02e d27e5a de7e12 433b6b 321b41"),
)

_UNCOLOURED = frozenset(("black", "white", "grey"))

_MAIN_SHARE = 0.65
_RIVAL_SHARE = 0.2
_COLOURED_SHARE = 0.15


def colour_word(pixels: torch.Tensor) -> str | None:
    """The colour that a person would name of a sprite, if it has one. pixels: uint8 (4, height, width), RGBA.

    One colour must hold of 65 % of what is visible, and no other of more than 20 %. On something black, white or grey
    people see any colour that there is, so 15 % of colours are too many.
    """
    shares = _shares(pixels)
    main, rival = shares.topk(2).values.tolist()
    word = _SWATCHES[int(shares.argmax())][0]
    if main < _MAIN_SHARE or rival > _RIVAL_SHARE:
        return None
    coloured = sum(
        share for (each, _), share in zip(_SWATCHES, shares.tolist(), strict=True) if each not in _UNCOLOURED
    )
    return None if word in _UNCOLOURED and coloured > _COLOURED_SHARE else word


def _shares(pixels: torch.Tensor) -> torch.Tensor:
    """For each row of _SWATCHES the share of the visible pixels that are nearest to it; zeros if none is visible.

    One pixel of 36 will do.
    """
    sample = pixels[:, ::6, ::6].reshape(4, -1)
    visible = sample[:3, sample[3] > 127].T
    codes, row_of = _in_oklab()
    nearest = row_of[torch.cdist(_to_oklab(visible), codes).argmin(1)]
    return torch.bincount(nearest, minlength=len(_SWATCHES)) / max(1, len(visible))


@cache
def _in_oklab() -> tuple[torch.Tensor, torch.Tensor]:
    """Every swatch in Oklab, float32 (n, 3), and the row of _SWATCHES that it is in, int64 (n)."""
    codes = [
        (row, list(bytes.fromhex(code))) for row, (_, all_) in enumerate(_SWATCHES) for code in all_.split()
    ]
    return _to_oklab(torch.tensor([code for _, code in codes])), torch.tensor([row for row, _ in codes])


def _to_oklab(colours: torch.Tensor) -> torch.Tensor:
    """colours: (n, 3) in 0…255, sRGB. Returns float32 (n, 3) in Oklab, where distances are as people see them.

    After Björn Ottosson, "A perceptual color space for image processing", 2020.
    """
    share = colours.float() / 255
    linear = torch.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    cones = linear @ torch.tensor(
        [
            [0.4122214708, 0.2119034982, 0.0883024619],
            [0.5363325363, 0.6806995451, 0.2817188376],
            [0.0514459929, 0.1073969566, 0.6299787005],
        ]
    )
    return cones.pow(1 / 3) @ torch.tensor(
        [
            [0.2104542553, 1.9779984951, 0.0259040371],
            [0.7936177850, -2.4285922050, 0.7827717662],
            [-0.0040720468, 0.4505937099, -0.8086757660],
        ]
    )
