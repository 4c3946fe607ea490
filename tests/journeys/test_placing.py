"""Journeys: /place, the buttons that move what is placed, and what comes of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import discord
import numpy as np
import pytest
from PIL import Image, ImageDraw
from simcord.builders import ChannelHandle

from bot.asker import Asker
from bot.custom_ids import Press, Target
from bot.errors import Gone
from bot.store import DraftState, PictureKind
from tests.journeys.placing_world import (
    RED,
    add_piece,
    at,
    begin,
    composed,
    draft,
    ids_of,
    is_draft,
    near,
    place,
    press,
    preview,
    reds,
    stored,
)
from tests.journeys.world import World, buttons_of, encoded, png, said, text_of, world


async def test_a_piece_is_placed_where_it_was_said(tmp_path: Path) -> None:
    """A preview first; pressed on, it becomes a picture with the piece there, and what lies beside it is untouched."""
    async with world(tmp_path) as here:
        await begin(here)
        answer = await place(here, at="top left", size=25)
        shown = await preview(here)
        before = len(await here.store.history(1))
        await press(here, "Place")
        entries = await here.store.history(1)
        made, base = await composed(here), entries[1].picture
        picture = entries[-1].picture
        original = await stored(here, base)
        post = here.cards()[-1]

        width, height = made.size
        expected = (0.0, 0.0, 0.25, 0.25 * width / height)
        assert "lies on picture 2" in said(answer)
        assert before == 3
        assert near(reds(made), expected)
        assert near(reds(shown), expected)
        assert made.getpixel((width // 8, height // 8)) == RED
        right = (width // 2, 0, width, height)
        assert made.crop(right).tobytes() == original.crop(right).tobytes()
        assert (picture.kind, picture.parent_id) == (PictureKind.COMPOSED, base.id)
        assert picture.made == "piece “red” placed onto picture 2"
        assert "piece “red” placed onto picture 2" in text_of(post).replace("\\", "")
        assert [label for label in ids_of(post) if label.endswith("…")] == [
            "Refine…",
            "Repaint a part…",
            "Mend the seams…",
            "Harmonise…",
        ]
        assert (await here.store.current_picture(1, here.you.id)) == picture
        assert len(here.fake.requests) == 1


async def test_every_preview_is_what_would_be_placed(tmp_path: Path) -> None:
    """After any presses: the placed picture, scaled, is the last preview but for WebP's noise; and not the first."""
    async with world(tmp_path) as here:
        await begin(here)
        await place(here, at="C2", size=20)
        first = await preview(here)
        await press(here, "➡️", "⬇️", "➕", "➕", "↻", "↔️")
        last = await preview(here)
        await press(here, "Place")
        made = (await composed(here)).resize(last.size, Image.Resampling.LANCZOS)

        def apart(image: Image.Image) -> float:
            return float(np.abs(np.asarray(image).astype(int) - np.asarray(made).astype(int)).mean())

        assert apart(last) < 1.5
        assert apart(first) > 3


async def test_the_buttons_move_it(tmp_path: Path) -> None:
    """Each as it says, each as one edit of the same message, and Undo takes each back."""
    async with world(tmp_path) as here:
        await begin(here)
        await place(here, at="50%,50%", size=20)
        message = draft(here)
        start = reds(await preview(here))
        seen: dict[str, tuple[float, float, float, float]] = {}
        for label in ("⬅️", "⬆️", "⬇️", "➡️", "➖", "➕"):
            await press(here, label)
            seen[label] = reds(await preview(here))
            await press(here, "↩️ Undo")
        end = reds(await preview(here))
        moved = {
            label: tuple(round(now - then, 2) for now, then in zip(where, start, strict=True))
            for label, where in seen.items()
        }

        assert near(start, end, 0.0)
        assert draft(here).id == message.id
        assert all(moved[label][0] == moved[label][2] == by for label, by in (("⬅️", -0.02), ("➡️", 0.02)))
        assert moved["⬆️"][1] == moved["⬆️"][3] < 0 < moved["⬇️"][1] == moved["⬇️"][3]
        assert moved["➖"][0] > 0 > moved["➖"][2]
        assert moved["➕"][0] < 0 < moved["➕"][2]
        assert "↩️ Undo" not in buttons_of(draft(here))


