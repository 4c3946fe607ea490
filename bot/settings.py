"""Settings: read once, at the edge, from the environment and `.env`; everything that is wrong is said at once.

`.env.example` lists them in the same order, line for line.
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from inference import Device, Precision


class LogLevel(StrEnum):
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


_PREFIX = "MOONSKETCH_"


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_file=".env", frozen=True, extra="forbid", env_ignore_empty=True
    )

    token: SecretStr | None = None
    data: Path = Path("data")
    models: Path = Path("models")
    catalogue: Path = Path("models.toml")
    device: Device = Device.AUTO
    precision: Precision = Precision.AUTO
    rows: int = Field(default=0, ge=0, le=64)
    safety: str = ""
    message_content: bool = False
    shards: int | None = Field(default=None, ge=1)
    log: LogLevel = LogLevel.INFO


class SettingsWrong(Exception):
    """One line per setting that is wrong."""


def read_settings(env_file: Path | None = Path(".env")) -> Settings:
    """Raises SettingsWrong."""
    unknown = [name for name in os.environ if name.upper().startswith(_PREFIX) and not _is_known(name)]
    wrong = [f"{name}: there is no such setting" for name in sorted(unknown)]
    try:
        settings = Settings(_env_file=env_file)  # type: ignore[call-arg]  # pydantic-settings' own argument
    except ValidationError as error:
        wrong += [_line(problem) for problem in error.errors()]
    except UnicodeDecodeError:
        wrong.append(f"{env_file} is not UTF-8 text: save it again in that encoding.")
    if wrong:
        raise SettingsWrong("\n".join(wrong))
    return settings


def _is_known(name: str) -> bool:
    return name.upper().removeprefix(_PREFIX).lower() in Settings.model_fields


def _line(problem: object) -> str:
    """What is wrong with one setting. Its value is not repeated: it may be a secret."""
    assert isinstance(problem, dict)  # pydantic's ErrorDetails
    name = "_".join(str(part) for part in problem["loc"]).upper()
    if problem["type"] == "extra_forbidden":  # named as it stands in the file, prefix and all
        return f"{name}: there is no such setting"
    return f"MOONSKETCH_{name}: {problem['msg']}"
