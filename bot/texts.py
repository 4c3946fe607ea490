"""Every text that people read, in one place. English; whole sentences; no blame, no jargon, always a next step."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from bot.custom_ids import Action, Press
from bot.store.records import JobKind, Picture, PictureKind, Shown, Style
from inference import EngineState, EngineStatus, Frame, ImageRequest, ModelInfo, Size, unknown_words

# Options and prompts

EMPTY_PROMPT = "The prompt is empty. Say in a few words what the picture should show."


def prompt_too_long(what: str, length: int, limit: int) -> str:
    return f"The {what} has {length} characters; at most {limit} are read. Shorten it and send it again."


def unknown_flag(flag: str, nearest: str | None, known: Sequence[str]) -> str:
    hint = (
        f"Did you mean `--{nearest}`?" if nearest else f"I know {_listed(f'`--{name}`' for name in known)}."
    )
    shown = flag if len(flag) <= 30 else flag[:29] + "…"
    return f"I don't know `--{shown}`. {hint} Nothing was started."


def flag_needs_value(flag: str) -> str:
    return f"`--{flag}` needs a value after it. Nothing was started."


def flag_given_twice(flag: str) -> str:
    return f"`--{flag}` is there twice; once is enough. Nothing was started."


def not_a_number(flag: str, text: str) -> str:
    return f"`--{flag}` needs a number, and {quoted(text)} is none. Nothing was started."


def not_whole(flag: str, text: str) -> str:
    return f"`--{flag}` needs a whole number, not {quoted(text)}. Nothing was started."


def out_of_range(flag: str, low: float, high: float, text: str) -> str:
    # Not :g, which makes 4.29497e+09 of the greatest seed.
    return f"`--{flag}` goes from {low:.12g} to {high:.12g}, not {quoted(text)}. Nothing was started."


def bad_strength(text: str) -> str:
    return (
        f"Strength is above 0 and at most 1 (0.2 keeps your picture, 0.9 mostly follows the prompt),"
        f" not {quoted(text)}. Nothing was started."
    )


def bad_size(text: str) -> str:
    return f"A size is a shape like `3:2` or `768x512`, not {quoted(text)}. Nothing was started."


SIZE_IS_FOR_WORDS = (
    "`--size` is for pictures made from words alone; a reply keeps the shape of the picture it starts from."
    " Nothing was started."
)


def unknown_sampler(text: str, nearest: str | None, known: Sequence[str], model: str) -> str:
    return (
        f"I don't know the sampler {quoted(text)} for the model {model}. {_did_you_mean(nearest)}"
        f"It has {_listed(known)}. Nothing was started."
    )


def unknown_model(text: str, nearest: str | None, known: Sequence[str]) -> str:
    return (
        f"I don't know the model {quoted(text)}. {_did_you_mean(nearest)}I know {_listed(known)}."
        " Nothing was started."
    )


def _did_you_mean(nearest: str | None) -> str:
    return f"Did you mean `{nearest}`? " if nearest else ""


# Forms, and what was typed

REFINE_TITLE = "Refine this picture"
SKETCH_TITLE = "Use as sketch"
PROMPT_LABEL = "Prompt"
PROMPT_HELP = "In a few words: what it should become"
NEGATIVE_LABEL = "Not in it"
STRENGTH_LABEL = "Strength"
FLAGS_LABEL = "More options"
FLAGS_EXAMPLE = "--steps 40 --n 2 --sampler euler"
FILE_LABEL = "Another picture to start from"
FILE_HELP = (
    "Your own drawing instead of this picture: PNG, JPEG or WEBP. Leave it empty to go on from this one."
)
EDIT_FORM = "Edit and send again"
FORM_IS_OLD = (
    "I was started again since you opened that form, and no longer have the picture it was about. Use the menu of the"
    " message once more. Nothing was started."
)
ATTACH_ONCE_MORE = "Attach your picture once more when you send it again."
NO_PICTURE_IN_MESSAGE = (
    "That message has no picture attached: I can use files that people attached, and my own pictures. Pictures of links"
    " do not count."
)


def flags_help(flags: Sequence[str]) -> str:
    return f"As in a reply: {', '.join(f'--{flag}' for flag in flags)}"


def only_flags(words: str, known: Sequence[str]) -> str:
    return (
        f"{quoted(words)} is no option. Here I take only {_listed(f'`--{flag}`' for flag in known)}, each with"
        " its value. Nothing was started."
    )


def flag_has_a_field(flag: str) -> str:
    return f"`--{flag}` has a field of its own in this form: type it there. Nothing was started."


def for_copying(text: str) -> str:
    """What somebody typed, as a block that Discord lets people copy and in which nothing is formatted."""
    lines = "\n".join(_UNSEEN.sub("", text).splitlines())
    return f"```\n{_without_towers(lines).replace('``', _BROKEN_FENCE)}\n```"


_BROKEN_FENCE = "`\u200b`"  # three in a row would end the block, so there are never more than two


def with_what_was_typed(sentence: str, typed: str) -> str:
    """As much of it as a message of 2,000 characters holds."""
    room = 1980 - len(sentence)
    block = for_copying(typed)
    return f"{sentence}\n{block}" if len(block) <= room else f"{sentence}\n{for_copying(typed[: room // 2])}"


def with_fields(sentence: str, fields: Iterable[tuple[str, str]]) -> str:
    """The same for a form: a block for each field, so that each can be copied into its own."""
    given = [(label, text) for label, text in fields if text.strip()]
    for room in (1000, 300, 100):  # a field of nothing but backticks takes more than it has
        blocks = (f"**{label}**\n{for_copying(text[:room])}" for label, text in given)
        message = "\n".join([sentence, *blocks])
        if len(message) <= MESSAGE_LENGTH:
            break
    return message


MESSAGE_LENGTH = 2000
"""What Discord lets a message hold."""


def fields_in(message: str) -> dict[str, str]:
    """Label → text of what `with_fields` made."""
    return {label: text.replace(_BROKEN_FENCE, "``") for label, text in _FIELD.findall(message)}


_FIELD = re.compile(r"^\*\*([^*\n]+)\*\*\n```\n(.*?)\n```$", re.MULTILINE | re.DOTALL)


def first_of_message(count: int) -> str:
    return f"That message has {count} pictures; I took the first."


# Going on from other people's pictures

SHARES_EVERYONE = "Everyone here may go on from your pictures."
SHARES_MINE = "Only you may go on from your pictures; others still see them."
SHARE_WITH_EVERYONE, SHARE_WITH_NOBODY = "Everyone may", "Only I"


def not_shared(number: int, author: int) -> str:
    return (
        f"Picture {number} is <@{author}>'s, who keeps it for themselves. Go on from one of your own, or ask them for"
        " `/share everyone`. Nothing was started."
    )


# Deleting

DELETE, DELETE_FOR_GOOD = "Delete", "Delete for good"
NOT_FOR_YOU_TO_DELETE = "Only the person who made it, the Scene's owner or a moderator may delete this."
DELETED_ALREADY = "That is deleted already."
PICTURE_WAS_DELETED = "That picture was deleted, so I cannot go on from it. Nothing was started."
SOURCE_WAS_DELETED = "The picture it starts from was deleted. Nothing was charged."


def really_delete(numbers: Sequence[int], *, card: bool, running: bool) -> str:
    what = [_pictures(numbers)] if numbers else []
    what += ["this card"] if card else []
    stops = " The job is stopped." if running else ""
    return f"Delete {_listed(what)} for good?{stops} What was made from it stays."


def deleted(numbers: Sequence[int]) -> str:
    return f"Deleted {_pictures(numbers)}." if numbers else "Deleted."


def _pictures(numbers: Sequence[int]) -> str:
    return f"{'picture' if len(numbers) == 1 else 'pictures'} {_listed(str(number) for number in numbers)}"


# More…

MORE = "More…"
MORE_HISTORY, MORE_HISTORY_HELP = "Pictures so far", "Every picture of this Scene, and back to one"
MORE_RECIPE, MORE_RECIPE_HELP = "Recipe", "How this was made, as a command to copy and change"
MORE_SHARE, MORE_SHARE_HELP = "Sharing", "Who may go on from your pictures"
NOT_A_CHOICE = "That is not offered any more. Open the list once more."


def more_delete(number: int) -> str:
    return f"Delete picture {number}"


def more_delete_help(candidate: int) -> str:
    return f"Only number {candidate} of this card"


def recipe_of_sketch(command: str, number: int | None) -> str:
    which = f" (picture {number})" if number is not None else ""
    return f"Attach the sketch{which} and send this:\n{for_copying(command)}"


def recipe_of_words(command: str) -> str:
    return f"Send this:\n{for_copying(command)}"


def recipe_of_reply(words: str, number: int | None) -> str:
    what = f"picture {number}" if number is not None else "the picture it started from"
    return f"Reply to {what} with this:\n{for_copying(words)}"


# Pictures that people send

NOT_A_PICTURE = "That file is not a picture I can read. Send a PNG, JPEG or WEBP."
DAMAGED_PICTURE = "That picture is damaged or was cut short on its way. Save it again and send it once more."
PICTURE_TOOK_TOO_LONG = (
    "That picture took too long to read, so I left it. Save it again as PNG or JPEG and send that."
)
PICTURE_NOT_LOADED = "Discord did not hand me that file. Attach it once more."
FIRST_FRAME_ONLY = "That picture moves: I used its first frame."
TRANSPARENT_BECAME_WHITE = "Its transparent parts count as white."
LATENTS_WERE_GONE = "I no longer had all of that picture's data, so I went on from what can be seen of it."


def picture_too_heavy(size: int, limit: int) -> str:
    return f"That file has {size / 2**20:.1f} MB; I read at most {limit / 2**20:.0f} MB. Send a smaller one."


def picture_too_large(size: Size, limit: int, limit_of_jpeg: int) -> str:
    seen = f"That picture has {size} pixels" if size.area else "That picture has far too many pixels"
    return (
        f"{seen}; I read at most {limit / 1e6:.0f} million, or {limit_of_jpeg / 1e6:.0f} million of a JPEG."
        " Scale it down and send it again."
    )


def scaled_down(old: Size, new: Size) -> str:
    return f"It had {old} pixels; I kept {new}."


def more_than_one_picture(count: int) -> str:
    return f"You sent {count} pictures; I took the first."


# Limits


def too_many_steps(wanted: int, limit: int) -> str:
    return f"{wanted} steps are more than the {limit} that are allowed here. Nothing was started."


def too_many_candidates(wanted: int, limit: int) -> str:
    return f"{wanted} pictures at once are more than the {limit} that are allowed here. Nothing was started."


def person_waits_enough(waiting: int, limit: int) -> str:
    return (
        f"You have {_count(waiting, 'job')} waiting or running, and {limit} is the most here."
        " Wait for one to finish, or cancel one on its card."
    )


def server_waits_enough(waiting: int, limit: int) -> str:
    jobs = _count(waiting, "job")
    return f"This server has {jobs} waiting or running, and {limit} is the most. Try again in a little while."


LIMITS_RESET = "All limits of this server are back to their defaults."
NO_LIMIT_NAMED = "Name at least one limit to set."


def switch(is_on: bool) -> str:
    return "on" if is_on else "off"


def limits_table(rows: Iterable[tuple[str, int | str, bool]]) -> str:
    """One line per rule: its name, its value, and whether this server set it."""
    lines = (f"- **{name}**: {value}" + (" (set here)" if own else "") for name, value, own in rows)
    return "The limits of this server:\n" + "\n".join(lines)


def limits_changed(changes: Iterable[tuple[str, int | str, int | str]]) -> str:
    lines = (f"- **{name}**: {old} → {new}" for name, old, new in changes)
    return "From now on:\n" + "\n".join(lines)


# Places and people


def missing_permissions(names: Sequence[str], place: str) -> str:
    return (
        f"I may not {_listed(names, last='or')} in {place}. Ask somebody who manages this server to allow it,"
        " then try again. Nothing was started."
    )


STAYED_IN_CHANNEL = "I could not open a thread here, so I stay in this channel."
NOT_FOR_YOU_TO_CANCEL = "Only the person who asked, the Scene's owner or a moderator may cancel this."
ONLY_WHERE_I_CAN_WRITE = "I can draw only where I can write: in a text channel, a thread or a direct message."
PLACE_IS_CLOSED = "I may not post in that Scene's thread any more."
PLACE_IS_GONE = "The channel or thread of this job is gone, or closed to me. Nothing was charged."
DISCORD_IS_UNWELL = "Discord did not take my message just now. Try again in a moment."
CARD_REFUSED = "Discord did not take the card with the pictures. They are kept: see /history."
NOT_OVER_YET = "That one has no picture yet. Wait until it is done, then go on from it."
NO_PICTURES_CAME = "That one ended without a picture, so there is nothing to go on from."
SCENE_CARD_GONE = "I no longer know that picture, so I cannot go on from it."
ONLY_IN_SERVERS = "This works only inside a server."


def thread_deleted(title: str) -> str:
    return f"The thread of “{plain(title)}” was deleted, so its jobs were stopped. Nothing was charged."


PING_IS_OFF = (
    "I can see that you answered me, but not what you wrote: Discord shows me a reply only when its ping is on."
    " Send it again with **@ ON** (at the right of the reply bar)."
)
EMPTY_REPLY = "Tell me in the reply what to change, or attach a picture to go on from."

# The line

ALREADY_OVER = "That job is over already."


def accepted(place: int, seconds: float | None, where: str) -> str:
    return f"You are {position(place, seconds)}, in {where}."


def position(place: int, seconds: float | None) -> str:
    in_line = "next" if place == 1 else f"{ordinal(place)} in line"
    return in_line if seconds is None else f"{in_line}, {about(seconds)}"


def about(seconds: float) -> str:
    """A rounded estimate: nobody believes 'about 17.3 s'."""
    if seconds < 10:
        return f"about {max(1, round(seconds))} s"
    if seconds < 100:
        return f"about {round(seconds / 5) * 5} s"
    return f"about {round(seconds / 60)} min"


def ordinal(number: int) -> str:
    suffix = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def accepted_at_once(where: str) -> str:
    return f"I am on it, in {where}."


# Cards

DONE = "Done."
STARTING = "Starting …"
PICTURE_FILE_GONE = "The stored file of that picture is gone, so I cannot go on from it. Nothing was charged."
CANCELLED = "Cancelled. Nothing was charged."
INTERNAL_ERROR = "Something broke on my side. Nothing was charged; please try again."
ENGINE_RESTARTED = (
    "The engine stopped in the middle and is starting again; this job runs once more by itself."
)
WORKER_KEEPS_YOUR_PLACE = "Your place in the line is kept."


def waiting(place: int, seconds: float | None, status: EngineStatus) -> str:
    line = in_line(place, seconds)
    trouble = engine_trouble(status)
    return f"{line} {trouble}" if trouble else line


def engine_trouble(status: EngineStatus) -> str:
    """What keeps the line from moving, empty when nothing does."""
    match status.state:
        case EngineState.READY | EngineState.BUSY:
            return ""
        case EngineState.STARTING:
            return f"The engine is starting{f': {status.detail}' if status.detail else ''}."
        case EngineState.SETUP_FAILED:
            return f"The engine could not be set up: {status.detail} {WORKER_KEEPS_YOUR_PLACE}"
        case _:
            return f"The engine is not answering and will be started again. {WORKER_KEEPS_YOUR_PLACE}"


def running(step: int, steps: int, samples: int) -> str:
    done = f"Step {step} of {steps}"
    return done if samples == 1 else f"{done}, {samples} pictures"


def no_longer_allowed(sentence: str) -> str:
    return f"The rules changed while this waited. {sentence} Nothing was charged."


def held(why: str) -> str:
    """On the card, and to the person who asked. why: a sentence."""
    return f"A moderator has to let this through first: {why} Nothing is charged until then."


def failed(sentence: str) -> str:
    return f"{sentence} Nothing was charged."


def what_was_done(request: ImageRequest, source: Size | None, seconds: float | None) -> str:
    """One plain line: '1600×900 as 704×384 cropped to 683×384, strength 0.75: 22 of 30 steps, seed 4711, 6.2 s'."""
    window = request.init.window if request.init is not None else None
    drawn = frame_line(request.frame, window.size if window else source)
    parts = [f"a part of {drawn}" if window else drawn, steps_line(request), _seeds(request.seeds)]
    if seconds is not None:
        parts.append(f"{seconds:.1f} s")
    return ", ".join(parts)


HALF_PRECISION_RAN_OVER = "Half precision ran over, so it was computed again in float32. That took longer."


def frame_line(frame: Frame, source: Size | None) -> str:
    line = f"{source} as {frame.canvas}" if source and source != frame.canvas else f"{frame.canvas}"
    return f"{line} cropped to {frame.content}" if frame.cropped else line


def steps_line(request: ImageRequest) -> str:
    if request.init is None:
        planned = request.planned_steps  # LCM runs fewer than may be asked for
        return f"{planned} steps" if planned == request.steps else f"{planned} of {request.steps} steps"
    if request.strengths:
        run = [request.steps_of(sample) for sample in range(len(request.seeds))]
        listed = _listed(f"{strength:g}" for strength in request.strengths)
        return f"strengths {listed}: {min(run)} to {max(run)} of {request.steps} steps"
    line = f"strength {request.strength:g}: {request.planned_steps} of {request.steps} steps"
    if int(request.steps * request.strength) == 0:
        line += " (fewer than one was asked for)"
    return line


def _seeds(seeds: Sequence[int]) -> str:
    return f"seed {seeds[0]}" if len(set(seeds)) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"


def made_with(model: ModelInfo, prompt: str) -> list[str]:
    """What should be known of the model: its title and the words it was never taught, if it lists any; its notice."""
    lines = []
    if model.vocabulary is not None:
        lines.append(plain(model.title, 60))
        if unknown := unknown_words(prompt, model.vocabulary):
            lines.append(not_known(unknown))
    return [*lines, model.notice] if model.notice else lines


def not_known(words: Sequence[str]) -> str:
    """A few by name, the rest by number."""
    more = len(words) - _MOST_NAMED
    named = ", ".join(plain(word, 30) for word in words[:_MOST_NAMED])
    return f"I don't know: {named}" + (f" and {_count(more, 'more word')}" if more > 0 else "")


_MOST_NAMED = 8


def goes_on_from(number: int, candidate: int | None, *, chosen: bool) -> str:
    """Which Picture a reply without a number went on from; candidate: None where there was nothing to choose."""
    if candidate is None:
        return f"From picture {number}."
    return f"From picture {number} ({'your pick' if chosen else 'the first'} on that card)."


def kind(kind: JobKind) -> str:
    return _KINDS[kind]


_KINDS = {
    JobKind.SKETCH: "from a sketch",
    JobKind.IMAGINE: "from words",
    JobKind.REPLY: "refined",
    JobKind.AGAIN: "once more",
    JobKind.SUBTLE: "a subtle change",
    JobKind.STRONG: "a strong change",
    JobKind.REPAINT: "a part repainted",
    JobKind.PIECE: "a piece",
    JobKind.HARMONISE: "harmonised",
    JobKind.STRIP: "a strip of strengths",
}


def alt_text(prompt: str, candidate: int, strength: float | None = None) -> str:
    """strength: where that is what tells it from the others of its card."""
    which = f"Candidate {candidate}" if strength is None else f"Candidate {candidate}, strength {strength:g}"
    return f"{which}: {unformatted(prompt, 1024)}"[:1024]


def preview_alt_text(prompt: str) -> str:
    return f"Preview: {unformatted(prompt, 1024)}"[:1024]


def sketch_alt_text(prompt: str) -> str:
    return f"What it starts from: {unformatted(prompt, 1024)}"[:1024]


def button(action: Action, candidate: int, strength: float | None = None) -> str:
    if action is not Action.PICK:
        return _BUTTONS[action]
    return str(candidate) if strength is None else f"{strength:g}"


_BUTTONS = {
    Action.AGAIN: "Again",
    Action.SUBTLE: "Subtle",
    Action.STRONG: "Strong",
    Action.REFINE: "Refine…",
    Action.CANCEL: "Cancel",
    Action.WHOLE: "Whole picture instead",
}


def picks(by_person: Sequence[tuple[int, int]], strengths: Sequence[float] = ()) -> str:
    """strengths: of each candidate, where that is what tells them apart."""
    shown = [
        f"<@{person}> goes on from {f'strength {strengths[candidate - 1]:g}' if strengths else candidate}"
        for person, candidate in by_person[:5]
    ]
    more = len(by_person) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more > 0 else "")


def took_a_while(person: int) -> str:
    return f"<@{person}> your picture is ready."


# History

UPLOADED = "an uploaded picture"
NO_PICTURES_YET = "This Scene has no pictures yet. Wait for the first one."
NO_SCENE_HERE = "There is no Scene here yet. Start one with /sketch or /imagine."
HISTORY_PLACEHOLDER = "Go back to a picture"


HISTORY_OLDER, HISTORY_NEWER = "Older pictures…", "Newer pictures…"
ALL_DELETED = "All pictures of this Scene were deleted. Begin anew with /sketch or /imagine."


def history_title(title: str, count: int) -> str:
    return f"**{plain(title)}**: {_count(count, 'picture')}. Choose one below to go back to it, and branch from there."


def history_label(shown: Shown) -> str:
    words = shown.request.prompt if shown.request is not None else shown.picture.made
    return f"{shown.picture.number}: {unformatted(words or UPLOADED, 100)}"[:100]


def history_description(shown: Shown, *, is_current: bool) -> str:
    how = came_about(shown)
    return (f"{how}, your current one" if is_current else how)[:100]


def came_about(shown: Shown) -> str:
    """In a few words, without formatting."""
    if shown.kind is not None:
        return kind(shown.kind)
    return unformatted(shown.picture.made or _WITHOUT_A_MODEL[shown.picture.kind], 60)


_WITHOUT_A_MODEL = {
    PictureKind.UPLOADED: "uploaded",
    PictureKind.GENERATED: "drawn",
    PictureKind.PAINTED: "painted over",
    PictureKind.CUT: "cut out",
    PictureKind.COMPOSED: "put together",
    PictureKind.SHAPED: "shaped",
}


def strength_in_short(shown: Shown) -> str:
    """Below a thumbnail; empty where no picture was gone on from."""
    request = shown.request
    return (
        f"{request.strength_of(shown.sample):g}" if request is not None and request.init is not None else ""
    )


SOMEBODY = "somebody"


def back_to(number: int, person: int) -> str:
    return f"<@{person}> is back at picture {number}. Reply to this message to go on from it."


def history_alt_text(current: int | None, numbers: Sequence[int]) -> str:
    yours = f" Your current one is {current}." if current is not None else ""
    listed = f"{numbers[0]} to {numbers[-1]}" if len(numbers) > 1 else str(numbers[0])
    return f"The pictures {listed} of this Scene as a tree, each linked to the one it came of.{yours}"


def went_back(number: int, where: str | None) -> str:
    """where: a link, None if it is right here."""
    return f"You are back at picture {number}; it is {'the newest message here' if where is None else f'in {where}'}."


# Help

HELP = """\
**A crude drawing and a few words become a picture, round by round.** Try one of these:
- `/sketch` with your drawing as **image** and `the surface of the moon` as **prompt**. With a **strength** of 0.2 it \
stays as you drew it, with 0.9 it mostly follows the words.
- `/imagine` with `an apple on the beach` as **prompt** makes a first picture from words alone.
- `/strip` tries a drawing at five strengths, `/style` has styles like crayon, `/edit` crops, extends, turns, compares.
- **Reply** to a picture (with **@ ON**) to go on from it: `at night --strength 0.5`, or attach a drawing. \
Send back a copy that you painted on, and only that part is drawn anew; `/repaint` does it by name.
- `/piece` cuts a part out or takes a file, `/place` lays it over a picture, `/harmonise` melts its edges in; \
`/pieces` shows yours.
- Buttons: **1**, **2** … pick one, **Again** makes others, **Subtle** and **Strong** change it, **Refine…** asks \
what to change, **Cancel** stops; **More…** has the rest.
- Hold or right-click a message with a picture, then **Apps**: `Use as sketch`, `Refine this picture`, `Show recipe`.
- `/history` shows every picture as a tree and goes back to one, `/undo` and `/redo` take a step; `/timelapse` shows \
the way as a film, `/export` packs everything. `/queue` lists your jobs that wait or run.
- `/share` says who may go on from your pictures, `/limits` what may be asked in a server, `/about` what I keep."""

HELP_PLACEHOLDER = "Show all of one group"
HELP_HAS_CHANGED = "What that model knows has changed since. Use /help once more."
OTHER_WORDS = "other words"


def knows(title: str, groups: Iterable[tuple[str, Sequence[str]]]) -> list[str]:
    """A model's title, then a line with everything in each group."""
    lines = (f"- **{plain(group, 60)}**: {_all_of(names)}" for group, names in groups)
    return [f"{_bold(title)} knows these words; its cards name those that it does not know.", *lines]


