"""What the journeys about pieces share: a Scene with pieces, the message of a placing, and looking at its picture."""

from __future__ import annotations

from typing import Any

import discord
import numpy as np
from PIL import Image
from simcord.actors import MemberActor

from bot import images
from bot.store import Picture
from tests.journeys.world import World, opened, png

RED, BLUE = (255, 0, 0), (0, 0, 255)


async def begin(here: World, *, piece: str = "red", size: tuple[int, int] = (80, 80)) -> None:
    """A Scene with one picture (2, of a sketch), and a piece (3) of one colour in it, named after the colour."""
    await here.sketch(candidates=1)
    await add_piece(here, piece, size)


async def add_piece(here: World, name: str, size: tuple[int, int] = (80, 80)) -> None:
    await here.you.slash(here.thread(), "piece", file=(f"{name}.png", png(size, name, "RGBA")))


async def place(
    here: World, piece: str | None = "red", who: MemberActor | None = None, **options: Any
) -> Any:
    given = options if piece is None else {"piece": piece, **options}
    return await (who or here.you).slash(here.thread(), "place", **given)


def is_draft(message: discord.Message) -> bool:
    return "⬅️" in ids_of(message)


def draft(here: World) -> discord.Message:
    """The newest message with a placing in progress."""
    return next(card for card in reversed(here.cards()) if is_draft(card))


def ids_of(message: discord.Message) -> dict[str, str]:
    """Label → custom_id of every button, those that cannot be pressed too."""
    view = discord.ui.LayoutView.from_message(message)
    return {
        str(item.label): str(item.custom_id)
        for item in view.walk_children()
        if isinstance(item, discord.ui.Button)
    }


async def press(here: World, *labels: str, who: MemberActor | None = None) -> Any:
    answer = None
    for label in labels:
        message = draft(here)
        answer = await (who or here.you).click(message, custom_id=ids_of(message)[label])
    return answer


async def preview(here: World) -> Image.Image:
    (file,) = draft(here).attachments
    return (await opened(file)).convert("RGB")


async def composed(here: World) -> Image.Image:
    """The newest picture of the Scene, at its full size."""
    return await stored(here, (await here.store.history(1))[-1].picture)


async def stored(here: World, picture: Picture) -> Image.Image:
    return images.opened(await here.store.files.get(picture.file)).convert("RGB")


def reds(image: Image.Image) -> tuple[float, float, float, float]:
    """Where the red of the piece is: left, top, right and bottom as shares of the picture."""
    pixels = np.asarray(image).astype(int)
    red = (pixels[..., 0] > 200) & (pixels[..., 1] < 60) & (pixels[..., 2] < 60)
    rows, columns = np.nonzero(red)
    height, width = red.shape
    return (
        columns.min() / width,
        rows.min() / height,
        (columns.max() + 1) / width,
        (rows.max() + 1) / height,
    )


def near(found: tuple[float, ...], wanted: tuple[float, ...], by: float = 0.012) -> bool:
    return all(abs(a - b) <= by for a, b in zip(found, wanted, strict=True))


def at(image: Image.Image, x: float, y: float) -> tuple[int, ...]:
    found = image.getpixel((int(x * image.width), int(y * image.height)))
    assert isinstance(found, tuple)
    return found
