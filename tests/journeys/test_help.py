"""Journeys: /help, and cards that say what a model with few words does not know."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import discord
import msgspec
from simcord.results import InteractionResult, ResponseMessage

from inference import ModelInfo, Park, Vocabulary
from inference.catalogue import ONLY_BUILT_IN, model_infos
from inference.fake import FLAT, FakeEngine
from tests.journeys.world import EngineMaker, World, buttons_of, png, said, text_of, walk, world

MOST_TEXT = 4000
"""Discord's limit, over all texts of a message."""

SMALL = Vocabulary(
    groups=(("animals", ("cat", "sea lion")), ("food and drink", ("apple", "beach umbrella"))),
    words=("beach", "on the", "red"),
)
LARGE = Vocabulary(
    groups=tuple((f"group {n}", tuple(f"thing {n} number {m}" for m in range(90))) for n in range(6)),
    words=tuple(f"word {n}" for n in range(600)),
)


def taught(vocabulary: Vocabulary | None, name: str = "emoji") -> ModelInfo:
    title = "emoji art (built-in)"
    return msgspec.structs.replace(FLAT, name=name, title=title, notice="", vocabulary=vocabulary)


def drawing_with(*models: ModelInfo, held: bool = False) -> EngineMaker:
    def make(park: Park) -> FakeEngine:
        return FakeEngine(park=park, models=models, held=held)

    return make


def read(text: str) -> str:
    """As Discord shows it: without the backslashes that keep marks from working."""
    return text.replace("\\", "")


def answered(result: InteractionResult) -> ResponseMessage:
    message = result.followups[-1] if result.followups else result.response
    assert message is not None
    return message


def words_of(message: ResponseMessage) -> str:
    return read("\n".join(_texts(message)))


def _texts(message: ResponseMessage) -> list[str]:
    return [item["content"] for item in walk(message.components) if item["type"] == 10]


def selects_of(message: ResponseMessage) -> list[dict[str, Any]]:
    return [item for item in walk(message.components) if item["type"] == 3]


def labels(select: dict[str, Any]) -> list[str]:
    return [option["label"] for option in select["options"]]


async def choose(here: World, message: ResponseMessage, label: str) -> InteractionResult:
    (select,) = selects_of(message)
    (value,) = [option["value"] for option in select["options"] if option["label"] == label]
    return await here.you.select(message, custom_id=select["custom_id"], values=[value])


async def sketch(here: World, prompt: str) -> discord.Message:
    await here.you.slash(here.channel, "sketch", image=("a.png", png()), prompt=prompt, candidates=1)
    return here.cards()[-1]


async def test_help_says_how_to_begin_and_what_the_model_knows(tmp_path: Path) -> None:
    """Privately: examples to try at once, every door, and what the model was taught, group by group."""
    async with world(tmp_path, drawing_with(taught(SMALL))) as here:
        help_ = answered(await here.you.slash(here.channel, "help"))
        shown = words_of(help_)

        assert help_.ephemeral
        assert all(
            door in shown for door in ("/sketch", "/imagine", "Reply", "Again", "/history", "/privacy")
        )
        assert "emoji art (built-in)" in shown
        assert "animals: cat, sea lion" in shown.replace("*", "")
        assert "food and drink: apple, beach umbrella" in shown.replace("*", "")
        assert "other words: beach, on the, red" in shown.replace("*", "")
        assert selects_of(help_) == []


async def test_help_lists_what_the_built_in_model_knows(tmp_path: Path) -> None:
    """Each of its groups by name, and all names of a group either at once or when it is chosen."""
    (model,) = model_infos(ONLY_BUILT_IN, tmp_path)
    assert model.vocabulary is not None
    async with world(tmp_path, drawing_with(model)) as here:
        help_ = answered(await here.you.slash(here.channel, "help"))
        group, names = model.vocabulary.groups[0]
        shown = words_of(help_).replace("*", "")
        whole = words_of(answered(await choose(here, help_, group))) if selects_of(help_) else shown

        assert "emoji art (built-in) knows" in shown
        assert [heading for heading, _ in model.vocabulary.groups if f"- {heading}" not in shown] == []
        assert ", ".join(names) in whole


