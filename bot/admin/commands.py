"""What each command of `moonsketch admin` does. Each returns the sentence that says why it could not, else None."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Concatenate, ParamSpec

import typer

from bot import texts
from bot.admin import tables
from bot.admin.asking import NoBot, Stuck, ask
from bot.errors import BadOption
from bot.host import NO_CEILING, read_reason, read_server, read_weight
from bot.host_questions import (
    AskCeilings,
    AskDraining,
    AskLog,
    AskServers,
    Ban,
    Ceilings,
    Done,
    Drain,
    Draining,
    HostQuestion,
    LatestLog,
    Server,
    Servers,
    SetCeiling,
    SetWeight,
    Unban,
    Undrain,
)
from bot.settings import Settings

_LOOK_AGAIN_SECONDS = 0.5

_P = ParamSpec("_P")


def _command(
    body: Callable[Concatenate[Settings, _P], Awaitable[None]],
) -> Callable[Concatenate[Settings, _P], str | None]:
    def run(settings: Settings, /, *args: _P.args, **kwargs: _P.kwargs) -> str | None:
        async def carry_out() -> None:
            await body(settings, *args, **kwargs)

        try:
            asyncio.run(carry_out())
        except BadOption as error:
            return texts.for_terminal(str(error))
        except Stuck as error:
            return str(error)
        return None

    return run


@_command
async def ceilings(settings: Settings) -> None:
    _print(tables.ceilings((await ask(settings.data, AskCeilings(), Ceilings)).rules))


@_command
async def ceiling(settings: Settings, rule: str, value: str) -> None:
    words = None if value.strip().lower() == NO_CEILING else value
    await _change(settings, SetCeiling(rule=rule, value=words))


@_command
async def servers(settings: Settings) -> None:
    found: list[Server] = []
    more = True
    while more:
        after = found[-1].guild_id if found else -1
        answer = await ask(settings.data, AskServers(after=after), Servers)
        found += answer.servers
        more = answer.more
    _print(tables.servers(found))


@_command
async def weight(settings: Settings, server: str, share: str) -> None:
    await _change(settings, SetWeight(server=read_server(server), weight=read_weight(share)))


@_command
async def ban(settings: Settings, server: str, reason: str) -> None:
    await _change(settings, Ban(server=read_server(server), reason=read_reason(reason)))


@_command
async def unban(settings: Settings, server: str) -> None:
    await _change(settings, Unban(server=read_server(server)))


@_command
async def drain(settings: Settings, *, wait: bool) -> None:
    if wait and (await ask(settings.data, AskDraining(), Draining)).draining:
        typer.echo(texts.DRAINING_ALREADY)
    else:
        now = await ask(settings.data, Drain(), Draining)
        typer.echo(texts.drains_now(now.running, now.waiting))
    if wait:
        await _until_nothing_runs(settings)


async def _until_nothing_runs(settings: Settings) -> None:
    while True:
        try:
            now = await ask(settings.data, AskDraining(), Draining)
        except NoBot:
            raise Stuck(texts.BOT_ENDED_MEANWHILE) from None
        if not now.draining:
            raise Stuck(texts.DRAINING_ENDED)
        if not now.running:
            typer.echo(texts.DRAINED)
            return
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)


@_command
async def undrain(settings: Settings) -> None:
    await _change(settings, Undrain())


@_command
async def log(settings: Settings, server: str | None, most: int) -> None:
    server_id = read_server(server) if server is not None else None
    answer = await ask(settings.data, AskLog(server=server_id, most=most), LatestLog)
    _print(tables.log(answer.entries) if answer.entries else [texts.NO_ENTRIES])


async def _change(settings: Settings, question: HostQuestion) -> None:
    typer.echo((await ask(settings.data, question, Done)).sentence)


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)
