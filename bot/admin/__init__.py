"""`moonsketch admin`: the host's say across all servers, in a running bot or on its database.

Heavy imports happen inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

from typing import Annotated

import typer

from bot.terminal import settings_or_stop, stop_with

app = typer.Typer(
    help="The host's say across all servers: ceilings, weights, bans, draining, the log.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

_TAKES_MINUS = {"ignore_unknown_options": True}
"""-1 is a wrong value and not an option."""

_Server = Annotated[str, typer.Argument(help="The server's id, or dm for direct messages.")]


@app.command()
def ceilings() -> None:
    """Show every rule that servers can set, with its default and your ceiling."""
    from bot.admin.commands import ceilings as show

    stop_with(show(settings_or_stop()))


@app.command(context_settings=_TAKES_MINUS)
def ceiling(
    rule: Annotated[str, typer.Argument(help="As `admin ceilings` calls it.")],
    value: Annotated[
        str, typer.Argument(help="How far any server may go, typed as for /limits set; none: no ceiling.")
    ],
) -> None:
    """Set how far servers may go with a rule. It holds at once, also where a server has set more."""
    from bot.admin.commands import ceiling as set_it

    stop_with(set_it(settings_or_stop(), rule, value))


@app.command()
def servers() -> None:
    """List the servers: who waits and runs, how much of the GPU each used, what is set."""
    from bot.admin.commands import servers as show

    stop_with(show(settings_or_stop()))


@app.command(context_settings=_TAKES_MINUS)
def weight(
    server: _Server, share: Annotated[str, typer.Argument(help="From 0.1 to 10; 1 is the usual.")]
) -> None:
    """Give a server a larger or smaller share of the GPU beside the others."""
    from bot.admin.commands import weight as set_it

    stop_with(set_it(settings_or_stop(), server, share))


@app.command(context_settings=_TAKES_MINUS)
def ban(
    server: _Server, reason: Annotated[str, typer.Option(help="The people of that server read it.")]
) -> None:
    """Draw nothing more for a server, and end what waits and runs there."""
    from bot.admin.commands import ban as set_it

    stop_with(set_it(settings_or_stop(), server, reason))


@app.command(context_settings=_TAKES_MINUS)
def unban(server: _Server) -> None:
    """Lift the ban on a server."""
    from bot.admin.commands import unban as set_it

    stop_with(set_it(settings_or_stop(), server))


@app.command()
def drain(
    wait: Annotated[bool, typer.Option("--wait", help="Return when nothing runs any more.")] = False,
) -> None:
    """Before an update: begin nothing new, finish what runs, keep what waits. A restart ends it."""
    from bot.admin.commands import drain as begin

    stop_with(begin(settings_or_stop(), wait=wait))


@app.command()
def undrain() -> None:
    """Go on after all."""
    from bot.admin.commands import undrain as end

    stop_with(end(settings_or_stop()))


@app.command()
def log(
    server: Annotated[str | None, typer.Option(help="Only of this server, by its id.")] = None,
    most: Annotated[int, typer.Option("--last", min=1, max=50, help="How many entries.")] = 20,
) -> None:
    """Show what moderators, the host and the bot's safety checks did lately."""
    from bot.admin.commands import log as show

    stop_with(show(settings_or_stop(), server, most))
