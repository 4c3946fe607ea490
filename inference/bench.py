"""What sharing steps brings: the engine against one diffusers pipeline call after the other.

Two arms draw the same jobs in the same process with the same weights: P calls the reference pipeline once per job in
order of arrival, as most bots do; S is the StepRunner. Jobs arrive at random (Poisson) at nine tenths of what P can
do, at the same moments for both; the arms take turns in going first, and of the repeats the median counts.

Time is virtual: a clock stands still while nobody works and moves by the CPU time that the work took (on a GPU by the
wall time, after waiting for the device). An idle arm jumps to the next arrival. So a trace of minutes needs no
waiting, and other processes on a shared machine do not blur the result: what is compared is the work that was done,
on one thread.
"""

from __future__ import annotations

import os
import platform
import random
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
import torch
from PIL import Image

from inference.batching import StepRunner
from inference.config import Catalogue, EngineConfig, ModelEntry
from inference.loading import choose_placement
from inference.models.stable_diffusion import FAMILY, StableDiffusion
from inference.samplers import TABLE
from inference.types import (
    Frame,
    ImageRequest,
    Init,
    InitKind,
    PictureRef,
    Pixels,
    Progress,
    SampleDone,
    Sampler,
    Size,
)

LOAD = 0.9
STEPS = (20, 30, 30, 50)
STRENGTHS = (0.4, 0.6, 0.8, 1.0)
GUIDANCE = 7.5

_MODEL = "bench"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One picture that somebody asks for at `arrival`, in seconds from the start."""

    arrival: float
    request: ImageRequest
    sketch: Pixels


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One arm in one repeat, in seconds of the virtual clock.

    work: per picture. first_preview, latency: 95th percentiles, counted from a job's arrival.
    """

    work: float
    first_preview: float
    latency: float


class BenchResult(msgspec.Struct, frozen=True, kw_only=True):
    """Medians over the repeats of S divided by P (below 1 is better), and what they come from."""

    machine: str
    jobs: int
    rows: int
    work: float
    first_preview: float
    latency: float
    pipeline: tuple[Measured, ...]
    engine: tuple[Measured, ...]

    def as_json(self) -> str:
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode()

    def as_text(self) -> str:
        return "\n".join(
            (
                self.machine,
                f"{self.jobs} jobs in each of {len(self.engine)} repeats, up to {self.rows} rows per step",
                f"work per picture               S/P {self.work:.2f}  (goal: at most 1.00)",
                f"p95 time to the first preview  S/P {self.first_preview:.2f}  (goal: at most 0.30)",
                f"p95 time to the result         S/P {self.latency:.2f}",
            )
        )


class VirtualClock:
    """Moves by the work that is done under `working`, and by jumps. See the module."""

    def __init__(self, meter: Callable[[], float]) -> None:
        self._meter = meter
        self.reset()

    def reset(self) -> None:
        self.worked = 0.0
        self._now = 0.0
        self._since: float | None = None

    def __call__(self) -> float:
        return self._now if self._since is None else self._now + self._meter() - self._since

    @contextmanager
    def working(self) -> Iterator[None]:
        self._since = started = self._meter()
        yield
        spent = self._meter() - started
        self._since = None
        self._now += spent
        self.worked += spent

    def jump(self, to: float) -> None:
        self._now = max(self._now, to)


class Arm(Protocol):
    """One way of drawing a trace of jobs."""

    def run(self, trace: Sequence[Job]) -> Measured: ...


