"""What happens to requests when the worker process dies, freezes or misbehaves, on real processes."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import sys
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from inference import EngineState, Event, Restarted
from inference.child import Child, bare_environment
from inference.errors import ModelUnavailable, RequestFailed, RequestKillsWorker
from inference.incarnation import Incarnation
from inference.messages import Beat, FromWorker, Setup, Submit, pack
from inference.runner import Phase
from tests.conftest import DEADLOCK_SECONDS
from tests.inference.toys import (
    RUNNER,
    Turn,
    draw,
    exit_of,
    request,
    results,
    stage,
    toy_config,
    toy_engine,
    until_state,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="uses POSIX signals")


def once(deed: str, wanted: Callable[[Turn], bool]) -> Callable[[Turn], str]:
    """Decide `deed` for the first turn that is as wanted, and `go` for all others."""
    done: list[Turn] = []

    def decide(turn: Turn) -> str:
        if done or not wanted(turn):
            return "go"
        done.append(turn)
        return deed

    return decide


def first(name: str) -> Callable[[Turn], bool]:
    return lambda turn: turn.name == name


def prompts(turn: Turn) -> set[str]:
    return set(turn.details.get("prompts", ()))


async def test_a_worker_killed_while_idle_is_replaced(tmp_path: Path) -> None:
    """After kill -9 of the idle worker another one draws the next request, which notices nothing."""
    async with stage(tmp_path), toy_engine(toy_config(tmp_path)) as engine:
        killed = engine.status.worker_pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        await until_state(engine, EngineState.UNHEALTHY)

        events = await draw(engine, request())

    assert len(results(events)) == 1
    assert not [event for event in events if isinstance(event, Restarted)]


async def test_a_worker_killed_while_it_loads_is_replaced(tmp_path: Path) -> None:
    """The death during the first load is no setup failure: the next worker tries again."""
    async with stage(tmp_path) as held:
        held.decide = once("die", first("load"))
        async with toy_engine(toy_config(tmp_path), ready=False) as engine:
            unhealthy = await until_state(engine, EngineState.UNHEALTHY)
            ready = await until_state(engine, EngineState.READY)

    assert unhealthy.worker_pid is None
    assert ready.worker_pid != held.turns[0].pid


@pytest.mark.parametrize("turn", ["admit", "step", "decode"])
async def test_a_request_survives_the_death_of_its_worker(tmp_path: Path, turn: str) -> None:
    """Killed anywhere in its work, the request is done by the next worker, and its reader is told so once."""
    async with stage(tmp_path) as held:
        held.decide = once("die", first(turn))
        async with toy_engine(toy_config(tmp_path)) as engine:
            first_pid = engine.status.worker_pid
            events = await draw(engine, request(seeds=(7, 8)))
            last_pid = engine.status.worker_pid

    assert [event.alone for event in events if isinstance(event, Restarted)] == [True]
    assert [(done.sample, done.pixels.data[0]) for done in results(events)] == [(0, 7), (1, 8)]
    assert last_pid not in (first_pid, None)


async def test_finished_samples_are_not_drawn_again(tmp_path: Path) -> None:
    """Nine samples do not fit in eight rows; when the ninth dies, the eight that are done stay done."""
    async with stage(tmp_path) as held:
        held.decide = once("die", lambda turn: turn.name == "step" and len(held.named("decode")) == 1)
        async with toy_engine(toy_config(tmp_path)) as engine:
            events = await draw(engine, request(seeds=tuple(range(9))))

    assert sorted(done.sample for done in results(events)) == list(range(9))
    assert [turn.details["sample"] for turn in held.named("admit")] == [*range(9), 8]


async def test_only_the_batch_is_suspected(tmp_path: Path) -> None:
    """A request that held no rows when the worker died is sent again; the one that did runs alone, and first."""
    async with stage(tmp_path) as held:
        held.decide = once("die", lambda turn: turn.name == "step" and len(held.named("admit")) == 9)
        async with toy_engine(toy_config(tmp_path)) as engine:
            in_batch, in_line = await asyncio.gather(
                draw(engine, request("in batch", seeds=tuple(range(8)), steps=50)),
                draw(engine, request("in line")),
            )

    assert [event.alone for event in in_batch if isinstance(event, Restarted)] == [True]
    assert [event.alone for event in in_line if isinstance(event, Restarted)] == [False]
    assert (len(results(in_batch)), len(results(in_line))) == (8, 1)
    assert all(prompts(turn) in ({"in batch"}, {"in line"}) for turn in held.named("step"))


async def test_a_poison_request_in_a_batch_of_eight_fails_and_nobody_else(tmp_path: Path) -> None:
    """It kills its batch once and then itself, alone, twice; the seven others get their pictures, and so does the next
    request."""
    innocent = [f"request {number}" for number in range(7)]
    everybody = [*innocent[:3], "poison", *innocent[3:]]

    def deadly(turn: Turn) -> bool:
        return turn.name == "step" and (len(prompts(turn)) == 8 or prompts(turn) == {"poison"})

    async with stage(tmp_path) as held:
        held.decide = lambda turn: "die" if deadly(turn) else "go"
        async with toy_engine(toy_config(tmp_path)) as engine:
            outcomes = await asyncio.gather(
                *(draw(engine, request(prompt, steps=20)) for prompt in everybody), return_exceptions=True
            )
            afterwards = await draw(engine, request("next"))

    poison = outcomes.pop(3)
    drawn = [events for events in outcomes if not isinstance(events, BaseException)]
    assert isinstance(poison, RequestKillsWorker)
    assert [len(results(events)) for events in (*drawn, afterwards)] == [1] * 8
    deaths = [turn for turn in held.turns if deadly(turn)]
    assert [prompts(turn) for turn in deaths] == [set(everybody), {"poison"}, {"poison"}]


async def test_a_lone_poison_request_costs_two_workers(tmp_path: Path) -> None:
    """With nobody beside it, each death is a death alone: two of them, then the next request runs."""
    async with stage(tmp_path) as held:
        held.decide = lambda turn: "die" if "poison" in prompts(turn) else "go"
        async with toy_engine(toy_config(tmp_path)) as engine:
            with pytest.raises(RequestKillsWorker, match="twice"):
                await draw(engine, request("poison"))
            afterwards = await draw(engine, request("next"))

    assert len(results(afterwards)) == 1
    assert len(held.named("hello")) == 3


async def test_a_frozen_worker_is_noticed(tmp_path: Path) -> None:
    """SIGSTOP in the middle of a step: no heartbeat, so the process is killed and the request runs again."""
    async with stage(tmp_path) as held:

        def freeze_the_first(turn: Turn) -> str | None:
            if turn.name != "step" or len(held.named("step")) > 1:
                return "go"
            os.kill(turn.pid, signal.SIGSTOP)
            return None

        held.decide = freeze_the_first
        async with toy_engine(toy_config(tmp_path, heartbeat_seconds=2.0)) as engine:
            events = await draw(engine, request())

    assert [event.alone for event in events if isinstance(event, Restarted)] == [True]
    assert len(results(events)) == 1
    assert len(held.named("hello")) == 2


async def test_a_slow_step_is_not_taken_for_a_frozen_process(tmp_path: Path) -> None:
    """Ten heartbeats come while one step runs, which is twice as long as a worker may be silent."""
    heard: asyncio.Queue[FromWorker] = asyncio.Queue()
    async with stage(tmp_path) as held:
        held.decide = lambda turn: None if turn.name == "step" else "go"
        worker = Incarnation(
            toy_config(tmp_path, heartbeat_seconds=1.0), lambda _, said: heard.put_nowait(said), lambda: True
        )
        await worker.start(RUNNER)
        over = asyncio.create_task(worker.until_over())
        worker.send(Submit(key=1, request=request(), samples=(0,), blobs={}))
        beats = 0
        while beats < 10:
            beats += await heard.get() == Beat(phase=Phase.STEP)
        still_watched = not over.done()
        await worker.stop()
        cause = await over

    assert still_watched
    assert cause == "exit status 0"


@pytest.mark.parametrize("turn", ["step", "decode"])
async def test_a_phase_that_never_ends_is_noticed(tmp_path: Path, turn: str) -> None:
    """A step that never returns still has a heartbeat; its deadline ends it."""
    async with stage(tmp_path) as held:
        held.decide = once("hang", first(turn))
        config = toy_config(tmp_path, deadline_floor_seconds=2.0, step_seconds=0.0)
        async with toy_engine(config) as engine:
            events = await draw(engine, request())

    assert [event.alone for event in events if isinstance(event, Restarted)] == [True]
    assert len(results(events)) == 1


@pytest.mark.parametrize("deed", ["raise", "garble"])
async def test_a_worker_that_breaks_down_is_replaced(
    tmp_path: Path, deed: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An error in a step and a broken packet both end the worker; the log says why, the request goes on."""
    async with stage(tmp_path) as held:
        held.decide = once(deed, first("step"))
        with caplog.at_level(logging.INFO):
            async with toy_engine(toy_config(tmp_path)) as engine:
                events = await draw(engine, request())

    assert [event.alone for event in events if isinstance(event, Restarted)] == [True]
    assert len(results(events)) == 1
    assert {"raise": "the toy was told to fail", "garble": "broken packet"}[deed] in caplog.text


