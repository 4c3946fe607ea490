"""The stand-in: built here, small, quick, always the same, and good enough to follow the way of working."""

from __future__ import annotations

import filecmp
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from diffusers import StableDiffusionPipeline

from inference import standin
from inference.batching import StepRunner
from inference.catalogue import model_infos
from inference.config import STAND_IN
from inference.types import Blob, Frame, Init, InitKind, PictureRef, Pixels, Size
from tests.inference.driving import SKETCH, as_bytes, config, ignore, play, request

SIDE = standin.NATIVE
FRAME = Frame(canvas=Size(SIDE, SIDE), content=Size(SIDE, SIDE))


def painted() -> Pixels:
    """A night above grey ground, with a blue disc and a red box."""
    picture = np.full((SIDE, SIDE, 3), (20, 20, 40), np.uint8)
    picture[150:] = (130, 130, 130)
    down, across = np.mgrid[0:SIDE, 0:SIDE]
    picture[(down - 65) ** 2 + (across - 185) ** 2 < 35**2] = (40, 90, 220)
    picture[120:200, 60:110] = (200, 60, 40)
    return Pixels(SIDE, SIDE, picture.tobytes())


BLOBS: dict[PictureRef, Blob] = {SKETCH: painted()}


@pytest.fixture(scope="module")
def runner(stand_in: Path) -> StepRunner:
    return StepRunner(
        config({STAND_IN: stand_in}, max_rows=16, preview_seconds=0.0), {STAND_IN: stand_in}, ignore
    )


def draw(
    runner: StepRunner, init: InitKind | Init | None = InitKind.PIXELS, **changes: Any
) -> npt.NDArray[np.int_]:
    asked = request(STAND_IN, init, frame=FRAME, **{"steps": 20, **changes})
    return as_bytes(play(runner, [asked], BLOBS).done[0]).astype(int)


def likeness(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def sketch() -> npt.NDArray[np.int_]:
    return np.frombuffer(painted().data, np.uint8).reshape(SIDE, SIDE, 3).astype(int)


def test_it_keeps_less_of_the_sketch_the_higher_the_strength_is(runner: StepRunner) -> None:
    """The lesson that a first try should teach: low strength keeps the sketch, full strength forgets it."""
    kept = [likeness(draw(runner, strength=strength), sketch()) for strength in (0.2, 0.5, 0.8, 1.0)]

    assert kept == sorted(kept, reverse=True)
    assert kept[0] > 0.9
    assert kept[-1] < 0.6


def test_seed_and_prompt_change_the_picture(runner: StepRunner) -> None:
    """Candidates differ, and another wording is another picture, though it means nothing."""
    first = draw(runner, None)

    for change in ({"seeds": (8,)}, {"prompt": "a red house"}):
        assert np.abs(draw(runner, None, **change) - first).mean() > 2
    assert np.abs(draw(runner, None) - first).max() == 0


def test_its_pictures_have_colours(runner: StepRunner) -> None:
    """Nothing is grey, black or burnt out."""
    picture = draw(runner, None)

    assert 50 < picture.mean() < 205
    assert picture.std() > 25


def test_its_previews_look_like_its_pictures(runner: StepRunner) -> None:
    """The last preview is the result in small, and the first one is further from it."""
    played = play(runner, [request(STAND_IN, InitKind.PIXELS, frame=FRAME, strength=0.8)], BLOBS)
    result = as_bytes(played.done[0]).reshape(32, 8, 32, 8, 3).mean(axis=(1, 3))
    shown = [one.preview for one in played.progress() if one.preview is not None]
    first, last = (
        likeness(np.frombuffer(one.data, np.uint8).reshape(32, 32, 3), result)
        for one in (shown[0], shown[-1])
    )

    assert last > 0.97
    assert last > first


def test_it_is_small(stand_in: Path) -> None:
    """A test, a playground and a first start can all afford it."""
    assert sum(file.stat().st_size for file in stand_in.rglob("*") if file.is_file()) < 30e6


def test_it_is_quick(runner: StepRunner) -> None:
    """Twenty guided steps take less than three seconds of one core's work."""
    draw(runner)
    before = time.process_time()
    draw(runner, steps=20, strength=1.0)

    assert time.process_time() - before < 6.0, (
        "twice the promise, for machines slower than those it was made on"
    )


def test_it_is_always_the_same(stand_in: Path, tmp_path: Path) -> None:
    """Two builds are equal file by file, so a recipe made with one can be replayed with the other."""
    again = tmp_path / "again"

    standin.build(again)

    files = [str(file.relative_to(stand_in)) for file in stand_in.rglob("*") if file.is_file()]
    equal, different, missing = filecmp.cmpfiles(stand_in, again, files, shallow=False)
    assert (len(equal), different, missing) == (len(files), [], [])
    assert [path.name for path in tmp_path.iterdir()] == ["again"], "nothing half-built is left behind"


def test_it_is_not_built_over_something_else(tmp_path: Path) -> None:
    """What lies in the folder is somebody's."""
    occupied = tmp_path / "occupied"
    occupied.mkdir()

    with pytest.raises(FileExistsError, match="occupied"):
        standin.build(occupied)

    assert [path.name for path in tmp_path.iterdir()] == ["occupied"]


def test_plain_diffusers_opens_it(stand_in: Path) -> None:
    """It is an ordinary model folder: nothing of ours is needed to look at it."""
    load: Any = StableDiffusionPipeline.from_pretrained
    pipe = load(stand_in, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)

    picture = pipe("the moon", num_inference_steps=2).images[0]

    assert picture.size == (SIDE, SIDE)


def test_it_says_what_it_is(stand_in: Path) -> None:
    """Whoever looks at the catalogue is told that it does not draw what the prompt says."""
    (info,) = model_infos(config({}).catalogue.__class__(models={STAND_IN: None}), stand_in.parent)

    assert "stand-in" in info.notice
    assert info.native == Size(SIDE, SIDE)
    assert info.latents
