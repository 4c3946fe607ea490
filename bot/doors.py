"""What the three doors have in common: from what a person did to a NewJob, and into `jobs`.

Commands, replies and buttons acknowledge, call one method here and show what it returns. Every method raises
Refusal with a sentence; then nothing was stored or charged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import discord
import msgspec

from bot import remix, texts
from bot.asker import Asker
from bot.custom_ids import Action, How
from bot.delivery import REFUSALS
from bot.errors import BadPicture, Gone, NotAllowed
from bot.images import MOST_BYTES, CleanPicture, Decoder
from bot.jobs import Jobs, Receipt
from bot.options import Form, Options, parse_reply, read_form
from bot.places import Place, check_permissions, may_have_thread
from bot.store import Job, JobKind, NewJob, NewPicture, NewScene, Picture, PictureKind, Scene, Shares, Store
from inference import Engine, ImageRequest, PictureRef

_KINDS = {Action.AGAIN: JobKind.AGAIN, Action.SUBTLE: JobKind.SUBTLE, Action.STRONG: JobKind.STRONG}


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A stranger's picture, re-made and stored, not yet part of any Scene."""

    file: PictureRef
    picture: CleanPicture

    def as_picture(self, author_id: int, parent_id: int | None) -> NewPicture:
        return NewPicture(
            kind=PictureKind.UPLOADED,
            author_id=author_id,
            file=self.file,
            size=self.picture.size,
            parent_id=parent_id,
        )

    def as_source(self) -> remix.Source:
        return remix.Source(file=self.file, size=self.picture.size)


