"""Journeys: /forget-me. What is a person's own goes, everywhere and for good; what others made of it stays."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import discord
from simcord.actors import MemberActor
from simcord.results import InteractionResult

from bot.chronicle import Chronicle
from bot.components.forgetting import ForgetButton
from bot.custom_ids import Answer, forget_id
from bot.png_text import text_of as words_in_file
from bot.store import JobState
from tests.journeys.test_delete import files_of
from tests.journeys.world import World, buttons_of, held_engine, pictures_of, png, said, text_of, walk, world

CANARY = "zebrafinch"


def raw(folder: Path) -> int:
    """How often the files of the database hold the word, whether SQLite would still show it or not."""
    return sum(path.read_bytes().count(CANARY.encode()) for path in folder.glob("moonsketch.sqlite3*"))


async def ask(here: World, who: MemberActor | None = None) -> InteractionResult:
    return await (who or here.you).slash(here.channel, "forget-me")


def labels(answer: InteractionResult) -> list[str]:
    return (
        [item["label"] for item in walk(answer.response.components) if "label" in item]
        if answer.response
        else []
    )


async def press(question: InteractionResult, label: str, who: MemberActor) -> InteractionResult:
    assert question.response is not None
    (button,) = [item for item in walk(question.response.components) if item.get("label") == label]
    return await who.click(question.response, custom_id=button["custom_id"])


async def forget(here: World, who: MemberActor | None = None) -> InteractionResult:
    return await press(await ask(here, who), "Forget me", who or here.you)


def told_privately(here: World) -> list[str]:
    """What the bot wrote into the direct messages of `you`."""
    return [message.content for message in here.you.user.dm_channel.history()]


async def draw(here: World, who: MemberActor | None = None, candidates: int = 1) -> discord.Message:
    """A first picture of `you`, with the word; returns its card."""
    await here.sketch(who=who, prompt=f"a {CANARY} on the moon", candidates=candidates)
    return here.cards()[-1]


async def test_everything_goes(tmp_path: Path) -> None:
    """Rows, words, bytes and messages; the raw files of the database do not hold a word of theirs any more."""
    async with world(tmp_path) as here:
        card = await draw(here, candidates=2)
        await here.you.send(here.thread(), f"a {CANARY} at night", reply_to=card)
        before = raw(tmp_path), len(files_of(tmp_path)), len(here.cards())
        question = await ask(here)
        asked = said(question)
        answer = await press(question, "Forget me", here.you)
        again = await ask(here)

        assert "It takes 5 pictures and the words of 2 jobs" in asked
        assert "I delete 2 messages of mine" in asked
        assert "Messages and files that you sent yourself are yours" in asked
        assert question.ephemeral
        assert before[0] > 0
        assert before[1:] == (9, 2)
        assert "You are forgotten" in said(answer)
        assert raw(tmp_path) == 0
        assert files_of(tmp_path) == set()
        assert here.cards() == []
        assert here.thread().name == "a Scene"
        assert told_privately(here) == ["Everything of yours is forgotten, and 2 of 2 messages deleted."]
        assert said(again) == "Everything of yours is forgotten, and 2 of 2 messages deleted."


async def test_asking_alone_forgets_nothing(tmp_path: Path) -> None:
    """Whoever cancels, or lets the question stand, has lost nothing."""
    async with world(tmp_path) as here:
        await draw(here)
        answer = await press(await ask(here), "Cancel", here.you)

        assert "Nothing was forgotten." in said(answer)
        assert len(files_of(tmp_path)) == 3
        assert len(here.cards()) == 1


async def test_who_never_drew_has_nothing_to_forget(tmp_path: Path) -> None:
    """A sentence, and no buttons; also when they ask once more after they were forgotten."""
    async with world(tmp_path) as here:
        answer = await ask(here)
        await draw(here)
        stranger = await ask(here, here.other)

        assert "I keep nothing of you" in said(answer) == said(stranger)
        assert labels(answer) == []


async def test_only_the_person_themselves_may_press(tmp_path: Path) -> None:
    """A button that somebody else gets hold of does nothing for them."""
    async with world(tmp_path) as here:
        await draw(here)
        view = discord.ui.View(timeout=None)
        view.add_item(ForgetButton(here.you.id, Answer.YES))
        view.add_item(ForgetButton(here.you.id, Answer.ZIP))
        channel = here.bot.get_channel(here.channel.id)
        assert isinstance(channel, discord.TextChannel)
        with here.env._bot_scope():
            forged = await channel.send(view=view)
        answers = [
            await here.other.click(forged, custom_id=forget_id(here.you.id, answer))
            for answer in (Answer.YES, Answer.ZIP)
        ]

        assert ["That question is somebody else's." in said(answer) for answer in answers] == [True, True]
        assert len(files_of(tmp_path)) == 3


async def test_what_others_made_of_it_stays(tmp_path: Path) -> None:
    """Their picture, below a tombstone of nobody's; their card shows neither the sketch nor the words any more."""
    async with world(tmp_path) as here:
        card = await draw(here)
        await here.other.click(card, custom_id=buttons_of(card)["Strong"])
        theirs = here.cards()[1]
        asked = said(await ask(here))
        before = CANARY in text_of(theirs), [file.filename for file in theirs.attachments]
        await forget(here)
        (left,) = here.cards()
        tree = [shown.picture for shown in await here.store.history(1)]
        scene = await here.store.scene(1)
        await here.other.click(left, custom_id=buttons_of(left)["Subtle"])
        in_file = words_in_file(await pictures_of(left)[0].read()) or ""

        assert "Others went on from 2 pictures of yours." in asked
        assert before == (True, ["sketch.webp", "moonsketch-2-1.png"])
        assert left.id == theirs.id
        assert "(words that are forgotten)" in text_of(left).replace("\\", "")
        assert [file.filename for file in left.attachments] == ["moonsketch-2-1.png"]
        assert CANARY not in in_file
        assert [(each.number, each.author_id, each.deleted) for each in tree] == [
            (1, 0, True),
            (2, 0, True),
            (3, here.other.id, False),
        ]
        assert (scene.owner_id, scene.title) == (0, "a Scene")
        assert raw(tmp_path) == 0
        assert len(here.fake.requests) == 3


