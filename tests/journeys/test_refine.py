"""Journeys: refining in a form."""

from __future__ import annotations

from pathlib import Path

import pytest
from simcord.results import InteractionResult

from inference import InitKind, Sampler
from tests.journeys.forms import fields, labels, send
from tests.journeys.world import World, buttons_of, opened, pictures_of, png, said, text_of, walk, world


async def refine(here: World, card: int = -1) -> InteractionResult:
    """Press Refine… on the newest card of the first thread."""
    shown = here.cards()[card]
    return await here.you.click(shown, custom_id=buttons_of(shown)["Refine…"])


async def open_again(here: World, answer: InteractionResult) -> InteractionResult:
    """Press the one button below what was typed."""
    assert answer.response is not None
    (again,) = [item for item in walk(answer.response.components) if item["type"] == 2]
    return await here.you.click(answer.response, custom_id=again["custom_id"])


async def test_the_form_opens_with_what_the_picture_was_made_with(tmp_path: Path) -> None:
    """The form is the first answer, with the words of before and the strength of refining."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1, negative="clouds")
        shown = await refine(here)

        assert fields(shown) == {
            "prompt": "the surface of the moon",
            "negative": "clouds",
            "strength": "0.55",
            "flags": "",
        }
        assert labels(shown) == [
            "Prompt",
            "Not in it",
            "Strength",
            "More options",
            "Another picture to start from",
        ]


async def test_what_is_changed_in_the_form_changes_the_picture(tmp_path: Path) -> None:
    """Words, strength and flags are taken; what was left alone is as before; it goes on from the latents."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1, guidance=4.0, negative="clouds")
        shown = await refine(here)
        answer = await send(
            here.you, shown, prompt="a deck chair", strength="0,3", flags="--steps 20 --sampler euler"
        )
        _, second = here.fake.requests

        assert "I am on it" in said(answer)
        assert (second.prompt, second.negative_prompt, second.guidance) == ("a deck chair", "clouds", 4.0)
        assert (second.strength, second.steps, second.sampler) == (0.3, 20, Sampler.EULER)
        assert second.init is not None
        assert second.init.kind is InitKind.LATENTS
        assert "From picture 2." in text_of(here.cards()[-1])


async def test_an_emptied_field_is_empty(tmp_path: Path) -> None:
    """Whoever clears what should not be there means it; without a strength it is that of refining."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1, negative="clouds")
        await send(here.you, await refine(here), negative="", strength="")

        assert here.fake.requests[1].negative_prompt == ""
        assert here.fake.requests[1].strength == 0.55


async def test_a_picture_in_the_form_is_the_start_instead(tmp_path: Path) -> None:
    """Its pixels are the init, and it joins the tree below the picture that was refined."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        await send(here.you, await refine(here), file=[("chair.png", png((300, 200), "blue"))])
        _, second = here.fake.requests
        pictures = [entry.picture for entry in await here.store.history(1)]

        assert second.init is not None
        assert (second.init.kind, second.init.ref) == (InitKind.PIXELS, pictures[2].file)
        assert pictures[2].parent_id == pictures[1].id


