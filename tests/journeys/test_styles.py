"""Journeys: styles, those that come along and those that a server adds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from bot import texts
from bot.styles import built_in
from inference import ImageRequest, Park, Vocabulary
from inference.fake import FLAT, FakeEngine
from tests.journeys.forms import fields, send
from tests.journeys.test_more import command_in, more
from tests.journeys.world import World, buttons_of, said, text_of, walk, world

CRAYON, OIL = (next(style for style in built_in() if style.name == name) for name in ("crayon", "oil"))
WORDS = "the surface of the moon"

KNOWS_THE_MOON = msgspec.structs.replace(
    FLAT,
    name="small",
    vocabulary=Vocabulary(groups=(("places", ("moon",)),), words=("the", "surface", "of", "by")),
)


def drawn_in(request: ImageRequest) -> str | None:
    """Which style's words stand round the person's."""
    for style in built_in():
        before, _, after = style.template.partition("{prompt}")
        if request.prompt.startswith(before) and request.prompt.endswith(after):
            return style.name
    return None


async def add(here: World, who: Any = None, **options: Any) -> str:
    given = {"name": "charcoal", "template": "{prompt}, in charcoal", **options}
    return said(await (who or here.mod).slash(here.channel, "style add", **given))


async def test_a_style_is_drawn_and_not_shown_in_the_persons_mouth(tmp_path: Path) -> None:
    """The engine gets the style's words and its strength; the card has the person's words and the style's name."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1, style="Crayon", negative="clouds")
        await here.sketch(candidates=1)
        request, plain = here.fake.requests
        card, plain_card = (text_of(here.cards(here.thread(index))[0]) for index in (0, 1))

        assert request.prompt == CRAYON.template.replace("{prompt}", WORDS)
        assert request.negative_prompt == f"clouds, {CRAYON.negative}"
        assert request.strength == CRAYON.strength != plain.strength
        assert plain.prompt == WORDS
        assert f"**{WORDS}**" in card
        assert "from a sketch, style crayon" in card
        assert "waxy" not in card
        assert "style" not in plain_card


async def test_a_strength_that_was_said_counts(tmp_path: Path) -> None:
    """The style's own is only recommended."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1, style="crayon", strength=0.2)

        assert here.fake.requests[0].strength == 0.2


async def test_replies_keep_the_style_until_they_say_otherwise(tmp_path: Path) -> None:
    """With and without words, Again and Subtle too; another one replaces it, `none` drops it."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1, style="crayon")
        card = here.cards()[0]
        for words in ("at night", "--strength 0.3", "--style oil", "a dog --style none"):
            await here.you.send(here.thread(), words, reply_to=card)
        for button in ("Again", "Subtle"):
            await here.you.click(card, custom_id=buttons_of(card)[button])
        await here.you.send(here.thread(), "--seed 3", reply_to=here.cards()[4])
        requests = here.fake.requests[1:]

        assert [drawn_in(request) for request in requests] == [
            *("crayon", "crayon", "oil", None, "crayon", "crayon", None)
        ]
        assert [request.prompt.count("drawing by a child") for request in requests] == [1, 1, 0, 0, 1, 1, 0]
        assert requests[1].prompt == here.fake.requests[0].prompt
        assert requests[0].negative_prompt == CRAYON.negative
        assert requests[3].negative_prompt == ""
        assert requests[0].strength == 0.55
        assert requests[2].strength == OIL.strength
        assert requests[6].prompt == "a dog"


async def test_a_form_shows_the_words_and_the_style(tmp_path: Path) -> None:
    """Sent as it is it keeps both; with the style taken out of its field it is drawn without."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1, style="crayon")
        card = here.cards()[0]
        shown = await here.you.click(card, custom_id=buttons_of(card)["Refine…"])
        await send(here.you, shown)
        once_more = await here.you.click(card, custom_id=buttons_of(card)["Refine…"])
        await send(here.you, once_more, flags="")
        first, kept, dropped = here.fake.requests

        assert (fields(shown)["prompt"], fields(shown)["flags"]) == (WORDS, "--style crayon")
        assert fields(shown)["negative"] == ""
        assert kept.prompt == first.prompt
        assert dropped.prompt == WORDS


async def test_a_recipe_names_the_style(tmp_path: Path) -> None:
    """And has the person's own words, so that pasting it does not say the style's twice."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1, style="crayon")
        command = command_in(await more(here, here.cards()[0], texts.MORE_RECIPE))

        assert f"prompt: {WORDS} " in command
        assert "style: crayon" in command
        assert "waxy" not in command


async def test_only_the_persons_own_words_are_called_unknown(tmp_path: Path) -> None:
    """A model of few words does not know those of a style either, but nobody typed them."""

    def small(park: Park) -> FakeEngine:
        return FakeEngine(park=park, models=(KNOWS_THE_MOON,))

    async with world(tmp_path, small) as here:
        await here.sketch(candidates=1, prompt="the moon by zeppelin", style="crayon")
        lines = text_of(here.cards()[0]).splitlines()

        assert "-# I don't know: zeppelin" in lines


