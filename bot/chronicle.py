"""A Scene as a whole: its tree as a picture, the way to a picture as a film, everything in it as zips.

All of it is work for a processor: off the event loop, one thing at a time, and with no more pictures in memory than
that takes.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from PIL import Image

from bot import images, texts
from bot.delivered import delivered_png
from bot.errors import Gone
from bot.recipe import recipe_text
from bot.scene.export import Entry, export
from bot.scene.timelapse import LARGEST_SIDE, MOST_FRAMES, timelapse
from bot.scene.tree import THUMBNAIL, Node, draw_tree
from bot.store import FileMissing, Files, Picture, Scene, Shown, Store
from inference import PictureRef

MOST_EXPORTED = 64 * 2**20
"""Bytes of all pictures of one export together: while they are packed they are in memory, twice."""


class Film(NamedTuple):
    """frames: the pictures in it, oldest first. deleted: numbers of those that would belong to it."""

    data: bytes
    frames: tuple[Picture, ...]
    deleted: tuple[int, ...]


class Package(NamedTuple):
    """sentence: what the person should know about the zips; mostly nothing."""

    zips: tuple[bytes, ...]
    sentence: str


class Chronicle:
    def __init__(self, store: Store, *, most_exported: int = MOST_EXPORTED) -> None:
        self._store = store
        self._most_exported = most_exported
        self._one_at_a_time = asyncio.Lock()

    async def tree(self, entries: Sequence[Shown], current: int | None, names: Mapping[int, str]) -> bytes:
        """A WebP of a Scene's history, of one picture or more. current: an id. names: of people, by id."""
        nodes = list(_nodes(entries, current, names))
        living = {shown.picture.number: shown.picture for shown in entries if not shown.picture.deleted}
        async with self._one_at_a_time:
            return await asyncio.to_thread(_tree, nodes, _Thumbnails(self._store.files, living))

    async def film(self, picture_id: int, *, gif: bool) -> Film:
        """The way from its Scene's first picture to that one. Raises Gone where that is a single picture."""
        way = await self._store.ways.to(picture_id)
        frames = [shown for shown in way if not shown.picture.deleted]
        if len(frames) < 2:
            raise Gone(texts.ONLY_PICTURE)
        async with self._one_at_a_time:
            data = await asyncio.to_thread(timelapse, _Frames(self._store.files, _thinned(frames)), gif=gif)
        deleted = (shown.picture.number for shown in way if shown.picture.deleted)
        return Film(data, tuple(shown.picture for shown in frames), tuple(deleted))

    async def package(self, scene: Scene, person_id: int, *, limit: int) -> Package:
        """All living pictures of a Scene, its tree and recipes; of very many the person's own way and the newest.

        limit: bytes of one zip. Raises Gone where there is nothing to pack, or too much to describe.
        """
        entries = await self._store.history(scene.id)
        living = [shown for shown in entries if not shown.picture.deleted]
        if not living:
            raise Gone(texts.ALL_DELETED if entries else texts.NO_PICTURES_YET)
        current = await self._store.current_picture(scene.id, person_id)
        way = await self._store.ways.to(current.id) if current is not None else []
        async with self._one_at_a_time:
            pngs = await self._pngs(_by_preference(living, way))
            left_out = {shown.picture.id for shown in living} - pngs.keys()
            packed = _to_pack(
                [shown for shown in entries if shown.picture.id not in left_out], pngs, person_id
            )
            try:
                done = await asyncio.to_thread(export, packed, scene.title, limit=limit)
            except ValueError:
                raise Gone(texts.PACKING_FAILED) from None
        said = [done.sentence] if done.sentence else []
        if left_out:
            said.append(texts.export_left_out(len(left_out), len(living)))
        return Package(done.zips, " ".join(said))

    async def own(self, scene: Scene, person_id: int, *, limit: int) -> AsyncGenerator[Package, None]:
        """All living pictures of one person in a Scene, in as many packages as it takes; of others there is nothing.

        limit: bytes of one zip. Raises Gone where there is too much to describe.
        """
        by_id = {shown.picture.id: shown for shown in await self._store.history(scene.id)}
        theirs = (each for each in by_id.values() if each.picture.author_id == person_id)
        left = [each for each in theirs if not each.picture.deleted]
        while left:
            async with self._one_at_a_time:
                pngs = await self._pngs(left) or {left[0].picture.id: None}
                packed = [_entry(by_id[each], by_id, png, person_id) for each, png in pngs.items()]
                try:
                    done = await asyncio.to_thread(export, packed, scene.title, limit=limit)
                except ValueError:
                    raise Gone(texts.PACKING_FAILED) from None
            left = [each for each in left if each.picture.id not in pngs]
            yield Package(done.zips, done.sentence)

    async def _pngs(self, wanted: Sequence[Shown]) -> dict[int, bytes | None]:
        """By id, as people get them, while they are not too much together; None for a file that is lost."""
        found: dict[int, bytes | None] = {}
        room = self._most_exported
        for shown in wanted:
            try:
                png = await delivered_png(self._store, shown.picture)
            except FileMissing:
                found[shown.picture.id] = None
                continue
            room -= len(png)
            if room < 0:
                break
            found[shown.picture.id] = png
        return found


