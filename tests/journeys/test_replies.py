"""Journeys: replying to a picture with words, with a picture, or with both. No privileged intent is on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import discord
import pytest
from simcord.backend.models.message import AllowedMentions

from inference import InitKind, Sampler
from tests.journeys.world import World, buttons_of, held_engine, opened, pictures_of, png, text_of, world


async def reply(here: World, text: str, *files: bytes, to: discord.Message | None = None, **who: Any) -> None:
    """Reply to the newest card of the first thread."""
    target = to or here.cards()[-1]
    attached = [(f"change-{number}.png", data) for number, data in enumerate(files)]
    await who.get("by", here.you).send(here.thread(), text, reply_to=target, attachments=attached)


async def test_a_reply_with_words_refines_the_picture(tmp_path: Path) -> None:
    """The words become the prompt, the replied picture the parent, its stored latents the start."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1, guidance=4.0, negative="clouds")
        await reply(here, "the surface of the moon, hyper-realistic")
        first, second = here.fake.requests
        _, card = here.cards()
        (picture,) = [await opened(file) for file in pictures_of(card)]

        assert second.prompt == "the surface of the moon, hyper-realistic"
        assert second.init is not None
        assert second.init.kind is InitKind.LATENTS
        assert (second.guidance, second.negative_prompt, second.steps) == (4.0, "clouds", first.steps)
        assert second.strength == 0.55
        assert second.seeds != first.seeds
        assert picture.size == (683, 384)
        assert "From picture 2." in text_of(card)


async def test_a_reply_with_a_picture_starts_from_that_picture(tmp_path: Path) -> None:
    """A picture without words keeps the parent's prompt; it joins the tree under the replied picture."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        await reply(here, "", png((300, 200), "blue"))
        first, second = here.fake.requests
        pictures = [entry.picture for entry in await here.store.history(1)]

        assert second.prompt == first.prompt
        assert second.init is not None
        assert second.init.kind is InitKind.PIXELS
        assert second.init.ref == pictures[2].file
        assert [(picture.kind, picture.parent_id) for picture in pictures] == [
            ("uploaded", None),
            ("generated", pictures[0].id),
            ("uploaded", pictures[1].id),
            ("generated", pictures[2].id),
        ]


async def test_a_reply_with_words_and_a_picture_uses_both(tmp_path: Path) -> None:
    """Both at once: the picture is the start, the words are the prompt."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        await reply(here, "with a deck chair", png((300, 200), "blue"), png((9, 9)))
        _, second = here.fake.requests
        _, card = here.cards()

        assert second.prompt == "with a deck chair"
        assert second.frame.content.width / second.frame.content.height == pytest.approx(1.5, abs=0.01)
        assert "You sent 2 pictures; I took the first." in text_of(card)


async def test_flags_in_the_text_set_the_options(tmp_path: Path) -> None:
    """Flags may stand anywhere, with -- or with the dash a phone makes of it."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=2)
        await reply(
            here, "—strength 0.3 rounder --steps 40 –n 1 --seed 7 --sampler dpmpp-2m --no clouds, people"
        )
        request = here.fake.requests[1]

        assert request.prompt == "rounder"
        assert (request.strength, request.steps, request.seeds) == (0.3, 40, (7,))
        assert request.sampler is Sampler.DPMPP_2M
        assert request.negative_prompt == "clouds, people"


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("rounder --stength 0.3", "Did you mean `--strength`?"),
        ("rounder --strength 0", "Strength is above 0 and at most 1"),
        ("rounder --strength -1", "Strength is above 0 and at most 1"),
        ("rounder --strength 1.5", "Strength is above 0 and at most 1"),
        ("rounder --strength NaN", "needs a number"),
        ("rounder --steps 9999", "goes from 1 to 150"),
        ("rounder --steps 60", "60 steps are more than the 50 that are allowed here"),
        ("rounder --model nonesuch", "I don't know the model"),
        ("x" * 501, "at most 500 are read"),
    ],
)
async def test_a_wrong_flag_gets_a_sentence_and_nothing_runs(
    tmp_path: Path, text: str, sentence: str
) -> None:
    """The answer says what is wrong and what is right; no job is stored."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        await reply(here, text)
        answer = here.thread().history()[-1]

        assert sentence in answer.content
        assert len(here.fake.requests) == 1
        assert len(here.cards()) == 1


