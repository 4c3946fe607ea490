"""Every text that people read, in one place. English; whole sentences; no blame, no jargon, always a next step."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from bot.charts import LineChart, Row, UsageChart
from bot.custom_ids import Action, Press
from bot.line import Turn
from bot.store.audits import AuditEntry
from bot.store.blocks import Block
from bot.store.records import Job, JobKind, Picture, PictureKind, Scope, Shown, Style
from bot.store.words import OwnWord, Verdict
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


NO_LIMIT, ALL_OF_THEM, DEFAULT, ALL_LIMITS = "no limit", "all", "the default", "all limits"
A_SIZE = "a size such as 768x512 (from 64x64 to 4096x4096), or `no limit`"
ON_OR_OFF, NAMES_OR_ALL = "`on` or `off`", "names with commas between, or `all`"
CHANNEL_OR_ROLE = "Name a channel or a role, not both: a role counts in every channel. Nothing was changed."
MAY_NOT_USE_ME_HERE = "You may not use me here."
DID_SET_LIMIT = "limit changed"
_LIMITS_ROOM = 1900


def switch(is_on: bool) -> str:
    return "on" if is_on else "off"


def number_from_to(low: float, high: float, *, unlimited: bool) -> str:
    numbers = f"a number from {low:.12g} to {high:.12g}, in plain digits"
    return f"{numbers}, or `{NO_LIMIT}`" if unlimited else numbers


def one_of(words: Sequence[str]) -> str:
    return _listed([f"`{word}`" for word in words], last="or")


def pixels(area: int) -> str:
    return f"{area:,} pixels"


def not_a_rule_value(option: str, typed: str, wanted: str) -> str:
    return f"`{option}` is {wanted}; {quoted(typed)} is not. Nothing was changed."


def unknown_rule(option: str, near: str | None) -> str:
    meant = f" Did you mean `{near}`?" if near else ""
    return f"There is no limit {quoted(option)}.{meant} Nothing was changed."


def not_in_that_scope(option: str, scope: Scope, scopes: Sequence[Scope]) -> str:
    allowed = _listed(list(scopes), last="or")
    return f"`{option}` cannot be set for a {scope}, only for a {allowed}. Nothing was changed."


def already_so(option: str, value: str) -> str:
    return f"**{option}** is {value} there already. Nothing was changed."


def whose(scope: Scope | None, scope_id: int, host: bool) -> str:
    """Who decided."""
    if host:
        return "my host, for all servers"
    match scope:
        case Scope.ROLE:
            return f"<@&{scope_id}>"
        case Scope.CHANNEL:
            return f"<#{scope_id}>"
        case Scope.SERVER:
            return "this server"
    return DEFAULT


def gone_scope(scope: Scope) -> str:
    return f"a {scope} that was deleted (`/limits reset` takes it away)"


def whose_rule(option: str, scope: Scope | None, scope_id: int, host: bool) -> str:
    """Behind a refusal: which rule that was."""
    return f"(Limit **{option}**, set by {whose(scope, scope_id, host)}.)"


def limits_table(rows: Iterable[tuple[str, str, bool]], others: Iterable[tuple[str, str, str]] = ()) -> str:
    """One line per rule: its name, its value, and whether this server set it; then those of channels and roles."""
    lines = [f"- **{name}**: {value}" + (" (set here)" if own else "") for name, value, own in rows]
    more = [f"- {of}: **{name}** {value}" for of, name, value in others]
    return _cut_to(["The limits of this server:", *lines, *(["Beside these:", *more] if more else [])])


def limits_of_scope(scope: Scope, scope_id: int, rows: Sequence[tuple[str, str]]) -> str:
    of = whose(scope, scope_id, host=False)
    if not rows:
        return f"Nothing is set for {of}: what holds in the server holds there."
    return f"Set for {of}:\n" + "\n".join(f"- **{name}**: {value}" for name, value in rows)


def decided(option: str, value: str, by: str, others: Sequence[tuple[str, str]]) -> str:
    """One rule of a person: what holds, whose it is, and what others say that does not count."""
    instead = "".join(f"; {of} says {said}" for said, of in others)
    return f"- **{option}**: {value} ({by}{instead})"


def limits_of_person(
    person: int, channel: int, rows: Sequence[str], waiting: int, hour: int, seconds: float
) -> str:
    used = (
        f"Waiting or running: {waiting}. Asked for in the last hour: {hour}. Used today: {seconds:,.0f} seconds of"
        " drawing."
    )
    return _cut_to([f"For {mention(person)} in <#{channel}>:", used, *rows])


def _cut_to(lines: Sequence[str]) -> str:
    """As many as a message holds."""
    kept: list[str] = []
    for line in lines:
        if sum(len(each) + 1 for each in kept) + len(line) > _LIMITS_ROOM:
            return "\n".join([*kept, "…"])
        kept.append(line)
    return "\n".join(kept)


def limit_changed(option: str, old: str, new: str, of: str, held_at: str | None) -> str:
    """held_at: what holds all the same, where the host allows no more."""
    host = f" My host allows no more than {held_at}, so that is what holds." if held_at is not None else ""
    return f"From now on, for {of}: **{option}**: {old} → {new}.{host} Jobs that wait are held to it as well."


def limits_reset(option: str | None, of: str) -> str:
    return f"For {of}, {f'**{option}** is' if option else 'all limits are'} back to what holds without."


def nothing_to_reset(of: str) -> str:
    return f"Nothing of that is set for {of}. Nothing was changed."


def member_too_short(days: int, again: float) -> str:
    return f"Here I draw for people who have been members for {_count(days, 'day')}: you can begin <t:{int(again)}:R>."


def too_many_pixels(size: Size, limit: int) -> str:
    return (
        f"That picture would have {pixels(size.area)} ({size}), and {pixels(limit)} is the most here. Take a model"
        " that draws smaller ones. Nothing was started."
    )


def not_one_of_the_models(name: str, allowed: Sequence[str]) -> str:
    return f"The model {name} may not be used here; you can choose {_listed(allowed, last='or')}. Nothing was started."


def not_one_of_the_styles(name: str, allowed: Sequence[str]) -> str:
    return f"The style {name} may not be used here; you can choose {_listed(allowed, last='or')}. Nothing was started."


def too_soon(seconds: int, again: float) -> str:
    return f"Between two jobs you wait {_count(seconds, 'second')} here: try again <t:{int(again) + 1}:R>."


def enough_jobs_for_now(asked: int, limit: int, again: float) -> str:
    return (
        f"You asked for {_count(asked, 'job')} in the last hour, and {limit} is the most here: try again"
        f" <t:{int(again) + 1}:R>."
    )


def person_used_enough(used: float, limit: int, again: float) -> str:
    return f"You used {used:,.0f} of your {limit:,} seconds of drawing for today; they come back <t:{int(again)}:R>."


def server_used_enough(used: float, limit: int, again: float) -> str:
    return (
        f"This server used {used:,.0f} of its {limit:,} seconds of drawing for today; they come back"
        f" <t:{int(again)}:R>."
    )


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
SCENE_CARD_GONE = (
    "I no longer know that picture, so I cannot go on from it: Scenes go when nobody uses them for long. Save it and"
    " send it with `/sketch` to begin anew."
)
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
KEEPS_YOUR_PLACE = "Your place in the line is kept."


def accepted(turn: Turn, where: str, *, paused_for: str | None = None) -> str:
    """paused_for: why the line of this server stands still; None: it does not."""
    paused = f" {line_is_still(paused_for)}" if paused_for is not None else ""
    return f"You are {position(turn)}, in {where}.{paused}"


def position(turn: Turn) -> str:
    place, seconds = turn.place, turn.seconds
    last = f" to {ordinal(turn.last_place)}" if turn.last_place > place else ""
    in_line = "next" if place == 1 else f"{ordinal(place)}{last} in line"
    return in_line if seconds is None else f"{in_line}, {about(seconds)}"


OTHERS_MAY_GO_BEFORE = "Your job ahead of it keeps its place; before this one, others who wait may still go."
BEHIND_A_ROLE = "Somebody whose role goes first in this server came in between."
BEHIND_A_MOVED_JOB = "A moderator moved another job to the front."
DRAINING = f"I am about to be updated, so nothing new is begun until that is done. {KEEPS_YOUR_PLACE}"


def _why_so_far_back(turn: Turn) -> Iterator[str]:
    if turn.behind_moved:
        yield BEHIND_A_MOVED_JOB
    if turn.behind_role:
        yield BEHIND_A_ROLE
    if turn.last_place > turn.place:
        yield OTHERS_MAY_GO_BEFORE


def line_is_still(reason: str) -> str:
    """On the cards of those who wait in a server whose line a moderator paused."""
    return f"The line of this server is paused. {because(reason)} {KEEPS_YOUR_PLACE}"


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


def waiting(turn: Turn | None, trouble: str = "", *, paused_for: str | None = None) -> str:
    """trouble: what keeps everybody's line from moving. paused_for: why that of this server is; None: it is not."""
    paused = line_is_still(paused_for) if paused_for is not None else ""
    return " ".join(part for part in (in_line(turn), paused, trouble) if part)