async def test_a_film_of_others_with_a_picture_of_theirs_goes(tmp_path: Path) -> None:
    """It shows their work; the other's own card stays."""
    async with world(tmp_path) as here:
        card = await draw(here)
        await here.other.click(card, custom_id=buttons_of(card)["Strong"])
        await here.other.slash(here.thread(), "timelapse")
        before = len(here.cards())
        await forget(here)

        assert before == 3
        assert len(here.cards()) == 1


async def test_a_pick_on_somebodys_card_is_not_named_any_more(tmp_path: Path) -> None:
    """Their card says who goes on from what."""
    async with world(tmp_path) as here:
        await draw(here, here.other, candidates=2)
        (card,) = here.cards()
        await here.you.click(card, custom_id=buttons_of(card)["2"])
        before = here.you.mention in text_of(here.cards()[0])
        await forget(here)

        assert before
        assert here.you.mention not in text_of(here.cards()[0])
        assert CANARY in text_of(here.cards()[0])


async def test_jobs_that_wait_or_run_are_stopped(tmp_path: Path) -> None:
    """The engine is freed, their cards go; somebody else who waits with their words reads why it was stopped."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(prompt=f"a {CANARY}", steps=10, strength=1.0, candidates=1)
        here.fake.release(10)
        await here.env.settle()
        (drawn,) = here.cards()
        await here.sketch(prompt=f"a {CANARY}", candidates=4)
        await here.sketch(who=here.other, candidates=4)
        await here.mod.click(drawn, custom_id=buttons_of(drawn)["Again"])
        asked = said(await ask(here))
        await forget(here)
        here.fake.release(1000)
        await here.env.settle()
        (stopped,) = here.cards(here.thread(0))
        (untouched,) = here.cards(here.thread(2))
        job = await here.store.job(4)

        assert "(1 job still to be drawn: stopped)" in asked
        assert here.fake.closed_early == 1
        assert job is not None
        assert job.state is JobState.FAILED
        assert "had them forgotten" in text_of(stopped)
        assert CANARY not in text_of(stopped)
        assert here.cards(here.thread(1)) == []
        assert len(pictures_of(untouched)) == 4


async def test_forgetting_reaches_every_server_and_direct_messages(tmp_path: Path) -> None:
    """Asked for in one place; what others have anywhere stays."""
    async with world(tmp_path) as here:
        await draw(here)
        elsewhere = here.env.create_guild("Elsewhere")
        channel = elsewhere.create_text_channel("art")
        me, them = elsewhere.add_member(here.you.user), elsewhere.add_member(here.other.user)
        for who in (me, them):
            await who.slash(channel, "sketch", image=("a.png", png()), prompt=f"a {CANARY}", candidates=1)
        await here.you.user.slash("imagine", prompt=f"a {CANARY}", candidates=1)
        await forget(here)
        left = [len(here.cards(thread)) for thread in channel.threads]
        direct = [message for message in here.you.user.dm_channel.history() if message.components]

        assert here.cards() == []
        assert left == [0, 1]
        assert direct == []
        assert len(files_of(tmp_path)) == 3


async def test_a_restart_in_the_middle_goes_on(tmp_path: Path) -> None:
    """Discord was unwell and the bot was stopped: the rows are gone already, the next start deletes the messages."""
    async with world(tmp_path) as here:
        card = await draw(here)
        await here.you.click(card, custom_id=buttons_of(card)["Strong"])
        await here.you.click(card, custom_id=buttons_of(card)["Subtle"])
        question = await ask(here)
        here.env.inject_error("DELETE", "/channels/*/messages/*", status=503, times=None)
        await press(question, "Forget me", here.you)
        rows, shown = raw(tmp_path), len(here.cards())
        meanwhile = said(await ask(here))
        here.env.backend.faults.clear()
        await here.restart()

        assert (rows, shown) == (0, 3)
        assert meanwhile == "Forgetting you: 0 of 3 messages deleted."
        assert here.cards() == []
        assert told_privately(here) == ["Everything of yours is forgotten, and 3 of 3 messages deleted."]


async def test_progress_is_told_while_it_lasts(tmp_path: Path) -> None:
    """After the first message Discord is unwell for a while; then it goes on by itself."""
    async with world(tmp_path) as here:
        card = await draw(here)
        await here.you.click(card, custom_id=buttons_of(card)["Strong"])
        here.env.inject_error("DELETE", f"/channels/*/messages/{card.id}", status=500, times=1)
        await forget(here)
        meanwhile = said(await ask(here)), told_privately(here)
        await here.env.advance_time(15)

        assert meanwhile[0] == "Forgetting you: 1 of 2 messages deleted."
        assert len(meanwhile[1]) == 1
        assert here.cards() == []
        assert told_privately(here) == ["Everything of yours is forgotten, and 2 of 2 messages deleted."]


async def test_a_message_that_discord_will_not_delete_is_counted(tmp_path: Path) -> None:
    """The others go, and the person reads who can delete it."""
    async with world(tmp_path) as here:
        card = await draw(here)
        await here.you.click(card, custom_id=buttons_of(card)["Strong"])
        here.env.inject_error("DELETE", f"/channels/*/messages/{card.id}", status=403, code=50013, times=1)
        await forget(here)

        assert len(here.cards()) == 1
        assert told_privately(here) == [
            "Everything of yours is forgotten, and 1 of 2 messages deleted."
            " Discord does not let me delete 1 message: a moderator of that place can."
        ]


async def test_messages_in_an_archived_thread_go_too(tmp_path: Path) -> None:
    """Discord changes nothing in one, so it is opened first."""
    async with world(tmp_path) as here:
        await draw(here)
        thread = here.bot.get_channel(here.thread().id)
        assert isinstance(thread, discord.Thread)
        with here.env._bot_scope():
            await thread.edit(archived=True)
        await here.env.settle()
        before = len(here.env.http_requests)
        await forget(here)
        asked = [
            (entry.method, entry.json)
            for entry in here.env.http_requests[before:]
            if entry.path.startswith(f"/channels/{thread.id}") and entry.method != "GET"
        ]

        assert asked[0] == ("PATCH", {"archived": False, "name": "a Scene"})
        assert asked[1][0] == "DELETE"
        assert here.cards(here.thread()) == []


async def test_who_takes_no_direct_messages_is_forgotten_all_the_same(tmp_path: Path) -> None:
    """/forget-me says how far it is."""
    async with world(tmp_path) as here:
        await draw(here)
        here.env.inject_error("POST", "/users/@me/channels", status=403, code=50007, times=None)
        await forget(here)
        answer = await ask(here)

        assert here.cards() == []
        assert said(answer) == "Everything of yours is forgotten, and 1 of 1 message deleted."


async def test_one_can_begin_anew_and_be_forgotten_again(tmp_path: Path) -> None:
    """Also while the messages of the first time are still being deleted."""
    async with world(tmp_path) as here:
        await draw(here)
        here.env.inject_error("DELETE", "/channels/*/messages/*", status=503, times=1)
        await forget(here)
        await here.sketch(prompt=f"another {CANARY}", candidates=1)
        question = await ask(here)
        asked = said(question)
        await press(question, "Forget me", here.you)
        await here.env.advance_time(15)

        assert asked.startswith("Forgetting you: 0 of 1 message deleted.\n**Forget everything of yours**")
        assert raw(tmp_path) == 0
        assert here.cards(here.thread(0)) == here.cards(here.thread(1)) == []
        assert told_privately(here) == ["Everything of yours is forgotten, and 2 of 2 messages deleted."]


async def test_pressed_twice(tmp_path: Path) -> None:
    """The second press finds nothing more, and says the same."""
    async with world(tmp_path) as here:
        await draw(here)
        first, second = await ask(here), await ask(here)
        await press(first, "Forget me", here.you)
        answer = await press(second, "Forget me", here.you)

        assert "You are forgotten" in said(answer)
        assert len(here.you.user.dm_channel.history()) == 1


async def test_limits_hold_all_the_same(tmp_path: Path) -> None:
    """Today's use stays until midnight: nobody gets a new day by being forgotten."""
    async with world(tmp_path) as here:
        await draw(here)
        await forget(here)
        async with here.store.transaction() as tx:
            used = await tx.all("SELECT jobs FROM usage WHERE person_id = ?", here.you.id)
        await here.env.advance_time(2 * 86_400)
        async with here.store.transaction() as tx:
            later = await tx.all("SELECT jobs FROM usage WHERE person_id = ?", here.you.id)

        assert [row["jobs"] for row in used] == [1]
        assert later == []
        assert await here.store.forgettings.get(here.you.id) is None


