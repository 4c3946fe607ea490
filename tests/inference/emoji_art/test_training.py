"""The whole training at toy size: every stage once, on three drawn concepts, in seconds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionImg2ImgPipeline
from safetensors.torch import load_file

from inference.emoji_art import autoencoder, carry, denoiser, latents, text
from inference.emoji_art.__main__ import MODEL, learn
from inference.emoji_art.concepts import HeldOut
from inference.emoji_art.recipe import TOY, Recipe
from inference.emoji_art.training import Average, Run, TimeIsUp, steps
from inference.emoji_art.world import MIXED, World
from tests.inference.emoji_art.toys import toy_sprites

CPU = torch.device("cpu")
NOTHING_HELD_OUT = HeldOut(frozenset(), frozenset(), frozenset())


class Ticks:
    """A clock that is looked at: each look takes one second."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        self._now += 1
        return self._now


def toy_run(folder: Path, recipe: Recipe = TOY, **options: Any) -> Run:
    return Run(folder, recipe, CPU, say=lambda _: None, **options)


def toy_world() -> World:
    return World(toy_sprites(), NOTHING_HELD_OUT, CPU)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = toy_run(tmp_path_factory.mktemp("trained"))
    learn(run, toy_world())
    return run


def weights(run: Run) -> dict[str, torch.Tensor]:
    state = run.load(denoiser.STAGE)
    assert state is not None
    kept: dict[str, torch.Tensor] = state["average"]["kept"]
    return kept


def test_plain_diffusers_opens_what_was_trained(trained: Run) -> None:
    """from_pretrained with nothing said: the half-precision files become one pipeline of one precision that draws."""
    pipe = StableDiffusionImg2ImgPipeline.from_pretrained(trained.folder / "model", local_files_only=True)
    pipe.set_progress_bar_config(disable=True)

    drawn = pipe(
        "a ball", image=torch.rand(1, 3, 256, 256), strength=0.5, num_inference_steps=4, output_type="pt"
    )

    assert {pipe.unet.dtype, pipe.vae.dtype, pipe.text_encoder.dtype} == {torch.float32}
    assert drawn.images.shape == (1, 3, 256, 256)
    assert pipe.scheduler.config.prediction_type == "v_prediction"


def test_interrupted_training_ends_with_the_same_weights(trained: Run, tmp_path: Path) -> None:
    """Stopped again and again between steps and stages, it comes to what one go comes to; another seed does not."""
    stops = 0
    for _ in range(100):
        try:
            learn(toy_run(tmp_path / "pieces", minutes=9 / 60, clock=Ticks()), toy_world())
            break
        except TimeIsUp:
            stops += 1
    other = toy_run(tmp_path / "other", replace(TOY, seed=TOY.seed + 1))
    learn(other, toy_world())

    assert stops > 3
    in_pieces = weights(toy_run(tmp_path / "pieces"))
    assert all(torch.equal(value, in_pieces[name]) for name, value in weights(trained).items())
    assert not all(torch.equal(value, weights(other)[name]) for name, value in weights(trained).items())


def test_more_steps_go_on_from_the_end(tmp_path: Path) -> None:
    """A training that is given more steps afterwards loses none of what it did."""
    run = toy_run(tmp_path)
    module = torch.nn.Linear(1, 1)
    for _ in steps(run, "stage", 6, {"module": module}):
        module.weight.data += 1
    ended = module.weight.item()
    module.weight.data += 5

    assert list(steps(run, "stage", 6, {"module": module})) == []
    assert module.weight.item() == ended
    assert list(steps(run, "stage", 8, {"module": module})) == [6, 7]


def test_a_checkpoint_is_whole_or_the_one_before(tmp_path: Path) -> None:
    """A save that fails on the way leaves what was saved before."""
    run = toy_run(tmp_path)
    run.save("stage", {"step": 1})

    with pytest.raises(TypeError):
        run.save("stage", {"step": 2, "cannot be saved": (number for number in range(3))})

    assert run.load("stage") == {"step": 1}


