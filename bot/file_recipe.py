"""What a stranger's file says it was made with, as a command of ours and as a form that is filled with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import discord

from bot import options, remix
from bot.errors import BadOption
from bot.options import Form, Option
from bot.recipe import slash_command
from bot.scene.parameters import Parameters, read
from bot.uploads import Uploads
from inference import ModelInfo


class FileRecipe(NamedTuple):
    """command: to be sent, with a sketch attached if `from_sketch`. more: what the file says and no command can."""

    command: str
    from_sketch: bool
    more: tuple[str, ...]
    form: Form


async def recipe_in(
    file: discord.Attachment, uploads: Uploads, models: Sequence[ModelInfo]
) -> FileRecipe | None:
    """What a stranger's file says, if it says anything that is understood. Raises BadPicture."""
    picture = await uploads.look_at(file)
    said = read(picture.parameters)
    return file_recipe(said, models, f"{models[0].strength:g}") if said is not None else None


def file_recipe(said: Parameters, models: Sequence[ModelInfo], strength: str) -> FileRecipe:
    """Only what would be accepted if it were typed. strength: what the form has where the file names none."""
    prompt, negative = (text[: options.PROMPT_LENGTH] for text in (said.prompt, said.negative))
    model = _model(said, models)
    values = _understood(said, model if model is not None else models[0])
    if model is not None:
        values[options.MODEL] = model.name
    more = [f"the model {said.model}"] if said.model and model is None else []
    if said.steps is not None and options.STEPS not in values:
        more.append(f"{said.steps} steps")
    named = {"prompt": prompt} | {option.name: value for option, value in values.items()}
    if said.strength is not None:
        named[options.STRENGTH.name] = strength = f"{said.strength:g}"
    elif said.size is not None:
        named[options.SIZE.name] = f"{said.size.width}:{said.size.height}"
    if negative:
        named[options.NEGATIVE.name] = negative
    flags = " ".join(f"--{option.flag} {value}" for option, value in values.items())
    from_sketch = said.strength is not None
    return FileRecipe(
        command=slash_command("sketch" if from_sketch else "imagine", named),
        from_sketch=from_sketch,
        more=tuple(more),
        form=Form(prompt=prompt, negative=negative, strength=strength, flags=flags),
    )


def _understood(said: Parameters, model: ModelInfo) -> dict[Option, str]:
    values = {}
    if said.steps is not None and said.steps <= options.MOST_STEPS:
        values[options.STEPS] = str(said.steps)
    if said.seed is not None:
        values[options.SEED] = str(said.seed)
    if said.guidance is not None:
        values[options.GUIDANCE] = f"{said.guidance:g}"
    if said.sampler is not None and said.sampler in model.samplers:
        values[options.SAMPLER] = str(said.sampler)
    return values


def _model(said: Parameters, models: Sequence[ModelInfo]) -> ModelInfo | None:
    """Ours of that name; most files name one that is only on the machine where they were made."""
    if not said.model:
        return None
    try:
        return remix.choose_model(models, said.model)
    except BadOption:
        return None
