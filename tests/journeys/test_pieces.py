"""Journeys: /piece and /pieces, and who may place which."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import discord
import pytest
from PIL import Image, ImageDraw
from simcord.results import InteractionResult, ResponseMessage

from bot import images
from bot.scene.placement import piece_ids
from bot.store import JobKind, Picture, PictureKind
from tests.journeys.placing_world import BLUE, RED, at, begin, draft, ids_of, is_draft, place, preview, stored
from tests.journeys.world import World, buttons_of, encoded, png, said, text_of, walk, world


async def last(here: World, scene: int = 1) -> Picture:
    return (await here.store.history(scene))[-1].picture


async def with_alpha(here: World, picture: Picture) -> Image.Image:
    return images.opened(await here.store.files.get(picture.file))


def disc(mode: str = "RGBA", background: Any = (0, 0, 0, 0)) -> bytes:
    """A blue disc of 60 pixels in the middle of 100 × 100."""
    image = Image.new(mode, (100, 100), background)
    ImageDraw.Draw(image).ellipse((20, 20, 79, 79), fill="blue")
    return encoded(image, "PNG")


def answered(result: InteractionResult) -> ResponseMessage:
    message = result.followups[-1] if result.followups else result.response
    assert message is not None
    return message


async def piece(here: World, **options: Any) -> InteractionResult:
    return await here.you.slash(here.thread(), "piece", **options)


async def test_a_region_becomes_a_piece(tmp_path: Path) -> None:
    """Cut to its outline, part of the Scene it came from, shown with a button to place it; one stays where one was."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        current = await here.store.current_picture(1, here.you.id)
        answer = await piece(here, region="ellipse B2:D4", name="earth")
        made = await last(here)
        cut = await with_alpha(here, made)
        post = here.cards()[-1]

        assert "The piece “earth” is picture 3" in said(answer)
        assert current is not None
        assert (made.kind, made.parent_id, made.piece) == (PictureKind.CUT, current.id, "earth")
        assert cut.size[0] == pytest.approx(current.width * 3 / 8, abs=2)
        assert at(cut, 0.01, 0.01)[3] == 0
        assert at(cut, 0.5, 0.5) == (*at(await stored(here, current), 0.3, 0.5), 255)
        assert "Place…" in ids_of(post)
        assert await here.store.current_picture(1, here.you.id) == current
        assert len(here.fake.requests) == 1


async def test_a_drawn_piece_can_be_placed_from_its_card(tmp_path: Path) -> None:
    """What comes next stands on the card; without a pick it is the first that is placed."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        await piece(here, region="B2:D4", name="earth", prompt="the earth", candidates=2)
        drawn = here.cards()[-1]
        await here.you.click(drawn, custom_id=buttons_of(drawn)["Place…"])
        first = (await here.store.candidates(2))[0]
        kept = await here.store.drafts.get(1)

        assert kept is not None
        assert piece_ids(kept.layers, kept.earlier) == [first.id]


async def test_a_prompt_draws_the_piece_on_its_own(tmp_path: Path) -> None:
    """At 0.6 by itself; what comes of it are pieces of that name in that outline, and can be placed by it."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        await piece(here, region="ellipse B2:D4", name="earth", prompt="the planet earth", candidates=2)
        request = here.fake.requests[-1]
        job = await here.store.job(2)
        drawn = await here.store.candidates(2)
        cut = (await here.store.history(1))[2].picture
        before, after = await with_alpha(here, cut), await with_alpha(here, drawn[0])
        await here.you.click(here.cards()[-1], custom_id=buttons_of(here.cards()[-1])["2"])
        current = await here.store.current_picture(1, here.you.id)
        await place(here, "earth")

        assert job is not None
        assert (job.kind, job.upload_id) == (JobKind.PIECE, cut.id)
        assert (request.prompt, request.strength) == ("the planet earth", 0.6)
        assert [each.piece for each in drawn] == ["earth", "earth"]
        assert [each.parent_id for each in drawn] == [cut.id, cut.id]
        assert after.getchannel("A").resize(before.size).getbbox() == before.getchannel("A").getbbox()
        assert at(after, 0.01, 0.01)[3] == 0
        assert at(after, 0.5, 0.5)[:3] != at(before, 0.5, 0.5)[:3]
        assert "is cut out of picture 2." in text_of(here.cards()[-2])
        assert current is not None
        assert current.number == 2


