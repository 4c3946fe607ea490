"""Whether moderators let somebody use the bot in their server; asked before whatever makes or changes something.

Commands are asked in `ArtTree.interaction_check`, buttons and selects by `Guarded`, forms in `on_form`, replies in
`on_reply`; and jobs by the Gate, at their acceptance and at their turn. In the same places it is asked whether what a
button, select or form names is of the server that it is used in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import discord

from bot import custom_ids, texts
from bot.answers import answer_error
from bot.errors import NotAllowed
from bot.store import Store

if TYPE_CHECKING:
    from bot.client import ArtBot

OPEN_COMMANDS = frozenset(
    {"help", "about", "line", "queue", "history", "share", "export", "privacy", "forget-me", "Show recipe"}
)
"""What only reads, and what is everybody's right: to take their own along, keep it for themselves or have it forgotten.

Deleting one picture is not among them: a Scene's owner may delete what others made in it.
"""

OPEN_PRESSES = frozenset(
    {custom_ids.HELP, custom_ids.QUEUE, custom_ids.LINE, custom_ids.SHARE, custom_ids.FORGET}
)
"""The second part of the custom_ids of what belongs to those."""


class Blocks:
    def __init__(self, store: Store, *, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    async def check(self, guild_id: int | None, person_id: int) -> None:
        """Raises NotAllowed for who is blocked there now. Nobody is in direct messages."""
        block = await self._store.blocks.of(guild_id, person_id, self._now()) if guild_id else None
        if block is not None:
            raise NotAllowed(texts.you_are_blocked(block.until, block.reason))

    async def check_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """The same for a command, a press or a form, also where the host banned the whole server. Raises NotAllowed."""
        if not _is_open(interaction):
            await interaction.client.host.check_ban(interaction.guild_id)
            await self.check(interaction.guild_id, interaction.user.id)


async def check_admitted(interaction: discord.Interaction[ArtBot]) -> None:
    """Raises NotAllowed for whom nobody wants here, and Gone for what is of another server."""
    named = custom_ids.named(str(cast("dict[str, Any]", interaction.data or {}).get("custom_id")))
    if named is not None:
        await interaction.client.reach.check_here(interaction.guild_id, interaction.channel_id, *named)
    await interaction.client.blocks.check_interaction(interaction)


async def admits(interaction: discord.Interaction[ArtBot]) -> bool:
    """False once the person has read why not."""
    try:
        await check_admitted(interaction)
    except Exception as error:
        # discord.py answers nobody for what goes wrong in a check.
        await answer_error(interaction, error)
        return False
    return True


class Guarded:
    """First among the bases of every button and select: it asks before they do anything.

    `answering` would be too late for that, for its body cannot be skipped.
    """

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        return await admits(interaction)


def _is_open(interaction: discord.Interaction[Any]) -> bool:
    """Completing what somebody types is nothing that they do."""
    data = cast("dict[str, Any]", interaction.data or {})
    match interaction.type:
        case discord.InteractionType.application_command:
            return data.get("name") in OPEN_COMMANDS
        case discord.InteractionType.component | discord.InteractionType.modal_submit:
            return str(data.get("custom_id")).split(":")[1:2] in [[name] for name in OPEN_PRESSES]
        case _:
            return True
