"""A request's result is what the diffusers pipeline gives it alone, whoever shares its steps.

Every claim of equality stands beside controls that must differ by at least a hundred times the bound, and the shared
batch is proved by the rows of the forward passes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from inference.batching import StepRunner
from inference.types import ImageRequest, InitKind, SampleDone, Sampler
from tests.inference import tiny_models
from tests.inference.driving import (
    Joining,
    as_bytes,
    as_floats,
    config,
    ignore,
    play,
    request,
)
from tests.inference.references import (
    BOUND,
    CLEARLY,
    SCHEDULERS,
    Model,
    Picture,
    diffusers_alone,
    distance,
    open_both,
    pipeline,
    run,
    scheduler_of,
)

pytestmark = [
    # diffusers 0.42 turns a tensor into an array in a way that numpy 2 will not allow for ever.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
    # The sd1 model's scheduler file is outdated on purpose, and the pipelines say so.
    pytest.mark.filterwarnings("ignore:The configuration file of this scheduler:FutureWarning"),
]

INITS = [
    pytest.param(None, id="text"),
    pytest.param(InitKind.PIXELS, id="pixels"),
    pytest.param(InitKind.LATENTS, id="latents"),
]


@pytest.fixture(scope="module", params=["sd1", "sd2"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    name: str = request.param
    write = {"sd1": tiny_models.write_sd1, "sd2": tiny_models.write_sd2}[name]
    return open_both(name, write(tmp_path_factory.mktemp(name)))


def one_per_sampler(model: Model, init: InitKind | None) -> list[ImageRequest]:
    """Few steps, for with many of them the samplers come to the same picture."""
    return [
        request(model.name, init, sampler=sampler, negative_prompt="stars", strength=0.8, steps=5)
        for sampler in Sampler
    ]


def company(name: str) -> list[Joining]:
    """Others with other steps, strengths, guidances, seeds, prompts and inits, who come and go."""
    return [
        Joining(request(name, seeds=(1,), steps=4, guidance=3.0, prompt="a crater")),
        Joining(request(name, InitKind.PIXELS, seeds=(2, 3), steps=20, strength=0.3, guidance=1.0)),
        Joining(request(name, InitKind.LATENTS, seeds=(4,), steps=30, sampler=Sampler.DPMPP_2M), at=3),
        Joining(request(name, seeds=(5,), steps=5, prompt="earthrise", guidance=12.0), at=5),
    ]


def floats(model: Model, done: SampleDone) -> Picture:
    return as_floats(model.runner, done, model.fingerprint)


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("sampler", list(Sampler))
def test_alone_it_is_what_diffusers_gives(model: Model, init: InitKind | None, sampler: Sampler) -> None:
    """Within 1e-4 before rounding and 1/255 after it."""
    asked = one_per_sampler(model, init)[list(Sampler).index(sampler)]
    expected = diffusers_alone(model, asked)

    played = play(model.runner, [asked], model.blobs)

    assert distance(floats(model, played.done[0]), expected) <= BOUND
    assert np.abs(as_bytes(played.done[0]) / 255 - expected).max() <= 1 / 255
    assert set(played.rows) == {2}


@pytest.mark.parametrize("init", INITS)
def test_in_company_it_is_what_diffusers_gives(model: Model, init: InitKind | None) -> None:
    """All samplers in one batch, each joining a step after the one before, while others come and go: the same bounds,
    and no sampler's picture is mistaken for another's."""
    asked = one_per_sampler(model, init)
    expected = [diffusers_alone(model, each) for each in asked]

    played = play(
        model.runner,
        [*(Joining(each, at) for at, each in enumerate(asked)), *company(model.name)],
        model.blobs,
    )

    drawn = [floats(model, played.done[key]) for key in range(len(asked))]
    apart = [[distance(ours, theirs) for theirs in expected] for ours in drawn]
    own = [apart[at].pop(at) for at in range(len(asked))]
    assert max(own) <= BOUND
    assert min(min(others) for others in apart) >= CLEARLY
    assert max(played.rows) >= 12
    assert len(set(played.rows)) >= 6, "others should have joined and left"


@pytest.mark.parametrize(
    "change",
    [
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

    assert distance(floats(model, other.done[0]), expected) >= CLEARLY


@pytest.mark.parametrize("guidance", [0.0, 1.0])
def test_without_guidance_a_sample_takes_one_row(model: Model, guidance: float) -> None:
    """At a guidance of 1 or below the pipeline leaves out the negative prompt, and so do we."""
    asked = request(model.name, guidance=guidance)

    played = play(model.runner, [asked], model.blobs)

    assert distance(floats(model, played.done[0]), diffusers_alone(model, asked)) <= BOUND
    assert set(played.rows) == {1}


@pytest.mark.parametrize("strength", [0.3, 0.65, 1.0])
@pytest.mark.parametrize("sampler", list(Sampler))
def test_strength_cuts_the_schedule_as_the_pipeline_does(
    model: Model, sampler: Sampler, strength: float
) -> None:
    """int(steps × strength) steps are run, from the same timestep on; with LCM all of them, closer together."""
    asked = request(model.name, InitKind.PIXELS, strength=strength, steps=11, sampler=sampler)

    played = play(model.runner, [asked], model.blobs)

    assert distance(floats(model, played.done[0]), diffusers_alone(model, asked)) <= BOUND
    assert len(played.rows) == (11 if sampler is Sampler.LCM else int(11 * strength))


def test_lcm_runs_no_more_steps_than_its_schedule_has(model: Model) -> None:
    """Of the 50 steps that it was distilled on a strength of 0.1 leaves five; a plan of none runs one."""
    few = request(model.name, InitKind.PIXELS, strength=0.1, steps=30, sampler=Sampler.LCM)
    none = request(model.name, InitKind.PIXELS, strength=0.001, steps=4, sampler=Sampler.LCM)
    five = msgspec.structs.replace(few, steps=5)

    played = play(model.runner, [few, none], model.blobs)

    assert [{one.steps for one in played.progress(key)} for key in (0, 1)] == [{5}, {1}]
    assert distance(floats(model, played.done[0]), diffusers_alone(model, five)) <= BOUND


@pytest.mark.parametrize("sampler", list(Sampler))
def test_a_single_step_is_what_the_pipeline_makes_of_it(model: Model, sampler: Sampler) -> None:
    """Solvers have special cases at both ends of their schedules, which are here the same step."""
    asked = request(model.name, sampler=sampler, steps=1)

    played = play(model.runner, [asked], model.blobs)

    assert distance(floats(model, played.done[0]), diffusers_alone(model, asked)) <= BOUND
    assert len(played.rows) == 1


def test_a_start_among_timesteps_that_come_twice_is_the_pipelines(model: Model) -> None:
    """Karras' last noise levels lie so close that they round to one timestep: the index says which is meant."""
    asked = request(
        model.name, InitKind.LATENTS, sampler=Sampler.DPMPP_2M_KARRAS, steps=200, strength=0.03, seeds=(3,)
    )
    schedule = scheduler_of(model, asked.sampler)
    schedule.set_timesteps(200)

    played = play(model.runner, [asked], model.blobs)

    assert len(set(schedule.timesteps[-6:].tolist())) < 6
    assert len(played.rows) == 6
    assert distance(floats(model, played.done[0]), diffusers_alone(model, asked)) <= BOUND


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
    pipe.scheduler = SCHEDULERS[Sampler.DDIM][0].from_config(pipe.scheduler.config)
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
