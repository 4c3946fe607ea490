"""The StepRunner: samples of many requests drawn together, one denoising step after the other.

Each step is decide (`inference.scheduler`), compute (the model family) and account. Nothing that takes long is done for
several samples between two steps: at most one picture is encoded before a step and one result decoded after it, so
that everybody else's next step is never far away.

One model is loaded at a time. Where requests name several, they take turns as the scheduler says, and the weights are
swapped with the turn; what is in the middle of its steps keeps its latents and goes on at its next turn.

Memory that does not suffice harms nobody who fits alone: a forward pass is redone in halves, from where it was. Numbers
that ran over in half precision start their sample again in float32.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec
import torch
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

from inference import latents as latent_blob
from inference import previews
from inference.catalogue import model_infos
from inference.config import EngineConfig
from inference.errors import BadRequest, EngineError, ModelUnavailable, RequestFailed
from inference.framing import Mask, crop, crop_preview, place, place_mask, quantise
from inference.loading import (
    Placement,
    check_folder,
    choose_placement,
    choose_rows,
    keep_freed_memory,
    open_model,
)
from inference.memory import give_back, if_it_fits
from inference.models.stable_diffusion import LOST, Denoising, StableDiffusion
from inference.previews import PreviewMap
from inference.recent import Recent
from inference.runner import Outcome, Phase, RunnerFactory, SampleFailed
from inference.scheduler import Group, Plan, Scheduler, Ticket
from inference.types import (
    Blob,
    Box,
    Frame,
    Grey,
    ImageRequest,
    Init,
    InitKind,
    PictureRef,
    Pixels,
    Progress,
    SampleDone,
)

log = logging.getLogger(__name__)

PICTURES_KEPT = 8
"""Encoded init pictures and placed masks that are kept, so that a request's samples and "again" make theirs once."""

T = TypeVar("T")
Open = Callable[[str, Path, Placement], StableDiffusion]


@dataclass(slots=True)
class Loaded:
    """The model that is in memory, and what belongs to it."""

    name: str
    model: StableDiffusion
    preview: PreviewMap
    fingerprint: str
    pictures: Recent[tuple[Init, Frame], DiagonalGaussianDistribution] = field(
        default_factory=lambda: Recent(PICTURES_KEPT)
    )
    masks: Recent[tuple[PictureRef, Box | None, Frame], Mask] = field(
        default_factory=lambda: Recent(PICTURES_KEPT)
    )


@dataclass(slots=True)
class Sample:
    """One sample from `admit` to its result. `denoising` is there from its first step on."""

    request: ImageRequest
    blobs: Mapping[PictureRef, Blob]
    denoising: Denoising | None = None
    previewed: float | None = None