def trouble(status: EngineStatus, *, draining: bool) -> str:
    """What keeps everybody's line from moving, empty when nothing does."""
    return " ".join(part for part in (DRAINING if draining else "", engine_trouble(status)) if part)


def engine_trouble(status: EngineStatus) -> str:
    """What keeps the line from moving, empty when nothing does."""
    match status.state:
        case EngineState.READY | EngineState.BUSY:
            return ""
        case EngineState.STARTING:
            return f"The engine is starting{f': {status.detail}' if status.detail else ''}."
        case EngineState.SETUP_FAILED:
            return f"The engine could not be set up: {status.detail} {KEEPS_YOUR_PLACE}"
        case _:
            return f"The engine is not answering and will be started again. {KEEPS_YOUR_PLACE}"


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


def newer_than_current(current: int, latest: int) -> str:
    return (
        f"Picture {latest} is newer, but {current} is the one you picked last: to go on from another, press its number"
        " or reply to it."
    )


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
    Action.HARMONISE: "Harmonise…",
    Action.PLACE: "Place…",
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
the way as a film, `/export` packs everything. `/queue` lists your jobs, `/line` everybody's.
- `/share` says who may go on from your pictures, `/privacy` what I keep, and `/forget-me` takes it away; \
`/keep` keeps a Scene for good, `/about` says what I am."""

HELP_FOR_MODERATORS = """
- You may manage this server: `/limits` says what may be asked, `/mod` blocks or warns somebody, \
`/line-admin` pauses or clears the line, `/words` holds or refuses words, `/log` says who did what, \
`/usage` plots who used how much."""

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


def runs_now(step: tuple[int, int] | None) -> str:
    """step: the one that is done, of how many; None before the first one."""
    return "Running." if step is None else f"Running: step {step[0]} of {step[1]}."


def queue_title(count: int, shown: int) -> str:
    left_out = f" (the first {shown})" if shown < count else ""
    return f"**You have {_count(count, 'job')} waiting or running**{left_out}"


def in_line(turn: Turn | None) -> str:
    """One's place as a sentence, and why it is so far back. None: about to join the line or to leave it."""
    if turn is None:
        return "In line."
    line = position(turn)
    return " ".join((f"{line[0].upper()}{line[1:]}.", *_why_so_far_back(turn)))


def queue_entry(prompt: str, state: str, place_id: int, card: str | None) -> str:
    """card: a link to it, None before it is posted."""
    where = f" [Its card]({card}) is in <#{place_id}>." if card is not None else ""
    return f"**{plain(prompt, 80)}**\n{state}{where}"


def message_link(guild_id: int | None, channel_id: int, message_id: int) -> str:
    return f"https://discord.com/channels/{guild_id or '@me'}/{channel_id}/{message_id}"


