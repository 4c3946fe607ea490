"""From a Picture and a wish to the next ImageRequest. Pure functions from record to record."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from bot import texts
from bot.errors import BadOption, BadPicture
from bot.options import Options, check_prompt, nearest, parse_shape
from bot.store.records import Style
from inference import (
    MAX_SEED,
    BadRequest,
    Box,
    Frame,
    ImageRequest,
    Init,
    InitKind,
    ModelInfo,
    PictureRef,
    Sampler,
    Size,
    fit,
)

T = TypeVar("T")

CANDIDATES = 2
"""How many pictures come back when nobody says a number: enough to choose, cheap enough to wait for."""

STRIP = (0.3, 0.45, 0.6, 0.75, 0.9)
"""The strengths of a strength strip: from what keeps a sketch to what mostly follows the words."""

REFINE_STRENGTH = 0.55
"""A reply goes on from a picture somebody liked: less freedom than a first sketch gets (the model's default)."""


PIECE_STRENGTH, SEAMS_STRENGTH, WHOLE_STRENGTH = 0.6, 0.35, 0.7
"""A piece that is drawn on its own; the seams of what was placed; all of a picture, to give it one style and light."""

_HARMONISE_STEPS, _FEW_STEPS = 50, 15


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A picture to start from: its file and size; and, for one of ours, how it was made and its stored latents.

    request: in the words of the person who asked for it, to be gone on from; `style` had its own round them.
    """

    file: PictureRef
    size: Size
    latents: PictureRef | None = None
    latents_of: str | None = None
    request: ImageRequest | None = None
    style: Style | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A region of a picture: its mask, the window that is drawn for it (None: all), and how that lies on the canvas."""

    mask: PictureRef
    window: Box | None
    frame: Frame


def choose_model(models: Sequence[ModelInfo], name: str | None) -> ModelInfo:
    """The model of that name, the default one without a name. Raises BadOption."""
    if name is None:
        return models[0]
    for model in models:
        if model.name.lower() == name.strip().lower():
            return model
    known = [model.name for model in models]
    raise BadOption(texts.unknown_model(name, nearest(name, known), known))


def from_sketch(
    models: Sequence[ModelInfo], source: Source, prompt: str, options: Options, fresh_seed: int
) -> ImageRequest:
    """The first request for an uploaded picture."""
    model = choose_model(models, options.model)
    return _request(
        model, _need_prompt(prompt), options, fresh_seed, init=_pixels(source), frame=_fit(model, source.size)
    )


def from_words(models: Sequence[ModelInfo], prompt: str, options: Options, fresh_seed: int) -> ImageRequest:
    """The first request for a picture with no sketch."""
    model = choose_model(models, options.model)
    return _request(
        model, _need_prompt(prompt), options, fresh_seed, init=None, frame=_free_frame(model, options.size)
    )


def refine(
    models: Sequence[ModelInfo],
    parent: Source,
    upload: Source | None,
    words: str,
    options: Options,
    fresh_seed: int,
) -> ImageRequest:
    """A reply: the words become the prompt (without words the parent's stays), a picture sent along the init.

    What the reply does not say is as in the parent's request, except for strength and seed.
    """
    model = model_for(models, parent, options)
    init, frame = (_pixels(upload), _fit(model, upload.size)) if upload else _go_on(model, parent)
    inherited = _inherit(options, parent.request, model, REFINE_STRENGTH)
    return _request(model, _prompt(words, parent), inherited, fresh_seed, init=init, frame=frame)


def model_for(models: Sequence[ModelInfo], parent: Source, options: Options) -> ModelInfo:
    """The model that was named, else the one that the parent was made with. Raises BadOption."""
    return choose_model(models, options.model or (parent.request.model if parent.request else None))


def repaint(
    model: ModelInfo,
    parent: Source,
    start: PictureRef,
    part: Part,
    words: str,
    options: Options,
    strength: float,
    fresh_seed: int,
) -> ImageRequest:
    """A part of the parent drawn anew and the rest kept; what is not said is as in a reply, but for the strength.

    start: the pixels to begin with, the parent's own or those of an edited copy in its size.
    """
    inherited = _inherit(options, parent.request, model, strength)
    init = Init(kind=InitKind.PIXELS, ref=start, window=part.window)
    request = _request(model, _prompt(words, parent), inherited, fresh_seed, init=init, frame=part.frame)
    return msgspec.structs.replace(request, mask=part.mask)


def whole(model: ModelInfo, request: ImageRequest, size: Size, fresh_seed: int) -> ImageRequest:
    """All of what a repaint started from, of that size, in place of a part of it."""
    assert request.init is not None  # a part is always one of a picture
    return msgspec.structs.replace(
        again(request, fresh_seed),
        mask=None,
        init=Init(kind=InitKind.PIXELS, ref=request.init.ref),
        frame=_fit(model, size),
    )


def harmonise_steps(model: ModelInfo, most: int) -> int:
    """It takes its time, but for models that were made to need only a few. most: that may be asked for."""
    return min(most, model.steps if model.steps <= _FEW_STEPS else _HARMONISE_STEPS)


def again(request: ImageRequest, fresh_seed: int) -> ImageRequest:
    """Same inputs, new seeds; one new seed for all of a strength strip."""
    if request.strengths:
        return strip(request, fresh_seed)
    return msgspec.structs.replace(request, seeds=seeds_from(fresh_seed, len(request.seeds)))


def strip(request: ImageRequest, seed: int) -> ImageRequest:
    """The same request at five strengths, so that nothing but the strength tells its pictures apart."""
    return msgspec.structs.replace(request, strengths=STRIP, seeds=(seed,) * len(STRIP))


def vary(model: ModelInfo, parent: Source, strength: float, fresh_seed: int) -> ImageRequest:
    """Subtle and Strong: the picked Candidate as parent, everything else as it was made, a repaint in its region."""
    assert parent.request is not None  # only Candidates have these buttons, and a Candidate came of a request
    init, frame = _go_on(model, parent) if parent.request.mask is None else _same_part(model, parent)
    return msgspec.structs.replace(
        parent.request,
        init=init,
        frame=frame,
        strength=strength,
        strengths=(),
        seeds=seeds_from(fresh_seed, _candidates(parent.request)),
    )


def seeds_from(first: int, count: int) -> tuple[int, ...]:
    """`count` seeds in a row, starting anew after the last possible one."""
    return tuple((first + offset) % (MAX_SEED + 1) for offset in range(count))


def _request(
    model: ModelInfo, prompt: str, options: Options, fresh_seed: int, *, init: Init | None, frame: Frame
) -> ImageRequest:
    first = fresh_seed if options.seed is None else options.seed
    return ImageRequest(
        model=model.name,
        prompt=prompt,
        negative_prompt=check_prompt(options.negative or "", what="negative prompt"),
        init=init,
        frame=frame,
        strength=_given(options.strength, model.strength),
        steps=_given(options.steps, model.steps),
        guidance=_given(options.guidance, model.guidance),
        sampler=_choose_sampler(model, options.sampler),
        seeds=seeds_from(first, _given(options.candidates, CANDIDATES)),
    )


def _inherit(
    options: Options, before: ImageRequest | None, model: ModelInfo, usual_strength: float
) -> Options:
    """Fill what a reply leaves open: the strength that is usual then, the rest from the request it goes on from."""
    if options.size is not None:
        raise BadOption(texts.SIZE_IS_FOR_WORDS)
    strength = _given(options.strength, usual_strength)
    if before is None:
        return msgspec.structs.replace(options, strength=strength)
    same_model = model.name == before.model
    return msgspec.structs.replace(
        options,
        strength=strength,
        negative=before.negative_prompt if options.negative is None else options.negative,
        candidates=_given(options.candidates, _candidates(before)),
        steps=_given(options.steps, before.steps if same_model else None),
        guidance=_given(options.guidance, before.guidance if same_model else None),
        sampler=_given(options.sampler, before.sampler if same_model else None),
    )


def _candidates(before: ImageRequest) -> int:
    """How many pictures to go on with: a strip has five because of its strengths, not because somebody said so."""
    return CANDIDATES if before.strengths else len(before.seeds)


def _given(wanted: T | None, otherwise: T) -> T:
    return otherwise if wanted is None else wanted


def _choose_sampler(model: ModelInfo, name: str | None) -> Sampler:
    """The model's sampler of that name, its own choice without a name. Raises BadOption."""
    if name is None:
        return model.sampler
    wanted = name.strip().lower()
    for sampler in model.samplers:
        if sampler == wanted:
            return sampler
    raise BadOption(texts.unknown_sampler(name, nearest(name, model.samplers), model.samplers, model.name))


def _go_on(model: ModelInfo, parent: Source) -> tuple[Init, Frame]:
    """Stored latents where the model can take them up at the same place and size, else pixels."""
    before = parent.request
    if before is not None and before.frame.canvas in model.sizes and before.frame.content == parent.size:
        frame = before.frame
        # An empty name means that nobody knows what the latents are: two of those are not the same.
        if parent.latents is not None and model.latents and parent.latents_of == model.latents:
            return Init(kind=InitKind.LATENTS, ref=parent.latents), frame
        return _pixels(parent), frame
    return _pixels(parent), _fit(model, parent.size)


def _same_part(model: ModelInfo, parent: Source) -> tuple[Init, Frame]:
    """The part that a repaint drew, in the pixels that came of it."""
    before = parent.request
    assert before is not None  # a part is known by the request that drew it
    assert before.init is not None
    window = before.init.window
    known = before.frame.canvas in model.sizes
    frame = before.frame if known else _fit(model, window.size if window else parent.size)
    return Init(kind=InitKind.PIXELS, ref=parent.file, window=window), frame


def _pixels(source: Source) -> Init:
    return Init(kind=InitKind.PIXELS, ref=source.file)


def _fit(model: ModelInfo, size: Size) -> Frame:
    try:
        return fit(size, model.sizes)
    except BadRequest as error:
        raise BadPicture(str(error)) from None


def _free_frame(model: ModelInfo, shape: str | None) -> Frame:
    """A whole canvas: the native one, or the one nearest to the wanted shape."""
    if shape is None:
        return Frame(canvas=model.native, content=model.native)
    width, height = parse_shape(shape)
    canvas = min(model.sizes, key=lambda size: abs(math.log(size.width / size.height * height / width)))
    return Frame(canvas=canvas, content=canvas)


def _prompt(words: str, parent: Source) -> str:
    """Without words the parent's own."""
    return _need_prompt(words or (parent.request.prompt if parent.request else ""))


def _need_prompt(prompt: str) -> str:
    checked = check_prompt(prompt)
    if not checked:
        raise BadOption(texts.EMPTY_PROMPT)
    return checked
