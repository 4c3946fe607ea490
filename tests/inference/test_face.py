"""The engine's face: what it exports, what importing it does not load, and records that are valid by construction."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import inference
from inference import (
    MAX_GUIDANCE,
    MAX_SEED,
    BadRequest,
    Box,
    EngineState,
    Frame,
    Grey,
    ImageRequest,
    Init,
    InitKind,
    ModelInfo,
    PictureRef,
    Pixels,
    Sampler,
    Size,
    fit,
    size_table,
)
from inference.sizes import GRID, MAX_ASPECT
from inference.types import MAX_SAMPLES

ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "diffusers", "transformers", "safetensors"}
NATIVES = (Size(256, 256), Size(512, 512), Size(768, 768), Size(1024, 1024), Size(512, 768))
INIT = Init(kind=InitKind.PIXELS, ref=PictureRef("a" * 64))
MASK = PictureRef("b" * 64)


def request(
    *,
    seeds: tuple[int, ...] = (1,),
    init: Init | None = None,
    strength: float = 0.75,
    strengths: tuple[float, ...] = (),
    mask: PictureRef | None = None,
    steps: int = 30,
    guidance: float = 7.5,
    sampler: Sampler = Sampler.DDIM,
) -> ImageRequest:
    square = Size(512, 512)
    return ImageRequest(
        model="moon",
        prompt="a moon",
        seeds=seeds,
        frame=Frame(canvas=square, content=square),
        init=init,
        strength=strength,
        strengths=strengths,
        mask=mask,
        steps=steps,
        guidance=guidance,
        sampler=sampler,
    )


def loaded_after(statement: str) -> set[str]:
    """Top-level modules in a fresh process that ran `statement`."""
    script = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    return set(result.stdout.split())


# What it exports and loads


def test_the_face_exports_what_it_says() -> None:
    """`__all__` holds every public name, each once and in order, and nothing that is not there."""
    public = {
        name
        for name, value in vars(inference).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }

    assert set(inference.__all__) == public
    assert inference.__all__ == sorted(
        inference.__all__, key=lambda name: (not name.isupper(), name[0].islower(), name)
    )


def test_importing_the_face_loads_nothing_heavy() -> None:
    """Neither torch nor what needs it, and nothing of the bot or of Discord."""
    loaded = loaded_after("import inference")

    assert "inference" in loaded
    assert not loaded & (HEAVY | {"bot", "discord"})


@pytest.mark.parametrize("module", ["bot.client", "bot.run", "bot.try_out", "bot.__main__"])
def test_importing_the_bot_loads_nothing_heavy(module: str) -> None:
    """The bot's process stays small however it is started."""
    loaded = loaded_after(f"import {module}")

    assert "bot" in loaded
    assert not loaded & HEAVY


def test_a_heavy_import_would_be_noticed() -> None:
    """The control: a module that is loaded is found by its top-level name."""
    assert "xml" in loaded_after("import xml.dom.minidom")
    assert "xml" not in loaded_after("import inference")


# Records


@pytest.mark.parametrize("strength", [0.0, -0.1, 1.01, math.nan, math.inf])
def test_a_wrong_strength_cannot_be_held(strength: float) -> None:
    """Above 0 and at most 1."""
    with pytest.raises(BadRequest, match="Strength must be above 0 and at most 1"):
        request(strength=strength)
    with pytest.raises(BadRequest, match="Strength must be above 0 and at most 1"):
        request(seeds=(1, 2), strengths=(0.5, strength))


@pytest.mark.parametrize("strengths", [(0.5,), (0.5, 0.6, 0.7)])
def test_strengths_are_one_for_each_seed(strengths: tuple[float, ...]) -> None:
    """Or there are none of them."""
    with pytest.raises(BadRequest, match="one strength for each seed"):
        request(seeds=(1, 2), strengths=strengths)


def test_a_mask_is_one_of_a_picture() -> None:
    """Without a picture there is nothing to keep."""
    assert request(init=INIT, mask=MASK).mask == MASK

    with pytest.raises(BadRequest, match="Only a picture"):
        request(mask=MASK)


