"""What a Card looks like in each state of its Job. Pure: records in, a LayoutView out.

Discord's limits that matter here: 40 components, 4,000 characters of text, five buttons in a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord
import msgspec
from discord import ui

from bot import texts
from bot.components.buttons import ActionButton
from bot.components.deleting import DeleteButton
from bot.components.holding import hold_row
from bot.components.more import MoreSelect
from bot.custom_ids import Action, Target
from bot.store import Job, JobKind, JobState
from inference import ImageRequest, ModelInfo, Size

GREY = discord.Colour(0x80848E)
BLURPLE = discord.Colour(0x5865F2)
GREEN = discord.Colour(0x248046)
RED = discord.Colour(0xDA373C)

_COLOURS = {
    JobState.QUEUED: GREY,
    JobState.RUNNING: BLURPLE,
    JobState.RENDERED: GREEN,
    JobState.POSTED: GREEN,
    JobState.FAILED: RED,
    JobState.CANCELLED: GREY,
}


_NEXT = {JobKind.REPAINT: (Action.HARMONISE,), JobKind.PIECE: (Action.PLACE,)}
"""What usually comes next with what such a job made."""


class CardFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a Card shows. File names are those of attachments that are sent along or kept.

    status: the sentence about how far it is. source: the size of the picture it started from. candidates: for each
    result that is shown, which Candidate it is and its number in the Scene. decided_here: moderators
    have no other place to decide about a job that waits for them. unsafe: those Candidates that are hidden until
    somebody wants to see them; sketch_unsafe: so is the picture that it started from.
    """

    job: Job
    model: ModelInfo | None
    status: str
    sketch_file: str | None = None
    sketch_unsafe: bool = False
    source: Size | None = None
    picture_files: tuple[str, ...] = ()
    candidates: tuple[tuple[int, int], ...] = ()
    unsafe: frozenset[int] = frozenset()
    picks: tuple[tuple[int, int], ...] = ()
    decided_here: bool = False


def card(facts: CardFacts) -> ui.LayoutView:
    """The message that shows a Job while it runs and its Pictures when it is done."""
    view = ui.LayoutView(timeout=None)
    box: ui.Container[ui.LayoutView] = ui.Container(accent_colour=_COLOURS[facts.job.state])
    box.add_item(_heading(facts))
    if facts.picture_files:
        box.add_item(_gallery(facts))
    box.add_item(ui.TextDisplay(_small_print(facts)))
    for row in _rows(facts):
        box.add_item(row)
    view.add_item(box)
    return view


def _heading(facts: CardFacts) -> ui.Item[ui.LayoutView]:
    """The sketch beside the prompt and the state."""
    how = texts.how_made(facts.job.kind, facts.job.style)
    said = texts.plain(facts.job.request.prompt) or texts.FORGOTTEN_WORDS
    # Held words are shown to those who want to see them, also once they were refused.
    shown = f"||{said}||" if facts.job.held_for is not None else said
    words = f"**{shown}**\n<@{facts.job.author_id}> · {how}"
    status = facts.status or texts.DONE
    if facts.sketch_file is None:
        return ui.TextDisplay(f"{words}\n{status}")
    picture = ui.Thumbnail[ui.LayoutView](
        f"attachment://{facts.sketch_file}",
        description=texts.sketch_alt_text(facts.job.request.prompt),
        spoiler=facts.sketch_unsafe,
    )
    return ui.Section(ui.TextDisplay(words), ui.TextDisplay(status), accessory=picture)


def _gallery(facts: CardFacts) -> ui.MediaGallery[ui.LayoutView]:
    request = facts.job.request
    shown = [
        (texts.alt_text(request.prompt, number, _strength(request, number)), number in facts.unsafe)
        for number, _ in facts.candidates
    ] or [(texts.preview_alt_text(request.prompt), False)]  # one sheet of previews
    return ui.MediaGallery(
        *(
            discord.MediaGalleryItem(f"attachment://{name}", description=description, spoiler=unsafe)
            for name, (description, unsafe) in zip(facts.picture_files, shown, strict=True)
        )
    )


def _strength(request: ImageRequest, candidate: int) -> float | None:
    """What is written on the pictures of a strength strip; None where it does not tell them apart."""
    return request.strengths[candidate - 1] if request.strengths else None


def _small_print(facts: CardFacts) -> str:
    """One plain line about what was (or will be) done, then whatever else is worth knowing."""
    lines = [texts.what_was_done(facts.job.request, facts.source, facts.job.seconds)]
    lines += facts.job.notes
    if facts.job.moved_for is not None:
        lines.append(texts.moved_for(facts.job.moved_for))
    if facts.model is not None and facts.job.held_for is None:
        lines += texts.made_with(facts.model, facts.job.request.prompt)
    if facts.picks:
        lines.append(texts.picks(facts.picks, facts.job.request.strengths))
    return "\n".join(f"-# {line}" for line in lines)


def _rows(facts: CardFacts) -> list[ui.ActionRow[ui.LayoutView]]:
    job = facts.job
    delete = DeleteButton(Target(job_id=job.id))
    # What somebody painted was taken for a part; they may have meant all of it, and can say so at any time.
    painted_on = job.kind is JobKind.REPAINT and job.upload_id is not None
    whole = [ActionButton(Action.WHOLE, job.id)] if painted_on else []
    if job.state.waits_or_runs:
        asking = [hold_row(job.id)] if facts.decided_here else []
        return [*asking, _row([ActionButton(Action.CANCEL, job.id), *whole, delete])]
    if job.state is JobState.FAILED or job.state is JobState.CANCELLED:
        return [_row([ActionButton(Action.AGAIN, job.id), *whole, delete])]
    rows = []
    if len(facts.candidates) > 1:
        taken = {candidate for _, candidate in facts.picks}
        numbers = [candidate for candidate, _ in facts.candidates]
        picks = [
            ActionButton(
                Action.PICK,
                job.id,
                number,
                chosen=number in taken,
                strength=_strength(job.request, number),
            )
            for number in numbers
        ]
        rows.append(_row(picks))
    actions = (Action.AGAIN, Action.SUBTLE, Action.STRONG, Action.REFINE)
    rows.append(_row([*(ActionButton(action, job.id) for action in actions), delete]))
    further = [*whole, *(ActionButton(action, job.id) for action in _NEXT.get(job.kind, ()))]
    if further:
        rows.append(_row(further))
    rows.append(_row([MoreSelect(job.id, facts.candidates)]))
    return rows


def _row(items: Sequence[ui.Item[Any]]) -> ui.ActionRow[ui.LayoutView]:
    return ui.ActionRow(*items)
