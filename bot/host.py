"""What the host decides across all servers: ceilings, weights, whom not to serve at all, and when nothing new comes in.

Everything here is about the database alone, so that it can be decided where no bot runs too. `bot.host_live` makes it
take effect in a running one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bot import texts
from bot.errors import BadOption, LimitReached, NotAllowed
from bot.host_questions import HIGHEST_ID
from bot.limits import RULES, Limits, Rule, rule_named
from bot.options import nearest
from bot.store import AuditEntry, Store

LOWEST_WEIGHT, HIGHEST_WEIGHT = 0.1, 10.0
LONGEST_REASON = 300
NO_CEILING = "none"
DIRECT_MESSAGES = "dm"
"""How the host calls them, among servers; their id is 0."""


class Host:
    """What changes something returns what the log says of it, or raises Refusal and changes nothing.

    is_draining: whether nothing new is begun. models: those that there are; none where that is not known.
    """

    def __init__(
        self,
        store: Store,
        *,
        now: Callable[[], float],
        is_draining: Callable[[], bool] = lambda: False,
        models: Callable[[], Sequence[str]] = lambda: (),
    ) -> None:
        self._store = store
        self._now = now
        self._is_draining = is_draining
        self._models = models

    async def check(self, guild_id: int | None) -> None:
        """For a new job. Raises NotAllowed where the server is banned, LimitReached while the bot is draining."""
        await self.check_ban(guild_id)
        if self._is_draining():
            raise LimitReached(texts.COME_BACK_AFTER_UPDATE)

    async def check_ban(self, guild_id: int | None) -> None:
        """None: the direct messages. Raises NotAllowed."""
        reason = (await self._store.servers.of(guild_id)).banned_for
        if reason is not None:
            raise NotAllowed(texts.banned_by_host(guild_id, reason))

    async def ban(self, server: int, reason: str) -> AuditEntry:
        """One that the bot is not in yet can be banned too."""
        reason = read_reason(reason)
        entry = self._entry(server, texts.DID_BAN, reason=reason)
        async with self._store.transaction() as tx:
            banned_for = (await self._store.servers.of(server)).banned_for
            if banned_for is not None:
                raise NotAllowed(texts.is_banned_already(server, banned_for))
            await self._store.servers.set(tx, server, banned_for=reason)
            await self._store.audits.add(tx, entry)
        return entry

    async def unban(self, server: int) -> AuditEntry:
        entry = self._entry(server, texts.DID_UNBAN)
        async with self._store.transaction() as tx:
            if (await self._store.servers.of(server)).banned_for is None:
                raise NotAllowed(texts.is_not_banned(server))
            await self._store.servers.set(tx, server, banned_for=None)
            await self._store.audits.add(tx, entry)
        return entry

    async def set_weight(self, server: int, weight: float) -> AuditEntry:
        check_weight(weight)
        async with self._store.transaction() as tx:
            before = (await self._store.servers.of(server)).weight
            entry = self._entry(server, texts.DID_WEIGH, before=f"{before:g}", after=f"{weight:g}")
            await self._store.servers.set(tx, server, weight=weight)
            await self._store.audits.add(tx, entry)
        return entry

    async def set_ceiling(self, option: str, words: str | None) -> AuditEntry:
        """words: the value as the host typed it; None takes the ceiling away."""
        rule = rule_named(option)
        value = None if words is None else rule.kind.read(rule.option, words)
        if rule.field == "models" and value:
            self._check_models(value)
        async with self._store.transaction() as tx:
            before = (await self._store.ceilings.all()).get(rule.field)
            if before is None and value is None:
                raise NotAllowed(texts.has_no_ceiling(rule.option))
            entry = self._entry(
                None, texts.DID_CEILING, rule.option, before=_said(rule, before), after=_said(rule, value)
            )
            if value is None:
                await self._store.ceilings.remove(tx, rule.field)
            else:
                await self._store.ceilings.set(tx, rule.field, value, self._now())
            await self._store.audits.add(tx, entry)
        return entry

    async def note_draining(self, *, draining: bool) -> AuditEntry:
        """Only the entry: it lasts no longer than the process."""
        entry = self._entry(None, texts.DID_DRAIN if draining else texts.DID_UNDRAIN)
        async with self._store.transaction() as tx:
            await self._store.audits.add(tx, entry)
        return entry

    async def ceilings(self) -> list[tuple[str, str, str]]:
        """Every rule with its default and its ceiling, as people read them."""
        ceilings, defaults = await self._store.ceilings.all(), Limits()
        return [
            (
                rule.option,
                rule.kind.say(getattr(defaults, rule.field)),
                _said(rule, ceilings.get(rule.field)),
            )
            for rule in RULES
        ]

    def _check_models(self, names: Sequence[str]) -> None:
        """A name that nothing is called would keep everybody from drawing. Raises BadOption."""
        known = self._models()
        for name in names:
            if known and name not in known:
                raise BadOption(texts.unknown_model(name, nearest(name, known), known))

    def _entry(
        self,
        server: int | None,
        action: str,
        subject: str = "",
        *,
        before: str = "",
        after: str = "",
        reason: str = "",
    ) -> AuditEntry:
        return AuditEntry(
            guild_id=server or None,
            at=self._now(),
            actor_id=None,
            action=action,
            subject=subject,
            before=before,
            after=after,
            reason=reason,
        )


def read_server(words: str) -> int:
    """A server's id as the host typed it. Raises BadOption."""
    if words.strip().lower() == DIRECT_MESSAGES:
        return 0
    server = _whole(words)
    if server is None or not 0 < server <= HIGHEST_ID:
        raise BadOption(texts.not_a_server_id(words))
    return server


def read_weight(words: str) -> float:
    """Raises BadOption."""
    try:
        weight = float(words)
    except ValueError:
        raise BadOption(texts.not_a_weight(words, LOWEST_WEIGHT, HIGHEST_WEIGHT)) from None
    check_weight(weight)
    return weight


def check_weight(weight: float) -> None:
    """Raises BadOption."""
    if not LOWEST_WEIGHT <= weight <= HIGHEST_WEIGHT:  # nor is NaN
        raise BadOption(texts.not_a_weight(f"{weight:g}", LOWEST_WEIGHT, HIGHEST_WEIGHT))


def read_reason(words: str) -> str:
    """One line without anything that a terminal or Discord would obey. Raises BadOption."""
    reason = texts.unformatted(words, LONGEST_REASON + 1)
    if not reason or len(reason) > LONGEST_REASON:
        raise BadOption(texts.not_a_reason(LONGEST_REASON))
    return reason


def _whole(words: str) -> int | None:
    """Nobody means more than 19 digits, and Python refuses to read thousands."""
    digits = words.strip()
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= 19 else None


def _said(rule: Rule, value: Any) -> str:
    return NO_CEILING if value is None else rule.kind.say(value)
