"""The rules of a place: what there is to turn, how a value is typed, said and compared, and what it refuses.

Which values hold for somebody is settled in `bot/rules.py`; here each rule knows only itself. Every value is plain
JSON: that is how it is stored.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from bot import texts
from bot.errors import BadOption, LimitReached
from bot.options import MOST_CANDIDATES, MOST_STEPS, nearest, parse_shape
from bot.store.records import Scope
from inference import ImageRequest, Strictness

STRIP_COUNTS_AS = 4
"""The five pictures of a strength strip run 0.3 + 0.45 + 0.6 + 0.75 + 0.9 = 3 times the steps that were asked for:
exactly what four pictures of a sketch run at the usual strength of 0.75."""

HOUR_SECONDS, DAY_SECONDS = 3600, 86_400


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for one person in one place. Field names are those under which values are stored.

    Where a rule can be without a limit, 0 is none. models, styles: names; empty: all. gpu_seconds…: per day (UTC).
    """

    waiting_per_person: int = 3
    waiting_per_server: int = 20
    jobs_per_hour: int = 0
    cooldown: int = 0
    gpu_seconds: int = 0
    gpu_seconds_of_server: int = 0
    most_steps: int = MOST_STEPS // 3
    most_candidates: int = MOST_CANDIDATES
    most_pixels: int = 0
    models: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    use: bool = True
    members_for_days: int = 0
    role_weight: float = 1.0
    safety: Strictness = Strictness.BLOCK
    recipes: bool = True
    retention_days: int = 30


class Beyond(LimitReached):
    """A rule says no; `field` is that of Limits."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


# Kinds of values


class Kind(Protocol):
    """How values of a rule are read, said and compared. Of two, the more generous asks less of people."""

    def read(self, option: str, text: str) -> Any:
        """What somebody typed. Raises BadOption."""

    def say(self, value: Any) -> str: ...

    def keeps(self, stored: Any) -> bool:
        """Whether a stored value still makes sense."""

    def generous(self, some: Any, other: Any) -> Any: ...

    def capped(self, value: Any, ceiling: Any) -> Any:
        """value, where the host allows no more than `ceiling`."""

    def examples(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class Number:
    """low and high are inclusive. unlimited: 0 means that there is no limit. less_is_more: of a wait, for instance."""

    low: float
    high: float
    unlimited: bool = False
    less_is_more: bool = False
    whole: bool = True

    def read(self, option: str, text: str) -> float:
        words = text.strip().lower()
        if words in _NONE and self.keeps(0):
            return 0
        number = _number(words)
        if number is None or (self.whole and not number.is_integer()) or not self.low <= number <= self.high:
            raise BadOption(texts.not_a_rule_value(option, text, self._range()))
        return int(number) if self.whole else number

    def say(self, value: float) -> str:
        return texts.NO_LIMIT if value == 0 and self.unlimited else f"{value:.12g}"

    def keeps(self, stored: Any) -> bool:
        if isinstance(stored, bool) or not isinstance(stored, int if self.whole else int | float):
            return False
        return self.low <= stored <= self.high or (stored == 0 and self.unlimited)

    def generous(self, some: float, other: float) -> float:
        return max(some, other, key=self._generosity)

    def capped(self, value: float, ceiling: float) -> float:
        return min(value, ceiling, key=self._generosity)

    def examples(self) -> Sequence[str]:
        return ([texts.NO_LIMIT] if self.unlimited else []) + [f"{self.low:.12g}", f"{self.high:.12g}"]

    def _generosity(self, value: float) -> float:
        if value == 0 and self.unlimited:
            return float("inf")
        return -value if self.less_is_more else value

    def _range(self) -> str:
        return texts.number_from_to(self.low, self.high, unlimited=self.unlimited)


class Pixels(Number):
    """An area, typed and said as a picture of that size."""

    def read(self, option: str, text: str) -> int:
        if text.strip().lower() in _NONE:
            return 0
        try:
            width, height = parse_shape(text)
        except BadOption:
            raise BadOption(texts.not_a_rule_value(option, text, texts.A_SIZE)) from None
        if not self.low <= width * height <= self.high:
            raise BadOption(texts.not_a_rule_value(option, text, texts.A_SIZE))
        return int(width * height)

    def say(self, value: float) -> str:
        return texts.NO_LIMIT if value == 0 else texts.pixels(int(value))

    def examples(self) -> Sequence[str]:
        return [texts.NO_LIMIT, "512x512", "768x512", "1024x1024"]


class Switch:
    def read(self, option: str, text: str) -> bool:
        words = text.strip().lower()
        if words not in _ON | _OFF:
            raise BadOption(texts.not_a_rule_value(option, text, texts.ON_OR_OFF))
        return words in _ON

    def say(self, value: bool) -> str:
        return texts.switch(value)

    def keeps(self, stored: Any) -> bool:
        return isinstance(stored, bool)

    def generous(self, some: bool, other: bool) -> bool:
        return bool(some or other)

    def capped(self, value: bool, ceiling: bool) -> bool:
        return bool(value and ceiling)

    def examples(self) -> Sequence[str]:
        return ["on", "off"]


_STRICTEST_FIRST: list[str] = [Strictness.BLOCK, Strictness.SPOILER, Strictness.OFF]


class HowStrict:
    """One of Strictness."""

    def read(self, option: str, text: str) -> str:
        words = text.strip().lower()
        if not self.keeps(words):
            raise BadOption(texts.not_a_rule_value(option, text, texts.one_of(_STRICTEST_FIRST)))
        return words

    def say(self, value: str) -> str:
        return str(value)

    def keeps(self, stored: Any) -> bool:
        return stored in _STRICTEST_FIRST

    def generous(self, some: str, other: str) -> str:
        return max(some, other, key=_STRICTEST_FIRST.index)

    def capped(self, value: str, ceiling: str) -> str:
        return min(value, ceiling, key=_STRICTEST_FIRST.index)

    def examples(self) -> Sequence[str]:
        return _STRICTEST_FIRST


class Names:
    """A list of names; an empty one means all. Whether there are such things, whoever asks has to say."""

    def read(self, option: str, text: str) -> tuple[str, ...]:
        if text.strip().lower() in _ALL:
            return ()
        names = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
        if not names:
            raise BadOption(texts.not_a_rule_value(option, text, texts.NAMES_OR_ALL))
        return names

    def say(self, value: Sequence[str]) -> str:
        return ", ".join(value) if value else texts.ALL_OF_THEM

    def keeps(self, stored: Any) -> bool:
        return isinstance(stored, list | tuple) and all(isinstance(each, str) for each in stored)

    def generous(self, some: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*some, *other])) if some and other else ()

    def capped(self, value: Sequence[str], ceiling: Sequence[str]) -> tuple[str, ...]:
        """Where nothing is left of a server's list, it has what the host allows."""
        both = [name for name in value if name in ceiling]
        return tuple(both or ceiling or value)

    def examples(self) -> Sequence[str]:
        return ["all"]


