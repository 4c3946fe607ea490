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
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from itertools import chain, repeat

import discord
import msgspec
import structlog

from bot import images, texts
from bot.card_content import card_content
from bot.delivery import REFUSALS, CardContent, Delivery
from bot.errors import DeliveryDelayed, Gone, NotAllowed, PlaceGone, Refusal
from bot.fair_queue import Entry, FairQueue, Pace
from bot.gate import Gate
from bot.store import (
    FileMissing,
    Job,
    JobState,
    NewJob,
    NewPicture,
    Picture,
    PictureKind,
    Store,
)
from bot.tasks import Tasks
from inference import (
    BadRequest,
    Blob,
    Engine,
    EngineStatus,
    EngineUnavailable,
    ImageRequest,
    Init,
    InitKind,
    ModelInfo,
    ModelUnavailable,
    Park,
    PictureRef,
    Pixels,
    Progress,
    RequestFailed,
    Restarted,
    SampleDone,
)

log = structlog.get_logger(__name__)

LOOK_AHEAD_ROWS = 4
"""Rows handed to the engine beyond those it can step at once, so that a row that comes free is taken at once."""

PING_AFTER_SECONDS = 60.0
_DELIVERY_RETRIES = (2.0, 10.0, 60.0, 300.0)
_PACE_HISTORY = 20


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What the person who asked is told at once. position: 1 is next; 0: it runs already."""

    job: Job
    position: int
    seconds: float | None
    where: str

    @property
    def sentence(self) -> str:
        if self.job.held_for is not None:
            return texts.held(self.job.held_for)
        if self.position == 0:
            return texts.accepted_at_once(self.where)
        return texts.accepted(self.position, self.seconds, self.where)


class _Live:
    """What is known of a job from its acceptance to its final state, beyond its row."""

    def __init__(self, job: Job, cost: float) -> None:
        self.job = job
        self.entry = Entry(job_id=job.id, server=job.guild_id, person=job.author_id, cost=cost)
        self.task: asyncio.Task[None] | None = None
        self.progress: dict[int, Progress] = {}
        self.previews: dict[int, Pixels] = {}
        self.restarted = False
        self.shown: tuple[object, ...] = ()

    @property
    def cost_left(self) -> float:
        """What is still to be done of a running job."""
        done = sum(each.step for each in self.progress.values())
        return self.entry.cost * (1 - done / self.job.request.total_steps)

    def forget_progress(self) -> None:
        self.progress.clear()
        self.previews.clear()


def cost_of(request: ImageRequest, model: ModelInfo | None) -> float:
    """Executed steps × rows × megapixels × the model's row cost: what the line is divided by."""
    megapixels = request.frame.canvas.area / 1e6
    rows_of_sample = request.rows / len(request.seeds)
    return request.total_steps * rows_of_sample * megapixels * (model.row_cost if model else 1.0)


