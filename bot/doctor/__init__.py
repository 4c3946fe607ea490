"""`moonsketch doctor`: looks at everything that a bot needs and says of each what is so, and what to do about it.

It changes nothing, and it may be used while the bot runs: what only the bot may open, the bot is asked about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import typer
from rich.console import Console

from bot import logs
from bot.doctor.discord_side import look_at_discord
from bot.doctor.engine_side import look_at_engine
from bot.doctor.findings import Finding, Level
from bot.doctor.folders import look_at_folders
from bot.doctor.running import find_running
from bot.settings import LogLevel, Settings

_COLOURS = {Level.OK: typer.colors.GREEN, Level.NOTE: typer.colors.YELLOW, Level.MEND: typer.colors.RED}


def main(settings: Settings) -> str | None:
    """Print every finding. Returns the sentence that says how much must be mended, None when nothing must."""
    logs.configure(LogLevel.ERROR)
    with Console(stderr=True).status("Looking at everything; torch takes a while …"):  # only in a terminal
        findings = asyncio.run(examine(settings))
    for finding in findings:
        _show(finding)
    count = sum(finding.level is Level.MEND for finding in findings)
    if count:
        return "One thing must be mended." if count == 1 else f"{count} things must be mended."
    typer.echo("Nothing must be mended.")
    return None


async def examine(settings: Settings, env_file: Path = Path(".env")) -> Sequence[Finding]:
    """In the order in which a newcomer would mend them."""
    async with find_running(settings.data) as running:
        parts = await asyncio.gather(
            look_at_discord(settings, env_file),
            look_at_folders(settings, running),
            look_at_engine(settings, running),
        )
    return [finding for part in parts for finding in part]


def _show(finding: Finding) -> None:
    """Plain lines, which can be searched and piped; colours only where somebody looks on."""
    mark = typer.style(f"{finding.level:<5}", fg=_COLOURS[finding.level], bold=finding.level is Level.MEND)
    typer.echo(f"{mark} {finding.topic:<9} {finding.sentence}")
    for line in finding.advice.splitlines():
        typer.echo(f"{'':15} → {line}")
