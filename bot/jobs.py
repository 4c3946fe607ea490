"""The one path that every door uses: admit → wait in line → run → deliver → remember; cancel; recover.

::

    queued ──► running ──► rendered ──► posted
       │          │            │
       ├──────────┴──► cancelled
       └──────────┴────────────┴──► failed

Each arrow is one transaction. After a crash, start-up takes up whatever is not over and told: queued and running
jobs go back in line, rendered ones are posted, and the cards of failed and cancelled ones say so. There is no other
way to start, and no clean way to stop that data needs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from itertools import chain, repeat

import discord
import msgspec
import structlog

from bot import texts
from bot.card_content import card_content
from bot.delivery import REFUSALS, CardContent, Delivery
from bot.errors import DeliveryDelayed, Gone, NotAllowed, PlaceGone, Refusal
from bot.gate import Gate
from bot.job_files import JobFiles
from bot.line import Asked, Line, Turn
from bot.options import Options
from bot.pace import work_of
from bot.safeguard import Safeguard
from bot.store import (
    FileMissing,
    Job,
    JobState,
    NewJob,
    NewScene,
    Standing,
    Store,
)
from bot.tasks import Tasks
from inference import (
    BadRequest,
    Engine,
    EngineState,
    EngineStatus,
    EngineUnavailable,
    ImageRequest,
    ModelInfo,
    ModelUnavailable,
    Park,
    Pixels,
    Progress,
    RequestFailed,
    Restarted,
    SampleBlocked,
    SampleDone,
    Unsafe,
)

log = structlog.get_logger(__name__)

PING_AFTER_SECONDS = 60.0
_DELIVERY_RETRIES = (2.0, 10.0, 60.0, 300.0)
_PACE_HISTORY = 60

WeightOf = Callable[[int | None, Standing], Awaitable[float]]
"""How much of a server's share a person has beside others there, by who they are."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What the person who asked is told at once. turn: None for a job that runs already.

    paused_for: why the line of this server stands still; None: it does not.
    """

    job: Job
    turn: Turn | None
    where: str
    paused_for: str | None

    @property
    def sentence(self) -> str:
        if self.job.held_for is not None:
            return texts.held(self.job.held_for)
        if self.turn is None:
            return texts.accepted_at_once(self.where)
        return texts.accepted(self.turn, self.where, paused_for=self.paused_for)


class _Live:
    """What is known of a job from its acceptance to its final state, beyond its row."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.task: asyncio.Task[None] | None = None
        self.progress: dict[int, Progress] = {}
        self.previews: dict[int, Pixels] = {}
        self.restarted = False
        self.shown = ""

    @property
    def steps_done(self) -> int:
        """Of all samples together."""
        return sum(each.step for each in self.progress.values())

    @property
    def slowest(self) -> Progress | None:
        """The sample that has the most to do; None before the first step."""
        return max(self.progress.values(), key=lambda each: each.steps - each.step, default=None)

    def forget_progress(self) -> None:
        self.progress.clear()
        self.previews.clear()


