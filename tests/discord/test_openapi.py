"""The checkers themselves: what they accept, and that they do refuse."""

from __future__ import annotations

import copy
import io
from pathlib import Path
from typing import Any

import discord
import pytest
import simcord
from discord import app_commands, ui

from tests.discord import limits, openapi
from tests.discord.limits import LimitChecker, Request, Upload
from tests.discord.openapi import DescriptionMissing, OpenApiChecker
from tests.discord.watch import Watch, watch

SEND = "/channels/1/messages"
EDIT = "/channels/1/messages/2"
ANSWER = "/interactions/1/token/callback"
ORIGINAL = "/webhooks/1/token/messages/@original"

Body = dict[str, Any]


@pytest.fixture
def checker() -> OpenApiChecker:
    loaded = OpenApiChecker.load()
    if loaded is None:
        pytest.skip(openapi.ABSENT)
    return loaded


def card() -> Body:
    """A message as discord.py sends it: Components V2, one picture, two buttons, a nonce."""
    buttons = [
        {"type": 2, "style": 1, "custom_id": "art:again:1:0", "label": "Again"},
        {"type": 2, "style": 4, "custom_id": "art:cancel:1:0", "label": "Cancel"},
    ]
    gallery = {"type": 12, "items": [{"media": {"url": "attachment://1.png"}, "description": "a moon"}]}
    inside = [{"type": 10, "content": "a moon"}, gallery, {"type": 1, "components": buttons}]
    return {
        "tts": False,
        "flags": limits.COMPONENTS_V2,
        "nonce": "1:card:0",
        "enforce_nonce": True,
        "allowed_mentions": {"parse": [], "users": [7]},
        "message_reference": {"type": 0, "message_id": 5, "channel_id": 1},
        "attachments": [{"id": 0, "filename": "1.png"}],
        "components": [{"type": 17, "accent_color": 5, "components": inside}],
    }


def changed(*path: str | int, to: Any) -> Body:
    """The card with one value replaced (or, in a list, appended at its end)."""
    body = copy.deepcopy(card())
    place: Any = body
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return body


INSIDE = ("components", 0, "components")
BUTTON = (*INSIDE, 2, "components", 0)

ACCEPTED = [
    ("POST", SEND, card()),
    ("PATCH", EDIT, {"attachments": [{"id": 3}, {"id": 0, "filename": "2.png"}], "components": []}),
    ("POST", ANSWER, {"type": 5, "data": {"flags": 64}}),
    ("POST", ANSWER, {"type": 6}),
    ("POST", ANSWER, {"type": 7, "data": card()}),
    ("PATCH", ORIGINAL, {"content": "Working on it.", "allowed_mentions": {"parse": []}}),
    ("POST", "/channels/1/threads", {"name": "a moon", "type": 11, "auto_archive_duration": 1440}),
    ("POST", "/users/@me/channels", {"recipient_id": 7}),
    ("PUT", "/channels/1/thread-members/2", None),
    ("GET", "/gateway/bot", None),
]

REFUSED: list[tuple[str, str, Any, str]] = [
    ("POST", SEND, changed(*BUTTON, "label", to="x" * 81), "too long"),
    ("POST", SEND, changed(*BUTTON, "style", to="blue"), "style"),
    ("POST", SEND, changed(*INSIDE, 0, "type", to=99), "type"),
    ("POST", SEND, changed(*INSIDE, 1, "items", to=[]), "items"),
    ("POST", SEND, changed("attachments", to=[{"filename": "1.png"}]), "'id'"),
    ("POST", SEND, changed("attachments", 0, "id", to=1.5), "id"),
    ("POST", SEND, changed("nonce", to="n" * 26), "nonce"),
    ("POST", SEND, changed("flags", to="64"), "flags"),
    ("POST", SEND, None, "body is missing"),
    ("PATCH", ORIGINAL, {"content": "x" * 2001}, "content"),
    ("POST", ANSWER, {"type": 9, "data": {"custom_id": "refine:1", "title": "Refine"}}, "components"),
    ("POST", ANSWER, {"type": 3}, "type"),
    ("POST", "/channels/1/threads", {"name": "x" * 101, "type": 11}, "name"),
    ("POST", "/channels/1/typing", {"a": 1}, "takes no body"),
    ("POST", "/attachments/refresh-urls", {"attachment_urls": []}, "no such route"),
    ("PURGE", SEND, {}, "no such route"),
]


@pytest.mark.parametrize("method, path, body", ACCEPTED)
def test_a_good_body_is_accepted(checker: OpenApiChecker, method: str, path: str, body: Any) -> None:
    """What discord.py sends for a card, an answer, a thread has nothing wrong with it, and was really looked at."""
    problems = checker.check(method, path, body)

    assert problems == []
    assert checker.checked == (body is not None)


@pytest.mark.parametrize("method, path, body, reason", REFUSED)
def test_a_bad_body_is_refused(
    checker: OpenApiChecker, method: str, path: str, body: Any, reason: str
) -> None:
    """The counterpart: every one of these has exactly one thing wrong, and the sentence names it."""
    (problem,) = checker.check(method, path, body)

    assert problem.startswith(f"{method} {path}: ")
    assert reason in problem


