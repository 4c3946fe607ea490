"""What one person or server may ask. Every rule refuses with a sentence.

This is where all rules live; today they are those that a server's moderators can turn with /limits, four limits and a
switch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from bot import texts
from bot.errors import LimitReached
from bot.options import MOST_CANDIDATES, MOST_STEPS
from inference import ImageRequest

STRIP_COUNTS_AS = 4
"""The five pictures of a strength strip run 0.3 + 0.45 + 0.6 + 0.75 + 0.9 = 3 times the steps that were asked for:
exactly what four pictures of a sketch run at the usual strength of 0.75."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of one place. Field names are the names under which a server's own values are stored."""

    waiting_per_person: int = 3
    waiting_per_server: int = 20
    most_steps: int = 50
    most_candidates: int = 4
    recipes: int = 1


@dataclass(frozen=True)
class Rule:
    """One field of Limits as /limits shows and sets it. `high` is the host's ceiling."""

    field: str
    option: str
    help: str
    low: int
    high: int

    @property
    def is_switch(self) -> bool:
        return (self.low, self.high) == (0, 1)


RULES = (
    Rule("waiting_per_person", "waiting-per-person", "Jobs one person may have waiting or running", 1, 20),
    Rule("waiting_per_server", "waiting-per-server", "Jobs this server may have waiting or running", 1, 200),
    Rule("most_steps", "steps", "The most steps one job may ask for", 1, MOST_STEPS),
    Rule(
        "most_candidates",
        "candidates",
        f"The most pictures one job may ask for; a strength strip counts as {STRIP_COUNTS_AS}",
        1,
        MOST_CANDIDATES,
    ),
    Rule("recipes", "recipes", "Whether picture files say how they were made: prompt, seed …", 0, 1),
)


def limits_from(stored: Mapping[str, int]) -> Limits:
    """A server's rules: its own values over the defaults, never above the host's ceilings nor below the floors."""
    own = {
        rule.field: max(rule.low, min(stored[rule.field], rule.high))
        for rule in RULES
        if rule.field in stored
    }
    return Limits(**own)


def check_request(limits: Limits, request: ImageRequest) -> None:
    """Raises LimitReached if the request is larger than this place allows."""
    if request.steps > limits.most_steps:
        raise LimitReached(texts.too_many_steps(request.steps, limits.most_steps))
    if request.strengths:
        if limits.most_candidates < STRIP_COUNTS_AS:
            raise LimitReached(texts.no_room_for_strip(STRIP_COUNTS_AS, limits.most_candidates))
    elif len(request.seeds) > limits.most_candidates:
        raise LimitReached(texts.too_many_candidates(len(request.seeds), limits.most_candidates))


def check_line(limits: Limits, waiting_of_person: int, waiting_in_server: int) -> None:
    """Raises LimitReached if one more job would be too many."""
    if waiting_of_person >= limits.waiting_per_person:
        raise LimitReached(texts.person_waits_enough(waiting_of_person, limits.waiting_per_person))
    if waiting_in_server >= limits.waiting_per_server:
        raise LimitReached(texts.server_waits_enough(waiting_in_server, limits.waiting_per_server))
