"""The fake Discord, proved with a small bot that runs in a process of its own and is killed in the middle."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from simcord.backend.models import Channel, Message, User
from simcord.components import walk_components

from tests.discord.limits import Request, Upload
from tests.discord.process import BotProcess
from tests.discord.server import Accident, Answer, FakeDiscord, reset

POST = ("POST", "/channels/*/messages")
EDIT = ("PATCH", "/channels/*/messages/*")


@dataclass
class Stage:
    """One guild with one channel, one person, one bot."""

    world: FakeDiscord
    bot: BotProcess
    channel: Channel
    ada: User

    async def sketch(self, content: bytes = b"a sketch", prompt: str = "a moon") -> Message:
        """Use /sketch and wait for the card in the new thread."""
        before = newest(self.world)
        await self.world.slash(self.ada, self.channel, "sketch", image=("sketch.bin", content), prompt=prompt)
        return await self.next_post(before)

    async def next_post(self, before: Message | None) -> Message:
        def posted() -> Message | None:
            last = newest(self.world)
            return None if last is before else last

        return await self.world.wait_for(posted, "waiting for a post")

    def contents(self, message: Message) -> list[bytes]:
        return [self.world.file(each) for each in message.attachments]


def newest(world: FakeDiscord) -> Message | None:
    return next(reversed(world.posted.values()), None)


def words(message: Message) -> list[str]:
    return [part["content"] for part in walk_components(message.components) if "content" in part]


@asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[Stage]:
    folder.joinpath("notes").mkdir()
    async with FakeDiscord() as world:
        guild = world.guild()
        channel, ada = world.channel(guild), world.person("ada", guild)
        env = {"SMALL_BOT_FOLDER": str(folder / "notes"), "SMALL_BOT_TOKEN": world.token}
        target = "tests.discord.small_bot:main"
        async with BotProcess(world, target, log=folder / "bot.log", env=env) as bot:
            yield Stage(world, bot, channel, ada)
        assert "Traceback" not in bot.output, bot.output


async def test_a_slash_command_ends_in_a_card_in_a_thread(tmp_path: Path) -> None:
    """Attachment, defer, thread, file and follow-up arrive as they would on Discord, and nothing in them is wrong."""
    async with stage(tmp_path) as here:
        asked = await here.world.slash(
            here.ada, here.channel, "sketch", image=("sketch.bin", b"a sketch"), prompt="a moon"
        )
        await here.world.wait_for(lambda: asked.message_id and not asked.loading, "waiting for the answer")

        (thread,) = here.world.threads(here.channel)
        (card,) = here.world.messages(thread.id)
        answer = here.world.backend.get_message(here.channel.id, asked.message_id or 0)
        assert thread.name == "a moon"
        assert here.ada.id in thread.thread_members
        assert here.contents(card) == [b"a sketch"]
        assert answer.content == f"Done in <#{thread.id}>"
        assert answer.is_ephemeral
        assert list(here.world.posted) == [card.id]
        sends = [each for each in here.world.watch.requests if each.uploads]
        assert [each.uploads for each in sends] == [(Upload("first.bin", 8),)]
        here.world.assert_clean()


async def test_a_button_works_after_the_bot_was_killed(tmp_path: Path) -> None:
    """The card outlives the process; the edit replaces its file, and the new process can still read the old one."""
    async with stage(tmp_path) as here:
        card = await here.sketch()
        first = here.bot.pid
        await here.bot.restart()
        await here.world.click(here.ada, card, "small:again:1")
        await here.world.wait_for(lambda: here.world.edits[card.id], "waiting for the edit")

        assert here.bot.pid != first
        assert here.contents(card) == [b"a sketch again"]
        assert words(card) == ["once more"]
        assert list(here.world.posted) == [card.id]
        here.world.assert_clean()


@pytest.mark.parametrize("ping", [True, False], ids=["ping", "no ping"])
async def test_a_reply_is_readable_with_the_ping_only(tmp_path: Path, ping: bool) -> None:
    """Without the message-content intent words and files come through when the bot is mentioned, else neither."""
    async with stage(tmp_path) as here:
        card = await here.sketch()
        reply = await here.world.reply(here.ada, card, "redder", (("more.bin", b"1234"),), ping=ping)
        answer = await here.next_post(card)

        assert answer.content == ("read 'redder' and [4]" if ping else "the ping was off")
        assert answer.reference is not None
        assert int(answer.reference["message_id"]) == reply.id


async def test_a_direct_message_is_always_readable(tmp_path: Path) -> None:
    """In a DM a reply without the ping has its words too."""
    async with stage(tmp_path) as here:
        place = here.world.dm(here.ada)
        await here.world.slash(here.ada, place, "sketch", image=("sketch.bin", b"a sketch"), prompt="a moon")
        card = await here.next_post(None)
        await here.world.reply(here.ada, card, "redder", ping=False)
        answer = await here.next_post(card)

        assert answer.content == "read 'redder' and []"


async def test_killed_before_the_post_the_bot_posts_when_it_is_back(tmp_path: Path) -> None:
    """The request was lost with the process: the card appears once, from the second process."""
    async with stage(tmp_path) as here:
        death = here.world.before(*POST, here.bot.dies)
        await here.world.slash(
            here.ada, here.channel, "sketch", image=("s.bin", b"a sketch"), prompt="a moon"
        )
        await here.world.wait_for(lambda: death.spent and not here.world.connected, "waiting for the kill")
        posted_before = list(here.world.posted)
        await here.bot.start()
        await here.world.wait_for(lambda: newest(here.world), "waiting for the card")

        assert posted_before == []
        assert len(here.world.posted) == 1
        assert here.bot.starts == 2


async def test_killed_after_the_post_the_nonce_swallows_the_second(tmp_path: Path) -> None:
    """The answer was lost, so the bot posts again; Discord knows the nonce, and a person sees one card."""
    async with stage(tmp_path) as here:
        death = here.world.after(*POST, here.bot.dies)
        await here.world.slash(
            here.ada, here.channel, "sketch", image=("s.bin", b"a sketch"), prompt="a moon"
        )
        await here.world.wait_for(lambda: death.spent and not here.world.connected, "waiting for the kill")
        await here.bot.start()
        await here.world.wait_for(lambda: list((tmp_path / "notes").glob("*.posted")), "waiting for the note")

        sends = [each for each in here.world.watch.requests if each.uploads]
        assert len(sends) == 2
        assert len(here.world.posted) == 1
        here.world.assert_nothing_twice()
        here.world.assert_clean()


async def test_a_forgotten_nonce_makes_a_second_post_and_is_found_out(tmp_path: Path) -> None:
    """The counterpart: when Discord has forgotten the nonce, the same bot posts twice, and the check says so."""
    async with stage(tmp_path) as here:
        death = here.world.after(*POST, here.bot.dies)
        await here.world.slash(
            here.ada, here.channel, "sketch", image=("s.bin", b"a sketch"), prompt="a moon"
        )
        await here.world.wait_for(lambda: death.spent and not here.world.connected, "waiting for the kill")
        here.world.forget_nonces()
        await here.bot.start()
        await here.world.wait_for(lambda: len(here.world.posted) == 2, "waiting for the second post")

        with pytest.raises(AssertionError, match="posted twice"):
            here.world.assert_nothing_twice()


async def test_a_post_deleted_by_a_person_may_come_again(tmp_path: Path) -> None:
    """Only what a person sees twice is a repetition."""
    async with stage(tmp_path) as here:
        card = await here.sketch()
        here.world.delete(card)
        again = await here.world.say(here.ada, here.channel, "hello")
        here.world.forget_nonces()
        await here.sketch()

        assert again.id in {each.id for each in here.world.messages(here.channel.id)}
        assert card.id not in here.world.posted
        here.world.assert_nothing_twice()


@pytest.mark.parametrize(
    "accident, outcome",
    [
        (Answer(429, retry_after=0.01), "Done"),
        (Answer(500), "Done"),
        (Answer(403, code=50013), "It did not work: Forbidden"),
        (reset, "It did not work: ClientOSError"),
    ],
    ids=["429", "500", "403", "reset"],
)
async def test_an_accident_meets_the_request_instead_of_discord(
    tmp_path: Path, accident: Accident, outcome: str
) -> None:
    """discord.py tries again after 429 and 500; a refusal and (on Linux) a reset reach the bot, which gives up."""
    async with stage(tmp_path) as here:
        met = here.world.before(*POST, accident)
        asked = await here.world.slash(
            here.ada, here.channel, "sketch", image=("s.bin", b"a sketch"), prompt="a moon"
        )
        await here.world.wait_for(lambda: asked.message_id and not asked.loading, "waiting for the answer")

        answer = here.world.backend.get_message(here.channel.id, asked.message_id or 0)
        assert met.spent
        assert answer.content.startswith(outcome)
        assert len(here.world.posted) == (outcome == "Done")
        assert here.world.invalid_requests == (getattr(accident, "status", None) in (403, 429))


async def test_an_accident_waits_for_its_turn(tmp_path: Path) -> None:
    """`skip` lets the first requests through, `times` ends it, so any request of a story can be the one that is met."""
    async with stage(tmp_path) as here:
        late = here.world.before(*POST, Answer(500), skip=1, times=1)
        await here.sketch()
        met_first = list(late.met)
        await here.sketch(prompt="another moon")

        assert met_first == []
        assert len(late.met) == 1
        assert len(here.world.posted) == 2


async def test_a_bot_that_lost_the_gateway_hears_what_it_missed(tmp_path: Path) -> None:
    """A broken connection is resumed: what was said meanwhile is delivered then, in the same session."""
    async with stage(tmp_path) as here:
        card = await here.sketch()
        session = here.world.session
        await here.world.drop_connection()
        here.world.write(here.ada, card.channel_id, "redder", to=card)
        answer = await here.next_post(card)

        assert answer.content == "read 'redder' and []"
        assert here.world.session is session


async def test_an_event_can_come_twice(tmp_path: Path) -> None:
    """The gateway may repeat itself; the small bot is fooled by it, and the check says so."""
    async with stage(tmp_path) as here:
        card = await here.sketch()
        reply = await here.world.reply(here.ada, card, "redder")
        answer = await here.next_post(card)
        here.world.assert_nothing_twice()
        here.world.repeat("MESSAGE_CREATE", lambda message: message["id"] == str(reply.id))
        await here.next_post(answer)

        with pytest.raises(AssertionError, match="posted twice"):
            here.world.assert_nothing_twice()


async def test_a_refused_resume_makes_a_new_session(tmp_path: Path) -> None:
    """The bot identifies anew and is told of its guilds again; what was said meanwhile is lost, as on Discord."""
    async with stage(tmp_path) as here:
        card = await here.sketch()
        session = here.world.session
        await here.world.drop_connection(resumable=False)
        here.world.write(here.ada, card.channel_id, "unheard", to=card)
        await here.world.reply(here.ada, card, "redder")
        answer = await here.next_post(card)

        assert answer.content == "read 'redder' and []"
        assert here.world.session is not session


async def test_a_bot_that_ends_by_itself_ends_the_wait(tmp_path: Path) -> None:
    """A test does not wait a minute for a process that is gone, and shows what that process said last."""
    async with FakeDiscord() as world:
        target = "tests.discord.small_bot:fail"
        bot = BotProcess(world, target, log=tmp_path / "bot.log")
        await bot.start()

        with pytest.raises(AssertionError, match="no token was given"):
            await world.online()


async def test_a_wrong_token_is_refused(tmp_path: Path) -> None:
    """The fake asks for the token, so that a bot which sends none is noticed."""
    async with FakeDiscord() as world:
        env = {"SMALL_BOT_FOLDER": str(tmp_path), "SMALL_BOT_TOKEN": "another.token"}
        bot = BotProcess(world, "tests.discord.small_bot:main", log=tmp_path / "bot.txt", env=env)
        await bot.start()

        with pytest.raises(AssertionError, match="Improper token"):
            await world.online()
        assert world.invalid_requests == 1


async def test_a_picture_has_its_size_in_the_attachment() -> None:
    """Discord says how large a picture is before anybody has fetched it; for anything else it says nothing."""
    painted = io.BytesIO()
    Image.new("RGB", (30, 20)).save(painted, "PNG")
    async with FakeDiscord() as world:
        guild = world.guild()
        ada = world.person("ada", guild)
        files = [("moon.png", painted.getvalue()), ("moon.txt", b"a moon")]
        message = world.write(ada, world.channel(guild), "look", files)

        picture, text = message.attachments
        assert (picture["width"], picture["height"]) == (30, 20)
        assert "width" not in text
        assert world.file(text) == b"a moon"


def test_a_hook_counts_only_what_matches() -> None:
    """Another method or another path neither meets the accident nor uses up its turns."""
    world = FakeDiscord()
    hook = world.before(*EDIT, reset, skip=1)
    requests = [Request("POST", "/channels/1/messages"), Request("PATCH", "/channels/1/messages/2")]

    met = [hook.meets(each) for each in [*requests, *requests, *requests]]

    assert met == [False, False, False, True, False, False]
