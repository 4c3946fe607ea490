"""The model that comes with the package: small files that everybody can open, and a picture that its words decide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from diffusers import StableDiffusionImg2ImgPipeline
from PIL import Image
from safetensors import safe_open

from inference.batching import StepRunner
from inference.catalogue import read_vocabulary
from inference.config import BUILT_IN
from inference.types import Blob, Frame, ImageRequest, InitKind, PictureRef, Pixels, Sampler, Size
from inference.vocabulary import unknown_words
from tests.inference.driving import SKETCH, as_bytes, as_floats, config, fingerprint_of, ignore, play, request
from tests.inference.references import BOUND, CLEARLY

MOST_BYTES, MOST_BYTES_OF_A_FILE = 40_000_000, 15_000_000
APART = 16
"""Mean difference, of 255, that other words make at the least."""

SIDE = 256
SQUARE = Size(SIDE, SIDE)


def painted() -> Pixels:
    """What people send: a flat red blob on flat green."""
    picture = np.full((SIDE, SIDE, 3), (60, 160, 60), np.uint8)
    down, across = np.mgrid[0:SIDE, 0:SIDE]
    picture[(down - 150) ** 2 + (across - 120) ** 2 < 60**2] = (210, 40, 40)
    return Pixels(SIDE, SIDE, picture.tobytes())


BLOBS: dict[PictureRef, Blob] = {SKETCH: painted()}


@pytest.fixture(scope="module")
def runner(builtin_model: Path) -> StepRunner:
    models = {BUILT_IN: builtin_model}
    runner = StepRunner(config(models, max_rows=16, preview_seconds=0.0), models, ignore)
    runner.load(BUILT_IN)
    return runner


def asked(init: InitKind | None = None, *, size: Size = SQUARE, **changes: Any) -> ImageRequest:
    settings = {"prompt": "a red apple on grass", "steps": 8, "guidance": 4.0, **changes}
    return request(BUILT_IN, init, frame=Frame(canvas=size, content=size), **settings)


def draw(runner: StepRunner, *wanted: ImageRequest) -> list[npt.NDArray[np.int_]]:
    """(height, width, 3), 0 to 255, of each; they share their steps."""
    done = play(runner, wanted, BLOBS).done
    return [as_bytes(done[key]).astype(int) for key in range(len(wanted))]


def apart(one: npt.NDArray[np.int_], other: npt.NDArray[np.int_]) -> float:
    return float(np.abs(one - other).mean())


def test_its_files_are_small_and_hold_numbers_only(builtin_model: Path) -> None:
    """Safetensors in half precision, none too large to be kept beside source code, and nothing that could run."""
    files = [path for path in builtin_model.rglob("*") if path.is_file()]
    weights = [path for path in files if path.suffix == ".safetensors"]
    formats = set()
    for path in weights:
        with safe_open(path, framework="pt") as tensors:
            formats |= {tensors.get_slice(key).get_dtype() for key in tensors.keys()}  # noqa: SIM118 - no mapping

    assert sum(path.stat().st_size for path in weights) <= MOST_BYTES
    assert max(path.stat().st_size for path in files) <= MOST_BYTES_OF_A_FILE
    assert formats == {"F16"}
    assert not {path.suffix for path in files} & {".bin", ".ckpt", ".pt", ".pth", ".pkl", ".py"}


def test_plain_diffusers_draws_what_the_engine_draws(builtin_model: Path, runner: StepRunner) -> None:
    """Opened with nothing of ours, from the same sketch and seed the same picture; from another seed another one."""
    pipe: Any = StableDiffusionImg2ImgPipeline.from_pretrained(builtin_model, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    wanted = asked(InitKind.PIXELS, strength=0.75, sampler=Sampler.DDIM)
    ours = as_floats(runner, play(runner, [wanted], BLOBS).done[0], fingerprint_of(runner))

    def theirs(seed: int) -> npt.NDArray[np.float32]:
        picture: npt.NDArray[np.float32] = pipe(
            wanted.prompt,
            image=Image.frombytes("RGB", (SIDE, SIDE), painted().data),
            strength=wanted.strength,
            num_inference_steps=wanted.steps,
            guidance_scale=wanted.guidance,
            generator=torch.Generator().manual_seed(seed),
            output_type="np",
        ).images[0]
        return picture

    assert np.abs(theirs(wanted.seeds[0]) - ours).max() <= BOUND
    assert np.abs(theirs(wanted.seeds[0] + 1) - ours).max() > CLEARLY


def test_it_knows_every_concept_that_it_lists(builtin_model: Path) -> None:
    """Whoever asks for something that /help lists is never told that the model does not know it."""
    title, vocabulary = read_vocabulary(builtin_model)

    assert title == "emoji art (built-in)"
    assert vocabulary is not None
    listed = [name for _, names in vocabulary.groups for name in names]
    assert len(listed) > 40
    assert [name for name in listed if unknown_words(f"a {name}", vocabulary)] == []
    assert unknown_words("a parsec of moons", vocabulary) == ("parsec",)


def test_it_draws_at_other_sizes(runner: StepRunner) -> None:
    """All of its table and larger ones, as large as was asked for, with colours."""
    wide, tall, large = Size(320, 192), Size(128, 512), Size(512, 512)
    pictures = [draw(runner, asked(size=size, steps=4))[0] for size in (wide, tall, large)]

    assert [picture.shape for picture in pictures] == [(192, 320, 3), (512, 128, 3), (512, 512, 3)]
    for picture in pictures:
        assert 20 < picture.mean() < 235
        assert picture.std() > 15


def test_words_decide_the_picture(runner: StepRunner) -> None:
    """One seed, other words: another picture. The same words: the same picture."""
    moon, again, apple = draw(
        runner, asked(prompt="the surface of the moon"), asked(prompt="the surface of the moon"), asked()
    )

    assert apart(moon, again) <= 1
    assert apart(moon, apple) > APART


def test_it_keeps_less_of_the_sketch_the_higher_the_strength_is(runner: StepRunner) -> None:
    """At full strength it is as if there had been none. How much of it is left at 0.2 is a gate of the model's card."""
    sketch = np.frombuffer(painted().data, np.uint8).reshape(SIDE, SIDE, 3).astype(int)
    strengths = (0.2, 0.5, 0.8, 1.0)
    wanted = [
        asked(InitKind.PIXELS, strength=each, steps=10, prompt="the surface of the moon")
        for each in strengths
    ]
    distances = [apart(picture, sketch) for picture in draw(runner, *wanted)]

    assert distances == sorted(distances)
    assert distances[-1] > 2 * distances[0]
    assert distances[-1] > 2 * APART


def test_words_that_it_does_not_know_fail_nothing(runner: StepRunner) -> None:
    """Unknown words, other alphabets, emoji, nothing at all and very much are drawn like anything else."""
    prompts = ("a parsec", "луна и стул", "🪐🍎", "", "very " * 90 + "large apple")
    pictures = draw(runner, *(asked(prompt=prompt, steps=2) for prompt in prompts))

    assert len(pictures) == len(prompts)
    assert all(picture.std() > 5 for picture in pictures)


def test_its_previews_look_like_its_pictures(runner: StepRunner) -> None:
    """The last preview is the result in small, and the first one is further from it."""
    played = play(runner, [asked(InitKind.PIXELS, strength=0.8)], BLOBS)
    result = as_bytes(played.done[0]).reshape(32, 8, 32, 8, 3).mean(axis=(1, 3))
    shown = [
        np.frombuffer(one.preview.data, np.uint8).reshape(32, 32, 3)
        for one in played.progress()
        if one.preview is not None
    ]
    first, last = (np.corrcoef(shown[place].ravel(), result.ravel())[0, 1] for place in (0, -1))

    assert last > 0.95
    assert last > first
