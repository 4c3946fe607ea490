"""Journeys: the More… list of a card, and /share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import discord
import pytest
from simcord.actors import MemberActor

from bot.options import parse_reply
from inference import ImageRequest
from tests.journeys.forms import send
from tests.journeys.world import World, buttons_of, png, said, walk, world


async def more(here: World, card: discord.Message, label: str, who: MemberActor | None = None) -> Any:
    view = discord.ui.LayoutView.from_message(card)
    select = next(item for item in view.walk_children() if isinstance(item, discord.ui.Select))
    value = next(option.value for option in select.options if option.label == label)
    return await (who or here.you).select(card, custom_id=select.custom_id, values=[value])


def command_in(answer: Any) -> str:
    _, block, _ = said(answer).split("```")
    return str(block.strip())


def options_in(command: str) -> dict[str, Any]:
    """`/name option: value …` as Discord would take it apart."""
    name, *rest = command.split(" ")
    given: dict[str, Any] = {}
    for word in rest:
        if word.endswith(":"):
            option = word[:-1]
            given[option] = []
        else:
            given[option].append(word)
    numbers = {"steps": int, "seed": int, "candidates": int, "strength": float, "guidance": float}
    return {"": name} | {option: numbers.get(option, str)(" ".join(words)) for option, words in given.items()}


def same_but(first: ImageRequest, second: ImageRequest) -> list[str]:
    """The fields in which two requests differ."""
    return [name for name in first.__struct_fields__ if getattr(first, name) != getattr(second, name)]


async def test_the_list_offers_what_belongs_there(tmp_path: Path) -> None:
    """One card has one list; pictures can be deleted one by one only where there are several."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=2)
        await here.sketch(who=here.other, candidates=1)
        several, single = here.cards(here.thread(0))[0], here.cards(here.thread(1))[0]
        offered = [
            [
                option.label
                for item in discord.ui.LayoutView.from_message(card).walk_children()
                if isinstance(item, discord.ui.Select)
                for option in item.options
            ]
            for card in (several, single)
        ]

        always = ["Pictures so far", "Recipe", "Repaint a part…", "Strength strip", "Place it", "Sharing"]
        assert offered == [[*always, "Delete picture 2", "Delete picture 3"], always]


async def test_history_from_the_list_is_that_of_the_cards_scene(tmp_path: Path) -> None:
    """Wherever it is asked for, and privately."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        answer = await more(here, here.cards()[0], "Pictures so far", here.other)
        sheet = answer.followups[-1] if answer.followups else answer.response
        select = next(item for item in walk(sheet.components) if item["type"] == 3)

        assert sheet.ephemeral
        assert [option["label"][:2] for option in select["options"]] == ["2:", "1:"]


async def test_a_sketchs_recipe_is_a_command_that_makes_it_again(tmp_path: Path) -> None:
    """Sent with the same sketch it asks for the very same; with another seed it would not."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=2, strength=0.4, negative="clouds", sampler="euler", seed=7)
        answer = await more(here, here.cards()[0], "Recipe")
        given = options_in(command_in(answer))
        name = given.pop("")
        await here.you.slash(here.channel, name[1:], image=("sketch.png", png((160, 90))), **given)
        await here.you.slash(here.channel, name[1:], image=("s.png", png((160, 90))), **given | {"seed": 8})
        first, same, other = here.fake.requests

        assert name == "/sketch"
        assert answer.ephemeral
        assert same_but(first, same) == []
        assert same_but(first, other) == ["seeds"]


async def test_a_recipe_from_words_is_a_command_that_makes_it_again(tmp_path: Path) -> None:
    """The shape is said as well."""
    async with world(tmp_path) as here:
        await here.you.slash(here.channel, "imagine", prompt="the planet earth", size="3:2", candidates=1)
        given = options_in(command_in(await more(here, here.cards()[0], "Recipe")))
        name = given.pop("")
        await here.you.slash(here.channel, name[1:], **given)
        first, same = here.fake.requests

        assert name == "/imagine"
        assert same_but(first, same) == []


