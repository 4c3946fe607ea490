"""/about: which Moonsketch this is, what draws, what is kept and where its source is."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

import discord
import msgspec
from discord import app_commands, ui

from bot import texts
from bot.version import version

if TYPE_CHECKING:
    from bot.client import ArtBot

MOST_MODELS = 10

_URLS_OF_SOURCE = ("source", "source code", "repository", "homepage")
"""How a project's metadata may call the address of its source, the plainest first."""


class Origin(msgspec.Struct, frozen=True):
    """Where this program comes from; what its metadata does not tell is empty."""

    licence: str = ""
    url: str = ""


@app_commands.command(description="Which version I am, what draws, and what I keep")
async def about(interaction: discord.Interaction[ArtBot]) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    await interaction.edit_original_response(view=about_view(interaction.client, origin()))


def about_view(bot: ArtBot, came_from: Origin) -> ui.LayoutView:
    models = bot.engine.models()
    parts = [
        texts.about_version(version(), round(bot.began)),
        texts.about_engine(bot.engine.status),
        texts.about_models(models[:MOST_MODELS], len(models)),
        texts.about_checks(bot.engine.checks),
        texts.WHAT_IS_KEPT,
        texts.about_source(came_from.licence, came_from.url),
    ]
    view = ui.LayoutView(timeout=None)
    view.add_item(ui.TextDisplay("\n".join(part for part in parts if part)))
    return view


def origin(distribution: str = "moonsketch") -> Origin:
    """What the installed project's metadata says of its licence and source; nothing for one that is not installed."""
    try:
        told = metadata.metadata(distribution)
    except metadata.PackageNotFoundError:
        return Origin()
    pairs = (entry.partition(",") for entry in told.get_all("Project-URL") or [])
    urls = {label.strip().lower(): url.strip() for label, _, url in pairs}
    url = next((urls[label] for label in _URLS_OF_SOURCE if label in urls), "")
    return Origin(licence=next(iter(told.get_all("License-Expression") or ()), ""), url=url)