_NONE = frozenset({"none", "off", "no limit", "unlimited", "0", "-"})
_ALL = frozenset({"all", "any", "every", "*"})
_ON, _OFF = (
    frozenset({"on", "yes", "true", "1", "everyone"}),
    frozenset({"off", "no", "false", "0", "nobody"}),
)


def _number(words: str) -> float | None:
    """Plain digits with at most one point or comma; '1,000' and '1e9' are refused rather than guessed at."""
    whole, _, rest = words.replace(",", ".").partition(".")
    if not (whole.isascii() and whole.isdecimal()) or len(whole) > 12 or len(rest) > 2:
        return None
    return float(f"{whole}.{rest or 0}") if not rest or (rest.isascii() and rest.isdecimal()) else None


# The table


@dataclass(frozen=True)
class Rule:
    """One field of Limits as people turn it."""

    field: str
    option: str
    help: str
    kind: Kind
    scopes: tuple[Scope, ...] = (Scope.SERVER, Scope.CHANNEL, Scope.ROLE)

    def generous(self, values: Sequence[Any]) -> Any:
        best = values[0]
        for value in values[1:]:
            best = self.kind.generous(best, value)
        return best


_OF_SERVER = (Scope.SERVER,)
_MUCH = 1_000_000

RULES = (
    Rule(
        "waiting_per_person",
        "waiting-per-person",
        "Jobs one person may have waiting or running",
        Number(1, 20),
    ),
    Rule(
        "waiting_per_server",
        "waiting-per-server",
        "Jobs this server may have waiting or running",
        Number(1, 200),
        _OF_SERVER,
    ),
    Rule(
        "jobs_per_hour",
        "jobs-per-hour",
        "Jobs one person may ask for in an hour",
        Number(1, 1000, unlimited=True),
    ),
    Rule(
        "cooldown",
        "cooldown",
        "Seconds between two jobs of a person",
        Number(0, DAY_SECONDS, less_is_more=True),
    ),
    Rule(
        "gpu_seconds",
        "gpu-seconds",
        "Seconds of drawing one person may use in a day",
        Number(1, _MUCH, unlimited=True),
    ),
    Rule(
        "gpu_seconds_of_server",
        "gpu-seconds-server",
        "Seconds of drawing this server may use in a day",
        Number(1, _MUCH, unlimited=True),
        _OF_SERVER,
    ),
    Rule("most_steps", "steps", "The most steps one job may ask for", Number(1, MOST_STEPS)),
    Rule(
        "most_candidates",
        "candidates",
        f"The most pictures one job may ask for; a strength strip counts as {STRIP_COUNTS_AS}",
        Number(1, MOST_CANDIDATES),
    ),
    Rule(
        "most_pixels",
        "pixels",
        "The largest picture, as 768x512",
        Pixels(64 * 64, 4096 * 4096, unlimited=True),
    ),
    Rule("models", "models", "Which models may be used, with commas between", Names()),
    Rule("styles", "styles", "Which styles may be used, with commas between", Names()),
    Rule("use", "use", "Who may use me: off for the server and on for roles or channels", Switch()),
    Rule(
        "members_for_days",
        "members-for-days",
        "Days somebody must have been a member",
        Number(0, 3650, less_is_more=True),
    ),
    Rule(
        "role_weight",
        "line-weight",
        "A role's share of the line; above 1 it also goes first",
        Number(1, 10, whole=False),
        (Scope.ROLE,),
    ),
    Rule("safety", "safety", "Unsafe pictures: block them, hide them behind a spoiler, or off", HowStrict()),
    Rule(
        "recipes",
        "recipes",
        "Whether picture files say how they were made: prompt, seed …",
        Switch(),
        _OF_SERVER,
    ),
    Rule("retention_days", "keep-days", "Days until an unused Scene is deleted", Number(1, 3650), _OF_SERVER),
)

