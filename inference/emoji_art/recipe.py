"""How large the model is and how long each stage trains: everything that is chosen, and nothing that is computed."""

from __future__ import annotations

from dataclasses import dataclass

SIDE = 256
"""Pixels on each side of every picture."""

SHRINK = 8
"""Pixels per latent, on each side."""

LATENT_CHANNELS = 4

BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
TIMESTEPS = 1000

CONTEXT = 40
"""Tokens per prompt."""


@dataclass(frozen=True, kw_only=True)
class AutoencoderRecipe:
    """widths: channels at full, half, … resolution.

    batch: crops per step. crop: pixels on each side of them; over the last `large` share of the steps they are twice as
    wide and high, and a quarter as many. crops_per_scene: how many are taken of each rendered scene. doodles: share of
    the scenes that are seen as doodles.
    """

    widths: tuple[int, ...]
    groups: int
    steps: int
    batch: int
    crop: int
    rate: float = 1e-3
    large: float = 0.25
    doodles: float = 0.4
    crops_per_scene: int = 16


@dataclass(frozen=True, kw_only=True)
class LatentsRecipe:
    """How many scenes the denoiser learns from; a share of them also as the doodle that somebody would send.

    close: with one large object, in pictures of half the side. easy: the same in whole pictures. mixed: everything.
    at_a_time: scenes that are rendered and encoded together.
    """

    close: int
    easy: int
    mixed: int
    shard: int
    at_a_time: int = 32
    doodles: float = 0.25


@dataclass(frozen=True, kw_only=True)
class TextRecipe:
    """vocabulary: tokens of the byte-pair encoding. enough: the warm start stops at this loss per true fact."""

    vocabulary: int
    width: int
    layers: int
    heads: int
    steps: int
    batch: int = 64
    rate: float = 1e-3
    enough: float = 0.3


@dataclass(frozen=True, kw_only=True)
class DenoiserRecipe:
    """widths and heads: per resolution, 32×32 latents first.

    close_first: the share of the steps that see close pictures, four times as many of them for the same work: there
    words find their things. easy: the share of one large object after that. box_weight: how much more the loss counts
    inside objects; it goes to 1 over the last third. bridge: in the last half, the share of samples whose noised input
    is the doodle; their target is the clean scene from timestep bridge_from on, and the doodle itself below, so that
    a low strength keeps what was drawn. decay: the share of the steps at the end over which the rate falls to nothing.
    """

    widths: tuple[int, ...]
    heads: tuple[int, ...]
    steps: int
    batch: int
    rate: float = 4e-4
    text_rate: float = 1e-4
    warm_up: int = 200
    decay: float = 0.3
    averaging: float = 0.999
    caption_drop: float = 0.12
    close_first: float = 0.3
    easy: float = 0.3
    box_weight: float = 4.0
    bridge: float = 0.25
    bridge_from: int = 400
    groups: int = 32

    @property
    def plain(self) -> int:
        """The step at which the rate begins to fall."""
        return round(self.steps * (1 - self.decay))


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """core_only: only the forty core concepts."""

    name: str
    core_only: bool
    autoencoder: AutoencoderRecipe
    latents: LatentsRecipe
    text: TextRecipe
    denoiser: DenoiserRecipe
    seed: int = 20_000


TOY = Recipe(
    name="toy",
    core_only=False,
    autoencoder=AutoencoderRecipe(widths=(8, 16, 16, 16), groups=8, steps=6, batch=4, crop=32),
    latents=LatentsRecipe(close=8, easy=8, mixed=8, shard=8),
    text=TextRecipe(vocabulary=600, width=32, layers=1, heads=2, steps=6, batch=8),
    denoiser=DenoiserRecipe(widths=(16, 16, 32), heads=(1, 1, 2), groups=8, steps=6, batch=4, warm_up=2),
)
"""Everything once, in seconds: for the tests."""

SMALL = Recipe(
    name="small",
    core_only=True,
    autoencoder=AutoencoderRecipe(widths=(16, 32, 64, 128), groups=8, steps=10_000, batch=16, crop=64),
    latents=LatentsRecipe(close=10_240, easy=8_192, mixed=24_576, shard=512),
    text=TextRecipe(vocabulary=1_024, width=192, layers=3, heads=4, steps=1_500, batch=64),
    denoiser=DenoiserRecipe(widths=(64, 128, 256), heads=(2, 4, 8), steps=17_000, batch=16),
)
"""For two CPU cores and hours: the forty core concepts."""

FULL = Recipe(
    name="full",
    core_only=False,
    autoencoder=AutoencoderRecipe(
        widths=(32, 64, 96, 128), groups=16, steps=6_000, batch=128, crop=128, rate=5e-4, crops_per_scene=4
    ),
    latents=LatentsRecipe(close=100_352, easy=53_248, mixed=151_552, shard=4_096, at_a_time=256),
    text=TextRecipe(vocabulary=2_560, width=256, layers=4, heads=4, steps=2_000, batch=256),
    denoiser=DenoiserRecipe(
        widths=(96, 128, 224),
        heads=(3, 4, 7),
        steps=7_000,
        batch=512,
        warm_up=500,
        decay=0.4,
        averaging=0.9995,
    ),
)
"""For one GPU of the H200 class and 25 minutes: every concept."""

RECIPES = {recipe.name: recipe for recipe in (TOY, SMALL, FULL)}
