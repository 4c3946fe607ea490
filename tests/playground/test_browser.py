"""The playground as a person uses it, in a real browser; the first story on the real worker with the built-in model."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from playwright.async_api import expect

from bot.playground import playground
from bot.playground.drawings import example_sketch
from inference import Engine, Park
from inference.fake import FakeEngine
from tests.playground.browser import Chat, opened_page
from tests.playground.engines import HeldResults

E = TypeVar("E", bound=Engine)

# In the page: what the browser does when a file is pasted, or dropped onto an element.
_PASTE = """async () => {
  const transfer = await window.sketchInHand();
  document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true }));
}"""
_DRAG = """async (kind) => {
  const transfer = await window.sketchInHand();
  document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""
_SKETCH_IN_HAND = """window.sketchInHand = async () => {
  const picture = await (await fetch("/playground/icon.png")).blob();
  const transfer = new DataTransfer();
  transfer.items.add(new File([picture], "moon.png", { type: "image/png" }));
  return transfer;
}"""


@pytest.fixture
def sketch(tmp_path: Path) -> Path:
    path = tmp_path / "sketch.png"
    path.write_bytes(example_sketch())
    return path


@asynccontextmanager
async def visiting(make: Callable[[Park], E], width: int = 1280) -> AsyncGenerator[tuple[Chat, E], None]:
    """An open page and the engine behind it."""
    engines: list[E] = []

    def make_engine(park: Park) -> Engine:
        engines.append(make(park))
        return engines[0]

    async with playground(make_engine) as (_, url), opened_page(url, width) as chat:
        yield chat, engines[0]


async def test_a_person_sketches_and_goes_on_in_every_way(sketch: Path) -> None:
    """Previews, results, Again, a reply with words and one with a picture, and never is the page reloaded."""
    async with visiting(HeldResults) as (chat, engine):
        await chat.sketch(sketch, "the surface of the moon")
        await expect(chat.previews).to_be_visible()
        await expect(chat.card("from a sketch")).to_contain_text("Step ")
        worker = engine.status.worker_pid
        await expect(chat.results).to_have_count(0)
        engine.results_may_come.set()

        assert worker not in (None, os.getpid())
        await expect(chat.results).to_have_count(2)
        await chat.card("from a sketch").get_by_role("button", name="Again").click()
        await expect(chat.card("once more")).to_contain_text("Done.")
        await chat.reply_to(chat.card("once more"), "with a red parasol")
        await expect(chat.card("with a red parasol")).to_contain_text("Done.")
        await chat.reply_to(chat.card("with a red parasol"), "at dawn", sketch)
        await expect(chat.card("at dawn")).to_contain_text(
            "640×400 as "
        )  # as large as the sketch that was sent along
        await expect(chat.card("at dawn")).to_contain_text("Done.")
        await expect(chat.said("at dawn").locator(".attachment-image")).to_be_visible()
        await expect(chat.tray).to_have_count(0)


async def test_a_waiting_job_is_cancelled(sketch: Path) -> None:
    """The Cancel button of a job that runs stops it, and the card says so by itself."""
    async with visiting(lambda park: FakeEngine(park=park, held=True)) as (chat, engine):
        await chat.sketch(sketch, "a long way to go")
        await expect(chat.card("a long way to go")).to_contain_text("Starting")
        engine.release(3)
        await expect(chat.card("a long way to go")).to_contain_text("Step 3 of 22")
        await chat.card("a long way to go").get_by_role("button", name="Cancel").click()

        await expect(chat.card("a long way to go")).to_contain_text("Cancelled. Nothing was charged.")


async def test_a_picture_alone_is_a_reply(sketch: Path) -> None:
    """A message needs no words when a picture goes with it; Discord's composer allows that, and so does this one."""
    async with visiting(lambda park: FakeEngine(park=park)) as (chat, engine):
        await chat.sketch(sketch, "first")
        await expect(chat.card("first")).to_contain_text("Done.")
        await chat.reply_to(chat.card("first"), "", sketch)

        await expect(chat.card("refined")).to_contain_text("Done.")
        assert engine.requests[1].prompt == "first"  # without words, the parent's stay


async def test_pictures_are_pasted_dropped_and_taken_back() -> None:
    """A pasted or dropped picture is attached to the message, or fills the command that asks for one."""
    async with visiting(lambda park: FakeEngine(park=park)) as (chat, _):
        await chat.page.evaluate(_SKETCH_IN_HAND)
        await chat.page.evaluate(_PASTE)
        await expect(chat.tray).to_have_count(1)
        await chat.page.evaluate(_DRAG, "dragover")
        await expect(chat.page.get_by_text("Drop your picture")).to_be_visible()
        await chat.page.evaluate(_DRAG, "drop")
        await expect(chat.page.get_by_text("Drop your picture")).to_be_hidden()
        await expect(chat.tray).to_have_count(2)
        await chat.page.get_by_role("button", name="Remove moon.png").first.click()
        await expect(chat.tray).to_have_count(1)
        await chat.page.get_by_role("button", name="Remove moon.png").click()
        await chat.choose_command("sketch")
        await chat.page.evaluate(_PASTE)

        await expect(chat.page.locator(".command-file-choose")).to_have_text("moon.png")
        await expect(chat.tray).to_have_count(0)


async def test_on_a_phone_one_goes_back_and_is_somebody_else(sketch: Path) -> None:
    """At 420 pixels: pick, /history with its select, and the Moderator's /limits, which others do not have."""
    async with visiting(lambda park: FakeEngine(park=park), width=420) as (chat, engine):
        await chat.sketch(sketch, "first")
        await expect(chat.results).to_have_count(2)
        await chat.card("first").get_by_role("button", name="2", exact=True).click()
        await expect(chat.card("first")).to_contain_text("goes on from 2")
        await chat.choose_command("history")
        await chat.send.click()
        await chat.private.last.get_by_role("combobox").click()
        await chat.page.get_by_role("option", name="1: ").click()
        await expect(chat.card("is back at picture 1")).to_be_visible()
        await chat.words.fill("/")
        await expect(chat.page.get_by_role("option", name="/history")).to_be_visible()
        await expect(chat.page.get_by_role("option", name="/limits")).to_have_count(0)
        await chat.become("Moderator")
        await chat.choose_command("limits show")
        await chat.send.click()

        await expect(chat.messages.last).to_contain_text("The limits of this server")
        assert await chat.page.evaluate("document.documentElement.scrollWidth") <= 420
        assert len(engine.requests) == 1
