"""What /usage tells: who used a server's share of the engine, per person and per day. No Discord, no clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from bot import texts
from bot.charts import Panel, UsageChart
from bot.store import Used

MOST_DAYS = 30
"""Older numbers are not kept."""

MOST_IN_CHART = 5
"""Persons with a colour of their own; the others share one."""


class Sum(msgspec.Struct, frozen=True, kw_only=True):
    """Of one person or of several. waited: seconds from acceptance to start, of all jobs together."""

    jobs: int = 0
    gpu_seconds: float = 0.0
    waited: float = 0.0

    @property
    def mean_wait(self) -> float:
        """Seconds per job; 0 without any."""
        return self.waited / self.jobs if self.jobs else 0.0


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Of one server. first_day: counted since 1970, in UTC. people: who used most of the engine's time comes first.

    A person's id is 0 once they are forgotten.
    """

    first_day: int
    days: int
    people: Mapping[int, Sum]
    total: Sum
    today: Sum
    by_day: Mapping[tuple[int, int], Sum]
    """By person and day."""


def usage_of(used: Sequence[Used], today: int, days: int) -> Usage:
    """today: counted since 1970. used: what was used on it and on the `days` - 1 before, in any order."""
    people = {person: [each for each in used if each.person_id == person] for person in _people(used)}
    sums = {person: _sum(theirs) for person, theirs in people.items()}
    return Usage(
        first_day=today - days + 1,
        days=days,
        people=dict(sorted(sums.items(), key=lambda item: (-item[1].gpu_seconds, -item[1].jobs, item[0]))),
        total=_sum(used),
        today=_sum([each for each in used if each.day == today]),
        by_day={(each.person_id, each.day): _sum([each]) for each in used},
    )


def chart_of(usage: Usage, names: Mapping[int, str]) -> UsageChart:
    """Stacked by those who used most, numbered as the words beside it number them, and by all others together."""
    people = list(usage.people)
    shown = people[: MOST_IN_CHART if len(people) > MOST_IN_CHART + 1 else len(people)]
    others = people[len(shown) :]
    groups = [[person] for person in shown] + ([others] if others else [])
    labels = [
        texts.numbered(number, names.get(person, texts.SOMEBODY))
        for number, person in enumerate(shown, start=1)
    ]
    return UsageChart(
        first_day=usage.first_day,
        names=(*labels, texts.other_people(len(others))) if others else tuple(labels),
        panels=_panels(usage, groups),
        has_others=bool(others),
    )


def _panels(usage: Usage, groups: Sequence[Sequence[int]]) -> tuple[Panel, ...]:
    """How high a stack of waits is, is the mean wait of that day: each person has the part that is theirs."""
    days = range(usage.first_day, usage.first_day + usage.days)
    of_day = {
        day: sum(each.jobs for (_, other), each in usage.by_day.items() if other == day) for day in days
    }

    def per_day(quantity: Callable[[Sum, int], float]) -> list[list[float]]:
        nothing = Sum()
        return [
            [sum(quantity(usage.by_day.get((person, day), nothing), day) for person in group) for day in days]
            for group in groups
        ]

    return (
        _panel_of_time(texts.CHART_GPU_TIME, per_day(lambda each, _: each.gpu_seconds)),
        Panel(caption=texts.CHART_JOBS, values=_frozen(per_day(lambda each, _: each.jobs))),
        _panel_of_time(
            texts.CHART_MEAN_WAIT, per_day(lambda each, day: each.waited / of_day[day] if each.jobs else 0.0)
        ),
    )


def _panel_of_time(caption: str, seconds: Sequence[Sequence[float]]) -> Panel:
    """In the unit that makes the longest day a number to read."""
    longest = max(map(sum, zip(*seconds, strict=True)))
    unit, length = texts.unit_of_time(longest)
    return Panel(
        caption=texts.in_unit(caption, unit),
        values=_frozen([[value / length for value in values] for values in seconds]),
    )


def _frozen(values: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(each) for each in values)


def _people(used: Sequence[Used]) -> list[int]:
    return list(dict.fromkeys(each.person_id for each in used))


def _sum(used: Sequence[Used]) -> Sum:
    return Sum(
        jobs=sum(each.jobs for each in used),
        gpu_seconds=sum(each.gpu_seconds for each in used),
        waited=sum(each.waited for each in used),
    )
