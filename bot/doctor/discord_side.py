"""The token, what the portal allows, and the link that invites the bot."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import discord

from bot.doctor.findings import Finding, mend, note, ok
from bot.permissions import NAMES, invite_link
from bot.run import BAD_TOKEN, NO_INTENT
from bot.settings import Settings

LOGIN_SECONDS = 20.0
PORTAL = "https://discord.com/developers/applications"
_HOW_TO_GET = (
    f"Open {PORTAL}, choose the application, Bot, Reset Token; put it into .env as MOONSKETCH_TOKEN=…"
)

_TOKEN = re.compile(r"[\w-]{20,}\.[\w-]{5,}\.[\w-]{20,}")
_MISTAKEN = {
    r"\d{15,22}": "the application's id",
    r"[0-9a-f]{64}": "the application's public key",
    r"[\w-]{32}": "the client secret",
    r"Bot\s.*": "a token with “Bot” before it; leave that word out",
}
"""What else the portal shows and people copy instead."""


async def look_at_discord(settings: Settings, env_file: Path) -> Sequence[Finding]:
    if settings.token is None:
        return [
            mend("token", "There is no bot token.", _HOW_TO_GET),
            note(
                "invite",
                "The invite link needs a token to be known.",
                f"Permissions: {', '.join(NAMES.values())}.",
            ),
        ]
    token = settings.token.get_secret_value().strip()
    try:
        application = await _log_in(token)
    except discord.LoginFailure:
        findings = [mend("token", _shape(token) or BAD_TOKEN, _HOW_TO_GET)]
    except (aiohttp.ClientError, OSError, TimeoutError, discord.HTTPException, discord.RateLimited) as error:
        findings = _without_answer(settings, token, error)
    else:
        findings = [*_known(application), _intent(settings, application.flags), _invite(application)]
    return [*findings, *_secrecy(env_file)]


async def _log_in(token: str) -> discord.AppInfo:
    """One look at Discord's HTTP API; the gateway is left alone, so a running bot does not notice."""
    async with asyncio.timeout(LOGIN_SECONDS), discord.Client(intents=discord.Intents.none()) as client:
        await client.login(token)
        assert client.application is not None  # login has asked for it
        return client.application


def _shape(token: str) -> str:
    """What the token looks like instead of a token, a sentence; empty if it looks like one."""
    if _TOKEN.fullmatch(token):
        return ""
    for pattern, what in _MISTAKEN.items():
        if re.fullmatch(pattern, token):
            return f"MOONSKETCH_TOKEN is not a bot's token: it looks like {what}."
    return "MOONSKETCH_TOKEN does not look like a bot's token: those have three parts with dots between them."


def _without_answer(settings: Settings, token: str, error: Exception) -> list[Finding]:
    """Nobody can tell whether it is valid; what can be seen from here is said."""
    if sentence := _shape(token):
        return [mend("token", sentence, _HOW_TO_GET)]
    why = "it did not answer in time" if isinstance(error, TimeoutError) else str(error) or repr(error)
    findings = [
        note("token", "It looks like a bot's token.", ""),
        note("discord", f"Discord could not be asked: {why}.", "Look again where there is a network."),
    ]
    if settings.message_content:
        findings.append(note("intents", "Message content is on; whether the portal allows it is not known."))
    if (application_id := _application_of(token)) is not None:
        findings.append(note("invite", f"Probably {invite_link(application_id)}"))
    return findings


def _known(application: discord.AppInfo) -> list[Finding]:
    servers = application.approximate_guild_count
    where = "in 1 server" if servers == 1 else f"in {servers} servers"
    findings = [ok("token", f"Discord knows it: {application.name}, application {application.id}, {where}.")]
    if application.interactions_endpoint_url is not None:
        findings.append(
            mend(
                "portal",
                "The application sends interactions to a web address, so the bot gets none.",
                f"Empty “Interactions Endpoint URL” under General Information at {PORTAL}.",
            )
        )
    if application.bot_require_code_grant:
        findings.append(
            mend(
                "portal",
                "The application wants a code grant, with which nobody can invite it.",
                f"Switch off “Requires OAuth2 Code Grant” under Bot at {PORTAL}.",
            )
        )
    return findings


def _intent(settings: Settings, flags: discord.ApplicationFlags) -> Finding:
    if not settings.message_content:
        return ok("intents", "No privileged intent is used, and none is needed.")
    if flags.gateway_message_content or flags.gateway_message_content_limited:
        return ok("intents", "Message content is on, and the portal allows it.")
    return mend("intents", "Message content is on, but the portal does not allow it.", NO_INTENT)


def _invite(application: discord.AppInfo) -> Finding:
    link = invite_link(application.id)
    if application.approximate_guild_count:
        return ok("invite", link)
    advice = "Open it and choose a server that you manage."
    return note("invite", f"The bot is in no server yet: {link}", advice)


def _application_of(token: str) -> int | None:
    """The first part of a token is the bot's id, which is its application's but for very old ones."""
    first = token.split(".")[0]
    try:
        return int(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    except (binascii.Error, ValueError):
        return None


def _secrecy(env_file: Path) -> list[Finding]:
    if sys.platform == "win32" or not env_file.exists() or not env_file.stat().st_mode & 0o077:
        return []
    return [note("secrets", f"Others on this machine may read {env_file}.", f"chmod 600 {env_file}")]
