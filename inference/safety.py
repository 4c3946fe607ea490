"""The safety check: what a picture has to pass before it leaves the worker process.

::

    Submit ──▶ Stage.admit ──▶ Runner ──▶ Stage.let_out ──▶ Report
               the picture                every result;
               to start from              previews are blurred

It stands round the Runner and not inside, so that nothing that draws can go past it. It fails closed: a picture
without a verdict stays here. Importing this loads no torch, so that a plug-in can import its Verdict from here.
"""

from __future__ import annotations

import importlib
import logging
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec
import numpy as np
from PIL import Image

from inference.config import EngineConfig
from inference.errors import BadRequest, CheckFailed, ModelUnavailable, Unsafe
from inference.framing import RGB
from inference.recent import Recent
from inference.runner import Outcome, Phase, SampleFailed
from inference.types import (
    Blob,
    ImageRequest,
    Init,
    InitKind,
    PictureRef,
    Pixels,
    Progress,
    SampleBlocked,
    SampleDone,
    Strictness,
)

log = logging.getLogger(__name__)

COARSE = 6
"""Mean colours on each side that a blurred preview is made of: the mood of a picture, and no shape in it."""

INPUTS_KEPT = 32
"""Pictures to start from whose verdicts are kept, so that "again" does not check the same one once more."""

_UNNAMED = "unsafe"
_NO_VERDICT = (
    "The safety check failed, and what was not checked is not handed out. "
    "Try again; if that does not help, whoever runs this bot finds the cause in its log."
)


class Verdict(NamedTuple):
    """What a checker says of one picture.

    category: what makes it unsafe, in a word for moderators. score: how sure it is, any finite number; of several
    verdicts the highest one counts.
    """

    unsafe: bool
    category: str
    score: float


class SafetyChecker(Protocol):
    """Looks at pictures. One thread calls it, in the worker process, between two denoising steps."""

    def check(self, pictures: Sequence[RGB]) -> Sequence[Verdict]:
        """One verdict per picture, in order. Pictures are (height, width, 3) uint8 RGB, of any sizes.

        It may raise anything: the requests whose pictures it was asked about fail, others go on.
        """


def load(config: EngineConfig) -> SafetyChecker | None:
    """What `config.safety` names, None where that is empty. Raises ModelUnavailable with a sentence that says why not.

    "skin": `inference.checkers.skin`. "diffusers:<folder>": `inference.checkers.stable_diffusion`.
    "<module>:<attribute>": whatever the attribute, called without arguments, returns.
    """
    if not config.safety:
        return None
    try:
        checker = _load(config)
        if not callable(getattr(checker, "check", None)):
            raise TypeError("it has no method check(pictures)")
    except Exception as error:
        # A plug-in may raise anything. Whatever it is, nothing is drawn without the check that was asked for.
        log.exception("the safety checker could not be loaded")
        raise ModelUnavailable(f"The safety checker {config.safety} cannot be loaded: {error}") from error
    return checker


def coarsened(preview: Pixels) -> Pixels:
    """The same size, of at most COARSE × COARSE mean colours with smooth transitions."""
    size = preview.width, preview.height
    image = Image.frombytes("RGB", size, preview.data)
    means = image.resize((min(COARSE, size[0]), min(COARSE, size[1])), Image.Resampling.BOX)
    return Pixels(*size, means.resize(size, Image.Resampling.BICUBIC).tobytes())


@dataclass(slots=True)
class Watched:
    """A request that is being drawn. tainted: what was found in the picture that it starts from, empty for nothing."""

    strictness: Strictness
    left: set[int]
    tainted: str