async def test_a_restart_in_between_loses_nothing(tmp_path: Path) -> None:
    """The next press goes on from the last one, and Undo still knows what came before."""
    async with world(tmp_path) as here:
        await begin(here)
        await place(here, at="50%,50%", size=20)
        await press(here, "➡️", "➡️")
        before = reds(await preview(here))
        await here.restart()
        await press(here, "➡️")
        after = reds(await preview(here))
        await press(here, "↩️ Undo", "↩️ Undo", "↩️ Undo")
        first = reds(await preview(here))

        assert after[0] - before[0] == pytest.approx(0.02, abs=0.004)
        assert before[0] - first[0] == pytest.approx(0.04, abs=0.004)


async def test_several_pieces_are_one_placing(tmp_path: Path) -> None:
    """The newest lies in front and is the one that moves; its order, the selection and removing it are presses too."""
    async with world(tmp_path) as here:
        await begin(here)
        await add_piece(here, "blue")
        await place(here, at="50%,50%", size=20)
        await place(here, "blue", at="50%,50%", size=20)
        drafts = [card for card in here.cards() if is_draft(card)]
        middle = [at_middle(await preview(here))]
        for label in ("🔽 Back", "🔼 Front", "⏭️ Next", "🔼 Front", "🗑️ Piece"):
            await press(here, label)
            middle.append(at_middle(await preview(here)))
        alone = text_of(draft(here))

        assert len(drafts) == 1
        assert middle == ["blue", "red", "blue", "blue", "red", "blue"]
        assert "the buttons move **blue**." in alone
        assert "⏭️ Next" not in buttons_of(draft(here))


def at_middle(image: Image.Image) -> str:
    red, _, blue = at(image, 0.5, 0.5)
    return "red" if red > blue else "blue"


async def test_place_without_a_piece_changes_the_selected_one(tmp_path: Path) -> None:
    """And shows the placing anew where its message was deleted."""
    async with world(tmp_path) as here:
        await begin(here)
        await place(here, at="top left", size=20)
        gone = draft(here)
        await here.guild_owner_deletes(gone)
        await place(here, None, at="bottom right", size=10)
        where = reds(await preview(here))
        shown = [card for card in here.cards() if is_draft(card)]

        assert near((where[2], where[3]), (1, 1))
        assert where[2] - where[0] == pytest.approx(0.1, abs=0.012)
        assert [card.id for card in shown] != [gone.id]
        assert len(shown) == 1


async def test_options_of_place_are_what_they_say(tmp_path: Path) -> None:
    """Opacity lets the picture shine through, feather softens the edge, a turn makes a diamond, order goes below."""
    async with world(tmp_path) as here:
        await begin(here)
        await add_piece(here, "blue")
        await place(here, at="50%,50%", size=20, opacity=50)
        half = at(await preview(here), 0.5, 0.5)
        base = at(await preview(here), 0.1, 0.1)
        await press(here, "Discard")
        await place(here, at="50%,50%", size=20, feather=40)
        soft = reds(await preview(here))
        await press(here, "Discard")
        await place(here, at="50%,50%", size=20, turn=45)
        turned = reds(await preview(here))
        await place(here, "blue", at="50%,50%", size=20, order="back")
        behind = at_middle(await preview(here))

        assert near(half, tuple((old + new) / 2 for old, new in zip(base, RED, strict=True)), 4)
        assert soft[2] - soft[0] < 0.19
        assert turned[2] - turned[0] == pytest.approx(0.2 * 2**0.5, abs=0.02)
        assert behind == "red"


