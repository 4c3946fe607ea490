"""People of one server who try to get at another one, by ids of its records.

Nobody's client can press a button that is not there, and discord.py leaves alone what the pressed message does not
have. So presses are made as raw INTERACTION_CREATE events, built by simcord as it builds those of its own people, on a
message of the attacker's own server that says it has that button: the worst that Discord could let through. Forms are
sent the same way, and replies that name messages elsewhere as raw MESSAGE_CREATE events. Commands and completions go
through simcord's people.
"""

from __future__ import annotations

import random
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from simcord import SetupError
from simcord.actors import MemberActor, _dispatch_actor_interaction
from simcord.backend import serializers
from simcord.builders import ChannelHandle, UserHandle
from simcord.enums import InteractionType
from simcord.results import InteractionResult

from bot import custom_ids
from bot.custom_ids import Action, Answer, How, Press, Ruling, Step, Way
from bot.store import Shares
from tests.journeys.two_servers import Ids, Side

SELECTS = ("HISTORY_TEMPLATE", "MORE_TEMPLATE", "PIECES_TEMPLATE", "HELP_TEMPLATE")
PLAIN = (
    custom_ids.SHARE,
    custom_ids.ERASE,
    custom_ids.KEEP,
    custom_ids.FORGET,
    custom_ids.WHICH,
    custom_ids.FORM,
)
"""What hangs on messages without a layout; answers that are put in the place of one have none either."""

TEMPLATES = {name: value for name, value in vars(custom_ids).items() if name.endswith("_TEMPLATE")}

ABSURD = (0, 10**18 - 1, 10**19 - 1, 10**20 - 1)
_LONG = "x" * 100


class Attempt(NamedTuple):
    """said: everything in it that the attacker typed or forged, which may come back to them. ours: it looks as if it
    came from the bot, which therefore answers it; anything else it leaves alone."""

    kind: str
    said: str
    run: Callable[[], Awaitable[InteractionResult | None]]
    ours: bool = True


class Attacker(NamedTuple):
    """Somebody with messages of the bot to press on, in a place of theirs: one with a layout and one without."""

    who: MemberActor | UserHandle
    place: ChannelHandle
    card: Any
    plain: Any

    @classmethod
    def at(cls, who: MemberActor | UserHandle, place: ChannelHandle) -> Attacker:
        backend = place._env.backend
        box = {"type": 17, "components": [{"type": 10, "content": "a card"}]}
        card = backend.create_message(place.id, backend.bot_user.id, "", components=[box], flags=1 << 15)
        return cls(who, place, card, backend.create_message(place.id, backend.bot_user.id, "a question"))

    async def press(
        self, custom_id: str, values: Sequence[str] | None = None, *, on_message: bool = True
    ) -> InteractionResult:
        """values: of a select. on_message: the message says that it has it."""
        pressed = self.plain if custom_id.split(":")[1:2] in [[name] for name in PLAIN] else self.card
        data: dict[str, Any] = {"custom_id": custom_id, "component_type": 2 if values is None else 3}
        shown = {"type": data["component_type"], "custom_id": custom_id}
        if values is None:
            shown |= {"style": 1, "label": "one"}
        else:
            data["values"] = list(values)
            shown["options"] = [{"label": "one", "value": value} for value in values]
        message = dict(serializers.message_payload(self.place._env.backend, pressed))
        if on_message:
            message |= {"components": [{"type": 1, "components": [shown]}]}
        return await _dispatch_actor_interaction(
            self.who,
            InteractionType.MESSAGE_COMPONENT,
            self.place,
            data,
            extra={"message": message},
            source_message_id=pressed.id,
        )


