"""The bytes that a job begins from, and those of what came of it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bot import images, texts
from bot.store import FileMissing, Job, NewPicture, Picture, PictureKind, Store
from inference import Blob, ImageRequest, Init, InitKind, ModelInfo, PictureRef, Pixels, SampleDone


class JobFiles:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def needed(self, job: Job) -> tuple[ImageRequest, dict[PictureRef, Blob]]:
        """The job's request and the bytes that it refers to. Latents that are gone are replaced by the parent's
        pixels. Raises FileMissing."""
        request = job.request
        if request.init is None:
            return request, {}
        blobs: dict[PictureRef, Blob] = {}
        if request.mask is not None:
            blobs[request.mask] = await images.read_grey(await self._store.files.get(request.mask))
        if request.init.kind is InitKind.LATENTS:
            try:
                return request, blobs | {request.init.ref: await self._store.files.get(request.init.ref)}
            except FileMissing:
                request = await self._without_latents(job)
        assert request.init is not None  # a request with an init keeps one
        png = await self._store.files.get(request.init.ref)
        return request, blobs | {request.init.ref: await images.read_pixels(png)}

    async def why_missing(self, job: Job) -> str:
        """A sentence for people, after FileMissing."""
        source = await self._begun_from(job)
        return texts.SOURCE_WAS_DELETED if source is not None and source.deleted else texts.PICTURE_FILE_GONE

    async def put(self, job: Job, model: ModelInfo | None, results: Sequence[SampleDone]) -> list[NewPicture]:
        """Store what was drawn, as people get it, and its latents."""
        begun_from = await self._begun_from(job)
        return [await self._new_picture(job, model, begun_from, result) for result in results]

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
            unsafe=result.unsafe or None,
        )

    async def _finished(
        self, request: ImageRequest, begun_from: Picture | None, drawn: Pixels
    ) -> images.Finished:
        """A region is pasted into the picture it belongs to, a Piece is cut out in its outline."""
        if begun_from is None or (request.mask is None and begun_from.piece is None):
            return images.Finished(await images.encode_png(drawn), drawn.size)
        whole = await self._store.files.get(begun_from.file)
        if request.mask is None:
            return await images.in_outline_of(whole, drawn)
        region = await self._store.files.get(request.mask)
        window = request.init.window if request.init is not None else None
        return await images.pasted_back(whole, drawn, region, window)

    async def _begun_from(self, job: Job) -> Picture | None:
        source_id = job.upload_id or job.parent_id
        return await self._store.picture(source_id) if source_id is not None else None

    async def _without_latents(self, job: Job) -> ImageRequest:
        assert job.parent_id is not None  # latents are always those of the parent
        parent = await self._store.picture(job.parent_id)
        if parent is None:
            raise FileMissing(str(job.parent_id))
        async with self._store.transaction() as tx:
            await self._store.add_note(tx, job, texts.LATENTS_WERE_GONE)
        init = Init(kind=InitKind.PIXELS, ref=parent.file)
        return msgspec.structs.replace(job.request, init=init)
