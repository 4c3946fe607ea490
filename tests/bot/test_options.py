"""Flags in replies: what is understood, what is refused, and that nothing a person wrote gets lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.errors import BadOption
from bot.options import (
    MOST_CANDIDATES,
    MOST_STEPS,
    PROMPT_LENGTH,
    TABLE,
    Form,
    Options,
    check_prompt,
    nearest,
    parse_reply,
    parse_shape,
    read_form,
    read_options,
)
from inference import MAX_GUIDANCE, MAX_SEED, Sampler

MESSAGE_LENGTH = 2000
"""What Discord lets a message hold, ours included."""

DASHES = ("--", "—", "–")

words = st.lists(
    st.text(st.characters(exclude_categories=("Z", "C"), exclude_characters="-—–"), min_size=1), max_size=4
).map(" ".join)
spaces = st.sampled_from([" ", "\n", "\t", "  ", "\n\n"])


@pytest.mark.parametrize(
    "text, expected",
    [
        ("--strength 0.5", Options(strength=0.5)),
        ("--steps 40", Options(steps=40)),
        ("--seed 7", Options(seed=7)),
        ("--guidance 6", Options(guidance=6.0)),
        ("--no clouds, people", Options(negative="clouds, people")),
        ("--n 2", Options(candidates=2)),
        ("--size 3:2", Options(size="3:2")),
        ("--sampler dpmpp-2m", Options(sampler=Sampler.DPMPP_2M)),
        ("--model moon", Options(model="moon")),
        ("--style crayon", Options(style="crayon")),
    ],
)
@pytest.mark.parametrize("dash", DASHES)
def test_every_flag_sets_its_option(text: str, expected: Options, dash: str) -> None:
    """Each flag sets its own option and no other, with -- and with the dashes that phones make of it."""
    written = text.replace("--", dash)

    assert parse_reply(written) == ("", expected)


def test_every_option_of_the_table_has_a_flag_that_works() -> None:
    """No row of the table is known to the slash commands alone."""
    values = {"sampler": "ddim", "model": "moon", "size": "3:2", "negative": "rain"}

    for option in TABLE:
        _, options = parse_reply(f"--{option.flag} {values.get(option.name, '1')}")
        assert getattr(options, option.name) is not None, option.name


@pytest.mark.parametrize(
    "text, expected_words, expected",
    [
        ("a red parasol --steps 40", "a red parasol", Options(steps=40)),
        ("--steps 40 a red parasol", "a red parasol", Options(steps=40)),
        ("a red --steps 40 parasol", "a red parasol", Options(steps=40)),
        ("--steps 40\na red\nparasol", "a red\nparasol", Options(steps=40)),
        ("--steps\t40\ta  red parasol", "a  red parasol", Options(steps=40)),
        ("--steps=40 a red parasol", "a red parasol", Options(steps=40)),
        ("--STEPS 40 a red parasol", "a red parasol", Options(steps=40)),
        ("stars --no a, b --n 1 at night", "stars at night", Options(negative="a, b", candidates=1)),
        ("stars --n 1 --no clouds at night", "stars", Options(negative="clouds at night", candidates=1)),
        ("a deck-chair, half-open", "a deck-chair, half-open", Options()),
        ("dusk -- or dawn", "dusk -- or dawn", Options()),
        ("dusk — or dawn", "dusk — or dawn", Options()),
        ("dusk—or—dawn", "dusk—or—dawn", Options()),
        ("at --5 degrees", "at --5 degrees", Options()),
    ],
)
def test_flags_and_words_are_told_apart(text: str, expected_words: str, expected: Options) -> None:
    """A flag takes one word wherever it stands, --no takes all up to the next flag; the rest is the prompt."""
    parsed = parse_reply(text)

    assert parsed == (expected_words, expected)


@pytest.mark.parametrize(
    "written, meant",
    [
        ("strenght", "strength"),
        ("step", "steps"),
        ("steps40", "steps"),
        ("strength0.5", "strength"),
        ("n2", "n"),
        ("negative", "no"),
        ("samplr", "sampler"),
    ],
)
@pytest.mark.parametrize("dash", DASHES)
def test_an_unknown_flag_names_the_nearest(written: str, meant: str, dash: str) -> None:
    """A typo is refused with the flag that was probably meant, and never drawn as a part of the prompt."""
    with pytest.raises(BadOption) as caught:
        parse_reply(f"a moon {dash}{written} 3")

    assert f"`--{written}`" in str(caught.value)
    assert f"`--{meant}`" in str(caught.value)


def test_a_flag_like_no_other_gets_the_whole_list() -> None:
    """Where nothing is near, every known flag is named."""
    with pytest.raises(BadOption) as caught:
        parse_reply("--quux 3")

    assert all(f"`--{option.flag}`" in str(caught.value) for option in TABLE)


@pytest.mark.parametrize(
    "text", ["--steps", "a moon --strength", "--no", "--no --n 2", "--seed --n 2", "--size="]
)
def test_a_flag_without_a_value_is_refused(text: str) -> None:
    """The next flag is no value, and neither is the end."""
    with pytest.raises(BadOption, match="needs a value"):
        parse_reply(text)


def test_a_flag_given_twice_is_refused() -> None:
    """Which of two seeds was meant is not guessed."""
    with pytest.raises(BadOption, match="`--seed` is there twice"):
        parse_reply("--seed 1 a moon —seed 2")


@pytest.mark.parametrize(
    "text", ["0", "-1", "1.5", "NaN", "nan", "inf", "-inf", "", "1e-1", "half", "0.5.5", "0" * 400]
)
def test_a_wrong_strength_is_refused(text: str) -> None:
    """Only plain numbers above 0 and at most 1 are strengths."""
    with pytest.raises(BadOption, match="Nothing was started"):
        read_options({"strength": text})


@pytest.mark.parametrize(
    "text, value", [("0,5", 0.5), (".5", 0.5), ("1", 1.0), ("1.0", 1.0), ("+0.25", 0.25), ("0.001", 0.001)]
)
def test_a_strength_may_be_written_as_people_write_it(text: str, value: float) -> None:
    """A decimal comma is a decimal point, and both ends of the range are as documented."""
    options = read_options({"strength": text})

    assert options.strength == value


@pytest.mark.parametrize(
    "name, low, high",
    [
        ("steps", 1, MOST_STEPS),
        ("seed", 0, MAX_SEED),
        ("guidance", 0, MAX_GUIDANCE),
        ("candidates", 1, MOST_CANDIDATES),
    ],
)
def test_numbers_keep_to_their_ranges(name: str, low: float, high: float) -> None:
    """Both ends are allowed, one beyond is refused, and the sentence names both ends in full."""
    for inside in (low, high):
        assert getattr(read_options({name: f"{inside:.0f}"}), name) == inside
    for outside in (low - 1, high + 1):
        with pytest.raises(BadOption, match=re.escape(f"from {low} to {high:.0f}")):
            read_options({name: f"{outside:.0f}"})


@pytest.mark.parametrize("name", ["steps", "seed", "candidates"])
def test_a_fraction_is_no_count(name: str) -> None:
    """1.5 is not rounded to something nobody asked for; 2.0 is 2."""
    assert getattr(read_options({name: "2.0"}), name) == 2

    with pytest.raises(BadOption, match="whole number"):
        read_options({name: "1.5"})


def test_a_form_is_read_as_it_was_typed() -> None:
    """Its fields and the flags of its last one together; an empty field of what should not be there clears it.

    So do flags without a style, which a form shows where there is one.
    """
    form = Form(prompt=" a moon ", negative="", strength=" 0,4", flags="—steps 40 --sampler euler --n 2")

    prompt, options = read_form(form)

    assert prompt == "a moon"
    assert options == Options(
        strength=0.4, negative="", steps=40, sampler="euler", candidates=2, style="none"
    )


@pytest.mark.parametrize(
    "form, sentence",
    [
        (Form(prompt="  "), "The prompt is empty"),
        (Form(prompt="a moon", strength="much"), "needs a number"),
        (Form(prompt="a moon", strength="1.5"), "Strength is above 0 and at most 1"),
        (Form(prompt="a moon", flags="--stps 3"), "Did you mean `--steps`"),
        (Form(prompt="a moon", flags="rounder --steps 3"), "“rounder” is no option"),
        (Form(prompt="a moon", flags="--strength 0.3"), "`--strength` has a field of its own"),
        (Form(prompt="a moon", flags="--no clouds"), "`--no` has a field of its own"),
    ],
)
def test_a_form_that_is_wrong_is_refused(form: Form, sentence: str) -> None:
    """With what is wrong in it, and what would be right."""
    with pytest.raises(BadOption, match=re.escape(sentence)):
        read_form(form)


@pytest.mark.parametrize("word, meant", [("eulr", "euler"), (" DDIM", "ddim"), ("xyz", None), ("", None)])
def test_the_nearest_word_is_the_one_that_was_meant(word: str, meant: str | None) -> None:
    """A slip of the finger finds it, something else finds nothing."""
    assert nearest(word, ["ddim", "euler", "euler-a"]) == meant


@pytest.mark.parametrize(
    "text, ratio", [("3:2", 1.5), ("3x2", 1.5), ("768×512", 1.5), (" 1 : 2 ", 0.5), ("16/9", 16 / 9)]
)
def test_a_shape_is_read_in_the_ways_people_write_it(text: str, ratio: float) -> None:
    """As a ratio or as pixels."""
    width, height = parse_shape(text)

    assert width / height == ratio


@pytest.mark.parametrize("text", ["", "3", "3:", ":2", "0:2", "3:0", "-3:2", "3:2:1", "wide", "999999:1"])
def test_what_is_no_shape_is_refused(text: str) -> None:
    """A size that nobody can draw never reaches a model."""
    with pytest.raises(BadOption, match="A size is a shape like"):
        parse_shape(text)


def test_a_prompt_has_a_longest_length() -> None:
    """At the limit it is taken, one beyond it is refused with both numbers."""
    assert check_prompt(f" {'x' * PROMPT_LENGTH}\n") == "x" * PROMPT_LENGTH

    with pytest.raises(BadOption, match=f"{PROMPT_LENGTH + 1} characters; at most {PROMPT_LENGTH}"):
        check_prompt("x" * (PROMPT_LENGTH + 1))


def test_a_prompt_loses_what_no_text_can_hold() -> None:
    """Control characters and lone surrogates are dropped: they could be neither stored nor sent."""
    prompt = check_prompt("a \x00red\udc80 moon\n\N{FAMILY}\x1b")

    assert prompt == "a red moon\n\N{FAMILY}"
    assert prompt.encode()


@given(text=st.text(st.characters(exclude_characters="-—–")))
def test_words_without_flags_come_back_unchanged(text: str) -> None:
    """Without a dash there is no flag, and only the space around the words is dropped."""
    parsed = parse_reply(text)

    assert parsed == (text.strip(), Options())


@given(before=words, after=words, dash=st.sampled_from(DASHES), gaps=st.tuples(spaces, spaces, spaces))
def test_a_flag_is_found_anywhere_in_the_text(
    before: str, after: str, dash: str, gaps: tuple[str, str, str]
) -> None:
    """Whatever words stand before and after it, on whatever lines, the flag is found and the words are kept."""
    text = f"{before}{gaps[0]}{dash}steps{gaps[1]}40{gaps[2]}{after}"

    found, options = parse_reply(text)

    assert options == Options(steps=40)
    assert found.split() == [*before.split(), *after.split()]


@given(
    pieces=st.lists(
        st.one_of(
            st.text(st.characters(codec="utf-8"), max_size=8),
            st.sampled_from(
                [*DASHES, "-", "=", *(f"--{option.flag}" for option in TABLE), "0,5", "1e999", "²"]
            ),
        ),
        max_size=8,
    ),
    gap=st.sampled_from(["", " "]),
)
@example(pieces=["--" + "x" * 3000], gap="")
@example(pieces=["--seed", "9" * 5000], gap=" ")
def test_any_text_is_parsed_or_refused_with_a_sentence(pieces: list[str], gap: str) -> None:
    """Nothing but BadOption is ever raised, and its sentence fits into a message of Discord's."""
    text = gap.join(pieces)
    try:
        found, _ = parse_reply(text)
    except BadOption as error:
        refusal = str(error)
    else:
        refusal = ""

        assert set(found) <= set(text) | {" "}

    assert len(refusal) <= MESSAGE_LENGTH


@given(
    parts=st.lists(
        st.tuples(st.sampled_from(["--no rain", "--n 2", "--seed 7", "--guidance 6", "--model moon"]), words),
        max_size=5,
        unique_by=lambda part: part[0],
    ),
    first=words,
)
def test_nothing_that_was_written_is_lost(parts: list[tuple[str, str]], first: str) -> None:
    """Every word ends up in the prompt, or in --no when it follows that: in order, and once."""
    prompt, negative = first.split(), ["rain"]
    for flag, follow in parts:
        (negative if flag == "--no rain" else prompt).extend(follow.split())
    text = " ".join([first, *(f"{flag} {follow}" for flag, follow in parts)])

    found, options = parse_reply(text)

    assert found.split() == prompt
    assert (options.negative or "rain").split() == negative
