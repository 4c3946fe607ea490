"""Journeys: replies that are none of ours, replies by the dozen, and cards that a moderator swept away."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import discord

from bot.store import JobState
from tests.journeys.world import World, held_engine, pictures_of, png, text_of, world


def write_at_once(here: World, words: list[str], reply_to: discord.Message, author: int) -> list[int]:
    """Replies that arrive before the bot has come to the first of them; returns their ids."""
    reference = {"channel_id": str(reply_to.channel.id), "message_id": str(reply_to.id)}
    with here.env._bot_scope():
        return [
            here.env.backend.create_message(reply_to.channel.id, author, text, reference=reference).id
            for text in words
        ]


def answers_to(here: World, message_id: int) -> list[discord.Message]:
    """Sentences of the bot that answer this message."""
    return [
        message
        for message in here.thread().history()
        if message.reference is not None
        and message.reference.message_id == message_id
        and message.author.id != here.you.id
    ]


async def test_a_reply_to_another_bot_is_not_ours(tmp_path: Path) -> None:
    """Whatever the other bot shows, and whether or not ours is named: nothing is answered and nothing started."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        other_bot = here.guild.add_member(here.env.create_user("otherbot", bot=True))
        theirs = await other_bot.send(
            here.thread(), "my picture", attachments=[("moonsketch-1-1.png", png())]
        )
        before = len(here.thread().history())
        assert here.bot.user is not None
        await here.you.send(here.thread(), f"<@{here.bot.user.id}> rounder --steps 20", reply_to=theirs)
        await here.you.send(here.thread(), "rounder --nonsense", reply_to=theirs)

        assert len(here.thread().history()) == before + 2
        assert len(here.fake.requests) == 1


async def test_another_bots_reply_to_a_card_starts_nothing(tmp_path: Path) -> None:
    """Two bots that answer each other would never end."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        (card,) = here.cards()
        other_bot = here.guild.add_member(here.env.create_user("otherbot", bot=True))
        await other_bot.send(here.thread(), "rounder", reply_to=card)
        bots = len(here.fake.requests)
        await here.you.send(here.thread(), "rounder", reply_to=card)

        assert bots == 1
        assert len(here.fake.requests) == 2


async def test_a_reply_to_a_picture_of_another_server_starts_nothing(tmp_path: Path) -> None:
    """Discord lets nobody reply across channels; a message that claims to is left alone.

    In the card's own place the same message is a reply.
    """
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        (card,) = here.cards()
        elsewhere = here.env.create_guild("Elsewhere")
        channel = elsewhere.create_text_channel("art")
        guest = elsewhere.add_member(here.you.user)
        for author, place in ((guest, channel), (here.you, here.thread())):
            message = await author.send(place, "rounder")
            message.type = discord.MessageType.reply
            message.reference = discord.MessageReference(
                message_id=card.id, channel_id=card.channel.id, guild_id=here.guild.id
            )
            with here.env._bot_scope():
                here.bot.dispatch("message", message)
            await here.env.settle()

        assert [message.content for message in channel.history()] == ["rounder"]
        assert (
            len(here.fake.requests) == len(here.cards()) == 2
        )  # the sketch, and the reply that is in its thread


async def test_twenty_replies_in_one_second_get_one_answer_each(tmp_path: Path) -> None:
    """As many as the limit allows become jobs, each on a card of its own; the others read that it was too much."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=1, steps=10, strength=1.0)
        here.fake.release(10)
        await here.env.settle()
        (first,) = here.cards()
        words = [f"number {count}" for count in range(20)]
        ids = write_at_once(here, words, first, here.you.id)
        await here.env.settle()
        refused = Counter(number for number in ids for _ in answers_to(here, number))
        waiting = [
            job
            for number in range(2, 30)
            if (job := await here.store.job(number)) and job.state.waits_or_runs
        ]
        here.fake.release(100_000)
        await here.env.settle()
        cards = here.cards()[1:]
        drawn = [request.prompt for request in here.fake.requests[1:]]

        assert len(waiting) == 3
        assert sorted(job.source for job in waiting) == sorted(
            f"m{number}" for number in ids if number not in refused
        )
        assert set(refused.values()) == {1}
        assert len(refused) == 17
        assert all(
            "You have 3 jobs waiting or running" in message.content
            for number in refused
            for message in answers_to(here, number)
        )
        assert len(cards) == len(set(drawn)) == len(drawn) == 3
        assert all(len(pictures_of(card)) == 1 for card in cards)


async def test_as_many_replies_as_are_allowed_are_all_accepted(tmp_path: Path) -> None:
    """The control: with a higher limit the same twenty become twenty cards, in the order in which they were written."""
    async with world(tmp_path, held_engine) as here:
        await here.limit("waiting-per-person", 20)
        await here.limit("waiting-per-server", 40)
        await here.sketch(candidates=1, steps=10, strength=1.0)
        here.fake.release(10)
        await here.env.settle()
        (first,) = here.cards()
        ids = write_at_once(here, [f"number {count}" for count in range(20)], first, here.you.id)
        await here.env.settle()
        for _ in ids:
            here.fake.release(16)  # one of them, at the strength of a reply
            await here.env.settle()

        assert [message for number in ids for message in answers_to(here, number)] == []
        assert len(here.cards()) == 21
        assert sorted(request.prompt for request in here.fake.requests[1:]) == sorted(
            f"number {count}" for count in range(20)
        )


async def test_cards_that_a_moderator_swept_away_come_back_with_their_pictures(tmp_path: Path) -> None:
    """A purge of the whole thread: jobs that wait or run go on and post new cards; those that were over stay away."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=1, steps=10, strength=1.0)
        here.fake.release(10)
        await here.env.settle()
        (over,) = here.cards()
        await here.you.send(here.thread(), "second --n 4", reply_to=over)
        await here.you.send(here.thread(), "third --n 4", reply_to=over)
        swept = [message.id for message in here.thread().history()]
        with here.env._bot_scope():
            here.env.backend.bulk_delete_messages(here.thread().id, swept)
        await here.env.settle()
        anew = here.cards()
        here.fake.release(100_000)
        await here.env.settle()
        done = here.cards()
        states = [job.state for number in (1, 2, 3) if (job := await here.store.job(number))]

        assert len(swept) > 3
        assert sorted(word for card in anew for word in re.findall("first|second|third", text_of(card))) == [
            "second",
            "third",
        ]
        assert [card.id for card in done] == [card.id for card in anew]
        assert [len(pictures_of(card)) for card in done] == [4, 4]
        assert states == [JobState.POSTED] * 3
