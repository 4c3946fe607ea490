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
from bot.custom_ids import Action
from bot.delivery import REFUSALS
from bot.errors import BadPicture, Gone
from bot.images import MOST_BYTES, CleanPicture, Decoder
from bot.jobs import Jobs, Receipt
from bot.options import Options, parse_reply
from bot.places import Place, check_permissions, may_have_thread
from bot.store import Job, JobKind, NewJob, NewPicture, NewScene, Picture, PictureKind, Scene, Store
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
        self, asker: Asker, attachment: discord.Attachment, prompt: str, options: Options
    ) -> Receipt:
        """/sketch: a picture and a prompt begin a Scene, or join the one whose thread this is."""
        check_permissions(asker.place)
        upload = await self._read(attachment)
        request = remix.from_sketch(
            self._engine.models(), upload.as_source(), prompt, options, self._fresh_seed()
        )
        return await self._begin(JobKind.SKETCH, asker, request, upload)

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
        check_permissions(asker.place)
        words, options = parse_reply(text)
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
            request, parent_id = remix.again(job.request, self._fresh_seed()), job.parent_id
            upload_as_parent = job.upload_id
        else:
            picture, _ = await self._candidate(job, candidate, asker.person_id)
            if picture.job_id is None:
                raise Gone(texts.NOT_OVER_YET if job.state.waits_or_runs else texts.NO_PICTURES_CAME)
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
        picture = await self._store.picture(picture_id)
        if picture is None or picture.scene_id != scene_id:
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
        self, kind: JobKind, asker: Asker, request: ImageRequest, upload: Upload | None
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
            notes=(*_place_notes(asker.place), *(upload.picture.notes if upload else ())),
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
            picture = await self._store.picture(post.picture_id)
            return picture, texts.goes_on_from(picture.number, None, chosen=False) if picture else ""
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
        number = candidate or mine or 1
        if number > len(candidates):
            raise Gone(texts.SCENE_CARD_GONE)
        return candidates[number - 1], number == mine

    async def _started_from(self, job: Job) -> Picture:
        source_id = job.upload_id or job.parent_id
        picture = await self._store.picture(source_id) if source_id is not None else None
        if picture is None:
            raise Gone(texts.NOT_OVER_YET if job.state.waits_or_runs else texts.NO_PICTURES_CAME)
        return picture

    async def _job(self, job_id: int) -> Job:
        job = await self._store.job(job_id)
        if job is None:
            raise Gone(texts.SCENE_CARD_GONE)
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
