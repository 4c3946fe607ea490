"""How strict safety is in which place, and what stays hidden."""

from __future__ import annotations

import io
from pathlib import Path

import discord
import numpy as np
import pytest
from PIL import Image

from bot import images
from bot.audit import Audit
from bot.chronicle import Chronicle
from bot.rules import Rules
from bot.safeguard import Safeguard
from bot.store import NewPicture, PictureKind, Scope, SetRule, Standing, Store
from bot.tasks import Tasks
from inference import PictureRef, Size, Strictness
from inference.fake import FakeEngine
from tests.bot.records import ANNA, GUILD, NOW, new_scene, opened

EVERYONE, ADULTS = Standing(channel_ids=(20,)), Standing(channel_ids=(20,), adults_only=True)


def safeguard(store: Store, engine: FakeEngine) -> Safeguard:
    """Nothing here is posted anywhere."""
    audit = Audit(discord.Client(intents=discord.Intents.none()), store, Tasks())
    return Safeguard(store, engine, Rules(store, now=lambda: NOW), audit, now=lambda: NOW)


def watched() -> FakeEngine:
    return FakeEngine(unsafe_seeds={1})


async def set_for_server(store: Store, value: Strictness) -> None:
    rule = SetRule(scope=Scope.SERVER, scope_id=GUILD, name="safety", value=value.value)
    async with store.transaction() as tx:
        await store.rules.set(tx, GUILD, rule, by=ANNA, now=NOW)


@pytest.mark.parametrize(
    "said, for_everyone, for_adults",
    [
        (None, Strictness.BLOCK, Strictness.SPOILER),
        (Strictness.BLOCK, Strictness.BLOCK, Strictness.BLOCK),
        (Strictness.SPOILER, Strictness.SPOILER, Strictness.SPOILER),
        (Strictness.OFF, Strictness.SPOILER, Strictness.OFF),
    ],
)
async def test_strictness_follows_the_audience_and_the_server(
    tmp_path: Path, said: Strictness | None, for_everyone: Strictness, for_adults: Strictness
) -> None:
    """Kept back for everyone and hidden among adults, unless the server says otherwise; off among adults only."""
    async with opened(tmp_path) as store:
        if said is not None:
            await set_for_server(store, said)
        guard = safeguard(store, watched())

        assert await guard.strictness(GUILD, EVERYONE) is for_everyone
        assert await guard.strictness(GUILD, ADULTS) is for_adults


async def test_without_a_check_nothing_is_strict(tmp_path: Path) -> None:
    """The host switched none on: then nothing is promised, and nothing hidden for it."""
    async with opened(tmp_path) as store:
        await set_for_server(store, Strictness.BLOCK)

        assert await safeguard(store, FakeEngine()).strictness(GUILD, EVERYONE) is Strictness.OFF


# What stays hidden


def _new(kind: PictureKind, parent_id: int | None, unsafe: str | None = None) -> NewPicture:
    return NewPicture(
        kind=kind,
        author_id=ANNA,
        file=PictureRef("b" * 64),
        size=Size(64, 64),
        parent_id=parent_id,
        unsafe=unsafe,
    )


@pytest.mark.parametrize("kind", PictureKind)
@pytest.mark.parametrize("unsafe", ["nude", None])
async def test_what_no_model_drew_is_what_it_came_of(
    tmp_path: Path, kind: PictureKind, unsafe: str | None
) -> None:
    """Cut, painted on, shaped or put together it is still the same picture; what a model drew was looked at anew."""
    async with opened(tmp_path) as store:
        async with store.transaction() as tx:
            scene = await store.begin_scene(tx, new_scene(), NOW)
            parent = await store.add_picture(
                tx, scene, None, _new(PictureKind.GENERATED, None, unsafe=unsafe), NOW
            )
            child = await store.add_picture(tx, scene, None, _new(kind, parent), NOW)
        found = await store.picture(child)

        assert found is not None
        assert found.unsafe == (None if kind is PictureKind.GENERATED else unsafe)


def _stripes(*, upright: bool) -> Image.Image:
    """Black and white, four pixels each, so that the picture as a whole is grey."""
    rows, columns = np.indices((192, 192))
    return Image.fromarray(((columns if upright else rows) // 4 % 2 * 255).astype(np.uint8)).convert("RGB")


def test_nothing_but_rough_colours_is_left() -> None:
    """Two pictures that anybody can tell apart are the same one then; where colours differ they still do."""
    upright, flat = _stripes(upright=True), _stripes(upright=False)
    red = Image.new("RGB", upright.size, "red")

    assert upright.tobytes() != flat.tobytes()
    assert images.unrecognisable(upright).tobytes() == images.unrecognisable(flat).tobytes()
    assert images.unrecognisable(upright).tobytes() != images.unrecognisable(red).tobytes()
    assert images.unrecognisable(upright).size == upright.size


async def _tree(store: Store, *, unsafe: str | None, upright: bool) -> Image.Image:
    """Of a Scene with that one picture."""
    new = NewPicture(
        kind=PictureKind.GENERATED,
        author_id=ANNA,
        file=await store.files.put(images.as_png(_stripes(upright=upright))),
        size=Size(192, 192),
        unsafe=unsafe,
    )
    async with store.transaction() as tx:
        scene = await store.begin_scene(tx, new_scene(), NOW)
        await store.add_picture(tx, scene, None, new, NOW)
    data = await Chronicle(store).tree(await store.history(scene), None, {})
    return Image.open(io.BytesIO(data)).convert("RGB")


async def test_a_tree_shows_no_unsafe_picture(tmp_path: Path) -> None:
    """A picture of pictures has no cover to lift: which way the stripes run is seen of the safe one alone."""
    async with opened(tmp_path) as store:
        unsafe = [await _tree(store, unsafe="nude", upright=upright) for upright in (True, False)]
        safe = [await _tree(store, unsafe=None, upright=upright) for upright in (True, False)]

        assert unsafe[0].tobytes() == unsafe[1].tobytes()
        assert safe[0].tobytes() != safe[1].tobytes()