def knows_in_short(title: str, groups: Iterable[tuple[str, Sequence[str]]]) -> list[str]:
    """The same with a few examples and a number for each group."""
    lines = (
        f"- **{plain(group, 60)}** ({len(names)}): {_all_of(names[:4])}" + (", …" if len(names) > 4 else "")
        for group, names in groups
    )
    return [f"{_bold(title)} knows words such as these; its cards name those that it does not know.", *lines]


def knows_of_group(title: str, group: str, names: Iterable[str]) -> str:
    return f"{_bold(title)}, {plain(group, 60)}: {_all_of(names)}"


def group_label(group: str, part: int) -> str:
    """One entry of a select; part: 1 is not said."""
    return unformatted(group, 90) + ("" if part == 1 else f" ({part})")


def group_description(names: Sequence[str]) -> str:
    return unformatted(", ".join(names), 100)


def _all_of(names: Iterable[str]) -> str:
    return ", ".join(known_name(name) for name in names)


def _bold(title: str) -> str:
    return f"**{plain(title, 60)}**"


def known_name(name: str) -> str:
    return plain(name, 60)


# One's own jobs, and what is said about the bot

QUEUE_IS_EMPTY = (
    "You have nothing waiting or running. Begin with `/sketch` or `/imagine`, or reply to a picture to go on"
    " from it."
)
CANCEL_IN_QUEUE = "Cancel"
RUNS_NOW = "Running."