async def test_a_flat_background_is_cut_out_on_the_way(tmp_path: Path) -> None:
    """A red disc on white: the white goes, the press again brings it back; where there is none that is said."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        drawing = Image.new("RGB", (120, 120), "white")
        ImageDraw.Draw(drawing).ellipse((20, 20, 99, 99), fill="red")
        await here.you.slash(here.thread(), "piece", file=("disc.png", encoded(drawing, "PNG")))
        await add_piece(here, "red")
        await place(here, "disc", at="50%,50%", size=30)
        whites = [white_share(await preview(here))]
        for _ in range(2):
            await press(here, "✂️ Background")
            whites.append(white_share(await preview(here)))
        await place(here, "red")
        answer = await press(here, "✂️ Background")

        assert whites[0] == pytest.approx(whites[2], abs=0.001)
        assert whites[1] < 0.002 < whites[0]
        assert answer is not None


def white_share(image: Image.Image) -> float:
    return float((np.asarray(image).min(axis=2) > 240).mean())


async def test_discard_costs_nothing_and_can_be_undone(tmp_path: Path) -> None:
    """Nothing joins the Scene; Undo on the message brings the placing back as it was."""
    async with world(tmp_path) as here:
        await begin(here)
        await place(here, at="top left", size=20)
        await press(here, "➡️")
        before = reds(await preview(here))
        message = draft(here)
        await press(here, "Discard")
        (discarded,) = [card for card in here.cards() if card.id == message.id]
        words, files = text_of(discarded), discarded.attachments
        await here.you.click(discarded, custom_id=ids_of(discarded)["↩️ Undo"])
        after = reds(await preview(here))

        assert "Discarded; nothing was charged." in words
        assert files == []
        assert near(before, after, 0.0)
        assert len(await here.store.history(1)) == 3


async def test_only_whoever_places_may_press(tmp_path: Path) -> None:
    """Anybody else reads why not, and nothing moves."""
    async with world(tmp_path) as here:
        await begin(here)
        await place(here, at="top left", size=20)
        before = reds(await preview(here))
        refused = [await press(here, label, who=here.other) for label in ("➡️", "Place", "Discard")]
        form = await press(here, "Place, harmonise…", who=here.other)

        assert all("Only the person who is placing here" in said(answer) for answer in (*refused, form))
        assert near(before, reds(await preview(here)), 0.0)
        assert len(await here.store.history(1)) == 3


async def test_placing_twice_makes_one_picture(tmp_path: Path) -> None:
    """A second press, of an impatient person or after a restart, finds what the first has made."""
    async with world(tmp_path) as here:
        await begin(here)
        await place(here)
        message = draft(here)
        custom_id = ids_of(message)["Place"]
        await here.you.click(message, custom_id=custom_id)
        asker = asker_in(here, here.thread(), here.guild.id)
        first, second = await asyncio.gather(
            here.bot.placing.settle(asker, 1), here.bot.placing.settle(asker, 1)
        )
        entries = await here.store.history(1)

        assert first == second == entries[-1].picture
        assert [entry.picture.kind for entry in entries].count(PictureKind.COMPOSED) == 1
        assert message.id not in [card.id for card in here.cards()]


async def test_two_presses_at_once_are_two_presses(tmp_path: Path) -> None:
    """Neither is lost, though both began from the same state."""
    async with world(tmp_path) as here:
        await begin(here)
        await place(here, at="50%,50%", size=20)
        before = reds(await preview(here))
        asker = asker_in(here, here.thread(), here.guild.id)
        await asyncio.gather(*(here.bot.placing.press(asker, 1, Press.RIGHT) for _ in range(4)))
        await press(here, "➡️")
        after = reds(await preview(here))

        assert after[0] - before[0] == pytest.approx(0.1, abs=0.01)


def asker_in(here: World, place: ChannelHandle, guild_id: int) -> Asker:
    """As the bot sees `you` there; for presses at the very same instant, which simcord has not."""
    channel = here.bot.get_channel(place.id)
    assert isinstance(channel, discord.Thread)
    return Asker(source="test", person_id=here.you.id, guild_id=guild_id, place=channel)


async def test_too_many_pieces_are_refused(tmp_path: Path) -> None:
    """Twenty are placed; the next is refused with a way on, and the twenty stay."""
    async with world(tmp_path) as here:
        await begin(here)
        for number in range(20):
            await place(here, at=f"{5 * number}%,50%", size=4)
        answer = await place(here)
        kept = await here.store.drafts.get(1)

        assert "20 pieces are the most" in said(answer)
        assert kept is not None
        assert kept.layers.count("piece_id") == 20


async def test_a_deleted_piece_leaves_its_placing(tmp_path: Path) -> None:
    """The message that showed it goes with it; /place shows the rest, and Undo does not bring it back."""
    async with world(tmp_path) as here:
        await begin(here)
        await add_piece(here, "blue")
        await place(here, at="50%,50%", size=20)
        await place(here, "blue", at="50%,50%", size=30)
        shown = draft(here)
        await delete_picture(here, 4)
        left = [card.id for card in here.cards()]
        await place(here, None)
        words = text_of(draft(here))
        middle = at_middle(await preview(here))
        await press(here, "↩️ Undo")

        assert shown.id not in left
        assert "1 piece of it was deleted" in words
        assert middle == at_middle(await preview(here)) == "red"


async def delete_picture(here: World, number: int) -> None:
    picture = await here.store.numbered(1, number)
    assert picture is not None
    await here.bot.deletion.delete(Target(picture_id=picture.id), here.you.id, moderates=False)
    await here.env.settle()


async def test_when_every_piece_is_deleted_so_is_the_placing(tmp_path: Path) -> None:
    """And the next one begins anew."""
    async with world(tmp_path) as here:
        await begin(here)
        await add_piece(here, "blue")
        await place(here)
        await delete_picture(here, 3)
        answer = await place(here, None)
        await place(here, "blue")
        first, second = await here.store.drafts.get(1), await here.store.drafts.get(2)

        assert "The pieces of that placing were deleted" in said(answer)
        assert first is not None
        assert second is not None
        assert (first.state, second.state) == (DraftState.DISCARDED, DraftState.OPEN)


async def test_a_deleted_base_ends_its_placing(tmp_path: Path) -> None:
    """The message goes with the picture; another placing can begin on another picture."""
    async with world(tmp_path) as here:
        await begin(here)
        await place(here, at="50%,50%", size=20)
        await press(here, "Place")
        await place(here, at="top left", size=20)
        await delete_picture(here, 4)
        left = [card for card in here.cards() if is_draft(card)]
        answer = await place(here, at="top left")

        assert left == []
        assert "lies on picture 2" in said(answer)


async def test_a_deleted_scene_is_said_to_be_closed(tmp_path: Path) -> None:
    """Its thread is gone: from the channel nothing can be placed into it, and nothing is left half done."""
    async with world(tmp_path) as here:
        await begin(here)
        await here.delete_thread(here.thread())
        answer = await here.you.slash(here.channel, "place", piece="red")

        assert "I may not post in that Scene's thread any more." in said(answer)
        assert await here.store.drafts.open_of(1, here.you.id) is None


async def test_nothing_is_placed_across_servers(tmp_path: Path) -> None:
    """Not one's own piece of another server, named as a completion names it; nor by a button that is not of here."""
    async with world(tmp_path) as here:
        await begin(here)
        await place(here, "red (p3)")
        layers = (await here.store.drafts.get(1)).layers  # type: ignore[union-attr]  # begun just now
        elsewhere = here.env.create_guild("Elsewhere")
        channel = elsewhere.create_text_channel("art")
        guest = elsewhere.add_member(here.you.user)
        await guest.slash(channel, "sketch", image=("b.png", png()), prompt="a beach", candidates=1)
        answer = await guest.slash(channel.threads[0], "place", piece="red (p3)")
        completions = await guest.autocomplete(channel.threads[0], "place", "piece", "")
        asker = asker_in(here, channel.threads[0], elsewhere.id)
        for refused in (
            here.bot.placing.press(asker, 1, Press.RIGHT),
            here.bot.placing.settle(asker, 1),
            here.bot.placing.place_picture(asker, 3),
        ):
            with pytest.raises(Gone):
                await refused
        draft_after = await here.store.drafts.get(1)

        assert "I no longer know that picture" in said(answer)
        assert completions == []
        assert draft_after is not None
        assert (draft_after.layers, draft_after.state) == (layers, DraftState.OPEN)
        assert await here.store.drafts.get(2) is None
        assert len(await here.store.history(1)) == 3