@pytest.mark.parametrize("box", [(-1, 0, 9, 9), (0, -1, 9, 9), (0, 0, 0, 9), (0, 0, 9, 0)])
def test_a_window_begins_in_its_picture_and_has_a_pixel(box: tuple[int, int, int, int]) -> None:
    """Where it ends is known when the picture comes."""
    assert Init(kind=InitKind.PIXELS, ref=MASK, window=Box(0, 0, 1, 1)).window == Box(0, 0, 1, 1)

    with pytest.raises(BadRequest, match="outside the picture"):
        Init(kind=InitKind.PIXELS, ref=MASK, window=Box(*box))
    with pytest.raises(BadRequest, match="Only a picture's pixels"):
        Init(kind=InitKind.LATENTS, ref=MASK, window=Box(0, 0, 1, 1))


@pytest.mark.parametrize("guidance", [-0.1, MAX_GUIDANCE + 0.1, math.nan, math.inf])
def test_a_wrong_guidance_cannot_be_held(guidance: float) -> None:
    """From 0 to the greatest."""
    with pytest.raises(BadRequest, match="Guidance must be between 0 and 30"):
        request(guidance=guidance)


@pytest.mark.parametrize("seeds", [(), (-1,), (MAX_SEED + 1,), tuple(range(MAX_SAMPLES + 1))])
def test_wrong_seeds_cannot_be_held(seeds: tuple[int, ...]) -> None:
    """At least one, not too many, each in its range."""
    with pytest.raises(BadRequest, match="seed"):
        request(seeds=seeds)


def test_no_steps_cannot_be_held() -> None:
    """One is the least."""
    with pytest.raises(BadRequest, match="Steps must be at least 1"):
        request(steps=0)


def test_the_ends_of_every_range_can_be_held() -> None:
    """The control of the refusals above."""
    least = request(seeds=(0,), strength=1e-9, steps=1, guidance=0)
    greatest = request(seeds=(MAX_SEED,) * MAX_SAMPLES, strength=1, guidance=MAX_GUIDANCE)

    assert (least.planned_steps, least.rows, greatest.rows) == (1, 1, 32)


def test_a_request_survives_its_json() -> None:
    """What is stored is what is read; a field that is not known and a value that is wrong are refused."""
    window = msgspec.structs.replace(INIT, window=Box(1, 2, 3, 4))
    made = request(init=window, mask=MASK, seeds=(1, 2), strengths=(0.3, 0.9))

    stored = msgspec.json.encode(made)

    assert msgspec.json.decode(stored, type=ImageRequest) == made
    for wrong in (stored.replace(b'"steps":30', b'"steps":0'), stored.replace(b'"steps"', b'"stepps"')):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(wrong, type=ImageRequest)


@pytest.mark.parametrize("guidance, guided, rows", [(0.0, False, 2), (1.0, False, 2), (1.01, True, 4)])
def test_guidance_takes_a_second_row(guidance: float, guided: bool, rows: int) -> None:
    """Above 1; at 1 the unguided prediction has no weight."""
    made = request(seeds=(1, 2), guidance=guidance)

    assert (made.guided, made.rows) == (guided, rows)


@pytest.mark.parametrize(
    "steps, strength, planned",
    [(30, 0.75, 22), (30, 1.0, 30), (50, 0.58, 28), (10, 0.7, 7), (30, 0.01, 1), (1, 0.5, 1)],
)
def test_steps_are_planned_as_diffusers_counts(steps: int, strength: float, planned: int) -> None:
    """int(steps × strength) on an init, but never none; without an init all of them."""
    assert request(init=INIT, steps=steps, strength=strength).planned_steps == planned
    assert request(steps=steps, strength=strength).planned_steps == steps


def test_samples_are_planned_each_by_its_own_strength() -> None:
    """The plan of the request is that of the longest; without an init strengths mean nothing."""
    strip = request(init=INIT, seeds=(7,) * 3, strengths=(0.3, 0.9, 0.6), steps=10)
    from_text = request(seeds=(7,) * 3, strengths=(0.3, 0.9, 0.6), steps=10)

    assert [strip.steps_of(at) for at in range(3)] == [3, 9, 6]
    assert (strip.planned_steps, strip.total_steps) == (9, 18)
    assert (from_text.planned_steps, from_text.total_steps) == (10, 30)


@pytest.mark.parametrize(
    "steps, strength, planned", [(4, 0.5, 4), (4, 0.05, 2), (30, 0.35, 17), (4, 0.01, 1), (60, 1.0, 50)]
)
def test_few_step_samplers_run_the_steps_that_are_asked_for(
    steps: int, strength: float, planned: int
) -> None:
    """With LCM strength says how far back it starts, not how many steps it takes, until its schedule has no more."""
    assert request(init=INIT, steps=steps, strength=strength, sampler=Sampler.LCM).planned_steps == planned
    assert request(steps=4, sampler=Sampler.LCM).planned_steps == 4


