"""Choosing a piece to place: the sheet under /pieces, and the button below a piece."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self, cast

import discord
from discord import ui

from bot import texts
from bot.answers import answering
from bot.asker import Asker
from bot.blocks import Guarded
from bot.components.choices import chosen_in, number_in
from bot.custom_ids import PIECES_TEMPLATE, PLACE_TEMPLATE, pieces_id, place_id
from bot.store import OwnedPiece

if TYPE_CHECKING:
    from bot.client import ArtBot

_SHEET_FILE = "pieces.webp"


class PlaceButton(Guarded, ui.DynamicItem[ui.Button[Any]], template=PLACE_TEMPLATE):
    def __init__(self, picture_id: int) -> None:
        super().__init__(ui.Button(label=texts.PLACE_BUTTON, custom_id=place_id(picture_id)))
        self.picture_id = picture_id

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's signature
        item: ui.Item[Any],  # noqa: ARG003
        match: re.Match[str],
    ) -> Self:
        return cls(int(match["picture"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answering(interaction):
            await interaction.response.defer(ephemeral=True, thinking=True)
            await begin_placing(cast("discord.Interaction[ArtBot]", interaction), self.picture_id)


class PieceSelect(Guarded, ui.DynamicItem[ui.Select[Any]], template=PIECES_TEMPLATE):
    """Its options are only needed to draw it; which piece was chosen comes with the interaction."""

    def __init__(self, pieces: Sequence[OwnedPiece] = (), here: int | None = None) -> None:
        options = [_option(position, owned, here) for position, owned in enumerate(pieces, start=1)]
        super().__init__(
            ui.Select(custom_id=pieces_id(), placeholder=texts.PIECES_PLACEHOLDER, options=options)
        )

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's signature
        item: ui.Item[Any],  # noqa: ARG003
        match: re.Match[str],  # noqa: ARG003
    ) -> Self:
        return cls()

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answering(interaction):
            await interaction.response.defer(ephemeral=True, thinking=True)
            chosen = number_in(chosen_in(interaction))
            await begin_placing(cast("discord.Interaction[ArtBot]", interaction), chosen)


async def begin_placing(interaction: discord.Interaction[ArtBot], picture_id: int) -> None:
    """Lay that picture over the presser's current one, and say where, in the answer that was deferred."""
    sentence = await interaction.client.placing.place_picture(Asker.of(interaction), picture_id)
    await interaction.edit_original_response(content=sentence)


async def show_pieces(interaction: discord.Interaction[ArtBot]) -> None:
    """Answer privately with the sheet and the select."""
    bot, asker = interaction.client, Asker.of(interaction)
    owned = await bot.pieces.offered(asker)
    if not owned:
        await interaction.edit_original_response(content=texts.NO_PIECES_YET)
        return
    here = await bot.store.scene_of_thread(asker.place.id)
    sheet = await bot.pieces.sheet([each.picture for each in owned])
    await interaction.edit_original_response(
        view=_view(owned, here.id if here else None),
        attachments=[discord.File(io.BytesIO(sheet), _SHEET_FILE)],
    )


def _view(pieces: Sequence[OwnedPiece], here: int | None) -> ui.LayoutView:
    view = ui.LayoutView(timeout=None)
    view.add_item(ui.TextDisplay(texts.pieces_title(len(pieces))))
    described = texts.pieces_alt_text([texts.name_of(owned.picture) for owned in pieces])
    view.add_item(
        ui.MediaGallery(discord.MediaGalleryItem(f"attachment://{_SHEET_FILE}", description=described))
    )
    view.add_item(ui.ActionRow[Any](PieceSelect(pieces, here)))
    return view


def _option(position: int, owned: OwnedPiece, here: int | None) -> discord.SelectOption:
    picture = owned.picture
    return discord.SelectOption(
        label=texts.piece_label(position, texts.name_of(picture)),
        description=texts.piece_whereabouts(
            picture.number, owned.scene_title, is_here=picture.scene_id == here
        ),
        value=str(picture.id),
    )
