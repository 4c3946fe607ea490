"""Every rule refuses with a sentence, and a server can turn none of them beyond the host's bounds."""

from __future__ import annotations

import re

import pytest

from bot.errors import BadOption, LimitReached
from bot.limits import (
    DAY_SECONDS,
    RULES,
    Beyond,
    Limits,
    Rule,
    check_line,
    check_pace,
    check_request,
    check_used,
    check_who,
    rule_named,
)
from tests.bot.records import NOW, request


def test_a_request_at_the_limits_is_allowed() -> None:
    """The limit itself is not too much."""
    limits = Limits(most_steps=30, most_candidates=2)

    check_request(limits, request(steps=30, seeds=(1, 2)))


def test_too_many_steps_are_refused() -> None:
    """The sentence says how many were wanted and how many are allowed."""
    with pytest.raises(LimitReached, match=r"31 steps are more than the 30 .* Nothing was started"):
        check_request(Limits(most_steps=30), request(steps=31))


def test_too_many_candidates_are_refused() -> None:
    """One seed is one picture."""
    with pytest.raises(LimitReached, match=r"3 pictures at once are more than the 2 .* Nothing was started"):
        check_request(Limits(most_candidates=2), request(seeds=(1, 2, 3)))


def test_a_line_below_the_limits_is_open() -> None:
    """One more job may still join."""
    check_line(Limits(waiting_per_person=3, waiting_per_server=20), 2, 19)


@pytest.mark.parametrize("waiting", [3, 4])
def test_a_person_with_enough_jobs_is_refused(waiting: int) -> None:
    """The sentence says what to do next. More than the limit can be there when the limit was lowered."""
    with pytest.raises(LimitReached, match=f"You have {waiting} jobs .*cancel one"):
        check_line(Limits(waiting_per_person=3), waiting, waiting)


def test_one_waiting_job_is_not_one_jobs() -> None:
    """The count and its noun agree."""
    with pytest.raises(LimitReached, match="You have 1 job waiting"):
        check_line(Limits(waiting_per_person=1), 1, 1)


def test_a_server_with_enough_jobs_is_refused() -> None:
    """Also for a person who has none waiting."""
    with pytest.raises(LimitReached, match="20 jobs waiting or running, and 20 is the most"):
        check_line(Limits(waiting_per_server=20), 0, 20)


def test_a_picture_may_be_too_large() -> None:
    """Counted is the picture, not the canvas it is drawn on."""
    area = request().frame.content.area

    check_request(Limits(most_pixels=area), request())
    with pytest.raises(Beyond, match="is the most here"):
        check_request(Limits(most_pixels=area - 1), request())


def test_models_and_styles_can_be_narrowed() -> None:
    """An empty list means all of them; no style at all is always allowed."""
    model = request().model

    check_request(Limits(models=(model,), styles=("crayon",)), request(), "crayon")
    check_request(Limits(models=(model,), styles=("crayon",)), request(), None)
    with pytest.raises(Beyond, match="may not be used here; you can choose other"):
        check_request(Limits(models=("other",)), request())
    with pytest.raises(Beyond, match="The style oil may not be used here"):
        check_request(Limits(styles=("crayon",)), request(), "oil")


def test_who_may_not_use_it_is_told() -> None:
    """And somebody whose day of joining nobody knows counts as a member of old."""
    check_who(Limits(members_for_days=7), None, NOW)
    check_who(Limits(members_for_days=7), NOW - 7 * DAY_SECONDS, NOW)
    with pytest.raises(Beyond, match="members for 7 days"):
        check_who(Limits(members_for_days=7), NOW - 7 * DAY_SECONDS + 1, NOW)
    with pytest.raises(Beyond, match="may not use me here"):
        check_who(Limits(use=False), None, NOW)


def test_jobs_can_come_too_soon_or_too_often() -> None:
    """The sentence says when to try again; what is longer ago than an hour does not count."""
    asked_at = [NOW - 3700, NOW - 3000, NOW - 20]

    check_pace(Limits(cooldown=20, jobs_per_hour=3), asked_at, NOW)
    with pytest.raises(Beyond, match=f"<t:{int(NOW) + 11}:R>"):
        check_pace(Limits(cooldown=30), asked_at, NOW)
    with pytest.raises(Beyond, match=f"asked for 2 jobs .* <t:{int(NOW) + 601}:R>"):
        check_pace(Limits(jobs_per_hour=2), asked_at, NOW)


def test_a_days_seconds_come_back_at_midnight() -> None:
    """Of a person and of the whole server, each for itself."""
    midnight = (int(NOW) // DAY_SECONDS + 1) * DAY_SECONDS

    check_used(Limits(gpu_seconds=60, gpu_seconds_of_server=600), 59.9, 599.9, NOW)
    with pytest.raises(Beyond, match=f"60 of your 60 seconds .* <t:{midnight}:R>"):
        check_used(Limits(gpu_seconds=60), 60, 60, NOW)
    with pytest.raises(Beyond, match="This server used 600 of its 600"):
        check_used(Limits(gpu_seconds_of_server=600), 1, 600, NOW)


def test_every_limit_has_a_rule_that_keeps_its_default() -> None:
    """What /limits shows is what there is; its option names are such as Discord takes."""
    defaults = Limits()

    assert sorted(rule.field for rule in RULES) == sorted(Limits.__struct_fields__)
    assert len(RULES) <= 25
    for rule in RULES:
        assert rule.kind.keeps(getattr(defaults, rule.field))
        assert re.fullmatch(r"[a-z-]{1,32}", rule.option)
        assert len(rule.help) <= 100


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.field)
def test_what_a_rule_offers_it_reads(rule: Rule) -> None:
    """The examples under a field are values, and what is said of them can be kept."""
    for example in rule.kind.examples():
        assert rule.kind.keeps(rule.kind.read(rule.option, example))


@pytest.mark.parametrize(
    "typed", ["-1", "a million", "1,000", "1e3", "", "  ", "999999999999999", "٣", "2.5", "nan"]
)
def test_a_number_that_is_none_is_refused(typed: str) -> None:
    """Rather than guessed at; the sentence says what can be typed."""
    with pytest.raises(BadOption, match="a number from 1 to 150, in plain digits"):
        rule_named("steps").kind.read("steps", typed)


@pytest.mark.parametrize(
    "option, typed, value",
    [
        ("steps", " 30 ", 30),
        ("cooldown", "off", 0),
        ("gpu-seconds", "no limit", 0),
        ("pixels", "768x512", 768 * 512),
        ("models", "Moon, sun,, moon", ("moon", "sun")),
        ("styles", "all", ()),
        ("use", "Nobody", False),
        ("line-weight", "2,5", 2.5),
        ("safety", "Spoiler", "spoiler"),
    ],
)
def test_values_are_read_as_people_type_them(option: str, typed: str, value: object) -> None:
    """Spaces, capitals and words that mean the same."""
    assert rule_named(option).kind.read(option, typed) == value


@pytest.mark.parametrize(
    "option, typed",
    [
        ("steps", "off"),
        ("use", "perhaps"),
        ("safety", "strict"),
        ("pixels", "big"),
        ("pixels", "1x1"),
        ("models", ","),
    ],
)
def test_other_values_are_refused(option: str, typed: str) -> None:
    """Nothing is guessed at."""
    with pytest.raises(BadOption, match=f"`{option}` is .* Nothing was changed"):
        rule_named(option).kind.read(option, typed)


def test_an_unknown_rule_has_a_neighbour() -> None:
    """What was probably meant is offered."""
    with pytest.raises(BadOption, match=r"no limit “step”\. Did you mean `steps`"):
        rule_named("step")