def queue_title(count: int, shown: int) -> str:
    left_out = f" (the first {shown})" if shown < count else ""
    return f"**You have {_count(count, 'job')} waiting or running**{left_out}"


def in_line(place: int, seconds: float | None) -> str:
    """One's place as a sentence; 0: about to join the line or to leave it."""
    line = position(place, seconds) if place else "in line"
    return f"{line[0].upper()}{line[1:]}."


def queue_entry(prompt: str, state: str, place_id: int, card: str | None) -> str:
    """card: a link to it, None before it is posted."""
    where = f" [Its card]({card}) is in <#{place_id}>." if card is not None else ""
    return f"**{plain(prompt, 80)}**\n{state}{where}"


def message_link(guild_id: int | None, channel_id: int, message_id: int) -> str:
    return f"https://discord.com/channels/{guild_id or '@me'}/{channel_id}/{message_id}"


WHAT_IS_KEPT = (
    "**What I keep**, on the machine that I run on: what you ask for, the pictures you send me (made anew, without"
    " anything a camera wrote into them), those that come of them, and the ids of people, servers and channels. No"
    " names, and no messages but those that ask me for a picture. Nothing of it ends by itself: it stays until"
    " somebody deletes it (**More…** on a card, then **Delete**)."
)


def about_version(version: str, began: int) -> str:
    """began: seconds since 1970; Discord says it as each reader does."""
    return f"**Moonsketch {plain(version)}**, running since <t:{began}:f> (<t:{began}:R>)"


