"""The command line: `python -m bot run | status | doctor | admin | playground | try | bench`, or `moonsketch …`.

Heavy imports happen inside the commands, so that `--help` and mistakes in the settings answer at once.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from bot import admin
from bot.permissions import NAMES
from bot.terminal import settings_or_stop, stop, stop_with

app = typer.Typer(
    help="Moonsketch: crude sketches become pictures, round by round.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(admin.app, name="admin")

NO_TOKEN = f"""\
There is no bot token yet. To get one:
  1. Open https://discord.com/developers/applications and make an application.
  2. Under "Bot", press "Reset Token" and put it into .env as MOONSKETCH_TOKEN=…
  3. moonsketch doctor then shows the link that invites the bot, with exactly the permissions that it needs:
     {", ".join(NAMES.values())}.
To try everything first without an account: moonsketch playground"""


@app.command()
def run() -> None:
    """Run the bot on Discord."""
    settings = settings_or_stop()
    if settings.token is None:
        stop(NO_TOKEN)
    from bot.run import run_bot

    stop_with(run_bot(settings))


@app.command()
def status() -> None:
    """Ask the running bot how it is: the line, the engine, what went wrong lately."""
    from bot.status import main as show

    stop_with(show(settings_or_stop()))


@app.command()
def doctor() -> None:
    """Look at everything that the bot needs, and say what to do about what is missing or wrong."""
    from bot.doctor import main as examine

    stop_with(examine(settings_or_stop()))


@app.command()
def playground(
    port: Annotated[int, typer.Option(help="Port of the page; 0 takes a free one.")] = 0,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
) -> None:
    """Try the real bot and worker in a simulated Discord, in your browser. No account needed."""
    settings = settings_or_stop()
    from bot.playground import main as play

    stop_with(play(settings, port=port, open_browser=browser))


@app.command("try")
def try_(
    sketch: Annotated[Path, typer.Argument(help="A PNG, JPEG or WEBP file.")],
    prompt: Annotated[str, typer.Argument(help="In a few words: what it should become.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where the picture goes.")] = Path("out.png"),
    strength: Annotated[str | None, typer.Option(help="Above 0, at most 1.")] = None,
    steps: Annotated[str | None, typer.Option(help="Rounds of polish.")] = None,
    seed: Annotated[str | None, typer.Option(help="Same seed, same picture.")] = None,
    guidance: Annotated[str | None, typer.Option(help="How literally the prompt is taken.")] = None,
    negative: Annotated[str | None, typer.Option("--no", help="What should not be in it.")] = None,
    candidates: Annotated[str | None, typer.Option("--n", help="How many pictures.")] = None,
    sampler: Annotated[str | None, typer.Option(help="How noise is taken away.")] = None,
    model: Annotated[str | None, typer.Option(help="Which model draws.")] = None,
    style: Annotated[str | None, typer.Option(help="In which style, for instance crayon.")] = None,
) -> None:
    """Draw one sketch on the command line: the same steps as in Discord, written to a file."""
    settings = settings_or_stop()
    raw = {
        "strength": strength,
        "steps": steps,
        "seed": seed,
        "guidance": guidance,
        "negative": negative,
        "candidates": candidates or "1",
        "sampler": sampler,
        "model": model,
        "style": style,
    }
    given = {name: value for name, value in raw.items() if value is not None}
    from bot.try_out import try_out

    stop_with(asyncio.run(try_out(settings, sketch, prompt, given, output)))


@app.command()
def bench(
    json_to: Annotated[Path | None, typer.Option("--json", help="Also write the figures there.")] = None,
) -> None:
    """Measure the bot beside a busy worker: start, memory, answers, stalls."""
    settings = settings_or_stop()
    from bot.bench import main as measure

    stop_with(measure(settings, json_to))


def main() -> None:
    app()


if __name__ == "__main__":
    main()
