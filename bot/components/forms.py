"""The form in which a picture is refined, or taken as a sketch: how it is opened, read, and opened again.

A form is answered by its custom_id alone, whoever opened it and whichever process that was: one that is open while the
bot starts again still does its work. What was wrong is answered with everything that was typed, each field in a block
of its own; the button below reads these blocks back and opens the form with them.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self, cast

import discord
import msgspec
from discord import app_commands, ui

from bot import options, remix, texts
from bot.answers import answering, sentence_for
from bot.asker import Asker
from bot.blocks import Guarded, check_admitted
from bot.custom_ids import FORM_TEMPLATE, How, form_id
from bot.errors import Gone
from bot.file_recipe import recipe_in
from bot.options import Form
from bot.store import Found

if TYPE_CHECKING:
    from bot.client import ArtBot
    from bot.jobs import Receipt

_PROMPT, _NEGATIVE, _STRENGTH, _FLAGS, _FILE = "prompt", "negative", "strength", "flags", "file"
_REGION = "region"
_LABELS = {
    _REGION: texts.REGION_LABEL,
    _PROMPT: texts.PROMPT_LABEL,
    _NEGATIVE: texts.NEGATIVE_LABEL,
    _STRENGTH: texts.STRENGTH_LABEL,
    _FLAGS: texts.FLAGS_LABEL,
}
_TITLES = {
    How.REFINE: texts.REFINE_TITLE,
    How.SKETCH: texts.SKETCH_TITLE,
    How.REPAINT: texts.REPAINT_TITLE,
    How.SEAMS: texts.SEAMS_TITLE,
    How.WHOLE: texts.WHOLE_TITLE,
}

_NUMBER_LENGTH, _FLAGS_LENGTH = 20, 200
REGION_LENGTH = 200
_OPEN_SECONDS = 300.0
"""How long discord.py keeps a form that it sent. We do not need it to; it only must not keep them for ever."""

_MOST_OFFERS = 1000


class Subject(NamedTuple):
    """What a form is about: kind p is a Picture of ours, m a file of somebody's message (an offer), d a Draft."""

    kind: str
    id: int
    how: How

    @classmethod
    def of(cls, match: re.Match[str]) -> Self:
        return cls(match["kind"], int(match["id"]), How(match["how"]))

    @property
    def custom_id(self) -> str:
        return form_id(self.kind, self.id, self.how)


class Offer(NamedTuple):
    """A picture of somebody's message. whose: who asked for the form, and may use it. of: how many the message has,
    this one among them. form: what is filled in at first."""

    whose: int
    file: discord.Attachment
    of: int
    form: Form


class Offers:
    """Files of other people's messages that a form is open about. In memory: their links end within a day anyway."""

    def __init__(self) -> None:
        self._offers: OrderedDict[int, Offer] = OrderedDict()

    def keep(
        self, interaction: discord.Interaction[Any], file: discord.Attachment, of: int, form: Form
    ) -> None:
        """Under the id of the interaction."""
        self._offers[interaction.id] = Offer(interaction.user.id, file, of, form)
        while len(self._offers) > _MOST_OFFERS:
            self._offers.popitem(last=False)

    def get(self, interaction_id: int, person_id: int) -> Offer:
        """Raises Gone after a restart, and for somebody else's: nobody but them was shown the form."""
        offer = self._offers.get(interaction_id)
        if offer is None or offer.whose != person_id:
            raise Gone(texts.FORM_IS_OLD)
        return offer