def about_engine(status: EngineStatus) -> str:
    match status.state:
        case EngineState.READY:
            return "The engine is ready."
        case EngineState.BUSY:
            return "The engine is drawing."
        case _:
            return engine_trouble(status)


def about_models(models: Sequence[ModelInfo], count: int) -> str:
    """One line per model, the default first."""
    lines = [
        f"- {_bold(model.title)} (`{model.name}`{', the default' if number == 0 else ''})"
        + (f", version {model.version[:12]}" if model.version else ", not fetched yet")
        for number, model in enumerate(models)
    ]
    more = count - len(models)
    return "\n".join([*lines, *([f"- and {more} more"] if more > 0 else [])])


def about_source(licence: str, url: str) -> str:
    """What is not known is not said."""
    parts = [f"Free software ({licence} licence)." if licence else "", f"Source: <{url}>" if url else ""]
    return " ".join(part for part in parts if part)


NAMELESS_SCENE = "a new Scene"


def thread_is_locked(place: str) -> str:
    return (
        f"{place} is locked, so I cannot post there. Ask a moderator to unlock it, or begin in another channel."
        " Nothing was started."
    )


# The Scene: regions, placing, shaping

_REGION_EXAMPLES = (
    "Name cells like `B2`, `B2:D4` or `ellipse C3:E5`, words like `top left`, "
    "or percents like `10,20-40,60%`."
)
REGION_EMPTY = f"Say which part of the picture you mean. {_REGION_EXAMPLES} Nothing was started."
PERCENTS_OUTSIDE = (
    "Percents go from 0 to 100, counted from the top left: `10,20-40,60%` is the part from 10 % to 40 % across and"
    " from 20 % to 60 % down. Nothing was started."
)
REGION_TOO_SMALL = (
    "That part is so small that there is nothing in it. Take a bigger one: `B2` is one cell of the grid."
    " Nothing was started."
)
MASK_IS_EMPTY = (
    "Nothing in that mask says what to repaint. Paint that part white and the rest black, or erase it to"
    " transparency, and send it again. Nothing was started."
)
MASK_IS_FULL = (
    "That mask covers the whole picture. To draw all of it anew, reply to the picture with what it should become;"
    " otherwise leave black what should stay. Nothing was started."
)
MASK_HAS_COLOURS = (
    "A mask is black and white, or has transparent parts, and that file has colours. If you painted on the"
    " picture, reply to it with your file instead. Nothing was started."
)
PIECE_IS_INVISIBLE = "Nothing of that piece can be seen: all of it is transparent. Choose another part."
NO_CORNER_LEFT = "Turned that far, nothing of this picture is left. Turn it less, or by 90."


