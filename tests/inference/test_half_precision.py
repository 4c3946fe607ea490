"""Numbers that run over in half precision are noticed, and what failed is computed again in float32."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from inference import latents
from inference.batching import StepRunner
from inference.config import Precision
from inference.loading import Placement, open_model
from inference.models.stable_diffusion import StableDiffusion
from inference.types import InitKind, SampleDone
from tests.inference import tiny_models
from tests.inference.driving import (
    LATENTS,
    RIGHT_HALF,
    SKETCH,
    Clock,
    as_bytes,
    config,
    fingerprint_of,
    ignore,
    masked_sketch,
    model_of,
    play,
    request,
    sketch,
)

Spoil = Callable[[StableDiffusion], None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.write_sd1(tmp_path_factory.mktemp("sd1"))


@pytest.fixture(scope="module")
def half(folder: Path) -> StepRunner:
    """Half precision does for this one, as long as nothing far out comes."""
    return make(folder, nothing)


def make(
    folder: Path, spoil: Spoil, precision: Precision = Precision.FLOAT16, clock: Clock | None = None
) -> StepRunner:
    """A runner whose model has been made to overflow. Half precision cannot hold more than 65,504."""

    def opens(name: str, where: Path, placement: Placement) -> StableDiffusion:
        model = open_model(name, where, placement)
        with torch.no_grad():
            spoil(model)
        return model

    settings = config({"sd1": folder}, max_rows=8, precision=precision)
    runner = StepRunner(settings, {"sd1": folder}, ignore, clock=clock or Clock(), opens=opens)
    runner.load("sd1")
    return runner


def loud_unet(model: StableDiffusion) -> None:
    """The first layer's numbers run over; the norms after it bring them back where they did not."""
    unet: Any = model.unet
    unet.conv_in.weight.mul_(1e5)
    unet.conv_in.bias.mul_(1e5)


def loud_encoder(model: StableDiffusion) -> None:
    vae: Any = model.vae
    vae.encoder.conv_in.weight.mul_(3e5)


def nothing(_model: StableDiffusion) -> None:
    pass


def scaled_latents(runner: StepRunner, scale: float) -> bytes:
    values = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(5))
    return latents.pack(values * scale, fingerprint_of(runner))


def apart(one: SampleDone, other: SampleDone) -> float:
    return float(np.abs(as_bytes(one).astype(float) - as_bytes(other)).max() / 255)


def test_a_sample_whose_numbers_run_over_is_drawn_again_in_float32(folder: Path) -> None:
    """People get the picture that float32 gives and are told of it; the model keeps its half precision."""
    half, full = make(folder, loud_unet), make(folder, loud_unet, Precision.FLOAT32)
    asked = request("sd1", InitKind.PIXELS, steps=6)

    played = play(half, [asked], {SKETCH: sketch()})
    expected = play(full, [asked], {SKETCH: sketch()})

    assert apart(played.done[0], expected.done[0]) < 0.05
    assert (played.done[0].precise, expected.done[0].precise) == (True, False)
    assert model_of(half).dtype == torch.float16
    assert len(played.rows) == len(expected.rows) + 1, "it was noticed at the first preview"


def test_a_masked_sample_is_drawn_again_with_what_it_keeps_in_float32(folder: Path) -> None:
    """The same picture as float32 gives, and not the one without a mask; its format says what it was computed in."""
    half, full = make(folder, loud_unet), make(folder, loud_unet, Precision.FLOAT32)
    asked = request("sd1", InitKind.PIXELS, steps=6, mask=RIGHT_HALF)
    blobs = masked_sketch()

    played = play(half, [asked], blobs)
    expected = play(full, [asked, request("sd1", InitKind.PIXELS, steps=6)], blobs)

    assert apart(played.done[0], expected.done[0]) < 0.05 < 5 * 0.05 < apart(played.done[0], expected.done[1])
    assert played.done[0].precise
    assert latents.unpack(played.done[0].latents, fingerprint_of(half)).dtype == torch.float32