@pytest.mark.parametrize("picked", [1, 2])
async def test_of_a_drawn_pieces_candidates_the_pick_is_placed(tmp_path: Path, picked: int) -> None:
    """All candidates have the piece's name; it means the one that this person picked."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        await piece(here, region="ellipse B2:D4", name="earth", prompt="the planet earth", candidates=2)
        card = here.cards()[-1]
        await here.you.click(card, custom_id=buttons_of(card)[str(picked)])
        await place(here, "earth")
        wanted = (await here.store.candidates(2))[picked - 1]
        kept = await here.store.drafts.get(1)

        assert kept is not None
        assert piece_ids(kept.layers, kept.earlier) == [wanted.id]


async def test_a_file_becomes_a_piece_as_transparent_as_it_is(tmp_path: Path) -> None:
    """Called like the file; empty margins go; nothing says that its transparent parts count as white."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        answer = await piece(here, file=("planet.png", disc()))
        made = await last(here)
        cut = await with_alpha(here, made)

        assert (made.kind, made.piece, made.parent_id) == (PictureKind.UPLOADED, "planet", None)
        assert cut.size == (60, 60)
        assert (at(cut, 0.0, 0.0)[3], at(cut, 0.5, 0.5)) == (0, (*BLUE, 255))
        assert "white" not in said(answer)


async def test_a_flat_background_is_removed(tmp_path: Path) -> None:
    """Of a file, and of a part of a picture; without the option it stays."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        on_white = disc("RGB", "white")
        await piece(here, file=("kept.png", on_white))
        kept = await with_alpha(here, await last(here))
        await piece(here, file=("alone.png", on_white), background="remove")
        alone = await with_alpha(here, await last(here))
        await piece(here, file=("part.png", on_white), region="left half", background="remove")
        part = await with_alpha(here, await last(here))

        assert (kept.size, at(kept, 0.0, 0.0)) == ((100, 100), (255, 255, 255, 255))
        assert (alone.size, at(alone, 0.0, 0.0)[3]) == ((60, 60), 0)
        assert at(alone, 0.5, 0.5) == (*BLUE, 255)
        assert part.size == (30, 60)


@pytest.mark.parametrize("options", [{}, {"region": "?"}, {"region": "?", "name": "earth", "picture": 1}])
async def test_whoever_says_no_region_sees_the_grid(tmp_path: Path, options: dict[str, Any]) -> None:
    """Privately, with how to go on; nothing is kept."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        answer = await piece(here, **options)
        shown = answered(answer)
        (grid,) = shown.attachments

        assert shown.ephemeral
        assert f"This is picture {options.get('picture', 2)} with its grid." in shown.content
        assert "`B2:D4`" in shown.content
        assert Image.open(io.BytesIO(await grid.read())).width == 1280
        assert len(await here.store.history(1)) == 2


