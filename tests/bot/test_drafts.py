"""Drafts: what presses make of their layers, and what the store keeps of them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.custom_ids import Press
from bot.errors import BadOption
from bot.scene import drafting, placing
from bot.scene.drafting import Layout, Moment
from bot.scene.placement import Placement
from bot.store import DraftState, NewPicture, PictureKind, Store
from inference import PictureRef, Size
from tests.bot.records import ANNA, BEN, GUILD, NOW, new_scene, opened, uploaded

BASE, SQUARE = Size(800, 600), Size(100, 100)
MOVES = [press for press in Press if press not in (Press.PLACE, Press.DISCARD)]


def layout(*piece_ids: int) -> Layout:
    layers = tuple(drafting.new_layer(piece, Placement(), BASE, SQUARE) for piece in piece_ids)
    return Layout(Moment(layers, len(layers) - 1))


def press(before: Layout, *presses: Press) -> Layout:
    sizes = {layer.piece_id: SQUARE for layer in before.now.layers}
    for each in presses:
        before = drafting.pressed(before, each, BASE, sizes)
    return before


# Layers


@given(
    st.lists(st.sampled_from([each for each in MOVES if each not in (Press.UNDO, Press.REMOVE)]), max_size=30)
)
def test_undo_takes_back_whatever_was_pressed(presses: list[Press]) -> None:
    """As often as something changed, and then it is where it began; choosing another piece changes nothing."""
    start = layout(1, 2, 3)
    after = press(start, *presses)
    undone = press(after, *[Press.UNDO] * len(after.earlier))

    assert undone.now.layers == start.now.layers
    with pytest.raises(BadOption, match="nothing left to undo"):
        press(undone, Press.UNDO)


@given(st.lists(st.sampled_from(MOVES), max_size=30))
def test_a_draft_is_read_as_it_was_written(presses: list[Press]) -> None:
    """Layers, selection and everything that can be undone."""
    here = layout(1, 2, 3)
    for each in presses:
        try:
            here = press(here, each)
        except BadOption:
            continue

    assert drafting.read(drafting.write(here)) == here
    assert 0 <= here.now.selected < len(here.now.layers)


@pytest.mark.parametrize(
    "there, back",
    [
        (Press.LEFT, Press.RIGHT),
        (Press.UP, Press.DOWN),
        (Press.SMALLER, Press.BIGGER),
        (Press.TURN_LEFT, Press.TURN_RIGHT),
        (Press.FLIP, Press.FLIP),
        (Press.CUT_OUT, Press.CUT_OUT),
    ],
)
def test_opposite_presses_cancel_out(there: Press, back: Press) -> None:
    """One of them alone does not."""
    start = layout(1).now.layer
    half, full = press(layout(1), there).now.layer, press(layout(1), there, back).now.layer

    assert half != start
    assert (full.x, full.y, full.width, full.turn) == pytest.approx(
        (start.x, start.y, start.width, start.turn)
    )
    assert (full.flip, full.cut_out) == (start.flip, start.cut_out)


def test_arrows_go_as_far_down_as_to_the_side() -> None:
    """In pixels, whatever the picture's shape."""
    start = layout(1).now.layer
    right, down = press(layout(1), Press.RIGHT).now.layer, press(layout(1), Press.DOWN).now.layer

    assert (right.x - start.x) * BASE.width == pytest.approx((down.y - start.y) * BASE.height)
    assert (right.x - start.x) * BASE.width == pytest.approx(16)


def test_order_and_selection() -> None:
    """The selected piece keeps being selected wherever it goes; Next goes round."""
    here = layout(1, 2, 3)
    back = press(here, Press.BACK)
    front = press(back, Press.FRONT)
    around = press(here, Press.NEXT)

    assert [layer.piece_id for layer in back.now.layers] == [3, 1, 2]
    assert back.now.layer.piece_id == front.now.layer.piece_id == 3
    assert front.now == here.now
    assert around.now.layer.piece_id == 1
    assert around.earlier == ()