async def test_a_zip_first(tmp_path: Path) -> None:
    """Every Scene's pictures of theirs, in private, with recipes; nothing of anybody else's; nothing is forgotten."""
    async with world(tmp_path) as here:
        card = await draw(here)
        await here.other.click(card, custom_id=buttons_of(card)["Strong"])
        await here.sketch(prompt="an apple", candidates=2)
        answer = await press(await ask(here), "Send me a zip first", here.you)
        messages = [message for message in (answer.response, *answer.followups) if message is not None]
        files = [file for message in messages for file in message.attachments]
        packed = [zipfile.ZipFile(io.BytesIO(await file.read())) for file in files]
        pictures = [[name for name in each.namelist() if name.endswith(".png")] for each in packed]

        assert [len(names) for names in pictures] == [2, 3]
        assert CANARY.encode() in packed[0].read("recipes.txt")
        assert all(message.ephemeral for message in messages)
        assert "That is all: 5 pictures in 2 zips." in said(answer)
        assert len(here.cards()) == 2


async def test_a_zip_of_more_than_fits_into_memory_leaves_nothing_out(tmp_path: Path) -> None:
    """Unlike /export, which tells a Scene's story, this is the last chance: it comes in as many zips as it takes."""
    async with world(tmp_path) as here:
        await draw(here, candidates=3)
        scene = await here.store.scene(1)
        one = len(await here.store.files.get((await here.store.candidates(1))[0].file))
        chronicle = Chronicle(here.store, most_exported=2 * one)
        packages = [each async for each in chronicle.own(scene, here.you.id, limit=10**6)]
        names = [
            name
            for package in packages
            for data in package.zips
            for name in zipfile.ZipFile(io.BytesIO(data)).namelist()
        ]

        assert len(packages) > 1
        assert len([name for name in names if name.endswith(".png")]) == 4