async def test_a_name_alone_makes_a_piece_of_the_whole_picture(tmp_path: Path) -> None:
    """Of the current one, or of that number."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        await piece(here, name="moon")
        of_current = await last(here)
        await piece(here, name="drawing", picture=1)
        of_first = await last(here)
        entries = await here.store.history(1)

        assert (of_current.piece, of_current.parent_id) == ("moon", entries[1].picture.id)
        assert (of_first.piece, of_first.parent_id) == ("drawing", entries[0].picture.id)
        assert at(await stored(here, of_first), 0.5, 0.5) == RED


async def test_pieces_without_a_name_are_counted(tmp_path: Path) -> None:
    """So that each can be called by something."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        await piece(here, region="B2")
        await piece(here, region="B3:C3")
        names = [entry.picture.piece for entry in await here.store.history(1)]

        assert names == [None, None, "piece 1", "piece 2"]


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"file": ("x.png", encoded(Image.new("RGBA", (60, 60)), "PNG"))}, "all of it is transparent"),
        ({"file": ("x.png", png((4, 4), "red"))}, "That would be a piece of 4×4 pixels"),
        ({"file": ("x.txt", b"hello")}, "not a picture"),
        ({"region": "Z9"}, "lies outside the picture"),
        ({"region": "10,10-10.1,10.1%"}, "pixels; it needs 8 each way"),
        ({"picture": 9, "region": "B2"}, "9"),
        ({"name": "x", "strength": 0.5}, "say in **prompt** what it should become"),
    ],
)
async def test_what_cannot_be_a_piece_is_said(tmp_path: Path, options: dict[str, Any], sentence: str) -> None:
    """In a sentence that says what to do; nothing joins the Scene."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        answer = await piece(here, **options)

        assert sentence in said(answer)
        assert len(await here.store.history(1)) == 2
        assert len(here.fake.requests) == 1


async def test_a_background_of_many_colours_is_not_removed(tmp_path: Path) -> None:
    """That is said, and how to cut instead."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        noise = Image.effect_noise((90, 90), 120).convert("RGB")
        answer = await piece(here, file=("noise.png", encoded(noise, "PNG")), background="remove")

        assert "I see no flat background there" in said(answer)
        assert len(await here.store.history(1)) == 2


async def test_a_piece_that_may_not_be_drawn_is_not_kept(tmp_path: Path) -> None:
    """Where a limit refuses the job there is no half of it."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        answer = await piece(here, region="B2:D4", prompt="the planet earth", steps=150)

        assert "150 steps are more than" in said(answer)
        assert len(await here.store.history(1)) == 2


async def test_a_file_can_come_before_any_scene(tmp_path: Path) -> None:
    """It waits in the channel, and is found from the Scene that is begun later."""
    async with world(tmp_path) as here:
        await here.you.slash(here.channel, "piece", file=("earth.png", disc()))
        threads = len(here.channel.threads)
        await here.sketch(candidates=1)
        answer = await place(here, "Earth")
        shown = at(await preview(here), 0.5, 0.5)

        assert threads == 0
        assert "“earth” lies on picture 2" in said(answer)
        assert shown[2] > 200
        assert len(here.cards(here.channel)) == 1


async def test_a_drawn_file_before_any_scene_opens_one(tmp_path: Path) -> None:
    """As a sketch would."""
    async with world(tmp_path) as here:
        await here.you.slash(
            here.channel, "piece", file=("earth.png", disc()), prompt="the planet earth", candidates=1
        )
        drawn = await last(here)

        assert len(here.channel.threads) == 1
        assert (drawn.kind, drawn.piece) == (PictureKind.GENERATED, "earth")


# Finding them


def options_of(sheet: ResponseMessage) -> list[dict[str, Any]]:
    selects = [item for item in walk(sheet.components) if item["type"] == 3]
    return [option for select in selects for option in select["options"]]


async def test_pieces_shows_ones_own_and_places_one(tmp_path: Path) -> None:
    """Privately, the newest first, from this Scene and one's others; whoever has none is told how to make one."""
    async with world(tmp_path) as here:
        none = await here.you.slash(here.channel, "pieces")
        await here.sketch(candidates=1, prompt="a beach")
        await piece(here, region="B2:C3", name="stone")
        await here.sketch(candidates=1)
        await here.you.slash(here.thread(1), "piece", file=("earth.png", disc()))
        sheet = answered(await here.you.slash(here.thread(1), "pieces"))
        options = options_of(sheet)
        (select,) = [item for item in walk(sheet.components) if item["type"] == 3]
        chosen = next(option for option in options if "stone" in option["label"])
        answer = await here.you.select(sheet, custom_id=select["custom_id"], values=[chosen["value"]])
        drafts = [card for card in here.cards(here.thread(1)) if is_draft(card)]

        assert "You have no pieces here yet." in said(none)
        assert sheet.ephemeral
        assert [option["label"] for option in options] == ["1: earth", "2: stone"]
        assert [option["description"] for option in options] == ["picture 3", "picture 3 of “a beach”"]
        assert len(sheet.attachments) == 1
        assert "“stone” lies on picture 2" in said(answer)
        assert len(drafts) == 1


