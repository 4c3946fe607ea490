"""What /help shows: how to begin, and what those models know that were taught little enough to be listed.

All of it where it fits into one message, else a few examples of each group and a select to see one in full.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self, cast

import discord
from discord import ui

from bot import texts
from bot.answers import answering
from bot.blocks import Guarded
from bot.components.choices import chosen_in, number_in
from bot.custom_ids import HELP_TEMPLATE, help_id
from bot.delivery import NOBODY
from bot.errors import Gone
from inference import ModelInfo, Vocabulary

if TYPE_CHECKING:
    from bot.client import ArtBot

MOST_MODELS = 3
"""More would leave each too little room."""

_MOST_TEXT = 3900
"""Discord allows 4,000 characters over all texts of a message; the rest is for how it may count those outside ASCII."""

_MOST_PAGES = 25
"""What one select holds."""

_SHORTEST = 2
"""Letters of words that are not worth listing: "a", "in", "3d"."""

_HEADING = 260
"""The most that stands before the names of a page."""

Groups = Sequence[tuple[str, Sequence[str]]]


class _Page(NamedTuple):
    """As many names of one group as fit; part: which of the group's pages it is."""

    group: str
    part: int
    names: Sequence[str]


class HelpSelect(Guarded, ui.DynamicItem[ui.Select[Any]], template=HELP_TEMPLATE):
    """Its options are only needed to draw it; which page was chosen comes with the interaction."""

    def __init__(self, model: str, pages: Sequence[_Page] = (), chosen: int | None = None) -> None:
        self.model = model
        options = [
            discord.SelectOption(
                label=texts.group_label(page.group, page.part),
                description=texts.group_description(page.names),
                value=str(number),
                default=number == chosen,
            )
            for number, page in enumerate(pages)
        ]
        super().__init__(
            ui.Select(custom_id=help_id(model), placeholder=texts.HELP_PLACEHOLDER, options=options)
        )

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's signature
        item: ui.Item[Any],  # noqa: ARG003
        match: re.Match[str],
    ) -> Self:
        return cls(match["model"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Answered by editing in place: there is nothing to wait for, and one message is enough."""
        async with answering(interaction):
            chosen = number_in(chosen_in(interaction))
            models = cast("discord.Interaction[ArtBot]", interaction).client.engine.models()
            manages = interaction.permissions.manage_guild
            view = help_view(models, self.model, chosen, manages=manages)
            await interaction.response.edit_message(view=view, allowed_mentions=NOBODY)


def help_view(
    models: Sequence[ModelInfo], model: str | None = None, page: int = 0, *, manages: bool = False
) -> ui.LayoutView:
    """How to begin and what the models know; of `model` that page. Raises Gone where there is no such page now.

    manages: for somebody who may manage the server, and wants to know how.
    """
    listed = [(info, info.vocabulary) for info in models if info.vocabulary is not None][:MOST_MODELS]
    if model is not None and model not in [info.name for info, _ in listed]:
        raise Gone(texts.HELP_HAS_CHANGED)
    begin = texts.HELP + (texts.HELP_FOR_MODERATORS if manages else "")
    room = (_MOST_TEXT - len(begin)) // max(1, len(listed))
    view = ui.LayoutView(timeout=None)
    view.add_item(ui.TextDisplay(begin))
    for info, vocabulary in listed:
        for item in _knowledge(info, vocabulary, room, page if info.name == model else None):
            view.add_item(item)
    return view


def _knowledge(
    model: ModelInfo, vocabulary: Vocabulary, room: int, chosen: int | None
) -> Iterator[ui.Item[Any]]:
    """What one model knows, in at most `room` characters, and the select where that is not all."""
    groups = _groups(vocabulary)
    everything = "\n".join(texts.knows(model.title, groups))
    if len(everything) <= room:
        yield ui.TextDisplay(everything)
        return
    pages = list(_pages(groups, room - _HEADING))[:_MOST_PAGES]
    if chosen is None:
        yield ui.TextDisplay(_fitting(texts.knows_in_short(model.title, groups), room))
    elif chosen < len(pages):
        yield ui.TextDisplay(texts.knows_of_group(model.title, pages[chosen].group, pages[chosen].names))
    else:
        raise Gone(texts.HELP_HAS_CHANGED)
    yield ui.ActionRow(HelpSelect(model.name, pages, chosen))


def _groups(vocabulary: Vocabulary) -> Groups:
    words = tuple(word for word in vocabulary.words if len(word) > _SHORTEST and word[0].isalpha())
    others = ((texts.OTHER_WORDS, words),) if words else ()
    return (*vocabulary.groups, *others)


def _pages(groups: Groups, room: int) -> Iterator[_Page]:
    for group, names in groups:
        part, left = 1, room
        page: list[str] = []
        for name in names:
            length = len(texts.known_name(name)) + len(", ")
            if page and length > left:
                yield _Page(group, part, page)
                part, left, page = part + 1, room, []
            page.append(name)
            left -= length
        yield _Page(group, part, page)


def _fitting(lines: Iterable[str], room: int) -> str:
    """As many of the lines as have room together."""
    text = ""
    for line in lines:
        if len(text) + len(line) + 1 > room:
            break
        text += f"\n{line}" if text else line
    return text
