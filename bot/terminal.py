"""What every command of the command line does first and last."""

from __future__ import annotations

import sys
from typing import NoReturn

from bot.settings import Settings, SettingsWrong, read_settings


def settings_or_stop() -> Settings:
    try:
        return read_settings()
    except SettingsWrong as error:
        stop(f"These settings are wrong:\n{error}")


def stop(sentence: str) -> NoReturn:
    """End the command with a sentence on stderr and exit code 1."""
    sys.exit(sentence)


def stop_with(sentence: str | None) -> None:
    """The same, or nothing when all went well."""
    if sentence:
        stop(sentence)
