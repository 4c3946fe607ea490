"""The StepRunner: samples of many requests drawn together, one denoising step after the other.

Each step is decide (`inference.scheduler`), compute (the model family) and account. Nothing that takes long is done for
several samples between two steps: at most one picture is encoded before a step and one result decoded after it, so
that everybody else's next step is never far away.

One model is loaded at a time. Where requests name several, they take turns as the scheduler says, and the weights are
swapped with the turn; what is in the middle of its steps keeps its latents and goes on at its next turn.
"""

from __future__ import annotations

import gc
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

from inference import latents as latent_blob
from inference import previews
from inference.catalogue import model_infos
from inference.config import EngineConfig
from inference.errors import BadRequest, EngineError, ModelUnavailable, RequestFailed
from inference.framing import crop, crop_preview, place, quantise
from inference.loading import (
    check_folder,
    choose_placement,
    choose_rows,
    keep_freed_memory,
    open_model,
)
from inference.models.stable_diffusion import Denoising, StableDiffusion
from inference.previews import PreviewMap
from inference.recent import Recent
from inference.runner import Outcome, Phase, RunnerFactory, SampleFailed
from inference.scheduler import Group, Plan, Scheduler, Ticket
from inference.types import Blob, Frame, ImageRequest, InitKind, PictureRef, Pixels, Progress, SampleDone

log = logging.getLogger(__name__)

PICTURES_KEPT = 8
"""Encoded init pictures that are kept, so that the samples of a request and "again" encode theirs once."""


@dataclass(slots=True)
class Loaded:
    """The model that is in memory, and what belongs to it."""

    name: str
    model: StableDiffusion
    preview: PreviewMap
    fingerprint: str
    pictures: Recent[tuple[PictureRef, Frame], DiagonalGaussianDistribution] = field(
        default_factory=lambda: Recent(PICTURES_KEPT)
    )


@dataclass(slots=True)
class Sample:
    """One sample from `admit` to its result. `denoising` is there from its first step on."""

    request: ImageRequest
    seed: int
    blobs: Mapping[PictureRef, Blob]
    denoising: Denoising | None = None
    previewed: float | None = None


