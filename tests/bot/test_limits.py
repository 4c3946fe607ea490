"""Every rule refuses with a sentence, and a server can turn none of them beyond the host's bounds."""

from __future__ import annotations

import re

import pytest

from bot.errors import LimitReached
from bot.limits import RULES, Limits, Rule, check_line, check_request, limits_from
from tests.bot.records import request


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


def test_nothing_stored_means_the_defaults() -> None:
    """And a value that was stored for one rule leaves the others alone."""
    assert limits_from({}) == Limits()
    assert limits_from({"most_steps": 12}) == Limits(most_steps=12)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.field)
def test_stored_values_are_kept_within_the_hosts_bounds(rule: Rule) -> None:
    """A ceiling that the host lowered holds at once, whatever was stored before; nothing shuts everybody out."""
    assert getattr(limits_from({rule.field: rule.high + 1000}), rule.field) == rule.high
    assert getattr(limits_from({rule.field: 0}), rule.field) == rule.low
    assert getattr(limits_from({rule.field: rule.high}), rule.field) == rule.high


def test_a_rule_that_no_longer_exists_is_ignored() -> None:
    """An old row in the database does not keep the bot from starting a job."""
    assert limits_from({"most_moons": 3}) == Limits()


def test_every_limit_has_a_rule_whose_bounds_hold_its_default() -> None:
    """What /limits shows is what there is; its option names are such as Discord takes."""
    defaults = Limits()

    assert [rule.field for rule in RULES] == list(Limits.__struct_fields__)
    for rule in RULES:
        assert rule.low <= getattr(defaults, rule.field) <= rule.high
        assert re.fullmatch(r"[a-z-]{1,32}", rule.option)
