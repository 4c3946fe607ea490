"""Journeys: /history and going back."""

from __future__ import annotations

from pathlib import Path

from tests.journeys.world import buttons_of, said, text_of, walk, world


async def test_history_shows_every_picture_and_goes_back_to_one(tmp_path: Path) -> None:
    """A private sheet with a select; choosing posts the picture anew, and a reply to it branches from there."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=2)
        (card,) = here.cards()
        await here.you.click(card, custom_id=buttons_of(card)["Strong"])
        thread = here.thread()
        answer = await here.you.slash(thread, "history")
        sheet = answer.followups[-1] if answer.followups else answer.response
        assert sheet is not None
        select = next(item for item in walk(sheet.components) if item["type"] == 3)
        chosen = next(option for option in select["options"] if option["label"].startswith("3:"))
        shown = await here.you.select(sheet, custom_id=select["custom_id"], values=[chosen["value"]])
        post = here.cards(thread)[-1]
        await here.you.send(thread, "from here", reply_to=post)
        job = await here.store.job(3)

        assert sheet.ephemeral
        assert [option["label"][0] for option in select["options"]] == ["5", "4", "3", "2", "1"]
        assert "You are back at picture 3" in said(shown)
        assert f"<@{here.you.id}> is back at picture 3." in text_of(post)
        assert list(buttons_of(post)) == ["Subtle", "Strong", "Refine…", "Delete"]
        assert job is not None
        assert job.parent_id == int(chosen["value"])


async def test_the_select_works_after_a_restart(tmp_path: Path) -> None:
    """The select carries its Scene in its custom_id."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=1)
        answer = await here.you.slash(here.thread(), "history")
        sheet = answer.followups[-1] if answer.followups else answer.response
        assert sheet is not None
        await here.restart()
        select = next(item for item in walk(sheet.components) if item["type"] == 3)
        await here.you.select(sheet, custom_id=select["custom_id"], values=[select["options"][-1]["value"]])
        current = await here.store.current_picture(1, here.you.id)

        assert current is not None
        assert current.number == 1
        assert len(here.cards()) == 2


async def test_history_without_a_scene_says_how_to_begin(tmp_path: Path) -> None:
    """In a channel where one has drawn nothing there is nothing to show."""
    async with world(tmp_path) as here:
        answer = await here.you.slash(here.channel, "history")

        assert "There is no Scene here yet." in said(answer)
