"""/usage: moderators see how much of the engine's time their server uses, and who."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING

import discord
from discord import app_commands, ui

from bot import texts
from bot.charts import UsageChart, draw_usage
from bot.delivery import NOBODY
from bot.errors import NotAllowed
from bot.names import names_for
from bot.store.usages import DAY_SECONDS
from bot.usage import MOST_DAYS, Sum, Usage, chart_of, usage_of

if TYPE_CHECKING:
    from bot.client import ArtBot

MOST_SHOWN = 10

_FILE = "usage.png"


@app_commands.command(description="Show who used how much of my time in this server, day by day")
@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
@app_commands.describe(days=texts.USAGE_DAYS_HELP)
async def usage(
    interaction: discord.Interaction[ArtBot], days: app_commands.Range[int, 1, MOST_DAYS] = MOST_DAYS
) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    if interaction.guild_id is None:
        raise NotAllowed(texts.ONLY_IN_SERVERS)
    bot = interaction.client
    today = int(bot.now() // DAY_SECONDS)
    used = await bot.store.usages.since(interaction.guild_id, today - days + 1)
    if not used:
        await interaction.edit_original_response(content=texts.nothing_used(days))
        return
    summed_up = usage_of(used, today, days)
    chart = chart_of(summed_up, await names_for(interaction, list(summed_up.people)[:MOST_SHOWN]))
    png = await asyncio.to_thread(draw_usage, chart)
    await interaction.edit_original_response(
        view=_view(summed_up, chart),
        attachments=[discord.File(io.BytesIO(png), _FILE)],
        allowed_mentions=NOBODY,
    )


def _view(usage: Usage, chart: UsageChart) -> ui.LayoutView:
    view = ui.LayoutView(timeout=None)
    lines = [
        texts.usage_title(usage.days, _used(usage.total), _used(usage.today)),
        *(
            texts.usage_entry(number, person, _used(used))
            for number, (person, used) in enumerate(list(usage.people.items())[:MOST_SHOWN], start=1)
        ),
    ]
    if len(usage.people) > MOST_SHOWN:
        lines.append(texts.and_more_people(len(usage.people) - MOST_SHOWN))
    view.add_item(ui.TextDisplay("\n".join(lines)))
    described = texts.usage_alt_text(usage.days, chart)
    view.add_item(ui.MediaGallery(discord.MediaGalleryItem(f"attachment://{_FILE}", description=described)))
    return view


def _used(used: Sum) -> str:
    return texts.used(used.jobs, used.gpu_seconds, used.mean_wait)
