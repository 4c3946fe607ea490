"""Journeys: words that are refused, held and allowed, and /words, as the person who asks and as a moderator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import discord
import pytest
from simcord import SetupError
from simcord.results import InteractionResult

from bot.store import OwnWord, Verdict
from bot.words.own import MOST_OWN
from tests.journeys.forms import fields
from tests.journeys.world import World, buttons_of, png, said, text_of, walk, world

REFUSED = "There are words for sexual content in the prompt. That is for age-restricted channels only."
HELD = "A moderator has to let this through first: there are words for nudity in the prompt."
NUDE = "nude study in charcoal"
PORN = "p0rn at sunset"


async def words(here: World, what: str, by: Any = None, **options: Any) -> InteractionResult:
    return await (by or here.mod).slash(here.channel, f"words {what}", **options)


def shown(answer: InteractionResult) -> str:
    """All that a private answer reads, be it words or components."""
    parts = [each for each in (answer.response, *answer.followups) if each is not None]
    listed = [item["content"] for part in parts for item in walk(part.components) if item["type"] == 10]
    return "\n".join([*(part.content for part in parts), *listed])


async def log_of(here: World) -> str:
    return shown(await here.mod.slash(here.channel, "log show"))


async def log_channel(here: World) -> Any:
    channel = here.guild.create_text_channel("mods")
    await here.mod.slash(here.channel, "log channel", channel=channel)
    return channel


async def drawn(here: World) -> list[str]:
    await here.env.settle()
    return [request.prompt for request in here.fake.requests]


async def refine(here: World, card: discord.Message, prompt: str) -> InteractionResult:
    form = await here.you.click(card, custom_id=buttons_of(card)["Refine…"])
    return await here.you.submit_modal(form, fields(form) | {"prompt": prompt})


async def test_a_refused_prompt_starts_nothing_through_any_door(tmp_path: Path) -> None:
    """Commands, forms, pieces, styles; the sentence names the field and the kind, the log only the kind."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        (card,) = here.cards()
        thread = here.thread()
        refused = [
            await here.sketch(prompt=PORN),
            await here.you.slash(here.channel, "imagine", prompt=PORN),
            await refine(here, card, PORN),
            await here.you.slash(thread, "repaint", prompt=PORN, region="B2:D4"),
            await here.you.slash(thread, "piece", prompt=PORN, region="B2:D4", name="chair"),
        ]
        name = await here.you.slash(thread, "piece", region="B2:D4", name="porn")
        file = await here.you.slash(thread, "piece", file=("p o r n.png", png((80, 80), "red", "RGBA")))
        style = await here.mod.slash(here.channel, "style add", name="blue", template="{prompt}, p0rn")
        messages = [text_of(message) for message in thread.history()]
        log = await log_of(here)

        assert all(REFUSED in shown(answer) and answer.ephemeral for answer in refused)
        assert all("sexual content in the piece's name" in shown(answer) for answer in (name, file))
        assert "sexual content in the style's template" in shown(style)
        assert len(here.cards()) == 1
        assert not any("p0rn" in text or "porn" in text for text in messages)
        assert log.count("**words refused**") == 8
        assert "sexual" in log
        assert "p0rn" not in log
        assert len(here.fake.requests) == 1


