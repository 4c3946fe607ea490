"""A browser for the tests of the playground: the one that this machine has, driven by playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, async_playwright, expect

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 60_000
"""How long a page may take before the test fails. A guard for slow machines; nothing is asserted about time."""

expect.set_options(timeout=PATIENCE_MS)


def browser_path() -> str:
    """Skips the test where there is no browser; where one must be there (CI=true), fails it."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        missing = f"no browser: none of {', '.join(_NAMES)} is installed"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@asynccontextmanager
async def opened_page(url: str, width: int = 1280, height: int = 850) -> AsyncGenerator[Chat, None]:
    """The playground's page, once it shows the welcome. At the end nothing may have gone wrong in it."""
    path = browser_path()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        page = await browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(PATIENCE_MS)
        mistakes: list[str] = []
        page.on("pageerror", lambda error: mistakes.append(str(error)))
        await page.goto(url)
        chat = Chat(page)
        await expect(chat.messages.first).to_contain_text("Welcome")
        yield chat
        await browser.close()
    assert mistakes == []


class Chat:
    """What a person sees and does on the page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.messages = page.locator("article.channel-message")
        self.words = page.locator("#channel-composer-input")
        self.send = page.locator("#send-message")
        self.tray = page.locator(".playground-tray li")
        self.private = self.messages.filter(has_text="Only you can see this")
        self.results = page.locator('img[alt^="Candidate"]')
        self.previews = page.locator('img[alt^="Preview"]')

    async def choose_command(self, name: str) -> None:
        """Type a command and take it from the list."""
        await self.words.fill(f"/{name}")
        await self.page.get_by_role("option", name=f"/{name}").first.click()

    async def fill_option(self, name: str, value: str) -> None:
        field = self.page.locator(f'.command-option-input[data-option="{name}"]')
        if not await field.count():
            await self.page.get_by_text("more", exact=False).last.click()
            await self.page.get_by_role("option", name=name).click()
        await field.fill(value)

    async def sketch(self, picture: Path, prompt: str, **options: str) -> None:
        await self.choose_command("sketch")
        await self.page.locator(".command-file-input").set_input_files(picture)
        await self.fill_option("prompt", prompt)
        for name, value in options.items():
            await self.fill_option(name, value)
        await self.send.click()

    def card(self, words: str) -> Locator:
        """The newest card with these words on it."""
        return self.messages.filter(
            has=self.page.locator(".component-container, .components-v2"), has_text=words
        ).last

    def said(self, words: str) -> Locator:
        """The first message with these words: what a person wrote comes before the card that answers it."""
        return self.messages.filter(has_text=words).first

    async def become(self, name: str) -> None:
        """Look on as somebody else. Whoever was here before must have had a private answer: it disappears."""
        await expect(self.private).not_to_have_count(0)
        await self.page.locator("#viewer-picker").select_option(label=name)
        await expect(self.private).to_have_count(0)

    async def reply_to(self, message: Locator, words: str = "", *pictures: Path) -> None:
        await self.compose_reply(message, words, *pictures)
        await self.send.click()

    async def compose_reply(self, message: Locator, words: str = "", *pictures: Path) -> None:
        """The button that appears when the mouse is over the message, then the composer."""
        await message.hover()
        await message.get_by_role("button", name="Reply", exact=True).click()
        if pictures:
            await self.page.locator(".playground-chooser").set_input_files(pictures)
            await expect(self.tray).to_have_count(len(pictures))
        await self.words.fill(words)