async def test_stray_prints_go_to_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What a library prints, in Python or below it, does not get between the packets."""
    async with stage(tmp_path) as held:
        held.decide = once("print", first("step"))
        with caplog.at_level(logging.INFO):
            async with toy_engine(toy_config(tmp_path)) as engine:
                events = await draw(engine, request())

    assert not [event for event in events if isinstance(event, Restarted)]
    assert len(results(events)) == 1
    assert "a stray print" in caplog.text
    assert "a stray write" in caplog.text


async def test_a_failed_sample_harms_no_other(tmp_path: Path) -> None:
    """The request fails in the end, with the runner's sentence, but its other sample is delivered first."""
    async with stage(tmp_path) as held, toy_engine(toy_config(tmp_path)) as engine:
        held.decide = once("fail", first("step"))
        seen: list[Event] = []

        async def read() -> None:
            async with aclosing(engine.generate(request(seeds=(1, 2)), {})) as events:
                async for event in events:
                    seen.append(event)  # noqa: PERF401 - what came before the error is kept

        with pytest.raises(RequestFailed, match="The toy gave up"):
            await read()

    assert [done.sample for done in results(seen)] == [1]


async def test_a_closed_reader_frees_its_rows_while_others_go_on(tmp_path: Path) -> None:
    """Word of it takes a pipe and a thread, which toy steps may overtake (see test_worker for real ones); but of its
    steps most are not run."""

    def both(turn: Turn) -> bool:
        return turn.name == "step" and len(prompts(turn)) == 2

    async with stage(tmp_path) as held, toy_engine(toy_config(tmp_path)) as engine:
        held.decide = lambda turn: None if both(turn) else "go"
        staying = asyncio.create_task(draw(engine, request("stays", steps=2000)))
        async with aclosing(engine.generate(request("leaves", steps=2000), {})) as events:
            leaving = asyncio.ensure_future(anext(events))
            shared = await held.until(both)
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
        held.decide = lambda _: "go"
        shared.answer("go")
        await staying

    assert len([turn for turn in held.named("step") if both(turn)]) < 1000
    assert len(held.named("drop")) == 1