class Attacks:
    """Attempts against `victim`, whose records are `theirs`; what the `spared` ids name is never meant."""

    def __init__(
        self, attackers: Sequence[Attacker], victim: Side, theirs: Ids, spared: Ids, seed: int
    ) -> None:
        self._attackers = attackers
        self._victim = victim
        self._theirs = theirs
        self._spared = spared
        self._random = random.Random(seed)
        self._env = victim.here.env
        self._kinds = [self._press] * 8 + [self._choose] * 4 + [self._send_form] * 4 + [self._command] * 3
        self._kinds += [self._complete, self._reply, self._menu]

    def attempt(self) -> Attempt:
        return self._random.choice(self._kinds)()

    # Ids

    def _number(self, of: str) -> int:
        """Mostly the id of such a record of theirs; else one of another kind, one of nothing, or no id at all."""
        one, sort = self._random.choice, self._random.random()
        theirs: frozenset[int] = getattr(self._theirs, of)
        if sort < 0.8:
            return one(sorted(theirs))
        spared: frozenset[int] = getattr(self._spared, of)
        if sort < 0.85:
            return one(sorted((self._theirs.picture_id | self._theirs.job_id) - spared))
        if sort < 0.9:
            return one(ABSURD)
        return one([number for number in range(1, 300) if number not in spared])

    def _custom_id(self, template: str) -> str:
        job, picture = self._number("job_id"), self._number("picture_id")
        scene, draft = self._number("scene_id"), self._number("draft_id")
        person, message = self._number("people"), self._number("messages")
        one = self._random.choice
        form = one(
            (
                f"p{picture}:{one(list(How))}",
                f"m{one((self._victim.offer, message))}:{one((How.SKETCH, How.REFINE))}",
                f"d{draft}:{one((How.SEAMS, How.WHOLE))}",
            )
        )
        filled = {
            "BUTTON_TEMPLATE": f"{one(list(Action))}:{job}:{one((0, 0, 1, 2, 99))}",
            "HISTORY_TEMPLATE": f"history:{scene}:{one((0, 1, 999_999))}",
            "HELP_TEMPLATE": f"help:{one(('flat', 'none'))}:0",
            "QUEUE_TEMPLATE": f"queue:{job}:0",
            "FILL_TEMPLATE": f"fill:{picture}:{one((0, 7, 9999))}.{one((0, 5, 9999))}",
            "MORE_TEMPLATE": f"more:{job}:0",
            "FORM_TEMPLATE": f"form:{form}",
            "ERASE_TEMPLATE": f"erase:{one((f'j{job}', f'p{picture}'))}:{one(list(Step))}",
            "SHARE_TEMPLATE": f"share:{one(list(Shares))}:0",
            "GRID_TEMPLATE": f"grid:{picture}:0",
            "WHICH_TEMPLATE": f"which:{message}:{picture}",
            "DRAFT_TEMPLATE": f"draft:{draft}:{one(list(Press))}",
            "PLACE_TEMPLATE": f"place:{picture}:0",
            "PIECES_TEMPLATE": "pieces:0:0",
            "LINE_TEMPLATE": "line:0:0",
            "STEP_TEMPLATE": f"step:{scene}:{one(list(Way))}",
            "SHOW_TEMPLATE": f"show:{picture}:0",
            "FORGET_TEMPLATE": f"forget:{person}:{one(list(Answer))}",
            "KEEP_TEMPLATE": f"keep:{scene}:{one(('on', 'off'))}",
            "HOLD_TEMPLATE": f"hold:{job}:{one(list(Ruling))}",
            "LOG_TEMPLATE": f"log:{one((0, person))}:{one((0, 1, 2, 999_999))}",
        }
        assert filled.keys() == TEMPLATES.keys(), "a kind of custom_id that nobody forges yet"
        return f"art:{filled[template]}"

    def _value(self) -> str:
        """Of a select: what its options could be, and what none of them ever was."""
        return self._random.choice(
            (
                *(str(self._number("picture_id")) for _ in range(6)),
                *("history", "recipe", "repaint", "strip", "share", "place"),
                *("delete-0", "delete-1", "delete-2", "delete-99999999999999999999", "delete-x"),
                *("page-0", "page-1", "page-999999999", "page--1", "page-x", "", "-1", _LONG),
            )
        )

    # Presses, selects and forms

    def _press(self) -> Attempt:
        template = self._random.choice(sorted(TEMPLATES.keys() - set(SELECTS)))
        custom_id = self._custom_id(template)
        if self._random.random() < 0.05:  # what is no custom_id of ours is nobody's to answer
            custom_id = self._random.choice(
                (custom_id[:-1], f"{custom_id}:1", custom_id.replace("art", "ART"))
            )
        return self._component(template, custom_id[:100])

    def _choose(self) -> Attempt:
        template = self._random.choice(SELECTS)
        return self._component(template, self._custom_id(template), [self._value()])

    def _component(self, template: str, custom_id: str, values: Sequence[str] | None = None) -> Attempt:
        attacker, on_message = self._random.choice(self._attackers), self._random.random() < 0.95

        async def run() -> InteractionResult:
            return await attacker.press(custom_id, values, on_message=on_message)

        kind = f"{'press' if values is None else 'select'} {_name_of(custom_id)}"
        said = f"{custom_id} {' '.join(values or ())}"
        return Attempt(kind, said, run, on_message and _is_ours(template, custom_id))

    def _send_form(self) -> Attempt:
        attacker = self._random.choice(self._attackers)
        typed = {
            "prompt": self._random.choice(("a boat", "a boat", "", "boat " * 40)),
            "negative": "",
            "strength": self._random.choice(("0.4", "0.6", "", "nine")),
            "flags": self._random.choice(("", "--steps 3", f"--style {self._victim.name}-ink", "--seed x")),
            "region": self._random.choice(("B2:D4", "top left", "nowhere")),
        }
        fields = [
            {"type": 18, "id": at, "component": {"type": 4, "id": 10 + at, "custom_id": name, "value": value}}
            for at, (name, value) in enumerate(typed.items(), start=1)
        ]
        data: dict[str, Any] = {"custom_id": self._custom_id("FORM_TEMPLATE"), "components": fields}

        async def run() -> InteractionResult:
            return await _dispatch_actor_interaction(
                attacker.who, InteractionType.MODAL_SUBMIT, attacker.place, data
            )

        return Attempt("form", str(data), run, _is_ours("FORM_TEMPLATE", data["custom_id"]))

    # Commands

    def _command(self) -> Attempt:
        name, options = self._random.choice(self._commands())
        return self._used(name, options)

    def _commands(self) -> list[tuple[str, dict[str, Any]]]:
        victim, number, one = self._victim, self._random.randint(1, 9), self._random.choice
        person = one((victim.you, victim.friend)).user
        job, picture, reason = self._number("job_id"), self._number("picture_id"), "because"
        piece = one((f"{victim.name}boat", f"#{number}", f"x (p{picture})", f"#{10**8}", str(picture)))
        return [
            ("place", {"piece": piece}),
            ("place", {"piece": piece, "at": "B2", "size": 30.0}),
            ("edit flip", {"picture": number}),
            ("edit crop", {"picture": number, "region": "B2:D4"}),
            ("edit compare", {"picture": number, "with": number + 1}),
            ("timelapse", {"picture": number}),
            ("repaint", {"prompt": "a boat", "region": "B2:D4", "picture": one((number, 99))}),
            ("imagine", {"prompt": "a boat", "style": f"{victim.name}-ink"}),
            ("style remove", {"name": f"{victim.name}-ink"}),
            ("words remove", {"word": f"{victim.name}forbidden"}),
            ("words list", {}),
            ("words held", {}),
            ("line-admin drop", {"job": max(1, min(job, 2**53 - 1)), "reason": reason}),
            ("line-admin move", {"job": max(1, min(job, 2**53 - 1)), "reason": reason}),
            ("line-admin clear", {"person": person, "reason": reason}),
            ("mod show", {"person": person}),
            ("mod warn", {"person": person, "reason": reason}),
            ("mod block", {"person": person, "reason": reason}),
            ("mod unblock", {"person": person}),
            ("limits show", {"person": person}),
            ("log show", {"person": person}),
            ("log show", {"page": number}),
            *(
                (name, {})
                for name in ("pieces", "history", "queue", "line", "usage", "style list", "limits show")
            ),
            *((name, {}) for name in ("undo", "keep", "share", "forget-me", "export", "harmonise")),
        ]

    def _used(self, name: str, options: Mapping[str, Any]) -> Attempt:
        attacker = self._random.choice(self._attackers)
        said = " ".join(str(getattr(value, "id", value)) for value in options.values())

        async def run() -> InteractionResult | None:
            try:
                if isinstance(attacker.who, MemberActor):
                    return await attacker.who.slash(attacker.place, name, **options)
                result: InteractionResult = await attacker.who.slash(name, **options)
            except SetupError:  # a command that Discord does not offer them there
                return None
            return result

        return Attempt(f"/{name}", said, run)

    def _complete(self) -> Attempt:
        attacker = self._random.choice(self._attackers)
        name, option, filled = self._random.choice(
            (
                ("place", "piece", {}),
                ("imagine", "style", {}),
                ("style remove", "name", {}),
                ("line-admin drop", "job", {}),
                ("line-admin move", "job", {}),
                ("limits set", "value", {"rule": "styles"}),
            )
        )
        typed = self._random.choice(("", "", self._victim.name[:4], "#1"))

        async def run() -> None:
            try:
                if isinstance(attacker.who, MemberActor):
                    await attacker.who.autocomplete(attacker.place, name, option, typed, **filled)
                else:
                    await attacker.who.autocomplete(name, option, typed, **filled)
            except SetupError:
                return

        return Attempt(f"completing /{name}", typed, run)

    # Messages

    def _reply(self) -> Attempt:
        """A message in the attacker's place that says it answers one of theirs, wherever it says that this was."""
        attacker, words = self._random.choice(self._attackers), self._random.choice(("rounder", "--steps 3"))
        message_id = min(self._number("messages"), 2**63 - 1)  # Discord writes these itself
        channel_id = self._random.choice((attacker.place.id, *sorted(self._theirs.places)))

        async def run() -> None:
            backend = self._env.backend
            sent = backend.create_message(attacker.place.id, attacker.who.id, words, broadcast=False)
            payload = dict(serializers.message_payload(backend, sent)) | {
                "type": 19,
                "message_reference": {"message_id": str(message_id), "channel_id": str(channel_id)},
            }
            backend.emit("MESSAGE_CREATE", payload)
            await self._env.settle()

        return Attempt("reply", f"{words} {message_id} {channel_id}", run)

    def _menu(self) -> Attempt:
        """A menu on a message of theirs. What it is about comes from Discord, so the message itself is a true one."""
        attacker = self._random.choice(self._attackers)
        name = self._random.choice(("Use as sketch", "Refine this picture", "Show recipe"))
        message = self._random.choice(self._theirs_to_be_seen())
        backend = self._env.backend
        root = backend.find_command(name, None, type=3)
        assert root is not None
        resolved = {"messages": {str(message.id): dict(serializers.message_payload(backend, message))}}
        data = {"id": root["id"], "name": name, "type": 3, "target_id": str(message.id), "resolved": resolved}

        async def run() -> InteractionResult:
            return await _dispatch_actor_interaction(
                attacker.who, InteractionType.APPLICATION_COMMAND, attacker.place, data
            )

        return Attempt(f"menu {name}", str(message.id), run)

    def _theirs_to_be_seen(self) -> list[Any]:
        """Messages of the bot; of other people's files the attacker says themselves what they are."""
        backend = self._env.backend
        found = [
            message
            for place in sorted(self._theirs.places)
            for message in backend.messages.get(place, {}).values()
        ]
        return [message for message in found if message.author_id == backend.bot_user.id]


def _is_ours(template: str, custom_id: str) -> bool:
    return re.fullmatch(TEMPLATES[template], custom_id) is not None


def _name_of(custom_id: str) -> str:
    return ":".join(re.sub(r"\d+", "…", custom_id).split(":")[1:])


def attackers_of(side: Side) -> list[Attacker]:
    """Members, a moderator, and somebody in direct messages."""
    return [
        Attacker.at(side.you, side.thread),
        Attacker.at(side.other, side.channel),
        Attacker.at(side.mod, side.thread),
        Attacker.at(side.mod, side.channel),
        Attacker.at(side.alone, side.alone.dm_channel),
    ]