@pytest.mark.parametrize(
    "written, sentence", [("crayn", "Did you mean `crayon`?"), ("zzz", "I know renaissance, oil,")]
)
async def test_an_unknown_style_starts_nothing(tmp_path: Path, written: str, sentence: str) -> None:
    """In a command and in a reply: the nearest one, and what was typed."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        answer = await here.sketch(style=written)
        await here.you.send(here.thread(), f"at night --style {written}", reply_to=here.cards()[0])
        reply = here.thread().history()[-1].content

        assert all(sentence in text for text in (said(answer), reply))
        assert f"style: {written}" in said(answer)
        assert f"at night --style {written}" in reply
        assert len(here.fake.requests) == 1


async def test_the_list_is_for_everybody(tmp_path: Path) -> None:
    """Privately: each with its title and strength, and how to add one."""
    async with world(tmp_path) as here:
        answer = await here.you.slash(here.channel, "style list")
        message = answer.followups[-1] if answer.followups else answer.response
        assert message is not None
        shown = "\n".join(item["content"] for item in walk(message.components) if item["type"] == 10)

        assert message.ephemeral
        assert all(f"- `{style.name}`: {style.title} (" in shown for style in built_in())
        assert "`/style add`" in shown


async def test_who_manages_the_server_adds_a_style(tmp_path: Path) -> None:
    """It is offered first, listed, drawn, and can be taken away again; what was made in it keeps it."""
    async with world(tmp_path) as here:
        added = await add(here, strength=0.4)
        offered = await here.you.autocomplete(here.channel, "imagine", "style", "", prompt="a moon")
        filtered = await here.you.autocomplete(here.channel, "sketch", "style", "paint", prompt="a moon")
        listed = await here.you.slash(here.channel, "style list")
        await here.sketch(candidates=1, style="charcoal")
        own = await here.mod.autocomplete(here.channel, "style remove", "name", "ch")
        removed = said(await here.mod.slash(here.channel, "style remove", name="Charcoal"))
        await here.you.send(here.thread(), "at night", reply_to=here.cards()[0])
        again = await here.sketch(style="charcoal")
        message = listed.followups[-1] if listed.followups else listed.response
        assert message is not None

        assert "Added `charcoal`" in added
        assert offered[0]["value"] == "charcoal"
        assert [choice["value"] for choice in filtered] == ["renaissance", "oil"]
        assert [choice["value"] for choice in own] == ["charcoal"]
        assert any(
            "`charcoal`: {prompt}, in charcoal (0.4)" in str(item.get("content"))
            for item in walk(message.components)
        )
        assert "Took `charcoal` away" in removed
        assert [request.prompt for request in here.fake.requests] == [
            f"{WORDS}, in charcoal",
            "at night, in charcoal",
        ]
        assert here.fake.requests[0].strength == 0.4
        assert "I don't know the style “charcoal”" in said(again)


@pytest.mark.parametrize(
    "command, options",
    [
        ("style add", {"name": "charcoal", "template": "{prompt}, in charcoal"}),
        ("style remove", {"name": "charcoal"}),
    ],
)
async def test_others_change_no_styles(tmp_path: Path, command: str, options: dict[str, str]) -> None:
    """They are told who may, and nothing changes."""
    async with world(tmp_path) as here:
        await here.mod.slash(here.channel, "style add", name="ink-wash", template="{prompt}, ink wash")
        answer = await here.you.slash(here.channel, command, **options)

        assert "Who may manage this server" in said(answer)
        assert [style.name for style in await here.store.styles.of(here.guild.id)] == ["ink-wash"]


async def test_bad_styles_are_refused_with_what_was_typed(tmp_path: Path) -> None:
    """A template is long, and typing it twice is no fun."""
    async with world(tmp_path) as here:
        without = await add(here, template="charcoal on paper")
        await add(here)
        twice = await add(here)
        taken = await add(here, name="oil")
        missing = said(await here.mod.slash(here.channel, "style remove", name="charcole"))

        assert "needs `{prompt}` in it" in without
        assert "template: charcoal on paper" in without
        assert "`charcoal` is there already" in twice
        assert "`oil` is a style that every server has" in taken
        assert "Did you mean `charcoal`?" in missing
        assert len(await here.store.styles.of(here.guild.id)) == 1


async def test_the_words_of_a_style_ping_nobody(tmp_path: Path) -> None:
    """A server's template may hold anything."""
    async with world(tmp_path) as here:
        await add(here, template="{prompt} <@1> @everyone")
        listed = await here.you.slash(here.channel, "style list")
        message = listed.followups[-1] if listed.followups else listed.response
        assert message is not None
        (shown,) = [item["content"] for item in walk(message.components) if item["type"] == 10]

        assert "<@1>" not in shown
        assert "\\@everyone" in shown


async def test_a_restart_changes_no_style(tmp_path: Path) -> None:
    """A job that waits through a restart is drawn in its style, also if that was taken away meanwhile."""
    async with world(tmp_path, lambda park: FakeEngine(park=park, held=True)) as here:
        await add(here)
        await here.sketch(candidates=1, style="charcoal")
        await here.mod.slash(here.channel, "style remove", name="charcoal")
        await here.restart()
        here.fake.release(1000)
        await here.env.settle()

        assert here.fake.requests[-1].prompt == f"{WORDS}, in charcoal"
        assert "style charcoal" in text_of(here.cards()[0])
        assert await here.store.job(1) is not None
