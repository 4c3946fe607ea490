"""The Scene so far, as a picture of its tree with a select to go back to one."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Self

import discord
from discord import ui

from bot import texts
from bot.answers import answering
from bot.asker import Asker
from bot.blocks import Guarded
from bot.components.choices import chosen_in, number_in
from bot.custom_ids import HISTORY_TEMPLATE, history_id
from bot.delivery import NOBODY, REFUSALS, files_on
from bot.errors import Gone
from bot.store import Picture, Scene, Shown

if TYPE_CHECKING:
    from bot.client import ArtBot

PAGE = 23
"""A select holds 25: these, and where there are more of them a way to older and one to newer ones."""

_TREE_FILE = "scene.webp"
_TO_PAGE = "page-"
_MOST_NAMED = 8


class HistorySelect(Guarded, ui.DynamicItem[ui.Select[Any]], template=HISTORY_TEMPLATE):
    """Its options are only needed to draw it; what was chosen comes with the interaction.

    entries: every living picture of the Scene, oldest first. page: 0 has the newest.
    """

    def __init__(
        self, scene_id: int, page: int = 0, entries: Sequence[Shown] = (), current: int | None = None
    ) -> None:
        self.scene_id = scene_id
        options = list(_options(entries, page, current))
        super().__init__(
            ui.Select(
                custom_id=history_id(scene_id, page), placeholder=texts.HISTORY_PLACEHOLDER, options=options
            )
        )

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's signature
        item: ui.Item[Any],  # noqa: ARG003
        match: re.Match[str],
    ) -> Self:
        return cls(int(match["scene"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answering(interaction):
            chosen = chosen_in(interaction)
            if chosen.startswith(_TO_PAGE):
                await _turn_page(interaction, self.scene_id, number_in(chosen.removeprefix(_TO_PAGE)))
                return
            await interaction.response.defer(ephemeral=True, thinking=True)
            message = await _show_picture(interaction, self.scene_id, number_in(chosen))
            await interaction.edit_original_response(content=message)


async def show_history(interaction: discord.Interaction[ArtBot], scene: Scene) -> None:
    """Answer privately with the tree and the select."""
    bot = interaction.client
    entries = await bot.store.history(scene.id)
    living = _living(entries)
    if not living:
        sentence = texts.ALL_DELETED if entries else texts.NO_PICTURES_YET
        await interaction.edit_original_response(content=sentence)
        return
    current = await bot.store.current_picture(scene.id, interaction.user.id)
    names = await _names(interaction, dict.fromkeys(shown.picture.author_id for shown in entries))
    tree = await bot.chronicle.tree(entries, current.id if current else None, names)
    await interaction.followup.send(
        view=_view(scene, living, current, 0), file=discord.File(io.BytesIO(tree), _TREE_FILE), ephemeral=True
    )


async def _turn_page(interaction: discord.Interaction[ArtBot], scene_id: int, page: int) -> None:
    """Other choices below the same tree; the oldest where so many were deleted that there is no such page any more."""
    store = interaction.client.store
    living = _living(await store.history(scene_id))
    if not living:
        raise Gone(texts.ALL_DELETED)
    page = min(page, (len(living) - 1) // PAGE)
    current = await store.current_picture(scene_id, interaction.user.id)
    assert interaction.message is not None  # a select hangs on a message
    kept = [file.as_attachment for file in files_on(interaction.message)]
    await interaction.response.edit_message(
        view=_view(await store.scene(scene_id), living, current, page),
        attachments=kept,
        allowed_mentions=NOBODY,
    )


async def _show_picture(interaction: discord.Interaction[ArtBot], scene_id: int, picture_id: int) -> str:
    """Go back to a picture and post it as a message that can be replied to; returns where it is."""
    bot, person_id = interaction.client, interaction.user.id
    who = Asker.of(interaction)
    await bot.safeguard.check_shown(who, await bot.reach.within(who, picture_id))
    picture = await bot.doors.go_back(scene_id, picture_id, person_id)
    message = await bot.showing.show(picture, texts.back_to(picture.number, person_id))
    is_here = message.channel.id == interaction.channel_id
    return texts.went_back(picture.number, None if is_here else message.jump_url)


def _living(entries: Iterable[Shown]) -> list[Shown]:
    return [shown for shown in entries if not shown.picture.deleted]


async def _names(interaction: discord.Interaction[ArtBot], people: Iterable[int]) -> dict[int, str]:
    """As this server calls them. Asked for now, to be drawn: names are neither stored nor logged.

    Without the members intent Discord tells of nobody by itself, and one by one takes a while: so only of some.
    """
    known = {interaction.user.id: interaction.user.display_name}
    server = interaction.guild
    if server is None:
        return known
    for person_id in [person for person in people if person not in known][:_MOST_NAMED]:
        with contextlib.suppress(*REFUSALS):  # who left is somebody
            member = server.get_member(person_id) or await server.fetch_member(person_id)
            known[person_id] = member.display_name
    return known


def _options(entries: Sequence[Shown], page: int, current: int | None) -> Iterable[discord.SelectOption]:
    newest_first = list(reversed(entries))
    if page > 0:
        yield discord.SelectOption(label=texts.HISTORY_NEWER, value=f"{_TO_PAGE}{page - 1}")
    for shown in newest_first[page * PAGE : (page + 1) * PAGE]:
        yield discord.SelectOption(
            label=texts.history_label(shown),
            description=texts.history_description(shown, is_current=shown.picture.id == current),
            value=str(shown.picture.id),
        )
    if len(newest_first) > (page + 1) * PAGE:
        yield discord.SelectOption(label=texts.HISTORY_OLDER, value=f"{_TO_PAGE}{page + 1}")


def _view(scene: Scene, living: Sequence[Shown], current: Picture | None, page: int) -> ui.LayoutView:
    view = ui.LayoutView(timeout=None)
    view.add_item(ui.TextDisplay(texts.history_title(scene.title, len(living))))
    numbers = [shown.picture.number for shown in living]
    described = texts.history_alt_text(current.number if current else None, numbers)
    tree = discord.MediaGalleryItem(f"attachment://{_TREE_FILE}", description=described)
    view.add_item(ui.MediaGallery(tree))
    view.add_item(ui.ActionRow(HistorySelect(scene.id, page, living, current.id if current else None)))
    return view
