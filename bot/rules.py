"""Which limits hold for somebody in a place, and why.

Each rule is settled on its own: the most generous of the person's roles that set it, else the channel (a thread before
the channel that it hangs under), else the server, else the default. The host's ceilings hold above all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from bot import texts
from bot.errors import LimitReached
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
)
from bot.options import Options
from bot.store import Job, NewJob, Scope, SetRule, Standing, Store, Transaction
from inference import Strictness

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Whose:
    """Who decided a value. scope: None for the default; host: a ceiling took from what it says."""

    scope: Scope | None = None
    scope_id: int = 0
    host: bool = False


@dataclass(frozen=True)
class Decision:
    """What holds, who decided it, and what others set that did not count, the nearest first."""

    rule: Rule
    value: Any
    whose: Whose
    others: tuple[tuple[Whose, Any], ...] = ()


class Rules:
    def __init__(self, store: Store, *, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    async def limits(self, guild_id: int | None, standing: Standing | None = None) -> Limits:
        """Those of somebody, or without a standing those of the server as such."""
        return _limits(await self.why(guild_id, standing))

    async def why(self, guild_id: int | None, standing: Standing | None = None) -> dict[str, Decision]:
        """The same, rule by rule. Direct messages have the defaults."""
        return await _decisions(self._store, guild_id, standing or Standing())

    async def set_here(self, guild_id: int, scope: Scope, scope_id: int) -> dict[str, Any]:
        """What that scope itself sets, by field."""
        stored = await self._store.rules.of(guild_id)
        return {
            rule.field: each.value
            for rule in RULES
            for each in _sensible(rule, stored)
            if (each.scope, each.scope_id) == (scope, scope_id)
        }

    async def fitted(self, new: NewJob, said: Options) -> NewJob:
        """What nobody asked for in so many words stays within the rules; what somebody said is left to be refused."""
        limits, request = await self.limits(new.guild_id, new.standing), new.request
        if said.steps is None and request.steps > limits.most_steps:
            request = msgspec.structs.replace(request, steps=limits.most_steps)
        if said.candidates is None and not request.strengths:
            request = msgspec.structs.replace(request, seeds=request.seeds[: limits.most_candidates])
        return msgspec.structs.replace(new, request=request)

    # What the gate asks

    async def check(self, asked: NewJob | Job) -> None:
        """Whoever asks may, and for as much. Raises LimitReached."""
        decisions = await self.why(asked.guild_id, asked.standing)
        limits = _limits(decisions)
        try:
            check_who(limits, asked.standing.joined_at, self._now())
            check_request(limits, asked.request, asked.style.name if asked.style else None)
        except Beyond as no:
            raise _said(no, decisions) from None

    async def check_counts(self, tx: Transaction, asked: NewJob) -> None:
        """One more job is not too many, nor too soon. Raises LimitReached."""
        decisions = await self.why(asked.guild_id, asked.standing)
        limits, now = _limits(decisions), self._now()
        mine, all_here = await self._store.count_waiting(tx, asked.guild_id, asked.author_id)
        asked_at = await self._store.asked_since(tx, asked.guild_id, asked.author_id, now - DAY_SECONDS)
        used = await self._store.usages.today(tx, asked.guild_id, asked.author_id, now)
        if asked.guild_id is None:
            # Direct messages are no server: strangers who write there do not stand in each other's way.
            all_here, used = mine, (used[0], 0.0)
        try:
            check_line(limits, mine, all_here)
            check_pace(limits, asked_at, now)
            check_used(limits, *used, now)
        except Beyond as no:
            raise _said(no, decisions) from None

    async def check_used(self, job: Job) -> None:
        """Its turn has come: is there still some of the day's time? Raises LimitReached."""
        decisions = await self.why(job.guild_id, job.standing)
        async with self._store.transaction() as tx:
            mine, all_here = await self._store.usages.today(tx, job.guild_id, job.author_id, self._now())
        try:
            check_used(_limits(decisions), mine, all_here if job.guild_id is not None else 0.0, self._now())
        except Beyond as no:
            raise _said(no, decisions) from None