def test_a_masked_sample_stays_in_half_precision(half: StepRunner) -> None:
    """Nothing of what it keeps brings it to float32, so that it can share a batch."""
    asked = [request("sd1", InitKind.PIXELS, steps=6, mask=mask) for mask in (RIGHT_HALF, None)]

    played = play(half, asked, masked_sketch())

    stored = [latents.unpack(played.done[key].latents, fingerprint_of(half)) for key in (0, 1)]
    assert [one.dtype for one in stored] == [torch.float16] * 2
    assert not played.done[0].precise
    assert set(played.rows) == {4}


def test_between_previews_it_is_noticed_at_the_end(folder: Path) -> None:
    """Looking at the numbers waits for the device, so it is not done in every step."""
    clock = Clock()
    half = make(folder, nothing, clock=clock)
    asked = request("sd1", steps=4, guidance=1.0)
    half.admit(0, asked, 0, {})
    steps = [half.step()]
    with torch.no_grad():
        loud_unet(model_of(half))

    while half.waiting:
        steps.append(half.step())

    told = [getattr(one.event, "step", None) for step in steps for one in step]
    assert told == [1, 2, 3, 1, 2, 3, 4, None]


def test_only_the_sample_that_ran_over_pays_for_it(half: StepRunner) -> None:
    """Its neighbour in the batch stays in half precision and has the picture that it has alone."""
    far_out = request("sd1", InitKind.LATENTS, steps=6, guidance=1.0)
    neighbour = request("sd1", steps=6, guidance=1.0, seeds=(2,))
    blobs = {LATENTS: scaled_latents(half, 4e4)}

    played = play(half, [far_out, neighbour], blobs)
    alone = play(half, [neighbour], blobs)

    assert [played.done[key].precise for key in (0, 1)] == [True, False]
    assert apart(played.done[1], alone.done[0]) <= 1 / 255
    assert np.frombuffer(played.done[0].pixels.data, np.uint8).any()
    unet: Any = model_of(half).unet
    assert unet.dtype == torch.float16


def test_numbers_that_float32_does_not_help_fail_with_a_sentence(half: StepRunner) -> None:
    """Nothing starts over for ever, and the neighbours go on."""
    blobs = {LATENTS: scaled_latents(half, float("nan"))}

    played = play(half, [request("sd1", InitKind.LATENTS), request("sd1", steps=3)], blobs)

    assert "numbers ran over" in played.failures()[0]
    assert list(played.done) == [1]


def test_an_overflowing_encoder_is_run_again_in_float32(folder: Path) -> None:
    """The sketch is not lost: latents come close to those of float32, and the encoder keeps its half precision."""
    half, full = make(folder, loud_encoder), make(folder, loud_encoder, Precision.FLOAT32)
    canvas = np.frombuffer(sketch().data, np.uint8).reshape(64, 64, 3)

    mean = model_of(half).encode_picture(canvas).mode()
    vae: Any = model_of(half).vae
    with torch.inference_mode():
        raw = vae.encode(torch.from_numpy(canvas.copy()).permute(2, 0, 1)[None].half() / 127.5 - 1)

    assert (mean - model_of(full).encode_picture(canvas).mode()).abs().max() < 0.05
    assert vae.dtype == torch.float16
    assert not torch.isfinite(raw.latent_dist.mode()).all(), "the control: float16 alone runs over"


class Large(torch.nn.Module):
    """A part for which there is room in half precision only."""

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> Large:  # noqa: ARG002
        if fn(torch.zeros(1, dtype=torch.float16)).dtype == torch.float32:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1.60 GiB.")
        return self


def test_a_unet_that_does_not_fit_in_float32_keeps_its_format(half: StepRunner) -> None:
    """Where there is no room for it the sample fails with a sentence, and the next one finds the model whole."""
    unet: Any = model_of(half).unet
    far_out = request("sd1", InitKind.LATENTS, steps=6, guidance=1.0)

    unet.add_module("last", Large())
    played = play(half, [far_out], {LATENTS: scaled_latents(half, 4e4)})
    del unet.last
    afterwards = play(half, [request("sd1", steps=2)], {})

    assert "more memory" in played.failures()[0]
    assert 0 in afterwards.done
    assert {parameter.dtype for parameter in unet.parameters()} == {torch.float16}