async def test_a_storm_of_cancels_leaves_nothing_behind(tmp_path: Path) -> None:
    """A hundred requests, closed after none to five events, leave an idle engine that draws the next one."""
    chance = random.Random(0)
    async with stage(tmp_path) as held, toy_engine(toy_config(tmp_path)) as engine:
        first_pid = engine.status.worker_pid

        async def give_up_soon(number: int, patience: int) -> None:
            async with aclosing(engine.generate(request(f"request {number}", steps=50), {})) as events:
                for _ in range(patience):
                    await anext(events)

        await asyncio.gather(*(give_up_soon(number, chance.randrange(6)) for number in range(100)))
        idle = await until_state(engine, EngineState.READY)
        before = len(held.turns)
        events = await draw(engine, request("next"))

    assert idle.worker_pid == first_pid
    assert len(results(events)) == 1
    assert {"next"} == set().union(*(prompts(turn) for turn in held.turns[before:] if turn.name == "decode"))


async def test_nothing_is_lost_however_often_the_worker_dies(tmp_path: Path) -> None:
    """Killed at a random turn, over and over, the engine brings each request to an end: its results, each once, or
    the word that it has killed two workers while it was alone."""
    chance = random.Random(1)
    async with stage(tmp_path) as held:
        held.decide = lambda _: "die" if chance.random() < 0.03 else "go"
        async with toy_engine(toy_config(tmp_path)) as engine:
            outcomes = await asyncio.gather(
                *(draw(engine, request(f"request {number}", seeds=(1, 2))) for number in range(40)),
                return_exceptions=True,
            )
            held.decide = lambda _: "go"
            idle = await until_state(engine, EngineState.READY)

    lives = len(held.named("hello"))
    finished = [events for events in outcomes if not isinstance(events, BaseException)]
    assert [done.sample for events in finished for done in results(events)] == [0, 1] * len(finished)
    assert {type(error) for error in outcomes if isinstance(error, BaseException)} <= {RequestKillsWorker}
    assert len(finished) > 20
    assert lives > 5
    assert idle.worker_pid is not None