def region_unknown(word: str, nearest: str | None) -> str:
    return f"I don't know the place {quoted(word)}. {_did_you_mean(nearest)}{_REGION_EXAMPLES} Nothing was started."


def too_many_parts(count: int, limit: int) -> str:
    return f"Those are {count} parts; I take {limit} at once. Name ranges like `B2:D4` instead. Nothing was started."


def cell_outside(cell: str, last: str, nearest: str) -> str:
    return (
        f"`{cell}` lies outside the picture: its grid goes from `A1` at the top left to `{last}` at the bottom"
        f" right. The nearest cell is `{nearest}`. Nothing was started."
    )


def place_unknown(word: str, nearest: str | None) -> str:
    return (
        f"I don't know the place {quoted(word)}. {_did_you_mean(nearest)}Name a cell like `B2`, words like"
        " `top left`, or percents like `30%,40%`."
    )


def mask_has_another_shape(mask: Size, picture: Size) -> str:
    return (
        f"That mask has {mask} pixels and the picture {picture}: the shapes differ, so I can't tell what lies where."
        " Make the mask from a saved copy of the picture. Nothing was started."
    )


def piece_too_small(size: Size, least: int) -> str:
    return f"That would be a piece of {size} pixels; it needs {least} each way. Take a bigger part."


def share_out_of_range(low: float, high: float) -> str:
    return f"A picture grows by {low:.0%} to {high:.0%} of its side at a time. Nothing was changed."


def becomes_too_large(size: Size, limit: int) -> str:
    return f"It would have {size} pixels; {limit} on the longer side is the most. Nothing was changed."


# The Scene: pieces, placing and harmonising

PIECE_NEEDS_WORDS = (
    "Options like strength are for drawing the piece anew: say in **prompt** what it should become, or leave them out."
    " Nothing was started."
)
NO_FLAT_BACKGROUND = (
    "I see no flat background there: the edge has many colours. Cut the piece out by a **region** instead, for"
    " instance `ellipse B2:D4`. Nothing was started."
)
NO_FLAT_BACKGROUND_HERE = "That piece has no flat background that I could take away."
NO_PIECES_YET = (
    "You have no pieces here yet. Cut one out of a picture with `/piece region: B2:D4`, or attach a drawing there as"
    " **file**."
)
PIECES_PLACEHOLDER = "Place one onto your current picture"
PLACE_BUTTON, SEAMS_BUTTON, WHOLE_BUTTON = "Place…", "Mend the seams…", "Harmonise…"
MORE_PLACE, MORE_PLACE_HELP = "Place it", "Lay this picture over your current one, as a piece"
PLACE_AND_SEAMS, PLACE_AND_WHOLE = "Place, mend the seams…", "Place, harmonise…"
SEAMS_TITLE, WHOLE_TITLE = "Mend the seams", "Harmonise all of it"
ONLY_PIECE_OF_DRAFT = "That is the only piece here. Press Discard to give up this placing."
NOTHING_TO_UNDO = "There is nothing left to undo here."
ONTO_ITSELF = (
    "That is the very picture you are placing onto. Go to another one first (`/history`), or cut a piece out of it with"
    " `/piece`."
)
NOTHING_TO_PLACE = "Say which **piece** to place: its name, or a picture like `#3`. `/pieces` shows yours."
NOT_YOUR_DRAFT = (
    "Only the person who is placing here may press these. Use /place to place something yourself."
)
DRAFT_IS_GONE = "I no longer know that placing. Use /place to begin another."
DRAFT_WAS_DISCARDED = "That placing was discarded. Press Undo there to have it back."
DRAFT_PIECES_DELETED = (
    "The pieces of that placing were deleted, so it is discarded. Use /place to begin another."
)
PIECE_OF_DRAFT_DELETED = (
    "A piece of it was deleted meanwhile. Use /place to see it without, then press Place."
)
DRAFT_MESSAGE_GONE = "The message with your placing was deleted. It is kept: use /place to see it again."
DRAFT_IS_NO_PICTURE = (
    "That is a placing in progress, not a picture yet. Press Place first, "
    "then reply to the picture that comes."
)
DRAFT_DISCARDED = "Discarded; nothing was charged."
DRAFT_LEGEND = (
    "The arrows move it, ➖ ➕ change its size, ↺ ↻ turn it, ↔️ mirrors it. Nothing is charged for placing."
)
DRAFT_ALT_TEXT = "What it will look like."
NO_SEAMS_KNOWN = (
    "I know where seams are only in a picture that has just been placed together. Harmonise the whole of this one, or"
    " use /repaint for a part of it. Nothing was started."
)
NO_SEAM_THERE = (
    "There is no seam to be seen: no piece ends within the picture. Harmonise the whole of it instead. Nothing was"
    " started."
)
SEAMS_OF_DELETED = (
    "A piece of it was deleted, so I cannot tell any more where the seams are. Harmonise the whole of it instead."
    " Nothing was started."
)
SEAMS_ONLY = "Only the seams were drawn anew."
_PRESSES = {
    Press.LEFT: "⬅️",
    Press.UP: "⬆️",
    Press.DOWN: "⬇️",
    Press.RIGHT: "➡️",
    Press.UNDO: "↩️ Undo",
    Press.SMALLER: "➖",
    Press.BIGGER: "➕",
    Press.TURN_LEFT: "↺",
    Press.TURN_RIGHT: "↻",
    Press.FLIP: "↔️",
    Press.CUT_OUT: "✂️ Background",
    Press.FRONT: "🔼 Front",
    Press.BACK: "🔽 Back",
    Press.NEXT: "⏭️ Next",
    Press.REMOVE: "🗑️ Piece",
    Press.PLACE: "Place",
    Press.DISCARD: "Discard",
}


def press(press: Press) -> str:
    return _PRESSES[press]


def piece_name(number: int) -> str:
    """Of one that nobody named."""
    return f"piece {number}"


def name_of(piece: Picture) -> str:
    """What people call it; any picture can be placed."""
    return piece.piece or f"picture {piece.number}"