def test_an_average_follows() -> None:
    """It moves towards what the module is, and stays behind it; the module itself is not touched."""
    module = torch.nn.Linear(1, 1, bias=False)
    module.weight.data.fill_(0)
    average = Average(module, 0.9)
    module.weight.data.fill_(1)

    average.update()

    kept = average.state_dict()["kept"]["weight"].item()
    assert 0 < kept < 1
    assert module.weight.item() == 1


def test_latents_are_white(trained: Run) -> None:
    """Whitening is exact and lies in the weights: mean 0, covariance 1, and pictures come back as before."""
    world = toy_world()
    raw = autoencoder.build(TOY.autoencoder)
    state = trained.load(autoencoder.STAGE)
    assert state is not None
    raw.load_state_dict(state["vae"])
    white = autoencoder.train(trained, world)
    pictures = world.render(world.scenes(3, 32, MIXED)).pictures

    with torch.no_grad():
        rows, unwhitened = (
            vae.encode(pictures).latent_dist.mean.transpose(0, 1).flatten(1) for vae in (white, raw)
        )
        before, after = (vae.decode(vae.encode(pictures).latent_dist.mean).sample for vae in (raw, white))

    assert rows.mean(1).abs().max() < 0.2
    assert (torch.cov(rows) - torch.eye(4)).abs().max() < 0.5
    assert (torch.cov(unwhitened) - torch.eye(4)).abs().max() > 0.5
    assert (before - after).abs().mean() < 5e-3 < before.std() / 10


def test_tokens_are_words_that_were_taught(trained: Run) -> None:
    """What is taught becomes few tokens, what is not becomes many, and nothing is lost."""
    tokenizer = text.tokenizer_of(trained, toy_world())

    assert len(tokenizer.tokenize("ball")) == 1
    assert len(tokenizer.tokenize("parsec")) > 2
    assert "".join(tokenizer.tokenize("A Box")).replace("</w>", " ") == "a box "


def test_shards_hold_what_the_pictures_encode_to(trained: Run) -> None:
    """Half-precision latents with their captions; the doodles belong to the first ones."""
    (close,) = latents.read(trained, latents.Kind.CLOSE)
    (easy,) = latents.read(trained, latents.Kind.EASY)

    assert close.latents.shape == (TOY.latents.shard, 4, 16, 16)
    assert easy.latents.shape == (TOY.latents.shard, 4, 32, 32)
    assert easy.cover.shape == (TOY.latents.shard, 1, 32, 32)
    assert len(easy.doodles) == round(TOY.latents.doodles * TOY.latents.shard)
    assert len(set(easy.captions)) > 1
    assert 0 < easy.cover.float().mean() < 1


def test_files_are_in_half_precision(trained: Run) -> None:
    """One file for each toy part, in half precision; and transformers is told to open its part as diffusers does."""
    model = trained.folder / "model"

    kinds = {value.dtype for file in model.rglob("*.safetensors") for value in load_file(file).values()}

    assert kinds == {torch.float16}
    config = json.loads((model / "text_encoder" / "config.json").read_text())
    assert config["dtype"] == "float32"


def test_a_training_is_carried_in_few_files(trained: Run, tmp_path: Path) -> None:
    """Packed, unpacked and taken up elsewhere, it stands at the same step with the same weights, in half precision."""
    files = carry.pack(trained.folder / MODEL, tmp_path / "packed")
    other = toy_run(tmp_path / "other")

    carry.unpack(tmp_path / "packed", other.folder / MODEL)
    carry.take_up(other, other.folder / MODEL)
    learn(other, toy_world())

    assert len(files) == 4
    assert other.steps_done(denoiser.STAGE) == trained.steps_done(denoiser.STAGE) == TOY.denoiser.steps
    carried = weights(other)
    assert all(torch.equal(value.half(), carried[name].half()) for name, value in weights(trained).items())
    assert len(list((other.folder / "latents").glob("*"))) == 3


def test_what_is_further_is_not_set_back(trained: Run, tmp_path: Path) -> None:
    """Taking up an older state where there is a newer one changes nothing."""
    carry.pack(trained.folder / MODEL, tmp_path / "packed")
    carry.unpack(tmp_path / "packed", tmp_path / "older")
    carry.note_step(tmp_path / "older", 1)

    carry.take_up(trained, tmp_path / "older")

    assert trained.steps_done(denoiser.STAGE) == TOY.denoiser.steps
