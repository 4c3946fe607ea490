"""Harmonising: what was put together becomes one picture, by drawing over its seams or over all of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from bot import images, remix, texts
from bot.asker import Asker
from bot.custom_ids import How
from bot.errors import BadOption, BadPicture, Gone, Refusal
from bot.jobs import Jobs, Receipt
from bot.options import PROMPT_LENGTH, STYLE, Form, Options, read_form
from bot.pieces import speaking_names
from bot.places import check_permissions
from bot.placing import Placing, Table, placed_on
from bot.reach import Reach
from bot.rules import Rules
from bot.store import Files, JobKind, NewJob, Picture, Store, Style
from bot.styles import Styles
from inference import BadRequest, Box, Engine, Frame, ModelInfo

_BAND = 0.06
"""Of the longer side of a picture: how wide a strip along a seam is drawn anew."""

_STRENGTHS = {How.SEAMS: remix.SEAMS_STRENGTH, How.WHOLE: remix.WHOLE_STRENGTH}


class _Seams(NamedTuple):
    """The region along the seams, as a grey PNG, and how the part round it is drawn."""

    region: bytes
    window: Box | None
    frame: Frame


_SOMEBODY_NEW = 0
"""Whoever has no current picture of their own goes on from the Scene's latest."""


class Harmonising:
    def __init__(
        self,
        store: Store,
        jobs: Jobs,
        engine: Engine,
        reach: Reach,
        styles: Styles,
        placing: Placing,
        rules: Rules,
        *,
        fresh_seed: Callable[[], int],
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._engine = engine
        self._reach = reach
        self._styles = styles
        self._placing = placing
        self._rules = rules
        self._fresh_seed = fresh_seed

    async def current(self, asker: Asker, how: How | None, prompt: str | None, options: Options) -> Receipt:
        """/harmonise: the current picture; its seams if it has just been placed together, else all of it."""
        check_permissions(asker.place)
        picture = await self._reach.current_here(asker)
        if how is None:
            how = How.WHOLE if await self._placing.table_of(picture) is None else How.SEAMS
        words = prompt or await self._words_for(picture)
        return await self._harmonise(asker, picture, how, words, options, await self._passed_over(picture))

    async def _passed_over(self, picture: Picture) -> tuple[str, ...]:
        """Pictures that came later and that they did not pick: they may well mean one of those."""
        latest = await self._store.current_picture(picture.scene_id, _SOMEBODY_NEW)
        if latest is None or latest.number <= picture.number:
            return ()
        return (texts.newer_than_current(picture.number, latest.number),)

    async def from_form(self, asker: Asker, kind: str, number: int, how: How, form: Form) -> Receipt:
        """A form about a picture (kind p) or about a Draft (d), which is placed first. Raises Refusal."""
        prompt, options = read_form(form)
        check_permissions(asker.place)
        if kind == "p":
            picture = await self._reach.within(asker, number)
            return await self._harmonise(asker, picture, how, prompt, options)
        picture = await self._placing.settle(asker, number)
        try:
            return await self._harmonise(asker, picture, how, prompt, options)
        except Refusal as error:
            raise type(error)(texts.placed_but(picture.number, str(error))) from None

    async def filled(self, asker: Asker, kind: str, number: int, how: How) -> Form:
        """What the form says when it opens. Raises Refusal."""
        if kind == "p":
            picture = await self._reach.within(asker, number)
            words = await self._words_for(picture)
        else:
            draft, picture = await self._placing.own(asker, number)
            words = await self._words(picture, await self._placing.names_on(draft))
        before = await self._source(picture)
        return Form(
            prompt=words,
            negative=before.request.negative_prompt if before.request else "",
            strength=f"{_STRENGTHS[how]:g}",
            flags=f"--{STYLE.flag} {before.style.name}" if before.style else "",
        )

    async def _harmonise(
        self,
        asker: Asker,
        picture: Picture,
        how: How,
        prompt: str,
        options: Options,
        notes_before: tuple[str, ...] = (),
    ) -> Receipt:
        await self._reach.check_shared(picture, asker.person_id)
        source = await self._source(picture)
        options, style, model = await self._settled(asker, source, how, options)
        notes = [texts.goes_on_from(picture.number, None, chosen=False), *notes_before]
        if how is How.SEAMS:
            part, strength = await self._seams(picture, model), remix.SEAMS_STRENGTH
            request = remix.repaint(
                model, source, picture.file, part, prompt, options, strength, self._fresh_seed()
            )
            notes.append(texts.SEAMS_ONLY)
        else:
            request = remix.refine(self._engine.models(), source, None, prompt, options, self._fresh_seed())
        new = NewJob(
            source=asker.source,
            kind=JobKind.HARMONISE,
            scene=picture.scene_id,
            guild_id=asker.guild_id,
            author_id=asker.person_id,
            standing=asker.standing,
            request=request,
            style=style,
            parent_id=picture.id,
            notes=tuple(notes),
        )
        return await self._jobs.submit(new, options)

    async def _settled(
        self, asker: Asker, source: remix.Source, how: How, options: Options
    ) -> tuple[Options, Style | None, ModelInfo]:
        """What nobody said is as it should be for harmonising, as far as this place allows it."""
        if how is How.SEAMS:  # before a style brings the strength that it needs for a whole picture
            options = _filled(options, strength=_STRENGTHS[how])
        options, style = await self._styles.settle(options, asker.guild_id, source.style)
        model = remix.model_for(self._engine.models(), source, options)
        limits = await self._rules.limits(asker.guild_id, asker.standing)
        steps = remix.harmonise_steps(model, limits.most_steps)
        candidates = min(remix.CANDIDATES, limits.most_candidates)
        options = _filled(options, strength=_STRENGTHS[how], steps=steps, candidates=candidates)
        return options, style, model

    async def _source(self, picture: Picture) -> remix.Source:
        """A picture to start from, with how it was made; one that no model drew as what it came of was made."""
        way = await self._store.ways.to(picture.id)
        drawn = (shown for shown in reversed(way) if shown.request is not None and shown.request.prompt)
        made_by = next(drawn, None)
        return remix.Source(
            file=picture.file,
            size=picture.size,
            latents=picture.latents,
            latents_of=picture.latents_of,
            request=made_by.request if made_by else None,
            style=made_by.style if made_by else None,
        )

    async def _words_for(self, picture: Picture) -> str:
        """What such a picture shows, as far as anybody said."""
        table = await self._placing.table_of(picture)
        return await self._words(picture, [] if table is None else await self._placing.names_on(table.draft))

    async def _words(self, picture: Picture, names: list[str]) -> str:
        request = (await self._source(picture)).request
        words = [request.prompt] if request else []
        return ", ".join([*words, *speaking_names(names)])[:PROMPT_LENGTH]

    async def _seams(self, picture: Picture, model: ModelInfo) -> remix.Part:
        """Raises Refusal where nobody can tell any more where they are, or there are none."""
        table = await self._placing.table_of(picture)
        if table is None:
            raise BadOption(texts.NO_SEAMS_KNOWN)
        seams = await asyncio.to_thread(_along_seams, self._store.files, table, model)
        mask = await self._store.files.put(seams.region)
        return remix.Part(mask=mask, window=seams.window, frame=seams.frame)


def _filled(options: Options, **usual: float) -> Options:
    """With these for whatever is left open."""
    left_open = {name: value for name, value in usual.items() if getattr(options, name) is None}
    return msgspec.structs.replace(options, **left_open)


def _along_seams(files: Files, table: Table, model: ModelInfo) -> _Seams:
    """Off the event loop. Raises Gone, BadOption and BadPicture."""
    from bot.scene import placing
    from bot.scene.regions import is_empty, window_for

    placed = placed_on(files, table)
    if placed is None:
        raise Gone(texts.SEAMS_OF_DELETED)
    size = table.base.size
    region = placing.band(size, placed, _BAND)
    if is_empty(region):
        raise BadOption(texts.NO_SEAM_THERE)
    try:
        window, frame = window_for(region, size, model.sizes)
    except BadRequest as error:
        raise BadPicture(str(error)) from None
    return _Seams(images.as_png(region), window, frame)