def _nodes(entries: Sequence[Shown], current: int | None, names: Mapping[int, str]) -> Iterator[Node]:
    numbers = {shown.picture.id: shown.picture.number for shown in entries}
    for shown in entries:
        picture = shown.picture
        yield Node(
            number=picture.number,
            parent=numbers.get(picture.parent_id or 0),
            title=texts.came_about(shown),
            detail=texts.strength_in_short(shown),
            author=names.get(picture.author_id, texts.SOMEBODY),
            deleted=picture.deleted,
            current=picture.id == current,
        )


def _tree(nodes: Sequence[Node], thumbnails: Mapping[int, Image.Image]) -> bytes:
    file = io.BytesIO()
    draw_tree(nodes, thumbnails).save(file, "WEBP", quality=82, method=2)
    return file.getvalue()


class _Thumbnails(Mapping[int, Image.Image]):
    """By number; each is read when it is first drawn, for of many pictures only some are. Lost ones are not there.

    Unsafe ones cannot be made out: a picture of pictures has no cover that could be lifted from one of them.
    """

    def __init__(self, files: Files, pictures: Mapping[int, Picture]) -> None:
        self._files = files
        self._pictures = pictures
        self._read: dict[int, Image.Image | None] = {}

    def __getitem__(self, number: int) -> Image.Image:
        if number not in self._read:
            picture = self._pictures[number]
            image = _scaled(self._files, picture.file, THUMBNAIL)
            self._read[number] = images.unrecognisable(image) if image and picture.unsafe else image
        image = self._read[number]
        if image is None:
            raise KeyError(number)
        return image

    def __iter__(self) -> Iterator[int]:
        return iter(self._pictures)

    def __len__(self) -> int:
        return len(self._pictures)


class _Frames(Sequence[tuple[Image.Image, str]]):
    """Read one by one, as often as the film is tried in another size: all of them at once would be too much."""

    def __init__(self, files: Files, shown: Sequence[Shown]) -> None:
        self._files = files
        self._shown = shown

    def __getitem__(self, at: Any) -> Any:
        """One frame; nobody asks for slices."""
        shown = self._shown[at]
        image = _scaled(self._files, shown.picture.file, LARGEST_SIDE)
        words = shown.request.prompt if shown.request is not None else texts.came_about(shown)
        caption = texts.timelapse_caption(shown.picture.number, words)
        return image or Image.new("RGB", (shown.picture.width, shown.picture.height)), caption

    def __len__(self) -> int:
        return len(self._shown)


def _scaled(files: Files, ref: PictureRef, side: int) -> Image.Image | None:
    """None for a file that is lost: it must not take the others with it."""
    try:
        image = images.opened(files.read(ref))
    except FileMissing:
        return None
    image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return image.copy()  # which, unlike an image that was opened, does not hold on to its file's bytes


def _thinned(frames: Sequence[Shown]) -> Sequence[Shown]:
    if len(frames) <= MOST_FRAMES:
        return frames
    return [frames[number * (len(frames) - 1) // (MOST_FRAMES - 1)] for number in range(MOST_FRAMES)]


def _by_preference(living: Sequence[Shown], way: Sequence[Shown]) -> list[Shown]:
    """First the way, then the others, the newest first."""
    on_way = {shown.picture.id for shown in way}
    return sorted(living, key=lambda shown: (shown.picture.id in on_way, shown.picture.number), reverse=True)


def _to_pack(entries: Sequence[Shown], pngs: Mapping[int, bytes | None], person_id: int) -> list[Entry]:
    by_id = {shown.picture.id: shown for shown in entries}
    return [_entry(shown, by_id, pngs.get(shown.picture.id), person_id) for shown in entries]


def _entry(shown: Shown, by_id: Mapping[int, Shown], png: bytes | None, person_id: int) -> Entry:
    picture = shown.picture
    way = [shown]
    while len(way) < 3 and (parent := by_id.get(way[0].picture.parent_id or 0)) is not None:
        way.insert(0, parent)
    return Entry(
        number=picture.number,
        parent=way[-2].picture.number if len(way) > 1 else None,
        kind=texts.came_about(shown),
        png=png,
        created_at=picture.created_at,
        mine=picture.author_id == person_id,
        request=shown.told,
        sample=shown.sample,
        model_version=shown.model_version,
        command="" if picture.deleted else recipe_text(way),
    )