async def test_the_examples_of_help_work(tmp_path: Path) -> None:
    """What it tells people to type is accepted as it stands."""
    async with world(tmp_path, drawing_with(taught(SMALL))) as here:
        card = await sketch(here, "the surface of the moon")
        await here.you.slash(here.thread(), "imagine", prompt="an apple on the beach")
        await here.you.send(here.thread(), "at night --strength 0.5", reply_to=card)
        help_ = words_of(answered(await here.you.slash(here.channel, "help")))

        prompts = [request.prompt for request in here.fake.requests]
        assert prompts == ["the surface of the moon", "an apple on the beach", "at night"]
        assert here.fake.requests[2].strength == 0.5
        assert all(f"`{example}" in help_ for example in prompts)


async def test_help_names_every_command_and_is_short(tmp_path: Path) -> None:
    """Each with what it is for, in one screenful; one that is added later is missed here.

    Those of moderators are named to moderators.
    """
    async with world(tmp_path) as here:
        short = words_of(answered(await here.you.slash(here.channel, "help")))
        help_ = words_of(answered(await here.mod.slash(here.channel, "help")))
        commands = here.bot.tree.get_commands()
        menus = [*here.bot.tree.get_commands(type=discord.AppCommandType.message)]

        assert len(commands) > 5
        for command in commands:
            shown = command.name if command in menus else f"/{command.name}"
            assert f"`{shown}`" in help_ or command.name == "help"
        assert len(short) < 1500
        assert short.count("\n") < 10
        assert "/mod" not in short


async def test_help_without_such_a_model_is_about_the_ways_in_alone(tmp_path: Path) -> None:
    """A model that takes any words has none to list. /help works in direct messages as well."""
    async with world(tmp_path) as here:
        help_ = answered(await here.you.user.slash("help"))

        assert "/sketch" in words_of(help_)
        assert "knows" not in words_of(help_)
        assert selects_of(help_) == []


async def test_a_large_vocabulary_is_shown_group_by_group(tmp_path: Path) -> None:
    """Examples of each group and a select; choosing shows all of it, in the same message and within Discord's limit."""
    async with world(tmp_path, drawing_with(taught(LARGE))) as here:
        help_ = answered(await here.you.slash(here.channel, "help"))
        (select,) = selects_of(help_)
        first = words_of(help_)
        changed = await choose(here, help_, "group 4")
        second = words_of(help_)

        assert labels(select)[:6] == [f"group {number}" for number in range(6)]
        assert "group 4 (90): thing 4 number 0" in first.replace("*", "")
        assert "thing 4 number 89" not in first
        assert "thing 4 number 89" in second
        assert "thing 3 number 89" not in second
        assert "/sketch" in second
        assert changed.followups == []
        assert [option["label"] for option in selects_of(help_)[0]["options"] if option.get("default")] == [
            "group 4"
        ]


async def test_every_name_can_be_found(tmp_path: Path) -> None:
    """The pages of the select together show each name once, none of them too long to send."""
    async with world(tmp_path, drawing_with(taught(LARGE))) as here:
        help_ = answered(await here.you.slash(here.channel, "help"))
        found: list[str] = []
        for label in labels(selects_of(help_)[0]):
            await choose(here, help_, label)
            names = _texts(help_)[1].partition(": ")[2].split(", ")
            found += names
            assert sum(map(len, _texts(help_))) <= MOST_TEXT

        assert found == [*(name for _, names in LARGE.groups for name in names), *LARGE.words]
        assert "other words (2)" in labels(selects_of(help_)[0])


async def test_the_select_of_help_works_after_a_restart(tmp_path: Path) -> None:
    """It carries the model's name in its custom_id; nothing else is kept."""
    async with world(tmp_path, drawing_with(taught(LARGE))) as here:
        help_ = answered(await here.you.slash(here.channel, "help"))
        await here.restart()
        await choose(here, help_, "group 5")

        assert "thing 5 number 89" in words_of(help_)


async def test_a_page_that_is_no_more_is_answered_with_a_sentence(tmp_path: Path) -> None:
    """The host changed the models while somebody had /help open: nothing breaks, and it says what to do."""
    models = [taught(LARGE)]

    def make(park: Park) -> FakeEngine:
        return FakeEngine(park=park, models=models)

    async with world(tmp_path, make) as here:
        help_ = answered(await here.you.slash(here.channel, "help"))
        models[:] = [taught(msgspec.structs.replace(LARGE, words=()))]
        await here.restart()
        fewer = await choose(here, help_, "other words")
        models[:] = [FLAT]
        await here.restart()
        gone = await choose(here, help_, "group 0")

        assert said(fewer) == said(gone) == "What that model knows has changed since. Use /help once more."


