"""Placing: a Draft from its first piece to the Picture that it becomes. Every press is stored, and none is charged."""

from __future__ import annotations

import asyncio
import io
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakValueDictionary

import discord
import msgspec
import structlog
from discord import ui

from bot import images, texts
from bot.asker import Asker
from bot.components.draft import DraftFacts, discarded_view, draft_view
from bot.custom_ids import Press
from bot.delivery import Delivery, NewFile
from bot.errors import BadOption, DeliveryDelayed, DeliveryFailed, Gone, NotAllowed, Refusal
from bot.pieces import Pieces
from bot.places import check_permissions
from bot.reach import Reach
from bot.safeguard import Safeguard
from bot.scene.placement import Placement, piece_ids
from bot.showing import Showing
from bot.store import Draft, DraftState, FileMissing, Files, NewPicture, Picture, PictureKind, Store
from inference import Size

if TYPE_CHECKING:
    from bot.scene.drafting import Layout
    from bot.scene.placing import Placed

log = structlog.get_logger(__name__)


class Look(NamedTuple):
    """What a Draft's message is to show."""

    view: ui.LayoutView
    preview: NewFile | None

    def attachments(self) -> list[discord.File]:
        return [discord.File(io.BytesIO(self.preview.data), self.preview.name)] if self.preview else []


class Table(NamedTuple):
    """A Draft and what lies on it. pieces: those that are still there, by id."""

    draft: Draft
    base: Picture
    pieces: dict[int, Picture]

    @property
    def unsafe(self) -> str | None:
        """What safety took something on it for."""
        return next((each.unsafe for each in (self.base, *self.pieces.values()) if each.unsafe), None)


class _Change(NamedTuple):
    """What is to happen to a Draft: a piece more, the selected one as it is wanted, a press, or nothing."""

    piece: Picture | None = None
    wanted: Placement = Placement()
    press: Press | None = None


class _Drawn(NamedTuple):
    """A Draft after a press, and how it looks. gone: how many of its pieces were deleted."""

    draft: Draft
    names: tuple[str, ...]
    preview: bytes
    gone: int


