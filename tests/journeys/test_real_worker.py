"""Journeys on the real worker process with the built-in model: nothing between /sketch and the picture is a double."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import discord

from bot.store import Job, JobState
from inference import EngineConfig, EngineState, InitKind, Park
from inference.catalogue import ONLY_BUILT_IN
from inference.local import LocalEngine
from tests.inference.toys import until_state
from tests.journeys.world import World, buttons_of, opened, pictures_of, png, said, text_of, world


def real_engine(folder: Path) -> Callable[[Park], LocalEngine]:
    config = EngineConfig(
        catalogue=ONLY_BUILT_IN, models_dir=folder / "models", preview_seconds=0.0, grace_seconds=1.0
    )
    return lambda park: LocalEngine(config, park=park)


MOON = "the surface of the moon, a parsec above the earth"


def small_print(card: discord.Message) -> list[str]:
    """The lines under a result as they are read: without the backslashes that keep marks from working."""
    lines = text_of(card).replace("\\", "").splitlines()
    return [line.removeprefix("-# ") for line in lines if line.startswith("-# ")]


async def over(here: World, job_id: int) -> Job:
    """Wait until the job is in a final state and its card says so."""
    while (job := await here.store.job(job_id)) is None or not job.shown:  # noqa: ASYNC110 - a row tells nobody
        await asyncio.sleep(0.01)
    await here.env.settle()
    return job


async def started(here: World) -> int:
    """Wait for the worker; returns its pid."""
    status = await until_state(here.engine, EngineState.READY, EngineState.BUSY, EngineState.SETUP_FAILED)
    assert status.state.takes_work, status.detail
    pid = here.engine.status.worker_pid
    assert pid is not None
    return pid


async def running_job(here: World, pid: int, job_id: int) -> None:
    """Sketch, and stop the worker's time before, so that the job runs and does not end by itself."""
    os.kill(pid, signal.SIGSTOP)
    await here.sketch(steps=4, strength=1.0, candidates=1)
    job = await here.store.job(job_id)

    assert job is not None
    assert job.state is JobState.RUNNING


async def test_a_whole_story_on_the_real_worker(tmp_path: Path) -> None:
    """Sketch, reply with words, reply with a picture, cancel: by one worker process, each picture of the right size."""
    async with world(tmp_path, real_engine(tmp_path)) as here:
        waiting = await here.sketch(
            image=("moon.png", png((320, 200), "navy")), strength=0.5, steps=6, candidates=1, prompt=MOON
        )
        pid = await started(here)
        first = await over(here, 1)
        (card,) = here.cards()
        await here.you.send(here.thread(), "hyper-realistic --steps 6", reply_to=card)
        second = await over(here, 2)
        await here.you.send(
            here.thread(), "", reply_to=here.cards()[-1], attachments=[("new.png", png((100, 200), "olive"))]
        )
        third = await over(here, 3)
        sizes = [(await opened(pictures_of(card)[0])).size for card in here.cards()]

        await running_job(here, pid, 4)
        (running,) = here.cards(here.thread(1))
        answer = await here.you.click(running, custom_id=buttons_of(running)["Cancel"])
        os.kill(pid, signal.SIGCONT)
        await here.you.click(card, custom_id=buttons_of(here.cards()[0])["Again"])
        fifth = await over(here, 5)

        assert waiting.ephemeral
        assert [job.state for job in (first, second, third, fifth)] == [JobState.POSTED] * 4
        assert second.request.init is not None
        assert second.request.init.kind is InitKind.LATENTS
        assert sizes == [(307, 192), (307, 192), (160, 320)]
        assert "320×200 as 320×192 cropped to 307×192, strength 0.5: 3 of 6 steps" in text_of(here.cards()[0])
        assert small_print(here.cards()[0])[-2:] == ["emoji art (built-in)", "I don't know: parsec"]
        assert small_print(here.cards()[1])[-2:] == ["emoji art (built-in)", "I don't know: hyper-realistic"]
        assert "Cancelled." in said(answer)
        assert here.engine.status.worker_pid == pid
        assert pid != os.getpid()


async def test_a_killed_worker_costs_nobody_anything(tmp_path: Path) -> None:
    """kill -9 in the middle of a job: the job runs again by itself on a new worker, and is posted once."""
    async with world(tmp_path, real_engine(tmp_path)) as here:
        pid = await started(here)
        await running_job(here, pid, 1)
        os.kill(pid, signal.SIGKILL)
        job = await over(here, 1)
        (card,) = here.cards()

        assert job.state is JobState.POSTED
        assert len(pictures_of(card)) == 1
        assert here.engine.status.worker_pid not in (None, pid)


async def test_a_restarted_bot_finishes_the_job_on_a_worker_of_its_own(tmp_path: Path) -> None:
    """The bot ends in the middle of a job; the next one takes it up, on the same card, with another worker."""
    async with world(tmp_path, real_engine(tmp_path)) as here:
        pid = await started(here)
        await running_job(here, pid, 1)
        await here.restart()
        job = await over(here, 1)
        (card,) = here.cards()

        assert (job.state, job.attempt) == (JobState.POSTED, 2)
        assert len(pictures_of(card)) == 1
        assert here.engine.status.worker_pid not in (None, pid)


async def test_previews_show_the_picture_as_it_becomes(tmp_path: Path) -> None:
    """While it runs the card carries a preview file and a step count; both move on."""
    async with world(tmp_path, real_engine(tmp_path)) as here:
        await started(here)
        await here.sketch(steps=12, strength=1.0, candidates=2)
        await over(here, 1)
        edits = [entry.json for entry in here.env.http_requests if entry.method == "PATCH"]
        files = [
            file["filename"]
            for body in edits
            if isinstance(body, dict)
            for file in body.get("attachments", [])
        ]
        previews = [name for name in dict.fromkeys(files) if name.startswith("preview-")]

        assert len(previews) >= 2
        assert previews == sorted(previews, key=lambda name: int(name.removeprefix("preview-").split(".")[0]))