def grid_of_picture(number: int) -> str:
    return (
        f"This is picture {number} with its grid. Send `/piece` with a **region**: {_REGION_EXAMPLES} With a **name**"
        " alone the whole picture becomes a piece, with a **file** your own drawing does."
    )


def cut_out_of(number: int) -> str:
    return f"cut out of picture {number}"


def piece_of(name: str, number: int) -> str:
    return f"The piece {quoted(name)} is cut out of picture {number}."


def piece_made(name: str, person: int, number: int) -> str:
    return (
        f"<@{person}> has a new piece, {quoted(name)} (picture {number}). Press *{PLACE_BUTTON}* or use `/place` to lay"
        " it over a picture; reply to this message to draw it anew."
    )


def piece_is_kept(name: str, number: int, where: str | None) -> str:
    """where: None if it could not be shown."""
    shown = f"in {where}" if where else "kept, though I could not show it in its Scene just now"
    return f"The piece {quoted(name)} is picture {number}, {shown}. `/place` lays it over a picture."


def piece_unknown(name: str, nearest: str | None) -> str:
    return (
        f"I don't know a piece {quoted(name)} here. {_did_you_mean(nearest)}`/pieces` shows yours; `#3` is picture 3 of"
        " this Scene."
    )


def pieces_title(count: int) -> str:
    newest = ", the newest first" if count > 1 else ""
    return f"**Your pieces**{newest}. Choose one to lay it over your current picture, or use `/place`."


def pieces_alt_text(names: Sequence[str]) -> str:
    return f"Pieces: {unformatted(', '.join(names), 1000)}"


def piece_label(position: int, name: str) -> str:
    return f"{position}: {unformatted(name, 90)}"


def piece_whereabouts(number: int, title: str, *, is_here: bool) -> str:
    return f"picture {number}" if is_here else f"picture {number} of “{unformatted(title, 70)}”"


def piece_choice(name: str, whereabouts: str) -> str:
    return f"{unformatted(name, 40)} · {whereabouts}"[:100]


def too_many_pieces(limit: int) -> str:
    return f"{limit} pieces are the most in one placing. Place these first, then go on with the picture that comes."


def draft_title(names: Sequence[str], selected: int, base: int) -> str:
    which = f"**{plain(names[selected], 60)}**"
    if len(names) > 1:
        which += f" ({selected + 1} of {len(names)}, counted from the back)"
    return f"Placing onto picture {base}: the buttons move {which}."


def draft_is_here(name: str, where: str | None, base: int, current: int) -> str:
    """where: a link, None if it is right here. current: the picture it would be onto if it were begun now."""
    sentence = (
        f"{quoted(name)} lies on picture {base}: move it with the buttons{f' in {where}' if where else ''}."
    )
    if base != current:
        sentence += (
            f" It joined what you were placing there; discard that first to place onto picture {current}."
        )
    return sentence


def pieces_were_deleted(count: int) -> str:
    return f"{_count(count, 'piece')} of it {'was' if count == 1 else 'were'} deleted and taken out."


def placed_onto(names: Sequence[str], base: int) -> str:
    unique = list(dict.fromkeys(names))
    listed = _listed(f"“{unformatted(name, 40)}”" for name in unique[:5])
    more = f" and {len(unique) - 5} more" if len(unique) > 5 else ""
    return f"{'piece' if len(unique) == 1 else 'pieces'} {listed}{more} placed onto picture {base}"


def placed_picture(person: int, made: str, number: int) -> str:
    return (
        f"<@{person}>: {plain(made, 300)}; it is picture {number} now. Press *{SEAMS_BUTTON}* to melt the edges in,"
        f" *{WHOLE_BUTTON}* to give all of it one light and style, or reply to it to go on."
    )


def is_placed_already(number: int) -> str:
    return f"That is placed already: it is picture {number}. See /history."


def placed_but(number: int, sentence: str) -> str:
    return f"It is placed as picture {number}, but was not harmonised: {sentence}"


# Helpers


def plain(text: str, limit: int = 200) -> str:
    """Words of a stranger as they are: no markdown, no mentions, one line, at most `limit` characters."""
    inline = "".join(
        f"\\{character}" if character in _MARKDOWN else character for character in unformatted(text, limit)
    )
    return _BLOCK.sub(r"\1\\\2", inline)


def unformatted(text: str, limit: int) -> str:
    """The same for where Discord formats nothing: labels, descriptions, names of threads.

    "…" for words of which nothing can be seen.
    """
    one_line = _without_towers(" ".join(_UNSEEN.sub("", text).split()))
    if one_line and not any(_can_be_seen(character) for character in one_line):
        return "…"
    return one_line if len(one_line) <= limit else one_line[: limit - 1] + "…"


def _can_be_seen(character: str) -> bool:
    return not character.isspace() and unicodedata.category(character) not in _SHAPELESS


def _without_towers(text: str) -> str:
    """Marks that are piled up on one letter reach into the messages above and below; no language needs that many."""
    kept, height = [], 0
    for character in text:
        height = height + 1 if unicodedata.category(character) in _PILED else 0
        if height <= _MOST_MARKS:
            kept.append(character)
    return "".join(kept)


_MOST_MARKS = 4
_PILED = frozenset({"Mn", "Me"})
_SHAPELESS = frozenset({"Cc", "Cf", "Cs"}) | _PILED
# The colon keeps addresses from becoming links, the slash "discord.gg/…" from becoming an invitation.
_MARKDOWN = frozenset("\\`*_~|[]()<@:/")
_BLOCK = re.compile(r"^(\d*)([#>+.-])")  # a heading, quotation or list, where the words begin a line
# Control characters; marks that would turn round the sentence in which the words are quoted; and what has no width.
# The joiners U+200C and U+200D stay: Persian, the languages of India and composed emoji are written with them.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    r"\ufff9-\ufffb\ud800-\udfff]"
)


def for_terminal(sentence: str) -> str:
    """A sentence made for Discord without the backslashes that `plain` put into it."""
    return re.sub(r"\\([^0-9A-Za-z\s])", r"\1", sentence)


def quoted(text: str) -> str:
    return f"“{plain(text, 60)}”"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _listed(items: Iterable[str], last: str = "and") -> str:
    words = list(items)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


# The Scene: back and forward, the whole of it, recipes

UNDO, REDO, SHOW_HERE = "Undo", "Redo", "Show here"
NOTHING_TO_REDO = (
    "There is nothing to redo: I go forward only along what you undid, until you make or pick another picture."
    " `/history` shows them all."
)
ONLY_PICTURE = (
    "This Scene has one picture on the way to where you are, so nothing would move yet. Make another first."
)
PACKING_FAILED = "This Scene has too many pictures to be described in one file, so I cannot pack it."


def at_the_root(number: int) -> str:
    return (
        f"Picture {number} is where this began: there is nothing before it to go back to. `/history` shows the other"
        " branches."
    )


def only_deleted_before(number: int) -> str:
    return f"All that came before picture {number} was deleted, so you stay there. `/history` shows what is left."


def stepped(number: int, before: int, deleted: Sequence[int], *, back: bool) -> str:
    """before: where one was. deleted: the tombstones that were passed."""
    said = [f"You are {'back' if back else 'forward'} at picture {number}; you were at {before}."]
    if deleted:
        said.append(f"I passed over {_pictures(deleted)}: deleted.")
    said.append(
        f"Commands go on from it, and so does **Refine…**; to reply to it, press **{SHOW_HERE}**. Nothing is lost:"
        f" `/{'redo' if back else 'undo'}` takes you back."
    )
    return " ".join(said)


