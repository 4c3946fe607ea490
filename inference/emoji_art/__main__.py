"""Trains the built-in model, and measures it: `python -m inference.emoji_art art|train|evaluate|publish`.

`docs/training.md` tells the whole way.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import torch
import typer

from inference.emoji_art import autoencoder, carry, denoiser, folder, latents, text
from inference.emoji_art import evaluate as evaluation
from inference.emoji_art import publish as publishing
from inference.emoji_art.art import fetch, load_sprites, make_sprites
from inference.emoji_art.concepts import Concept, read_concepts, read_held_out
from inference.emoji_art.model_card import Origin
from inference.emoji_art.recipe import RECIPES, Recipe
from inference.emoji_art.training import Run, TimeIsUp
from inference.emoji_art.world import World

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)

MODEL = "model"
"""Of a training's folder: the model as it is now."""

EVALUATED = "evaluation"
"""Of a training's folder: what the evaluation found."""

BUILT_IN_FOLDER = Path(__file__).parents[1] / "builtin_model"

UNFINISHED = 3
"""Exit status of a training that has used its minutes: the same command goes on."""

_SPRITES = typer.Option(help="The packed art, as `art` makes it.")


def recipe_of(name: str, denoiser_steps: int | None) -> Recipe:
    recipe = RECIPES[name]
    if denoiser_steps is None:
        return recipe
    return dataclasses.replace(recipe, denoiser=dataclasses.replace(recipe.denoiser, steps=denoiser_steps))


def concepts_of(recipe: Recipe) -> tuple[Concept, ...]:
    return tuple(concept for concept in read_concepts() if concept.core or not recipe.core_only)


def learn(run: Run, world: World) -> None:
    """All stages, from wherever the folder stands, and then the model as a folder. Raises TimeIsUp."""
    vae = autoencoder.train(run, world)
    latents.make(run, world, vae)
    tokenizer, encoder = text.train(run, world)
    unet = denoiser.fresh(run)
    try:
        denoiser.train(run, tokenizer, unet, encoder)
    finally:  # also what is not finished is there to be looked at, and to be carried
        tokens = run.folder / text.TOKENIZER
        folder.write(run.folder / MODEL, vae=vae, unet=unet, text_encoder=encoder, tokenizer=tokens)
        carry.note_step(run.folder / MODEL, run.steps_done(denoiser.STAGE))


@app.command()
def art(
    sprites: Annotated[Path, _SPRITES] = Path("data/emoji/sprites.zip"),
    downloads: Annotated[Path, typer.Option(help="Where the packages are kept.")] = Path(
        "data/emoji/packages"
    ),
    registry: Annotated[str | None, typer.Option(help="The npm registry, if not the usual one.")] = None,
) -> None:
    """Fetch the art (pinned npm packages) and pack it."""
    fetch(downloads, registry, tell=typer.echo)
    make_sprites(downloads, sprites)


@app.command()
def train(
    to: Annotated[Path, typer.Argument(help="The folder of this training; it goes on from what is there.")],
    recipe: Annotated[str, typer.Option(help=" | ".join(RECIPES))] = "small",
    sprites: Annotated[Path, _SPRITES] = Path("data/emoji/sprites.zip"),
    minutes: Annotated[float, typer.Option(help="Stop after so long, with everything saved.")] = float("inf"),
    device: Annotated[str, typer.Option()] = "cuda" if torch.cuda.is_available() else "cpu",
    threads: Annotated[int, typer.Option(help="Of the CPU.")] = 1,
    denoiser_steps: Annotated[int | None, typer.Option(help="Other than the recipe says.")] = None,
    carried: Annotated[
        Path | None, typer.Option(help="Files of `pack`, to start from where they stood.")
    ] = None,
) -> None:
    """Train every stage in turn. Exit status 3: the minutes are used, call again to go on."""
    torch.set_num_threads(threads)
    chosen = recipe_of(recipe, denoiser_steps)
    run = Run(to, chosen, torch.device(device), minutes=minutes, say=typer.echo)
    world = World(load_sprites(sprites, concepts_of(chosen)), read_held_out(), run.device)
    if carried is not None and not (to / MODEL).exists():
        carry.unpack(carried, to / MODEL)
        carry.take_up(run, to / MODEL)
    try:
        learn(run, world)
    except TimeIsUp:
        raise typer.Exit(UNFINISHED) from None


@app.command()
def pack(
    training: Annotated[Path, typer.Argument(help="The folder of a training.")],
    to: Annotated[Path, typer.Argument(help="Where to put the files.")],
) -> None:
    """The training's model as it is now, in six files of at most 15 MB, for another machine's `train --carried`."""
    for path in carry.pack(training / MODEL, to):
        typer.echo(f"{path}  {path.stat().st_size}")


@app.command()
def evaluate(
    training: Annotated[Path, typer.Argument(help="The folder of a training.")],
    recipe: Annotated[str, typer.Option(help=" | ".join(RECIPES))] = "small",
    sprites: Annotated[Path, _SPRITES] = Path("data/emoji/sprites.zip"),
    threads: Annotated[int, typer.Option(help="Of the CPU.")] = 1,
) -> None:
    """Measure the training's model against the gates. Exit status 1: a gate is not met."""
    torch.set_num_threads(threads)
    found = evaluation.evaluate(
        training / MODEL,
        sprites,
        training / EVALUATED,
        concepts=concepts_of(RECIPES[recipe]),
        tell=typer.echo,
    )
    if not all(check.passed for check in found.checks):
        raise typer.Exit(1)


@app.command()
def publish(
    training: Annotated[Path, typer.Argument(help="The folder of a training that was evaluated.")],
    hardware: Annotated[str, typer.Option(help="What it was trained on, in words for the model card.")],
    commit: Annotated[str, typer.Option(help="Of this repository, when it was trained.")],
    recipe: Annotated[str, typer.Option(help=" | ".join(RECIPES))] = "small",
    to: Annotated[Path, typer.Option(help="The folder to replace.")] = BUILT_IN_FOLDER,
) -> None:
    """Make the training's model the built-in one, with its model card."""
    card = publishing.publish(
        training / MODEL,
        to,
        evaluated=training / EVALUATED,
        log=training / "log.jsonl",
        origin=Origin(
            recipe=RECIPES[recipe],
            commit=commit,
            hardware=hardware,
            commands=(f"python -m inference.emoji_art train data/emoji/{recipe} --recipe {recipe}",),
        ),
        concepts=concepts_of(RECIPES[recipe]),
    )
    typer.echo(card)


if __name__ == "__main__":
    app()