def test_checking_leaves_the_body_as_it_was(checker: OpenApiChecker) -> None:
    """Ids are made text in a copy: the request that is sent on keeps its numbers."""
    body = card()

    checker.check("POST", SEND, body)

    assert body == card()


def test_an_absent_description_is_only_an_error_in_ci(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A plain clone has no description and says so; CI has to have it."""
    absent = tmp_path / "openapi.json"
    monkeypatch.setenv("CI", "")
    plain = OpenApiChecker.load(absent)
    monkeypatch.setenv("CI", "true")

    assert plain is None
    with pytest.raises(DescriptionMissing):
        OpenApiChecker.load(absent)


def buttons(count: int) -> list[Body]:
    return [{"type": 2, "style": 1, "custom_id": f"art:pick:1:{n}", "label": str(n)} for n in range(count)]


def v2(*components: Body) -> Body:
    return {"flags": limits.COMPONENTS_V2, "components": list(components)}


def text(length: int) -> Body:
    return {"type": 10, "content": "x" * length}


def gallery(count: int, description: str = "a moon") -> Body:
    picture = {"media": {"url": "attachment://1.png"}, "description": description}
    return {"type": 12, "items": [picture] * count}


def row(*components: Body) -> Body:
    return {"type": 1, "components": list(components)}


def select(options: int) -> Body:
    return {
        "type": 3,
        "custom_id": "art:more:1:0",
        "options": [{"label": "x", "value": str(n)} for n in range(options)],
    }


def modal(**differences: Any) -> Body:
    field = {"type": 18, "label": "Prompt", "component": {"type": 4, "custom_id": "prompt", "style": 2}}
    return {
        "type": 9,
        "data": {"custom_id": "refine:1", "title": "Refine", "components": [field], **differences},
    }


MB = 2**20

WITHIN = [
    Request("POST", SEND, card(), (Upload("1.png", 10 * MB),)),
    Request("POST", SEND, v2(*[text(400)] * 10)),
    Request("POST", SEND, v2(*[text(1)] * 40)),
    Request("POST", SEND, v2(gallery(10, "x" * 1024))),
    Request("POST", SEND, v2(row(*buttons(5)), row(select(25)))),
    Request("POST", SEND, {"content": "x" * 2000}),
    Request("PATCH", EDIT, {"attachments": [{"id": n} for n in range(10)]}),
    Request("POST", ANSWER, modal()),
    Request("POST", "/channels/1/threads", {"name": "x" * 100}),
]

BEYOND = [
    (Request("POST", SEND, card(), (Upload("1.png", 10 * MB + 1),)), "bytes, the limit"),
    (Request("POST", SEND, card(), (Upload("1.png", 9 * MB),) * 3), "bytes together"),
    (Request("POST", SEND, {"content": "x"}, (Upload("1.png", 1),) * 11), "11 attachments"),
    (Request("PATCH", EDIT, {"attachments": [{"id": n} for n in range(11)]}), "11 attachments"),
    (Request("POST", SEND, v2(*[text(1)] * 41)), "41 components"),
    (Request("POST", SEND, v2({"type": 17, "components": [text(1)] * 40})), "41 components"),
    (Request("POST", SEND, v2(*[text(401)] * 10)), "4010 characters"),
    (Request("POST", SEND, v2(gallery(0))), "1 to 10 items"),
    (Request("POST", SEND, v2(gallery(11))), "1 to 10 items"),
    (Request("POST", SEND, v2(gallery(1, ""))), "description"),
    (Request("POST", SEND, v2(gallery(1, "x" * 1025))), "description"),
    (Request("POST", SEND, v2(row(*buttons(6)))), "a row has"),
    (Request("POST", SEND, v2(row(*buttons(1), select(2)))), "a row has"),
    (Request("POST", SEND, v2(row(select(26)))), "1 to 25 options"),
    (Request("POST", SEND, v2(row(*buttons(1)), row(*buttons(1)))), "occurs twice"),
    (Request("POST", SEND, changed(*BUTTON, "custom_id", to="x" * 101)), "1 to 100 characters"),
    (Request("POST", SEND, changed(*BUTTON, "custom_id", to="")), "1 to 100 characters"),
    (Request("POST", SEND, changed(*BUTTON, "label", to="x" * 81)), "longer than 80"),
    (Request("POST", SEND, changed("nonce", to="n" * 26)), "1 to 25 characters"),
    (Request("POST", SEND, changed("enforce_nonce", to=False)), "enforce_nonce"),
    (Request("POST", SEND, changed("content", to="and words")), "content next to"),
    (Request("PATCH", EDIT, changed("embeds", to=[{}])), "embeds next to"),
    (Request("POST", SEND, changed("flags", to=0)), "without the Components V2 flag"),
    (Request("POST", SEND, {"components": [row(*buttons(1))][:1] + [row()] * 5}), "more than 5 rows"),
    (Request("POST", SEND, {"content": "x" * 2001}), "longer than 2000"),
    (Request("POST", ANSWER, {"type": 4, "data": {"content": "x" * 2001}}), "longer than 2000"),
    (Request("POST", ANSWER, modal(title="x" * 46)), "title"),
    (Request("POST", ANSWER, modal(components=[])), "1 to 5 fields"),
    (Request("POST", ANSWER, modal(components=[{"type": 18, "label": "x" * 46}])), "field's label"),
    (Request("POST", "/channels/1/threads", {"name": "x" * 101}), "thread's name"),
    (Request("POST", "/channels/1/messages/2/threads", {"name": " "}), "thread's name"),
]


@pytest.mark.parametrize("request_", WITHIN, ids=str)
def test_a_request_at_the_limit_is_accepted(request_: Request) -> None:
    """Every limit itself is still allowed."""
    problems = LimitChecker().check(request_)

    assert problems == []


@pytest.mark.parametrize("request_, reason", BEYOND)
def test_a_request_beyond_the_limit_is_refused(request_: Request, reason: str) -> None:
    """One more than the limit is refused with a sentence that names it."""
    (problem,) = LimitChecker().check(request_)

    assert reason in problem


def test_a_nonce_serves_one_send() -> None:
    """discord.py's own retry repeats a body; any other send with that nonce would vanish."""
    checker = LimitChecker()
    first = Request("POST", SEND, card())
    other = Request("POST", SEND, changed("components", to=[text(1)]))
    elsewhere = Request("POST", "/channels/9/messages", card())

    results = [checker.check(each) for each in (first, first, other, elsewhere)]

    assert [len(problems) for problems in results] == [0, 0, 1, 1]


def test_a_nonce_may_be_repeated_by_a_bot_that_started_anew() -> None:
    """After a crash the same card may be drawn in another state, but not put into another channel."""
    checker = LimitChecker()
    checker.check(Request("POST", SEND, card()))
    checker.bot_started()

    again = checker.check(Request("POST", SEND, changed(*INSIDE, 0, "content", to="a moon, once more")))
    elsewhere = checker.check(Request("POST", "/channels/9/messages", card()))

    assert again == []
    assert len(elsewhere) == 1


class Layout(ui.LayoutView):
    def __init__(self, label: str) -> None:
        super().__init__(timeout=None)
        picture = discord.MediaGalleryItem("attachment://flat.png", description="flat colours")
        actions: ui.ActionRow[Layout] = ui.ActionRow(ui.Button(label=label, custom_id="art:again:1:0"))
        self.add_item(ui.Container(ui.TextDisplay("flat colours"), ui.MediaGallery(picture), actions))


class SmallBot(discord.Client):
    """Answers /paint with an ephemeral word and posts a card with one file."""

    def __init__(self, file_size: int = 100) -> None:
        super().__init__(intents=discord.Intents(guilds=True))
        self.file_size = file_size
        self.tree = app_commands.CommandTree(self)
        self.tree.command(description="Paint something")(self.paint)

    async def setup_hook(self) -> None:
        await self.tree.sync()

    async def paint(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message("On it.", ephemeral=True)
        assert isinstance(interaction.channel, discord.TextChannel)
        picture = discord.File(io.BytesIO(b"x" * self.file_size), "flat.png")
        await interaction.channel.send(view=Layout("Again"), file=picture, nonce="1:card:0")


async def paint_once(bot: discord.Client) -> Watch:
    env = simcord.Env(bot)
    seen = watch(env)
    await env.start()
    try:
        guild = env.create_guild()
        channel = guild.create_text_channel("art")
        await guild.add_member(env.create_user("ada")).slash(channel, "paint")
    finally:
        await env.shutdown()
    return seen


async def test_a_watch_sees_everything_a_bot_sends() -> None:
    """The command sync at start-up, the interaction's answer and the file's size are all there, and all are good."""
    seen = await paint_once(SmallBot())

    with_body = [str(request) for request in seen.requests if request.body is not None]
    assert [each.split("/")[1] for each in with_body] == ["applications", "interactions", "channels"]
    assert seen.requests[-1].uploads == (Upload("flat.png", 100),)
    assert seen.openapi is None or seen.openapi.checked == 3
    seen.assert_clean()


async def test_a_watch_finds_what_simcord_lets_pass() -> None:
    """simcord takes a file of more than 10 MiB; the watch fails the test that sent it."""
    seen = await paint_once(SmallBot(file_size=10 * MB + 1))

    with pytest.raises(AssertionError, match="bytes, the limit is"):
        seen.assert_clean()


def test_a_watch_that_saw_nothing_fails() -> None:
    """A check that was not connected to anything must not look like a passed one."""
    seen = Watch(OpenApiChecker.load())
    seen.see(Request("GET", "/gateway/bot"))

    with pytest.raises(AssertionError, match="No request body was seen"):
        seen.assert_clean()
