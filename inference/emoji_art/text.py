"""Stage 3: a tokenizer of its own (byte-pair encoding, Sennrich et al. 2016) and a small CLIP text encoder, warmed up.

The denoiser alone learns very slowly what words mean. So the text encoder first learns, in a minute, to say of each
caption what is in it, where it stands, before what and in which style.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from tokenizers import Regex, Tokenizer
from tokenizers.models import BPE
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split
from tokenizers.trainers import BpeTrainer
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from inference import byte_tokenizer
from inference.emoji_art.backgrounds import BACKGROUNDS
from inference.emoji_art.recipe import CONTEXT, TextRecipe
from inference.emoji_art.scenes import Scene
from inference.emoji_art.training import LOG_STEPS, Run, seed_of, steps
from inference.emoji_art.world import EASY, MIXED, World

STAGE = "text"
TOKENIZER = "tokenizer"
_CAPTIONS = 20_000
_WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+"
"""How CLIP cuts a text before it looks for byte pairs."""


def tokenizer_of(run: Run, world: World) -> Any:
    """The run's tokenizer, made on first use from the captions and every name that is taught."""
    folder = run.folder / TOKENIZER
    if not (folder / "tokenizer_config.json").exists():
        scenes = world.scenes(seed_of(run.recipe.seed, TOKENIZER), _captions(run.recipe.text), MIXED)
        names = [name for concept in world.sprites.concepts for name in (concept.name, *concept.aliases)]
        merges = _merges([scene.caption for scene in scenes] + 8 * names, run.recipe.text.vocabulary)
        byte_tokenizer.write(folder, merges=merges, context=CONTEXT)
    return CLIPTokenizer.from_pretrained(folder, local_files_only=True)


def _captions(recipe: TextRecipe) -> int:
    return min(_CAPTIONS, 20 * recipe.vocabulary)


def _merges(texts: list[str], size: int) -> list[tuple[str, str]]:
    """The pairs that are joined, the most frequent first, so that bytes and pairs together are `size` tokens."""
    learner = Tokenizer(BPE(end_of_word_suffix="</w>"))
    learner.normalizer = Lowercase()
    learner.pre_tokenizer = Sequence(
        [Split(Regex(_WORDS), "removed", invert=True), ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    trainer = BpeTrainer(
        vocab_size=size,
        show_progress=False,
        initial_alphabet=sorted(ByteLevel.alphabet()),
        end_of_word_suffix="</w>",
    )
    learner.train_from_iterator(texts, trainer)
    return [tuple(pair) for pair in json.loads(learner.to_str())["model"]["merges"]]


def tokens_of(tokenizer: Any, captions: list[str]) -> torch.Tensor:
    """(captions, CONTEXT) ids, cut and padded as the pipelines do."""
    ids: torch.Tensor = tokenizer(
        captions, padding="max_length", max_length=CONTEXT, truncation=True, return_tensors="pt"
    ).input_ids
    return ids


def build(recipe: TextRecipe, tokenizer: Any) -> Any:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=recipe.width,
            intermediate_size=4 * recipe.width,
            num_hidden_layers=recipe.layers,
            num_attention_heads=recipe.heads,
            max_position_embeddings=CONTEXT,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def train(run: Run, world: World) -> tuple[Any, Any]:
    """The tokenizer and the warmed-up encoder. Raises TimeIsUp."""
    recipe = run.recipe.text
    tokenizer = tokenizer_of(run, world)
    facts = _Facts(
        len(world.sprites.concepts), tuple(each.name for each in BACKGROUNDS), tuple(world.sprites.sets)
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(run.recipe.seed, STAGE))
        encoder = build(recipe, tokenizer).to(run.device)
        heads = torch.nn.Linear(recipe.width, facts.count).to(run.device)
    if (finished := run.load(f"{STAGE}-finished")) is not None:
        encoder.load_state_dict(finished)
        return tokenizer, encoder
    both = torch.nn.ModuleList([encoder, heads])
    optimiser = torch.optim.AdamW(both.parameters(), lr=recipe.rate, weight_decay=0.01)
    recent = 10.0
    for step in steps(run, STAGE, recipe.steps, {"both": both, "optimiser": optimiser}):
        mix = EASY if step % 4 == 0 else MIXED
        scenes = world.scenes(seed_of(run.recipe.seed, STAGE, step), recipe.batch, mix)
        optimiser.param_groups[0]["lr"] = recipe.rate * min(1.0, (step + 1) / 50)
        tokens = tokens_of(tokenizer, [scene.caption for scene in scenes]).to(run.device)
        loss = _loss(encoder, heads, tokens, facts.targets(scenes).to(run.device))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        recent += 0.05 * (loss.item() - recent)
        if step % LOG_STEPS == 0:
            run.log(STAGE, step=step, loss=recent)
        if recent < recipe.enough:
            break
    run.save(f"{STAGE}-finished", encoder.state_dict())
    run.log(STAGE, finished=True, loss=recent)
    return tokenizer, encoder


def _loss(encoder: Any, heads: Any, tokens: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Each fact may be told by any one token: that is also how the denoiser's attention will look for it."""
    told = heads(encoder(tokens)[0]).amax(dim=1)
    return binary_cross_entropy_with_logits(told, targets, reduction="sum") / targets.sum()


@dataclass(frozen=True)
class _Facts:
    """What can be said of a scene: which concepts, where each of them is (in thirds), background and style."""

    concepts: int
    backgrounds: tuple[str, ...]
    styles: tuple[str, ...]

    @property
    def count(self) -> int:
        return self.concepts * _PER_CONCEPT + len(self.backgrounds) + len(self.styles)

    def targets(self, scenes: list[Scene]) -> torch.Tensor:
        """(scenes, count) of zeros and ones."""
        targets = torch.zeros(len(scenes), self.count)
        for row, scene in zip(targets, scenes, strict=True):
            row[list(self._of(scene))] = 1
        return targets

    def _of(self, scene: Scene) -> Iterator[int]:
        for placed in scene.objects:
            first = placed.concept * _PER_CONCEPT
            yield first
            yield first + 1 + _third(placed.x)
            yield first + 4 + _third(placed.y)
        after = self.concepts * _PER_CONCEPT
        yield after + self.backgrounds.index(scene.background)
        if scene.style is not None:
            yield after + len(self.backgrounds) + self.styles.index(scene.style)


_PER_CONCEPT = 7
"""That it is there, and three thirds across and down."""


def _third(share: float) -> int:
    return min(2, max(0, int(3 * share)))