async def test_the_button_of_a_piece_places_it_after_a_restart(tmp_path: Path) -> None:
    """All it knows is in its custom_id."""
    async with world(tmp_path) as here:
        await begin(here)
        (post,) = [card for card in here.cards() if "Place…" in ids_of(card)]
        await here.restart()
        answer = await here.you.click(post, custom_id=ids_of(post)["Place…"])

        assert "“red” lies on picture 2" in said(answer)
        assert is_draft(draft(here))


async def test_any_picture_of_the_scene_can_be_placed(tmp_path: Path) -> None:
    """By its number, or from the list of its card."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=2)
        await here.sketch(candidates=1)
        by_number = await place(here, "#1")
        (card,) = [card for card in here.cards() if not is_draft(card)]
        view = discord.ui.LayoutView.from_message(card)
        more = next(item for item in view.walk_children() if isinstance(item, discord.ui.Select))
        value = next(option.value for option in more.options if option.label == "Place it")
        by_list = await here.you.select(card, custom_id=more.custom_id, values=[value])

        assert "“picture 1” lies on picture" in said(by_number)
        assert "“picture 2” lies on picture" in said(by_list)


async def test_a_picture_is_not_placed_onto_itself(tmp_path: Path) -> None:
    """That would be nothing but the same once more; another one is placed."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        itself = await place(here, "#2")
        other = await place(here, "#1")

        assert "That is the very picture you are placing onto." in said(itself)
        assert "“picture 1” lies on picture 2" in said(other)


async def test_completions_tell_pieces_of_one_name_apart(tmp_path: Path) -> None:
    """Each names its picture, and its value places just that one."""
    async with world(tmp_path) as here:
        await begin(here)
        await here.you.slash(here.thread(), "piece", file=("red.png", png((80, 80), "blue")), name="red")
        choices = await here.you.autocomplete(here.thread(), "place", "piece", "re")
        none = await here.you.autocomplete(here.thread(), "place", "piece", "green")
        await place(here, choices[1]["value"], at="50%,50%")
        older = at(await preview(here), 0.5, 0.5)
        await place(here, choices[0]["value"], at="50%,50%")
        newer = at(await preview(here), 0.5, 0.5)

        assert [choice["name"] for choice in choices] == ["red · picture 4", "red · picture 3"]
        assert none == []
        assert older[0] > 200 > 60 > older[2]
        assert newer[2] > 200 > 60 > newer[0]


async def test_unshared_pieces_stay_their_authors(tmp_path: Path) -> None:
    """Others neither see nor place them, by name, number or id; before /share mine they could."""
    async with world(tmp_path) as here:
        await begin(here)
        thread = here.thread()
        before = await here.other.autocomplete(thread, "place", "piece", "")
        await here.you.slash(here.channel, "share", who="mine")
        after = await here.other.autocomplete(thread, "place", "piece", "")
        sheet = await here.other.slash(thread, "pieces")
        await here.other.slash(thread, "imagine", prompt="a beach", candidates=1)
        answers = [
            await here.other.slash(thread, "place", piece=name) for name in ("red", "#3", before[0]["value"])
        ]
        cutting = await here.other.slash(thread, "piece", picture=2, region="B2", name="mine")

        assert [choice["name"] for choice in before] == ["red · picture 3"]
        assert after == []
        assert "You have no pieces here yet." in said(sheet)
        assert "I don't know a piece “red” here." in said(answers[0])
        assert all("keeps it for themselves" in said(answer) for answer in (*answers[1:], cutting))
        assert await here.store.drafts.get(1) is None


async def test_pieces_of_others_in_other_scenes_are_out_of_reach(tmp_path: Path) -> None:
    """Their Scene may be in a channel that one cannot see: no name, no id leads there."""
    async with world(tmp_path) as here:
        await begin(here)
        await here.sketch(who=here.other, candidates=1)
        there = here.thread(1)
        by_name = await here.other.slash(there, "place", piece="red")
        by_id = await here.other.slash(there, "place", piece="red (p3)")
        completions = await here.other.autocomplete(there, "place", "piece", "")

        assert "I don't know a piece “red” here." in said(by_name)
        assert "I no longer know that picture" in said(by_id)
        assert completions == []
