"""The one table of what a request can be told: it feeds slash options, reply flags, forms and `python -m bot try`.

A reply carries options as flags in its text: ``--strength 0.5 --steps 40 a red parasol``. Phones turn ``--`` into a
dash, so ``—strength`` and ``–strength`` mean the same. ``--no`` runs to the next flag; every other flag takes one word.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from bot import texts
from bot.errors import BadOption
from inference import MAX_GUIDANCE, MAX_SEED

PROMPT_LENGTH = 500
MOST_STEPS = 150
MOST_CANDIDATES = 4


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What one person asked for; None where they said nothing."""

    strength: float | None = None
    steps: int | None = None
    seed: int | None = None
    guidance: float | None = None
    negative: str | None = None
    candidates: int | None = None
    size: str | None = None
    sampler: str | None = None
    model: str | None = None
    style: str | None = None


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody typed into the fields of a form, word for word. flags: options as in a reply.

    region: which part of a picture is meant, where the form asks for that.
    """

    region: str = ""
    prompt: str = ""
    negative: str = ""
    strength: str = ""
    flags: str = ""


@dataclass(frozen=True)
class Option:
    """One row. `low` and `high` are inclusive; a strength of 0 is refused by its own rule (it must be above 0)."""

    name: str
    flag: str
    help: str
    low: float = 0
    high: float = 0


STRENGTH = Option(
    "strength",
    "strength",
    "How much freedom: 0.2 keeps your picture, 0.9 mostly follows the prompt",
    0.01,
    1.0,
)
STEPS = Option("steps", "steps", "How many rounds of polish; more is slower", 1, MOST_STEPS)
SEED = Option("seed", "seed", "The same seed and inputs give the same picture", 0, MAX_SEED)
GUIDANCE = Option("guidance", "guidance", "How literally the prompt is taken", 0, MAX_GUIDANCE)
NEGATIVE = Option("negative", "no", "What should not be in the picture", 0, PROMPT_LENGTH)
CANDIDATES = Option("candidates", "n", "How many pictures to choose from", 1, MOST_CANDIDATES)
SIZE = Option("size", "size", "Shape of a picture made without a sketch, as width:height (3:2)")
SAMPLER = Option("sampler", "sampler", "How noise is taken away; which ways there are depends on the model")
MODEL = Option("model", "model", "Which model draws")
STYLE = Option("style", "style", "In which style: crayon, oil, pixel-art … (/style list); none for no style")

TABLE = (STRENGTH, STEPS, SEED, GUIDANCE, NEGATIVE, CANDIDATES, SIZE, SAMPLER, MODEL, STYLE)
FIELDS = (NEGATIVE, STRENGTH)
"""Those that have a field of their own in a form; the others are typed there as flags."""

IN_FLAGS = tuple(option for option in TABLE if option not in (*FIELDS, SIZE))
"""A form always starts from a picture, and that has its shape."""

NO_STYLE = "none"
"""What people say for no style at all, where the picture they go on from has one."""

NAME_LENGTH = 100
"""More than any model, sampler or shape needs, and little enough to be repeated in an answer."""

_BY_FLAG = {option.flag: option for option in TABLE}

# Digits and dots belong to the name, so that --steps40 is an unknown flag and not a part of the prompt.
_FLAG = re.compile(r"(?:^|(?<=\s))(?:--|—|–)([A-Za-z][\w.:-]*)(?=\s|=|$)=?")
_FINITE_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)")
# Control characters and halves of surrogate pairs: no UTF-8 text can hold the latter.
_UNWRITABLE = re.compile(r"[\x00-\x08\x0e-\x1b\x7f\ud800-\udfff]")


def parse_reply(text: str) -> tuple[str, Options]:
    """Split a reply into its words and its options. Raises BadOption for the first flag that is wrong."""
    parts = _FLAG.split(text)
    words = [parts[0].strip()]
    raw: dict[str, str] = {}
    for flag, rest in zip(parts[1::2], parts[2::2], strict=True):
        option = _known(flag)
        value, left_over = (rest.strip(), "") if option is NEGATIVE else _first_word(rest)
        if not value:
            raise BadOption(texts.flag_needs_value(option.flag))
        if option.name in raw:
            raise BadOption(texts.flag_given_twice(option.flag))
        raw[option.name] = value
        words.append(left_over)
    return " ".join(word for word in words if word), read_options(raw)


def read_form(form: Form) -> tuple[str, Options]:
    """The prompt and the options of a form. Raises BadOption for the first field that is wrong.

    A form shows the style of its picture among the flags, so one without a style asks for none.
    """
    prompt = check_prompt(form.prompt)
    if not prompt:
        raise BadOption(texts.EMPTY_PROMPT)
    words, options = parse_reply(form.flags)
    if words:
        raise BadOption(texts.only_flags(words, [option.flag for option in IN_FLAGS]))
    for option, value in ((NEGATIVE, options.negative), (STRENGTH, options.strength)):
        if value is not None:
            raise BadOption(texts.flag_has_a_field(option.flag))
    fields = msgspec.structs.replace(
        options,
        negative=form.negative.strip(),
        strength=_strength(form.strength.strip() or None),
        style=options.style or NO_STYLE,
    )
    return prompt, fields


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    close = difflib.get_close_matches(word.strip().lower(), list(known), n=1, cutoff=0.5)
    return close[0] if close else None


def read_options(raw: Mapping[str, str]) -> Options:
    """Options from the words people typed, by option name. Raises BadOption."""
    return Options(
        strength=_strength(raw.get("strength")),
        steps=_whole(STEPS, raw.get("steps")),
        seed=_whole(SEED, raw.get("seed")),
        guidance=_number(GUIDANCE, raw.get("guidance")),
        negative=raw.get("negative"),
        candidates=_whole(CANDIDATES, raw.get("candidates")),
        size=raw.get("size"),
        sampler=raw.get("sampler"),
        model=raw.get("model"),
        style=raw.get("style"),
    )


def check_prompt(prompt: str, *, what: str = "prompt") -> str:
    """The prompt without surrounding space and unwritable characters. Raises BadOption when it is too long."""
    stripped = _UNWRITABLE.sub("", prompt).strip()
    if len(stripped) > PROMPT_LENGTH:
        raise BadOption(texts.prompt_too_long(what, len(stripped), PROMPT_LENGTH))
    return stripped


def parse_shape(text: str) -> tuple[float, float]:
    """'3:2', '3x2' or '768×512' as a pair whose ratio is the wanted one. Raises BadOption."""
    match = re.fullmatch(r"\s*(\d{1,5})\s*[:x×*/]\s*(\d{1,5})\s*", text)
    if match is None or int(match[1]) == 0 or int(match[2]) == 0:
        raise BadOption(texts.bad_size(text))
    return float(match[1]), float(match[2])


def _known(flag: str) -> Option:
    option = _BY_FLAG.get(flag.lower())
    if option is None:
        raise BadOption(texts.unknown_flag(flag, nearest(flag, _BY_FLAG), tuple(_BY_FLAG)))
    return option


def _first_word(rest: str) -> tuple[str, str]:
    head, *tail = rest.split(maxsplit=1) or [""]
    return head, "".join(tail).strip()


def _strength(text: str | None) -> float | None:
    if text is None:
        return None
    value = _parse_number(STRENGTH, text)
    if not 0 < value <= 1:
        raise BadOption(texts.bad_strength(text))
    return value


def _number(option: Option, text: str | None) -> float | None:
    if text is None:
        return None
    value = _parse_number(option, text)
    if not option.low <= value <= option.high:
        raise BadOption(texts.out_of_range(option.flag, option.low, option.high, text))
    return value


def _whole(option: Option, text: str | None) -> int | None:
    value = _number(option, text)
    if value is None:
        return None
    if not value.is_integer():
        raise BadOption(texts.not_whole(option.flag, str(text)))
    return int(value)


def _parse_number(option: Option, text: str) -> float:
    """A plain decimal number; 'nan', 'inf' and '1e9' are words here."""
    if not _FINITE_NUMBER.fullmatch(text):
        raise BadOption(texts.not_a_number(option.flag, text))
    value = float(text.replace(",", "."))
    if not math.isfinite(value):
        raise BadOption(texts.not_a_number(option.flag, text))
    return value