class StepRunner:
    """Implements `inference.runner.Runner`; see the module. opens: what makes a model of its folder."""

    def __init__(
        self,
        config: EngineConfig,
        folders: Mapping[str, Path],
        entering: Callable[[Phase], None],
        clock: Callable[[], float] = time.monotonic,
        opens: Open = open_model,
    ) -> None:
        self._config = config
        self._folders = folders
        self._entering = entering
        self._clock = clock
        self._opens = opens
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
        self._samples[ticket] = Sample(request, blobs)
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
        outcomes += self._compute(loaded, plan, batch)
        lost = [ticket for ticket, denoising in batch.items() if self._is_lost(ticket, denoising)]
        for ticket in lost:
            del batch[ticket]
        done = [ticket for ticket, denoising in batch.items() if denoising.finished]
        self._scheduler.account(done)
        self._undecoded.extend(done)
        outcomes += [self._progress(loaded, ticket, denoising) for ticket, denoising in batch.items()]
        return outcomes + [outcome for ticket in lost for outcome in self._redo(loaded, ticket)]

    def _compute(self, loaded: Loaded, plan: Plan, batch: dict[Ticket, Denoising]) -> list[Outcome]:
        """Step the batch. Who does not fit into memory even alone fails and is taken out of it."""
        self._entering(Phase.STEP)
        stepped = loaded.model.step(list(batch.values()), most=plan.rows, fixed=self._config.fixed_rows)
        if stepped.most < plan.rows:
            log.warning(
                "%s rows of %s do not fit into memory; going on with %s",
                plan.rows,
                plan.group.canvas,
                stepped.most,
            )
            self._scheduler.shrink(plan.group, stepped.most)
        left_out = [ticket for ticket, denoising in batch.items() if denoising in stepped.left_out]
        for ticket in left_out:
            del batch[ticket]
        return self._fail(left_out, RequestFailed(_no_room(plan.group)))

    def _start(self, loaded: Loaded, entering: Iterable[Ticket]) -> list[Outcome]:
        failed: list[Outcome] = []
        for ticket in entering:
            self._entering(Phase.ENCODE)
            try:
                self._samples[ticket].denoising = _fitting(
                    ticket.group, partial(_started, loaded, ticket, self._samples[ticket])
                )
            except (BadRequest, RequestFailed) as error:
                failed += self._fail([ticket], error)
        return failed

    def _is_lost(self, ticket: Ticket, denoising: Denoising) -> bool:
        """Whether the sample's numbers ran over. It is looked at only where the device is waited for in any case."""
        return (denoising.finished or self._preview_is_due(ticket)) and not denoising.finite

    def _redo(self, loaded: Loaded, ticket: Ticket) -> list[Outcome]:
        """Start a sample again whose numbers ran over, in float32. Where that was used already, it fails."""
        sample = self._samples[ticket]
        if loaded.model.dtype == torch.float32 or ticket.group.precise:
            return self._fail([ticket], RequestFailed(LOST))
        log.warning("drawing a sample of request %s again in float32: its numbers ran over", ticket.key)
        self._forget({ticket})
        precise = msgspec.structs.replace(ticket.group, precise=True)
        again = msgspec.structs.replace(ticket, group=precise)
        self._samples[again] = Sample(sample.request, sample.blobs)
        self._scheduler.join(again)
        return []

    def _progress(self, loaded: Loaded, ticket: Ticket, denoising: Denoising) -> Outcome:
        preview = None
        if denoising.clean is not None and self._preview_is_due(ticket):
            self._samples[ticket].previewed = self._clock()
            preview = crop_preview(loaded.preview(denoising.clean), self._samples[ticket].request.frame)
        event = Progress(sample=ticket.sample, step=denoising.step, steps=denoising.steps, preview=preview)
        return Outcome(key=ticket.key, event=event)

    def _preview_is_due(self, ticket: Ticket) -> bool:
        latest = self._samples[ticket].previewed
        return latest is None or self._clock() - latest >= self._config.preview_seconds

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
            done = _fitting(ticket.group, partial(_result, loaded, ticket, sample))
            outcome = Outcome(key=ticket.key, event=done)
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
        self._loaded = if_it_fits(partial(self._open, name, folder))
        if self._loaded is None:
            raise ModelUnavailable(
                f"The model {name} needs more memory than is free. Close what else uses it, or set up a smaller model."
            )
        return self._loaded

    def _open(self, name: str, folder: Path) -> Loaded:
        model = self._opens(name, folder, self._placement)
        loaded = Loaded(name, model, _fit_preview(name, model), self._fingerprint(name))
        self._scheduler.row_limit = choose_rows(self._config, model)
        return loaded

    def _unload(self) -> None:
        """Two models at once may not fit; the old one's memory must be free before the new one asks for its own."""
        if self._loaded is not None:
            self._loaded = None
            give_back()

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
    return f"{request.init} {request.frame}"


def _fitting(group: Group, compute: Callable[[], T]) -> T:
    """What is computed, at the second try where memory was only scattered. Raises RequestFailed if it does not fit."""
    for _ in range(2):
        computed = if_it_fits(lambda: (compute(),))
        if computed is not None:
            return computed[0]
    raise RequestFailed(_no_room(group))


def _no_room(group: Group) -> str:
    return f"A picture of {group.canvas} needs more memory than there is, even alone. A smaller size may fit."


def _started(loaded: Loaded, ticket: Ticket, sample: Sample) -> Denoising:
    init = _read_init(loaded, sample.request, sample.blobs)
    mask = _read_mask(loaded, sample.request, sample.blobs)
    return loaded.model.start(sample.request, ticket.sample, init, mask, precise=ticket.group.precise)


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
            (request.init, request.frame),
            lambda key: loaded.model.encode_picture(place(picture, key[1], key[0].window)),
        )
    raise BadRequest("The picture to start from did not arrive.")


def _read_mask(loaded: Loaded, request: ImageRequest, blobs: Mapping[PictureRef, Blob]) -> Mask | None:
    if request.mask is None or request.init is None:
        return None
    blob = blobs.get(request.mask)
    if not isinstance(blob, Grey):
        raise BadRequest("The mask did not arrive.")
    mask: Grey = blob
    return loaded.masks.get(
        (request.mask, request.init.window, request.frame), lambda key: place_mask(mask, key[2], key[1])
    )


def _result(loaded: Loaded, ticket: Ticket, sample: Sample) -> SampleDone:
    if sample.denoising is None:
        raise ValueError("only a sample that was stepped has a result")
    final = sample.denoising.latents
    decoded = loaded.model.decode(final)
    return SampleDone(
        sample=ticket.sample,
        pixels=crop(quantise(decoded.picture), sample.request.frame),
        latents=latent_blob.pack(final, loaded.fingerprint),
        precise=decoded.precise or ticket.group.precise,
    )


def _failure(ticket: Ticket, error: EngineError) -> Outcome:
    log.warning("sample %s of request %s failed: %s", ticket.sample, ticket.key, error)
    return Outcome(key=ticket.key, event=SampleFailed(sample=ticket.sample, sentence=str(error)))


def _fit_preview(name: str, model: StableDiffusion) -> PreviewMap:
    try:
        return previews.fit(model.encode_mean, lambda latents: model.decode(latents).picture)
    except RequestFailed as error:
        raise ModelUnavailable(f"The model {name} cannot draw: its decoder gives no numbers.") from error
