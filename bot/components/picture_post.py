"""A picture of the history shown anew, so that it can be replied to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord
from discord import ui

from bot import texts
from bot.components.buttons import ActionButton
from bot.components.deleting import DeleteButton
from bot.components.forms import FormButton, Subject
from bot.components.pieces import PlaceButton
from bot.components.repainting import GridButton
from bot.custom_ids import Action, How, Target
from bot.store import Picture, PictureKind

_GREEN = discord.Colour(0x248046)


def picture_post(
    sentence: str, file: str, prompt: str, picture: Picture, *more: ui.Item[Any]
) -> ui.LayoutView:
    """more: buttons that only this post has.

    No job made the uploaded ones, so there is nothing to make again with another strength.
    """
    view = ui.LayoutView(timeout=None)
    box: ui.Container[ui.LayoutView] = ui.Container(accent_colour=_GREEN)
    described = texts.alt_text(prompt, picture.candidate or 1)
    box.add_item(gallery(file, described, hidden=picture.unsafe is not None))
    box.add_item(ui.TextDisplay(sentence))
    box.add_item(ui.ActionRow[Any](*more, *_buttons(picture)))
    box.add_item(ui.ActionRow[Any](GridButton(picture.id), *_of_its_kind(picture)))
    view.add_item(box)
    return view


def film_post(sentence: str, file: str, described: str, frames: Sequence[Picture]) -> ui.LayoutView:
    """Without a button that deletes: it would delete the last picture, and people would mean the film."""
    view = ui.LayoutView(timeout=None)
    box: ui.Container[ui.LayoutView] = ui.Container(accent_colour=_GREEN)
    box.add_item(gallery(file, described, hidden=any(frame.unsafe for frame in frames)))
    box.add_item(ui.TextDisplay(sentence))
    box.add_item(ui.ActionRow[Any](_refine_button(frames[-1])))
    view.add_item(box)
    return view


def gallery(file: str, described: str, *, hidden: bool) -> ui.MediaGallery[ui.LayoutView]:
    """One picture; hidden: until somebody wants to see it."""
    return ui.MediaGallery(
        discord.MediaGalleryItem(f"attachment://{file}", description=described, spoiler=hidden)
    )


def _refine_button(picture: Picture) -> FormButton:
    return FormButton(Subject("p", picture.id, How.REFINE), texts.button(Action.REFINE, 0))


def _of_its_kind(picture: Picture) -> list[ui.Item[Any]]:
    """What comes next with a piece, and with what was just put together."""
    if picture.piece is not None:
        return [PlaceButton(picture.id)]
    if picture.kind is PictureKind.COMPOSED:
        labels = {How.SEAMS: texts.SEAMS_BUTTON, How.WHOLE: texts.WHOLE_BUTTON}
        return [FormButton(Subject("p", picture.id, how), label) for how, label in labels.items()]
    return []


def _buttons(picture: Picture) -> list[ui.Item[Any]]:
    buttons: list[ui.Item[Any]] = []
    if picture.job_id is not None and picture.candidate is not None:
        actions = (Action.SUBTLE, Action.STRONG)
        buttons += [ActionButton(action, picture.job_id, picture.candidate) for action in actions]
    return [
        *buttons,
        _refine_button(picture),
        DeleteButton(Target(picture_id=picture.id)),
    ]