def form_view(subject: Subject, filled: Form) -> ui.Modal:
    """At most five fields: that is all a form may have."""
    modal = ui.Modal(title=_TITLES[subject.how], custom_id=subject.custom_id, timeout=_OPEN_SECONDS)
    if subject.how is How.REPAINT:
        region = _text(_REGION, filled.region, REGION_LENGTH, placeholder=texts.REGION_EXAMPLE)
        modal.add_item(ui.Label(text=texts.REGION_LABEL, description=texts.REGION_HELP, component=region))
    # A form has to open at once, and what the file says of itself takes longer to read.
    file_may_say = subject.kind == "m"
    prompt = ui.TextInput[ui.Modal](
        custom_id=_PROMPT,
        style=discord.TextStyle.paragraph,
        default=filled.prompt or None,
        max_length=options.PROMPT_LENGTH,
        required=not file_may_say,
    )
    what = texts.PROMPT_OR_FILES if file_may_say else texts.PROMPT_HELP
    modal.add_item(ui.Label(text=texts.PROMPT_LABEL, description=what, component=prompt))
    negative = _text(_NEGATIVE, filled.negative, options.PROMPT_LENGTH)
    modal.add_item(ui.Label(text=texts.NEGATIVE_LABEL, description=options.NEGATIVE.help, component=negative))
    strength = _text(_STRENGTH, filled.strength, _NUMBER_LENGTH)
    modal.add_item(ui.Label(text=texts.STRENGTH_LABEL, description=options.STRENGTH.help, component=strength))
    flags = _text(_FLAGS, filled.flags, _FLAGS_LENGTH, placeholder=texts.FLAGS_EXAMPLE)
    taken = texts.flags_help([option.flag for option in options.IN_FLAGS])
    modal.add_item(ui.Label(text=texts.FLAGS_LABEL, description=taken, component=flags))
    if subject.how is How.REFINE and subject.kind == "p":
        file = ui.FileUpload[ui.Modal](custom_id=_FILE, required=False, max_values=1)
        modal.add_item(ui.Label(text=texts.FILE_LABEL, description=texts.FILE_HELP, component=file))
    return modal


def form_about(found: Found, how: How, strength: float) -> tuple[Subject, Form]:
    """A form about one of our pictures, filled with what it was made with. strength: of a first sketch."""
    before = found.request
    wanted = remix.REFINE_STRENGTH if how is How.REFINE else strength
    filled = Form(
        prompt=before.prompt if before else "",
        negative=before.negative_prompt if before else "",
        strength=f"{wanted:g}",
        flags=f"--{options.STYLE.flag} {found.style.name}" if found.style else "",
    )
    return Subject("p", found.picture.id, how), filled


async def open_form(interaction: discord.Interaction[Any], subject: Subject, filled: Form) -> None:
    await interaction.response.send_modal(form_view(subject, filled))


class FormButton(Guarded, ui.DynamicItem[ui.Button[Any]], template=FORM_TEMPLATE):
    """Opens a form: with what the message above it repeats, else with what the picture was made with."""

    def __init__(self, subject: Subject, label: str = texts.EDIT_FORM) -> None:
        super().__init__(ui.Button(label=label, custom_id=subject.custom_id))
        self.subject = subject

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's signature
        item: ui.Item[Any],  # noqa: ARG003
        match: re.Match[str],
    ) -> Self:
        return cls(Subject.of(match))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answering(interaction):
            assert interaction.message is not None  # a button hangs on a message
            typed = texts.fields_in(interaction.message.content)
            if typed:
                await open_form(
                    interaction, self.subject, _form({name: typed.get(_LABELS[name], "") for name in _LABELS})
                )
                return
            bot = cast("discord.Interaction[ArtBot]", interaction).client
            if self.subject.how.harmonises:
                filled = await bot.harmonising.filled(Asker.of(interaction), *self.subject)
                await open_form(interaction, self.subject, filled)
                return
            if self.subject.kind == "m":
                offer = bot.offers.get(self.subject.id, interaction.user.id)
                await open_form(interaction, self.subject, offer.form)
                return
            found = await bot.store.found(self.subject.id, interaction.user.id)
            if found is None:
                raise Gone(texts.PICTURE_WAS_DELETED)
            await open_form(
                interaction, *form_about(found, self.subject.how, _freedom(bot, self.subject.how))
            )


