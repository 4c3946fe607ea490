"""Every text that people read, in one place. English; whole sentences; no blame, no jargon, always a next step."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from bot.custom_ids import Action
from bot.store.records import JobKind, Shown
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
MORE_RECIPE, MORE_RECIPE_HELP = "As a command", "What this was made with, to be copied and changed"
MORE_SHARE, MORE_SHARE_HELP = "Sharing", "Who may go on from your pictures"
NOT_A_CHOICE = "That is not offered any more. Open the list once more."


def more_delete(number: int) -> str:
    return f"Delete picture {number}"


def more_delete_help(candidate: int) -> str:
    return f"Only number {candidate} of this card"


def recipe_of_sketch(command: str) -> str:
    return f"Attach the sketch and send this:\n{for_copying(command)}"


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


def limits_table(rows: Iterable[tuple[str, int, bool]]) -> str:
    """One line per rule: its name, its value, and whether this server set it."""
    lines = (f"- **{name}**: {value}" + (" (set here)" if own else "") for name, value, own in rows)
    return "The limits of this server:\n" + "\n".join(lines)


def limits_changed(changes: Iterable[tuple[str, int, int]]) -> str:
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


def failed(sentence: str) -> str:
    return f"{sentence} Nothing was charged."


def what_was_done(request: ImageRequest, source: Size | None, seconds: float | None) -> str:
    """One plain line: '1600×900 as 704×384 cropped to 683×384, strength 0.75: 22 of 30 steps, seed 4711, 6.2 s'."""
    parts = [frame_line(request.frame, source), steps_line(request), _seeds(request.seeds)]
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
    line = f"strength {request.strength:g}: {request.planned_steps} of {request.steps} steps"
    if int(request.steps * request.strength) == 0:
        line += " (fewer than one was asked for)"
    return line


def _seeds(seeds: Sequence[int]) -> str:
    return f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"


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
}


def alt_text(prompt: str, candidate: int) -> str:
    return f"Candidate {candidate}: {unformatted(prompt, 1024)}"[:1024]


def preview_alt_text(prompt: str, _number: int) -> str:
    return f"Preview: {unformatted(prompt, 1024)}"[:1024]


def sketch_alt_text(prompt: str) -> str:
    return f"What it starts from: {unformatted(prompt, 1024)}"[:1024]


def button(action: Action, candidate: int) -> str:
    return str(candidate) if action is Action.PICK else _BUTTONS[action]


_BUTTONS = {
    Action.AGAIN: "Again",
    Action.SUBTLE: "Subtle",
    Action.STRONG: "Strong",
    Action.REFINE: "Refine…",
    Action.CANCEL: "Cancel",
}


def picks(by_person: Sequence[tuple[int, int]]) -> str:
    shown = [f"<@{person}> goes on from {candidate}" for person, candidate in by_person[:5]]
    more = len(by_person) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more > 0 else "")


def took_a_while(person: int) -> str:
    return f"<@{person}> your picture is ready."


# History

UPLOADED = "an uploaded picture"
NO_PICTURES_YET = "This Scene has no pictures yet. Wait for the first one."
NO_SCENE_HERE = "There is no Scene here yet. Start one with /sketch or /imagine."
HISTORY_PLACEHOLDER = "Go back to a picture"


def history_title(title: str, count: int, shown: int) -> str:
    left_out = f" (the latest {shown})" if shown < count else ""
    return f"**{plain(title)}**: {_count(count, 'picture')}{left_out}"


def history_label(shown: Shown) -> str:
    return f"{shown.picture.number}: {unformatted(shown.prompt or UPLOADED, 100)}"[:100]


def history_description(shown: Shown, *, is_current: bool) -> str:
    how = kind(shown.kind) if shown.kind is not None else "sent by somebody"
    return f"{how}, your current one" if is_current else how


def back_to(number: int, person: int) -> str:
    return f"<@{person}> is back at picture {number}. Reply to this message to go on from it."


def history_alt_text(numbers: str) -> str:
    return f"The pictures {numbers} of this Scene, oldest first."[:1024]


def went_back(number: int, where: str | None) -> str:
    """where: a link, None if it is right here."""
    return f"You are back at picture {number}; it is {'the newest message here' if where is None else f'in {where}'}."


# Help

HELP = """\
**A crude drawing and a few words become a picture, round by round.** Try one of these:
- `/sketch` with your drawing as **image** and `the surface of the moon` as **prompt**. With a **strength** of 0.2 it \
stays as you drew it, with 0.9 it mostly follows the words.
- `/imagine` with `an apple on the beach` as **prompt** makes a first picture from words alone.
- **Reply** to a picture (with **@ ON**) to go on from it: `at night --strength 0.5`, or attach a drawing.
- Buttons: **1**, **2** … pick one, **Again** makes others, **Subtle** and **Strong** change it, **Refine…** asks \
what to change, **Cancel** stops; **More…** has the rest.
- Hold or right-click a message with a picture, then **Apps**: `Use as sketch` or `Refine this picture`.
- `/history` shows every picture so far and goes back to one; `/queue` lists your jobs that wait or run.
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
