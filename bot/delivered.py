"""A picture as people get it: the stored pixels are clean, its Recipe is written into the file on its way out."""

from __future__ import annotations

from bot.png_text import with_text
from bot.rules import limits_of_server
from bot.scene import parameters
from bot.store import Job, Picture, Store


async def delivered_png(store: Store, picture: Picture) -> bytes:
    """With its Recipe if a model drew it, unless the server it was asked for in wants none. Raises FileMissing."""
    png = await store.files.get(picture.file)
    job = await store.job(picture.job_id) if picture.job_id is not None else None
    if job is None or job.deleted or not await _wanted(store, job):
        return png
    request = job.request if job.style is None else job.style.round(job.request)
    sample = (picture.candidate or 1) - 1
    parent = await store.picture(picture.parent_id) if picture.parent_id is not None else None
    said = parameters.write(request, sample, job.model_version, parent.file if parent is not None else None)
    return with_text(png, said)


async def _wanted(store: Store, job: Job) -> bool:
    return (await limits_of_server(store, job.guild_id)).recipes