async def test_a_refused_reply_is_answered_without_its_words(tmp_path: Path) -> None:
    """That answer is for all to read; a harmless reply is the control."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        (card,) = here.cards()
        await here.you.send(here.thread(), PORN, reply_to=card)
        answer = here.thread().history()[-1]
        await here.you.send(here.thread(), "at sunset", reply_to=card)

        assert REFUSED in answer.content
        assert "p0rn" not in answer.content
        assert [request.prompt for request in here.fake.requests][1:] == ["at sunset"]


async def test_a_negative_prompt_is_not_looked_at(tmp_path: Path) -> None:
    """It names what should not be there."""
    async with world(tmp_path) as here:
        answer = await here.sketch(negative="nude, porn, gore")

        assert "I am on it" in said(answer)


async def test_a_held_job_waits_for_a_moderator_on_its_card(tmp_path: Path) -> None:
    """Without a log channel the card asks; nobody else can decide; let through, it is drawn and its words shown."""
    async with world(tmp_path) as here:
        answer = await here.sketch(prompt=NUDE, candidates=1)
        (card,) = here.cards()
        asked = text_of(card)
        buttons = buttons_of(card)
        tried = await here.you.click(card, custom_id=buttons["Let it through"])
        before = await drawn(here)
        pressed = await here.mod.click(card, custom_id=buttons["Let it through"])
        after = here.cards()[0]

        assert HELD in said(answer)
        assert HELD in asked
        assert f"**||{NUDE}||**" in asked
        assert here.thread().name == "waits for a moderator"
        assert "Only members who may manage this server decide about this." in shown(tried)
        assert before == []
        assert "Job 1 of" in shown(pressed)
        assert await drawn(here) == [NUDE]
        assert f"**{NUDE}**" in text_of(after)
        assert "Let it through" not in buttons_of(after)


async def test_moderators_decide_in_their_log_channel(tmp_path: Path) -> None:
    """A message there has the buttons and a link, the card has none; refused, the card says so, and so does the log."""
    async with world(tmp_path) as here:
        mods = await log_channel(here)
        await here.sketch(prompt=NUDE, candidates=1)
        (card,) = here.cards()
        (asking,) = [message for message in mods.history() if message.components]
        await here.mod.click(asking, custom_id=buttons_of(asking)["Refuse"])
        (asked,) = [message for message in mods.history() if message.components]
        log = await log_of(here)

        assert set(buttons_of(card)) == {"Cancel", "Delete"}
        assert f"/{here.thread().id}/{card.id}" in text_of(asking)
        assert NUDE not in text_of(asking)
        assert buttons_of(asked) == {}
        assert f"Job 1 of {here.you.mention} was refused" in text_of(asked)
        assert f"{here.mod.mention} decided." in text_of(asked)
        assert "A moderator did not let this through: there are words for nudity" in text_of(here.cards()[0])
        assert "**not let through** job 1" in log
        assert "**held for a moderator** job 1" in log
        assert NUDE not in log
        assert await drawn(here) == []


async def test_a_held_job_survives_a_restart(tmp_path: Path) -> None:
    """It is still held, and the button of before still works."""
    async with world(tmp_path) as here:
        await here.sketch(prompt=NUDE, candidates=1)
        (card,) = here.cards()
        await here.restart()
        waited = await drawn(here)
        await here.mod.click(card, custom_id=buttons_of(card)["Let it through"])

        assert waited == []
        assert await drawn(here) == [NUDE]


async def test_two_moderators_decide_once(tmp_path: Path) -> None:
    """The second one, whose message still has the buttons, reads that there is nothing left to decide."""
    async with world(tmp_path) as here:
        mods = await log_channel(here)
        await here.sketch(prompt=NUDE, candidates=1)
        (asking,) = [message for message in mods.history() if message.components]
        listed = await words(here, "held")
        assert listed.response is not None
        await here.mod.click(asking, custom_id="art:hold:1:through")
        late = await here.mod.click(listed.response, custom_id="art:hold:1:refuse")
        log = await log_of(here)

        assert "waits for a moderator no longer" in shown(late)
        assert await drawn(here) == [NUDE]
        assert log.count("let through") == 1


async def test_its_author_can_cancel_a_held_job(tmp_path: Path) -> None:
    """Then there is nothing left to decide."""
    async with world(tmp_path) as here:
        await here.sketch(prompt=NUDE, candidates=1)
        (card,) = here.cards()
        cancelled = await here.you.click(card, custom_id=buttons_of(card)["Cancel"])
        listed = await words(here, "held")

        assert "Cancelled" in said(cancelled)
        assert set(buttons_of(here.cards()[0])) == {"Again", "Delete"}
        assert "Nothing waits for a moderator" in shown(listed)
        assert await drawn(here) == []


async def test_words_held_lists_what_waits_and_decides(tmp_path: Path) -> None:
    """Each with its buttons; the list shows what is left after a press."""
    async with world(tmp_path) as here:
        await here.sketch(prompt=NUDE, candidates=1)
        await here.sketch(who=here.other, prompt="gore in a forest", candidates=1)
        listed = await words(here, "held")
        assert listed.response is not None
        both = shown(listed)
        pressed = await here.mod.click(listed.response, custom_id="art:hold:2:refuse")

        assert "**2 jobs** wait for a moderator" in both
        assert "words for gore in the prompt" in both
        assert NUDE not in both
        assert f"Job 2 of {here.other.mention} was refused" in shown(pressed)
        assert "**1 job** waits for a moderator" in shown(listed)


async def test_direct_messages_hold_nothing(tmp_path: Path) -> None:
    """Nobody could let it through there, so it is refused."""
    async with world(tmp_path) as here:
        answer = await here.you.user.slash("imagine", prompt=NUDE)
        control = await here.you.user.slash("imagine", prompt="charcoal")

        assert "nobody can here" in said(answer)
        assert "I am on it" in said(control)


async def test_a_server_s_own_words_count_at_once_and_only_there(tmp_path: Path) -> None:
    """Blocked in disguise too; another server, and the same one after it is removed, draw it."""
    async with world(tmp_path) as here:
        added = await words(here, "block", word="Dragon")
        guild = here.env.create_guild("Elsewhere")
        channel = guild.create_text_channel("art")
        guest = guild.add_member(here.you.user)
        refused = await here.sketch(prompt="two d r a g o n s")
        partly = await here.sketch(prompt="snapdragons in a vase")
        elsewhere = await guest.slash(channel, "imagine", prompt="two dragons")
        listed = await words(here, "list")
        removed = await words(here, "remove", word="DRAGON")
        after = await here.sketch(prompt="two dragons")
        log = await log_of(here)

        assert said(added) == "||Dragon|| is blocked in this server from now on."
        assert added.ephemeral
        assert "A word in the prompt is blocked in this server." in said(refused)
        assert all("I am on it" in said(answer) for answer in (partly, elsewhere, after))
        assert "**Blocked**: ||Dragon||" in said(listed)
        assert "||Dragon|| is no longer blocked" in said(removed)
        assert "**word changed** ||Dragon||: not set → blocked." in log
        assert "**word changed** ||Dragon||: blocked → not set." in log


async def test_a_button_of_another_server_decides_nothing(tmp_path: Path) -> None:
    """A manager there presses a forged one."""
    async with world(tmp_path) as here:
        await here.sketch(prompt=NUDE, candidates=1)
        guild = here.env.create_guild("Elsewhere")
        channel = guild.create_text_channel("art")
        role = guild.create_role("Managers", permissions=discord.Permissions(manage_guild=True))
        stranger = guild.add_member(here.other.user, roles=[role])
        await stranger.slash(channel, "imagine", prompt=NUDE, candidates=1)
        (card,) = here.cards(channel.threads[0])
        view = discord.ui.LayoutView.from_message(card)
        for item in view.walk_children():
            if isinstance(item, discord.ui.Button) and item.custom_id == "art:hold:2:through":
                item.custom_id = "art:hold:1:through"
        with here.env._bot_scope():
            forged = await here.bot.get_partial_messageable(channel.threads[0].id).send(view=view)
        answer = await stranger.click(forged, custom_id="art:hold:1:through")

        assert "I no longer know that picture" in shown(answer)
        assert await drawn(here) == []


async def test_allowing_a_word_lets_go_what_waits_for_it(tmp_path: Path) -> None:
    """Held jobs are looked at again; the default list is over-ruled in this server only."""
    async with world(tmp_path) as here:
        await here.sketch(prompt=NUDE, candidates=1)
        await here.sketch(prompt="gore in a forest", candidates=1)
        allowed = await words(here, "allow", word="nude")
        blocked = await words(here, "block", word="gore")
        later = await here.sketch(prompt="a nude in oil", candidates=1)

        assert "||nude|| is allowed in this server from now on. 1 held job went into the line." in said(
            allowed
        )
        assert "||gore|| is blocked in this server from now on. 1 held job ended." in said(blocked)
        assert "A word in the prompt is blocked in this server." in text_of(here.cards(here.thread(1))[0])
        assert "I am on it" in said(later)
        assert await drawn(here) == [NUDE, "a nude in oil"]


async def test_words_that_come_while_a_job_waits_end_it_at_its_turn(tmp_path: Path) -> None:
    """Nothing is drawn or charged; what a moderator has let through stays let through."""
    async with world(tmp_path) as here:
        await here.mod.slash(here.channel, "line-admin pause", reason="a party first")
        await here.sketch(prompt="a dragon", candidates=1)
        await here.sketch(prompt="a castle", candidates=1)
        await here.sketch(prompt=NUDE, candidates=1)
        await here.mod.click(here.cards(here.thread(2))[0], custom_id="art:hold:3:through")
        await words(here, "block", word="dragon")
        await words(here, "hold", word="castle")
        await here.mod.slash(here.channel, "line-admin resume")
        prompts = await drawn(here)
        ended, held = (text_of(here.cards(here.thread(number))[0]) for number in (0, 1))

        assert prompts == [NUDE]
        assert "The rules changed while this waited. A word in the prompt is blocked" in ended
        assert "Nothing was charged." in ended
        assert "Send it again, and it waits for one." in held


async def test_a_style_can_spell_what_a_prompt_does_not(tmp_path: Path) -> None:
    """The prompt is looked at as the style turns it into."""
    async with world(tmp_path) as here:
        await here.mod.slash(here.channel, "style add", name="dotted", template="a wild {prompt}")
        await words(here, "block", word="wild boar")
        refused = await here.sketch(prompt="boar", style="dotted")
        control = await here.sketch(prompt="boar")

        assert "A word in the style's template is blocked" in said(refused)
        assert "I am on it" in said(control)


@pytest.mark.parametrize(
    "what, word, sentence",
    [
        ("block", "   ", "Write a **word** or phrase."),
        ("block", "x" * 200, "That has 200 characters, and a word or phrase has 40 at most."),
        ("hold", "x", "One letter would be found almost everywhere."),
        ("hold", "*a*", "One letter would be found almost everywhere."),
        ("hold", "ab*", "With a * it needs at least 3 letters"),
        ("hold", "!!! 🍆", "There is no letter or digit in that"),
        ("hold", "\u200b\u200b", "There is no letter or digit in that"),
        ("block", "one two three four five six", "A phrase has 5 words at most."),
        ("allow", "csam", "I refuse that in every server"),
        ("hold", "sieg heil", "I refuse that in every server"),
        ("allow", "teapot", "is not on any list, so it goes through anyway."),
        ("remove", "teapot", "is not among this server's own words"),
    ],
)
async def test_bad_words_change_nothing(tmp_path: Path, what: str, word: str, sentence: str) -> None:
    """Each gets a sentence that says so."""
    async with world(tmp_path) as here:
        answer = await words(here, what, word=word)

        assert sentence in said(answer)
        assert "Nothing was changed." in said(answer)
        assert await here.store.words.of(here.guild.id) == []
        assert "Nothing is in the log yet." in await log_of(here)


async def test_a_word_is_there_once_with_one_verdict(tmp_path: Path) -> None:
    """The same again gets a sentence, another verdict takes its place, and there is an end to how many."""
    async with world(tmp_path) as here:
        await words(here, "block", word="dragon")
        again = await words(here, "block", word="d.r.a.g.o.n")
        softer = await words(here, "hold", word="Dragon")
        (word,) = await here.store.words.of(here.guild.id)
        async with here.store.transaction() as tx:
            for number in range(MOST_OWN - 1):
                more = OwnWord(
                    guild_id=here.guild.id,
                    word=f"beast{number}",
                    verdict=Verdict.BLOCK,
                    set_by=here.mod.id,
                    set_at=0.0,
                )
                await here.store.words.set(tx, more)
        full = await words(here, "block", word="one more")
        changed = await words(here, "block", word="dragon")
        last = await words(here, "list", page=10)
        beyond = await words(here, "list", page=11)
        refused = await here.sketch(prompt="the beast498 wakes")

        assert "||dragon|| is blocked in this server already." in said(again)
        assert "||dragon|| is held in this server from now on (it was blocked)." in said(softer)
        assert (word.word, word.verdict) == ("dragon", Verdict.HOLD)
        assert "This server has 500 words of its own, which is the most." in said(full)
        assert "is blocked in this server from now on (it was held)." in said(changed)
        assert "page 10 of 10" in said(last)
        assert "There is no page 11" in said(beyond)
        assert "blocked in this server" in said(refused)


async def test_a_test_says_what_would_happen_and_why(tmp_path: Path) -> None:
    """For both audiences, with the words that it found hidden; nothing is drawn or kept."""
    async with world(tmp_path) as here:
        await words(here, "hold", word="castle")
        nude = await words(here, "test", prompt=f"{NUDE} by a castle")
        plain = await words(here, "test", prompt="a teapot")
        log = await log_of(here)

        assert "In age-restricted channels: **held for a moderator**; in the others: **held for" in said(nude)
        assert "- ||nude||: nudity, held here" in said(nude)
        assert "- ||castle||: a word of this server's own, held here" in said(nude)
        assert said(plain) == "In age-restricted channels: **goes through**; in the others: **goes through**."
        assert nude.ephemeral
        assert "words refused" not in log
        assert here.fake.requests == []


async def test_members_without_manage_server_do_not_see_the_command(tmp_path: Path) -> None:
    """Discord itself keeps it from them; admins can hand it on in their server's settings."""
    async with world(tmp_path) as here:
        with pytest.raises(SetupError):
            await here.you.slash(here.channel, "words list")