def picture_alt_text(number: int) -> str:
    return f"Picture {number} of this Scene."


def shown_again(number: int, person: int) -> str:
    return f"<@{person}> shows picture {number}. Reply to this message to go on from it."


def was_shown(number: int, where: str | None) -> str:
    """where: a link, None if it is right here."""
    return (
        f"Picture {number} is {'the newest message here' if where is None else f'in {where}'}: reply to it."
    )


def no_picture_of_number(number: int, last: int) -> str:
    has = "only picture 1" if last == 1 else f"pictures 1 to {last}"
    return f"This Scene has no picture {number}: it has {has}. `/history` shows them."


def timelapse_shown(person: int, first: int, last: int, count: int, deleted: Sequence[int]) -> str:
    left_out = f" ({_pictures(deleted)} {'was' if len(deleted) == 1 else 'were'} deleted)" if deleted else ""
    return (
        f"<@{person}> shows the way from picture {first} to picture {last}: {_count(count, 'picture')}{left_out}."
        f" Reply to this message to go on from picture {last}."
    )


def timelapse_alt_text(first: int, last: int) -> str:
    return f"A film of how picture {first} became picture {last}, one picture after another."


def timelapse_posted(where: str | None) -> str:
    """where: a link, None if it is right here."""
    return f"The film is {'the newest message here' if where is None else f'in {where}'}."


def export_title(title: str) -> str:
    return f"**{plain(title)}**, packed: open `index.html` to look at it."


def export_part(number: int, count: int) -> str:
    return f"Part {number} of {count}."


def export_left_out(count: int, of: int) -> str:
    return (
        f"That is as much as I send at once, so {count} of {of} pictures are not in it: the oldest that are not on the"
        " way to your current one. Go back to one of them in `/history` and export once more to have those."
    )


def recipe_of_reply_with_file(words: str, number: int | None, upload: int) -> str:
    what = f"picture {number}" if number is not None else "the picture it started from"
    return f"Reply to {what} with this, and with picture {upload} as the file:\n{for_copying(words)}"


def recipe_of_menu(words: str, number: int | None) -> str:
    what = f"picture {number}" if number is not None else "the picture it started from"
    return f"Open the menu `Use as sketch` of {what} and fill in this (options below the prompt):\n{for_copying(words)}"


def recipe_of_part(words: str, number: int | None) -> str:
    what = f"picture {number}" if number is not None else "the picture it started from"
    return (
        f"Only a part of {what} was drawn anew, with this:\n{for_copying(words)}\nWhich part that was cannot be typed,"
        " but I keep it: **Again** on its card draws that part once more."
    )


def recipe_without_model(shown: Shown, parent: int | None) -> str:
    origin = f" It was made of picture {parent}." if parent is not None else ""
    return f"No model drew picture {shown.picture.number}: {plain(came_about(shown))}.{origin}"


def recipe_start_deleted(number: int) -> str:
    return f"Picture {number} was deleted, so nobody can do that any more."


HOW_IT_CAME_ABOUT = "**How it came about**"


def recipe_step(shown: Shown) -> str:
    """One picture of the way, as a line."""
    number, request = shown.picture.number, shown.request
    if shown.picture.deleted:
        return f"{number} {DELETED_PICTURE}"
    if request is None:
        return f"{number} {plain(came_about(shown))}"
    strength = f", strength {strength_in_short(shown)}" if request.init is not None else ""
    settings = f"{request.steps} steps{strength}, seed {request.seeds[shown.sample]}"
    return f"{number} {plain(came_about(shown))}: {quoted(request.prompt)}, {settings}"


def steps_left_out(count: int) -> str:
    return f"… and {_count(count, 'step')} in between"


FILE_SAYS_NOTHING = (
    "That file does not say how it was made. Programs write that into their PNG files, and many sites take it"
    " out again."
)
USE_WITH_RECIPE = "Use as sketch with this"
FILE_HAS_RECIPE = (
    "You wrote no prompt, and the file says what it was made with: here it is. Change what you like and send it."
    " Nothing was started yet."
)
PROMPT_OR_FILES = "In a few words: what it should become. Left empty, I look into the file for its own."


def recipe_of_file(command: str, *, from_sketch: bool, more: Sequence[str]) -> str:
    """What somebody else's file says. more: what it says that no command of ours can."""
    how = "Attach what it was made from and send this" if from_sketch else "Send this"
    rest = f"\nIt also says: {', '.join(plain(word, 80) for word in more)}." if more else ""
    return f"That file says how it was made. {how} for something like it:\n{for_copying(command)}{rest}"


# The Scene: tree, timelapse, export, parameters

DELETED_PICTURE = "deleted"
CURRENT_PICTURE = "current"
EXPORT_HEADING = "Pictures of a Scene"
EXPORT_PICTURE_DELETED = "This picture was deleted."
EXPORT_PICTURE_TOO_LARGE = "This picture was too large to come along."


def more_pictures(count: int) -> str:
    return f"…{count} more"


def timelapse_caption(number: int, words: str) -> str:
    """words: the kind or the prompt, as they are: they are drawn, not written."""
    return f"{number} · {words}" if words else str(number)


def export_comes_from(number: int) -> str:
    return f"from {number}"


def export_parts(count: int, too_large: Sequence[int], as_webp: Sequence[int]) -> str:
    """What should be known of an export; empty if there is nothing to know. too_large, as_webp: numbers."""
    said = []
    if count > 1:
        said.append(f"It is in {count} parts: unpack them all into one folder.")
    if as_webp:
        said.append(
            f"To fit, {_pictures(as_webp)} {_is_or_are(as_webp)} WebP instead of PNG, without any loss."
        )
    if too_large:
        said.append(f"Too large to send: {_pictures(too_large)}.")
    return " ".join(said)


def _is_or_are(things: Sequence[object]) -> str:
    return "is" if len(things) == 1 else "are"


# Styles, and the strength strip

NO_STYLES_OF_ITS_OWN = "This server has none of its own. Who may manage it adds one with `/style add`."
STYLE_WITHOUT_PROMPT = (
    "A template needs `{prompt}` in it, once: that is where people's own words go. For instance"
    " `{prompt}, a charcoal drawing`. Nothing was added."
)
ONLY_MANAGERS_CHANGE_STYLES = (
    "Who may manage this server may change its styles. `/style list` shows those there are."
)
MORE_STRIP, MORE_STRIP_HELP = (
    "Strength strip",
    "The same at five strengths, 0.3 to 0.9, to find the right one",
)


def how_made(kind_of_job: JobKind, style: Style | None) -> str:
    return kind(kind_of_job) if style is None else f"{kind(kind_of_job)}, style {style.name}"


def styles_listed(own: Sequence[Style] | None, built_in: Sequence[Style]) -> str:
    """own: of this server, None outside of servers."""
    lines = [
        "**Styles**: the option **style** of a command, or `--style crayon` in a reply; `none` drops one."
    ]
    lines += [f"- `{style.name}`: {style.title}{_recommended(style)}" for style in built_in]
    if own is not None:
        lines += ["**This server's own**"] if own else [NO_STYLES_OF_ITS_OWN]
        lines += [f"- `{style.name}`: {plain(style.template, 50)}{_recommended(style)}" for style in own]
    return "\n".join(lines)


def _recommended(style: Style) -> str:
    return "" if style.strength is None else f" ({style.strength:g})"


