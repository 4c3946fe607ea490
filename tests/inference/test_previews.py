"""Previews follow the picture, cost no decoder, and come by time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from inference import loading, previews
from inference.batching import StepRunner
from inference.models.stable_diffusion import StableDiffusion
from inference.types import Frame, InitKind, Size
from tests.inference import tiny_models
from tests.inference.driving import (
    SKETCH,
    Clock,
    Joining,
    config,
    ignore,
    play,
    request,
    sketch,
)
from tests.inference.tiny_models import CANVAS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.write_sd2(tmp_path_factory.mktemp("sd2"))


@pytest.fixture(scope="module")
def model(folder: Path) -> StableDiffusion:
    placement = loading.choose_placement(config({"tiny": folder}))
    return loading.open_model("tiny", folder, placement)


def smooth_latents(seed: int) -> torch.Tensor:
    coarse = torch.randn(1, 4, 4, 4, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(coarse, size=(16, 16), mode="bicubic")


def small_decode(model: StableDiffusion, latents: torch.Tensor) -> npt.NDArray[np.float32]:
    """The real decode, averaged to one pixel per latent."""
    small: npt.NDArray[np.float32] = model.decode(latents).picture.reshape(16, 8, 16, 8, 3).mean(axis=(1, 3))
    return small


def correlation(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def test_the_map_shows_what_the_decoder_would(model: StableDiffusion) -> None:
    """Latents it was not fitted on look like their decode, and not like the decode of others."""
    preview = previews.fit(model.encode_mean, lambda latents: model.decode(latents).picture)
    shown = [preview(smooth_latents(seed)) for seed in range(4)]
    decoded = [small_decode(model, smooth_latents(seed)) for seed in range(4)]

    own = np.mean([correlation(shown[i], decoded[i]) for i in range(4)])
    shuffled = np.mean([correlation(shown[i], decoded[(i + 1) % 4]) for i in range(4)])

    assert own > 0.4
    assert own > shuffled + 0.3


def test_not_a_number_is_shown_as_something() -> None:
    """A preview never fails: numbers that ran over are noticed at the end, by the decode."""
    preview = previews.PreviewMap(torch.eye(5, 3))

    picture = preview(torch.full((1, 4, 2, 3), float("nan")))

    assert picture.shape == (2, 3, 3)


def test_the_first_step_has_a_preview_and_later_ones_come_by_time(folder: Path) -> None:
    """Whoever waits sees something after one step; after that at most one per `preview_seconds`."""
    clock = Clock()
    runner = StepRunner(config({"tiny": folder}, preview_seconds=1.0), {"tiny": folder}, ignore, clock)
    runner.load("tiny")
    runner.admit(0, request("tiny", steps=6), 0, {})

    shown = []
    for _ in range(6):
        shown += [bool(getattr(one.event, "preview", None)) for one in runner.step()][:1]
        clock.now += 0.4

    assert shown == [True, False, False, True, False, False]


def test_every_sample_has_previews_of_its_own(folder: Path) -> None:
    """Who joins later sees a first preview too, whatever the others have had."""
    runner = StepRunner(config({"tiny": folder}), {"tiny": folder}, ignore, Clock())

    played = play(runner, [request("tiny", steps=6), Joining(request("tiny", steps=3), at=2)], {})

    for key in (0, 1):
        first, *later = played.progress(key)
        assert first.preview is not None
        assert not any(progress.preview for progress in later)


def test_a_preview_is_an_eighth_of_the_picture_without_its_padding(folder: Path) -> None:
    """A sketch in another shape than the canvas is shown in its own shape."""
    frame = Frame(canvas=Size(CANVAS, CANVAS), content=Size(CANVAS, 40), top=12)
    runner = StepRunner(config({"tiny": folder}), {"tiny": folder}, ignore, Clock())

    played = play(runner, [request("tiny", InitKind.PIXELS, frame=frame)], {SKETCH: sketch()})

    preview = played.progress()[0].preview
    assert preview is not None
    assert preview.size == Size(CANVAS // 8, 5)
    assert played.done[0].pixels.size == Size(CANVAS, 40)
