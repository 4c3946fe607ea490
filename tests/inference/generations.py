"""What ten rounds of unedited refining cost: `python -m tests.inference.generations`.

A picture is drawn, then refined at strength 0.2 with its own words, round after round: once from its stored latents,
once from its pixels, which go through the autoencoder each time. Printed is the PSNR to the first picture, in dB.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from inference.batching import StepRunner
from inference.catalogue import BUILT_IN_ENTRY
from inference.config import BUILT_IN
from inference.types import Blob, Frame, ImageRequest, Init, InitKind, PictureRef, SampleDone, Size
from tests.inference.driving import as_bytes, config, ignore, play

ROUNDS = 10
STRENGTH = 0.2
_WHOLE = Frame(canvas=Size(256, 256), content=Size(256, 256))


def rounds(runner: StepRunner, kind: InitKind, prompt: str, seed: int) -> Iterator[float]:
    """PSNR to the first picture after each round."""
    first = before = _draw(runner, _asked(prompt, seed), {})
    while True:
        seed += 1
        ref = PictureRef(hashlib.sha256(before.pixels.data).hexdigest())
        wanted = msgspec.structs.replace(
            _asked(prompt, seed), init=Init(kind=kind, ref=ref), strength=STRENGTH
        )
        blob: Blob = before.latents if kind is InitKind.LATENTS else before.pixels
        before = _draw(runner, wanted, {ref: blob})
        yield psnr(before, first)


def psnr(one: SampleDone, other: SampleDone) -> float:
    """Peak signal-to-noise ratio of 8-bit pixels, in dB."""
    error = float(((as_bytes(one).astype(float) - as_bytes(other).astype(float)) ** 2).mean())
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def _asked(prompt: str, seed: int) -> ImageRequest:
    return ImageRequest(model=BUILT_IN, prompt=prompt, seeds=(seed,), frame=_WHOLE, steps=20, guidance=4.0)


def _draw(runner: StepRunner, wanted: ImageRequest, blobs: dict[PictureRef, Blob]) -> SampleDone:
    return play(runner, [wanted], blobs).done[0]


def main() -> None:
    folders = {BUILT_IN: Path(BUILT_IN_ENTRY.folder or "")}
    runner = StepRunner(config(folders), folders, ignore)
    runner.load(BUILT_IN)
    prompts = ("a red apple on grass", "a sailboat on the sea", "the earth in space", "a house on snow")
    print("| round | " + " | ".join(str(number) for number in range(1, ROUNDS + 1)) + " |")  # noqa: T201 - its job
    print("|---" * (ROUNDS + 1) + "|")  # noqa: T201
    for kind in (InitKind.LATENTS, InitKind.PIXELS):
        ways = [rounds(runner, kind, prompt, 100 * at) for at, prompt in enumerate(prompts)]
        means = [np.mean([next(way) for way in ways]) for _ in range(ROUNDS)]
        print(f"| from {kind} | " + " | ".join(f"{mean:.1f}" for mean in means) + " |")  # noqa: T201


if __name__ == "__main__":
    main()
