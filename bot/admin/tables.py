"""What the host reads, as plain lines that can be searched and piped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich.cells import cell_len

from bot import texts
from bot.host_questions import Ceiling, Server
from bot.store import AuditEntry


def ceilings(rules: Sequence[Ceiling]) -> Iterator[str]:
    rows = [(rule.rule, rule.default, rule.ceiling) for rule in rules]
    return _table(("rule", "default", "ceiling"), rows)


def servers(servers: Sequence[Server]) -> Iterator[str]:
    """Who used most comes first."""
    in_order = sorted(servers, key=lambda server: (-server.seconds_lately, server.guild_id))
    heads = ("id", "name", "weight", "waiting", "running", "GPU s today", "30 days", "paused", "banned")
    return _table(heads, list(map(_row, in_order)))


def log(entries: Sequence[AuditEntry]) -> Iterator[str]:
    """Newest first. Server 0: the host's own, and direct messages."""
    for entry in entries:
        at = datetime.fromtimestamp(entry.at, tz=UTC).astimezone()
        change = " → ".join(part for part in (entry.before, entry.after) if part)
        parts = (entry.subject, change, f"“{entry.reason}”" if entry.reason else "")
        said = "; ".join([entry.action, *filter(None, parts)])
        yield f"{at:%Y-%m-%d %H:%M:%S}  {entry.guild_id or 0}  {entry.actor_id or 'host or bot'}  {said}"


def _row(server: Server) -> tuple[str, ...]:
    return (
        str(server.guild_id) if server.guild_id else "dm",
        texts.unformatted(server.name or "", 30) if server.guild_id else "(direct messages)",
        f"{server.weight:g}",
        str(server.waiting),
        str(server.running),
        f"{server.seconds_today:.0f}",
        f"{server.seconds_lately:.0f}",
        *(
            texts.unformatted(why, 40) if why is not None else "no"
            for why in (server.paused_for, server.banned_for)
        ),
    )


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Columns as wide as their widest cell, in cells of a terminal: some characters take two."""
    widths = [max(map(cell_len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        cells = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