class Jobs:
    """Keeper of the line and of every job that is not over."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        delivery: Delivery,
        tasks: Tasks,
        gate: Gate,
        *,
        now: Callable[[], float],
        park: Park,
    ) -> None:
        self._store = store
        self._engine = engine
        self._delivery = delivery
        self._tasks = tasks
        self._gate = gate
        self._now = now
        self._park = park
        self._queue = FairQueue()
        self._pace = Pace()
        self._live: dict[int, _Live] = {}
        self._rows_in_use = 0
        self._last_ended = 0.0
        engine.watch(self._engine_changed)

    # Admit

    async def submit(self, new: NewJob) -> Receipt:
        """Accept a job, post its card and put it in line. Raises Refusal; then nothing was stored or charged."""
        held_for = await self._gate.admit(new)
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
        if job.held_for is None and self._live.get(job.id) is live and job.id not in self._queue:
            self._queue.add(live.entry)
            self._pump()

    async def _give_up(self, live: _Live, sentence: str) -> None:
        """A job without a card is over; whoever asked is told by the caller."""
        self._live.pop(live.job.id, None)
        self._delivery.drop(live.job.id)
        async with self._store.transaction() as tx:
            await self._store.fail(tx, live.job.id, sentence)
            await self._store.shown(tx, live.job.id)

    def _take_up(self, job: Job) -> _Live:
        live = _Live(job, cost_of(job.request, self._model(job.request)))
        self._live[job.id] = live
        self._delivery.card(job.id, self.render)
        return live

    async def _receipt(self, job: Job) -> Receipt:
        scene = await self._store.scene(job.scene_id)
        position, seconds = self.position(job.id)
        return Receipt(job=job, position=position, seconds=seconds, where=f"<#{scene.place_id}>")

    # Wait in line

    def position(self, job_id: int) -> tuple[int, float | None]:
        """Place in the line (0: not waiting) and the seconds until it is done, None while nobody knows."""
        for waiting_id, place, seconds in self._positions():
            if waiting_id == job_id:
                return place, seconds
        return 0, None

    def _positions(self) -> Iterator[tuple[int, int, float | None]]:
        """Job, place and seconds of everybody who waits, first come first."""
        ahead = sum(live.cost_left for live in self._live.values() if live.task is not None)
        for place, entry in enumerate(self._queue, start=1):
            ahead += entry.cost
            yield entry.job_id, place, self._pace.seconds([ahead])

    def _pump(self) -> None:
        """Start whatever can start. Called whenever something changed; there is no loop that waits."""
        if self._engine.status.state.takes_work:
            while (entry := self._queue.next()) is not None and self._fits(self._live[entry.job_id]):
                live = self._live[self._queue.take().job_id]
                self._rows_in_use += live.job.request.rows
                live.task = self._tasks.spawn(self._run(live), name=f"job {live.job.id}")
        for job_id, position, seconds in self._positions():
            self._show_position(self._live[job_id], position, seconds)

    def _fits(self, live: _Live) -> bool:
        """Strictly in fair order: nobody small slips past somebody large."""
        room = self._engine.row_credits + LOOK_AHEAD_ROWS - self._rows_in_use
        return self._rows_in_use == 0 or live.job.request.rows <= room

    def _show_position(self, live: _Live, position: int, seconds: float | None) -> None:
        """Edit the card only when people would read something new on it."""
        rounded = None if seconds is None else texts.about(seconds)
        shown = (position, rounded, self._engine.status.state, self._engine.status.detail)
        if shown != live.shown:
            live.shown = shown
            self._delivery.refresh(live.job.id)

    def _engine_changed(self, _status: EngineStatus) -> None:
        self._pump()

    # Run

    async def _run(self, live: _Live) -> None:
        try:
            over = await self._draw_or_fail(live)
        finally:
            live.task = None
            self._rows_in_use -= live.job.request.rows
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
        except (RequestFailed, BadRequest, ModelUnavailable) as error:
            log.warning("a job failed", job=live.job.id, why=str(error))
            await self._fail(live, texts.failed(str(error)))
        except FileMissing as error:
            log.error("a stored file is missing", job=live.job.id, file=str(error))
            await self._fail(live, await self._why_missing(live.job))
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
        request, blobs = await self._blobs(live)
        async with self._store.transaction() as tx:
            job = await self._store.start_attempt(tx, live.job.id, request, self._now())
        if job is None:  # cancelled in the meantime
            return False
        live.job = job
        self._delivery.refresh(job.id)
        done: dict[int, SampleDone] = {}
        async with aclosing(self._engine.generate(job.to_draw, blobs)) as events:
            async for event in events:
                match event:
                    case SampleDone():
                        done[event.sample] = event
                    case Progress():
                        self._show_progress(live, event)
                    case Restarted():
                        live.restarted = True
                        live.forget_progress()
                        self._delivery.refresh(job.id)
        return await self._keep(live, [done[sample] for sample in sorted(done)])

    def _show_progress(self, live: _Live, event: Progress) -> None:
        live.progress[event.sample] = event
        if event.preview is not None:
            live.previews[event.sample] = event.preview
            self._delivery.refresh(live.job.id)

    async def _keep(self, live: _Live, results: Sequence[SampleDone]) -> bool:
        """Files first, then the rows that name them, in one transaction with the new state."""
        job = live.job
        now = self._now()
        seconds, share = now - (job.started_at or now), self._share(job, now)
        # Asked for now, not when the job was accepted: the weights may have been fetched in between.
        model = self._model(job.request)
        begun_from = await self._begun_from(job)
        pictures = [await self._new_picture(job, model, begun_from, result) for result in results]
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
            elif any(result.precise for result in results):
                await self._store.add_note(tx, job, texts.HALF_PRECISION_RAN_OVER)
        if kept:
            self._pace.learn(live.entry.cost, share)
            self._last_ended = now
            log.info("rendered", job=job.id, attempt=job.attempt, seconds=round(seconds, 2))
        return kept

    async def _begun_from(self, job: Job) -> Picture | None:
        source_id = job.upload_id or job.parent_id
        return await self._store.picture(source_id) if source_id is not None else None

    async def _new_picture(
        self, job: Job, model: ModelInfo | None, begun_from: Picture | None, result: SampleDone
    ) -> NewPicture:
        finished = await self._finished(job.request, begun_from, result.pixels)
        return NewPicture(
            kind=PictureKind.GENERATED,
            author_id=job.author_id,
            file=await self._store.files.put(finished.png),
            size=finished.size,
            parent_id=job.upload_id or job.parent_id,
            latents=await self._store.files.put(result.latents),
            latents_of=model.latents if model else None,
            candidate=result.sample + 1,
            piece=begun_from.piece if begun_from is not None else None,
        )

    async def _finished(
        self, request: ImageRequest, begun_from: Picture | None, drawn: Pixels
    ) -> images.Finished:
        """What was drawn as people get it: a region pasted into the picture it belongs to, a Piece in its outline."""
        if begun_from is None or (request.mask is None and begun_from.piece is None):
            return images.Finished(await images.encode_png(drawn), drawn.size)
        whole = await self._store.files.get(begun_from.file)
        if request.mask is None:
            return await images.in_outline_of(whole, drawn)
        region = await self._store.files.get(request.mask)
        window = request.init.window if request.init is not None else None
        return await images.pasted_back(whole, drawn, region, window)

    def _share(self, job: Job, ended: float) -> float:
        """Seconds. Jobs overlap, so what one added to the line is the time since the one before it was done."""
        return ended - max(self._last_ended, job.started_at or ended)

    async def _blobs(self, live: _Live) -> tuple[ImageRequest, dict[PictureRef, Blob]]:
        """The bytes that the request refers to. Latents that are gone are replaced by the parent's pixels."""
        request = live.job.request
        if request.init is None:
            return request, {}
        blobs: dict[PictureRef, Blob] = {}
        if request.mask is not None:
            blobs[request.mask] = await images.read_grey(await self._store.files.get(request.mask))
        if request.init.kind is InitKind.LATENTS:
            try:
                return request, blobs | {request.init.ref: await self._store.files.get(request.init.ref)}
            except FileMissing:
                request = await self._without_latents(live)
        assert request.init is not None  # a request with an init keeps one
        png = await self._store.files.get(request.init.ref)
        return request, blobs | {request.init.ref: await images.read_pixels(png)}

    async def _without_latents(self, live: _Live) -> ImageRequest:
        assert live.job.parent_id is not None  # latents are always those of the parent
        parent = await self._store.picture(live.job.parent_id)
        if parent is None:
            raise FileMissing(str(live.job.parent_id))
        async with self._store.transaction() as tx:
            await self._store.add_note(tx, live.job, texts.LATENTS_WERE_GONE)
        init = Init(kind=InitKind.PIXELS, ref=parent.file)
        return msgspec.structs.replace(live.job.request, init=init)

    async def _why_missing(self, job: Job) -> str:
        source_id = job.upload_id or job.parent_id
        source = await self._store.picture(source_id) if source_id is not None else None
        return texts.SOURCE_WAS_DELETED if source is not None and source.deleted else texts.PICTURE_FILE_GONE

    def _model(self, request: ImageRequest) -> ModelInfo | None:
        """None for a model that is no longer configured."""
        return next((model for model in self._engine.models() if model.name == request.model), None)

    async def _back_in_line(self, live: _Live) -> None:
        async with self._store.transaction() as tx:
            await self._store.requeue(tx, live.job)
        live.job = msgspec.structs.replace(live.job, state=JobState.QUEUED)
        live.forget_progress()
        self._queue.put_back(live.entry)

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
            live.job = msgspec.structs.replace(live.job, held_for=None)
            self._queue.add(live.entry)
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
        self._queue.remove(live.job.id)
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
            self._pace.learn(cost_of(request, self._model(request)), seconds)
        for job in await self._store.jobs_to_take_up():
            if job.id in self._live:
                continue
            log.info("taken up again", job=job.id, state=job.state)
            live = self._take_up(job)
            if job.state is JobState.QUEUED:
                if job.held_for is None:
                    self._queue.add(live.entry)
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
            previews=[live.previews[sample] for sample in sorted(live.previews)] if live else [],
            steps_done=sum(progress.step for progress in live.progress.values()) if live else 0,
        )

    def _status_line(self, job: Job, live: _Live | None) -> str:
        match job.state:
            case JobState.QUEUED if job.held_for is not None:
                return texts.held(job.held_for)
            case JobState.QUEUED:
                return texts.waiting(*self.position(job.id), self._engine.status)
            case JobState.RUNNING:
                return self._running_line(live)
            case JobState.FAILED:
                return job.error or texts.INTERNAL_ERROR
            case JobState.CANCELLED:
                return texts.CANCELLED
            case _:
                return texts.DONE

    def _running_line(self, live: _Live | None) -> str:
        if live is None or not live.progress:
            return texts.ENGINE_RESTARTED if live is not None and live.restarted else texts.STARTING
        slowest = max(live.progress.values(), key=lambda progress: progress.steps - progress.step)
        return texts.running(slowest.step, slowest.steps, len(live.job.request.seeds))