class Placing:
    def __init__(
        self,
        store: Store,
        reach: Reach,
        delivery: Delivery,
        showing: Showing,
        pieces: Pieces,
        safeguard: Safeguard,
        *,
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._reach = reach
        self._delivery = delivery
        self._showing = showing
        self._pieces = pieces
        self._safeguard = safeguard
        self._now = now
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    # Begin, and add

    async def place(self, asker: Asker, piece: str | None, wanted: Placement) -> str:
        """/place: one piece more onto the current picture, or the selected one as it is wanted; says where."""
        check_permissions(asker.place)
        base = await self._reach.current_here(asker)
        found = await self._pieces.find(asker, base.scene_id, piece) if piece else None
        return await self._lay(asker, base, found, wanted)

    async def place_picture(self, asker: Asker, picture_id: int) -> str:
        """A button or select that names a picture: that one, onto the current picture."""
        check_permissions(asker.place)
        base = await self._reach.current_here(asker)
        found = await self._pieces.within_reach(asker, base.scene_id, picture_id)
        return await self._lay(asker, base, found, Placement())

    async def _lay(self, asker: Asker, current: Picture, piece: Picture | None, wanted: Placement) -> str:
        if piece is not None:
            await self._safeguard.check_shown(asker, piece)
        async with self._turn(asker.person_id):
            open_draft = await self._open_draft(asker, current.scene_id)
            if piece is not None and piece.id == (open_draft.base_id if open_draft else current.id):
                raise BadOption(texts.ONTO_ITSELF)
            if open_draft is not None:
                draft, change = open_draft, _Change(piece, wanted)
            elif piece is not None:
                draft, change = await self._begin(asker, current, piece, wanted), _Change()
            else:
                raise BadOption(texts.NOTHING_TO_PLACE)
            table = await self._table(draft, also=piece)
            try:
                drawn = await self._carry_out(table, change)
                message = await self._post(table, drawn)
            except (Refusal, FileMissing):
                await self._take_back(draft, begun=open_draft is None)
                raise
        name = drawn.names[drawn.draft.selected]
        where = None if message.channel.id == asker.place.id else message.jump_url
        return texts.draft_is_here(name, where, table.base.number, current.number)

    async def _open_draft(self, asker: Asker, scene_id: int) -> Draft | None:
        """The one that the person has open in this Scene; one whose picture was deleted is ended."""
        while (draft := await self._store.drafts.open_of(scene_id, asker.person_id)) is not None:
            base = await self._store.picture(draft.base_id)
            if base is not None and not base.deleted:
                return draft
            await self._end(draft, DraftState.DISCARDED)
        return None

    async def _begin(self, asker: Asker, base: Picture, piece: Picture, wanted: Placement) -> Draft:
        layers = await asyncio.to_thread(_first_layer, piece.id, wanted, base.size, piece.size)
        async with self._store.transaction() as tx:
            draft_id = await self._store.drafts.begin(
                tx,
                scene_id=base.scene_id,
                author_id=asker.person_id,
                base_id=base.id,
                layers=layers,
                now=self._now(),
            )
        draft = await self._store.drafts.get(draft_id)
        assert draft is not None  # written just now
        return draft

    async def _post(self, table: Table, drawn: _Drawn) -> discord.Message:
        """Where the Scene is held now, as its newest message; the ones before it go. Raises Gone and NotAllowed."""
        look, draft = _look(table, drawn), drawn.draft
        before = await self._store.drafts.messages_of(draft.id)
        with _refusing():
            place = await self._delivery.place_of_scene(draft.scene_id)
            post = await self._delivery.intend(place, draft_id=draft.id)
            async with self._store.transaction() as tx:
                await self._store.also_shows(tx, post.nonce, (table.base.id, *table.pieces))
            assert look.preview is not None  # an open Draft has one
            message = await self._delivery.send(place, post, look.view, [look.preview])
        for old in before:
            await self._delivery.remove(old)
        return message

    async def _take_back(self, draft: Draft, *, begun: bool) -> None:
        """Nobody saw what was changed: whoever tries again must not find it done already. begun: just now."""
        async with self._store.transaction() as tx:
            await self._store.drafts.change(tx, draft, self._now())
            if begun:
                await self._store.drafts.set_state(tx, draft.id, DraftState.DISCARDED)

    # Press

    async def press(self, asker: Asker, draft_id: int, press: Press) -> Look:
        """What the message is to show after it. Raises Refusal; then nothing has changed."""
        async with self._turn(asker.person_id):
            draft = await self._own(asker, draft_id)
            if press is Press.DISCARD:
                await self._check_open(draft)
                await self._end(draft, DraftState.DISCARDED)
                return Look(discarded_view(draft.id), None)
            if press is Press.UNDO and draft.state is DraftState.DISCARDED:
                return await self._take_up(asker, draft)
            await self._check_open(draft)
            await self._reach.within(asker, draft.base_id)
            table = await self._table(draft)
            return _look(table, await self._carry_out(table, _Change(press=press)))

    async def _take_up(self, asker: Asker, draft: Draft) -> Look:
        """Undo of Discard."""
        await self._reach.within(asker, draft.base_id)
        table = await self._table(draft)
        drawn = await self._carry_out(table, _Change())
        async with self._store.transaction() as tx:
            await self._store.drafts.set_state(tx, draft.id, DraftState.OPEN)
        return _look(table, drawn)

    async def _carry_out(self, table: Table, change: _Change) -> _Drawn:
        """Change a Draft, draw it and remember it."""
        drawn = await asyncio.to_thread(_drawn, self._store.files, table, change)
        if drawn is None:
            await self._end(table.draft, DraftState.DISCARDED)
            raise Gone(texts.DRAFT_PIECES_DELETED)
        async with self._store.transaction() as tx:
            await self._store.drafts.change(tx, drawn.draft, self._now())
        return drawn

    # Place

    async def settle(self, asker: Asker, draft_id: int) -> Picture:
        """Lay the pieces over the picture for good. Of two presses the second finds what the first has made."""
        check_permissions(asker.place)
        async with self._turn(asker.person_id):
            draft = await self._own(asker, draft_id)
            if draft.state is DraftState.PLACED:
                return await self._shown_again(draft)
            await self._check_open(draft)
            await self._reach.within(asker, draft.base_id)
            table = await self._table(draft)
            for picture in (table.base, *table.pieces.values()):
                await self._reach.check_shared(picture, asker.person_id)
            picture = await self._keep(asker, table)
            await self._show(picture)
        for post in await self._store.drafts.messages_of(draft.id):
            await self._delivery.remove(post)
        return picture

    async def _keep(self, asker: Asker, table: Table) -> Picture:
        composed = await asyncio.to_thread(_composed, self._store.files, table)
        if composed is None:  # it would not be what its preview shows
            raise Gone(texts.PIECE_OF_DRAFT_DELETED)
        png, names = composed
        new = NewPicture(
            kind=PictureKind.COMPOSED,
            author_id=asker.person_id,
            file=await self._store.files.put(png),
            size=table.base.size,
            parent_id=table.base.id,
            piece=table.base.piece,
            made=texts.placed_onto(names, table.base.number),
            unsafe=table.unsafe,
        )
        scene_id, draft_id = table.draft.scene_id, table.draft.id
        async with self._store.transaction() as tx:
            picture_id = await self._store.add_picture(tx, scene_id, None, new, self._now())
            await self._store.set_current(tx, scene_id, asker.person_id, picture_id)
            await self._store.drafts.set_state(tx, draft_id, DraftState.PLACED, picture_id)
        log.info("placed", draft=draft_id, picture=picture_id, pieces=len(names))
        return await self._reach.living(picture_id)

    async def _shown_again(self, draft: Draft) -> Picture:
        assert draft.result_id is not None  # it was placed
        picture = await self._reach.living(draft.result_id)
        if not await self._store.drafts.was_shown(picture.id):
            await self._show(picture)
        return picture

    async def _show(self, picture: Picture) -> None:
        made = picture.made or ""
        await self._showing.show(picture, texts.placed_picture(picture.author_id, made, picture.number))

    # What is on the table

    async def table_of(self, picture: Picture) -> Table | None:
        """The Draft that a picture came of; None for any other picture. Pieces that are deleted are not on it."""
        draft = await self._store.drafts.that_became(picture.id)
        return None if draft is None else await self._table(draft)

    async def own(self, asker: Asker, draft_id: int) -> tuple[Draft, Picture]:
        """One's own Draft, and what is placed onto with it. Raises Refusal."""
        draft = await self._own(asker, draft_id)
        return draft, await self._reach.within(asker, draft.base_id)

    async def names_on(self, draft: Draft) -> list[str]:
        """Of its pieces that are still there, from the back to the front."""
        table = await self._table(draft)
        ids = piece_ids(draft.layers, "[]")
        return [texts.name_of(table.pieces[piece_id]) for piece_id in ids if piece_id in table.pieces]

    async def _table(self, draft: Draft, also: Picture | None = None) -> Table:
        base = await self._store.picture(draft.base_id)
        assert base is not None  # a picture's row stays when it is deleted
        found = [await self._store.picture(each) for each in piece_ids(draft.layers, draft.earlier)]
        pieces = {each.id: each for each in (*found, also) if each is not None and not each.deleted}
        return Table(draft, base, pieces)

    async def _own(self, asker: Asker, draft_id: int) -> Draft:
        draft = await self._store.drafts.get(draft_id)
        if draft is None:
            raise Gone(texts.DRAFT_IS_GONE)
        if draft.author_id != asker.person_id:
            raise NotAllowed(texts.NOT_YOUR_DRAFT)
        return draft

    async def _check_open(self, draft: Draft) -> None:
        if draft.state is DraftState.DISCARDED:
            raise Gone(texts.DRAFT_WAS_DISCARDED)
        if draft.state is DraftState.PLACED:
            assert draft.result_id is not None  # it was placed
            raise Gone(texts.is_placed_already((await self._reach.living(draft.result_id)).number))

    async def _end(self, draft: Draft, state: DraftState) -> None:
        async with self._store.transaction() as tx:
            await self._store.drafts.set_state(tx, draft.id, state)

    def _turn(self, person_id: int) -> asyncio.Lock:
        """One press of a person at a time; only its author's presses change a Draft."""
        return self._turns.setdefault(person_id, asyncio.Lock())


# Off the event loop: Pillow, numpy and scipy, which only these load


def _first_layer(piece_id: int, wanted: Placement, base: Size, piece: Size) -> str:
    from bot.scene import drafting

    layer = drafting.new_layer(piece_id, wanted, base, piece)
    return drafting.write(drafting.Layout(drafting.Moment((layer,)))).layers


def _read(draft: Draft) -> Layout:
    from bot.scene import drafting

    return drafting.read(drafting.Written(draft.layers, draft.selected, draft.earlier))


def _drawn(files: Files, table: Table, change: _Change) -> _Drawn | None:
    """None if nothing is left of it. Raises BadOption, and FileMissing for the picture itself."""
    from bot.scene import drafting, placing

    base = images.opened(files.read(table.base.file))
    pngs = _pngs(files, table)
    before = _read(table.draft)
    layout = _changed(before, table, change, pngs)
    if layout is None:
        return None
    pictures = {layer.piece_id: images.opened(pngs[layer.piece_id]) for layer in layout.now.layers}
    if change.press is Press.CUT_OUT and not drafting.has_background(
        layout, pictures[layout.now.layer.piece_id]
    ):
        raise BadOption(texts.NO_FLAT_BACKGROUND_HERE)
    written = drafting.write(layout)
    return _Drawn(
        draft=msgspec.structs.replace(
            table.draft, layers=written.layers, selected=written.selected, earlier=written.earlier
        ),
        names=tuple(texts.name_of(table.pieces[layer.piece_id]) for layer in layout.now.layers),
        preview=placing.shown(base, drafting.placed(layout, pictures)),
        gone=len({layer.piece_id for layer in before.now.layers} - pngs.keys()),
    )


def _changed(before: Layout, table: Table, change: _Change, there: Collection[int]) -> Layout | None:
    from bot.scene import drafting

    gone = set(piece_ids(table.draft.layers, table.draft.earlier)) - set(there)
    layout, base, piece = drafting.without(before, gone), table.base.size, change.piece
    if piece is not None:
        layer = drafting.new_layer(piece.id, change.wanted, base, piece.size)
        if layout is None:
            return drafting.Layout(drafting.Moment((layer,)))
        return drafting.with_piece(layout, layer, to_front=change.wanted.to_front is not False)
    if layout is None:
        return None
    if change.press is not None:
        sizes = {each.id: each.size for each in table.pieces.values()}
        return drafting.pressed(layout, change.press, base, sizes)
    selected = table.pieces[layout.now.layer.piece_id]
    return drafting.rearranged(layout, change.wanted, base, selected.size)


def placed_on(files: Files, table: Table) -> Placed | None:
    """What lies on a table, with its pictures. Off the event loop. None if one of them is not there any more."""
    from bot.scene import drafting

    layout, pngs = _read(table.draft), _pngs(files, table)
    ids = {layer.piece_id for layer in layout.now.layers}
    if not pngs.keys() >= ids:
        return None
    return drafting.placed(layout, {piece_id: images.opened(pngs[piece_id]) for piece_id in ids})


def _composed(files: Files, table: Table) -> tuple[bytes, list[str]] | None:
    """The picture at its full size, and its pieces' names. None if one of them is not there any more."""
    from bot.scene import placing

    placed = placed_on(files, table)
    if placed is None:
        return None
    composed = placing.compose(images.opened(files.read(table.base.file)), placed)
    return images.as_png(composed), [texts.name_of(table.pieces[layer.piece_id]) for layer, _ in placed]


def _pngs(files: Files, table: Table) -> dict[int, bytes]:
    """Of the pieces that are there; one lost file must not keep the others from being placed."""
    found = {}
    for piece in table.pieces.values():
        try:
            found[piece.id] = files.read(piece.file)
        except FileMissing:
            log.error("the file of a piece is missing", piece=piece.id, file=piece.file)
    return found


def _look(table: Table, drawn: _Drawn) -> Look:
    draft = drawn.draft
    preview = NewFile(f"draft-{draft.id}-{zlib.crc32(drawn.preview):08x}.webp", drawn.preview)
    facts = DraftFacts(
        draft_id=draft.id,
        base=table.base.number,
        names=drawn.names,
        selected=draft.selected,
        can_undo=draft.earlier != "[]",
        file=preview.name,
        hidden=table.unsafe is not None,
        note=texts.pieces_were_deleted(drawn.gone) if drawn.gone else "",
    )
    return Look(draft_view(facts), preview)


@contextmanager
def _refusing() -> Iterator[None]:
    """Discord's ways of not taking a message, in words for the person who waits for it."""
    try:
        yield
    except DeliveryDelayed:
        raise Gone(texts.DISCORD_IS_UNWELL) from None
    except DeliveryFailed:
        raise NotAllowed(texts.PLACE_IS_CLOSED) from None
