"""Pieces: cutting them out of pictures or taking them from files, and finding them again to be placed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

import discord
import msgspec
import structlog
from PIL import Image

from bot import images, remix, texts
from bot.asker import Asker
from bot.errors import BadOption, BadPicture, Gone, Refusal
from bot.jobs import Jobs, Receipt
from bot.options import Options, nearest
from bot.places import check_permissions, may_have_thread
from bot.reach import Reach
from bot.screening import Screening
from bot.showing import Showing
from bot.store import (
    FileMissing,
    Files,
    JobKind,
    NewJob,
    NewPicture,
    NewScene,
    OwnedPiece,
    Picture,
    PictureKind,
    Store,
)
from bot.styles import Styles
from bot.uploads import Uploads
from inference import Engine, PictureRef, Size

log = structlog.get_logger(__name__)

NAME_LENGTH = 40
MOST_SHOWN = 25
"""What one select and one list of completions hold."""

_BY_ID = re.compile(r"\(p(\d{1,18})\)$")
_BY_NUMBER = re.compile(r"#?\s*(\d{1,9})")
_GIVEN_NAMES = re.compile(r"(piece|picture) \d+")


class Cutting(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants for a piece; None where they said nothing. number: of a picture in this Scene."""

    name: str | None = None
    region: str | None = None
    number: int | None = None
    file: discord.Attachment | None = None
    clear_background: bool = False


class _Cut(NamedTuple):
    """A piece that is not part of any Scene yet. parent: the picture it is cut out of, None for a file."""

    finished: images.Finished
    name: str
    parent: Picture | None
    scene: int | None
    notes: tuple[str, ...]


def speaking_names(names: Sequence[str]) -> list[str]:
    """Those that say what is to be seen, once each."""
    return [name for name in dict.fromkeys(names) if not _GIVEN_NAMES.fullmatch(name)]


