"""Journeys: five hundred strings of strangers through every door: no ping, no broken card, nothing of it in the log."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import discord
import pytest
from simcord.builders import ChannelHandle

from bot import logs
from bot.options import PROMPT_LENGTH
from tests.bot.strangers import CANARY, KINDS, STRINGS, VISIBLE, dangers
from tests.bot.test_logs import assert_one_event_a_line, lines
from tests.journeys.world import World, pictures_of, png, text_of, world

OUR_FILES = re.compile(r"sketch\.webp|preview-\d+\.webp|moonsketch-\d+-\d+\.png")
OURS = re.compile(r"(?m)^-# |<[@#]\d+>|\[Its card\]\(https://discord\.com/channels/[\d/]+\)")
"""What the bot itself writes: small print, and mentions of people who use it and of places, which notify nobody."""

MOST_WRITTEN = 2000
"""What a person may write in one message here; those with Nitro have twice that (tests/bot/test_strangers.py)."""

GROUPS = [STRINGS[start : start + 5] for start in range(0, len(STRINGS), 5)]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    logs.configure("DEBUG", stream)
    yield stream
    logs.configure("INFO")


def places(here: World) -> list[ChannelHandle]:
    return [here.channel, *here.channel.threads]


def said_by_bot(here: World) -> list[discord.Message]:
    assert here.bot.user is not None
    written = (discord.MessageType.default, discord.MessageType.reply, discord.MessageType.chat_input_command)
    return [
        message
        for place in places(here)
        for message in place.history()
        if message.author.id == here.bot.user.id and message.type in written
    ]


def assert_harmless(here: World, log: io.StringIO) -> None:
    messages = said_by_bot(here)
    assert messages
    for message in messages:
        assert here.pinged_by(message) == []
        assert not message.mention_everyone
        before, typed, after = [*text_of(message).split("```"), "", ""][:3]
        assert text_of(message).count("```") in (
            0,
            2,
        )  # what was typed comes back as a block that can be copied
        assert dangers(OURS.sub("", before + after)) == []
        assert not VISIBLE.intersection(dangers(typed))
        assert all(OUR_FILES.fullmatch(file.filename) for file in message.attachments)
    for thread in here.channel.threads:
        assert 1 <= len(thread.name or "") <= 100
    assert CANARY not in log.getvalue()
    assert_one_event_a_line(log, len(lines(log)))
    assert len(lines(log)) > len(messages) / 3


@pytest.mark.parametrize("part", range(4))
async def test_strangers_words_do_no_harm(tmp_path: Path, log: io.StringIO, part: int) -> None:
    """As file name, prompt, negative prompt, reply and option: each gets its card or its sentence, and no more."""
    async with world(tmp_path) as here:
        for name, prompt, negative, words, option in GROUPS[part::4]:
            before = len(here.fake.requests)
            await here.sketch(
                image=(f"{name}.png", png((64, 64))),
                prompt=prompt[:PROMPT_LENGTH],
                negative=negative[:PROMPT_LENGTH],
                candidates=1,
            )
            thread = here.channel.threads[-1]
            (card,) = here.cards(thread)
            await here.you.send(thread, words[:MOST_WRITTEN], reply_to=card)
            await here.you.send(thread, f"rounder --model {option}"[:MOST_WRITTEN], reply_to=card)
            answers = [message for message in said_by_bot(here) if message.channel.id == thread.id]

            assert len(here.fake.requests) > before
            assert len(pictures_of(card)) == 1
            assert len(answers) == 3

        assert_harmless(here, log)


async def test_names_of_people_and_threads_do_no_harm(tmp_path: Path, log: io.StringIO) -> None:
    """Somebody's display name and a thread's name are never repeated: neither on a card nor in the log."""
    async with world(tmp_path) as here:
        for number, parts in enumerate(KINDS.values()):
            name = f"{parts[0]} {CANARY}"[:100]
            person = here.guild.add_member(
                here.env.create_user(f"guest{number}", global_name=name), nick=name
            )
            thread = here.env.backend.create_thread(here.channel.id, name, person.id)
            place = ChannelHandle(here.env, here.guild, thread)
            await person.slash(place, "imagine", prompt="a moon", candidates=1)
            await person.slash(place, "queue")
            (card, *_) = here.cards(place)

            assert len(pictures_of(card)) == 1
        shown = "\n".join(text_of(message) for message in said_by_bot(here))

        assert_harmless(here, log)
        assert CANARY not in shown
        assert shown.count("a moon") == len(KINDS)
