"""A request's result is what the diffusers pipeline gives it alone, whoever shares its steps.

Every claim of equality stands beside controls that must differ by at least a hundred times the bound, and the shared
batch is proved by the rows of the forward passes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler
from diffusers import StableDiffusionImg2ImgPipeline as FromPicture
from diffusers import StableDiffusionPipeline as FromText
from PIL import Image

from inference import latents
from inference.batching import StepRunner
from inference.types import Blob, ImageRequest, InitKind, PictureRef, Sampler
from tests.inference import tiny_models
from tests.inference.driving import (
    LATENTS,
    SKETCH,
    Joining,
    as_bytes,
    as_floats,
    config,
    fingerprint_of,
    ignore,
    play,
    request,
    sketch,
    stored_latents,
)

pytestmark = [
    # diffusers 0.42 turns a tensor into an array in a way that numpy 2 will not allow for ever.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
    # The sd1 model's scheduler file is outdated on purpose, and the pipelines say so.
    pytest.mark.filterwarnings("ignore:The configuration file of this scheduler:FutureWarning"),
]

BOUND = 1e-4
CLEARLY = 100 * BOUND

SCHEDULERS: dict[Sampler, Any] = {
    Sampler.DDIM: DDIMScheduler,
    Sampler.DPMPP_2M: DPMSolverMultistepScheduler,
}
INITS = [
    pytest.param(None, id="text"),
    pytest.param(InitKind.PIXELS, id="pixels"),
    pytest.param(InitKind.LATENTS, id="latents"),
]


class Model(NamedTuple):
    """One tiny model in both worlds, opened from the same folder."""

    name: str
    folder: Path
    runner: StepRunner
    fingerprint: str
    blobs: dict[PictureRef, Blob]


@pytest.fixture(scope="module", params=["sd1", "sd2"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    name: str = request.param
    write = {"sd1": tiny_models.write_sd1, "sd2": tiny_models.write_sd2}[name]
    return open_both(name, write(tmp_path_factory.mktemp(name)))


def open_both(name: str, folder: Path) -> Model:
    runner = StepRunner(config({name: folder}, max_rows=16), {name: folder}, ignore)
    runner.load(name)
    fingerprint = fingerprint_of(runner)
    return Model(name, folder, runner, fingerprint, {SKETCH: sketch(), LATENTS: stored_latents(fingerprint)})


def scheduler_of(model: Model, sampler: Sampler) -> Any:
    """As a user of diffusers asks for another sampler: its class, from the model folder."""
    return SCHEDULERS[sampler].from_pretrained(model.folder, subfolder="scheduler")


def pipeline(model: Model, asked: ImageRequest, scheduler: Any) -> Any:
    cls: Any = FromText if asked.init is None else FromPicture
    pipe = cls.from_pretrained(model.folder, scheduler=scheduler, safety_checker=None)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def init_of(model: Model, asked: ImageRequest) -> dict[str, object]:
    if asked.init is None:
        return {"width": asked.frame.canvas.width, "height": asked.frame.canvas.height}
    if asked.init.kind is InitKind.LATENTS:
        image: object = latents.unpack(stored_latents(model.fingerprint), model.fingerprint)
    else:
        drawn = sketch()
        image = Image.frombytes("RGB", (drawn.width, drawn.height), drawn.data)
    return {"image": image, "strength": asked.strength}


def diffusers_alone(model: Model, asked: ImageRequest) -> npt.NDArray[np.float32]:
    """What the reference pipeline gives, (height, width, 3) from 0 to 1."""
    return run(pipeline(model, asked, scheduler_of(model, asked.sampler)), model, asked)


def run(pipe: Any, model: Model, asked: ImageRequest) -> npt.NDArray[np.float32]:
    picture: npt.NDArray[np.float32] = pipe(
        asked.prompt,
        negative_prompt=asked.negative_prompt,
        num_inference_steps=asked.steps,
        guidance_scale=asked.guidance,
        generator=torch.Generator().manual_seed(asked.seeds[0]),
        output_type="np",
        **init_of(model, asked),
    ).images[0]
    return picture


def company(name: str) -> list[Joining]:
    """Others with other steps, strengths, guidances, seeds, prompts, inits and samplers, who come and go."""
    return [
        Joining(request(name, seeds=(1,), steps=4, guidance=3.0, prompt="a crater")),
        Joining(request(name, InitKind.PIXELS, seeds=(2, 3), steps=20, strength=0.3, guidance=1.0)),
        Joining(request(name, InitKind.LATENTS, seeds=(4,), steps=30, sampler=Sampler.DPMPP_2M), at=3),
        Joining(request(name, seeds=(5,), steps=5, prompt="earthrise", guidance=12.0), at=5),
    ]


def distance(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    return float(np.abs(one - other).max())


@pytest.mark.parametrize("sampler", list(Sampler))
@pytest.mark.parametrize("init", INITS)
def test_alone_and_in_company_it_is_what_diffusers_gives(
    model: Model, init: InitKind | None, sampler: Sampler
) -> None:
    """Within 1e-4 before rounding and 1/255 after it, alone and while others join and leave the batch."""
    asked = request(model.name, init, sampler=sampler, negative_prompt="stars", strength=0.8, steps=12)
    expected = diffusers_alone(model, asked)

    alone = play(model.runner, [asked], model.blobs)
    mixed = play(model.runner, [Joining(asked, at=1), *company(model.name)], model.blobs)

    for played in (alone, mixed):
        result = played.done[0]
        assert distance(as_floats(model.runner, result, model.fingerprint), expected) <= BOUND
        assert np.abs(as_bytes(result) / 255 - expected).max() <= 1 / 255
    assert max(alone.rows) == 2
    assert max(mixed.rows) >= 5
    assert len(set(mixed.rows)) >= 4, "others should have joined and left"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"sampler": Sampler.DPMPP_2M}, id="another sampler"),
        pytest.param({"seeds": (8,)}, id="another seed"),
        pytest.param({"guidance": 5.0}, id="another guidance"),
        pytest.param({"prompt": "the sun"}, id="another prompt"),
        pytest.param({"negative_prompt": "stars"}, id="another negative prompt"),
        pytest.param({"steps": 11}, id="other steps"),
    ],
)
@pytest.mark.parametrize("init", INITS)
def test_what_is_asked_for_makes_a_clear_difference(
    model: Model, init: InitKind | None, change: dict[str, Any]
) -> None:
    """The control of every equality here: another setting is off by a hundred times the bound."""
    expected = diffusers_alone(model, request(model.name, init))

    other = play(model.runner, [request(model.name, init, **change)], model.blobs)

    assert distance(as_floats(model.runner, other.done[0], model.fingerprint), expected) >= CLEARLY


@pytest.mark.parametrize("guidance", [0.0, 1.0])
def test_without_guidance_a_sample_takes_one_row(model: Model, guidance: float) -> None:
    """At a guidance of 1 or below the pipeline leaves out the negative prompt, and so do we."""
    asked = request(model.name, guidance=guidance)

    played = play(model.runner, [asked], model.blobs)

    result = as_floats(model.runner, played.done[0], model.fingerprint)
    assert distance(result, diffusers_alone(model, asked)) <= BOUND
    assert set(played.rows) == {1}


@pytest.mark.parametrize("strength", [0.3, 0.65, 1.0])
@pytest.mark.parametrize("sampler", list(Sampler))
def test_strength_cuts_the_schedule_as_the_pipeline_does(
    model: Model, sampler: Sampler, strength: float
) -> None:
    """int(steps × strength) steps are run, from the same timestep on."""
    asked = request(model.name, InitKind.PIXELS, strength=strength, steps=11, sampler=sampler)

    played = play(model.runner, [asked], model.blobs)

    result = as_floats(model.runner, played.done[0], model.fingerprint)
    assert distance(result, diffusers_alone(model, asked)) <= BOUND
    assert len(played.rows) == int(11 * strength)


def test_every_seed_of_a_request_is_a_run_of_its_own(model: Model) -> None:
    """Candidates are what the pipeline gives for each seed alone, though they share one encoded sketch."""
    asked = request(model.name, InitKind.PIXELS, seeds=(11, 12))

    played = play(model.runner, [asked], model.blobs)

    events = [one.event for step in played.outcomes for one in step]
    done = {event.sample: event for event in events if not hasattr(event, "steps")}
    for sample, seed in enumerate(asked.seeds):
        expected = diffusers_alone(model, request(model.name, InitKind.PIXELS, seeds=(seed,)))
        assert np.abs(as_bytes(done[sample]) / 255 - expected).max() <= 1 / 255  # type: ignore[arg-type] # the events without steps are results
    assert max(played.rows) == 4


def test_a_scheduler_made_from_the_pipelines_config_is_another_one(tmp_path: Path) -> None:
    """Why the table forbids `from_config`: it silently undoes what the pipeline corrected in a bare old file."""
    old = open_both("sd1", tiny_models.write_sd1(tmp_path))
    asked = request(old.name, InitKind.PIXELS)
    pipe = pipeline(old, asked, scheduler_of(old, Sampler.DDIM))

    played = play(old.runner, [asked], old.blobs)

    result = as_floats(old.runner, played.done[0], old.fingerprint)
    assert distance(result, run(pipe, old, asked)) <= BOUND
    pipe.scheduler = SCHEDULERS[Sampler.DDIM].from_config(pipe.scheduler.config)
    assert distance(result, run(pipe, old, asked)) >= CLEARLY


def test_in_one_fixed_bucket_company_does_not_change_a_bit(model: Model) -> None:
    """The opt-in replay mode: every pass has the same rows, so every sum has the same order. Without it they do not."""
    asked = request(model.name, InitKind.PIXELS)
    others = company(model.name)[:2]
    folders = {model.name: model.folder}
    fixed = StepRunner(config(folders, max_rows=8, fixed_rows=True), folders, ignore)

    alone = play(fixed, [asked], model.blobs)
    mixed = play(fixed, [*others, Joining(asked, at=1)], model.blobs)
    loose_alone = play(model.runner, [asked], model.blobs)
    loose_mixed = play(model.runner, [*others, Joining(asked, at=1)], model.blobs)

    assert alone.done[0] == mixed.done[2]
    assert loose_alone.done[0].latents != loose_mixed.done[2].latents
    assert set(alone.rows) == set(mixed.rows) == {8}
