"""Journeys: every kind of place that a Scene can be held in, and every reason why it cannot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import discord
import pytest
from simcord.backend.models.channel import Overwrite
from simcord.builders import ChannelHandle
from simcord.enums import OverwriteType

from tests.journeys.world import World, buttons_of, held_engine, pictures_of, png, said, text_of, world

MakePlace = Callable[[World], ChannelHandle]

STAYED = "I could not open a thread here"


def text_channel(here: World) -> ChannelHandle:
    return here.channel


def announcements(here: World) -> ChannelHandle:
    return here.guild.create_news_channel("news")


def voice_chat(here: World) -> ChannelHandle:
    return here.guild.create_voice_channel("lounge")


def stage_chat(here: World) -> ChannelHandle:
    return here.guild.create_stage_channel("stage")


def foreign_thread(here: World) -> ChannelHandle:
    """A thread that somebody else opened."""
    thread = here.env.backend.create_thread(here.channel.id, "our plans", here.other.id)
    return ChannelHandle(here.env, here.guild, thread)


def forum_post(here: World) -> ChannelHandle:
    forum = here.guild.create_forum_channel("pictures")
    thread = here.env.backend.create_thread(forum.id, "show me yours", here.other.id)
    return ChannelHandle(here.env, here.guild, thread)


MAKERS = {
    make.__name__: make
    for make in (text_channel, announcements, voice_chat, stage_chat, foreign_thread, forum_post)
}
HERE = [kind for kind in MAKERS if kind not in ("text_channel", "announcements")]
"""Where a Scene gets no thread of its own."""


def deny(here: World, place: ChannelHandle, *permissions: str) -> None:
    """A moderator takes permissions from the bot in a channel; a thread's are those of its channel."""
    assert here.bot.user is not None
    channel = here.env.backend.get_channel(place.id)
    _, denied = discord.PermissionOverwrite(**dict.fromkeys(permissions, False)).pair()
    own = Overwrite(target_id=here.bot.user.id, type=OverwriteType.MEMBER, allow=0, deny=denied.value)
    denied_in = (channel.parent_id or channel.id) if channel.is_thread else channel.id
    with here.env._bot_scope():
        here.env.backend.set_overwrite(denied_in, own)


def change_thread(here: World, thread: ChannelHandle, **changes: bool) -> None:
    with here.env._bot_scope():
        here.env.backend.edit_channel(thread.id, {}, thread_metadata=changes)


async def sketch_in(here: World, place: ChannelHandle, prompt: str = "a moon") -> str:
    answer = await here.you.slash(place, "sketch", image=("a.png", png()), prompt=prompt, candidates=1)
    return said(answer)


async def nothing_was_accepted(here: World) -> None:
    assert here.fake.requests == []
    assert await here.store.job(1) is None


@pytest.mark.parametrize("kind", [*HERE, "text_channel"])
async def test_a_scene_is_held_where_its_place_allows(tmp_path: Path, kind: str) -> None:
    """In a thread of its own under a text channel; elsewhere right there. Replies go on in it."""
    async with world(tmp_path) as here:
        place = MAKERS[kind](here)
        answer = await sketch_in(here, place)
        held = place if kind in HERE else place.threads[0]
        (card,) = here.cards(held)
        await here.you.send(held, "rounder --n 1", reply_to=card)
        _, refined = here.cards(held)

        assert f"<#{held.id}>" in answer
        assert len(pictures_of(card)) == len(pictures_of(refined)) == 1
        assert STAYED not in text_of(card)
        assert len(place.threads) == (kind not in HERE)


async def test_under_an_announcement_channel_a_thread_of_its_kind_is_asked_for(tmp_path: Path) -> None:
    """Discord takes no other there. (The simulated Discord has none of that kind: it is made to refuse.)"""
    async with world(tmp_path) as here:
        place = announcements(here)
        here.env.inject_error("POST", "/channels/*/threads", status=400, code=160006, times=1)
        await sketch_in(here, place)
        await sketch_in(here, here.channel)
        asked = [request.body["type"] for request in here.watch.requests if request.path.endswith("/threads")]

        assert asked == [discord.ChannelType.news_thread.value, discord.ChannelType.public_thread.value]
        assert STAYED in text_of(here.cards(place)[0])