class Stage:
    """The worker's gate; see the module. checker: None lets everything pass. entering: called before each check."""

    def __init__(self, checker: SafetyChecker | None, entering: Callable[[Phase], None]) -> None:
        self._checker = checker
        self._entering = entering
        self._watched: dict[int, Watched] = {}
        self._inputs: Recent[Init, str] = Recent(INPUTS_KEPT)

    def admit(
        self,
        key: int,
        request: ImageRequest,
        samples: Collection[int],
        blobs: Mapping[PictureRef, Blob],
        strictness: Strictness,
    ) -> None:
        """Check what the request starts from. Raises Unsafe, CheckFailed, BadRequest where it did not arrive.

        Latents are those of an earlier result, which was checked when it was made, and what comes of them will be.
        """
        if self._checker is None:
            strictness = Strictness.OFF
        tainted = ""
        if strictness is not Strictness.OFF and request.init is not None:
            tainted = self._input_category(request.init, blobs)
        if strictness is Strictness.BLOCK and tainted:
            raise Unsafe("The picture to start from is not safe enough for this place.", tainted)
        self._watched[key] = Watched(strictness, set(samples), tainted)

    def drop(self, key: int) -> None:
        """Nobody wants this request any more."""
        self._watched.pop(key, None)

    def let_out(self, outcome: Outcome) -> Outcome:
        """What may leave in place of `outcome`. A request that was not admitted is a KeyError: that ends the worker."""
        watched = self._watched[outcome.key]
        if not isinstance(outcome.event, Progress):
            watched.left.discard(outcome.event.sample)
            if not watched.left:
                del self._watched[outcome.key]
        if watched.strictness is Strictness.OFF:
            return outcome
        return msgspec.structs.replace(outcome, event=self._passed(outcome.event, watched))

    def _passed(
        self, event: Progress | SampleDone | SampleBlocked | SampleFailed, watched: Watched
    ) -> Progress | SampleDone | SampleBlocked | SampleFailed:
        if isinstance(event, Progress) and event.preview is not None:
            return msgspec.structs.replace(event, preview=coarsened(event.preview))
        if not isinstance(event, SampleDone):
            return event
        try:
            category = self._category([_array(event.pixels)]) or watched.tainted
        except CheckFailed as error:
            return SampleFailed(sample=event.sample, sentence=str(error), kind=CheckFailed.__name__)
        if category and watched.strictness is Strictness.BLOCK:
            return SampleBlocked(sample=event.sample, category=category)
        return msgspec.structs.replace(event, unsafe=category)

    def _input_category(self, init: Init, blobs: Mapping[PictureRef, Blob]) -> str:
        """All of the picture is looked at, and the part that is drawn: what is small in one is large in the other."""
        if init.kind is InitKind.LATENTS:
            return ""
        blob = blobs.get(init.ref)
        if not isinstance(blob, Pixels):
            raise BadRequest("The picture to start from did not arrive.")
        picture = _array(blob)
        shown = [picture]
        if (window := init.window) is not None:
            shown.append(picture[window.top :, window.left :][: window.height, : window.width])
        return self._inputs.get(init, lambda _: self._category(shown))

    def _category(self, pictures: Sequence[RGB]) -> str:
        """What is unsafe in them, empty for nothing. Raises CheckFailed."""
        if self._checker is None:
            return ""
        self._entering(Phase.CHECK)
        try:
            worst = _worst(self._checker.check(pictures), len(pictures))
        except Exception as error:
            # The checker is somebody else's code: whatever it raises, there is no verdict.
            from inference.memory import spoils_device  # torch, which a worker that draws has loaded

            if spoils_device(error):
                raise
            log.exception("the safety check failed")
        else:
            return (str(worst.category) or _UNNAMED) if worst.unsafe else ""
        # Outside of the handler, whose error holds on to every tensor of the failed computation.
        from inference.memory import give_back

        give_back()
        raise CheckFailed(_NO_VERDICT)


def _load(config: EngineConfig) -> SafetyChecker:
    kind, separator, rest = config.safety.partition(":")
    if config.safety == "skin":
        return _find("inference.checkers.skin", "SkinChecker")()
    if kind == "diffusers":
        return _find("inference.checkers.stable_diffusion", "open_checker")(Path(rest), config)
    if not (kind and separator and rest):
        raise ValueError(
            'it is neither "skin" nor of the form "diffusers:<folder>" or "<module>:<attribute>"'
        )
    return _find(kind, rest)()


def _find(module: str, attribute: str) -> Callable[..., SafetyChecker]:
    found: Callable[..., SafetyChecker] = getattr(importlib.import_module(module), attribute)
    return found


def _worst(verdicts: Sequence[Any], count: int) -> Verdict:
    """Raises TypeError, ValueError where they are not what a checker owes."""
    if len(verdicts) != count:
        raise ValueError(f"{len(verdicts)} verdicts came for {count} pictures")
    for verdict in verdicts:
        if not isinstance(verdict, Verdict) or not isinstance(verdict.unsafe, bool | np.bool_):
            raise TypeError(f"{verdict!r} is no verdict")
        if not math.isfinite(verdict.score):
            raise ValueError(f"the score {verdict.score} is not finite")
    worst: Verdict = max(verdicts, key=lambda verdict: (verdict.unsafe, verdict.score))
    return worst


def _array(pixels: Pixels) -> RGB:
    return np.frombuffer(pixels.data, np.uint8).reshape(pixels.height, pixels.width, 3).copy()
