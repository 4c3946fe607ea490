"""Styles: those that come along, what a server may add, and which of them a request gets."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bot import remix, texts
from bot.errors import BadOption, LimitReached
from bot.limits import STRIP_COUNTS_AS, Limits, check_request
from bot.options import NO_STYLE, Options
from bot.store import Style
from bot.styles import MOST_OWN, built_in, own_style, settle
from inference import InitKind
from tests.bot.records import ANNA, GUILD, NOW, from_pixels, new_job, opened, request

CHARCOAL = Style(name="charcoal", template="{prompt}, in charcoal", negative="colours", strength=0.6)
MESSAGE_LENGTH = 4000
"""What Discord lets all texts of a message hold together."""


def refused(name: str, template: str, negative: str = "", strength: float | None = None) -> str:
    with pytest.raises(BadOption) as refusal:
        own_style([*built_in(), CHARCOAL], name, template, negative, strength)
    return str(refusal.value)


def test_every_style_that_comes_along_can_be_used() -> None:
    """Each is called as people type it, has one place for their words, a title and a strength that may be asked for."""
    names = [style.name for style in built_in()]

    assert len(set(names)) == len(names) >= 14
    for style in built_in():
        assert settle(Options(style=style.name), built_in()) == (
            Options(style=style.name, strength=style.strength),
            style,
        )
        assert style.template.count(Style.HOLE) == 1
        assert style.title
        assert style.strength is not None
        assert 0.3 <= style.strength <= 0.9
        assert NO_STYLE != style.name == own_style([], style.name + "x", "{prompt}", "", None).name[:-1]


def test_a_style_goes_round_the_words() -> None:
    """Braces that somebody wrote stay; both negative prompts count, and an empty one leaves no comma."""
    dressed = CHARCOAL.round(request(prompt="a {prompt} of {0}", negative_prompt="clouds"))

    assert dressed.prompt == "a {prompt} of {0}, in charcoal"
    assert dressed.negative_prompt == "clouds, colours"
    assert CHARCOAL.round(request()).negative_prompt == "colours"
    assert msgspec.structs.replace(CHARCOAL, negative="").round(request()).negative_prompt == ""


@pytest.mark.parametrize("written", ["pixel-art", "Pixel Art", "  PIXEL-ART "])
def test_a_style_is_found_however_it_is_written(written: str) -> None:
    """Capitals and spaces do not matter."""
    _, style = settle(Options(style=written), built_in())

    assert style is not None
    assert style.name == "pixel-art"


def test_a_picture_keeps_its_style_until_another_is_named() -> None:
    """Nothing said: as before, and at the strength of every reply. `none` drops it."""
    crayon = next(style for style in built_in() if style.name == "crayon")

    assert settle(Options(), built_in(), CHARCOAL) == (Options(), CHARCOAL)
    assert settle(Options(style="crayon"), built_in(), CHARCOAL) == (
        Options(style="crayon", strength=crayon.strength),
        crayon,
    )
    assert settle(Options(style="None"), built_in(), CHARCOAL)[1] is None


def test_a_strength_that_was_said_goes_before_the_recommended_one() -> None:
    """The recommended one only fills what was left open."""
    options, _ = settle(Options(style="crayon", strength=0.2), built_in())

    assert options.strength == 0.2


def test_a_style_that_is_gone_can_still_be_named_for_a_picture_made_in_it() -> None:
    """A form shows it, and is to be sent as it is; elsewhere it is unknown."""
    assert settle(Options(style="charcoal", strength=0.5), built_in(), CHARCOAL)[1] is CHARCOAL
    with pytest.raises(BadOption, match="charcoal"):
        settle(Options(style="charcoal"), built_in())


def test_an_unknown_style_is_answered_with_the_nearest() -> None:
    with pytest.raises(BadOption, match="Did you mean `watercolour`"):
        settle(Options(style="watercolor"), built_in())


@pytest.mark.parametrize(
    "name, template, negative, sentence",
    [
        ("charcoal 2", "in charcoal", "", "needs `{prompt}` in it"),
        ("charcoal 2", "{prompt} and {prompt}", "", "needs `{prompt}` in it, once"),
        ("charcoal 2", "{prompt}" + "x" * 300, "", "template has 308 characters"),
        ("charcoal 2", "{prompt}", "x" * 201, "negative prompt has 201 characters"),
        ("Charcoal", "{prompt}", "", "`charcoal` is there already"),
        ("Crayon", "{prompt}", "", "`crayon` is a style that every server has"),
        ("none", "{prompt}", "", "not “none”"),
        ("c" * 31, "{prompt}", "", "at most 30"),
        ("a_b", "{prompt}", "", "letters and digits"),
        ("--no", "{prompt}", "", "letters and digits"),
        ("<@&1>", "{prompt}", "", "letters and digits"),
        ("", "{prompt}", "", "letters and digits"),
    ],
)
def test_a_bad_style_is_refused(name: str, template: str, negative: str, sentence: str) -> None:
    """With the sentence that says what is wrong."""
    assert sentence in texts.for_terminal(refused(name, template, negative))


def test_a_strength_outside_its_range_is_refused() -> None:
    """Discord asks for it already; other ways in may come."""
    assert "above 0 and at most 1" in refused("charcoal 2", "{prompt}", strength=1.5)


def test_a_good_style_is_taken() -> None:
    """The control: also in letters that are not English."""
    assert own_style(built_in(), "Уголь Зимой", " {prompt}, in charcoal ", "", 0.5) == Style(
        name="уголь-зимой", template="{prompt}, in charcoal", strength=0.5
    )


def test_a_server_has_only_so_many() -> None:
    """And their list fits into one message, whatever is in them."""
    worst = [
        own_style(built_in(), f"{n:02}" + "m" * 28, "{prompt}" + "*_" * 146, "", 0.35)
        for n in range(MOST_OWN)
    ]
    with pytest.raises(BadOption, match=f"has {MOST_OWN} styles"):
        own_style([*worst, *built_in()], "one more", "{prompt}", "", None)

    assert len(texts.styles_listed(worst, built_in())) <= MESSAGE_LENGTH


async def test_a_servers_styles_are_its_own(tmp_path: Path) -> None:
    """Another server does not see them; what was taken away is gone, and only once."""
    async with opened(tmp_path) as store:
        async with store.transaction() as tx:
            await store.styles.add(tx, GUILD, CHARCOAL, by=ANNA, now=NOW)
        here, elsewhere = await store.styles.of(GUILD), await store.styles.of(GUILD + 1)
        async with store.transaction() as tx:
            removed = [await store.styles.remove(tx, GUILD, "charcoal") for _ in range(2)]

        assert (here, elsewhere) == ([CHARCOAL], [])
        assert removed == [True, False]
        assert await store.styles.of(GUILD) == []


async def test_a_job_keeps_the_words_and_the_style_apart(tmp_path: Path) -> None:
    """The row holds the person's words; together they are what is drawn. A deleted job keeps neither."""
    async with opened(tmp_path) as store:
        styled = msgspec.structs.replace(new_job(), style=CHARCOAL)
        async with store.transaction() as tx:
            job_id = (await store.accept(tx, styled, NOW)).id
            plain_id = (await store.accept(tx, new_job(), NOW)).id
        job, plain = await store.job(job_id), await store.job(plain_id)
        async with store.transaction() as tx:
            await store.delete_job(tx, job_id, NOW)
        deleted = await store.job(job_id)

        assert job is not None
        assert plain is not None
        assert deleted is not None
        assert job.style == CHARCOAL
        assert job.request == plain.request == plain.to_draw
        assert job.to_draw == CHARCOAL.round(job.request) != job.request
        assert deleted.style is None


