"""A masked request's result is what diffusers' inpainting pipeline gives it alone, with the same UNet of four channels.

Masks here are of whole cells of 8 × 8 pixels, for which the pipeline and the engine read the same; what they read
otherwise has a test of its own. Kept is 127, drawn anew is 128: the two greys between which the pipeline divides.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
import torch

from inference import latents
from inference.types import (
    Box,
    Frame,
    Grey,
    ImageRequest,
    Init,
    InitKind,
    PictureRef,
    Pixels,
    SampleDone,
    Sampler,
    Size,
)
from tests.inference import tiny_models
from tests.inference.driving import (
    SKETCH,
    Joining,
    Played,
    as_bytes,
    as_floats,
    play,
    request,
    sketch,
    stored_latents,
)
from tests.inference.references import (
    BOUND,
    CLEARLY,
    Model,
    Picture,
    diffusers_alone,
    distance,
    open_both,
    run,
    scheduler_of,
    uncorrected_masked_pipeline,
)
from tests.inference.tiny_models import CANVAS

pytestmark = [
    # diffusers 0.42 turns a tensor into an array in a way that numpy 2 will not allow for ever.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
    # The sd1 model's scheduler file is outdated on purpose, and the pipelines say so.
    pytest.mark.filterwarnings("ignore:The configuration file of this scheduler:FutureWarning"),
]

CELLS = CANVAS // 8
LARGE = PictureRef("a" * 64)
MASK, OTHER_MASK, STROKE, GROWN_STROKE, LARGE_MASK = (PictureRef(letter * 64) for letter in "bcdef")
WHOLE = PictureRef("6" * 64), PictureRef("7" * 64)
WINDOW = Box(20, 8, CANVAS // 2, CANVAS // 2)
INITS = [InitKind.PIXELS, InitKind.LATENTS]


def grey(cells: npt.NDArray[np.bool_], pixels: int = 8) -> Grey:
    """A mask of whole cells, each of so many pixels."""
    values = np.where(np.kron(cells, np.ones((pixels, pixels), bool)), 128, 127).astype(np.uint8)
    return Grey(values.shape[1], values.shape[0], values.tobytes())


def corner(size: int) -> npt.NDArray[np.bool_]:
    """An L of cells: top left, without its own upper left quarter."""
    cells = np.zeros((CELLS, CELLS), bool)
    cells[:size, :size] = True
    cells[: size // 2, : size // 2] = False
    return cells


def marked(places: list[tuple[int, int]]) -> npt.NDArray[np.bool_]:
    cells = np.zeros((CELLS, CELLS), bool)
    cells[tuple(np.array(places).T)] = True
    return cells


def stroke() -> tuple[Grey, Grey]:
    """A line of one pixel's width that touches no cell's top left pixel; and all cells that it touches."""
    thin, cells = np.zeros((CANVAS, CANVAS), np.uint8), np.zeros((CELLS, CELLS), bool)
    thin[13:60, 29] = 255
    cells[1:, 3] = True
    return Grey(CANVAS, CANVAS, thin.tobytes()), grey(cells)


def large_mask() -> Grey:
    """For a picture twice as large, of which the window sees cells of 4 pixels."""
    values = np.full((2 * CANVAS, 2 * CANVAS), 255, np.uint8)
    seen = grey(corner(6), 4)
    values[WINDOW.top :, WINDOW.left :][: WINDOW.height, : WINDOW.width] = np.frombuffer(
        seen.data, np.uint8
    ).reshape(WINDOW.height, WINDOW.width)
    return Grey(2 * CANVAS, 2 * CANVAS, values.tobytes())


@pytest.fixture(scope="module", params=["sd1", "sd2"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    name: str = request.param
    write = {"sd1": tiny_models.write_sd1, "sd2": tiny_models.write_sd2}[name]
    opened = open_both(name, write(tmp_path_factory.mktemp(name)))
    thin, grown = stroke()
    opened.blobs.update({MASK: grey(corner(6)), OTHER_MASK: grey(~corner(6)), STROKE: thin})
    whole = np.ones((CELLS, CELLS), bool)
    opened.blobs.update({WHOLE[0]: grey(whole), WHOLE[1]: grey(whole, 16)})
    opened.blobs.update({GROWN_STROKE: grown, LARGE: sketch(2 * CANVAS), LARGE_MASK: large_mask()})
    return opened


def masked(model: Model, init: InitKind | Init = InitKind.PIXELS, **changes: Any) -> ImageRequest:
    """Few steps, for with many of them the samplers come to the same picture."""
    settings = {"mask": MASK, "negative_prompt": "stars", "strength": 0.8, "steps": 5, **changes}
    return request(model.name, init, **settings)


def floats(model: Model, done: SampleDone) -> Picture:
    return as_floats(model.runner, done, model.fingerprint)


def by_sample(played: Played) -> list[SampleDone]:
    flat = [one.event for step in played.outcomes for one in step]
    return sorted((one for one in flat if isinstance(one, SampleDone)), key=lambda done: done.sample)


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("sampler", list(Sampler))
@pytest.mark.parametrize("strength", [0.5, 0.8, 1.0])
def test_alone_it_is_what_the_inpainting_pipeline_gives(
    model: Model, init: InitKind, sampler: Sampler, strength: float
) -> None:
    """Within 1e-4 before rounding and 1/255 after it, at a strength of 1 from noise alone; also for the samplers that
    draw noise in their steps, after all that the pipeline has drawn before them."""
    asked = masked(model, init, sampler=sampler, strength=strength)
    expected = diffusers_alone(model, asked)

    played = play(model.runner, [asked], model.blobs)

    assert distance(floats(model, played.done[0]), expected) <= BOUND
    assert np.abs(as_bytes(played.done[0]) / 255 - expected).max() <= 1 / 255
    assert set(played.rows) == {2}


@pytest.mark.parametrize("init", INITS)
def test_in_company_it_is_what_the_inpainting_pipeline_gives(model: Model, init: InitKind) -> None:
    """Masked and unmasked, all samplers, two more with each step, in one batch: the same bounds for all, and no
    picture is mistaken for another's."""
    asked = [masked(model, init, sampler=sampler, mask=mask) for sampler in Sampler for mask in (MASK, None)]
    expected = [diffusers_alone(model, each) for each in asked]

    played = play(model.runner, [Joining(each, at // 2) for at, each in enumerate(asked)], model.blobs)

    drawn = [floats(model, played.done[key]) for key in range(len(asked))]
    apart = [[distance(ours, theirs) for theirs in expected] for ours in drawn]
    own = [apart[at].pop(at) for at in range(len(asked))]
    assert max(own) <= BOUND
    assert min(min(others) for others in apart) >= CLEARLY
    assert max(played.rows) == 16
    assert len(set(played.rows)) >= 3, "they should have joined and left"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"mask": OTHER_MASK}, id="another mask"),
        pytest.param({"mask": None}, id="no mask"),
        pytest.param({"mask": None, "strength": 1.0}, id="no mask, from noise"),
        pytest.param({"seeds": (8,)}, id="another seed"),
        pytest.param({"prompt": "the sun"}, id="another prompt"),
        pytest.param({"strength": 0.6}, id="another strength"),
    ],
)
@pytest.mark.parametrize("init", INITS)
def test_what_is_asked_for_makes_a_clear_difference(
    model: Model, init: InitKind, change: dict[str, Any]
) -> None:
    """The control of every equality here: another setting is off by a hundred times the bound."""
    expected = diffusers_alone(model, masked(model, init))

    other = play(model.runner, [masked(model, init, **change)], model.blobs)

    assert distance(floats(model, other.done[0]), expected) >= CLEARLY


