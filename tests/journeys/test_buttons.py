"""Journeys: what people press on a card."""

from __future__ import annotations

from pathlib import Path

from inference import InitKind
from tests.journeys.world import buttons_of, held_engine, pictures_of, said, text_of, world


async def test_a_pick_is_shown_on_the_card_and_moves_ones_current_picture(tmp_path: Path) -> None:
    """Picking edits the card in place; picking again moves the pick."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=3)
        (card,) = here.cards()
        await here.you.click(card, custom_id=buttons_of(card)["1"])
        await here.you.click(card, custom_id=buttons_of(card)["3"])
        (picked,) = here.cards()
        current = await here.store.current_picture(1, here.you.id)

        assert f"<@{here.you.id}> goes on from 3" in text_of(picked)
        assert current is not None
        assert current.candidate == 3
        assert len(pictures_of(picked)) == 3


async def test_again_takes_the_same_inputs_and_new_seeds(tmp_path: Path) -> None:
    """Again on one's own or somebody else's card: equal but for the seeds, on a card of its own."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=2, strength=0.4)
        (card,) = here.cards()
        answer = await here.other.click(card, custom_id=buttons_of(card)["Again"])
        first, second = here.fake.requests
        _, again = here.cards()

        assert answer.ephemeral
        assert (second.init, second.prompt, second.strength) == (first.init, first.prompt, 0.4)
        assert set(second.seeds).isdisjoint(first.seeds)
        assert f"<@{here.other.id}> · once more" in text_of(again)
        assert "sketch.webp" in [file.filename for file in again.attachments]


async def test_subtle_and_strong_go_on_from_the_picked_candidate(tmp_path: Path) -> None:
    """The pressers' pick is the parent, from its latents, at the model's two strengths."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=2)
        (card,) = here.cards()
        await here.you.click(card, custom_id=buttons_of(card)["2"])
        await here.you.click(card, custom_id=buttons_of(card)["Subtle"])
        await here.you.click(card, custom_id=buttons_of(card)["Strong"])
        _, subtle, strong = here.fake.requests
        picked = (await here.store.candidates(1))[1]

        assert (subtle.strength, strong.strength) == (0.35, 0.75)
        assert subtle.init is not None
        assert (subtle.init.kind, subtle.init.ref) == (InitKind.LATENTS, picked.latents)
        job = await here.store.job(2)
        assert job is not None
        assert job.parent_id == picked.id


async def test_cancel_frees_the_engine_and_says_so(tmp_path: Path) -> None:
    """A running job is stopped at once: the engine's request is closed and the next job starts."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=4)
        await here.sketch(who=here.other, candidates=4)
        here.fake.release(3)
        await here.env.settle()
        (card,) = here.cards(here.thread(0))
        answer = await here.you.click(card, custom_id=buttons_of(card)["Cancel"])
        (cancelled,) = here.cards(here.thread(0))

        assert "Cancelled. Nothing was charged." in said(answer)
        assert "Cancelled. Nothing was charged." in text_of(cancelled)
        assert list(buttons_of(cancelled)) == ["Again", "Delete"]
        assert here.fake.closed_early == 1
        assert len(here.fake.requests) == 2


async def test_a_waiting_job_can_be_cancelled_and_is_never_run(tmp_path: Path) -> None:
    """Cancelling in the line removes the job from it and moves the others up."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch(candidates=4)
        await here.sketch(who=here.other, candidates=4)
        await here.sketch(who=here.mod, candidates=4)
        (second,) = here.cards(here.thread(1))
        await here.other.click(second, custom_id=buttons_of(second)["Cancel"])
        (third,) = here.cards(here.thread(2))
        here.fake.release(1000)
        await here.env.settle()

        assert "Next." in text_of(third)
        assert len(here.fake.requests) == 2
        assert len(pictures_of(here.cards(here.thread(2))[0])) == 4


async def test_only_author_owner_and_moderators_may_cancel(tmp_path: Path) -> None:
    """Somebody else's press is refused with a sentence and stops nothing."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch()
        (card,) = here.cards()
        answer = await here.other.click(card, custom_id=buttons_of(card)["Cancel"])
        here.fake.release(1000)
        await here.env.settle()

        assert "Only the person who asked" in said(answer)
        assert len(pictures_of(here.cards()[0])) == 2


async def test_a_second_press_of_cancel_says_that_it_is_over(tmp_path: Path) -> None:
    """A card that still shows Cancel on somebody's screen does no harm."""
    async with world(tmp_path, held_engine) as here:
        await here.sketch()
        (card,) = here.cards()
        cancel = buttons_of(card)["Cancel"]
        await here.bot.jobs.cancel(1, here.you.id, moderates=False)
        answer = await here.you.click(card, custom_id=cancel)

        assert said(answer) == "That job is over already."


async def test_buttons_work_after_a_restart(tmp_path: Path) -> None:
    """A new process knows nothing but the store; every button of an old card still does its work."""
    async with world(tmp_path) as here:
        await here.sketch(candidates=2)
        await here.restart()
        (card,) = here.cards()
        await here.you.click(card, custom_id=buttons_of(card)["2"])
        await here.you.click(here.cards()[0], custom_id=buttons_of(card)["Subtle"])
        _, subtle = here.cards()

        assert len(pictures_of(subtle)) == 2
        assert (await here.store.picks_among(1))[here.you.id] == 2
