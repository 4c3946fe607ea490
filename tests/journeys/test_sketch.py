"""Journeys: /sketch and /imagine, from the command to the pictures."""

from __future__ import annotations

from pathlib import Path

from tests.journeys.world import opened, pictures_of, text_of, world


async def test_a_sketch_becomes_pictures_in_a_thread_of_its_own(tmp_path: Path) -> None:
    """/sketch answers privately with place and thread; the card ends with the pictures and a plain line."""
    async with world(tmp_path) as here:
        answer = await here.sketch(candidates=2, seed=4711, strength=0.75)
        (card,) = here.cards()
        sizes = [(await opened(picture)).size for picture in pictures_of(card)]

        print(answer.followups, answer.response)
        print(text_of(card))
        assert sizes == [(683, 384), (683, 384)]