def unknown_style(text: str, nearest: str | None, known: Sequence[str]) -> str:
    named = [*known[:_MOST_STYLES], *(["more"] if len(known) > _MOST_STYLES else [])]
    return (
        f"I don't know the style {quoted(text)}. {_did_you_mean(nearest)}I know {_listed(named)}."
        " Nothing was started."
    )


_MOST_STYLES = 20


def bad_style_name(text: str, limit: int) -> str:
    return (
        f"A style is called by letters and digits, with hyphens between words and at most {limit} in all:"
        f" `pixel-art`, for instance, but not {quoted(text)}. Nothing was added."
    )


def style_exists(name: str, *, built_in: bool) -> str:
    if built_in:
        return f"`{name}` is a style that every server has. Choose another name. Nothing was added."
    return f"`{name}` is there already. Choose another name, or take it away first: `/style remove`."


def too_many_styles(limit: int) -> str:
    return (
        f"This server has {limit} styles of its own, which is the most. Take one away first: `/style remove`."
    )


def style_added(name: str) -> str:
    return f"Added `{name}`. People here find it under **style**, and as `--style {name}` in replies."


def style_removed(name: str) -> str:
    return f"Took `{name}` away. Pictures that were made in it keep it."


def not_an_own_style(text: str, nearest: str | None) -> str:
    return f"This server has no style {quoted(text)} of its own. {_did_you_mean(nearest)}Nothing was changed."


def no_room_for_strip(counts_as: int, limit: int) -> str:
    return (
        f"A strength strip is as much work as {counts_as} pictures, and {limit} at once"
        f" {'is' if limit == 1 else 'are'} allowed here. Nothing was started."
    )


# Repainting, and copies that people painted on

REPAINT_TITLE = "Repaint a part"
REPAINT_PART = "Repaint a part…"
REPAINT_PART_HELP = "Name a part of the picture; the rest stays as it is"
REGION_LABEL = "Which part"
REGION_HELP = "Cells of the grid, words or percents; several with commas"
REGION_EXAMPLE = "B2:D4"
NAME_THE_PART = "Name the part…"
WHOLE_THIS_TIME = "All of the picture this time, with what was painted on it."
AS_NEW_SKETCH = "The picture as it is"
NOT_YOUR_QUESTION = "That question is for the person who sent the picture. Nothing was started."
QUESTION_IS_OLD = (
    "The message with that picture is gone, so I cannot go on from it. Send the picture once more."
    " Nothing was started."
)
REGION_IS_ALL = (
    "That part is the whole picture. To draw all of it anew, reply to it with what it should become."
    " Nothing was started."
)
REGION_AND_MASK = (
    "You gave me a region and a mask file: which of them do you mean? Leave one out and send it again."
    " Nothing was started."
)
OUTSIDE_STAYS = "Only the part that is outlined above is drawn anew; the rest stays as it is."


def name_a_part(number: int) -> str:
    return (
        f"This is picture {number} under its grid. Press the button and name the part that is to become something"
        " else, like `B2`, `B2:D4` or `top left`; nothing else will change."
    )


def repaints_part_of(number: int) -> str:
    return f"From picture {number}. {OUTSIDE_STAYS}"


def painted_over(number: int) -> str:
    return f"You painted on picture {number}. {OUTSIDE_STAYS}"


def painted_over_all(number: int) -> str:
    return f"You painted over nearly all of picture {number}, so all of it is drawn anew."


def nothing_painted(number: int) -> str:
    return f"That is picture {number}, and I found nothing painted on it: I went on from all of it."


def no_copy(number: int) -> str:
    return f"What you sent is no edited copy of picture {number} or of another one here: I took it as a new sketch."


def looks_alike(numbers: Sequence[int], taken: int) -> str:
    """Where nobody can be asked."""
    return f"It looks like a copy of {_pictures(numbers)} alike; I took picture {taken}."


def which_picture(numbers: Sequence[int]) -> str:
    return (
        f"I can't tell on which picture you painted: what you sent looks like {_pictures(numbers)} alike. Choose one"
        " below, and I go on with it. Nothing was started yet."
    )


def picture_button(number: int) -> str:
    return f"Picture {number}"


# Shaping a picture

FILL_NEW_PART = "Fill the new part"
NO_WORDS_TO_FILL_WITH = (
    "I don't know what this picture shows, as no words came with it. Say it with `/repaint` and name the new part."
    " Nothing was started."
)
NOTHING_TO_CROP = (
    "That is the whole picture, so nothing would be cut off. Name a smaller part. Nothing was changed."
)
NOTHING_TO_TURN = "Turned by that much it looks as before. Try 90, or a few degrees. Nothing was changed."
NAME_A_PART = "Name the part to keep by its cells, and use the command once more: for instance `B2:D4`."


def was_shaped(number: int, made: str, before: int) -> str:
    return f"Picture {number}: picture {before}, {made}. Reply to this message to go on from it."


def made_larger(factor: int, size: Size) -> str:
    return f"{factor} times as large ({size})"


def made_by_cropping(size: Size) -> str:
    return f"cropped to {size}"


def made_by_extending(where: str, percent: int, size: Size) -> str:
    sides = "on all sides" if where == "all" else f"at the {where}"
    return f"extended by {percent} % {sides} ({size})"


def made_by_turning(degrees: float) -> str:
    return f"turned by {degrees:g}°"


def made_by_flipping(*, upside_down: bool) -> str:
    return "mirrored top to bottom" if upside_down else "mirrored left to right"


def fills_new_part(number: int) -> str:
    return f"Fills what is new in picture {number}."


def picture_number(number: int) -> str:
    return f"Picture {number}"


def compared(first: int, second: int) -> str:
    return f"Pictures {first} and {second}, side by side and in turn:"


def compared_with_itself(number: int) -> str:
    return f"Both are picture {number}. Name another one to compare it with."


# Playground

PLAYGROUND_WELCOME = """\
**Welcome!** This Discord is a simulation on your own machine; the bot and its drawing process are the real ones.
- Type `/sketch`, choose a picture (or drop or paste it) and say what it should become. The one below will do.
- Then press the buttons on the card, or reply to it with words, a picture, or both: **+** attaches one.
- `/history` goes back to an earlier one. At the top you can look on as somebody else; the Moderator has `/limits`."""

PLAYGROUND_PAGE = {
    "title": "Moonsketch playground",
    "brand": "Moonsketch",
    "what": "simulated Discord",
    "attach": "Attach a picture",
    "attached": "Attached pictures",
    "drop": "Drop your picture",
    "remove": "Remove",
    "onlyPictures": "Only pictures of up to 10 MB can be attached.",
}
"""What the playground adds to the page."""

EXAMPLE_ALT_TEXT = "A crude sketch: grey cratered ground, a blue Earth and white stars."
PLAYGROUND_ENDED = "The playground has ended; nothing of it was kept."


def playground_runs(url: str) -> str:
    return f"The playground is open at {url} (end it with Ctrl-C)"


def playground_not_installed(version: str) -> str:
    return f'The playground needs simcord {version}: pip install "simcord[preview]=={version}"'


def playground_version(wanted: str, found: str) -> str:
    return (
        f"The playground is made for simcord {wanted}, and {found} is installed:"
        f' pip install "simcord[preview]=={wanted}"'
    )


def port_not_free(port: int) -> str:
    return f"Port {port} cannot be used: something else may be listening there. Choose another with --port."
