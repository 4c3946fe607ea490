"""Styles: presets of words round a person's own. Those of `styles.toml` everywhere, and those a server added.

A job keeps the person's words and the whole style beside each other (`Job.to_draw` puts them together), so that cards,
forms, replies, Again and recipes go on with the words that somebody typed, and a style that its server has changed or
removed since still makes the same picture.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources

import msgspec

from bot import texts
from bot.errors import BadOption
from bot.options import NO_STYLE, STRENGTH, Options, check_prompt, nearest
from bot.store import Store, Style

MOST_OWN = 20
"""Of one server: enough to choose from, and few enough for one list."""

NAME_LENGTH, TEMPLATE_LENGTH, NEGATIVE_LENGTH = 30, 300, 200

_NAME = re.compile(r"[^\W_]+(-[^\W_]+)*")


@cache
def built_in() -> tuple[Style, ...]:
    file = resources.files("bot") / "styles.toml"
    presets = tomllib.loads(file.read_text("utf-8"))
    return tuple(msgspec.convert({"name": name, **preset}, Style) for name, preset in presets.items())


class Styles:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def known(self, guild_id: int | None) -> list[Style]:
        """The server's own first."""
        own = [] if guild_id is None else await self._store.styles.of(guild_id)
        return [*own, *built_in()]

    async def settle(
        self, options: Options, guild_id: int | None, before: Style | None = None
    ) -> tuple[Options, Style | None]:
        """As the function, with the styles of that server. Raises BadOption."""
        return settle(options, await self.known(guild_id), before)


def settle(
    options: Options, known: Sequence[Style], before: Style | None = None
) -> tuple[Options, Style | None]:
    """The style to draw in: the one that was named, else `before`, that of the picture it goes on from.

    One that was named brings its recommended strength to options without any. Raises BadOption for an unknown name.
    """
    if options.style is None:
        return options, before
    name = as_name(options.style)
    if name == NO_STYLE:
        return options, None
    style = _called(name, [*([before] if before else []), *known])
    if style is None:
        names = [each.name for each in known]
        raise BadOption(texts.unknown_style(options.style, nearest(name, names), names))
    if options.strength is None:
        options = msgspec.structs.replace(options, strength=style.strength)
    return options, style


def own_style(
    known: Sequence[Style], name: str, template: str, negative: str, strength: float | None
) -> Style:
    """What somebody wants to add to the styles their server knows already. Raises BadOption."""
    wanted = as_name(name)
    if len(wanted) > NAME_LENGTH or not _NAME.fullmatch(wanted) or wanted == NO_STYLE:
        raise BadOption(texts.bad_style_name(name, NAME_LENGTH))
    if _called(wanted, known) is not None:
        raise BadOption(texts.style_exists(wanted, built_in=_called(wanted, built_in()) is not None))
    if len(known) - len(built_in()) >= MOST_OWN:
        raise BadOption(texts.too_many_styles(MOST_OWN))
    if template.count(Style.HOLE) != 1:
        raise BadOption(texts.STYLE_WITHOUT_PROMPT)
    if strength is not None and not STRENGTH.low <= strength <= STRENGTH.high:
        raise BadOption(texts.bad_strength(f"{strength:g}"))
    return Style(
        name=wanted,
        template=_short(template, "template", TEMPLATE_LENGTH),
        negative=_short(negative, "negative prompt", NEGATIVE_LENGTH),
        strength=strength,
    )


def _short(text: str, what: str, most: int) -> str:
    text = check_prompt(text, what=what)
    if len(text) > most:
        raise BadOption(texts.prompt_too_long(what, len(text), most))
    return text


def as_name(text: str) -> str:
    """As it is typed after --style: one word in small letters."""
    return "-".join(text.lower().split())


def _called(name: str, styles: Sequence[Style]) -> Style | None:
    return next((style for style in styles if style.name == name), None)
