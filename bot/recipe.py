"""A Recipe as something a person can type: the command or the reply that asks for the same again."""

from __future__ import annotations

from bot import options, texts
from bot.store import Job, JobKind
from inference import ImageRequest


def recipe_text(job: Job, parent: int | None) -> str:
    """How to ask for this once more. parent: the number of the picture it went on from, if it did.

    An option of nothing (an empty negative prompt) is left out; everything else is said, for defaults may change.
    """
    request = job.request
    if request.init is None:
        shape = f"{request.frame.canvas.width}:{request.frame.canvas.height}"
        return texts.recipe_of_words(_command("imagine", request, size=shape))
    if job.kind is JobKind.SKETCH and parent is None:
        return texts.recipe_of_sketch(_command("sketch", request, strength=f"{request.strength:g}"))
    return texts.recipe_of_reply(_reply(request), parent)


def _values(request: ImageRequest) -> dict[options.Option, str]:
    values = {
        options.STEPS: str(request.steps),
        options.SEED: str(request.seeds[0]),
        options.GUIDANCE: f"{request.guidance:g}",
        options.CANDIDATES: str(len(request.seeds)),
        options.SAMPLER: str(request.sampler),
        options.MODEL: request.model,
    }
    return values | ({options.NEGATIVE: request.negative_prompt} if request.negative_prompt else {})


def _command(name: str, request: ImageRequest, **more: str) -> str:
    named = {"prompt": request.prompt, **more}
    named |= {option.name: value for option, value in _values(request).items()}
    return " ".join([f"/{name}", *(f"{option}: {value}" for option, value in named.items())])


def _reply(request: ImageRequest) -> str:
    """The negative prompt comes last: it runs to the next flag."""
    flags = {options.STRENGTH: f"{request.strength:g}"} | _values(request)
    return " ".join([request.prompt, *(f"--{option.flag} {value}" for option, value in flags.items())])
