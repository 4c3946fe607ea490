"""/limits: moderators turn the rules of their server, a channel or a role from inside Discord; effective at once.

One rule and one value at a time: a list of seventeen optional fields cannot be used on a phone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import discord
from discord import app_commands

from bot import texts
from bot.asker import guild_of
from bot.errors import BadOption
from bot.limits import RULES, Names, Rule, rule_named
from bot.options import nearest
from bot.standing import standing_of
from bot.store import AuditEntry, Scope, SetRule

if TYPE_CHECKING:
    from bot.client import ArtBot


AnyChannel = app_commands.AppCommandChannel | app_commands.AppCommandThread


class _AnyChannel(app_commands.Transformer):
    """Where pictures can be asked for, forums included. (discord.py adds media channels to those, which Discord's own
    description of its API does not know.)"""

    @property
    def type(self) -> discord.AppCommandOptionType:
        return discord.AppCommandOptionType.channel

    @property
    def channel_types(self) -> list[discord.ChannelType]:
        kinds = discord.ChannelType
        threads = [kinds.public_thread, kinds.private_thread, kinds.news_thread]
        return [kinds.text, kinds.news, kinds.voice, kinds.stage_voice, kinds.forum, *threads]

    async def transform(
        self,
        interaction: discord.Interaction[Any],  # noqa: ARG002 - discord.py's signature
        value: Any,
    ) -> AnyChannel:
        assert isinstance(value, AnyChannel)  # what Discord sends for such an option
        return value


Channel: TypeAlias = app_commands.Transform[AnyChannel, _AnyChannel]
MOST_OFFERED = 25

_RULE_CHOICES = [app_commands.Choice(name=rule.option, value=rule.option) for rule in RULES]
_SCOPES = {
    "channel": "For this channel and its threads only",
    "role": "For people with this role only; it wins over channel and server",
}


class LimitsCommands(
    app_commands.Group,
    name="limits",
    description="What people may ask of me in this server",
    guild_only=True,
    default_permissions=discord.Permissions(manage_guild=True),
):
    """Who may use it is Discord's matter: a default that admins can hand on in their server's own settings."""

    @app_commands.command(
        description="Show the limits of this server, of a channel or role, or those of a person"
    )
    @app_commands.describe(person="What holds for them here, and why", **_SCOPES)
    async def show(
        self,
        interaction: discord.Interaction[ArtBot],
        person: discord.User | None = None,
        channel: Channel | None = None,
        role: discord.Role | None = None,
    ) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        if person is not None:
            if not isinstance(person, discord.Member):
                raise BadOption(texts.not_a_member(person.id))
            said = await _of_person(interaction, person, channel)
        elif channel is not None or role is not None:
            said = await _of_scope(interaction, *_scope(interaction, channel, role))
        else:
            said = await _of_server(interaction)
        await interaction.edit_original_response(content=said)

    @app_commands.command(description="Change a limit of this server, of a channel or of a role")
    @app_commands.choices(rule=_RULE_CHOICES)
    @app_commands.describe(rule="Which limit", value="To what", **_SCOPES)
    async def set(
        self,
        interaction: discord.Interaction[ArtBot],
        rule: str,
        value: app_commands.Range[str, 1, 200],
        channel: Channel | None = None,
        role: discord.Role | None = None,
    ) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        scope, scope_id = _scope(interaction, channel, role)
        said = await _set(interaction, rule_named(rule), value, scope, scope_id)
        await interaction.edit_original_response(content=said)

    @set.autocomplete("value")
    async def _values(
        self, interaction: discord.Interaction[ArtBot], current: str
    ) -> list[app_commands.Choice[str]]:
        """What holds now, and examples."""
        chosen = interaction.namespace.rule
        rule = next((rule for rule in RULES if rule.option == chosen), None)
        if rule is None:
            return []
        now = await interaction.client.rules.limits(interaction.guild_id)
        known = await _known(interaction, rule)
        values = [rule.kind.say(getattr(now, rule.field)), *rule.kind.examples(), *known]
        fitting = dict.fromkeys(value for value in values if current.lower() in value.lower())
        return [app_commands.Choice(name=value, value=value) for value in list(fitting)[:MOST_OFFERED]]

    @app_commands.command(description="Put limits back to what holds without them")
    @app_commands.choices(rule=_RULE_CHOICES)
    @app_commands.describe(rule="Which limit; without it all of them", **_SCOPES)
    async def reset(
        self,
        interaction: discord.Interaction[ArtBot],
        rule: str | None = None,
        channel: Channel | None = None,
        role: discord.Role | None = None,
    ) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        scope, scope_id = _scope(interaction, channel, role)
        said = await _reset(interaction, rule_named(rule) if rule else None, scope, scope_id)
        await interaction.edit_original_response(content=said)


def _scope(
    interaction: discord.Interaction[ArtBot],
    channel: AnyChannel | None,
    role: discord.Role | None,
) -> tuple[Scope, int]:
    if channel is not None and role is not None:
        raise BadOption(texts.CHANNEL_OR_ROLE)
    if role is not None:
        # Everybody has the role @everyone, and no Standing names it.
        return (Scope.SERVER, guild_of(interaction)) if role.is_default() else (Scope.ROLE, role.id)
    return (Scope.CHANNEL, channel.id) if channel is not None else (Scope.SERVER, guild_of(interaction))


async def _of_server(interaction: discord.Interaction[ArtBot]) -> str:
    bot, guild_id = interaction.client, guild_of(interaction)
    decisions = await bot.rules.why(guild_id)
    own = await bot.rules.set_here(guild_id, Scope.SERVER, guild_id)
    rows = [
        (rule.option, rule.kind.say(decisions[rule.field].value), rule.field in own)
        for rule in RULES
        if Scope.SERVER in rule.scopes
    ]
    others = [each for each in await bot.store.rules.of(guild_id) if each.scope is not Scope.SERVER]
    return texts.limits_table(rows, [_named(interaction, each) for each in others])


async def _of_scope(interaction: discord.Interaction[ArtBot], scope: Scope, scope_id: int) -> str:
    own = await interaction.client.rules.set_here(guild_of(interaction), scope, scope_id)
    rows = [(rule.option, rule.kind.say(own[rule.field])) for rule in RULES if rule.field in own]
    return texts.limits_of_scope(scope, scope_id, rows)


async def _of_person(
    interaction: discord.Interaction[ArtBot],
    person: discord.Member,
    channel: AnyChannel | None,
) -> str:
    """In that channel, else in this one; with what they used today."""
    bot, guild_id = interaction.client, guild_of(interaction)
    place = (channel.resolve() if channel is not None else None) or interaction.channel
    assert place is not None  # the command is of servers only
    standing = standing_of(person, place)  # type: ignore[arg-type]  # a forum's threads have the rules that it has
    decisions = await bot.rules.why(guild_id, standing)
    now = bot.now()
    async with bot.store.transaction() as tx:
        waiting, _ = await bot.store.count_waiting(tx, guild_id, person.id)
        hour = await bot.store.asked_since(tx, guild_id, person.id, now - 3600)
        used, _ = await bot.store.usages.today(tx, guild_id, person.id, now)
    rows = [
        texts.decided(
            each.rule.option,
            each.rule.kind.say(each.value),
            texts.whose(each.whose.scope, each.whose.scope_id, each.whose.host),
            [
                (each.rule.kind.say(value), texts.whose(other.scope, other.scope_id, other.host))
                for other, value in each.others
            ],
        )
        for each in decisions.values()
    ]
    return texts.limits_of_person(person.id, place.id, rows, waiting, len(hour), used)


async def _set(
    interaction: discord.Interaction[ArtBot], rule: Rule, typed: str, scope: Scope, scope_id: int
) -> str:
    bot, guild_id = interaction.client, guild_of(interaction)
    if scope not in rule.scopes:
        raise BadOption(texts.not_in_that_scope(rule.option, scope, rule.scopes))
    value = rule.kind.read(rule.option, typed)
    await _check_known(interaction, rule, value)
    own = await bot.rules.set_here(guild_id, scope, scope_id)
    before = own.get(rule.field)
    if before is not None and rule.kind.say(before) == rule.kind.say(value):
        raise BadOption(texts.already_so(rule.option, rule.kind.say(value)))
    if before is None:
        before = getattr(await bot.rules.limits(guild_id), rule.field)
    entry = _entry(interaction, rule.option, scope, scope_id, rule.kind.say(before), rule.kind.say(value))
    async with bot.audit.change(entry) as tx:
        new = SetRule(scope=scope, scope_id=scope_id, name=rule.field, value=value)
        await bot.store.rules.set(tx, guild_id, new, by=interaction.user.id, now=bot.now())
    holds = (await bot.rules.why(guild_id))[rule.field]
    above = holds.whose.host and scope is Scope.SERVER
    return texts.limit_changed(
        rule.option,
        rule.kind.say(before),
        rule.kind.say(value),
        texts.whose(scope, scope_id, host=False),
        rule.kind.say(holds.value) if above else None,
    )


async def _reset(
    interaction: discord.Interaction[ArtBot], rule: Rule | None, scope: Scope, scope_id: int
) -> str:
    """All of a server takes along what was set for roles and channels that are gone: nobody can name them any more."""
    bot, guild_id = interaction.client, guild_of(interaction)
    own = await bot.rules.set_here(guild_id, scope, scope_id)
    going = [each for each in RULES if each.field in own and rule in (None, each)]
    before = ", ".join(f"{each.option} {each.kind.say(own[each.field])}" for each in going)
    entry = _entry(
        interaction, rule.option if rule else texts.ALL_LIMITS, scope, scope_id, before, texts.DEFAULT
    )
    async with bot.audit.change(entry) as tx:
        count = await bot.store.rules.reset(tx, guild_id, scope, scope_id, rule.field if rule else None)
        if rule is None and scope is Scope.SERVER:
            for gone in {(each.scope, each.scope_id) for each in await _of_nothing(interaction)}:
                count += await bot.store.rules.reset(tx, guild_id, *gone)
        if not count:
            raise BadOption(texts.nothing_to_reset(texts.whose(scope, scope_id, host=False)))
    return texts.limits_reset(rule.option if rule else None, texts.whose(scope, scope_id, host=False))


async def _of_nothing(interaction: discord.Interaction[ArtBot]) -> list[SetRule]:
    """Rules of roles and channels that are gone."""
    own = await interaction.client.store.rules.of(guild_of(interaction))
    return [each for each in own if each.scope is not Scope.SERVER and not _is_there(interaction, each)]


def _is_there(interaction: discord.Interaction[ArtBot], rule: SetRule) -> bool:
    guild = interaction.guild
    assert guild is not None  # the command is of servers only
    if rule.scope is Scope.ROLE:
        return guild.get_role(rule.scope_id) is not None
    return guild.get_channel_or_thread(rule.scope_id) is not None


def _named(interaction: discord.Interaction[ArtBot], rule: SetRule) -> tuple[str, str, str]:
    """Whose, which and what."""
    of = texts.whose(rule.scope, rule.scope_id, host=False)
    shown = of if _is_there(interaction, rule) else texts.gone_scope(rule.scope)
    known = next((each for each in RULES if each.field == rule.name), None)
    if known is None or not known.kind.keeps(rule.value):
        return shown, rule.name, str(rule.value)
    return shown, known.option, known.kind.say(rule.value)


async def _known(interaction: discord.Interaction[ArtBot], rule: Rule) -> list[str]:
    """What a list of names can hold."""
    bot = interaction.client
    if rule.field == "models":
        return [model.name for model in bot.engine.models()]
    return (
        [style.name for style in await bot.styles.known(interaction.guild_id)]
        if rule.field == "styles"
        else []
    )


async def _check_known(interaction: discord.Interaction[ArtBot], rule: Rule, value: object) -> None:
    """Raises BadOption for a model or style that there is not: it would shut out every other."""
    if not isinstance(rule.kind, Names) or not isinstance(value, tuple):
        return
    known = await _known(interaction, rule)
    unknown = texts.unknown_model if rule.field == "models" else texts.unknown_style
    for name in value:
        if name not in known:
            raise BadOption(unknown(name, nearest(name, known), known))


def _entry(
    interaction: discord.Interaction[ArtBot],
    option: str,
    scope: Scope,
    scope_id: int,
    before: str,
    after: str,
) -> AuditEntry:
    return AuditEntry(
        guild_id=guild_of(interaction),
        at=interaction.client.now(),
        actor_id=interaction.user.id,
        action=texts.DID_SET_LIMIT,
        subject=f"{option}, {texts.whose(scope, scope_id, host=False)}",
        before=before,
        after=after,
    )