@pytest.mark.parametrize("kind", ["voice_chat", "foreign_thread", "forum_post"])
async def test_without_a_thread_each_command_begins_a_scene(tmp_path: Path, kind: str) -> None:
    """Two sketches in one such place are two histories; a reply follows the picture that it answers."""
    async with world(tmp_path) as here:
        place = MAKERS[kind](here)
        await sketch_in(here, place, "first")
        await sketch_in(here, place, "second")
        first, _ = here.cards(place)
        await here.you.send(place, "rounder", reply_to=first)
        scenes = [job.scene_id for number in (1, 2, 3) if (job := await here.store.job(number))]

        assert scenes == [1, 2, 1]


@pytest.mark.parametrize("denied", ["create_public_threads", "send_messages_in_threads"])
@pytest.mark.parametrize("kind", ["text_channel", "announcements"])
async def test_where_the_bot_may_not_open_threads_it_stays_and_says_so(
    tmp_path: Path, kind: str, denied: str
) -> None:
    """The card comes into the channel itself."""
    async with world(tmp_path) as here:
        place = MAKERS[kind](here)
        deny(here, place, denied)
        await sketch_in(here, place)
        (card,) = here.cards(place)

        assert place.threads == []
        assert STAYED in text_of(card)


SENDING = {
    "text_channel": ("send_messages", "send messages"),
    "announcements": ("send_messages", "send messages"),
    "voice_chat": ("send_messages", "send messages"),
    "stage_chat": ("send_messages", "send messages"),
    "foreign_thread": ("send_messages_in_threads", "send messages in threads"),
    "forum_post": ("send_messages_in_threads", "send messages in threads"),
}
EVERYWHERE = [
    ("view_channel", "see messages"),
    ("attach_files", "attach files"),
    ("read_message_history", "read the message history"),
]
NEEDED = [(kind, *needed) for kind in MAKERS for needed in (SENDING[kind], *EVERYWHERE)] + [
    (kind, "connect", "connect to voice channels") for kind in ("voice_chat", "stage_chat")
]


@pytest.mark.parametrize("kind, permission, words", NEEDED)
async def test_each_missing_permission_is_named_before_a_job_is_accepted(
    tmp_path: Path, kind: str, permission: str, words: str
) -> None:
    """That one and no other, in every kind of place; nothing is stored, drawn or posted."""
    async with world(tmp_path) as here:
        place = MAKERS[kind](here)
        deny(here, place, permission)
        answer = await sketch_in(here, place)

        assert answer.startswith(f"I may not {words} in <#{place.id}>.")
        assert here.cards(place) == []
        assert place.threads == []
        await nothing_was_accepted(here)


@pytest.mark.parametrize(
    "permission", ["connect", "send_messages_in_threads", "manage_threads", "embed_links"]
)
async def test_a_permission_that_is_not_needed_there_may_be_missing(tmp_path: Path, permission: str) -> None:
    """The control: a text channel asks for no voice, and a thread for no more than the bot uses."""
    async with world(tmp_path) as here:
        deny(here, here.channel, permission)
        answer = await sketch_in(here, here.channel)

        assert "I may not" not in answer
        assert len(here.fake.requests) == 1


async def test_several_missing_permissions_are_named_together(tmp_path: Path) -> None:
    """Nobody has to try once for each of them."""
    async with world(tmp_path) as here:
        place = voice_chat(here)
        deny(here, place, "send_messages", "connect", "read_message_history")
        answer = await sketch_in(here, place)

        assert "I may not send messages, connect to voice channels or read the message history in" in answer