async def test_a_model_that_does_not_load_fails_only_its_own_request(tmp_path: Path) -> None:
    """Another model's folder is missing: who asks for it is told so, the rest goes on with the same worker."""
    async with stage(tmp_path), toy_engine(toy_config(tmp_path, "other")) as engine:
        pid = engine.status.worker_pid
        with pytest.raises(ModelUnavailable, match="no folder"):
            await draw(engine, request(model="other"))
        events = await draw(engine, request())

    assert len(results(events)) == 1
    assert pid is not None


async def test_the_end_of_its_input_ends_a_worker_in_the_middle_of_a_step(tmp_path: Path) -> None:
    """Where the system does not end a process with its parent, the closed pipe does: no signal is needed."""
    async with stage(tmp_path) as held:
        held.decide = lambda turn: "hang" if turn.name == "step" else "go"
        environment = bare_environment(os.environ)
        arguments = ["-m", "inference.worker", "--runner", RUNNER]
        child = await Child.start(arguments, environment, lambda _: None, logging.getLogger("test"))
        setup = Setup(config=toy_config(tmp_path), folders={"toy": str(tmp_path / "toy")})
        child.write(pack(setup))
        child.write(pack(Submit(key=1, request=request(), samples=(0,), blobs={})))
        await held.until(first("step"))
        await child.stop(grace=DEADLOCK_SECONDS)

    assert child.ended.result() == 0


_PARENT = """
import asyncio, sys
from pathlib import Path
from tests.inference.toys import request, draw, toy_config, toy_engine

async def main():
    async with toy_engine(toy_config(Path(sys.argv[1]))) as engine:
        print(engine.status.worker_pid, flush=True)
        await draw(engine, request())

asyncio.run(main())
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits for a foreign process by pidfd")
@pytest.mark.parametrize("deed", ["hang", None], ids=["in a step", "in a call that never returns"])
async def test_a_worker_ends_with_its_parent(tmp_path: Path, deed: str | None) -> None:
    """kill -9 of the process that runs the engine ends the worker too, whatever it is doing."""
    async with stage(tmp_path) as held:
        held.decide = lambda turn: deed if turn.name == "step" else "go"
        parent = await asyncio.create_subprocess_exec(sys.executable, "-c", _PARENT, str(tmp_path))
        stuck = await held.until(first("step"))
        gone = exit_of(stuck.pid)
        parent.kill()
        await parent.wait()
        await gone

    assert parent.returncode == -signal.SIGKILL