class Pieces:
    def __init__(
        self,
        store: Store,
        jobs: Jobs,
        engine: Engine,
        reach: Reach,
        uploads: Uploads,
        styles: Styles,
        showing: Showing,
        screening: Screening,
        *,
        now: Callable[[], float],
        fresh_seed: Callable[[], int],
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._engine = engine
        self._reach = reach
        self._uploads = uploads
        self._styles = styles
        self._showing = showing
        self._screening = screening
        self._now = now
        self._fresh_seed = fresh_seed

    # Making them

    async def keep(self, asker: Asker, cutting: Cutting) -> str:
        """Cut a piece, keep it and show it; says where."""
        check_permissions(asker.place)
        cut = await self._cut(asker, cutting)
        await self._screening.check_name(asker, cut.name)
        new = self._new_picture(asker, cut, await self._store.files.put(cut.finished.png))
        async with self._store.transaction() as tx:
            scene_id = cut.scene
            if scene_id is None:
                # There is nothing to be done in rounds yet, so it opens no thread.
                new_scene = self._new_scene(asker, cut.name, wants_thread=False)
                scene_id = await self._store.begin_scene(tx, new_scene, self._now())
            # Not the current picture: that is the one it is going to be placed onto.
            picture_id = await self._store.add_picture(tx, scene_id, None, new, self._now())
        piece = await self._reach.living(picture_id)
        where = await self._show(piece, texts.piece_made(cut.name, asker.person_id, piece.number))
        return " ".join([texts.piece_is_kept(cut.name, piece.number, where), *cut.notes])

    async def draw(self, asker: Asker, cutting: Cutting, prompt: str, options: Options) -> Receipt:
        """Cut a piece and draw it on its own; what comes of it are pieces in its outline."""
        check_permissions(asker.place)
        cut = await self._cut(asker, cutting)
        options, style = await self._styles.settle(options, asker.guild_id)
        if options.strength is None:
            options = msgspec.structs.replace(options, strength=remix.PIECE_STRENGTH)
        file = await self._store.files.put(cut.finished.png)
        source = remix.Source(file=file, size=cut.finished.size)
        request = remix.from_sketch(self._engine.models(), source, prompt, options, self._fresh_seed())
        scene = cut.scene
        came_from = () if cut.parent is None else (texts.piece_of(cut.name, cut.parent.number),)
        new = NewJob(
            source=asker.source,
            kind=JobKind.PIECE,
            scene=self._new_scene(asker, prompt, wants_thread=True) if scene is None else scene,
            guild_id=asker.guild_id,
            author_id=asker.person_id,
            standing=asker.standing,
            request=request,
            style=style,
            upload=self._new_picture(asker, cut, file),
            notes=(*came_from, *cut.notes),
        )
        return await self._jobs.submit(new, options)

    async def _cut(self, asker: Asker, cutting: Cutting) -> _Cut:
        if cutting.file is not None:
            return await self._cut_of_file(asker, cutting, cutting.file)
        parent = await self._numbered(asker, cutting.number)
        png = await self._store.files.get(parent.file)
        finished = await asyncio.to_thread(_piece, png, cutting)
        name = await self._name(cutting.name, parent.scene_id)
        return _Cut(finished, name, parent, parent.scene_id, ())

    async def _cut_of_file(self, asker: Asker, cutting: Cutting, file: discord.Attachment) -> _Cut:
        clean = await self._uploads.look_at(file)
        finished = await asyncio.to_thread(_piece, clean.png, cutting)
        try:
            scene_id = (await self._reach.scene_here(asker.place.id, asker.person_id)).id
        except Gone:
            scene_id = None
        name = await self._name(cutting.name or PurePosixPath(file.filename).stem, scene_id)
        notes = tuple(note for note in clean.notes if note != texts.TRANSPARENT_BECAME_WHITE)
        return _Cut(finished, name, None, scene_id, notes)

    async def _name(self, wanted: str | None, scene_id: int | None) -> str:
        name = texts.unformatted(wanted or "", NAME_LENGTH)
        if name.strip("… "):
            return name
        return texts.piece_name(1 + (await self._store.pieces.count_names(scene_id) if scene_id else 0))

    def _new_picture(self, asker: Asker, cut: _Cut, file: PictureRef) -> NewPicture:
        return NewPicture(
            kind=PictureKind.UPLOADED if cut.parent is None else PictureKind.CUT,
            author_id=asker.person_id,
            file=file,
            size=cut.finished.size,
            parent_id=cut.parent.id if cut.parent is not None else None,
            piece=cut.name,
            made=texts.cut_out_of(cut.parent.number) if cut.parent is not None else None,
        )

    def _new_scene(self, asker: Asker, title: str, *, wants_thread: bool) -> NewScene:
        return NewScene(
            guild_id=asker.guild_id,
            channel_id=asker.place.id,
            wants_thread=wants_thread and may_have_thread(asker.place),
            title=title[:100],
            owner_id=asker.person_id,
        )

    async def _show(self, piece: Picture, sentence: str) -> str | None:
        """Where it is now; None if it could not be posted. It is kept all the same, and found by its name."""
        try:
            message = await self._showing.show(piece, sentence)
        except Refusal as error:
            log.info("a piece could not be shown", picture=piece.id, why=str(error))
            return None
        return f"<#{message.channel.id}>"

    # Finding them

    async def offered(self, asker: Asker, like: str = "") -> list[OwnedPiece]:
        """What this person may place here, newest first: as much as one list holds. like: a part of the name."""
        here = await self._store.scene_of_thread(asker.place.id)
        return await self._store.pieces.within_reach(
            asker.person_id,
            here.id if here is not None else None,
            asker.guild_id,
            asker.place.id,
            like=like,
            limit=MOST_SHOWN,
        )

    async def sheet(self, pieces: Sequence[Picture]) -> bytes:
        """Thumbnails with numbers from 1 and names, as WebP."""
        return await asyncio.to_thread(_sheet, self._store.files, pieces)

    async def find(self, asker: Asker, scene_id: int, text: str) -> Picture:
        """The piece of that name, the picture of that number in the Scene, or what a completion named.

        Raises BadOption for a name that is none, and as `within_reach`.
        """
        if by_id := _BY_ID.search(text.strip()):
            return await self.within_reach(asker, scene_id, int(by_id[1]))
        if by_number := _BY_NUMBER.fullmatch(text.strip()):
            return await self._numbered(asker, int(by_number[1]))
        wanted = texts.unformatted(text, NAME_LENGTH)
        alike = await self._named(asker, scene_id, wanted)
        for owned in alike:
            if texts.name_of(owned.picture).casefold() == wanted.casefold():
                return owned.picture
        known = {texts.name_of(owned.picture).lower(): texts.name_of(owned.picture) for owned in alike}
        close = nearest(wanted, known)
        raise BadOption(texts.piece_unknown(text, known[close] if close else None))

    async def _named(self, asker: Asker, scene_id: int, wanted: str) -> list[OwnedPiece]:
        """Those with such a name, else whatever there is to choose from."""
        for like in (wanted, ""):
            found = await self._store.pieces.within_reach(
                asker.person_id, scene_id, asker.guild_id, asker.place.id, like=like, limit=100
            )
            if found:
                return found
        return []

    async def within_reach(self, asker: Asker, scene_id: int, picture_id: int) -> Picture:
        """A picture of this Scene, or one of one's own of this server. Raises Gone, and NotAllowed if it is not shared.

        Others' Scenes may be in channels that this person cannot see.
        """
        picture = await self._reach.within(asker, picture_id)
        if picture.scene_id != scene_id and picture.author_id != asker.person_id:
            raise Gone(texts.SCENE_CARD_GONE)
        await self._reach.check_shared(picture, asker.person_id)
        return picture

    async def _numbered(self, asker: Asker, number: int | None) -> Picture:
        picture = await self._reach.numbered_here(asker, number)
        await self._reach.check_shared(picture, asker.person_id)
        return picture


# Off the event loop: Pillow, numpy and scipy, which only these load


def _piece(png: bytes, cutting: Cutting) -> images.Finished:
    """Raises BadOption for a region that is none, and BadPicture where nothing is left of it."""
    from bot.scene import cutting as scissors
    from bot.scene.regions import bounds, parse_region

    image = images.opened(png)
    region = Image.new("L", image.size, 255)
    if cutting.region is not None:
        region = parse_region(cutting.region, Size(*image.size))
    if cutting.clear_background:
        # Only what is in the region counts as its surroundings, else those of the whole picture would.
        box = bounds(region)
        corners = (box.left, box.top, box.left + box.width, box.top + box.height)
        alone = scissors.background_cleared(image.crop(corners))
        if alone is None:
            raise BadPicture(texts.NO_FLAT_BACKGROUND)
        image, region = alone, region.crop(corners)
    piece = scissors.cut(image, region)
    return images.Finished(images.as_png(piece), Size(*piece.size))


def _sheet(files: Files, pieces: Sequence[Picture]) -> bytes:
    from bot.scene.piece_sheet import piece_sheet

    shown = []
    for position, piece in enumerate(pieces, start=1):
        try:
            opened = images.opened(files.read(piece.file))
            picture = images.unrecognisable(opened) if piece.unsafe else opened
        except FileMissing:  # one lost file must not take the whole sheet with it
            picture = None
        shown.append((texts.piece_label(position, texts.name_of(piece)), picture))
    return piece_sheet(shown)