async def test_a_placing_that_could_not_be_shown_is_not_there(tmp_path: Path) -> None:
    """Whoever tries again finds one piece, not two; and one that is shown already stays as it was."""
    async with world(tmp_path) as here:
        await begin(here)
        await add_piece(here, "blue")
        here.env.inject_error("POST", "/channels/*/messages", status=500, times=1)
        unwell = await place(here, at="50%,50%", size=20)
        nothing = await here.store.drafts.open_of(1, here.you.id)
        await place(here, at="50%,50%", size=20)
        here.env.inject_error("POST", "/channels/*/messages", status=403, code=50013, times=1)
        closed = await place(here, "blue")
        shown = await here.store.drafts.open_of(1, here.you.id)

        assert "Discord did not take my message just now." in said(unwell)
        assert nothing is None
        assert "I may not post in that Scene's thread" in said(closed)
        assert shown is not None
        assert shown.layers.count("piece_id") == 1


async def test_pieces_work_in_direct_messages(tmp_path: Path) -> None:
    """Cut, placed and harmonised right there; pieces of servers are not offered."""
    async with world(tmp_path) as here:
        await begin(here)
        me, direct = here.you.user, here.you.user.dm_channel
        await me.slash("imagine", prompt="a beach", candidates=1)
        elsewhere = await me.slash("place", piece="red (p3)")
        await me.slash("piece", region="B2:C3", name="stone")
        await me.slash("place", piece="stone", at="bottom right")
        message = here.cards(direct)[-1]
        await me.click(message, custom_id=ids_of(message)["Place"])
        composite = (await here.store.history(2))[-1].picture
        await me.slash("harmonise", candidates=1)

        assert "I no longer know that picture" in said(elsewhere)
        assert is_draft(message)
        assert composite.kind is PictureKind.COMPOSED
        assert here.fake.requests[-1].prompt == "a beach, stone"
        assert here.fake.requests[-1].mask is not None


