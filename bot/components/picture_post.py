"""A picture of the history shown anew, so that it can be replied to."""

from __future__ import annotations

from typing import Any

import discord
from discord import ui

from bot import texts
from bot.components.buttons import ActionButton
from bot.components.deleting import DeleteButton
from bot.components.forms import FormButton, Subject
from bot.custom_ids import Action, How, Target
from bot.store import Picture

_GREEN = discord.Colour(0x248046)


def picture_post(sentence: str, file: str, prompt: str, picture: Picture) -> ui.LayoutView:
    """No job made the uploaded ones, so there is nothing to make again with another strength."""
    view = ui.LayoutView(timeout=None)
    box: ui.Container[ui.LayoutView] = ui.Container(accent_colour=_GREEN)
    described = texts.alt_text(prompt, picture.candidate or 1)
    box.add_item(ui.MediaGallery(discord.MediaGalleryItem(f"attachment://{file}", description=described)))
    box.add_item(ui.TextDisplay(sentence))
    box.add_item(ui.ActionRow[Any](*_buttons(picture)))
    view.add_item(box)
    return view


def _buttons(picture: Picture) -> list[ui.Item[Any]]:
    buttons: list[ui.Item[Any]] = []
    if picture.job_id is not None and picture.candidate is not None:
        actions = (Action.SUBTLE, Action.STRONG)
        buttons += [ActionButton(action, picture.job_id, picture.candidate) for action in actions]
    return [
        *buttons,
        FormButton(Subject("p", picture.id, How.REFINE), texts.button(Action.REFINE, 0)),
        DeleteButton(Target(picture_id=picture.id)),
    ]