async def test_a_reply_with_the_ping_off_is_told_how(tmp_path: Path) -> None:
    """Without its ping a reply arrives empty; its author reads what to do, and nothing runs."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        (card,) = here.cards()
        here.env.backend.create_message(
            here.thread().id,
            here.you.id,
            "rounder",
            reference={"channel_id": str(here.thread().id), "message_id": str(card.id)},
            allowed_mentions=AllowedMentions(replied_user=False),
        )
        await here.env.settle()

        assert "Send it again with **@ ON**" in here.thread().history()[-1].content
        assert len(here.fake.requests) == 1


async def test_an_empty_reply_is_asked_what_to_change(tmp_path: Path) -> None:
    """A reply that pings but holds no words and no picture is not taken for a ping-off one."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        await reply(here, f"<@{here.bot.user.id}>")  # type: ignore[union-attr]  # the bot is logged in

        assert "Tell me in the reply what to change" in here.thread().history()[-1].content


async def test_other_messages_are_left_alone(tmp_path: Path) -> None:
    """Talk in the thread, replies to people and replies to the bot's plain sentences start nothing."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        talk = await here.other.send(here.thread(), "nice!")
        await reply(here, "thanks", to=talk)
        await reply(here, "--nonsense 1")
        complaint = here.thread().history()[-1]
        await reply(here, "ok", to=complaint)

        assert len(here.fake.requests) == 1
        assert here.thread().history()[-1].content == "ok"


async def test_a_reply_goes_on_from_the_repliers_own_pick(tmp_path: Path) -> None:
    """Two people pick different candidates; each reply without a number goes on from its author's pick."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=3)
        (card,) = here.cards()
        await here.you.click(card, custom_id=buttons_of(card)["2"])
        await here.other.click(card, custom_id=buttons_of(card)["3"])
        await reply(here, "mine", to=card)
        await reply(here, "theirs", to=card, by=here.other)
        await reply(here, "nobody's", to=card, by=here.mod)
        _, mine, theirs, nobodys = here.cards()

        assert "From picture 3 (your pick on that card)." in text_of(mine)
        assert "From picture 4 (your pick on that card)." in text_of(theirs)
        assert "From picture 2 (the first on that card)." in text_of(nobodys)


async def test_a_reply_to_a_running_card_goes_on_from_its_sketch(tmp_path: Path) -> None:
    """Nobody has to wait for the end: a card without pictures stands for what it started from."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=1)
        await reply(here, "and a flag")
        here.fake.release(100)
        await here.env.settle()
        first, second = here.fake.requests

        assert second.prompt == "and a flag"
        assert second.init == first.init


async def test_the_same_event_twice_is_one_job(tmp_path: Path) -> None:
    """Discord may deliver a message twice after a reconnect; the second time changes nothing."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        await reply(here, "rounder")
        message = next(entry for entry in here.thread().history() if entry.content == "rounder")
        with here.env._bot_scope():  # the gateway's part: what follows is the bot's own work
            here.bot.dispatch("message", message)
        await here.env.settle()

        assert len(here.fake.requests) == 2
        assert len(here.cards()) == 2


async def test_in_a_direct_message_a_scene_lives_without_a_thread(tmp_path: Path) -> None:
    """DMs: the card comes right there, and a reply is always readable."""
    async with world(tmp_path) as here:
        await here.you.user.slash("imagine", prompt="the planet earth", candidates=1)
        (card,) = here.cards(here.you.user.dm_channel)
        await here.you.send_dm("rounder", reference={"message_id": str(card.id)})

        assert len(here.cards(here.you.user.dm_channel)) == 2
        assert here.fake.requests[1].prompt == "rounder"


async def test_a_pick_stays_when_one_goes_on_elsewhere(tmp_path: Path) -> None:
    """After a reply made another picture current, the pick on the old card is still the one."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=3)
        (card,) = here.cards()
        await here.you.click(card, custom_id=buttons_of(card)["3"])
        await reply(here, "once --n 1", to=card)
        await reply(here, "twice --n 1", to=card)
        _, _, twice = here.cards()

        assert "From picture 4 (your pick on that card)." in text_of(twice)


async def test_a_forwarded_card_is_nobodys_reply(tmp_path: Path) -> None:
    """A forward points at the card as a reply does, in another channel: the bot keeps quiet."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        (card,) = here.cards()
        talk = here.guild.create_text_channel("talk")
        await here.you.forward(card, talk)

        assert len(talk.history()) == 1
        assert len(here.fake.requests) == 1


async def test_a_reply_to_the_ping_is_a_reply_to_its_card(tmp_path: Path) -> None:
    """ "Your picture is ready" is what one naturally answers."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(steps=10, strength=1.0, candidates=1)
        await here.env.advance_time(61)
        here.fake.release(10)
        await here.env.settle()
        ping = here.thread().history()[-1]
        await reply(here, "rounder", to=ping)
        here.fake.release(100)
        await here.env.settle()

        assert [request.prompt for request in here.fake.requests] == ["the surface of the moon", "rounder"]