async def on_form(interaction: discord.Interaction[ArtBot]) -> None:
    """Answer a form that was sent; anything else is left alone."""
    data = cast("dict[str, Any]", interaction.data or {})
    match = re.fullmatch(FORM_TEMPLATE, data.get("custom_id", ""))
    if interaction.type is not discord.InteractionType.modal_submit or match is None:
        return
    async with answering(interaction):
        subject, typed = Subject.of(match), dict(_typed(data.get("components", [])))
        form = _form({name: str(typed.get(name, "")) for name in _LABELS})
        files = _files(interaction, data, typed.get(_FILE, ()))
        await interaction.response.defer(ephemeral=True, thinking=True)
        try:
            await check_admitted(interaction)
            own = await _own_words(interaction, subject, form)
            if own is not None:
                await _hand_back(interaction, subject, own, texts.FILE_HAS_RECIPE, had_file=False)
                return
            receipt = await _carry_out(interaction, subject, form, files)
        except Exception as error:
            # Whatever it was: nothing that somebody typed is lost.
            await _hand_back(interaction, subject, form, sentence_for(interaction, error), bool(files))
        else:
            await interaction.edit_original_response(content=receipt.sentence)


async def _carry_out(
    interaction: discord.Interaction[ArtBot],
    subject: Subject,
    form: Form,
    files: Sequence[discord.Attachment],
) -> Receipt:
    bot, asker = interaction.client, Asker.of(interaction)
    if subject.how.harmonises:
        return await bot.harmonising.from_form(asker, *subject, form)
    if subject.kind == "m":
        offer = bot.offers.get(subject.id, asker.person_id)
        return await bot.doors.sketch_of_offer(asker, offer.file, offer.of, form, subject.how)
    if subject.how is How.SKETCH:
        return await bot.doors.sketch_of_ours(asker, subject.id, form)
    if subject.how is How.REPAINT:
        return await bot.repainting.of_form(asker, subject.id, form)
    return await bot.doors.refine(asker, subject.id, form, files)


async def _own_words(interaction: discord.Interaction[ArtBot], subject: Subject, form: Form) -> Form | None:
    """Where nothing was asked for: what the file says it was made with, in the fields that were left open."""
    if subject.kind != "m" or form.prompt.strip():
        return None
    bot = interaction.client
    file = bot.offers.get(subject.id, interaction.user.id).file
    found = await recipe_in(file, bot.uploads, bot.engine.models())
    if found is None:
        return None
    return msgspec.structs.replace(
        form,
        prompt=found.form.prompt,
        negative=form.negative or found.form.negative,
        strength=found.form.strength,
        flags=form.flags or found.form.flags,
    )


async def _hand_back(
    interaction: discord.Interaction[ArtBot], subject: Subject, form: Form, sentence: str, had_file: bool
) -> None:
    if had_file:
        sentence = f"{sentence} {texts.ATTACH_ONCE_MORE}"
    values = {name: getattr(form, name) for name in _LABELS}
    view = ui.View(timeout=None)
    view.add_item(FormButton(subject))
    await interaction.edit_original_response(
        content=texts.with_fields(sentence, ((_LABELS[name], values[name]) for name in _LABELS)), view=view
    )


def _freedom(bot: ArtBot, how: How) -> float:
    """The strength of a first sketch, or of a part that is to become something else."""
    model = bot.engine.models()[0]
    return model.strong if how is How.REPAINT else model.strength


def _text(custom_id: str, default: str, most: int, placeholder: str | None = None) -> ui.TextInput[ui.Modal]:
    return ui.TextInput(
        custom_id=custom_id, default=default or None, max_length=most, required=False, placeholder=placeholder
    )


def _form(values: Mapping[str, str]) -> Form:
    return Form(**values)


def _typed(components: Sequence[dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Every field of a form as Discord sends it: its custom_id, and its text or the ids of its files."""
    for component in components:
        field = component.get("component", component)  # most fields are inside a label
        if "custom_id" in field:
            yield field["custom_id"], field.get("value", field.get("values"))


def _files(
    interaction: discord.Interaction[Any], data: dict[str, Any], ids: Sequence[str]
) -> list[discord.Attachment]:
    """The files of a form. discord.py reads those of a command into its Namespace; a form's look the same."""
    found = []
    for file_id in ids:
        named: Any = [
            {"type": discord.AppCommandOptionType.attachment.value, "name": _FILE, "value": file_id}
        ]
        found.append(getattr(app_commands.Namespace(interaction, data.get("resolved", {}), named), _FILE))
    return found
