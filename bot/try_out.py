"""`moonsketch try`: one sketch through the same checks, the same request and the same engine, into a file."""

from __future__ import annotations

import asyncio
import secrets
import sys
import time
from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import TaskID

from bot import images, remix, texts
from bot.engine_setup import build_engine
from bot.errors import Refusal
from bot.images import CleanPicture, Decoder
from bot.options import read_options
from bot.settings import Settings, SettingsWrong
from bot.store import Style
from bot.styles import built_in, settle
from inference import (
    MAX_SEED,
    Engine,
    EngineError,
    EngineState,
    EngineStatus,
    ImageRequest,
    PictureRef,
    Pixels,
    Progress,
    Restarted,
    SampleDone,
)

_INIT = PictureRef("sketch")


async def try_out(
    settings: Settings, sketch: Path, prompt: str, raw_options: Mapping[str, str], output: Path
) -> str | None:
    """Returns the sentence that says why there is no picture, None when there is one."""
    engine = None
    try:
        _check_writable(output)
        engine = build_engine(settings)
        picture = await _read(sketch)
        options, style = settle(read_options(raw_options), built_in())
        request = remix.from_sketch(
            engine.models(),
            remix.Source(file=_INIT, size=picture.size),
            prompt,
            options,
            secrets.randbelow(MAX_SEED + 1),
        )
        await _draw(engine, request, style, picture, output)
    except (Refusal, EngineError) as error:
        return texts.for_terminal(str(error))
    except SettingsWrong as error:
        return str(error)
    finally:
        if engine is not None:
            await engine.close()
    return None


def _check_writable(output: Path) -> None:
    """Before anything is drawn. Raises Refusal."""
    if not output.resolve().parent.is_dir():
        raise Refusal(f"{output}: there is no folder {output.resolve().parent}.")
    if output.is_dir():
        raise Refusal(f"{output} is a folder; name a file in it.")


async def _read(sketch: Path) -> CleanPicture:
    try:
        data = await asyncio.to_thread(sketch.read_bytes)
    except OSError as error:
        raise Refusal(f"{sketch}: {error.strerror}.") from None
    decoder = Decoder()
    try:
        return await decoder.clean(data)
    finally:
        await decoder.close()


async def _draw(
    engine: Engine, request: ImageRequest, style: Style | None, picture: CleanPicture, output: Path
) -> None:
    blobs = {_INIT: await images.read_pixels(picture.png)}
    began = time.monotonic()
    with Bar(console=Console(file=sys.stderr)) as bar:
        await _ready(engine, bar)
        began = time.monotonic()
        to_draw = style.round(request) if style else request
        async with aclosing(engine.generate(to_draw, blobs)) as events:
            tasks = [bar.add_task("drawing", total=request.planned_steps) for _ in request.seeds]
            async for event in events:
                match event:
                    case Progress():
                        bar.update(tasks[event.sample], completed=event.step)
                    case Restarted():
                        _start_over(bar, tasks)
                    case SampleDone():
                        await _write(_path(output, event.sample, len(request.seeds)), event.pixels)
    model = next(model for model in engine.models() if model.name == request.model)
    typer.echo(texts.what_was_done(request, picture.original, time.monotonic() - began))
    for note in (*picture.notes, *texts.made_with(model, request.prompt)):
        typer.echo(texts.for_terminal(note))


async def _ready(engine: Engine, bar: Bar) -> None:
    """Start the engine and wait until it takes work. Raises Refusal if it cannot be set up."""
    changed = asyncio.Event()
    engine.watch(lambda _status: changed.set())
    task = bar.add_task("starting the engine", total=None)
    await engine.start()
    while not engine.status.state.takes_work:
        changed.clear()
        bar.update(task, description=_starting(engine.status))
        await changed.wait()
    bar.remove_task(task)


def _starting(status: EngineStatus) -> str:
    if status.state is EngineState.SETUP_FAILED:
        raise Refusal(status.detail)
    return f"starting the engine {status.detail}".strip()


def _start_over(bar: Bar, tasks: list[TaskID]) -> None:
    for task in tasks:
        bar.update(task, completed=0)


def _path(output: Path, sample: int, samples: int) -> Path:
    """out.png for a single picture; out-1.png, out-2.png … for several."""
    return output if samples == 1 else output.with_stem(f"{output.stem}-{sample + 1}")


async def _write(path: Path, pixels: Pixels) -> None:
    png = await images.encode_png(pixels)
    try:
        await asyncio.to_thread(path.write_bytes, png)
    except OSError as error:
        raise Refusal(f"{path}: {error.strerror}.") from None
