"""Makes the README's picture of the playground: `python -m tests.playground.screenshot docs/playground.png`.

Nothing in it is staged: the page is driven as a person would, on the real worker with the built-in model.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import expect

from bot.playground import playground
from bot.playground.drawings import example_sketch
from inference import EngineConfig
from inference.catalogue import ONLY_BUILT_IN
from inference.local import LocalEngine
from tests.playground.browser import Chat, opened_page


async def make(target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        sketch = Path(folder) / "sketch.png"
        sketch.write_bytes(example_sketch())
        config = EngineConfig(catalogue=ONLY_BUILT_IN, models_dir=Path(folder))
        async with (
            playground(lambda park: LocalEngine(config, park=park)) as (_, url),
            opened_page(url, height=1000) as chat,
        ):
            await _tell(chat, sketch)
            await chat.page.screenshot(path=target)


async def _tell(chat: Chat, sketch: Path) -> None:
    """A sketch became pictures, one of them was picked, and a reply with words and a picture is on its way."""
    await chat.sketch(sketch, "the surface of the moon", strength="0.5", seed="4711")
    await expect(chat.results).to_have_count(2)
    card = chat.card("the surface of the moon")
    await card.get_by_role("button", name="2", exact=True).click()
    await expect(card).to_contain_text("goes on from 2")
    await chat.compose_reply(card, "more craters, and a red parasol", sketch)
    await chat.page.mouse.move(0, 0)


if __name__ == "__main__":
    asyncio.run(make(Path(sys.argv[1])))
