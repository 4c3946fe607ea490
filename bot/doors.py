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
from bot.errors import Gone
from bot.jobs import Jobs, Receipt
from bot.options import Form, Options, parse_reply, read_form
from bot.paint_overs import PaintOvers, Tied
from bot.places import Place, check_permissions, may_have_thread
from bot.reach import Reach
from bot.repainting import Repainting, Wish
from bot.store import Job, JobKind, NewJob, NewPicture, NewScene, Picture, PictureKind, Store, Style
from bot.styles import Styles
from bot.uploads import Upload, Uploads
from inference import Engine, ImageRequest

_KINDS = {
    Action.AGAIN: JobKind.AGAIN,
    Action.SUBTLE: JobKind.SUBTLE,
    Action.STRONG: JobKind.STRONG,
    Action.WHOLE: JobKind.REPLY,
}

NEARLY_ALL = 0.9
"""Whoever painted over more than this share of a picture means all of it."""


class Doors:
    def __init__(
        self,
        store: Store,
        jobs: Jobs,
        engine: Engine,
        reach: Reach,
        uploads: Uploads,
        styles: Styles,
        repainting: Repainting,
        *,
        fresh_seed: Callable[[], int],
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._engine = engine
        self._reach = reach
        self._uploads = uploads
        self._styles = styles
        self._repainting = repainting
        self._paint_overs = PaintOvers(store)
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
        upload = await self._uploads.read(attachment)
        request, style = await self._from_sketch(asker, upload.as_source(), prompt, options)
        return await self._begin(JobKind.SKETCH, asker, request, style, options, upload, notes)

    async def strip(
        self, asker: Asker, attachment: discord.Attachment, prompt: str, options: Options
    ) -> Receipt:
        """/strip: the same at five strengths, from one seed."""
        check_permissions(asker.place)
        upload = await self._uploads.read(attachment)
        request, style = await self._from_sketch(asker, upload.as_source(), prompt, options)
        request = remix.strip(request, request.seeds[0])
        return await self._begin(JobKind.STRIP, asker, request, style, options, upload)

    async def imagine(self, asker: Asker, prompt: str, options: Options) -> Receipt:
        """/imagine: words alone."""
        check_permissions(asker.place)
        options, style = await self._styles.settle(options, asker.guild_id)
        request = remix.from_words(self._engine.models(), prompt, options, self._fresh_seed())
        return await self._begin(JobKind.IMAGINE, asker, request, style, options, None)

    async def reply(
        self,
        asker: Asker,
        message_id: int,
        text: str,
        attachments: Sequence[discord.Attachment],
        onto: int | None = None,
    ) -> Receipt | None:
        """A reply to a card or picture: words, a picture, or both. None if that message is not one of them.

        onto: which picture the file is a copy of, where its sender was asked; 0: of none. Raises Tied to have it asked.
        """
        parent, note = await self._reach.replied_picture(message_id, asker.person_id)
        if parent is None:
            return None
        words, options = parse_reply(text)
        wish = Wish(asker=asker, words=words, options=options)
        if not attachments:
            return await self._refine(wish.noted(note), parent)
        post = await self._store.post_of_message(message_id)
        shows_a_card = post is not None and post.job_id is not None
        near = await self._on_its_card(parent) if shows_a_card else [parent]
        return await self._sent_along(wish, near, note, attachments, onto)

    async def refine(
        self, asker: Asker, picture_id: int, form: Form, attachments: Sequence[discord.Attachment]
    ) -> Receipt:
        """A form about one of our pictures; a picture sent along is the start instead, or a copy to be repainted."""
        parent = await self._reach.within(asker, picture_id)
        prompt, options = read_form(form)
        wish = Wish(asker=asker, words=prompt, options=options)
        note = texts.goes_on_from(parent.number, None, chosen=False)
        if not attachments:
            return await self._refine(wish.noted(note), parent)
        if options.strength == remix.REFINE_STRENGTH:  # that stood there when the form opened: nobody said it
            wish = msgspec.structs.replace(wish, options=msgspec.structs.replace(options, strength=None))
        near = await self._on_its_card(parent)
        try:
            return await self._sent_along(wish, near, note, attachments)
        except Tied as tied:  # the file is gone when the form is, so its sender cannot be asked
            numbers = {picture.id: picture.number for picture in tied.pictures}
            taken = parent.id if parent.id in numbers else tied.pictures[0].id
            wish = wish.noted(texts.looks_alike(list(numbers.values()), numbers[taken]))
            return await self._sent_along(wish, near, note, attachments, taken)

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
        parent = await self._reach.within(asker, picture_id)
        prompt, options = read_form(form)
        check_permissions(asker.place)
        await self._reach.check_shared(parent, asker.person_id)
        source = remix.Source(file=parent.file, size=parent.size)
        request, style = await self._from_sketch(asker, source, prompt, options)
        new = NewJob(
            source=asker.source,
            kind=JobKind.SKETCH,
            scene=parent.scene_id,
            guild_id=asker.guild_id,
            author_id=asker.person_id,
            standing=asker.standing,
            request=request,
            style=style,
            parent_id=parent.id,
            notes=(texts.goes_on_from(parent.number, None, chosen=False),),
        )
        return await self._jobs.submit(new, options)

    async def _on_its_card(self, picture: Picture) -> list[Picture]:
        """The picture and the others of its card: whoever answers a card may have painted on any of them."""
        there = await self._store.candidates(picture.job_id) if picture.job_id is not None else []
        return [picture, *(other for other in there if other.id != picture.id)]

    async def _sent_along(
        self,
        wish: Wish,
        near: Sequence[Picture],
        note: str,
        attachments: Sequence[discord.Attachment],
        onto: int | None = None,
    ) -> Receipt:
        """A picture came along: an edited copy of one of ours, or something new. near: the parent, and its card."""
        parent, asker = near[0], wish.asker
        check_permissions(asker.place)
        if len(attachments) > 1:
            wish = wish.noted(texts.more_than_one_picture(len(attachments)))
        sent = await self._uploads.look_at(attachments[0])
        if onto is None:
            original = await self._paint_overs.original(sent.png, near)
            note = f"{note} {texts.no_copy(parent.number)}"
        else:
            original = await self._reach.within(asker, onto) if onto else None
        if original is None:
            upload = await self._uploads.keep(sent)
            new = upload.as_picture(asker.person_id, parent.id)
            return await self._refine(wish.noted(note, *sent.notes), parent, new)
        # What else a file says of itself (its size, its transparency) means nothing for a copy.
        moves = [each for each in sent.notes if each == texts.FIRST_FRAME_ONLY]
        wish = await self._with_words(wish, original, parent)
        return await self._painted_on(wish.noted(*moves), original, sent.png)

    async def _with_words(self, wish: Wish, picture: Picture, parent: Picture) -> Wish:
        """A sketch was made by no words: who sends it back without any means those of the picture they answered."""
        if wish.words or (await self._reach.source(picture)).request is not None:
            return wish
        answered = (await self._reach.source(parent)).request
        return wish if answered is None else msgspec.structs.replace(wish, words=answered.prompt)

    async def _painted_on(self, wish: Wish, picture: Picture, edited: bytes) -> Receipt:
        await self._reach.check_shared(picture, wish.asker.person_id)
        copy = await self._paint_overs.compare(edited, picture)
        if copy.region is None:
            return await self._refine(wish.noted(texts.nothing_painted(picture.number)), picture)
        new = NewPicture(
            kind=PictureKind.PAINTED,
            author_id=wish.asker.person_id,
            file=await self._store.files.put(copy.aligned),
            size=picture.size,
            parent_id=picture.id,
            piece=picture.piece,
        )
        if copy.share > NEARLY_ALL:
            return await self._refine(wish.noted(texts.painted_over_all(picture.number)), picture, new)
        wish = wish.noted(texts.painted_over(picture.number))
        return await self._repainting.repaint(wish, picture, copy.region, new)

    async def _refine(self, wish: Wish, parent: Picture, upload: NewPicture | None = None) -> Receipt:
        """upload: a picture to start from in the parent's place."""
        asker = wish.asker
        check_permissions(asker.place)
        await self._reach.check_shared(parent, asker.person_id)
        source = await self._reach.source(parent)
        options, style = await self._styles.settle(wish.options, asker.guild_id, source.style)
        start = remix.Source(file=upload.file, size=upload.size) if upload else None
        request = remix.refine(self._engine.models(), source, start, wish.words, options, self._fresh_seed())
        new = NewJob(
            source=asker.source,
            kind=JobKind.REPLY,
            scene=parent.scene_id,
            guild_id=asker.guild_id,
            author_id=asker.person_id,
            standing=asker.standing,
            request=request,
            style=style,
            upload=upload,
            parent_id=parent.id,
            notes=wish.notes,
        )
        return await self._jobs.submit(new, wish.options)

    async def press(self, asker: Asker, action: Action, job_id: int, candidate: int) -> Receipt:
        """Again, Subtle, Strong or Whole picture instead on a job's card."""
        check_permissions(asker.place)
        job = await self._reach.job(job_id)
        if action in (Action.AGAIN, Action.WHOLE):
            await self._check_repeatable(job, asker.person_id)
            is_whole = action is Action.WHOLE
            request = await self._whole(job) if is_whole else remix.again(job.request, self._fresh_seed())
            parent_id = job.upload_id or job.parent_id
        else:
            picture, _ = await self._reach.candidate(job, candidate, asker.person_id)
            if picture.job_id is None:
                raise Gone(texts.NOT_OVER_YET if job.state.waits_or_runs else texts.NO_PICTURES_CAME)
            await self._reach.check_shared(picture, asker.person_id)
            model = remix.choose_model(self._engine.models(), job.request.model)
            strength = model.subtle if action is Action.SUBTLE else model.strong
            request = remix.vary(model, await self._reach.source(picture), strength, self._fresh_seed())
            parent_id = picture.id
        new = NewJob(
            source=asker.source,
            kind=_KINDS[action],
            scene=job.scene_id,
            guild_id=job.guild_id,
            author_id=asker.person_id,
            standing=asker.standing,
            request=request,
            style=job.style,
            parent_id=parent_id,
            notes=(texts.WHOLE_THIS_TIME,) if action is Action.WHOLE else (),
        )
        return await self._jobs.submit(new)

    async def _whole(self, job: Job) -> ImageRequest:
        source_id = job.upload_id or job.parent_id
        if source_id is None:
            raise Gone(texts.SCENE_CARD_GONE)
        source = await self._reach.living(source_id)
        model = remix.choose_model(self._engine.models(), job.request.model)
        return remix.whole(model, job.request, source.size, self._fresh_seed())

    async def strip_of(self, asker: Asker, job_id: int) -> Receipt:
        """A strength strip of what a job started from, with the seed of the person's pick on its card, else the first.

        One that was made from words alone starts from that picture.
        """
        check_permissions(asker.place)
        job = await self._reach.job(job_id)
        picture, _ = await self._reach.candidate(job, 0, asker.person_id)
        request, parent_id = job.request, job.upload_id or job.parent_id
        if request.init is None:
            await self._reach.check_shared(picture, asker.person_id)
            model = remix.choose_model(self._engine.models(), request.model)
            source = await self._reach.source(picture)
            request, parent_id = remix.vary(model, source, model.strength, self._fresh_seed()), picture.id
        else:
            await self._check_repeatable(job, asker.person_id)
        new = NewJob(
            source=asker.source,
            kind=JobKind.STRIP,
            scene=job.scene_id,
            guild_id=job.guild_id,
            author_id=asker.person_id,
            standing=asker.standing,
            request=remix.strip(request, request.seeds[(picture.candidate or 1) - 1]),
            style=job.style,
            parent_id=parent_id,
        )
        return await self._jobs.submit(new)

    async def pick(self, job_id: int, candidate: int, person_id: int) -> Picture:
        """Make one Candidate the person's current picture."""
        picture, _ = await self._reach.candidate(await self._reach.job(job_id), candidate, person_id)
        async with self._store.transaction() as tx:
            await self._store.pick(tx, picture, person_id)
        return picture

    async def go_back(self, scene_id: int, picture_id: int, person_id: int) -> Picture:
        """Make any picture of a Scene the person's current one there."""
        picture = await self._reach.living(picture_id)
        if picture.scene_id != scene_id:
            raise Gone(texts.SCENE_CARD_GONE)
        async with self._store.transaction() as tx:
            await self._store.set_current(tx, picture.scene_id, person_id, picture.id)
        return picture

    async def _from_sketch(
        self, asker: Asker, source: remix.Source, prompt: str, options: Options
    ) -> tuple[ImageRequest, Style | None]:
        options, style = await self._styles.settle(options, asker.guild_id)
        models = self._engine.models()
        return remix.from_sketch(models, source, prompt, options, self._fresh_seed()), style

    async def _begin(
        self,
        kind: JobKind,
        asker: Asker,
        request: ImageRequest,
        style: Style | None,
        said: Options,
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
            standing=asker.standing,
            request=request,
            style=style,
            upload=upload.as_picture(asker.person_id, None) if upload else None,
            notes=(*_place_notes(asker.place), *notes, *(upload.picture.notes if upload else ())),
        )
        return await self._jobs.submit(new, said)

    async def _check_repeatable(self, job: Job, person_id: int) -> None:
        """Again takes somebody's idea and what it started from."""
        source_id = job.upload_id or job.parent_id
        source = [await self._reach.living(source_id)] if source_id is not None else []
        for picture in (*(await self._store.candidates(job.id))[:1], *source):
            await self._reach.check_shared(picture, person_id)


def _place_notes(place: Place) -> tuple[str, ...]:
    """A text channel without a thread is worth a word; a DM or a thread is not."""
    stays = isinstance(place, discord.TextChannel) and not may_have_thread(place)
    return (texts.STAYED_IN_CHANNEL,) if stays else ()