async def test_replies_and_buttons_ask_for_the_same(tmp_path: Path) -> None:
    """A permission that was taken later is named there too, before anything is accepted."""
    async with world(tmp_path) as here:
        place = foreign_thread(here)
        await sketch_in(here, place)
        (card,) = here.cards(place)
        deny(here, place, "attach_files")
        pressed = await here.you.click(card, custom_id=buttons_of(card)["Again"])
        await here.you.send(place, "rounder", reply_to=card)

        assert said(pressed).startswith(f"I may not attach files in <#{place.id}>.")
        assert place.history()[-1].content.startswith(said(pressed))
        assert len(here.fake.requests) == 1


async def test_a_place_that_the_bot_does_not_see_is_named_as_such(tmp_path: Path) -> None:
    """Discord never told the bot of that channel, and a command works there all the same."""
    async with world(tmp_path) as here:
        thread = foreign_thread(here)
        server, unseen = here.bot.get_guild(here.guild.id), here.bot.get_channel(here.channel.id)
        assert server is not None
        assert isinstance(unseen, discord.TextChannel)
        server._remove_channel(unseen)
        in_channel = await sketch_in(here, here.channel)
        in_thread = await sketch_in(here, thread)

        assert in_channel.startswith(f"I may not see messages in <#{here.channel.id}>.")
        assert in_thread.startswith(f"I may not see messages in <#{thread.id}>.")
        await nothing_was_accepted(here)


async def test_an_archived_thread_is_opened_again_by_the_next_card(tmp_path: Path) -> None:
    """A press on an old card in it is accepted: Discord un-archives a thread when something is sent."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        (card,) = here.cards()
        change_thread(here, here.thread(), archived=True)
        await here.env.settle()
        assert here.bot.get_channel(here.thread().id) is None
        pressed = await here.you.click(card, custom_id=buttons_of(card)["Again"])
        _, again = here.cards()

        assert "I am on it" in said(pressed)
        assert len(pictures_of(again)) == 1


async def test_a_job_ends_in_a_thread_that_was_archived_meanwhile(tmp_path: Path) -> None:
    """Discord refuses to edit there (50083): the pictures come as a new message."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=1)
        change_thread(here, here.thread(), archived=True)
        here.env.inject_error("PATCH", "/channels/*/messages/*", status=400, code=50083, times=1)
        here.fake.release(1000)
        await here.env.settle()
        first, second = here.cards()

        assert (len(pictures_of(first)), len(pictures_of(second))) == (0, 1)


@pytest.mark.parametrize("archived", [False, True])
async def test_a_locked_thread_is_refused_with_a_sentence(tmp_path: Path, archived: bool) -> None:
    """A command and a button say that it is locked before a job is accepted."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        thread, (card,) = here.thread(), here.cards()
        deny(here, here.channel, "manage_threads")
        change_thread(here, thread, locked=True, archived=archived)
        asked = await sketch_in(here, thread)
        pressed = await here.you.click(card, custom_id=buttons_of(card)["Again"])

        assert asked.startswith(f"<#{thread.id}> is locked, so I cannot post there.")
        assert asked.startswith(said(pressed))
        assert "is locked" in said(pressed)
        assert len(here.fake.requests) == 1
        assert await here.store.job(2) is None


async def test_a_locked_thread_is_no_obstacle_where_the_bot_manages_threads(tmp_path: Path) -> None:
    """The control: Discord lets those post in it who may unlock it."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        change_thread(here, here.thread(), locked=True)
        asked = await sketch_in(here, here.thread())

        assert "is locked" not in asked
        assert len(here.fake.requests) == 2


async def test_a_thread_that_is_locked_later_does_not_stop_its_jobs(tmp_path: Path) -> None:
    """What was accepted is drawn, and its card is edited as before: nothing that was promised is lost."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=1)
        deny(here, here.channel, "manage_threads")
        change_thread(here, here.thread(), locked=True)
        here.fake.release(1000)
        await here.env.settle()

        assert len(pictures_of(here.cards()[0])) == 1