class Jobs:
    """Keeper of every job that is not over. line: who waits, runs and is next."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        delivery: Delivery,
        tasks: Tasks,
        gate: Gate,
        safeguard: Safeguard,
        *,
        now: Callable[[], float],
        park: Park,
        weight_of: WeightOf,
        tell_held: Callable[[Job], Awaitable[None]],
    ) -> None:
        self.line = Line(changed=self._pump)
        self._store = store
        self._engine = engine
        self._files = JobFiles(store)
        self._delivery = delivery
        self._tasks = tasks
        self._gate = gate
        self._safeguard = safeguard
        self._now = now
        self._park = park
        self._weight_of = weight_of
        self._tell_held = tell_held
        self._live: dict[int, _Live] = {}
        self._shows_turns = False
        self._turns_shown_at = 0.0
        engine.watch(self._engine_changed)

    # Admit

    async def submit(self, new: NewJob, said: Options | None = None) -> Receipt:
        """Accept a job, post its card and put it in line. Raises Refusal; then nothing was stored or charged."""
        if said is not None:
            new = await self._gate.fitted(new, said)
        held_for = await self._gate.admit(new)
        if held_for is not None:
            new = _untitled(new)
        new = await self._safeguard.unseen(new)
        async with self._store.transaction() as tx:
            accepted_before = await self._store.accepted_before(new.source)
            if accepted_before is None:
                await self._gate.admit_in(tx, new)
            job = await self._store.accept(tx, new, self._now(), held_for=held_for)
        if accepted_before is None:
            log.info("accepted", job=job.id, kind=job.kind, server=job.guild_id, person=job.author_id)
            await self._join(job)
        return await self._receipt(job)

    async def _join(self, job: Job) -> None:
        """Post the card, then wait in line. A place that is gone ends the job; an unwell Discord does not."""
        live = self._take_up(job)
        try:
            await self._delivery.post(job)
        except DeliveryDelayed as error:
            log.warning("the card comes later", job=job.id, why=str(error))
            self._delivery.refresh(job.id)
        except PlaceGone as error:
            await self._give_up(live, texts.PLACE_IS_GONE)
            raise NotAllowed(texts.PLACE_IS_GONE) from error
        except Exception:
            # Whatever else keeps the card from being posted ends the job: nobody would see what came of it.
            await self._give_up(live, texts.INTERNAL_ERROR)
            raise
        if job.held_for is not None:
            await self._tell_held(job)
        await self._enter_line(live)
        self._pump()

    async def _give_up(self, live: _Live, sentence: str) -> None:
        """A job without a card is over; whoever asked is told by the caller."""
        self._live.pop(live.job.id, None)
        self._delivery.drop(live.job.id)
        async with self._store.transaction() as tx:
            await self._store.fail(tx, live.job.id, sentence)
            await self._store.shown(tx, live.job.id)

    def _take_up(self, job: Job) -> _Live:
        live = _Live(job)
        self._live[job.id] = live
        self._delivery.card(job.id, self.render)
        return live

    async def _receipt(self, job: Job) -> Receipt:
        scene = await self._store.scene(job.scene_id)
        paused_for = self.line.paused_for(job.guild_id)
        where = f"<#{scene.place_id}>"
        return Receipt(job=job, turn=self.line.turn(job.id), where=where, paused_for=paused_for)

    # Wait in line

    async def _enter_line(self, live: _Live) -> None:
        """Unless it is held, over or in line meanwhile."""
        weight = await self._weight_of(live.job.guild_id, live.job.standing)
        job = live.job
        if job.held_for is None and self._live.get(job.id) is live and not self.line.waits(job.id):
            self.line.join(
                Asked(
                    job_id=job.id,
                    guild_id=job.guild_id,
                    person_id=job.author_id,
                    work=work_of(job.request, self._model(job.request)),
                    rows=job.request.rows,
                    weight=weight,
                )
            )

    def _pump(self) -> None:
        """Start whatever can start. Called whenever something changed; there is no loop that waits."""
        if self._engine.status.state.takes_work:
            while (job_id := self.line.start(self._engine.row_credits, self._now())) is not None:
                live = self._live[job_id]
                live.task = self._tasks.spawn(self._run(live), name=f"job {job_id}")
        if not self._shows_turns:
            self._shows_turns = True
            self._tasks.spawn(self._show_turns(), name="places in line")

    async def _show_turns(self) -> None:
        """As often as a card may be edited: however many wait, places need not be worked out at each change."""
        wait = self._turns_shown_at + self._delivery.edit_gap - self._now()
        if wait > 0:
            await self._park(asyncio.sleep(wait), "the next edit of cards")
        self._shows_turns = False
        self._turns_shown_at = self._now()
        for turn in self.line.turns():
            self._show_turn(self._live[turn.job_id], turn)

    def _show_turn(self, live: _Live, turn: Turn) -> None:
        """Edit the card only when people would read something new on it."""
        shown = self._waiting_line(live.job, turn)
        if shown != live.shown:
            live.shown = shown
            self._delivery.refresh(live.job.id)

    def _engine_changed(self, status: EngineStatus) -> None:
        if status.state is not EngineState.CLOSED:  # else this process ends, and nothing is edited any more
            self._pump()

    # Run

    async def _run(self, live: _Live) -> None:
        try:
            over = await self._draw_or_fail(live)
        finally:
            live.task = None
            self.line.stop(live.job.id)
        self._pump()
        if over:
            await self._show_end(live)

    async def _draw_or_fail(self, live: _Live) -> bool:
        """True once the job is rendered or has failed; False if it was cancelled or is back in line."""
        try:
            await self._gate.still_allows(live.job)
            return await self._draw(live)
        except Refusal as error:
            log.info("a job is no longer allowed", job=live.job.id)
            await self._fail(live, texts.no_longer_allowed(str(error)))
        except Unsafe as error:
            await self._safeguard.refuse(live.job, error)
        except (RequestFailed, BadRequest, ModelUnavailable) as error:
            log.warning("a job failed", job=live.job.id, why=str(error))
            await self._fail(live, texts.failed(str(error)))
        except FileMissing as error:
            log.error("a stored file is missing", job=live.job.id, file=str(error))
            await self._fail(live, await self._files.why_missing(live.job))
        except EngineUnavailable as error:
            log.info("a job goes back in line", job=live.job.id, why=str(error))
            await self._back_in_line(live)
            return False
        except Exception:
            # The last net under a job: whatever broke, its owner gets a sentence and the log gets the trace.
            log.exception("a job broke", job=live.job.id)
            await self._fail(live, texts.INTERNAL_ERROR)
        return True

    async def _draw(self, live: _Live) -> bool:
        request, blobs = await self._files.needed(live.job)
        async with self._store.transaction() as tx:
            job = await self._store.start_attempt(tx, live.job.id, request, self._now())
        if job is None:  # cancelled in the meantime
            return False
        live.job = job
        self._delivery.refresh(job.id)
        done: dict[int, SampleDone] = {}
        blocked: dict[int, str] = {}
        strictness = await self._safeguard.strictness(job.guild_id, job.standing)
        async with aclosing(self._engine.generate(job.to_draw, blobs, strictness)) as events:
            async for event in events:
                match event:
                    case SampleDone():
                        done[event.sample] = event
                    case SampleBlocked():
                        blocked[event.sample] = event.category
                    case Progress():
                        self._show_progress(live, event)
                    case Restarted():
                        live.restarted = True
                        live.forget_progress()
                        self.line.restart(job.id, self._now())
                        self._delivery.refresh(job.id)
        if not done:
            live.forget_progress()  # and with it the previews
            await self._safeguard.keep_all_back(job, blocked)
            return True
        return await self._keep(live, [done[sample] for sample in sorted(done)], blocked)

    def _show_progress(self, live: _Live, event: Progress) -> None:
        live.progress[event.sample] = event
        self.line.step(live.job.id, live.steps_done / live.job.request.total_steps, self._now())
        if event.preview is not None:
            live.previews[event.sample] = event.preview
            self._delivery.refresh(live.job.id)

    async def _keep(self, live: _Live, results: Sequence[SampleDone], blocked: Mapping[int, str]) -> bool:
        """Files first, then the rows that name them, in one transaction with the new state.

        blocked: what the safety check took the samples for that it kept back.
        """
        job = live.job
        now = self._now()
        seconds, share = now - (job.started_at or now), self.line.measure(job.id, now)
        # Asked for now, not when the job was accepted: the weights may have been fetched in between.
        model = self._model(job.request)
        pictures = await self._files.put(job, model, results)
        found = None
        async with self._store.transaction() as tx:
            kept = await self._store.finish(
                tx,
                job,
                pictures,
                seconds=seconds,
                gpu_seconds=share,
                model_version=model.version if model else "",
                now=now,
            )
            if not kept:
                files = ((picture.file, picture.latents) for picture in pictures)
                await self._store.doom(tx, (file for file in chain.from_iterable(files) if file is not None))
            else:
                found = await self._safeguard.note(tx, job, results, blocked)
                if any(result.precise for result in results):
                    await self._store.add_note(tx, job, texts.HALF_PRECISION_RAN_OVER)
        if found is not None:
            await self._safeguard.publish(found)
        if kept:
            log.info("rendered", job=job.id, attempt=job.attempt, seconds=round(seconds, 2))
        return kept

    def _model(self, request: ImageRequest) -> ModelInfo | None:
        """None for a model that is no longer configured."""
        return next((model for model in self._engine.models() if model.name == request.model), None)

    async def _back_in_line(self, live: _Live) -> None:
        async with self._store.transaction() as tx:
            await self._store.requeue(tx, live.job)
        live.job = msgspec.structs.replace(live.job, state=JobState.QUEUED)
        live.forget_progress()
        self.line.put_back(live.job.id)

    # Deliver

    async def _show_end(self, live: _Live) -> None:
        """Have the card say how the job ended, however long Discord takes to come back."""
        message = None
        for wait in chain(_DELIVERY_RETRIES, repeat(_DELIVERY_RETRIES[-1])):
            try:
                message = await self._delivery.finish(live.job)
            except DeliveryDelayed as error:
                log.warning("the end of a job waits for Discord", job=live.job.id, why=str(error))
                await self._park(asyncio.sleep(wait), "Discord to come back")
                continue
            except PlaceGone as error:
                log.info("nobody can be told", job=live.job.id, why=str(error))
                await self._fail(live, texts.PLACE_IS_GONE)
            except Exception:
                # A file that is gone, a card that Discord refuses: whatever it is, the owner must read something.
                log.exception("the end of a job could not be shown", job=live.job.id)
                if await self._fail(live, texts.CARD_REFUSED):
                    continue  # a card that says just that may be taken
            break
        self._delivery.drop(live.job.id)
        self._live.pop(live.job.id, None)
        async with self._store.transaction() as tx:
            await self._store.shown(tx, live.job.id)
        if message is not None:
            await self._ping(live.job, message)

    async def _ping(self, job: Job, message: discord.Message) -> None:
        """An edit pings nobody: who waited for long gets one short message, the only mention that is allowed."""
        if self._now() - job.created_at < PING_AFTER_SECONDS:
            return
        owner_only = discord.AllowedMentions(users=[discord.Object(job.author_id)], replied_user=False)
        try:
            await message.reply(
                texts.took_a_while(job.author_id), allowed_mentions=owner_only, nonce=f"{job.id}:ping:0"
            )
        except REFUSALS as error:
            log.info("no ping", job=job.id, why=str(error))

    async def _fail(self, live: _Live, sentence: str) -> bool:
        """The job is over without pictures. False if it was over already."""
        async with self._store.transaction() as tx:
            return await self._store.fail(tx, live.job.id, sentence)

    # Cancel

    async def cancel(self, job_id: int, person_id: int, *, moderates: bool) -> None:
        """Stop a waiting or running job; its rows in the engine are free within a step. Raises Refusal."""
        job = await self._store.job(job_id)
        if job is None or job.deleted:
            raise Gone(texts.ALREADY_OVER)
        scene = await self._store.scene(job.scene_id)
        if not moderates and person_id not in (job.author_id, scene.owner_id):
            raise NotAllowed(texts.NOT_FOR_YOU_TO_CANCEL)
        if not await self._stop(job):
            raise Gone(texts.ALREADY_OVER)

    async def release(self, job_id: int) -> bool:
        """A moderator lets a held job through: into the line with it. False if it is held no more."""
        async with self._store.transaction() as tx:
            released = await self._store.release(tx, job_id)
        live = self._live.get(job_id)
        if released and live is not None:
            live.job = msgspec.structs.replace(live.job, held_for=None, let_through=True)
            await self._enter_line(live)
            self._pump()
        return released

    async def refuse(self, job_id: int, sentence: str) -> bool:
        """Somebody with a say ends a job that waits or runs; its card says why. False if it was over already."""
        async with self._store.transaction() as tx:
            job = await self._store.job(job_id)
            ended = (
                job is not None and job.state.waits_or_runs and await self._store.fail(tx, job_id, sentence)
            )
        live = self._live.get(job_id)
        if ended and live is not None:
            await self._end_work(live)
            self._tasks.spawn(self._show_end(live), name=f"end of job {job_id}")
        return ended

    async def place_deleted(self, place_id: int) -> list[Job]:
        """A thread or channel is gone: stop its jobs. Returns those that were stopped."""
        return [job for job in await self._store.jobs_in_place(place_id) if await self._stop(job)]

    async def _stop(self, job: Job) -> bool:
        async with self._store.transaction() as tx:
            stopped = await self._store.cancel(tx, job.id)
        live = self._live.get(job.id)
        if not stopped or live is None:
            return stopped
        await self._end_work(live)
        self._tasks.spawn(self._show_end(live), name=f"end of job {job.id}")
        return True

    async def _end_work(self, live: _Live) -> None:
        """Out of the line and off the engine."""
        self.line.leave(live.job.id)
        if live.task is not None:
            live.task.cancel()
            await asyncio.wait([live.task])
        self._pump()

    async def deleted(self, job_id: int) -> None:
        """The job's row says so already: stop whatever is still under way for it, and post nothing more."""
        live = self._live.pop(job_id, None)
        if live is not None:
            await self._end_work(live)
        await self._delivery.let_go(job_id)

    async def redraw(self, job_id: int) -> None:
        """Something that a card shows was deleted: show it without. Raises DeliveryFailed."""
        job = await self._store.job(job_id)
        if job_id in self._live:
            self._delivery.refresh(job_id)
        elif job is not None and not job.deleted:
            await self._delivery.redraw(job, self.render)

    # Recover

    async def begin(self) -> None:
        """What ran in the last process runs no more. Comes before the first new job, which may well run already
        when `recover` has its turn."""
        async with self._store.transaction() as tx:
            await self._store.requeue_all(tx)

    async def recover(self) -> None:
        """Take up every job that was not over when the last process ended, in the order they were accepted."""
        for request, seconds in reversed(await self._store.recent_runs(_PACE_HISTORY)):
            self.line.pace.learn(work_of(request, self._model(request)), seconds)
        for server in await self._store.servers.all():
            self.line.set_weight(server.guild_id, server.weight)
            if server.paused_for is not None:
                self.line.pause(server.guild_id, server.paused_for)
        for job in await self._store.jobs_to_take_up():
            if job.id in self._live:
                continue
            log.info("taken up again", job=job.id, state=job.state)
            live = self._take_up(job)
            if job.state is JobState.QUEUED:
                await self._enter_line(live)
                if job.moved_for is not None:
                    self.line.first(job.id)
            else:
                self._tasks.spawn(self._show_end(live), name=f"end of job {job.id}")
        self._pump()

    # Cards

    async def render(self, job_id: int) -> CardContent:
        """What the job's card looks like now. Raises PlaceGone for a job that is no longer stored."""
        job = await self._store.job(job_id)
        if job is None or job.deleted:
            raise PlaceGone(f"job {job_id} is no longer there")
        live = self._live.get(job_id)
        return await card_content(
            self._store,
            job,
            model=self._model(job.request),
            status=self._status_line(job, live),
            hides_start=await self._safeguard.hides_start(job),
            previews=[live.previews[sample] for sample in sorted(live.previews)] if live else [],
            steps_done=live.steps_done if live else 0,
        )

    def step_of(self, job_id: int) -> tuple[int, int] | None:
        """How many steps of how many a running job has done; None before its first one."""
        live = self._live.get(job_id)
        slowest = live.slowest if live is not None else None
        return None if slowest is None else (slowest.step, slowest.steps)

    def _status_line(self, job: Job, live: _Live | None) -> str:
        match job.state:
            case JobState.QUEUED if job.held_for is not None:
                return texts.held(job.held_for)
            case JobState.QUEUED:
                return self._waiting_line(job, self.line.turn(job.id))
            case JobState.RUNNING:
                return self._running_line(live)
            case JobState.FAILED:
                return job.error or texts.INTERNAL_ERROR
            case JobState.CANCELLED:
                return texts.CANCELLED
            case _:
                return texts.DONE

    def _waiting_line(self, job: Job, turn: Turn | None) -> str:
        trouble = texts.trouble(self._engine.status, draining=self.line.draining)
        return texts.waiting(turn, trouble, paused_for=self.line.paused_for(job.guild_id))

    def _running_line(self, live: _Live | None) -> str:
        if live is None or live.slowest is None:
            return texts.ENGINE_RESTARTED if live is not None and live.restarted else texts.STARTING
        return texts.running(live.slowest.step, live.slowest.steps, len(live.job.request.seeds))


def _untitled(new: NewJob) -> NewJob:
    """A new Scene is called by its first prompt; not by one that a moderator has to see first."""
    if not isinstance(new.scene, NewScene):
        return new
    scene = msgspec.structs.replace(new.scene, title=texts.SCENE_THAT_WAITS)
    return msgspec.structs.replace(new, scene=scene)