def test_a_strip_tells_its_pictures_apart_by_strength_alone() -> None:
    """Five strengths, one seed; and once more with another."""
    strip = remix.strip(request(init=from_pixels(), seeds=(7, 8)), 8)
    again = remix.again(strip, 100)

    assert strip.strengths == (0.3, 0.45, 0.6, 0.75, 0.9)
    assert strip.seeds == (8,) * 5
    assert again == msgspec.structs.replace(strip, seeds=(100,) * 5)
    assert strip.init is not None
    assert strip.init.kind is InitKind.PIXELS


def test_a_strip_is_as_much_work_as_it_counts_for() -> None:
    """The same steps as that many pictures of a sketch at the usual strength."""
    strip = remix.strip(request(init=from_pixels(), steps=100), 8)
    pictures = request(init=from_pixels(), steps=100, seeds=tuple(range(STRIP_COUNTS_AS)), strength=0.75)

    assert strip.total_steps == pictures.total_steps


@pytest.mark.parametrize("allowed", [1, 2, 3, 4])
def test_a_strip_is_refused_where_so_many_pictures_are(allowed: int) -> None:
    """As four pictures are, no more and no less."""
    strip = remix.strip(request(init=from_pixels()), 8)
    four = request(init=from_pixels(), seeds=(1, 2, 3, 4))
    limits = Limits(most_candidates=allowed)

    if allowed == STRIP_COUNTS_AS:
        check_request(limits, strip)
        check_request(limits, four)
        return
    for each in (strip, four):
        with pytest.raises(LimitReached, match=f"{allowed}"):
            check_request(limits, each)


def test_going_on_from_a_strip_is_going_on_from_one_picture() -> None:
    """A reply and Strong ask for as many pictures as somebody who said nothing, at one strength."""
    strip = remix.strip(request(init=from_pixels()), 8)
    from tests.bot.test_remix import MODELS, PARENT

    parent = msgspec.structs.replace(PARENT, request=strip)
    replied = remix.refine(MODELS, parent, None, "", Options(), 100)
    strong = remix.vary(MODELS[0], parent, 0.75, 100)

    assert (replied.strengths, replied.seeds) == ((), (100, 101))
    assert (strong.strengths, strong.seeds, strong.strength) == ((), (100, 101), 0.75)


def test_a_strip_says_what_it_ran() -> None:
    """On one line, with one seed."""
    strip = remix.strip(request(init=from_pixels()), 8)

    assert texts.what_was_done(strip, None, None) == (
        "512×512, strengths 0.3, 0.45, 0.6, 0.75 and 0.9: 9 to 27 of 30 steps, seed 8"
    )
