"""The buttons under /forget-me: a zip first, the forgetting itself, or nothing."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any, Self, cast

import discord
from discord import ui

from bot import texts
from bot.answers import answering
from bot.blocks import Guarded
from bot.custom_ids import FORGET_TEMPLATE, Answer, forget_id
from bot.errors import NotAllowed
from bot.uploading import zip_limit

if TYPE_CHECKING:
    from bot.client import ArtBot

_LABELS = {Answer.ZIP: texts.SEND_ZIP, Answer.YES: texts.FORGET, Answer.NO: texts.DO_NOT_FORGET}
_STYLES = {
    Answer.ZIP: discord.ButtonStyle.primary,
    Answer.YES: discord.ButtonStyle.danger,
    Answer.NO: discord.ButtonStyle.secondary,
}


class ForgetButton(Guarded, ui.DynamicItem[ui.Button[Any]], template=FORGET_TEMPLATE):
    """Whose things it is about stands in it: nobody else may press it, wherever it comes from."""

    def __init__(self, person_id: int, answer: Answer) -> None:
        super().__init__(
            ui.Button(label=_LABELS[answer], style=_STYLES[answer], custom_id=forget_id(person_id, answer))
        )
        self.person_id = person_id
        self.answer = answer

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's signature
        item: ui.Item[Any],  # noqa: ARG003
        match: re.Match[str],
    ) -> Self:
        return cls(int(match["person"]), Answer(match["answer"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answering(interaction):
            if self.answer is Answer.ZIP:
                await interaction.response.defer(ephemeral=True, thinking=True)
            else:
                await interaction.response.defer()
            if interaction.user.id != self.person_id:
                raise NotAllowed(texts.NOT_ABOUT_YOU)
            ours = cast("discord.Interaction[ArtBot]", interaction)
            match self.answer:
                case Answer.ZIP:
                    await _send_zips(ours)
                case Answer.YES:
                    await _forget(ours)
                case Answer.NO:
                    await interaction.edit_original_response(content=texts.NOT_FORGOTTEN, view=None)


async def ask_to_forget(interaction: discord.Interaction[ArtBot]) -> None:
    """Answer, after an ephemeral defer: what would go and what stays, or how far it is, or that there is nothing."""
    forgetting, person_id = interaction.client.forgetting, interaction.user.id
    belongings, progress = await forgetting.belongings(person_id), await forgetting.progress(person_id)
    if belongings is None:
        sentence = texts.NOTHING_TO_FORGET if progress is None else texts.forgetting_progress(*progress)
        await interaction.edit_original_response(content=sentence)
        return
    view = ui.View(timeout=None)
    for answer in Answer:
        if answer is not Answer.ZIP or belongings.pictures:
            view.add_item(ForgetButton(person_id, answer))
    question = texts.really_forget(*belongings)
    if progress is not None and not progress.done:
        question = f"{texts.forgetting_progress(*progress)}\n{question}"
    await interaction.edit_original_response(content=question, view=view)


async def _forget(interaction: discord.Interaction[ArtBot]) -> None:
    """The question itself becomes the answer, so that it cannot be pressed again."""
    progress = await interaction.client.forgetting.forget(interaction.user.id)
    messages = 0 if progress.done else progress.messages - progress.deleted - progress.refused
    await interaction.edit_original_response(content=texts.forgotten(messages), view=None)


async def _send_zips(interaction: discord.Interaction[ArtBot]) -> None:
    """Every Scene's pictures of theirs in private messages, one zip in each, for that is what Discord takes."""
    bot, person_id = interaction.client, interaction.user.id
    scene_ids = await bot.store.forgettings.scenes_with(person_id)
    sent, pictures = 0, (await bot.store.forgettings.belongings(person_id)).pictures
    for number, scene_id in enumerate(scene_ids, start=1):
        scene = await bot.store.scene(scene_id)
        async for package in bot.chronicle.own(scene, person_id, limit=zip_limit(interaction)):
            said = "\n".join(
                filter(None, [texts.packed_of_yours(scene.title, number, len(scene_ids)), package.sentence])
            )
            for data in package.zips:
                sent += 1
                file = discord.File(io.BytesIO(data), f"moonsketch-scene-{scene.id}-{sent}.zip")
                await interaction.followup.send(said, file=file, ephemeral=True)
    sentence = texts.all_packed(pictures, sent) if sent else texts.NOTHING_TO_PACK
    await interaction.followup.send(sentence, ephemeral=True)