@pytest.mark.parametrize("strength, alike", [(1.0, True), (0.9, False)])
def test_at_full_strength_the_part_starts_from_noise_alone(
    model: Model, strength: float, alike: bool
) -> None:
    """As in the pipeline: nothing of the picture lies under the noise. With all of it marked, two pictures become the
    same; at less than full strength they do not."""
    pictures = [Init(kind=InitKind.PIXELS, ref=ref) for ref in (SKETCH, LARGE)]
    asked = [
        masked(model, init, mask=mask, strength=strength) for init, mask in zip(pictures, WHOLE, strict=True)
    ]

    played = play(model.runner, asked, model.blobs)

    apart = distance(floats(model, played.done[0]), floats(model, played.done[1]))
    assert apart <= BOUND if alike else apart >= CLEARLY


def test_what_is_kept_comes_back_to_the_bit_in_the_latents(model: Model) -> None:
    """The stored latents are the blended ones: outside the mask those that the run started from."""
    asked = masked(model, InitKind.LATENTS)

    played = play(model.runner, [asked], model.blobs)

    before, after = (
        latents.unpack(blob, model.fingerprint)
        for blob in (stored_latents(model.fingerprint), played.done[0].latents)
    )
    anew = torch.from_numpy(corner(6))
    assert torch.equal(after[..., ~anew], before[..., ~anew])
    assert (after - before)[..., anew].abs().max() > 0.1


def test_previews_show_what_is_kept_as_it_is(model: Model) -> None:
    """From the first one on: the model's guess at clean latents is only asked for where it draws."""
    preview = model.runner.loaded.preview  # type: ignore[union-attr] # a model is loaded
    blob = stored_latents(model.fingerprint)

    played = play(model.runner, [masked(model, InitKind.LATENTS)], model.blobs)

    first = played.progress()[0].preview
    assert first is not None
    shown = np.frombuffer(first.data, np.uint8).reshape(CELLS, CELLS, 3)
    kept = preview(latents.unpack(blob, model.fingerprint))
    assert np.array_equal(shown[~corner(6)], kept[~corner(6)])
    assert not np.array_equal(shown, kept)


def test_a_stroke_of_one_pixel_is_drawn_anew_with_the_cells_that_it_touches(model: Model) -> None:
    """The pipeline looks at one pixel of each cell and would lose it; with the cells marked it gives the same."""
    thin, grown = masked(model, mask=STROKE), masked(model, mask=GROWN_STROKE)

    played = play(model.runner, [thin], model.blobs)

    drawn = floats(model, played.done[0])
    assert distance(drawn, diffusers_alone(model, grown)) <= BOUND
    assert distance(drawn, diffusers_alone(model, thin)) >= CLEARLY


