"""Small records for the tests of the bot: whatever a test does not care about has a value here."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.store import JobKind, NewJob, NewPicture, NewScene, Picture, PictureKind, Store
from inference import Frame, ImageRequest, Init, InitKind, ModelInfo, PictureRef, Size, size_table

SQUARE = Size(512, 512)
NOW = 1_750_000_000.0
GUILD, CHANNEL, ANNA, BEN = 10, 20, 30, 31

_numbers = itertools.count(1)


@asynccontextmanager
async def opened(folder: Path, *, make: bool = False) -> AsyncGenerator[Store, None]:
    """A store that is closed again; `make` its folder where it is not there."""
    if make:
        folder.mkdir()
    store = await Store.open(folder)
    try:
        yield store
    finally:
        await store.close()


def request(
    *,
    model: str = "moon",
    prompt: str = "the surface of the moon",
    negative_prompt: str = "",
    seeds: tuple[int, ...] = (4711,),
    canvas: Size = SQUARE,
    content: Size | None = None,
    init: Init | None = None,
    strength: float = 0.75,
    steps: int = 30,
    guidance: float = 7.5,
) -> ImageRequest:
    return ImageRequest(
        model=model,
        prompt=prompt,
        negative_prompt=negative_prompt,
        seeds=seeds,
        frame=Frame(canvas=canvas, content=content or canvas),
        init=init,
        strength=strength,
        steps=steps,
        guidance=guidance,
    )


def from_pixels(name: str = "a" * 64) -> Init:
    return Init(kind=InitKind.PIXELS, ref=PictureRef(name))


def model(name: str = "moon", *, latents: str = "vae-of-the-moon", native: Size = SQUARE) -> ModelInfo:
    return ModelInfo(name=name, title=name, sizes=size_table(native), native=native, latents=latents)


def new_scene(
    *, guild_id: int | None = GUILD, channel_id: int = CHANNEL, wants_thread: bool = True
) -> NewScene:
    return NewScene(
        guild_id=guild_id, channel_id=channel_id, wants_thread=wants_thread, title="the moon", owner_id=ANNA
    )


def new_job(
    *,
    source: str | None = None,
    scene: int | NewScene | None = None,
    guild_id: int | None = GUILD,
    author_id: int = ANNA,
    upload: NewPicture | None = None,
    notes: tuple[str, ...] = (),
) -> NewJob:
    """A job of its own source, in a Scene of its own where no other is named."""
    return NewJob(
        source=source or f"i{next(_numbers)}",
        kind=JobKind.IMAGINE,
        scene=new_scene(guild_id=guild_id) if scene is None else scene,
        guild_id=guild_id,
        author_id=author_id,
        request=request(),
        upload=upload,
        notes=notes,
    )


def uploaded(author_id: int = ANNA) -> NewPicture:
    return NewPicture(
        kind=PictureKind.UPLOADED, author_id=author_id, file=PictureRef("b" * 64), size=Size(640, 480)
    )


def generated(candidate: int, author_id: int = ANNA) -> NewPicture:
    return NewPicture(
        kind=PictureKind.GENERATED,
        author_id=author_id,
        file=PictureRef(f"{candidate:064x}"),
        size=SQUARE,
        candidate=candidate,
    )


def picture(number: int) -> Picture:
    """One that is in a Scene's tree already."""
    return Picture(
        id=number,
        scene_id=1,
        number=number,
        parent_id=None,
        kind=PictureKind.UPLOADED,
        author_id=ANNA,
        file=PictureRef("b" * 64),
        width=640,
        height=480,
        latents=None,
        latents_of=None,
        job_id=None,
        candidate=None,
        created_at=NOW,
    )