async def test_several_such_models_share_the_room(tmp_path: Path) -> None:
    """Each has its part and its select; one that takes any words is left out."""
    models = (taught(LARGE, "one"), FLAT, taught(LARGE, "two"), taught(SMALL, "three"))
    async with world(tmp_path, drawing_with(*models)) as here:
        help_ = answered(await here.you.slash(here.channel, "help"))
        first, second = selects_of(help_)
        last = second["options"][-1]["value"]
        await here.you.select(help_, custom_id=second["custom_id"], values=[last])

        assert [first["custom_id"], second["custom_id"]] == ["art:help:one:0", "art:help:two:0"]
        assert [bool(_chosen(select)) for select in selects_of(help_)] == [False, True]
        assert "animals: cat, sea lion" in words_of(help_).replace("*", "")
        assert sum(map(len, _texts(help_))) <= MOST_TEXT


def _chosen(select: dict[str, Any]) -> Sequence[str]:
    return [option["value"] for option in select["options"] if option.get("default")]


async def test_names_from_a_folder_have_no_effect(tmp_path: Path) -> None:
    """A model's files may come from a stranger: no markdown, mention or address of theirs works in /help."""
    hostile = Vocabulary(groups=(("**@everyone**", ("<@1>", "[x](https://example.org)", "||a||")),))
    async with world(tmp_path, drawing_with(taught(hostile))) as here:
        help_ = answered(await here.you.slash(here.channel, "help"))

        listed = _texts(help_)[1].split("\n")[1]
        assert r"\*\*\@everyone\*\*" in listed
        assert r"\<\@1>, \[x\]\(https\:\/\/example.org\), \|\|a\|\|" in listed


async def test_a_card_names_the_words_that_the_model_does_not_know(tmp_path: Path) -> None:
    """From the first card on, so that one can still cancel; the title stands by it to the end."""
    async with world(tmp_path, drawing_with(taught(SMALL), held=True)) as here:
        first = read(text_of(await sketch(here, "a Parsec of red cats on the beach, no parsecs")))
        here.fake.release(1)
        await here.env.settle()
        running = read(text_of(here.cards()[-1]))
        here.fake.release(1000)
        await here.env.settle()
        (done,) = here.cards()

        lines = "-# emoji art (built-in)\n-# I don't know: Parsec, no"
        assert lines in first
        assert lines in running
        assert "Step 1" in running
        assert lines in read(text_of(done))
        assert "Again" in buttons_of(done)


async def test_a_card_says_nothing_when_all_words_are_known(tmp_path: Path) -> None:
    """The control: the title alone. A model that takes any words is never said not to know some."""
    known, anything = taught(SMALL), taught(None, "anything")
    async with world(tmp_path, drawing_with(known, anything)) as here:
        quiet = read(text_of(await sketch(here, "Sea-Lions on the beach, please")))
        await here.you.slash(here.channel, "imagine", prompt="a parsec", candidates=1, model="anything")
        other = read(text_of(here.cards(here.thread(1))[-1]))

        assert "emoji art (built-in)" in quiet
        assert "I don't know" not in quiet
        assert "I don't know" not in other
        assert "emoji art" not in other


async def test_strange_words_do_no_harm_on_a_card(tmp_path: Path) -> None:
    """Markdown, mentions, direction marks and endless words: one short line, and nobody is pinged."""
    async with world(tmp_path, drawing_with(taught(SMALL))) as here:
        prompt = f"@everyone <@{here.other.id}> __so__ \u202etfel\u202c z\u200bero {'x' * 300} " + " ".join(
            "abcdefghi"
        )
        card = await sketch(here, prompt + " луна 月 q1 q2 q3 q4")
        (line,) = [line for line in text_of(card).split("\n") if "I don't know" in line]

        assert line == (
            f"-# I don't know: everyone, tfel, zero, {'x' * 29}…, луна, 月, q1, q2 and 2 more words"
        )
        assert here.pinged_by(card) == []