WHAT_IS_KEPT = (
    "**What I keep**, on the machine that I run on: what you ask for, the pictures you send me (made anew, without"
    " anything a camera wrote into them), those that come of them, and the ids of people, servers and channels. No"
    " names, and no messages but those that ask me for a picture. `/privacy` says for how long, and how to take it"
    " away."
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


def about_checks(name: str) -> str:
    """name: of what looks at pictures for safety; empty where nothing does."""
    if not name:
        return "Nothing looks at pictures for safety here; whoever runs me can switch that on."
    return (
        f"Safety: {plain(name)} looks at the pictures that I start from and at every result before anybody sees it. No"
        " such check finds everything."
    )


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


# What moderators do to people and to the line, and their log

DID_BLOCK = "blocked"
DID_UNBLOCK = "block lifted"
DID_WARN = "warned"
DID_CANCEL = "job cancelled"
DID_DELETE = "pictures deleted"
DID_PAUSE = "line paused"
DID_RESUME = "line resumed"
DID_DROP = "job taken out of the line"
DID_MOVE = "job moved to the front"
DID_CLEAR = "line cleared"
DID_SET_LOG = "log channel changed"
"""What the log calls it."""

DURATION_HELP = "For how long: 30m, 2h, 7d, 2w … Left out: until somebody lifts it"
REASON_HELP = "Why; the people concerned read it"
CANNOT_BLOCK_YOURSELF = "You cannot block yourself. Nothing was changed."
CANNOT_BLOCK_ME = "That is me; I cannot block myself. Nothing was changed."
CANNOT_BLOCK_BOTS = "Bots cannot use me anyway, so there is nothing to block. Nothing was changed."
CANNOT_BLOCK_HOST = "They run this bot, so they cannot be blocked. Nothing was changed."
CANNOT_BLOCK_OWNER = "The owner of this server cannot be blocked. Nothing was changed."
CANNOT_BLOCK_MANAGERS = (
    "They may manage this server, so only its owner can block them. Nothing was changed; you can still use"
    " `/mod warn`."
)
CANNOT_WARN_YOURSELF = "You cannot warn yourself. Nothing was sent."
CANNOT_WARN_BOTS = "Bots do not read warnings. Nothing was sent."


def not_a_member(person: int) -> str:
    return f"{mention(person)} is not in this server. Choose one of its members; nothing was done."


NOTHING_IN_LOG = "Nothing is in the log yet."
LOG_NEWER = "Newer"
LOG_OLDER = "Older"
LOG_IS_FOR_MANAGERS = (
    "Only members who may manage this server turn these pages. With `/log show` you can name the **page**"
    " instead."
)
LOG_CHANNEL_CLEARED = "Entries are no longer posted in a channel. They are still kept: `/log show` has them."
LOG_CHANNEL_NOT_SET = "No log channel is set, so there is nothing to clear. Name a **channel** to set one."
LOG_CHANNEL_IS_NO_CHANNEL = (
    "That is no text channel that I can see. Name one that I may write in. Nothing was changed."
)
NOT_PAUSED = "This server's line is not paused. Nothing was changed."
LINE_RESUMED = "This server's line moves again."
NO_SUCH_JOB_HERE = (
    "There is no such job waiting or running in this server. Choose one from the list as you type."
)
CANNOT_MOVE = (
    "That one runs already, or waits for a moderator to let it through. Only jobs in the line can be moved."
)
NOBODY_WAITS = "Nobody waits in this server's line. Nothing was changed."


def mention(person: int) -> str:
    """person: 0 for who was forgotten."""
    return f"<@{person}>" if person else FORGOTTEN_PERSON


def until(when: float | None) -> str:
    """when: seconds since 1970; Discord says it as each reader does. None: for good."""
    return "for good" if when is None else f"until <t:{int(when)}:f>"


def because(reason: str) -> str:
    return f"The reason: “{plain(reason, 300)}”."


def not_a_duration(text: str) -> str:
    return (
        f"I cannot read {quoted(text)} as a time. Write `30m`, `2h`, `7d` or `2w`, at most a year, or `forever`."
        " Nothing was changed."
    )


def you_are_blocked(when: float | None, reason: str) -> str:
    how_long = "for good" if when is None else f"until <t:{int(when)}:f> (<t:{int(when)}:R>)"
    return (
        f"A moderator has blocked you from using me in this server {how_long}. {because(reason)} Your own things stay"
        " yours: `/queue`, `/export`, `/privacy` and `/forget-me` still work."
    )


def ended_by_block(person: int, when: float | None, reason: str) -> str:
    """On the cards of their jobs."""
    return f"A moderator has blocked {mention(person)} here {until(when)}. {because(reason)} Nothing was charged."


def was_blocked(person: int, when: float | None, ended: int) -> str:
    jobs = f" {_count(ended, 'job')} of theirs ended, and the card says why." if ended else ""
    return f"{mention(person)} is blocked in this server {until(when)}.{jobs}"


def is_blocked_already(person: int, when: float | None) -> str:
    return (
        f"{mention(person)} is blocked already, {until(when)}. To change that, use `/mod unblock` first. Nothing was"
        " changed."
    )


def is_not_blocked(person: int) -> str:
    return f"{mention(person)} is not blocked in this server. Nothing was changed."


def was_unblocked(person: int) -> str:
    return f"{mention(person)} may use me in this server again."


def warning(server: str, reason: str) -> str:
    """The private message. server: its name."""
    return (
        f"A moderator of **{plain(server, 100)}** warns you about how you use me there. {because(reason)}"
        " You can still use me; write to that server's moderators if you have questions."
    )


def was_warned(person: int, *, told: bool) -> str:
    if told:
        return f"I have sent {mention(person)} the warning in a private message."
    return (
        f"{mention(person)} takes no private messages from me, so please tell them yourself. The warning is in the"
        " log all the same."
    )


def shown_person(
    person: int, block: Block | None, waiting: int, warnings: Sequence[AuditEntry], *, most: int
) -> str:
    """For moderators. warnings: newest first, at most `most`."""
    lines = [f"**{mention(person)} in this server**"]
    if block is None:
        lines.append("Not blocked.")
    else:
        lines.append(
            f"Blocked {until(block.until)}, by {mention(block.set_by)} on <t:{int(block.set_at)}:f>."
            f" {because(block.reason)}"
        )
    lines.append(
        f"{_count(waiting, 'job')} waiting or running." if waiting else "No jobs waiting or running."
    )
    if warnings:
        lines.append(f"Warnings (the last {most} at most):")
        lines += [f"- {log_entry(entry)}" for entry in warnings]
    else:
        lines.append("Never warned.")
    return "\n".join(lines)


# The line of a server


def was_paused_already(reason: str) -> str:
    return f"This server's line is paused already. {because(reason)} Nothing was changed."


def line_is_paused(reason: str, waiting: int) -> str:
    """To the moderator who paused it."""
    return (
        f"This server's line is paused: {_count(waiting, 'job')} and whatever is asked for from now on wait until"
        f" `/line-admin resume`. What runs already is finished. {because(reason)}"
    )


def dropped_for(reason: str) -> str:
    """On the card."""
    return f"A moderator took this out of the line. {because(reason)} Nothing was charged."


def moved_for(reason: str) -> str:
    """On the card."""
    return f"A moderator moved this to the front of the line. {because(reason)}"


def was_dropped(job: int, author: int) -> str:
    return f"{job_of(job, author)} is out of the line, and its card says why."


def was_moved(job: int, author: int) -> str:
    return f"{job_of(job, author)} is first in this server's line, and its card says why."


def was_cleared(count: int) -> str:
    return f"{_count(count, 'job')} out of the line; each card says why. What runs already is finished."


def nobody_of_theirs_waits(person: int) -> str:
    return f"Nothing of {mention(person)} waits in this server's line. Nothing was changed."


def jobs_in_line(count: int) -> str:
    return _count(count, "job")


def pictures_of(author: int, numbers: Sequence[int], place: int) -> str:
    """numbers: in their Scene; none for a card without any. place: the thread or channel that the Scene is held in."""
    which = f"{_is_several('picture', numbers)} {_listed(map(str, numbers))}" if numbers else "a card"
    return f"{which} of {mention(author)} in <#{place}>"


def job_of(job: int, author: int) -> str:
    return f"job {job} of {mention(author)}"


def job_choice(number: int, kind_of_job: JobKind, name: str, place: int, *, runs: bool) -> str:
    """One that a moderator may choose. name: of who asked. place: 0 outside the line."""
    where = "running" if runs else f"{ordinal(place)} in line" if place else "held for a moderator"
    return unformatted(f"{name}: {kind(kind_of_job)}, {where} (job {number})", 100)


# The log


def log_entry(entry: AuditEntry, most: int = 200) -> str:
    """One line. most: characters of each of its words."""
    who = mention(entry.actor_id) if entry.actor_id is not None else "I"
    subject = f" {_with_mentions(entry.subject, most)}" if entry.subject else ""
    before, after = (_with_mentions(each, most) for each in (entry.before, entry.after))
    change = (
        f": {before} → {after}" if before and after else f": {before or after}" if before or after else ""
    )
    why = f" “{plain(entry.reason, most)}”" if entry.reason else ""
    return f"<t:{int(entry.at)}:f> {who}: **{plain(entry.action, most)}**{subject}{change}.{why}"


def log_page(entries: Sequence[AuditEntry], page: int, person: int | None, trouble: str) -> str:
    """page: from 1. person: whom all of it is about. trouble: what keeps the log channel from getting entries."""
    about_whom = f" about {mention(person)}" if person is not None else ""
    heading = f"**The log of this server{about_whom}**, page {page}" if entries else NOTHING_IN_LOG
    for most in _SHORTER:
        lines = [
            heading,
            *([trouble] if trouble else []),
            *(f"- {log_entry(entry, most)}" for entry in entries),
        ]
        if sum(len(line) + 1 for line in lines) <= _ROOM_OF_LOG:
            break
    return "\n".join(lines)


_SHORTER = (200, 80, 40, 16)
_ROOM_OF_LOG = 3900
"""Discord allows 4,000 characters in one message."""


def nothing_on_page(page: int) -> str:
    return f"The log has no page {page}. Begin with page 1."


def log_channel_set(channel: int) -> str:
    return f"From now on every entry of the log is posted in <#{channel}> too."


def log_channel_is_that_already(channel: int) -> str:
    return f"<#{channel}> is the log channel already. Nothing was changed."


def log_channel_lost(channel: int) -> str:
    return (
        f"-# The log channel <#{channel}> is gone or closed to me, so entries are only kept here. `/log channel` sets"
        " another."
    )


def channel_named(channel: int | None) -> str:
    return "none" if channel is None else f"<#{channel}>"


def _with_mentions(text: str, limit: int) -> str:
    """Words of a stranger, in which mentions, times and spoilers that Discord shows as such stay what they are."""
    parts = _MENTION.split(text)
    return "".join(part if number % 2 else plain_part(part, limit) for number, part in enumerate(parts))


def plain_part(text: str, limit: int) -> str:
    """As `plain`, with the spaces that part it from what stands beside it."""
    words = plain(text, limit)
    before = " " if text[:1].isspace() and words else ""
    after = " " if text[-1:].isspace() else ""
    return f"{before}{words}{after}"


def _is_several(noun: str, things: Sequence[object]) -> str:
    return noun if len(things) == 1 else f"{noun}s"


_MENTION = re.compile(r"(<(?:@[!&]?|#)[0-9]{1,20}>|<t:-?[0-9]{1,12}:[tTdDfFR]>|\|\|[^|<>@]{1,90}\|\|)")


# Privacy: what is kept, for how long, and how to take it away

FORGOTTEN_SCENE, FORGOTTEN_PERSON = "a Scene", "somebody who is forgotten"
FORGOTTEN_WORDS = "(words that are forgotten)"
WORDS_WERE_FORGOTTEN = (
    "Whoever wrote its words had them forgotten, so it was stopped. Ask with words of your own. Nothing was"
    " charged."
)
SEND_ZIP, FORGET, DO_NOT_FORGET = "Send me a zip first", "Forget me", "Cancel"
NOT_ABOUT_YOU = "That question is somebody else's. Use `/forget-me` for what I keep of you."
NOTHING_TO_FORGET = (
    "I keep nothing of you: no picture, no words, nothing that you set. A server's moderators keep whom they"
    " block."
)
NOT_FORGOTTEN = "Nothing was forgotten. `/forget-me` asks again whenever you like."
NOTHING_TO_PACK = "You have no pictures here that could be packed."


def privacy(days: int, usage_days: int, left_days: int) -> str:
    return (
        "**What I keep**, on the machine that I run on: what you ask me for, the pictures you send me and those that"
        " come of them, what you pick and set and how much you use me, with the ids of people, servers and channels"
        " and without any names.\n"
        f"**For how long**: a Scene goes with everything in it {_count(days, 'day')} after it was last used here,"
        f" unless somebody keeps it with `/keep`, numbers of use go after {_count(usage_days, 'day')}, and all that is"
        f" a server's goes {_count(left_days, 'day')} after I was removed from it.\n"
        "**How to take it away**: `/forget-me` has all that is yours forgotten at once, in every server, **More…** and"
        " **Delete** on a card take one picture, and `/export` packs a Scene for you first."
    )


def really_forget(
    pictures: int, built_on: int, jobs: int, unfinished: int, messages: int, scenes: int
) -> str:
    """Says all that goes, and all that stays."""
    running = f" ({_count(unfinished, 'job')} still to be drawn: stopped)" if unfinished else ""
    others = (
        f"\n- Others went on from {_count(built_on, 'picture')} of yours. What they made stays, without your pictures"
        " and your words; in the tree an empty place stands for each."
        if built_on
        else ""
    )
    return (
        "**Forget everything of yours**, in every server and in direct messages? Nobody can undo it.\n"
        f"- It takes {_count(pictures, 'picture')} and the words of {_count(jobs, 'job')}{running}, your picks, drafts"
        " and settings: gone from my machine within a minute.\n"
        f"- I delete {_count(messages, 'message')} of mine that {'shows' if messages == 1 else 'show'} them, as fast as"
        f" Discord lets me, and take your name off {_count(scenes, 'Scene')} that you began.{others}\n"
        "- It stays that a server's moderators block somebody, and until midnight UTC how much you used me today, or"
        " limits would mean nothing. Messages and files that you sent yourself are yours: only you can delete them."
    )


def forgotten(messages: int) -> str:
    return "You are forgotten: your pictures, words and settings are gone from my machine." + (
        f" I am deleting {_count(messages, 'message')} of mine now and tell you in a direct message how far I am;"
        " `/forget-me` says it as well."
        if messages
        else ""
    )


def forgetting_progress(deleted: int, refused: int, messages: int, done: bool) -> str:
    kept = (
        f" Discord does not let me delete {_count(refused, 'message')}: a moderator of that place can."
        if refused
        else ""
    )
    if done:
        return (
            f"Everything of yours is forgotten, and {deleted} of {_count(messages, 'message')} deleted.{kept}"
        )
    return f"Forgetting you: {deleted} of {_count(messages, 'message')} deleted.{kept}"


def packed_of_yours(scene: str, number: int, count: int) -> str:
    return f"{quoted(scene or EXPORT_HEADING)}: Scene {number} of {count}, your pictures in it."


def all_packed(pictures: int, zips: int) -> str:
    return (
        f"That is all: {_count(pictures, 'picture')} in {_count(zips, 'zip')}. Save them now, for Discord shows them"
        " only until you close this channel. Then press *Forget me* above."
    )


KEEP, DO_NOT_KEEP = "Keep it", "Let it go"
NOT_FOR_YOU_TO_KEEP = "Only the Scene's owner or a moderator may say whether it is kept."


def scene_is_kept(title: str, days: int, *, kept: bool) -> str:
    if kept:
        return f"{quoted(title)} is kept until somebody deletes it, however long nobody uses it."
    return (
        f"{quoted(title)} goes, with all its pictures, {_count(days, 'day')} after it was last used. With `/keep` it"
        " stays."
    )


# What the host decides across servers: `moonsketch admin`, and what people read of it

DID_BAN = "server banned by my host"
DID_UNBAN = "ban lifted by my host"
DID_WEIGH = "share of the line changed by my host"
DID_CEILING = "ceiling changed by my host"
DID_DRAIN = "draining begun by my host"
DID_UNDRAIN = "draining ended by my host"
COME_BACK_AFTER_UPDATE = (
    "I am about to be updated, so I take nothing new just now. What waits is kept. Please try again in a few"
    " minutes."
)
NOT_DRAINING = "The bot is not draining. Nothing was changed."
DRAINING_ALREADY = (
    "The bot is draining already. `moonsketch admin drain --wait` waits until nothing runs; `moonsketch admin undrain`"
    " ends it."
)
NO_LONGER_DRAINING = "The bot takes new jobs again, and goes on with those that waited."
DRAINED = "Nothing runs any more."
DRAINING_ENDED = "The bot is not draining any more: somebody ended that, or it was started anew."
BOT_ENDED_MEANWHILE = "The bot ended before everything that ran was done. What was not done is kept."
NO_BOT_TO_DRAIN = "No Moonsketch runs, so there is nothing to drain."
NO_BOT_SO_DATABASE = "No Moonsketch runs on this data folder, so its database was asked itself."
DATABASE_IS_ANOTHERS = "It belongs to another user. Run this as the one who runs the bot."
DATABASE_IS_BUSY = (
    "Somebody holds it, but answers no questions: a bot that starts or ends. Try again in a moment."
)
NO_DATABASE = "No Moonsketch ever ran there. Look at MOONSKETCH_DATA."
NO_ENTRIES = "There are no entries."


def banned_by_host(guild_id: int | None, reason: str) -> str:
    whom = "this server" if guild_id else "direct messages"
    return f"Whoever runs me does not let {whom} use me. {because(reason)} Nothing was charged."


def server_named(server: int, name: str | None = None) -> str:
    """For the host, on a terminal."""
    if not server:
        return "direct messages"
    return f"server {server}" + (f" ({unformatted(name, 40)})" if name else "")


def is_banned_already(server: int, reason: str) -> str:
    return (
        f"There is a ban on {server_named(server)} already. {because(reason)} To change that, lift it first. Nothing"
        " was changed."
    )


def is_not_banned(server: int) -> str:
    return f"There is no ban on {server_named(server)}. Nothing was changed."


def is_banned_now(server: str, ended: int) -> str:
    jobs = (
        f" {_count(ended, 'job')} that waited or ran there {'was' if ended == 1 else 'were'} ended."
        if ended
        else ""
    )
    return f"From now on nothing is drawn for {server}.{jobs}"


def is_unbanned_now(server: str) -> str:
    return f"The ban on {server} is lifted."


def weighs_now(server: str, before: str, after: str) -> str:
    return f"The share of {server} in the line: {before} → {after}."


def ceiling_is_now(rule: str, before: str, after: str) -> str:
    return f"The ceiling of {rule}: {before} → {after}. It holds at once, in every server."


def has_no_ceiling(rule: str) -> str:
    return f"`{rule}` has no ceiling. Nothing was changed."


def drains_now(running: int, waiting: int) -> str:
    return (
        f"Nothing new is begun or taken. {_count(running, 'job')} running, {waiting} waiting: what runs is finished,"
        " what waits is kept. A restart ends the draining, and so does `moonsketch admin undrain`."
    )


def not_a_server_id(words: str) -> str:
    return (
        f"{quoted(words)} is no server's id. It is a long number (in Discord: Settings → Advanced → Developer Mode,"
        " then right-click the server → Copy Server ID), or `dm` for direct messages. Nothing was changed."
    )


def unknown_server(server: int) -> str:
    return (
        f"I know nothing of {server_named(server)}. `moonsketch admin servers` lists those that I know. Nothing was"
        " changed."
    )


def not_a_weight(words: str, low: float, high: float) -> str:
    return f"{quoted(words)} is no weight: a number from {low:g} to {high:g}, usually 1. Nothing was changed."


def not_a_reason(most: int) -> str:
    return f"A reason is needed, of at most {most} characters: people read it. Nothing was changed."


# The line at a glance, and what was used

LOOK_AGAIN = "Refresh"
NOBODY_IN_LINE = "Nobody runs or waits in this server's line. Begin with `/sketch` or `/imagine`."
CHART_JOBS = "Jobs"
CHART_RUNNING = "running"
CHART_WAITING = "waiting"
CHART_LONGEST_WAIT = "Longest wait so far"
CHART_GPU_TIME = "GPU time"
CHART_MEAN_WAIT = "Mean wait of a job"
USAGE_DAYS_HELP = "How many days back, today included; left out: 30"

_MOST_ALT_TEXT = 1000


def lasting(seconds: float) -> str:
    """How long something took or takes, rounded."""
    if seconds < 100:
        return f"{round(seconds)} s"
    if seconds < 100 * 60:
        return f"{round(seconds / 60)} min"
    return f"{round(seconds / 3600)} h" if seconds < 48 * 3600 else f"{round(seconds / 86_400)} days"


def unit_of_time(seconds: float) -> tuple[str, float]:
    """The one to count up to so many seconds in, and its own length in seconds."""
    if seconds < 120:
        return "seconds", 1.0
    return ("minutes", 60.0) if seconds < 120 * 60 else ("hours", 3600.0)


def in_unit(quantity: str, unit: str) -> str:
    return f"{quantity}, {unit}"


def numbered(number: int, name: str) -> str:
    return f"{number} {unformatted(name, 40)}"


def other_people(count: int) -> str:
    """count: two or more."""
    return f"{count} others"


def as_of(now: float) -> str:
    """now: seconds since 1970; Discord says it as each reader does."""
    return f"-# As of <t:{int(now)}:T>."


def line_title(running: int, waiting: int, seconds: float | None, *, own_only: bool) -> str:
    """seconds: until all of them are done; None while nobody knows."""
    if not running and not waiting:
        return QUEUE_IS_EMPTY if own_only else NOBODY_IN_LINE
    whose = "Your jobs here" if own_only else "This server's line"
    done = f", all done in {about(seconds)}" if seconds is not None else ""
    return f"**{whose}: {running} running, {waiting} waiting**{done}."


def line_entry(job: Job, turn: Turn | None, step: tuple[int, int] | None, *, own: bool) -> str:
    """turn: None for one that runs. step: the one that is done, of how many; None before the first one."""
    who = "**you**" if own else mention(job.author_id)
    parts = [f"`{turn.place}.` {who}" if turn is not None else f"`▶` {who}", kind(job.kind)]
    if turn is None:
        parts.append(f"step {step[0]} of {step[1]}" if step is not None else "running")
    parts.append(f"asked <t:{int(job.created_at)}:R>")
    if turn is not None and turn.seconds is not None:
        parts.append(f"{about(turn.seconds)} to go")
    return ", ".join(parts)


def and_more_in_line(count: int) -> str:
    return f"and {count} more"


def held_beside_the_line(count: int) -> str:
    waits = "waits" if count == 1 else "wait"
    return f"{_count(count, 'job')} more {waits} for a moderator, outside the line."


def line_alt_text(chart: LineChart) -> str:
    return unformatted(
        f"Bars of jobs per person. {'; '.join(map(_row_in_words, chart.rows))}.", _MOST_ALT_TEXT
    )


def _row_in_words(row: Row) -> str:
    longest = f", the longest for {row.waited_label}" if row.waited_label else ""
    return f"{row.name}: {row.running} running, {row.waiting} waiting{longest}"


def nothing_used(days: int) -> str:
    return f"Nobody had me draw anything in this server {_in_days(days)}. `/sketch` and `/imagine` begin something."


def usage_title(days: int, total: str, today: str) -> str:
    """total, today: see `used`."""
    return f"**What this server used {_in_days(days)}**: {total}.\nToday (by UTC): {today}."


def used(jobs: int, gpu_seconds: float, mean_wait: float) -> str:
    """mean_wait: seconds from asking to the start of a job."""
    if not jobs:
        return "nothing"
    return f"{_count(jobs, 'job')}, {lasting(gpu_seconds)} of the GPU, mean wait {lasting(mean_wait)}"


def usage_entry(number: int, person: int, total: str) -> str:
    """person: 0 once they are forgotten."""
    return f"`{number}.` {mention(person) if person else SOMEBODY}: {total}"


def and_more_people(count: int) -> str:
    return f"and {count} more {'person' if count == 1 else 'people'}"


def usage_alt_text(days: int, chart: UsageChart) -> str:
    most = (f"{panel.caption} up to {max(panel.totals):.3g}" for panel in chart.panels)
    return unformatted(
        f"Bars per day {_in_days(days)}, stacked by person ({_listed(chart.names)}). {'; '.join(most)}.",
        _MOST_ALT_TEXT,
    )


def _in_days(days: int) -> str:
    return "today" if days == 1 else f"in the last {days} days"


# Words: what is blocked, what is held for a moderator, and who decides

OWN_WORD = "a word of this server's own"
_ABOUT = {
    "minors": "sexualised minors",
    "sexual": "sexual content",
    "nudity": "nudity",
    "gore": "gore",
    "hate": "hatred",
    "extremism": "signs of extremists",
    "self_harm": "self-harm",
}
_IN_WORDS = {Verdict.BLOCK: "blocked", Verdict.HOLD: "held", Verdict.ALLOW: "allowed"}

PROMPT_SAYS, STYLE_SAYS, NAME_SAYS = "the prompt", "the style's template", "the piece's name"
DID_REFUSE_WORDS = "words refused"
DID_HOLD = "held for a moderator"
DID_LET_THROUGH = "let through"
DID_NOT_LET_THROUGH = "not let through"
DID_SET_WORD = "word changed"
LET_THROUGH, REFUSE_HELD = "Let it through", "Refuse"
SCENE_THAT_WAITS = "waits for a moderator"
"""The title of a Scene whose first prompt was held: that stays out of the names of threads."""

HELD_IS_FOR_MANAGERS = (
    "Only members who may manage this server decide about this. Whoever asked for it can still press"
    " **Cancel**."
)
NOT_HELD_ANY_MORE = "That waits for a moderator no longer: it was decided, cancelled or deleted."
NOTHING_HELD = "Nothing waits for a moderator in this server."
NO_OWN_WORDS = "This server has no words of its own yet; `/words block`, `hold` and `allow` add some."
WORD_HELP = "A word or phrase; inflections count too, and a * at an end means: however it goes on"
WORD_IS_EMPTY = "Write a **word** or phrase. Nothing was changed."
WORD_OF_ONE_LETTER = "One letter would be found almost everywhere. Write at least two. Nothing was changed."
WORD_WITHOUT_LETTERS = (
    "There is no letter or digit in that, so it would never be found. Write a word. Nothing was changed."
)


def word_too_long(length: int, limit: int) -> str:
    return f"That has {length} characters, and a word or phrase has {limit} at most. Nothing was changed."


def too_many_in_phrase(limit: int) -> str:
    return f"A phrase has {limit} words at most. Nothing was changed."


def star_needs_letters(least: int) -> str:
    return (
        f"With a * it needs at least {least} letters, or it would be found everywhere. Nothing was changed."
    )


def too_many_words(limit: int) -> str:
    return f"This server has {limit} words of its own, which is the most. `/words remove` makes room."


def word_is_that_already(word: str, verdict: Verdict) -> str:
    return f"{spoiler(word)} is {_IN_WORDS[verdict]} in this server already. Nothing was changed."


def word_not_there(word: str) -> str:
    return f"{spoiler(word)} is not among this server's own words; `/words list` shows them. Nothing was changed."


def word_cannot_be_set(word: str, kind: str) -> str:
    return (
        f"{spoiler(word)} belongs to {_ABOUT[kind]}. I refuse that in every server, and none can change it. Nothing was"
        " changed."
    )


def nothing_to_allow(word: str) -> str:
    return f"{spoiler(word)} is not on any list, so it goes through anyway. Nothing was changed."


def word_set(word: str, verdict: Verdict, before: Verdict | None, released: int, ended: int) -> str:
    """released, ended: jobs that waited for a moderator and that this decided."""
    was = f" (it was {_IN_WORDS[before]})" if before is not None else ""
    return f"{spoiler(word)} is {_IN_WORDS[verdict]} in this server from now on{was}.{_meanwhile(released, ended)}"


def word_removed(word: str, before: Verdict, released: int, ended: int) -> str:
    return (
        f"{spoiler(word)} is no longer {_IN_WORDS[before]} by this server; my own list decides about it."
        f"{_meanwhile(released, ended)}"
    )


def _meanwhile(released: int, ended: int) -> str:
    through = f" {_count(released, 'held job')} went into the line." if released else ""
    over = f" {_count(ended, 'held job')} ended." if ended else ""
    return f"{through}{over}"


def verdict_named(verdict: Verdict | None) -> str:
    """For the log."""
    return "not set" if verdict is None else _IN_WORDS[verdict]


def spoiler(word: str) -> str:
    """Hidden until somebody wants to see it."""
    return f"||{plain(word, 60)}||"


def words_refused(field: str, kind: str | None, verdict: Verdict, *, fixed: bool) -> str:
    """field: which text it is about. kind: None for a server's own word. Blocked, or held where nobody can decide."""
    if kind is None:
        return f"A word in {field} is blocked in this server. Nothing was started; say it in other words."
    about = f"There are words for {_ABOUT[kind]} in {field}"
    if fixed:
        return f"{about}, which I never draw. Nothing was started; leave them out."
    if verdict is Verdict.HOLD:
        return (
            f"{about}. In a server a moderator could let that through, but nobody can here. Nothing was started; leave"
            " them out."
        )
    return f"{about}. That is for age-restricted channels only. Nothing was started; leave them out, or ask in one."


def why_held(field: str, kind: str | None) -> str:
    """A sentence of its own, in small letters: it follows a colon."""
    if kind is None:
        return f"a word in {field} is one that this server holds."
    return f"there are words for {_ABOUT[kind]} in {field}."


def held_since(why: str) -> str:
    """At its turn: it may not go on without a moderator, and did not wait for one."""
    return f"A moderator has to see it now: {why} Send it again, and it waits for one."


def name_refused(why: str) -> str:
    """Of a piece or a style, which cannot wait."""
    return f"A moderator would have to let this through: {why} Nothing was kept; choose other words."


def not_let_through(why: str) -> str:
    """On the card."""
    return f"A moderator did not let this through: {why} Nothing was charged."


def waits_for_you(author: int, where: str, why: str) -> str:
    """To the moderators. where: a link to its card."""
    return f"**A picture waits for a moderator**: {where} of {mention(author)}, because {why}"


def job_numbered(job: int) -> str:
    return f"job {job}"


def was_decided(sentence: str, by: int) -> str:
    return f"{sentence} {mention(by)} decided."


def was_let_through(job: int, author: int) -> str:
    return f"{job_of(job, author).capitalize()} was let through, and is in the line."


def was_not_let_through(job: int, author: int) -> str:
    return f"{job_of(job, author).capitalize()} was refused, and its card says why."


def held_heading(count: int, shown: int) -> str:
    more = f"; the first {shown}:" if shown < count else ":"
    return f"**{_count(count, 'job')}** {'waits' if count == 1 else 'wait'} for a moderator{more}"


def words_listed(words: Sequence[OwnWord], page: int, pages: int) -> str:
    """Those of one page, each hidden until somebody wants to see it."""
    lines = [f"**This server's own words**, page {page} of {pages}"] if words else [NO_OWN_WORDS]
    by_verdict = {each: [spoiler(word.word) for word in words if word.verdict is each] for each in Verdict}
    lines += [
        f"**{_IN_WORDS[verdict].capitalize()}**: {', '.join(these)}"
        for verdict, these in by_verdict.items()
        if these
    ]
    always = _listed(_ABOUT[kind] for kind in ("minors", "hate"))
    lines.append(
        f"-# My own short list comes first: {always} are refused everywhere; {_ABOUT['self_harm']} and"
        f" {_ABOUT['extremism']} are held; {_ABOUT['nudity']} and {_ABOUT['gore']} are held and {_ABOUT['sexual']} is"
        " refused in channels that are not age-restricted. Negative prompts are not looked at. `/words test` shows what"
        " becomes of a prompt."
    )
    return "\n".join(lines)


def no_page_of_words(page: int, pages: int) -> str:
    return f"There is no page {page}; this server's words take {_count(pages, 'page')}."


def tested(
    here: Verdict, elsewhere: Verdict, found: Sequence[tuple[Verdict, str | None, str]], *, adults: bool
) -> str:
    """found: verdict here, kind, words. adults: this channel is age-restricted."""
    restricted, others = (here, elsewhere) if adults else (elsewhere, here)
    lines = [
        f"In age-restricted channels: **{_becomes(restricted)}**; in the others: **{_becomes(others)}**."
    ]
    for verdict, kind, words in found[:10]:
        about = OWN_WORD if kind is None else _ABOUT[kind]
        lines.append(f"- {spoiler(words)}: {about}, {_IN_WORDS[verdict]} here")
    return "\n".join(lines)


def _becomes(verdict: Verdict) -> str:
    return {
        Verdict.BLOCK: "refused",
        Verdict.HOLD: "held for a moderator",
        Verdict.ALLOW: "goes through",
    }[verdict]


# Safety of pictures

DID_REFUSE_PICTURE, DID_KEEP_BACK = "picture refused by safety", "pictures kept back by safety"
MAY_NOT_BE_SHOWN = (
    "The safety check took that picture for something that may not be shown here, or has not looked at it yet. Take"
    " another one, or wait until what begins from it is drawn."
)


def start_is_unsafe(*, was_sent: bool) -> str:
    """was_sent: somebody sent the picture, and it is not kept."""
    kept = ", and it was not kept" if was_sent else ""
    return (
        "Nothing was drawn: the safety check took the picture to start from for something that may not be shown"
        f" here{kept}. Start from another one; where the check is wrong, a moderator may know what to do. Nothing was"
        " charged."
    )


def all_kept_back(count: int) -> str:
    what = "the picture" if count == 1 else f"all {count} pictures"
    return (
        f"The safety check took {what} for something that may not be shown here, so nothing was kept. Try other words"
        " or another seed; where the check is wrong, a moderator may know what to do. Nothing was charged."
    )


def kept_back(count: int, of: int) -> str:
    """A note on a card that shows the others."""
    was, it = ("was", "it") if count == 1 else ("were", "them")
    why = f"the safety check took {it} for something that may not be shown here."
    return f"{count} of {of} pictures {was} kept back: {why}"


def found_unsafe(categories: Iterable[str]) -> str:
    """For moderators: in the check's own words, and how often."""
    return ", ".join(
        f"{category} ×{count}" if count > 1 else category for category, count in Counter(categories).items()
    )