class PipelineArm:
    """P: the reference pipeline around the engine's own weights, one job at a time."""

    def __init__(self, model: StableDiffusion, folder: Path, clock: VirtualClock) -> None:
        self._clock = clock
        row = TABLE[FAMILY, Sampler.DDIM]
        self._pipeline: Any = row.image_to_image(
            unet=model.unet,
            vae=model.vae,
            text_encoder=model.text_encoder,
            tokenizer=model.tokenizer,
            scheduler=row.scheduler.from_pretrained(folder / "scheduler", local_files_only=True),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        self._pipeline.set_progress_bar_config(disable=True)

    def run(self, trace: Sequence[Job]) -> Measured:
        self._clock.reset()
        previews, latencies = [], []
        for job in trace:
            self._clock.jump(job.arrival)
            previews.append(self._draw(job) - job.arrival)
            latencies.append(self._clock() - job.arrival)
        return _measured(self._clock, previews, latencies)

    def _draw(self, job: Job) -> float:
        """Returns when the first step was done: a preview is given to this arm for nothing."""
        shown: list[float] = []

        def after_step(_pipeline: Any, _step: int, _timestep: Any, kept: dict[str, Any]) -> dict[str, Any]:
            shown.append(self._clock())
            return kept

        sketch = Image.frombytes("RGB", (job.sketch.width, job.sketch.height), job.sketch.data)
        with self._clock.working():
            self._pipeline(
                job.request.prompt,
                image=sketch,
                strength=job.request.strength,
                num_inference_steps=job.request.steps,
                guidance_scale=job.request.guidance,
                generator=torch.Generator().manual_seed(job.request.seeds[0]),
                callback_on_step_end=after_step,
            )
        return shown[0]


class EngineArm:
    """S: the StepRunner, handed each job when it arrives, as the worker process does it."""

    def __init__(self, runner: StepRunner, clock: VirtualClock) -> None:
        self._runner = runner
        self._clock = clock

    def run(self, trace: Sequence[Job]) -> Measured:
        self._clock.reset()
        coming = deque(enumerate(trace))
        previews: dict[int, float] = {}
        latencies: dict[int, float] = {}
        while coming or self._runner.waiting:
            if not self._runner.waiting:
                self._clock.jump(coming[0][1].arrival)
            while coming and coming[0][1].arrival <= self._clock():
                self._admit(*coming.popleft())
            with self._clock.working():
                outcomes = self._runner.step()
            for outcome in outcomes:
                since = self._clock() - trace[outcome.key].arrival
                if isinstance(outcome.event, Progress) and outcome.event.preview is not None:
                    previews.setdefault(outcome.key, since)
                elif isinstance(outcome.event, SampleDone):
                    latencies[outcome.key] = since
        return _measured(self._clock, list(previews.values()), list(latencies.values()))

    def _admit(self, key: int, job: Job) -> None:
        if job.request.init is None:
            raise ValueError("every job of the bench starts from a sketch")
        with self._clock.working():
            self._runner.admit(key, job.request, 0, {job.request.init.ref: job.sketch})


def run_bench(
    folder: Path,
    config: EngineConfig | None = None,
    *,
    jobs: int = 40,
    repeats: int = 3,
    seed: int = 0,
    mixtures: int = len(STEPS) * len(STRENGTHS),
) -> BenchResult:
    """Measure a model folder as `config` says (device, precision, rows).

    mixtures: jobs that P's capacity is measured with. Takes some minutes; few jobs take seconds, but say little.
    Raises ModelUnavailable.
    """
    catalogue = Catalogue(models={_MODEL: ModelEntry(folder=str(folder))})
    if config is None:
        config = EngineConfig(catalogue=catalogue, models_dir=folder.parent)
    config = msgspec.structs.replace(config, catalogue=catalogue)
    with _one_thread():
        arms, runner, model = _arms(folder, config)
        gap = _service_seconds(arms, model, seed, mixtures) / LOAD
        measured: dict[str, list[Measured]] = {name: [] for name in arms}
        for repeat in range(repeats):
            trace = _trace(model, jobs, gap, seed + repeat)
            for name in sorted(arms, reverse=repeat % 2 == 0):
                measured[name].append(arms[name].run(trace))
    return _result(_machine(model), jobs, runner.row_limit, measured)


def _arms(folder: Path, config: EngineConfig) -> tuple[dict[str, Arm], StepRunner, StableDiffusion]:
    device = choose_placement(config).device
    clock = VirtualClock(time.process_time if device.type == "cpu" else _device_seconds)
    runner = StepRunner(config, {_MODEL: folder}, lambda _phase: None, clock)
    runner.load(_MODEL)
    if runner.loaded is None:
        raise ValueError("a runner that has loaded has a model")
    model = runner.loaded.model
    arms: dict[str, Arm] = {"pipeline": PipelineArm(model, folder, clock), "engine": EngineArm(runner, clock)}
    return arms, runner, model


def _service_seconds(arms: dict[str, Arm], model: StableDiffusion, seed: int, mixtures: int) -> float:
    """Mean time of a job in P without a line, measured after both arms have warmed up."""
    warm_up, *measured = _trace(model, 1 + mixtures, 0.0, seed)
    for arm in arms.values():
        arm.run([warm_up])
    return arms["pipeline"].run(measured).work


def _trace(model: StableDiffusion, jobs: int, gap: float, seed: int) -> list[Job]:
    """Jobs that arrive `gap` seconds apart on average; every mixture of steps and strength as often."""
    chance = random.Random(seed)
    side = model.latent_side * model.scale_factor
    mixtures = [(steps, strength) for steps in STEPS for strength in STRENGTHS]
    chance.shuffle(mixtures)
    trace, arrival = [], 0.0
    for number in range(jobs):
        arrival += chance.expovariate(1.0) * gap
        steps, strength = mixtures[number % len(mixtures)]
        trace.append(_job(number, arrival, Size(side, side), steps, strength, chance.randrange(2**32)))
    return trace


def _job(number: int, arrival: float, size: Size, steps: int, strength: float, seed: int) -> Job:
    """Everybody's own prompt and own sketch, so that nothing is encoded once for several."""
    request = ImageRequest(
        model=_MODEL,
        prompt=f"a crater, number {number}",
        seeds=(seed,),
        frame=Frame(canvas=size, content=size),
        init=Init(kind=InitKind.PIXELS, ref=PictureRef(f"{seed}-{number}")),
        steps=steps,
        strength=strength,
        guidance=GUIDANCE,
    )
    colours = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    sketch = Image.fromarray(colours).resize((size.width, size.height))
    return Job(arrival=arrival, request=request, sketch=Pixels(size.width, size.height, sketch.tobytes()))


def _measured(clock: VirtualClock, previews: Sequence[float], latencies: Sequence[float]) -> Measured:
    return Measured(
        work=clock.worked / len(latencies), first_preview=_late(previews), latency=_late(latencies)
    )


def _late(seconds: Sequence[float]) -> float:
    return float(np.percentile(seconds, 95))


def _result(machine: str, jobs: int, rows: int, measured: dict[str, list[Measured]]) -> BenchResult:
    pairs = list(zip(measured["engine"], measured["pipeline"], strict=True))
    return BenchResult(
        machine=machine,
        jobs=jobs,
        rows=rows,
        work=statistics.median(s.work / p.work for s, p in pairs),
        first_preview=statistics.median(s.first_preview / p.first_preview for s, p in pairs),
        latency=statistics.median(s.latency / p.latency for s, p in pairs),
        pipeline=tuple(measured["pipeline"]),
        engine=tuple(measured["engine"]),
    )


def _device_seconds() -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


@contextmanager
def _one_thread() -> Iterator[None]:
    """CPU time of several threads would count their waiting for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _machine(model: StableDiffusion) -> str:
    device = torch.cuda.get_device_name() if model.device.type == "cuda" else platform.machine()
    return (
        f"{device}, {os.cpu_count()} CPUs, {model.dtype}, torch {torch.__version__}, "
        f"Python {platform.python_version()}"
    )