class Doors:
    def __init__(
        self,
        store: Store,
        jobs: Jobs,
        engine: Engine,
        decoder: Decoder,
        *,
        fresh_seed: Callable[[], int],
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._engine = engine
        self._decoder = decoder
        self._fresh_seed = fresh_seed

    async def sketch(
        self,
        asker: Asker,
        attachment: discord.Attachment,
        prompt: str,
        options: Options,
        notes: tuple[str, ...] = (),
    ) -> Receipt:
        """/sketch: a picture and a prompt begin a Scene, or join the one whose thread this is."""
        check_permissions(asker.place)
        upload = await self._read(attachment)
        request = remix.from_sketch(
            self._engine.models(), upload.as_source(), prompt, options, self._fresh_seed()
        )
        return await self._begin(JobKind.SKETCH, asker, request, upload, notes)

    async def imagine(self, asker: Asker, prompt: str, options: Options) -> Receipt:
        """/imagine: words alone."""
        check_permissions(asker.place)
        request = remix.from_words(self._engine.models(), prompt, options, self._fresh_seed())
        return await self._begin(JobKind.IMAGINE, asker, request, None)

    async def reply(
        self, asker: Asker, message_id: int, text: str, attachments: Sequence[discord.Attachment]
    ) -> Receipt | None:
        """A reply to a card or picture: words, a picture, or both. None if that message is not one of them."""
        parent, note = await self._replied_picture(message_id, asker.person_id)
        if parent is None:
            return None
        words, options = parse_reply(text)
        return await self._refine(asker, parent, note, words, options, attachments)

    async def refine(
        self, asker: Asker, picture_id: int, form: Form, attachments: Sequence[discord.Attachment]
    ) -> Receipt:
        """A form about one of our pictures; a picture sent along is the start instead."""
        parent = await self._within_reach(asker, picture_id)
        prompt, options = read_form(form)
        note = texts.goes_on_from(parent.number, None, chosen=False)
        return await self._refine(asker, parent, note, prompt, options, attachments)

    async def sketch_of_offer(
        self, asker: Asker, attachment: discord.Attachment, count: int, form: Form, how: How
    ) -> Receipt:
        """A file of somebody's message, the first of `count`; not of our making, so there is nothing to inherit."""
        prompt, options = read_form(form)
        if options.strength is None and how is How.REFINE:
            options = msgspec.structs.replace(options, strength=remix.REFINE_STRENGTH)
        notes = (texts.first_of_message(count),) if count > 1 else ()
        return await self.sketch(asker, attachment, prompt, options, notes)

    async def sketch_of_ours(self, asker: Asker, picture_id: int, form: Form) -> Receipt:
        """One of our pictures as if somebody had drawn it: its pixels, and the freedom of a first sketch."""
        parent = await self._within_reach(asker, picture_id)
        prompt, options = read_form(form)
        check_permissions(asker.place)
        await self._check_shared(parent, asker.person_id)
        source = remix.Source(file=parent.file, size=parent.size)
        new = NewJob(
            source=asker.source,
            kind=JobKind.SKETCH,
            scene=parent.scene_id,
            guild_id=asker.guild_id,
            author_id=asker.person_id,
            request=remix.from_sketch(self._engine.models(), source, prompt, options, self._fresh_seed()),
            parent_id=parent.id,
            notes=(texts.goes_on_from(parent.number, None, chosen=False),),
        )
        return await self._jobs.submit(new)

    async def _refine(
        self,
        asker: Asker,
        parent: Picture,
        note: str,
        words: str,
        options: Options,
        attachments: Sequence[discord.Attachment],
    ) -> Receipt:
        check_permissions(asker.place)
        await self._check_shared(parent, asker.person_id)
        upload = await self._read(attachments[0]) if attachments else None
        notes = [note]
        if len(attachments) > 1:
            notes.append(texts.more_than_one_picture(len(attachments)))
        request = remix.refine(
            self._engine.models(),
            await self._source(parent),
            upload.as_source() if upload else None,
            words,
            options,
            self._fresh_seed(),
        )
        new = NewJob(
            source=asker.source,
            kind=JobKind.REPLY,
            scene=parent.scene_id,
            guild_id=asker.guild_id,
            author_id=asker.person_id,
            request=request,
            upload=upload.as_picture(asker.person_id, parent.id) if upload else None,
            parent_id=parent.id,
            notes=(*notes, *(upload.picture.notes if upload else ())),
        )
        return await self._jobs.submit(new)

    async def press(self, asker: Asker, action: Action, job_id: int, candidate: int) -> Receipt:
        """Again, Subtle or Strong on a job's card."""
        check_permissions(asker.place)
        job = await self._job(job_id)
        if action is Action.AGAIN:
            await self._check_repeatable(job, asker.person_id)
            request, parent_id = remix.again(job.request, self._fresh_seed()), job.parent_id
            upload_as_parent = job.upload_id
        else:
            picture, _ = await self._candidate(job, candidate, asker.person_id)
            if picture.job_id is None:
                raise Gone(texts.NOT_OVER_YET if job.state.waits_or_runs else texts.NO_PICTURES_CAME)
            await self._check_shared(picture, asker.person_id)
            model = remix.choose_model(self._engine.models(), job.request.model)
            strength = model.subtle if action is Action.SUBTLE else model.strong
            request = remix.vary(model, await self._source(picture), strength, self._fresh_seed())
            parent_id, upload_as_parent = picture.id, None
        new = NewJob(
            source=asker.source,
            kind=_KINDS[action],
            scene=job.scene_id,
            guild_id=job.guild_id,
            author_id=asker.person_id,
            request=request,
            parent_id=upload_as_parent or parent_id,
        )
        return await self._jobs.submit(new)

    async def pick(self, job_id: int, candidate: int, person_id: int) -> Picture:
        """Make one Candidate the person's current picture."""
        picture, _ = await self._candidate(await self._job(job_id), candidate, person_id)
        async with self._store.transaction() as tx:
            await self._store.pick(tx, picture, person_id)
        return picture

    async def go_back(self, scene_id: int, picture_id: int, person_id: int) -> Picture:
        """Make any picture of a Scene the person's current one there."""
        picture = await self._living(picture_id)
        if picture.scene_id != scene_id:
            raise Gone(texts.SCENE_CARD_GONE)
        async with self._store.transaction() as tx:
            await self._store.set_current(tx, picture.scene_id, person_id, picture.id)
        return picture

    async def scene_here(self, place_id: int, person_id: int) -> Scene:
        """The Scene that this thread holds, else the person's latest in this channel. Raises Gone."""
        scene = await self._store.scene_of_thread(place_id)
        scene = scene or await self._store.latest_scene_of(person_id, place_id)
        if scene is None:
            raise Gone(texts.NO_SCENE_HERE)
        return scene

    async def _begin(
        self,
        kind: JobKind,
        asker: Asker,
        request: ImageRequest,
        upload: Upload | None,
        notes: tuple[str, ...] = (),
    ) -> Receipt:
        held_here = await self._store.scene_of_thread(asker.place.id)
        new_scene = NewScene(
            guild_id=asker.guild_id,
            channel_id=asker.place.id,
            wants_thread=may_have_thread(asker.place),
            title=request.prompt[:100],
            owner_id=asker.person_id,
        )
        new = NewJob(
            source=asker.source,
            kind=kind,
            scene=held_here.id if held_here else new_scene,
            guild_id=asker.guild_id,
            author_id=asker.person_id,
            request=request,
            upload=upload.as_picture(asker.person_id, None) if upload else None,
            notes=(*_place_notes(asker.place), *notes, *(upload.picture.notes if upload else ())),
        )
        return await self._jobs.submit(new)

    async def _read(self, attachment: discord.Attachment) -> Upload:
        """Size first, then the bytes, then the decode process; stored under its hash. Raises BadPicture."""
        if attachment.size > MOST_BYTES:
            raise BadPicture(texts.picture_too_heavy(attachment.size, MOST_BYTES))
        try:
            data = await attachment.read()
        except REFUSALS:
            raise BadPicture(texts.PICTURE_NOT_LOADED) from None
        picture = await self._decoder.clean(data)
        return Upload(file=await self._store.files.put(picture.png), picture=picture)

    async def _replied_picture(self, message_id: int, person_id: int) -> tuple[Picture | None, str]:
        """The picture that a message of ours stands for, and the sentence that says which it is."""
        post = await self._store.post_of_message(message_id)
        if post is None:
            return None, ""
        if post.picture_id is not None:
            picture = await self._living(post.picture_id)
            return picture, texts.goes_on_from(picture.number, None, chosen=False)
        assert post.job_id is not None  # a post carries a job or a picture
        job = await self._job(post.job_id)
        picture, chosen = await self._candidate(job, 0, person_id)
        return picture, texts.goes_on_from(
            picture.number, picture.candidate if len(job.request.seeds) > 1 else None, chosen=chosen
        )

    async def _candidate(self, job: Job, candidate: int, person_id: int) -> tuple[Picture, bool]:
        """That Candidate, or for 0 the person's own pick on the card, else the first; and whether it was picked.

        A card without pictures yet stands for the picture that its job started from.
        """
        candidates = await self._store.candidates(job.id)
        if not candidates:
            return await self._started_from(job), False
        mine = (await self._store.picks_among(job.id)).get(person_id, 0)
        number = candidate or mine or candidates[0].candidate
        for picture in candidates:
            if picture.candidate == number:
                return picture, number == mine
        raise Gone(texts.PICTURE_WAS_DELETED)

    async def _started_from(self, job: Job) -> Picture:
        source_id = job.upload_id or job.parent_id
        if source_id is None:
            raise Gone(texts.NOT_OVER_YET if job.state.waits_or_runs else texts.NO_PICTURES_CAME)
        return await self._living(source_id)

    async def _living(self, picture_id: int) -> Picture:
        picture = await self._store.picture(picture_id)
        if picture is None:
            raise Gone(texts.SCENE_CARD_GONE)
        if picture.deleted:
            raise Gone(texts.PICTURE_WAS_DELETED)
        return picture

    async def _within_reach(self, asker: Asker, picture_id: int) -> Picture:
        """A picture that a form names. Raises Gone for one of another server, or of somebody else's messages."""
        picture = await self._living(picture_id)
        scene = await self._store.scene(picture.scene_id)
        here = asker.guild_id if asker.guild_id is not None else asker.place.id
        if here != (scene.guild_id if scene.guild_id is not None else scene.channel_id):
            raise Gone(texts.SCENE_CARD_GONE)
        return picture

    async def _check_shared(self, picture: Picture, person_id: int) -> None:
        """Raises NotAllowed if its author keeps it for themselves."""
        if person_id == picture.author_id:
            return
        if await self._store.shares(picture.author_id) is Shares.MINE:
            raise NotAllowed(texts.not_shared(picture.number, picture.author_id))

    async def _check_repeatable(self, job: Job, person_id: int) -> None:
        """Again takes somebody's idea and what it started from."""
        source_id = job.upload_id or job.parent_id
        source = [await self._living(source_id)] if source_id is not None else []
        for picture in (*(await self._store.candidates(job.id))[:1], *source):
            await self._check_shared(picture, person_id)

    async def _job(self, job_id: int) -> Job:
        job = await self._store.job(job_id)
        if job is None:
            raise Gone(texts.SCENE_CARD_GONE)
        if job.deleted:
            raise Gone(texts.PICTURE_WAS_DELETED)
        return job

    async def _source(self, picture: Picture) -> remix.Source:
        job = await self._store.job(picture.job_id) if picture.job_id is not None else None
        return remix.Source(
            file=picture.file,
            size=picture.size,
            latents=picture.latents,
            latents_of=picture.latents_of,
            request=job.request if job is not None else None,
        )


def _place_notes(place: Place) -> tuple[str, ...]:
    """A text channel without a thread is worth a word; a DM or a thread is not."""
    stays = isinstance(place, discord.TextChannel) and not may_have_thread(place)
    return (texts.STAYED_IN_CHANNEL,) if stays else ()