def test_the_last_piece_is_not_removed() -> None:
    """An empty placing is a discarded one, and that is another button."""
    here = press(layout(1, 2), Press.REMOVE)

    assert [layer.piece_id for layer in here.now.layers] == [1]
    with pytest.raises(BadOption, match="only piece"):
        press(here, Press.REMOVE)


def test_deleted_pieces_leave_every_moment() -> None:
    """What is left keeps its selection; without any there is no placing."""
    here = press(layout(1, 2, 3), Press.LEFT, Press.NEXT, Press.NEXT)
    rest = drafting.without(here, {1})
    same = drafting.without(here, set())

    assert here.now.layer.piece_id == 2
    assert rest is not None
    assert [layer.piece_id for layer in rest.now.layers] == [2, 3]
    assert rest.now.layer.piece_id == 2
    assert [[layer.piece_id for layer in moment.layers] for moment in rest.earlier] == [[2, 3]]
    assert same == here
    assert drafting.without(here, {1, 2, 3}) is None


def test_a_draft_holds_twenty_pieces() -> None:
    """The twentieth is taken, the next refused."""
    here = layout(*range(1, 20))
    layer = here.now.layer
    full = drafting.with_piece(here, layer, to_front=True)

    assert len(full.now.layers) == drafting.MOST_PIECES == 20
    with pytest.raises(BadOption, match="20 pieces are the most"):
        drafting.with_piece(full, layer, to_front=True)


def test_a_new_piece_lies_over_or_under_the_others() -> None:
    """And is the one that the buttons move."""
    here, layer = layout(1, 2), layout(3).now.layer
    over, under = (drafting.with_piece(here, layer, to_front=front) for front in (True, False))

    assert [each.piece_id for each in over.now.layers] == [1, 2, 3]
    assert [each.piece_id for each in under.now.layers] == [3, 1, 2]
    assert over.now.layer.piece_id == under.now.layer.piece_id == 3


@pytest.mark.parametrize("piece", [Size(100, 100), Size(1000, 20), Size(20, 1000), Size(8, 8)])
def test_a_piece_that_nobody_sized_fits_in(piece: Size) -> None:
    """However long or tall it is."""
    layer = drafting.new_layer(1, Placement(), BASE, piece)
    shown = placing.footprint(layer, BASE, piece)

    assert shown.width <= BASE.width
    assert shown.height <= BASE.height


def test_a_placement_says_only_what_is_to_change() -> None:
    """What nobody said stays as it was, and an anchor keeps all of the piece in the picture."""
    first = Placement(width=0.25, turn=-90, flip=True, opacity=0.5, feather=0.1)
    layer = drafting.new_layer(1, first, BASE, SQUARE)
    moved = drafting.adjusted(layer, Placement(at="bottom right"), BASE, SQUARE)

    assert (layer.width, layer.turn, layer.flip, layer.opacity, layer.feather) == (0.25, 270, True, 0.5, 0.1)
    assert msgspec.structs.replace(moved, x=layer.x, y=layer.y) == layer
    assert (moved.x, moved.y) == pytest.approx((1 - 0.125, 1 - 100 / 600))
    assert drafting.adjusted(layer, Placement(), BASE, SQUARE) == layer


# The store


async def begin(store: Store, author: int = ANNA) -> int:
    async with store.transaction() as tx:
        scene_id = await store.begin_scene(tx, new_scene(), NOW)
        base_id = await store.add_picture(tx, scene_id, None, uploaded(), NOW)
        return await store.drafts.begin(
            tx, scene_id=scene_id, author_id=author, base_id=base_id, layers="[]", now=NOW
        )