async def test_a_lost_file_takes_only_its_piece(tmp_path: Path) -> None:
    """The others are moved and placed as before."""
    async with world(tmp_path) as here:
        await begin(here)
        await add_piece(here, "blue")
        await place(here, at="50%,50%", size=20)
        await place(here, "blue", at="top left", size=20)
        lost = await here.store.numbered(1, 4)
        assert lost is not None
        await here.store.files.remove(lost.file)
        await press(here, "⬅️")
        words = text_of(draft(here))
        await press(here, "Place")
        picture = (await here.store.history(1))[-1].picture

        assert "1 piece of it was deleted" in words
        assert picture.made == "piece “red” placed onto picture 2"


async def test_a_reply_to_a_placing_says_to_place_it_first(tmp_path: Path) -> None:
    """It is no picture yet."""
    async with world(tmp_path) as here:
        await begin(here)
        await place(here)
        await here.you.send(here.thread(), "at night", reply_to=draft(here))
        answer = here.thread().history()[-1]

        assert "That is a placing in progress, not a picture yet." in answer.content
        assert len(here.fake.requests) == 1


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"piece": "rad"}, "I don't know a piece “rad” here. Did you mean `red`?"),
        ({"piece": "#9"}, "picture 9"),
        ({"piece": "red", "at": "Z9"}, "lies outside the picture"),
        ({"piece": "red", "at": "somewhere"}, "I don't know the place"),
        ({}, "Say which **piece** to place"),
    ],
)
async def test_what_cannot_be_placed_is_said(tmp_path: Path, options: dict[str, Any], sentence: str) -> None:
    """With what to do instead; no placing begins."""
    async with world(tmp_path) as here:
        await begin(here)
        await add_piece(here, "orange")
        answer = await here.you.slash(here.thread(), "place", **options)

        assert sentence in said(answer)
        assert await here.store.drafts.get(1) is None
