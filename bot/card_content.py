"""From a Job's stored and live state to the content of its Card: which files it shows and where their bytes are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bot import images
from bot.components.cards import CardFacts, card
from bot.delivered import delivered_png
from bot.delivery import CardContent
from bot.store import FileMissing, Job, JobState, Picture, PictureKind, Store
from inference import ModelInfo, Pixels

_SKETCH_FILE = "sketch.webp"
_SKETCH_SIDE, _PREVIEW_SIDE = 384, 512

_MOST_OF_MESSAGE = 24 * 2**20
"""Discord takes 25 MiB in one message, whatever it takes in one file."""


async def card_content(
    store: Store,
    job: Job,
    *,
    model: ModelInfo | None,
    status: str,
    previews: Sequence[Pixels],
    steps_done: int,
    hides_start: bool,
) -> CardContent:
    """What the card shows now. Files keep their names as long as their bytes stay the same.

    hides_start: what somebody sent may not be seen yet; what a model drew was looked at when it was drawn.
    """
    source = await _source(store, job)
    hidden = source is None or source.deleted or (hides_start and source.kind is not PictureKind.GENERATED)
    sketch = None if hidden else source
    drawn = job.state in (JobState.RENDERED, JobState.POSTED)
    candidates = await store.candidates(job.id) if drawn else []
    most = min(images.MOST_BYTES, _MOST_OF_MESSAGE // max(1, len(candidates)))
    results = {
        f"moonsketch-{job.id}-{picture.candidate}{await _suffix(store, picture, most)}": picture
        for picture in candidates
    }
    preview = f"preview-{steps_done}.webp" if previews and not results else None
    shown = tuple(results) or ((preview,) if preview else ())
    facts = CardFacts(
        job=job,
        model=model,
        status=status,
        sketch_file=_SKETCH_FILE if sketch else None,
        sketch_unsafe=sketch is not None and sketch.unsafe is not None,
        source=source.size if source else None,
        picture_files=shown,
        candidates=tuple((picture.candidate or 1, picture.number) for picture in candidates),
        unsafe=frozenset(picture.candidate or 1 for picture in candidates if picture.unsafe),
        decided_here=await _is_decided_here(store, job),
        picks=tuple((await store.picks_among(job.id)).items()) if len(job.request.seeds) > 1 else (),
    )

    async def bytes_of(name: str) -> bytes:
        if name == preview:
            return await images.contact_sheet(previews, _PREVIEW_SIDE)
        if name in results:
            return (await images.light_enough(await delivered_png(store, results[name]), most))[0]
        assert sketch is not None  # the one name that is left is the sketch's
        stored = await store.files.get(sketch.file)
        if job.request.mask is not None:
            region = await store.files.get(job.request.mask)
            stored = await asyncio.to_thread(_outlined, stored, region)
        return await images.contact_sheet([await images.read_pixels(stored)], _SKETCH_SIDE)

    needs = (_SKETCH_FILE, *shown) if sketch else shown
    return CardContent(view=card(facts), needs=needs, bytes_of=bytes_of)


def _outlined(png: bytes, region: bytes) -> bytes:
    """What of the picture is drawn anew, for people to see."""
    from bot.scene.regions import outline

    return images.as_png(outline(images.opened(png), images.opened(region)))


async def _suffix(store: Store, picture: Picture, most: int) -> str:
    """Of the file that shows it. Most pictures are so small that nobody has to look how much they weigh."""
    if 4 * picture.size.area <= most:
        return ".png"
    try:
        return ".png" if len(await delivered_png(store, picture)) <= most else ".webp"
    except FileMissing:
        return ".png"


async def _is_decided_here(store: Store, job: Job) -> bool:
    """It waits for moderators who have no channel of their own."""
    waits = job.held_for is not None and job.state is JobState.QUEUED
    return waits and (await store.servers.of(job.guild_id)).log_channel_id is None


async def _source(store: Store, job: Job) -> Picture | None:
    """The picture it starts from: the one sent along, else the parent; none for a picture made from words."""
    source_id = job.upload_id or job.parent_id
    return await store.picture(source_id) if source_id is not None and job.request.init is not None else None