@pytest.mark.parametrize("mask", [LARGE_MASK, None])
def test_of_a_window_only_its_part_of_picture_and_mask_counts(model: Model, mask: PictureRef | None) -> None:
    """The same as cutting it out of both and scaling that; another window is another picture."""
    asked, elsewhere = (
        masked(model, Init(kind=InitKind.PIXELS, ref=LARGE, window=window), mask=mask)
        for window in (WINDOW, msgspec.structs.replace(WINDOW, left=60, top=60))
    )

    played = play(model.runner, [asked, elsewhere], model.blobs)

    assert distance(floats(model, played.done[0]), diffusers_alone(model, asked)) <= BOUND
    assert distance(floats(model, played.done[1]), diffusers_alone(model, asked)) >= CLEARLY
    assert played.done[0].pixels.size == Size(CANVAS, CANVAS)


def test_the_pad_is_drawn_anew_where_its_reflection_is(model: Model) -> None:
    """What goes beyond the content is the mirror image of both, the picture and its mask. The control keeps the pad."""
    wide = Frame(canvas=Size(CANVAS, CANVAS), content=Size(CANVAS, 32), top=16)
    flat, flat_mask, canvas, *masks = (PictureRef(letter * 64) for letter in "89ghi")
    picture = np.frombuffer(sketch().data, np.uint8).reshape(CANVAS, CANVAS, 3)[:32]
    padded = np.pad(picture, ((16, 16), (0, 0), (0, 0)), mode="reflect")
    within = [(2, 2), (4, 5)]
    # A mirror image leaves out the edge, so that the cells of the pad lie by a pixel beside those of the content.
    reflected = [(1, 2), (0, 5), (6, 5), (7, 5)]
    cells = [marked([*within, *reflected]), marked(within)]
    model.blobs.update({flat: Pixels(CANVAS, 32, picture.tobytes()), flat_mask: grey(marked(within)[2:6])})
    model.blobs[canvas] = Pixels(CANVAS, CANVAS, padded.tobytes())
    model.blobs.update(zip(masks, map(grey, cells), strict=True))
    asked = masked(model, Init(kind=InitKind.PIXELS, ref=flat), mask=flat_mask, frame=wide)
    on_canvas = [masked(model, Init(kind=InitKind.PIXELS, ref=canvas), mask=mask) for mask in masks]

    played = play(model.runner, [asked], model.blobs)

    drawn = floats(model, played.done[0])
    assert distance(drawn, diffusers_alone(model, on_canvas[0])) <= BOUND
    assert distance(drawn, diffusers_alone(model, on_canvas[1])) >= CLEARLY
    assert played.done[0].pixels.size == Size(CANVAS, 32)


@pytest.mark.parametrize("mask", [MASK, None])
@pytest.mark.parametrize("sampler", list(Sampler))
def test_a_strip_of_strengths_is_a_run_for_each(
    model: Model, sampler: Sampler, mask: PictureRef | None
) -> None:
    """Five strengths with one seed in one batch: each is what the pipeline gives for that strength alone, with the
    steps that it has; and none is like its neighbour."""
    strengths = (0.3, 0.45, 0.6, 0.75, 0.9)
    strip = masked(model, mask=mask, seeds=(7,) * 5, strengths=strengths, steps=11, sampler=sampler)
    alone = [masked(model, mask=mask, strength=each, steps=11, sampler=sampler) for each in strengths]

    played = play(model.runner, [strip], model.blobs)

    drawn = [floats(model, done) for done in by_sample(played)]
    expected = [diffusers_alone(model, each) for each in alone]
    apart = [[distance(ours, theirs) for theirs in expected] for ours in drawn]
    assert max(apart[at].pop(at) for at in range(5)) <= BOUND
    assert min(min(others) for others in apart) >= CLEARLY
    assert {(one.sample, one.steps) for one in played.progress()} == {
        (at, 11 if sampler is Sampler.LCM else int(11 * each)) for at, each in enumerate(strengths)
    }
    assert max(played.rows) == 10


def test_an_old_scheduler_file_is_corrected_for_masks_too(tmp_path: Path) -> None:
    """The inpainting pipeline forgets one correction that the others make, and clips the latents as if they were
    colours: another picture, and not the one that is meant."""
    old = open_both("sd1", tiny_models.write_sd1(tmp_path))
    asked = masked(old, InitKind.LATENTS, mask=MASK)
    old.blobs[MASK] = grey(corner(6))

    played = play(old.runner, [asked], old.blobs)

    ours = as_floats(old.runner, played.done[0], old.fingerprint)
    assert distance(ours, diffusers_alone(old, asked)) <= BOUND
    uncorrected = uncorrected_masked_pipeline(old, scheduler_of(old, Sampler.DDIM))
    assert distance(ours, run(uncorrected, old, asked)) >= CLEARLY
