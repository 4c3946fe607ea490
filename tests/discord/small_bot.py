"""The smallest bot that does what the fake Discord has to offer; it stands in for the real one in its tests.

It keeps one line per picture in a folder: what it means to post, before it posts it. On start it posts again what
is there, with the same nonce, as a bot does that cannot know whether its last words were heard.
"""

from __future__ import annotations

import io
import json
import logging
import os
import re
from pathlib import Path

import discord
from discord import app_commands, ui

logging.basicConfig(level=logging.INFO)

Cards = discord.TextChannel | discord.Thread | discord.DMChannel


class Again(ui.DynamicItem[ui.Button[ui.LayoutView]], template=r"small:again:(?P<job>\d+)"):
    def __init__(self, job: int) -> None:
        super().__init__(ui.Button(label="Again", custom_id=f"small:again:{job}"))
        self.job = job

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction,  # noqa: ARG003 - discord.py's signature
        item: ui.Item[ui.LayoutView],  # noqa: ARG003 - discord.py's signature
        match: re.Match[str],
        /,
    ) -> Again:
        return cls(int(match["job"]))

    async def callback(self, interaction: discord.Interaction) -> None:
        await interaction.response.defer()
        assert interaction.message is not None
        before = interaction.message.attachments[0]
        picture = discord.File(io.BytesIO(await before.read() + b" again"), "second.bin")
        await interaction.message.edit(view=card(self.job, "once more", "second.bin"), attachments=[picture])


def card(job: int, words: str, filename: str) -> ui.LayoutView:
    view = ui.LayoutView(timeout=None)
    picture = discord.MediaGalleryItem(f"attachment://{filename}", description=words)
    view.add_item(ui.Container(ui.TextDisplay(words), ui.MediaGallery(picture), ui.ActionRow(Again(job))))
    return view


class SmallBot(discord.AutoShardedClient):
    def __init__(self, folder: Path) -> None:
        intents = discord.Intents(guilds=True, guild_messages=True, dm_messages=True)
        super().__init__(intents=intents, shard_count=1, allowed_mentions=discord.AllowedMentions.none())
        self.folder = folder
        self.tree = app_commands.CommandTree(self)
        self.tree.command(description="Make a picture of a sketch")(self.sketch)
        self.tree.error(self.apologise)
        self.add_dynamic_items(Again)

    async def setup_hook(self) -> None:
        await self.tree.sync()
        for note in sorted(self.folder.glob("*.json")):
            await self.post(int(note.stem))

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Several shards have to wait for each other, five seconds by default; this one is alone."""

    async def sketch(self, interaction: discord.Interaction, image: discord.Attachment, prompt: str) -> None:
        await interaction.response.defer(ephemeral=True)
        place = interaction.channel
        if isinstance(place, discord.TextChannel):
            place = await place.create_thread(name=prompt[:100], type=discord.ChannelType.public_thread)
            await place.add_user(interaction.user)
        assert isinstance(place, Cards)
        job = len(list(self.folder.iterdir())) + 1
        note = {"channel": place.id, "words": prompt, "file": (await image.read()).decode()}
        (self.folder / f"{job}.json").write_text(json.dumps(note))
        await self.post(job)
        await interaction.edit_original_response(content=f"Done in <#{place.id}>")

    async def apologise(self, interaction: discord.Interaction, error: app_commands.AppCommandError) -> None:
        await interaction.edit_original_response(content=f"It did not work: {type(error.__cause__).__name__}")

    async def post(self, job: int) -> None:
        """Post what is meant to be posted, and then note that it was."""
        path = self.folder / f"{job}.json"
        note = json.loads(path.read_text())
        picture = discord.File(io.BytesIO(note["file"].encode()), "first.bin", description="first")
        place = self.get_partial_messageable(note["channel"])
        await place.send(view=card(job, note["words"], "first.bin"), file=picture, nonce=f"{job}:card:0")
        path.rename(path.with_suffix(".posted"))

    async def on_message(self, message: discord.Message) -> None:
        if message.author == self.user or message.reference is None:
            return
        sizes = [len(await each.read()) for each in message.attachments]
        await message.reply(
            f"read {message.content!r} and {sizes}" if message.content else "the ping was off"
        )


def main() -> None:
    bot = SmallBot(Path(os.environ["SMALL_BOT_FOLDER"]))
    bot.run(os.environ["SMALL_BOT_TOKEN"], log_handler=None)


def fail() -> None:
    """A bot that does not even start."""
    raise SystemExit("no token was given")
