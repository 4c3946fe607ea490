"""What people read: strangers' words are quoted without effect, and figures are said as people say them."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import structs

from bot import texts
from bot.custom_ids import Action
from bot.line import Turn
from bot.store import JobKind, Shown
from inference import EngineState, EngineStatus, ImageRequest, Sampler, Size, Vocabulary, fit
from tests.bot.records import from_pixels, model, picture, request

MARKS = "\\`*_~|[]()<>@:#+-.&"
hostile = st.text(st.one_of(st.sampled_from(MARKS), st.sampled_from("ab1 \n\t"), st.characters()))

_ESCAPED = re.compile(r"\\([^0-9A-Za-z\s])")
"""How Discord reads a backslash: the mark behind it is that mark and nothing more."""


def read(written: str) -> str:
    return _ESCAPED.sub(r"\1", written)


@given(text=hostile)
@example("@everyone <@123> <@&1> <#2> <:a:3> <t:4:R>")
@example("https://example.org [x](https://example.org) <https://example.org>")
@example("# big\n> quoted\n- item\n1. item\n-# small ```code``` ||hidden|| \\*")
def test_plain_words_have_no_effect(text: str) -> None:
    """No markdown, mention, emoji, timestamp or address is left: every mark that could begin one is escaped."""
    inert = _ESCAPED.sub("x", texts.plain(text))

    assert not set(inert) & set("\\`*_~|[]()<@:")
    assert not re.match(r"\s*(#|>|-|\+|\d+\.)", inert)
    assert "\n" not in inert


def test_without_plain_the_words_would_have_an_effect() -> None:
    """The control: what the test above looks for is in the raw words."""
    inert = _ESCAPED.sub("x", "# @everyone https://example.org")

    assert set(inert) & set("@:")
    assert re.match(r"\s*#", inert)


@given(text=st.text(st.characters(exclude_categories=["C", "Mn", "Me"])), limit=st.integers(1, 40))
def test_plain_words_stay_the_words_they_are(text: str, limit: int) -> None:
    """As Discord shows them they are the same, on one line, and cut with a … where they are too long.

    Marks that pile up on a letter are another matter: see test_strangers.py.
    """
    one_line = " ".join(text.split())

    shown = read(texts.plain(text, limit))

    assert len(shown) <= limit
    assert shown == one_line if len(one_line) <= limit else shown == one_line[: limit - 1] + "…"


def test_marks_that_turn_the_reading_direction_are_dropped() -> None:
    """Quoted words cannot rewrite the sentence round them; letters that read from the right stay."""
    assert texts.quoted("a\u202eb\u2066c\x00d\ud800") == "“abcd”"
    assert texts.quoted("ירח") == "“ירח”"


def test_what_was_done_is_one_line() -> None:
    """Size of the sketch, canvas, crop, strength, steps, seed and seconds, as the card shows them."""
    source = Size(1600, 900)
    made = ImageRequest(
        model="moon",
        prompt="the surface of the moon",
        seeds=(4711,),
        frame=fit(source, model().sizes),
        init=from_pixels(),
        strength=0.75,
        steps=30,
    )

    line = texts.what_was_done(made, source, 6.2)

    assert line == ("1600×900 as 704×384 cropped to 683×384, strength 0.75: 22 of 30 steps, seed 4711, 6.2 s")


@pytest.mark.parametrize(
    "made, source, seconds, line",
    [
        (request(), None, None, "512×512, 30 steps, seed 4711"),
        (
            request(init=from_pixels()),
            Size(512, 512),
            6.25,
            "512×512, strength 0.75: 22 of 30 steps, seed 4711, 6.2 s",
        ),
        (
            structs.replace(request(), sampler=Sampler.LCM, steps=80),
            None,
            None,
            "512×512, 50 of 80 steps, seed 4711",
        ),
        (request(seeds=(7, 8, 9)), None, 61.0, "512×512, 30 steps, seeds 7 to 9, 61.0 s"),
        (
            request(init=from_pixels(), strength=0.01, steps=5),
            Size(600, 600),
            None,
            "600×600 as 512×512, strength 0.01: 1 of 5 steps (fewer than one was asked for), seed 4711",
        ),
    ],
)
def test_what_was_not_done_is_not_said(
    made: ImageRequest, source: Size | None, seconds: float | None, line: str
) -> None:
    """No strength without an init, no crop of a whole canvas, no time before the end; one step is never none."""
    assert texts.what_was_done(made, source, seconds) == line


def test_a_model_that_was_taught_few_words_says_what_it_is_and_what_it_does_not_know() -> None:
    """Title, unknown words, notice; of any other model only the notice."""
    other = msgspec.structs.replace(model("emoji"), title="emoji art (built-in)", notice="A demo.")
    taught = msgspec.structs.replace(other, vocabulary=Vocabulary(groups=(("food", ("apple",)),)))

    assert [read(line) for line in texts.made_with(taught, "an apple in a parsec")] == [
        "emoji art (built-in)",
        "I don't know: parsec",
        "A demo.",
    ]
    assert [read(line) for line in texts.made_with(taught, "an apple")] == ["emoji art (built-in)", "A demo."]
    assert texts.made_with(other, "an apple in a parsec") == ["A demo."]


def test_unknown_words_are_quoted_without_effect_and_in_one_short_line() -> None:
    """Eight by name, each cut where it is long, the rest by number; no markdown or mention of theirs works."""
    many = texts.not_known([f"word{number}" for number in range(10)])
    long = texts.not_known(["x" * 4000] * 8)
    hostile = _ESCAPED.sub("x", texts.not_known(["**a**", "@everyone", "<@1>", "`b`\n# c"]))

    assert many == "I don't know: word0, word1, word2, word3, word4, word5, word6, word7 and 2 more words"
    assert texts.not_known([str(number) for number in range(9)]).endswith("7 and 1 more word")
    assert "more" not in texts.not_known([str(number) for number in range(8)])
    assert len(long) < 300
    assert not set(hostile.removeprefix("I don't know:")) & set("\\`*_~|[]()<@:\n")


@pytest.mark.parametrize(
    "number, said",
    [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (4, "4th"),
        (10, "10th"),
        (11, "11th"),
        (12, "12th"),
        (13, "13th"),
        (20, "20th"),
        (21, "21st"),
        (22, "22nd"),
        (23, "23rd"),
        (101, "101st"),
        (111, "111th"),
        (112, "112th"),
        (1003, "1003rd"),
    ],
)
def test_ordinals(number: int, said: str) -> None:
    """As they are spoken, the teens included."""
    assert texts.ordinal(number) == said


@pytest.mark.parametrize(
    "seconds, said",
    [
        (0.0, "about 1 s"),
        (0.4, "about 1 s"),
        (4.4, "about 4 s"),
        (9.4, "about 9 s"),
        (12.0, "about 10 s"),
        (47.0, "about 45 s"),
        (97.0, "about 95 s"),
        (99.0, "about 100 s"),
        (100.0, "about 2 min"),
        (3600.0, "about 60 min"),
    ],
)
def test_an_estimate_is_rounded(seconds: float, said: str) -> None:
    """To seconds, then fives, then minutes; never to nothing."""
    assert texts.about(seconds) == said


@given(a=st.floats(0, 1e5), b=st.floats(0, 1e5))
def test_a_longer_wait_is_never_said_to_be_shorter(a: float, b: float) -> None:
    """Rounding keeps the order, across its own steps too."""

    def seconds(said: str) -> int:
        _, number, unit = said.split()
        return int(number) * (60 if unit == "min" else 1)

    short, long = sorted((a, b))
    assert seconds(texts.about(short)) <= seconds(texts.about(long))


@pytest.mark.parametrize(
    "place, last, seconds, said",
    [
        (1, 1, None, "You are next, in <#5>."),
        (2, 2, None, "You are 2nd in line, in <#5>."),
        (3, 3, 47.0, "You are 3rd in line, about 45 s, in <#5>."),
        (4, 7, 47.0, "You are 4th to 7th in line, about 45 s, in <#5>."),
    ],
)
def test_a_place_in_the_line(place: int, last: int, seconds: float | None, said: str) -> None:
    """Without an estimate nothing is made up; a later job of a person has a range."""
    turn = Turn(job_id=1, person_id=2, place=place, last_place=last, seconds=seconds)

    assert texts.accepted(turn, "<#5>") == said


@pytest.mark.parametrize("state", EngineState)
def test_a_waiting_card_says_what_keeps_it(state: EngineState) -> None:
    """A place, and a reason where the line does not move; a working engine is no news."""
    turn = Turn(job_id=1, person_id=2, place=2, last_place=2, seconds=None)
    status = EngineStatus(state=state, detail="It is what it is.")

    line = texts.waiting(turn, texts.trouble(status, draining=False))

    assert line.startswith("2nd in line.")
    assert (line == "2nd in line.") == state.takes_work


def test_every_kind_and_every_button_has_words() -> None:
    """A new one without words is noticed here and not by a person."""
    assert all(texts.kind(kind) for kind in JobKind)
    assert all(texts.button(action, 2) for action in Action)
    assert texts.button(Action.PICK, 2) == "2"


def test_picks_are_told_in_one_line() -> None:
    """Five by name, the rest by number."""
    few = texts.picks([(1, 2)])
    many = texts.picks([(person, 1) for person in range(8)])

    assert few == "<@1> goes on from 2"
    assert many.count("goes on from") == 5
    assert many.endswith("; and 3 more")


def test_descriptions_fit_where_discord_puts_them() -> None:
    """Alternative texts have 1,024 characters, labels of a select 100."""
    prompt = "x" * 3000

    assert len(texts.alt_text(prompt, 1)) == 1024
    assert len(texts.preview_alt_text(prompt)) == 1024
    assert len(texts.sketch_alt_text(prompt)) == 1024
    assert (
        len(
            texts.history_label(
                Shown(picture=picture(12), kind=JobKind.AGAIN, request=request(prompt=prompt))
            )
        )
        == 100
    )
    assert texts.history_label(Shown(picture=picture(3))) == "3: an uploaded picture"


def test_limits_are_shown_and_changed_in_whole_lines() -> None:
    """Which values are the server's own, and what each was before; what is too much is cut at a line's end."""
    assert texts.limits_table([("steps", "50", False), ("candidates", "2", True)]) == (
        "The limits of this server:\n- **steps**: 50\n- **candidates**: 2 (set here)"
    )
    assert "**steps**: 50 → 40." in texts.limit_changed("steps", "50", "40", "this server", None)
    long = texts.limits_table([("steps", "50", False)], [("<@&1>", "steps", "50")] * 500)
    assert len(long) <= 2000
    assert long.endswith("- <@&1>: **steps** 50\n…")


def test_what_is_missing_is_listed_as_people_list() -> None:
    """One, two or three permissions in one sentence."""
    one = texts.missing_permissions(["attach files"], "<#5>")
    three = texts.missing_permissions(["see messages", "send messages", "attach files"], "<#5>")

    assert one.startswith("I may not attach files in <#5>.")
    assert three.startswith("I may not see messages, send messages or attach files in <#5>.")


@given(st.text(max_size=50))
def test_a_terminal_shows_what_was_typed(words: str) -> None:
    """What keeps Discord from formatting a stranger's words is taken out again where nothing formats them."""
    one_line = " ".join(words.split())

    assert "\\" in one_line or texts.for_terminal(texts.plain(one_line)) == texts.plain(one_line).replace(
        "\\", ""
    )
    assert texts.for_terminal(texts.bad_strength("1.5")).count("“1.5”") == 1