class StepRunner:
    """Implements `inference.runner.Runner`; see the module."""

    def __init__(
        self,
        config: EngineConfig,
        folders: Mapping[str, Path],
        entering: Callable[[Phase], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._folders = folders
        self._entering = entering
        self._clock = clock
        self._placement = choose_placement(config)
        if self._placement.device.type == "cpu":
            keep_freed_memory()
        self._scheduler = Scheduler(max(2, config.max_rows))
        self._samples: dict[Ticket, Sample] = {}
        self._undecoded: deque[Ticket] = deque()
        self._loaded: Loaded | None = None

    def load(self, model: str) -> None:
        """Have the model ready. While samples of another one are under way it is only looked at: its weights are
        loaded when its turn comes. Raises ModelUnavailable."""
        if self._loaded is not None and self._loaded.name == model:
            return
        if self.waiting:
            check_folder(model, self._folder(model))
        else:
            self._load(model)

    def admit(self, key: int, request: ImageRequest, sample: int, blobs: Mapping[PictureRef, Blob]) -> None:
        ticket = Ticket(
            key=key,
            sample=sample,
            group=Group(request.model, request.frame.canvas),
            rows=2 if request.guided else 1,
            encodes=_picture_to_encode(request),
        )
        self._samples[ticket] = Sample(request, request.seeds[sample], blobs)
        self._scheduler.join(ticket)

    def drop(self, key: int) -> None:
        gone = {ticket for ticket in self._samples if ticket.key == key}
        self._forget(gone)

    @property
    def row_limit(self) -> int:
        return self._scheduler.row_limit

    @property
    def active(self) -> frozenset[int]:
        return frozenset(ticket.key for ticket in (*self._scheduler.seated, *self._undecoded))

    @property
    def waiting(self) -> bool:
        return bool(self._samples)

    @property
    def loaded(self) -> Loaded | None:
        """What is in memory now."""
        return self._loaded

    def step(self) -> list[Outcome]:
        outcomes: list[Outcome] = []
        plan = self._scheduler.decide()
        if plan is not None:
            outcomes += self._decode_before_swap(plan.group.model)
            outcomes += self._denoise(plan)
        if self._loaded is not None and self._undecoded:
            outcomes.append(self._decode_next(self._loaded))
        return outcomes

    def _denoise(self, plan: Plan) -> list[Outcome]:
        try:
            loaded = self._load(plan.group.model)
        except ModelUnavailable as error:
            return self._fail(self._of_model(plan.group.model), error)
        outcomes = self._start(loaded, plan.entering)
        batch = {
            ticket: sample.denoising
            for ticket in plan.batch
            if (sample := self._samples.get(ticket)) is not None and sample.denoising is not None
        }
        if not batch:
            return outcomes
        self._entering(Phase.STEP)
        loaded.model.step(list(batch.values()), rows=self.row_limit if self._config.fixed_rows else 0)
        done = [ticket for ticket, denoising in batch.items() if denoising.finished]
        self._scheduler.account(done)
        self._undecoded.extend(done)
        return outcomes + [self._progress(loaded, ticket, denoising) for ticket, denoising in batch.items()]

    def _start(self, loaded: Loaded, entering: Iterable[Ticket]) -> list[Outcome]:
        failed: list[Outcome] = []
        for ticket in entering:
            self._entering(Phase.ENCODE)
            sample = self._samples[ticket]
            try:
                init = _read_init(loaded, sample.request, sample.blobs)
                sample.denoising = loaded.model.start(sample.request, sample.seed, init)
            except (BadRequest, RequestFailed) as error:
                failed += self._fail([ticket], error)
            sample.blobs = {}
        return failed

    def _progress(self, loaded: Loaded, ticket: Ticket, denoising: Denoising) -> Outcome:
        sample = self._samples[ticket]
        now = self._clock()
        preview = None
        due = sample.previewed is None or now - sample.previewed >= self._config.preview_seconds
        if due and denoising.clean is not None:
            sample.previewed = now
            preview = crop_preview(loaded.preview(denoising.clean), sample.request.frame)
        event = Progress(sample=ticket.sample, step=denoising.step, steps=denoising.steps, preview=preview)
        return Outcome(key=ticket.key, event=event)

    def _decode_before_swap(self, model: str) -> list[Outcome]:
        """What the loaded model has finished needs its decoder, so it is decoded before the weights go."""
        if self._loaded is None or self._loaded.name == model:
            return []
        return [self._decode_next(self._loaded) for _ in range(len(self._undecoded))]

    def _decode_next(self, loaded: Loaded) -> Outcome:
        self._entering(Phase.DECODE)
        ticket = self._undecoded[0]
        sample = self._samples[ticket]
        try:
            outcome = Outcome(key=ticket.key, event=_result(loaded, ticket, sample))
        except RequestFailed as error:
            outcome = _failure(ticket, error)
        self._forget({ticket})
        return outcome

    def _load(self, name: str) -> Loaded:
        if self._loaded is not None and self._loaded.name == name:
            return self._loaded
        self._entering(Phase.LOAD)
        folder = self._folder(name)
        check_folder(name, folder)
        self._unload()
        model = open_model(name, folder, self._placement)
        self._loaded = Loaded(name, model, _fit_preview(name, model), self._fingerprint(name))
        self._scheduler.row_limit = choose_rows(self._config, model)
        return self._loaded

    def _unload(self) -> None:
        """Two models at once may not fit; the old one's memory must be free before the new one asks for its own."""
        if self._loaded is None:
            return
        self._loaded = None
        gc.collect()
        if self._placement.device.type == "cuda":
            torch.cuda.empty_cache()

    def _folder(self, name: str) -> Path:
        if name not in self._folders:
            raise ModelUnavailable(f"There is no model called {name} on this machine.")
        return self._folders[name]

    def _fingerprint(self, name: str) -> str:
        """What the bot knows the model's latents by."""
        infos = model_infos(self._config.catalogue, self._config.models_dir)
        return next((info.latents for info in infos if info.name == name), "")

    def _of_model(self, model: str) -> list[Ticket]:
        return [ticket for ticket in self._scheduler.tickets if ticket.group.model == model]

    def _fail(self, tickets: Iterable[Ticket], error: EngineError) -> list[Outcome]:
        gone = list(tickets)
        self._forget(set(gone))
        return [_failure(ticket, error) for ticket in gone]

    def _forget(self, gone: set[Ticket]) -> None:
        self._scheduler.leave(gone)
        self._undecoded = deque(ticket for ticket in self._undecoded if ticket not in gone)
        for ticket in gone:
            del self._samples[ticket]


def step_runner_factory(config: EngineConfig, folders: Mapping[str, Path]) -> RunnerFactory:
    """What the worker makes its Runner with. folders: where each configured model lies on this machine."""
    return lambda entering: StepRunner(config, folders, entering)


def _picture_to_encode(request: ImageRequest) -> str:
    if request.init is None or request.init.kind is InitKind.LATENTS:
        return ""
    return f"{request.init.ref} {request.frame}"


def _read_init(
    loaded: Loaded, request: ImageRequest, blobs: Mapping[PictureRef, Blob]
) -> DiagonalGaussianDistribution | torch.Tensor | None:
    if request.init is None:
        return None
    blob = blobs.get(request.init.ref)
    if request.init.kind is InitKind.LATENTS and isinstance(blob, bytes):
        return latent_blob.unpack(blob, loaded.fingerprint)
    if request.init.kind is InitKind.PIXELS and isinstance(blob, Pixels):
        picture: Pixels = blob
        return loaded.pictures.get(
            (request.init.ref, request.frame),
            lambda key: loaded.model.encode_picture(place(picture, key[1])),
        )
    raise BadRequest("The picture to start from did not arrive.")


def _result(loaded: Loaded, ticket: Ticket, sample: Sample) -> SampleDone:
    if sample.denoising is None:
        raise ValueError("only a sample that was stepped has a result")
    final = sample.denoising.latents
    canvas = quantise(loaded.model.decode(final))
    return SampleDone(
        sample=ticket.sample,
        pixels=crop(canvas, sample.request.frame),
        latents=latent_blob.pack(final, loaded.fingerprint),
    )


def _failure(ticket: Ticket, error: EngineError) -> Outcome:
    log.warning("sample %s of request %s failed: %s", ticket.sample, ticket.key, error)
    return Outcome(key=ticket.key, event=SampleFailed(sample=ticket.sample, sentence=str(error)))


def _fit_preview(name: str, model: StableDiffusion) -> PreviewMap:
    try:
        return previews.fit(model.encode_mean, model.decode)
    except RequestFailed as error:
        raise ModelUnavailable(f"The model {name} cannot draw: its decoder gives no numbers.") from error