async def test_every_press_is_kept(tmp_path: Path) -> None:
    """Also by a store that is opened anew; the Draft is its author's in that Scene alone."""
    async with opened(tmp_path) as store:
        draft = await store.drafts.get(await begin(store))
        assert draft is not None
        written = drafting.write(press(layout(1, 2), Press.LEFT))
        changed = msgspec.structs.replace(
            draft, layers=written.layers, selected=written.selected, earlier=written.earlier
        )
        async with store.transaction() as tx:
            await store.drafts.change(tx, changed, NOW)
    async with opened(tmp_path) as store:
        mine = await store.drafts.open_of(1, ANNA)
        others = await store.drafts.open_of(1, BEN), await store.drafts.open_of(2, ANNA)

    assert mine == changed != draft
    assert others == (None, None)


async def test_an_ended_draft_is_open_no_more(tmp_path: Path) -> None:
    """The newest open one counts; a placed one is known by what it became."""
    async with opened(tmp_path) as store:
        first = await begin(store)
        async with store.transaction() as tx:
            second = await store.drafts.begin(tx, scene_id=1, author_id=ANNA, base_id=1, layers="[]", now=NOW)
        newest = await store.drafts.open_of(1, ANNA)
        async with store.transaction() as tx:
            await store.drafts.set_state(tx, second, DraftState.PLACED, 1)
        then = await store.drafts.open_of(1, ANNA)
        placed, none = await store.drafts.that_became(1), await store.drafts.that_became(2)

    assert newest is not None
    assert then is not None
    assert placed is not None
    assert (newest.id, then.id) == (second, first)
    assert (placed.id, placed.state, placed.result_id) == (second, DraftState.PLACED, 1)
    assert none is None


def cut_out(name: str, author: int = ANNA) -> NewPicture:
    return NewPicture(
        kind=PictureKind.CUT, author_id=author, file=PictureRef("c" * 64), size=SQUARE, piece=name
    )


async def test_pieces_are_found_where_they_may_be(tmp_path: Path) -> None:
    """One's own in this server, newest first and by a part of the name; of others only those of this Scene."""
    async with opened(tmp_path) as store:
        async with store.transaction() as tx:
            here = await store.begin_scene(tx, new_scene(), NOW)
            there = await store.begin_scene(tx, new_scene(), NOW)
            elsewhere = await store.begin_scene(tx, new_scene(guild_id=GUILD + 1), NOW)
            direct = await store.begin_scene(tx, new_scene(guild_id=None, channel_id=99), NOW)
            for scene in (here, there, elsewhere, direct):
                for author in (ANNA, BEN):
                    await store.add_picture(tx, scene, None, cut_out(f"stone {author}", author), NOW)
            await store.add_picture(tx, there, None, cut_out("Earth"), NOW)

        async def found(guild: int | None, channel: int, scene: int | None, like: str = "") -> list[object]:
            pieces = await store.pieces.within_reach(ANNA, scene, guild, channel, like=like, limit=25)
            return [(each.picture.scene_id, each.picture.piece) for each in pieces]

        in_server = await found(GUILD, 1, here)
        by_name = await found(GUILD, 1, here, "EAR")
        in_direct, in_other_direct = await found(None, 99, None), await found(None, 98, None)
        names = await store.pieces.count_names(there)

    mine, his = f"stone {ANNA}", f"stone {BEN}"
    assert in_server == [(there, "Earth"), (there, mine), (here, his), (here, mine)]
    assert by_name == [(there, "Earth")]
    assert in_direct == [(direct, mine)]
    assert in_other_direct == []
    assert names == 3


async def test_a_piece_is_not_what_one_goes_on_from(tmp_path: Path) -> None:
    """The latest other picture is, unless there is none."""
    async with opened(tmp_path) as store:
        async with store.transaction() as tx:
            scene = await store.begin_scene(tx, new_scene(), NOW)
            first = await store.add_picture(tx, scene, None, cut_out("earth"), NOW)
        alone = await store.current_picture(scene, ANNA)
        async with store.transaction() as tx:
            second = await store.add_picture(tx, scene, None, uploaded(), NOW)
            await store.add_picture(tx, scene, None, cut_out("earth"), NOW)
        current = await store.current_picture(scene, ANNA)

    assert alone is not None
    assert current is not None
    assert (alone.id, current.id) == (first, second)