async def test_the_form_is_about_ones_own_pick(tmp_path: Path) -> None:
    """Two people press the same button and each refines the picture they picked."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=3)
        (card,) = here.cards()
        await here.you.click(card, custom_id=buttons_of(card)["2"])
        await here.other.click(card, custom_id=buttons_of(card)["3"])
        refine_it = buttons_of(card)["Refine…"]
        mine = await here.you.click(card, custom_id=refine_it)
        theirs = await here.other.click(card, custom_id=refine_it)
        await send(here.you, mine)
        await send(here.other, theirs)
        _, first, second = here.cards()

        assert "From picture 3." in text_of(first)
        assert "From picture 4." in text_of(second)


@pytest.mark.parametrize(
    "changed, sentence",
    [
        ({"strength": "lots"}, "`--strength` needs a number"),
        ({"strength": "0"}, "Strength is above 0 and at most 1"),
        ({"flags": "--stps 40"}, "Did you mean `--steps`?"),
        ({"flags": "--sampler eulr"}, "Did you mean `euler`?"),
        ({"flags": "--model flet"}, "Did you mean `flat`?"),
        ({"flags": "rounder"}, "“rounder” is no option"),
        ({"flags": "--no people"}, "`--no` has a field of its own"),
        ({"flags": "--size 3:2"}, "a reply keeps the shape"),
        ({"flags": "--steps 60"}, "60 steps are more than the 50"),
        ({"prompt": "   "}, "The prompt is empty"),
    ],
)
async def test_a_wrong_field_costs_nothing_that_was_typed(
    tmp_path: Path, changed: dict[str, str], sentence: str
) -> None:
    """A private sentence, each field for copying, and a button that opens the form again as it was sent."""
    typed = {
        "prompt": "a ```deck``` chair\n**bold**",
        "negative": "cl\\_ouds",
        "strength": "0.3",
        "flags": "",
    }
    wanted = typed | changed
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        answer = await send(here.you, await refine(here), **wanted)
        reopened = await open_again(here, answer)

        assert answer.ephemeral
        assert sentence in said(answer)
        assert {name: text.strip() for name, text in fields(reopened).items()} == {
            name: text.strip() for name, text in wanted.items()
        }
        assert len(here.fake.requests) == 1
        assert len(await here.store.history(1)) == 2


async def test_the_form_that_was_opened_again_works(tmp_path: Path) -> None:
    """Correct the one thing that was wrong and send it."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        answer = await send(here.you, await refine(here), prompt="a deck chair", flags="--stps 20")
        reopened = await open_again(here, answer)
        await send(here.you, reopened, flags="--steps 20")

        assert (here.fake.requests[1].prompt, here.fake.requests[1].steps) == ("a deck chair", 20)


async def test_a_form_that_is_open_while_the_bot_starts_again(tmp_path: Path) -> None:
    """It is sent to a process that never opened it, and does its work."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        shown = await refine(here)
        await here.restart()
        answer = await send(here.you, shown, prompt="a deck chair", file=[("chair.png", png((300, 200)))])

        assert "I am on it" in said(answer)
        assert [request.prompt for request in here.fake.requests] == ["a deck chair"]
        assert len(here.cards()) == 2


async def test_a_file_that_cannot_be_read_is_asked_for_once_more(tmp_path: Path) -> None:
    """The words are kept; a file cannot be put into a form for somebody."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        answer = await send(here.you, await refine(here), file=[("chair.png", b"hello")])

        assert "not a picture I can read" in said(answer)
        assert "Attach your picture once more" in said(answer)
        assert "the surface of the moon" in said(answer)
        assert len(here.fake.requests) == 1


async def test_a_file_that_expired_before_it_was_read(tmp_path: Path) -> None:
    """Files of commands and forms live for a short while only: a sentence, and nothing is stored."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        shown = await refine(here)
        here.expire_files()
        answer = await send(here.you, shown, file=[("chair.png", png())])

        assert "Discord did not hand me that file" in said(answer)
        assert len(here.fake.requests) == 1
        assert len(await here.store.history(1)) == 2


async def test_an_uploaded_picture_can_be_refined_too(tmp_path: Path) -> None:
    """Back at one's own sketch, the button opens a form without words; the picture is the start."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        scene_sketch = (await here.store.history(1))[0].picture
        answer = await here.you.slash(here.thread(), "history")
        sheet = answer.followups[-1] if answer.followups else answer.response
        assert sheet is not None
        select = next(item for item in walk(sheet.components) if item["type"] == 3)
        await here.you.select(sheet, custom_id=select["custom_id"], values=[str(scene_sketch.id)])
        shown = await refine(here)
        await send(here.you, shown, prompt="the planet earth")

        assert fields(shown)["prompt"] == ""
        assert here.fake.requests[1].init is not None
        assert here.fake.requests[1].init.ref == scene_sketch.file
        assert (await opened(pictures_of(here.cards()[-1])[0])).size == (683, 384)


async def test_a_form_of_another_server_is_refused(tmp_path: Path) -> None:
    """A form names a picture by number; a number of somewhere else opens nothing."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        shown = await refine(here)
        async with here.store.transaction() as tx:
            await tx.run("UPDATE scene SET guild_id = 1")
        answer = await send(here.you, shown)

        assert "I no longer know that picture" in said(answer)
        assert len(here.fake.requests) == 1