BY_FIELD = {rule.field: rule for rule in RULES}


def rule_named(option: str) -> Rule:
    """Raises BadOption."""
    for rule in RULES:
        if rule.option == option.strip().lower():
            return rule
    options = [rule.option for rule in RULES]
    raise BadOption(texts.unknown_rule(option, nearest(option, options)))


# What they refuse


def check_who(limits: Limits, joined_at: float | None, now: float) -> None:
    """Raises Beyond. Somebody whose day of joining is not known counts as a member of old."""
    if not limits.use:
        raise Beyond("use", texts.MAY_NOT_USE_ME_HERE)
    again = (joined_at or 0) + limits.members_for_days * DAY_SECONDS
    if limits.members_for_days and joined_at is not None and now < again:
        raise Beyond("members_for_days", texts.member_too_short(limits.members_for_days, again))


def check_request(limits: Limits, request: ImageRequest, style: str | None = None) -> None:
    """Raises Beyond if the request is larger than this place allows, or other than it wants."""
    if request.steps > limits.most_steps:
        raise Beyond("most_steps", texts.too_many_steps(request.steps, limits.most_steps))
    if request.strengths:
        if limits.most_candidates < STRIP_COUNTS_AS:
            raise Beyond("most_candidates", texts.no_room_for_strip(STRIP_COUNTS_AS, limits.most_candidates))
    elif len(request.seeds) > limits.most_candidates:
        raise Beyond("most_candidates", texts.too_many_candidates(len(request.seeds), limits.most_candidates))
    if limits.most_pixels and request.frame.content.area > limits.most_pixels:
        raise Beyond("most_pixels", texts.too_many_pixels(request.frame.content, limits.most_pixels))
    if limits.models and request.model not in limits.models:
        raise Beyond("models", texts.not_one_of_the_models(request.model, limits.models))
    if limits.styles and style is not None and style not in limits.styles:
        raise Beyond("styles", texts.not_one_of_the_styles(style, limits.styles))


def check_line(limits: Limits, waiting_of_person: int, waiting_in_server: int) -> None:
    """Raises Beyond if one more job would be too many."""
    if waiting_of_person >= limits.waiting_per_person:
        raise Beyond(
            "waiting_per_person", texts.person_waits_enough(waiting_of_person, limits.waiting_per_person)
        )
    if waiting_in_server >= limits.waiting_per_server:
        raise Beyond(
            "waiting_per_server", texts.server_waits_enough(waiting_in_server, limits.waiting_per_server)
        )


def check_pace(limits: Limits, asked_at: Sequence[float], now: float) -> None:
    """Raises Beyond. asked_at: when this person's jobs of the last day were asked for, oldest first."""
    if asked_at and now < asked_at[-1] + limits.cooldown:
        raise Beyond("cooldown", texts.too_soon(limits.cooldown, asked_at[-1] + limits.cooldown))
    lately = [at for at in asked_at if at > now - HOUR_SECONDS]
    if limits.jobs_per_hour and len(lately) >= limits.jobs_per_hour:
        again = lately[-limits.jobs_per_hour] + HOUR_SECONDS
        raise Beyond("jobs_per_hour", texts.enough_jobs_for_now(len(lately), limits.jobs_per_hour, again))


def check_used(limits: Limits, by_person: float, by_server: float, now: float) -> None:
    """Raises Beyond when the day's seconds of drawing are used up; they come back at midnight, UTC."""
    again = datetime.datetime.fromtimestamp(now, datetime.UTC).replace(hour=0, minute=0, second=0).timestamp()
    again += DAY_SECONDS
    if limits.gpu_seconds and by_person >= limits.gpu_seconds:
        raise Beyond("gpu_seconds", texts.person_used_enough(by_person, limits.gpu_seconds, again))
    if limits.gpu_seconds_of_server and by_server >= limits.gpu_seconds_of_server:
        raise Beyond(
            "gpu_seconds_of_server", texts.server_used_enough(by_server, limits.gpu_seconds_of_server, again)
        )