@pytest.mark.parametrize(
    "content, left, top",
    [
        (Size(513, 512), 0, 0),
        (Size(512, 512), 1, 0),
        (Size(500, 500), 0, 13),
        (Size(0, 9), 0, 0),
        (Size(9, 9), -1, 0),
    ],
)
def test_a_picture_beyond_its_canvas_cannot_be_held(content: Size, left: int, top: int) -> None:
    """It lies inside the canvas and has at least a pixel."""
    with pytest.raises(BadRequest, match="does not fit on the canvas"):
        Frame(canvas=Size(512, 512), content=content, left=left, top=top)


@pytest.mark.parametrize("length", [0, 5, 18])
def test_a_mask_has_the_bytes_of_its_size(length: int) -> None:
    """One for each pixel."""
    assert Grey(3, 2, bytes(6)).size == Size(3, 2)

    with pytest.raises(BadRequest, match="do not match"):
        Grey(3, 2, bytes(length))


@pytest.mark.parametrize("length", [0, 17, 19])
def test_pixels_have_the_bytes_of_their_size(length: int) -> None:
    """Three for each, no more and no less."""
    assert Pixels(3, 2, bytes(18)).size == Size(3, 2)

    with pytest.raises(BadRequest, match="do not match"):
        Pixels(3, 2, bytes(length))


def test_an_engine_takes_work_when_it_is_ready_or_busy() -> None:
    """And in no other state."""
    assert {state for state in EngineState if state.takes_work} == {EngineState.READY, EngineState.BUSY}


def test_a_models_defaults_make_a_valid_request() -> None:
    """Nobody is refused for saying nothing."""
    model = ModelInfo(name="moon", title="moon", sizes=size_table(Size(512, 512)), native=Size(512, 512))

    for strength in (model.strength, model.subtle, model.strong):
        made = request(strength=strength, steps=model.steps, guidance=model.guidance)
        assert made.planned_steps == model.steps


# Sizes


@pytest.mark.parametrize("native", NATIVES, ids=str)
def test_a_models_sizes_are_near_its_native_one(native: Size) -> None:
    """Whole 64s within 10 % of its area, each once, the native one and every turned one among them."""
    table = size_table(native)

    assert native in table
    assert len(set(table)) == len(table)
    for size in table:
        assert size.width % GRID == size.height % GRID == 0
        assert 0.9 <= size.area / native.area <= 1.1
        assert Size(size.height, size.width) in table


@given(native=st.sampled_from(NATIVES), width=st.integers(1, 5000), height=st.integers(1, 5000))
def test_a_picture_fits_or_is_refused(native: Size, width: int, height: int) -> None:
    """It touches two opposite edges, sits in the middle, and keeps its aspect to half a pixel."""
    table = size_table(native)
    if max(width, height) > MAX_ASPECT * min(width, height):
        with pytest.raises(BadRequest, match="too long and thin"):
            fit(Size(width, height), table)
        return

    frame = fit(Size(width, height), table)

    canvas, content = frame.canvas, frame.content
    assert canvas in table
    assert content.width == canvas.width or content.height == canvas.height
    scale = min(canvas.width / width, canvas.height / height)
    assert abs(content.width - width * scale) <= 0.5
    assert abs(content.height - height * scale) <= 0.5
    assert abs(2 * frame.left + content.width - canvas.width) <= 1
    assert abs(2 * frame.top + content.height - canvas.height) <= 1
    assert frame.cropped == (content != canvas)


@given(native=st.sampled_from(NATIVES), width=st.integers(64, 4000), height=st.integers(64, 4000))
def test_no_other_size_wastes_less(native: Size, width: int, height: int) -> None:
    """Of all the model's sizes the one is taken of which the picture covers the greatest share."""
    picture, table = Size(width, height), size_table(native)
    if max(width, height) > MAX_ASPECT * min(width, height):
        return

    def covered(frame: Frame) -> float:
        return frame.content.area / frame.canvas.area

    best = covered(fit(picture, table))
    assert best >= max(covered(fit(picture, [size])) for size in table)


@pytest.mark.parametrize("native", NATIVES, ids=str)
def test_a_models_own_sizes_are_not_cropped(native: Size) -> None:
    """Refining a whole canvas stays on it, at any scale of it."""
    table = size_table(native)

    for size in table:
        assert fit(size, table) == Frame(canvas=size, content=size)
        assert fit(Size(size.width * 3, size.height * 3), table).canvas == size
