"""A Recipe as something a person can type: the command or the reply that asks for the same again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot import options, texts
from bot.store import JobKind, PictureKind, Shown
from inference import ImageRequest


def recipe_text(way: Sequence[Shown]) -> str:
    """How to ask once more for the last picture of a way, as `Ways.to` gives it.

    An option of nothing (an empty negative prompt) is left out; everything else is said, for defaults may change. What
    cannot be typed is named.
    """
    asked = _ask(way)
    gone = way[-2].picture if len(way) > 1 and way[-2].picture.deleted else None
    return asked if gone is None else f"{asked}\n{texts.recipe_start_deleted(gone.number)}"


def _ask(way: Sequence[Shown]) -> str:
    shown, request = way[-1], way[-1].request
    parent = way[-2] if len(way) > 1 else None
    number = parent.picture.number if parent is not None else None
    if request is None:
        return texts.recipe_without_model(shown, number)
    if request.init is None:
        shape = f"{request.frame.canvas.width}:{request.frame.canvas.height}"
        return texts.recipe_of_words(_command("imagine", shown, request, size=shape))
    if request.mask is not None or request.init.window is not None:
        return texts.recipe_of_part(_reply(shown, request, parent), number)
    if parent is None or (_was_sent(parent) and len(way) == 2):
        strength = f"{request.strength_of(shown.sample):g}"
        return texts.recipe_of_sketch(_command("sketch", shown, request, strength=strength), number)
    if _was_sent(parent):
        words = _reply(shown, request, way[-3])
        return texts.recipe_of_reply_with_file(words, way[-3].picture.number, parent.picture.number)
    words = _reply(shown, request, parent)
    return (
        texts.recipe_of_menu(words, number)
        if shown.kind is JobKind.SKETCH
        else texts.recipe_of_reply(words, number)
    )


def _was_sent(shown: Shown) -> bool:
    return shown.picture.kind in (PictureKind.UPLOADED, PictureKind.PAINTED)


def _style(shown: Shown, parent: Shown | None) -> str | None:
    """A reply takes over the style of what it goes on from, unless it says otherwise."""
    if shown.style is not None:
        return shown.style.name
    return options.NO_STYLE if parent is not None and parent.style is not None else None


def _values(shown: Shown, request: ImageRequest, style: str | None) -> dict[options.Option, str]:
    """Of a strip only the sample that is meant: no single request has several strengths."""
    seed, count = request.seeds[0], len(request.seeds)
    if request.strengths:
        seed, count = request.seeds[shown.sample], 1
    values = {
        options.STEPS: str(request.steps),
        options.SEED: str(seed),
        options.GUIDANCE: f"{request.guidance:g}",
        options.CANDIDATES: str(count),
        options.SAMPLER: str(request.sampler),
        options.MODEL: request.model,
    }
    if style is not None:
        values[options.STYLE] = style
    return values | ({options.NEGATIVE: request.negative_prompt} if request.negative_prompt else {})


def _command(name: str, shown: Shown, request: ImageRequest, **more: str) -> str:
    named = {"prompt": request.prompt, **more}
    named |= {option.name: value for option, value in _values(shown, request, _style(shown, None)).items()}
    return slash_command(name, named)


def _reply(shown: Shown, request: ImageRequest, answered: Shown | None) -> str:
    """The negative prompt comes last: it runs to the next flag."""
    flags = {options.STRENGTH: f"{request.strength_of(shown.sample):g}"} | _values(
        shown, request, _style(shown, answered)
    )
    return " ".join([request.prompt, *(f"--{option.flag} {value}" for option, value in flags.items())])


def slash_command(name: str, values: Mapping[str, str]) -> str:
    """As Discord takes it when it is pasted."""
    return " ".join([f"/{name}", *(f"{option}: {value}" for option, value in values.items())])