async def test_a_refinements_recipe_is_a_reply_that_makes_it_again(tmp_path: Path) -> None:
    """It names the picture to reply to."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1, negative="clouds, people")
        (card,) = here.cards()
        await here.you.send(here.thread(), "rounder --strength 0.3", reply_to=card)
        answer = await more(here, here.cards()[1], "Recipe")
        reply = command_in(answer)
        await here.you.send(here.thread(), reply, reply_to=card)
        _, refined, same = here.fake.requests

        assert "Reply to picture 2 with this:" in said(answer)
        assert parse_reply(reply)[0] == "rounder"
        assert same_but(refined, same) == []


async def test_a_card_of_a_deleted_job_offers_nothing(tmp_path: Path) -> None:
    """A list that is still open on somebody's screen does no harm."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        (card,) = here.cards()
        async with here.store.transaction() as tx:
            await here.store.delete_job(tx, 1, 0.0)
        answers = [await more(here, card, label) for label in ("Pictures so far", "Recipe")]

        assert all("That picture was deleted" in said(answer) for answer in answers)


# Sharing


async def test_share_says_and_sets_who_may_go_on(tmp_path: Path) -> None:
    """Everyone at first; the command and the button change it, and it lasts."""
    async with world(tmp_path) as here:
        first = await here.you.slash(here.channel, "share")
        asked = said(first)
        assert first.response is not None
        (button,) = [item for item in walk(first.response.components) if item["type"] == 2]
        await here.you.click(first.response, custom_id=button["custom_id"])
        by_button = await here.store.shares(here.you.id)
        await here.restart()
        second = await here.you.slash(here.channel, "share", who="everyone")

        assert asked == "Everyone here may go on from your pictures."
        assert first.ephemeral
        assert by_button == "mine"
        assert said(second) == "Everyone here may go on from your pictures."
        assert await here.store.shares(here.other.id) == "everyone"


@pytest.mark.parametrize("action", ["Again", "Subtle", "Strong"])
async def test_a_button_on_a_picture_kept_for_oneself(tmp_path: Path, action: str) -> None:
    """Others are told whose it is, and nothing runs; its author is not hindered."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        await here.you.slash(here.channel, "share", who="mine")
        (card,) = here.cards()
        theirs = await here.other.click(card, custom_id=buttons_of(card)[action])
        after_theirs = len(here.fake.requests)
        await here.you.click(card, custom_id=buttons_of(card)[action])

        assert f"is <@{here.you.id}>'s, who keeps it for themselves" in said(theirs)
        assert after_theirs == 1
        assert len(here.fake.requests) == 2


@pytest.mark.parametrize("shares, runs", [("mine", 1), ("everyone", 2)])
async def test_a_reply_to_a_picture_kept_for_oneself(tmp_path: Path, shares: str, runs: int) -> None:
    """The answer repeats what was written, and pings nobody; once shared again the same reply works."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        await here.you.slash(here.channel, "share", who="mine")
        await here.you.slash(here.channel, "share", who=shares)
        await here.other.send(here.thread(), "rounder", reply_to=here.cards()[0])
        answer = here.thread().history()[-1]

        assert len(here.fake.requests) == runs
        assert ("who keeps it for themselves" in answer.content) is (shares == "mine")
        assert ("```\nrounder\n```" in answer.content) is (shares == "mine")
        assert here.pinged_by(answer) == []


async def test_a_form_about_a_picture_kept_for_oneself(tmp_path: Path) -> None:
    """Also where it was opened before."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        (card,) = here.cards()
        shown = await here.other.click(card, custom_id=buttons_of(card)["Refine…"])
        as_sketch = await here.other.context_menu(here.thread(), "Use as sketch", card)
        await here.you.slash(here.channel, "share", who="mine")
        answers = [await send(here.other, form, prompt="a deck chair") for form in (shown, as_sketch)]

        assert all("who keeps it for themselves" in said(answer) for answer in answers)
        assert len(here.fake.requests) == 1


async def test_again_on_what_others_made_of_it(tmp_path: Path) -> None:
    """A child is its maker's to share; what starts anew from the kept picture is not."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        (card,) = here.cards()
        await here.other.click(card, custom_id=buttons_of(card)["Strong"])
        await here.you.slash(here.channel, "share", who="mine")
        _, child = here.cards()
        again = await here.other.click(child, custom_id=buttons_of(child)["Again"])
        await here.other.click(child, custom_id=buttons_of(child)["Subtle"])

        assert "who keeps it for themselves" in said(again)
        assert len(here.fake.requests) == 3