async def limits_of_server(store: Store, guild_id: int | None) -> Limits:
    """Those of the server as such, for whatever is not about a person."""
    return _limits(await _decisions(store, guild_id, Standing()))


async def _decisions(store: Store, guild_id: int | None, who: Standing) -> dict[str, Decision]:
    stored = await store.rules.of(guild_id) if guild_id is not None else []
    ceilings = await store.ceilings.all()
    return settle(stored, who, ceilings)


def settle(stored: Sequence[SetRule], who: Standing, ceilings: Mapping[str, Any]) -> dict[str, Decision]:
    """What holds for somebody of all that was set in a server, by field."""
    return {rule.field: _decide(rule, _sensible(rule, stored), who, ceilings) for rule in RULES}


def _sensible(rule: Rule, stored: Sequence[SetRule]) -> list[SetRule]:
    """Of that rule, less what an earlier or later version stored and means nothing here."""
    mine = [each for each in stored if each.name == rule.field and each.scope in rule.scopes]
    for each in mine:
        if not rule.kind.keeps(each.value):
            log.warning("a stored rule means nothing", rule=rule.field, scope=each.scope, of=each.scope_id)
    return [each for each in mine if rule.kind.keeps(each.value)]


def _decide(rule: Rule, stored: list[SetRule], who: Standing, ceilings: Mapping[str, Any]) -> Decision:
    found: list[tuple[Whose, Any]] = []
    of_roles = [each for each in stored if each.scope is Scope.ROLE and each.scope_id in who.role_ids]
    if of_roles:
        # Each within the ceiling, and not only their union: another role must never take anything away.
        best = rule.generous([_held(rule, each.value, who, ceilings) for each in of_roles])
        role = max(of_roles, key=lambda each: rule.kind.say(each.value) == rule.kind.say(best))
        found.append((Whose(Scope.ROLE, role.scope_id), rule.generous([each.value for each in of_roles])))
    for channel_id in who.channel_ids:
        found += [
            (Whose(Scope.CHANNEL, channel_id), each.value)
            for each in stored
            if (each.scope, each.scope_id) == (Scope.CHANNEL, channel_id)
        ]
    found += [
        (Whose(Scope.SERVER, each.scope_id), each.value) for each in stored if each.scope is Scope.SERVER
    ]
    found.append((Whose(), _default(rule, who)))
    (whose, value), *others = found
    held = best if of_roles else _held(rule, value, who, ceilings)
    if rule.kind.say(held) != rule.kind.say(value):
        whose = Whose(whose.scope, whose.scope_id, host=True)
    return Decision(rule, held, whose, tuple(others[:-1]))


def _default(rule: Rule, who: Standing) -> Any:
    if rule.field == "safety":
        return Strictness.SPOILER if who.adults_only else Strictness.BLOCK
    return getattr(Limits(), rule.field)


def _held(rule: Rule, value: Any, who: Standing, ceilings: Mapping[str, Any]) -> Any:
    """Within what the host allows, and Discord: what is for adults has its place in age-restricted channels only."""
    if rule.field == "safety" and not who.adults_only:
        value = rule.kind.capped(value, Strictness.SPOILER)
    ceiling = ceilings.get(rule.field)
    return rule.kind.capped(value, ceiling) if ceiling is not None and rule.kind.keeps(ceiling) else value


def _limits(decisions: Mapping[str, Decision]) -> Limits:
    return msgspec.convert({field: each.value for field, each in decisions.items()}, Limits)


def _said(no: Beyond, decisions: Mapping[str, Decision]) -> LimitReached:
    rule, whose = decisions[no.field].rule, decisions[no.field].whose
    return LimitReached(f"{no} {texts.whose_rule(rule.option, whose.scope, whose.scope_id, whose.host)}")
