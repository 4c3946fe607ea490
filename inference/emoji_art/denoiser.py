"""Stage 4: the UNet learns to take noise off latents by what the caption says (v-prediction, Salimans & Ho 2022)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddim import DDIMScheduler

from inference.emoji_art.latents import Examples, Kind, read
from inference.emoji_art.recipe import BETAS, LATENT_CHANNELS, SHRINK, SIDE, TIMESTEPS, DenoiserRecipe
from inference.emoji_art.text import tokens_of
from inference.emoji_art.training import LOG_STEPS, Average, HasState, Run, autocast, save_at, seed_of, steps

STAGE = "denoiser"


def build(recipe: DenoiserRecipe, text_width: int) -> Any:
    """The finest resolution has no attention: it costs most there and is needed least. The middle has none either, for
    what is learnt there has to travel with the repository (40 MB), and the blocks round it attend at its resolution.
    """
    attended = len(recipe.widths) - 1
    return UNet2DConditionModel(
        sample_size=SIDE // SHRINK,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        block_out_channels=recipe.widths,
        layers_per_block=1,
        down_block_types=("DownBlock2D", *["CrossAttnDownBlock2D"] * attended),
        mid_block_type="UNetMidBlock2D",
        up_block_types=(*["CrossAttnUpBlock2D"] * attended, "UpBlock2D"),
        attention_head_dim=recipe.heads,
        cross_attention_dim=text_width,
        norm_num_groups=recipe.groups,
    )


def fresh(run: Run) -> Any:
    """An untrained UNet."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(run.recipe.seed, STAGE))
        return build(run.recipe.denoiser, run.recipe.text.width).to(run.device)


def train(run: Run, tokenizer: Any, unet: Any, encoder: Any) -> None:
    """Leaves both modules as their average over the training, also when it is not finished.

    The text encoder goes on learning with the UNet. Raises TimeIsUp.
    """
    recipe = run.recipe.denoiser
    learner = _Learner(recipe, unet, encoder)
    course = _Course(run, tokenizer)
    recent: list[float] = []
    try:
        for step in steps(run, STAGE, recipe.steps, learner.parts):
            recent.append(learner.step(course.batch(step), course.alphas, course.rate(step)))
            if (step + 1) % LOG_STEPS == 0:
                run.log(STAGE, step=step + 1, loss=sum(recent) / len(recent))
                recent.clear()
    finally:
        learner.average.copy_to(learner.both)


def stand_at(run: Run, step: int, unet: Any, encoder: Any) -> None:
    """Make the run's checkpoint one that has come so far with these modules, and with a fresh optimiser."""
    recipe = run.recipe.denoiser
    learner = _Learner(recipe, unet.to(run.device), encoder.to(run.device))
    save_at(run, STAGE, step, learner.parts)


class _Learner:
    """The two modules with their average and the optimiser."""

    def __init__(self, recipe: DenoiserRecipe, unet: Any, encoder: Any) -> None:
        self.both = torch.nn.ModuleDict({"unet": unet, "text_encoder": encoder})
        self.average = Average(self.both, recipe.averaging)
        self.optimiser = torch.optim.AdamW(
            [
                {"params": list(unet.parameters()), "peak": recipe.rate},
                {"params": list(encoder.parameters()), "peak": recipe.text_rate},
            ],
            betas=(0.9, 0.99),
            weight_decay=0.01,
        )

    @property
    def parts(self) -> dict[str, HasState]:
        return {"both": self.both, "average": self.average, "optimiser": self.optimiser}

    def step(self, batch: _Batch, alphas: torch.Tensor, rate: float) -> float:
        """One step at a share of the peak rate; returns the loss."""
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * rate
        loss = _loss(self.both, batch, alphas)
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.both.parameters(), 1.0)
        self.optimiser.step()
        self.average.update()
        return loss.item()


@dataclass(frozen=True)
class _Batch:
    """noised: what the UNet sees at `timesteps`; clean: what it should find there; weight: where it matters."""

    noised: torch.Tensor
    clean: torch.Tensor
    timesteps: torch.Tensor
    tokens: torch.Tensor
    weight: torch.Tensor


def _loss(both: torch.nn.ModuleDict, batch: _Batch, alphas: torch.Tensor) -> torch.Tensor:
    """Weighted squared error of the velocity that leads from what is seen to what is clean."""
    signal, noise = _levels(alphas, batch.timesteps)
    velocity = (signal * batch.noised - batch.clean) / noise
    with autocast(batch.noised.device):
        text = both["text_encoder"](batch.tokens)[0]
        said = both["unet"](batch.noised, batch.timesteps, encoder_hidden_states=text).sample
    error = (said.float() - velocity).square().mean(1, keepdim=True)
    loss: torch.Tensor = (error * batch.weight).sum() / batch.weight.sum()
    return loss


