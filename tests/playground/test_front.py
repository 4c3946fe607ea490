"""What stands between the browser and the preview, without a browser."""

from __future__ import annotations

import asyncio
import socket

import pytest

from bot.playground import PlaygroundUnavailable, playground
from inference.fake import FakeEngine
from tests.playground.wire import Json, Wire, controls, wired


async def test_a_press_on_an_old_page_is_forgiven() -> None:
    """The card moved on by a preview since this page was told: Cancel is still Cancel, so it cancels."""
    async with wired() as there:
        mine, other = await there.page(), await there.page()
        await mine.sketch("a long way")
        there.engine.release(1)
        await other.look_until("Step 1 of 22")
        straight = await mine.press("Cancel", past_the_front=there.preview)
        receipt = await mine.press("Cancel")

        assert codes(straight) == ["stale-revision"]  # what the preview says without us
        assert codes(receipt) == []
        await other.look_until("Cancelled. Nothing was charged.")


async def test_an_old_press_never_hits_another_button() -> None:
    """Where Cancel was there is a pick by now: who meant Cancel is refused, and nothing is picked."""
    async with wired() as there:
        mine, other = await there.page(), await there.page()
        await mine.sketch("a short way")
        there.engine.release(1)
        await mine.look_until("Step 1 of 22")
        there.engine.release(21)
        await other.look_until("Done.")
        receipt = await mine.press("Cancel")

        assert codes(receipt) == ["stale-revision"]
        assert keys(mine.seen, "Cancel") == keys(other.seen, "1")  # the page calls both by the same name
        assert "goes on from" not in str((await other.look())["messages"])


async def test_nobody_stands_in_anothers_way() -> None:
    """Three people talk at once while the clock ticks and a job runs: everything that is said arrives, in order."""
    async with wired() as there:
        pages = [await there.page() for _ in range(3)]
        await pages[0].sketch("meanwhile")
        await asyncio.gather(*(talk(page, f"page {number}") for number, page in enumerate(pages)))
        there.engine.release(22)
        await pages[0].look_until("Done.")

        said = [message["content"] for message in pages[0].seen["messages"].values()]
        assert [line for line in said if line.startswith("page 1")] == [f"page 1 says {n}" for n in range(6)]


@pytest.mark.parametrize(
    "headers, status",
    [
        ({}, 200),
        ({"Host": "elsewhere.example"}, 403),
        ({"Origin": "http://elsewhere.example"}, 403),
        ({"X-Simcord-Capability": "guessed"}, 401),
    ],
)
async def test_only_the_page_itself_may_act(headers: dict[str, str], status: int) -> None:
    """Requests of other sites, of names that lead here, and without the secret of the URL are refused."""
    async with wired() as there:
        page = await there.page()
        request = there.session.get(f"{page.base}/api/state", headers=page.headers | headers)
        async with request as answer:
            assert answer.status == status


async def test_a_port_in_use_is_a_sentence() -> None:
    """A port that something else listens on is named, with the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PlaygroundUnavailable, match=f"Port {port} cannot be used.*--port"):
            async with playground(lambda park: FakeEngine(park=park), port=port):
                raise AssertionError("it started all the same")


def codes(receipt: Json) -> list[str]:
    return [item["code"] for item in receipt["diagnostics"]]


def keys(state: Json, label: str) -> set[str]:
    """What the page calls the buttons with that label."""
    return {control["control_key"] for control in controls(state) if control["label"] == label}


async def talk(page: Wire, name: str) -> None:
    for number in range(6):
        receipt = await page.say(f"{name} says {number}")
        assert receipt["settlement"] == "settled", receipt
