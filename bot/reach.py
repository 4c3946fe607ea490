"""What a person may take hold of: Scenes, Jobs and Pictures that are there, in reach and shared. Raises Refusal."""

from __future__ import annotations

from bot import remix, texts
from bot.asker import Asker
from bot.errors import Gone, NotAllowed
from bot.store import Job, Named, Picture, PictureKind, Scene, Shares, Store


class Reach:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def scene_here(self, place_id: int, person_id: int) -> Scene:
        """The Scene that this thread holds, else the person's latest in this channel. Raises Gone."""
        scene = await self._store.scene_of_thread(place_id)
        scene = scene or await self._store.latest_scene_of(person_id, place_id)
        if scene is None:
            raise Gone(texts.NO_SCENE_HERE)
        return scene

    async def current_here(self, asker: Asker) -> Picture:
        """The picture that a command without a reply is about. Raises Gone, and NotAllowed if it is not shared."""
        scene = await self.scene_here(asker.place.id, asker.person_id)
        picture = await self._store.current_picture(scene.id, asker.person_id)
        if picture is None:
            raise Gone(texts.NO_PICTURES_YET)
        await self.check_shared(picture, asker.person_id)
        return picture

    async def numbered_here(self, asker: Asker, number: int | None) -> Picture:
        """The picture of that number in the Scene here, without a number one's current one. Raises Gone."""
        scene = await self.scene_here(asker.place.id, asker.person_id)
        if number is None:
            picture = await self._store.current_picture(scene.id, asker.person_id)
        else:
            picture = await self._store.numbered(scene.id, number)
        if picture is not None:
            return await self.living(picture.id)
        last = await self._store.last_number(scene.id)
        raise Gone(
            texts.no_picture_of_number(number, last) if number is not None and last else texts.NO_PICTURES_YET
        )

    async def job(self, job_id: int) -> Job:
        job = await self._store.job(job_id)
        if job is None:
            raise Gone(texts.SCENE_CARD_GONE)
        if job.deleted:
            raise Gone(texts.PICTURE_WAS_DELETED)
        return job

    async def living(self, picture_id: int) -> Picture:
        picture = await self._store.picture(picture_id)
        if picture is None:
            raise Gone(texts.SCENE_CARD_GONE)
        if picture.deleted:
            raise Gone(texts.PICTURE_WAS_DELETED)
        return picture

    async def within(self, asker: Asker, picture_id: int) -> Picture:
        """A picture that a form or button names. Raises Gone for one of another server, or of another's messages."""
        await self.check_here(asker.guild_id, asker.place.id, Named.PICTURE, picture_id)
        return await self.living(picture_id)

    async def check_here(self, guild_id: int | None, place_id: int | None, what: Named, number: int) -> None:
        """Raises Gone for what is of another server, or of others' direct messages. What is nowhere is nobody's."""
        scene = await self._store.scene_of(what, number)
        here = guild_id if guild_id is not None else place_id
        if scene is not None and here != (scene.guild_id if scene.guild_id is not None else scene.channel_id):
            raise Gone(texts.SCENE_CARD_GONE)

    async def check_shared(self, picture: Picture, person_id: int) -> None:
        """Raises NotAllowed if its author keeps it for themselves."""
        if person_id == picture.author_id:
            return
        if await self._store.shares(picture.author_id) is Shares.MINE:
            raise NotAllowed(texts.not_shared(picture.number, picture.author_id))

    async def candidate(self, job: Job, candidate: int, person_id: int) -> tuple[Picture, bool]:
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

    async def replied_picture(self, message_id: int, person_id: int) -> tuple[Picture | None, str]:
        """The picture that a message of ours stands for, and the sentence that says which it is."""
        post = await self._store.post_of_message(message_id)
        if post is None:
            return None, ""
        if post.picture_id is not None:
            picture = await self.living(post.picture_id)
            return picture, texts.goes_on_from(picture.number, None, chosen=False)
        if post.draft_id is not None:
            raise Gone(texts.DRAFT_IS_NO_PICTURE)
        assert post.job_id is not None  # a post carries a job, a picture or a Draft
        job = await self.job(post.job_id)
        picture, chosen = await self.candidate(job, 0, person_id)
        return picture, texts.goes_on_from(
            picture.number, picture.candidate if len(job.request.seeds) > 1 else None, chosen=chosen
        )

    async def source(self, picture: Picture) -> remix.Source:
        """The picture as something to start from: with how it was made and its stored latents."""
        drawn = await self.drawn(picture)
        job = await self._store.job(drawn.job_id) if drawn.job_id is not None else None
        return remix.Source(
            file=picture.file,
            size=picture.size,
            latents=picture.latents,
            latents_of=picture.latents_of,
            request=job.request if job is not None else None,
            style=job.style if job is not None else None,
        )

    async def drawn(self, picture: Picture) -> Picture:
        """What was cropped, turned or scaled still shows the picture that it was made from: that one, else itself."""
        while picture.kind is PictureKind.SHAPED and picture.parent_id is not None:
            parent = await self._store.picture(picture.parent_id)
            assert parent is not None  # tombstones stay
            picture = parent
        return picture

    async def _started_from(self, job: Job) -> Picture:
        source_id = job.upload_id or job.parent_id
        if source_id is None:
            raise Gone(texts.NOT_OVER_YET if job.state.waits_or_runs else texts.NO_PICTURES_CAME)
        return await self.living(source_id)