def _levels(alphas: torch.Tensor, timesteps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    kept = alphas[timesteps].view(-1, 1, 1, 1)
    return kept.sqrt(), (1 - kept).sqrt()


class _Pool:
    """All examples of a kind in one piece."""

    def __init__(self, shards: list[Examples], tokenizer: Any, device: torch.device) -> None:
        self.latents = torch.cat([shard.latents for shard in shards])
        self.cover = torch.cat([shard.cover for shard in shards])
        self.doodles = torch.cat([shard.doodles for shard in shards])
        self.doodle_of = torch.cat(self._places(shards)).to(device)
        self.tokens = torch.cat([tokens_of(tokenizer, list(shard.captions)) for shard in shards]).to(device)

    @staticmethod
    def _places(shards: list[Examples]) -> list[torch.Tensor]:
        """For each example the place of its doodle, −1 where it has none."""
        places, before = [], 0
        for shard in shards:
            place = torch.full((len(shard.latents),), -1)
            place[: len(shard.doodles)] = torch.arange(before, before + len(shard.doodles))
            places.append(place)
            before += len(shard.doodles)
        return places


class _Course:
    """What each step learns from: the curriculum, the rate, and the step's own random numbers."""

    def __init__(self, run: Run, tokenizer: Any) -> None:
        self._run = run
        self._recipe = run.recipe.denoiser
        self.alphas = DDIMScheduler(**BETAS, num_train_timesteps=TIMESTEPS).alphas_cumprod.to(run.device)
        self._pools = {kind: _Pool(read(run, kind), tokenizer, run.device) for kind in Kind}
        self._nothing = tokens_of(tokenizer, [""]).to(run.device)

    def rate(self, step: int) -> float:
        """Share of the peak: a rise, a plain, and a straight fall to nothing."""
        recipe = self._recipe
        rise = min(1.0, (step + 1) / recipe.warm_up)
        fall = min(1.0, (recipe.steps - step) / max(1, recipe.steps - recipe.plain))
        return rise * fall

    def batch(self, step: int) -> _Batch:
        recipe, done = self._recipe, step / self._recipe.steps
        generator = self._run.generator(STAGE, step, self._run.device)
        bridge = recipe.bridge if done >= 0.5 else 0.0
        drawn = [
            self._draw(self._pools[kind], count, generator, bridge=bridge)
            for kind, count in self._counts(done).items()
        ]
        picture, source, cover, tokens = (torch.cat(parts) for parts in zip(*drawn, strict=True))
        timesteps = self._timesteps(len(tokens), generator)
        # Under much noise a doodle is mistaken for the picture that it means; under little it stays what it is.
        clean = torch.where((timesteps < recipe.bridge_from)[:, None, None, None], source, picture)
        dropped = self._random(len(tokens), generator) < recipe.caption_drop
        signal, noise = _levels(self.alphas, timesteps)
        fresh = torch.randn(clean.shape, generator=generator, device=clean.device)
        return _Batch(
            noised=signal * source + noise * fresh,
            clean=clean,
            timesteps=timesteps,
            tokens=torch.where(dropped[:, None], self._nothing, tokens),
            weight=1 + (_box_weight(recipe, done) - 1) * cover,
        )

    def _counts(self, done: float) -> dict[Kind, int]:
        recipe = self._recipe
        if done < recipe.close_first:
            return {Kind.CLOSE: 4 * recipe.batch}
        easy = round(recipe.easy * recipe.batch)
        return {Kind.EASY: easy, Kind.MIXED: recipe.batch - easy}

    def _draw(
        self, pool: _Pool, count: int, generator: torch.Generator, *, bridge: float
    ) -> tuple[torch.Tensor, ...]:
        """Latents of pictures, what is noised in their place (some are a doodle's), cover and tokens."""
        device = pool.latents.device
        rows = torch.randint(len(pool.latents), (count,), generator=generator, device=device)
        place = pool.doodle_of[rows]
        # Only a share of the examples has a doodle; those that have one are taken the more often.
        share = bridge * len(pool.doodle_of) / max(1, len(pool.doodles))
        is_bridge = (place >= 0) & (self._random(count, generator) < share)
        picture = pool.latents[rows].float()
        source = torch.where(
            is_bridge[:, None, None, None], pool.doodles[place.clamp(min=0)].float(), picture
        )
        return picture, source, pool.cover[rows].float(), pool.tokens[rows]

    def _timesteps(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """Spread evenly over the batch."""
        device = self._run.device
        even = (torch.arange(count, device=device) + self._random(count, generator)) / count
        even = even[torch.randperm(count, generator=generator, device=device)]
        return (even * TIMESTEPS).long().clamp(max=TIMESTEPS - 1)

    def _random(self, count: int, generator: torch.Generator) -> torch.Tensor:
        return torch.rand(count, generator=generator, device=self._run.device)


def _box_weight(recipe: DenoiserRecipe, done: float) -> float:
    return 1 + (recipe.box_weight - 1) * min(1.0, 3 * (1 - done))
