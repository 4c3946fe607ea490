"""Repainting a part of a picture: its grid, on which the part is named, and the question on which one was painted."""

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
from bot.components.forms import FormButton, Subject
from bot.custom_ids import GRID_TEMPLATE, WHICH_TEMPLATE, How, grid_id, which_id
from bot.delivery import REFUSALS
from bot.errors import Gone, NotAllowed
from bot.messages import asker_of, picture_message, words_of
from bot.options import IN_FLAGS, NEGATIVE, STRENGTH, STYLE, Options
from bot.remix import Source
from bot.store import Picture

if TYPE_CHECKING:
    from bot.client import ArtBot
    from bot.jobs import Receipt

_GRID_FILE = "grid.webp"
_MOST_ASKED = 9
"""Pictures that are asked about: with the one for none of them, two rows of buttons."""


class GridButton(Guarded, ui.DynamicItem[ui.Button[Any]], template=GRID_TEMPLATE):
    """Shows a picture under its grid."""

    def __init__(self, picture_id: int) -> None:
        super().__init__(ui.Button(label=texts.REPAINT_PART, custom_id=grid_id(picture_id)))
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
            bot = cast("discord.Interaction[ArtBot]", interaction).client
            await show_grid(interaction, await bot.reach.within(Asker.of(interaction), self.picture_id))


async def show_grid(
    interaction: discord.Interaction[ArtBot],
    picture: Picture,
    prompt: str = "",
    options: Options | None = None,
) -> None:
    """Answer, after an ephemeral defer, with the grid and the button that opens the form. Raises NotAllowed.

    prompt, options: what was said already. The form opens with it.
    """
    bot = interaction.client
    grid = await bot.repainting.grid(Asker.of(interaction), picture)
    typed = _fields(prompt, options or Options(), await bot.reach.source(picture)) if prompt else []
    view = ui.View(timeout=None)
    view.add_item(FormButton(Subject("p", picture.id, How.REPAINT), texts.NAME_THE_PART))
    await interaction.edit_original_response(
        content=texts.with_fields(texts.name_a_part(picture.number), typed),
        attachments=[discord.File(io.BytesIO(grid), _GRID_FILE)],
        view=view,
    )


def _fields(prompt: str, options: Options, source: Source) -> list[tuple[str, str]]:
    """As `FormButton` reads them back. What a form shows of the picture is there as well: an empty field means none."""
    before = {
        NEGATIVE: source.request.negative_prompt if source.request else None,
        STYLE: source.style.name if source.style else None,
    }
    said = {option: getattr(options, option.name) for option in (*IN_FLAGS, NEGATIVE, STRENGTH)}
    given = {
        option: str(value)
        for option, value in ((each, before.get(each) if said[each] is None else said[each]) for each in said)
        if value is not None
    }
    flags = " ".join(f"--{option.flag} {given[option]}" for option in IN_FLAGS if option in given)
    return [
        (texts.PROMPT_LABEL, prompt),
        (texts.NEGATIVE_LABEL, given.get(NEGATIVE, "")),
        (texts.STRENGTH_LABEL, given.get(STRENGTH, "")),
        (texts.FLAGS_LABEL, flags),
    ]


class WhichButton(Guarded, ui.DynamicItem[ui.Button[Any]], template=WHICH_TEMPLATE):
    """One answer to the question on which picture somebody painted; picture 0: on none. It is theirs to give.

    Their message has the words and the file: it pings us, so it can be read again whenever the button is pressed.
    """

    def __init__(self, message_id: int, picture_id: int, label: str = texts.AS_NEW_SKETCH) -> None:
        super().__init__(ui.Button(label=label, custom_id=which_id(message_id, picture_id)))
        self.message_id = message_id
        self.picture_id = picture_id

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's signature
        item: ui.Item[Any],  # noqa: ARG003
        match: re.Match[str],
    ) -> Self:
        return cls(int(match["message"]), int(match["picture"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answering(interaction):
            await interaction.response.defer(ephemeral=True, thinking=True)
            message = await _message(interaction, self.message_id)
            receipt = await _go_on(interaction, message, self.picture_id)
            await interaction.edit_original_response(content=receipt.sentence)
            await _remove_question(interaction)


def which_view(message_id: int, pictures: Sequence[Picture]) -> ui.View:
    """The buttons below the question."""
    view = ui.View(timeout=None)
    for picture in pictures[:_MOST_ASKED]:
        view.add_item(WhichButton(message_id, picture.id, texts.picture_button(picture.number)))
    return view.add_item(WhichButton(message_id, 0))


async def _message(interaction: discord.Interaction[Any], message_id: int) -> discord.Message:
    """Raises Gone, and NotAllowed for somebody else's."""
    assert isinstance(interaction.channel, discord.abc.Messageable)  # a button hangs on a message
    try:
        message = await interaction.channel.fetch_message(message_id)
    except discord.NotFound:
        raise Gone(texts.QUESTION_IS_OLD) from None
    except REFUSALS:
        raise Gone(texts.DISCORD_IS_UNWELL) from None
    if message.author.id != interaction.user.id:
        raise NotAllowed(texts.NOT_YOUR_QUESTION)
    return message


async def _go_on(
    interaction: discord.Interaction[ArtBot], message: discord.Message, picture_id: int
) -> Receipt:
    bot = interaction.client
    replied_to = await picture_message(bot, message)
    if replied_to is None or not message.attachments:
        raise Gone(texts.QUESTION_IS_OLD)
    receipt = await bot.doors.reply(
        asker_of(message), replied_to, words_of(bot, message), message.attachments, picture_id
    )
    if receipt is None:
        raise Gone(texts.QUESTION_IS_OLD)
    return receipt


async def _remove_question(interaction: discord.Interaction[Any]) -> None:
    """It is answered: two answers would be two jobs. Where it cannot be removed, the first answer still holds."""
    assert interaction.message is not None  # a button hangs on a message
    try:
        await interaction.message.delete()
    except REFUSALS:
        return
