"""What the words filter is asked about: everything that people write and others may come to read, or the engine draws.

Negative prompts are not: they name what should *not* be there, and "nude, blood" in one is what careful people write.
(A guidance below 1, which would turn that round, does without them.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog

from bot import texts
from bot.asker import Asker
from bot.audit import Audit
from bot.errors import LimitReached
from bot.store import AuditEntry, Job, NewJob, Standing, Store, Style
from bot.words import Words, WordsRefused

log = structlog.get_logger(__name__)


class Screening:
    """Every refusal is logged: of whom and about what, never the words. Names of pieces and styles cannot wait."""

    def __init__(self, store: Store, words: Words, audit: Audit, *, now: Callable[[], float]) -> None:
        self._store = store
        self._words = words
        self._audit = audit
        self._now = now

    async def admit(self, new: NewJob) -> str | None:
        """Why it has to wait for a moderator, else None. Raises WordsRefused."""
        if new.upload is not None and new.upload.piece is not None:
            await self._check_now(
                new.guild_id, new.standing, new.author_id, {texts.NAME_SAYS: new.upload.piece}
            )
        return await self._checked(new.guild_id, new.standing, new.author_id, _said(new))

    async def still_allows(self, job: Job) -> None:
        """At its turn. What a moderator let through once is not held again. Raises Refusal."""
        held_for = await self.look_at(job)
        if held_for is not None and not job.let_through:
            raise LimitReached(texts.held_since(held_for))

    async def look_at(self, job: Job) -> str | None:
        """Why a job that was accepted would be held now, else None. Raises WordsRefused."""
        return await self._checked(job.guild_id, job.standing, job.author_id, _said(job))

    async def check_name(self, asker: Asker, name: str) -> None:
        """Of a piece that is kept without a job. Raises Refusal."""
        await self._check_now(asker.guild_id, asker.standing, asker.person_id, {texts.NAME_SAYS: name})

    async def check_style(self, guild_id: int, by: int, style: Style) -> None:
        """One that is to be added; it is used in every channel, so it has to suit all of them. Raises Refusal."""
        said = {texts.STYLE_SAYS: f"{style.name}\n{style.template}"}
        await self._check_now(guild_id, Standing(), by, said)

    async def _check_now(
        self, guild_id: int | None, standing: Standing, person_id: int, said: Mapping[str, str]
    ) -> None:
        held_for = await self._checked(guild_id, standing, person_id, said)
        if held_for is not None:
            raise LimitReached(texts.name_refused(held_for))

    async def _checked(
        self, guild_id: int | None, standing: Standing, person_id: int, said: Mapping[str, str]
    ) -> str | None:
        try:
            return await self._words.check(guild_id, standing, said)
        except WordsRefused as refused:
            log.info("words refused", server=guild_id, person=person_id, kind=refused.kind)
            entry = AuditEntry(
                guild_id=guild_id,
                at=self._now(),
                actor_id=None,
                action=texts.DID_REFUSE_WORDS,
                subject=texts.mention(person_id),
                reason=refused.kind,
            )
            async with self._audit.change(entry):
                pass
            raise


def _said(job: Job | NewJob) -> dict[str, str]:
    """The prompt in its author's words, and as the style turns it into: words could be spelt by both together."""
    said = {texts.PROMPT_SAYS: job.request.prompt}
    if job.style is not None:
        said[texts.STYLE_SAYS] = job.style.round(job.request).prompt
    return said
