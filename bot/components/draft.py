"""The message with a placing in progress: what it will look like, and the buttons that move its pieces."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self

import discord
import msgspec
from discord import ui

from bot import texts
from bot.answers import answering
from bot.asker import Asker
from bot.blocks import Guarded
from bot.components.forms import FormButton, Subject
from bot.components.picture_post import gallery
from bot.custom_ids import DRAFT_TEMPLATE, How, Press, draft_id
from bot.delivery import NOBODY
from bot.errors import Gone

if TYPE_CHECKING:
    from bot.client import ArtBot

_BLURPLE = discord.Colour(0x5865F2)
_MOVES = (Press.LEFT, Press.UP, Press.DOWN, Press.RIGHT, Press.UNDO)
_SHAPES = (Press.SMALLER, Press.BIGGER, Press.TURN_LEFT, Press.TURN_RIGHT, Press.FLIP)
_AMONG_SEVERAL = (Press.FRONT, Press.BACK, Press.NEXT, Press.REMOVE)
_STYLES = {Press.PLACE: discord.ButtonStyle.success, Press.DISCARD: discord.ButtonStyle.danger}


class DraftFacts(msgspec.Struct, frozen=True, kw_only=True):
    """names: of its pieces, from the back to the front. base: the number of the picture. file: of the preview.

    hidden: until somebody wants to see it, for something unsafe lies on it.
    """

    draft_id: int
    base: int
    names: tuple[str, ...]
    selected: int
    can_undo: bool
    file: str
    hidden: bool = False
    note: str = ""


class DraftButton(Guarded, ui.DynamicItem[ui.Button[Any]], template=DRAFT_TEMPLATE):
    def __init__(self, draft: int, press: Press, *, disabled: bool = False) -> None:
        super().__init__(
            ui.Button(
                label=texts.press(press),
                style=_STYLES.get(press, discord.ButtonStyle.secondary),
                custom_id=draft_id(draft, press),
                disabled=disabled,
            )
        )
        self.draft = draft
        self.press = press

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's signature
        item: ui.Item[Any],  # noqa: ARG003
        match: re.Match[str],
    ) -> Self:
        return cls(int(match["draft"]), Press(match["press"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answering(interaction):
            await interaction.response.defer()  # several presses may wait for their turn
            await _carry_out(interaction, self.draft, self.press)


def draft_view(facts: DraftFacts) -> ui.LayoutView:
    several = len(facts.names) > 1
    box: ui.Container[ui.LayoutView] = ui.Container(accent_colour=_BLURPLE)
    box.add_item(gallery(facts.file, texts.DRAFT_ALT_TEXT, hidden=facts.hidden))
    box.add_item(ui.TextDisplay(texts.draft_title(facts.names, facts.selected, facts.base)))
    small_print = [texts.DRAFT_LEGEND, *([facts.note] if facts.note else [])]
    box.add_item(ui.TextDisplay("\n".join(f"-# {line}" for line in small_print)))
    off = {Press.UNDO: not facts.can_undo} | dict.fromkeys(_AMONG_SEVERAL, not several)
    for presses in (_MOVES, _SHAPES, (Press.CUT_OUT, *_AMONG_SEVERAL)):
        buttons = (DraftButton(facts.draft_id, press, disabled=off.get(press, False)) for press in presses)
        box.add_item(ui.ActionRow[Any](*buttons))
    box.add_item(
        ui.ActionRow[Any](
            DraftButton(facts.draft_id, Press.PLACE),
            FormButton(Subject("d", facts.draft_id, How.SEAMS), texts.PLACE_AND_SEAMS),
            FormButton(Subject("d", facts.draft_id, How.WHOLE), texts.PLACE_AND_WHOLE),
            DraftButton(facts.draft_id, Press.DISCARD),
        )
    )
    return _view(box)


def discarded_view(draft: int) -> ui.LayoutView:
    box: ui.Container[ui.LayoutView] = ui.Container()
    box.add_item(ui.TextDisplay(texts.DRAFT_DISCARDED))
    box.add_item(ui.ActionRow[Any](DraftButton(draft, Press.UNDO)))
    return _view(box)


def _view(box: ui.Container[ui.LayoutView]) -> ui.LayoutView:
    view = ui.LayoutView(timeout=None)
    view.add_item(box)
    return view


async def _carry_out(interaction: discord.Interaction[ArtBot], draft: int, press: Press) -> None:
    placing, asker = interaction.client.placing, Asker.of(interaction)
    if press is Press.PLACE:
        await placing.settle(asker, draft)
        return
    look = await placing.press(asker, draft, press)
    try:
        await interaction.edit_original_response(
            view=look.view, attachments=look.attachments(), allowed_mentions=NOBODY
        )
    except discord.NotFound:
        raise Gone(texts.DRAFT_MESSAGE_GONE) from None
