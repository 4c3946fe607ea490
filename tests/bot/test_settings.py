"""Settings: the example file is the truth, and everything that is wrong is said at once and without secrets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bot.settings import LogLevel, Settings, SettingsWrong, read_settings
from inference import Device, Precision

EXAMPLE = Path(__file__).parents[2] / ".env.example"
TOKEN = "canary.token.nobody-may-see"


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine's own environment says is not part of any claim here."""
    for name in list(os.environ):
        if name.upper().startswith("MOONSKETCH_"):
            monkeypatch.delenv(name)


def env_file(folder: Path, content: str | bytes) -> Path:
    path = folder / ".env"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def mistakes(folder: Path, content: str | bytes) -> list[str]:
    with pytest.raises(SettingsWrong) as caught:
        read_settings(env_file(folder, content))
    return str(caught.value).splitlines()


def as_written(value: Any) -> str:
    """A default as the example file writes it."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_the_example_agrees_with_the_settings_line_for_line() -> None:
    """The same names in the same order with the same defaults, each under a comment of its own."""
    heading, *blocks = EXAMPLE.read_text("utf-8").strip().split("\n\n")

    assert heading.startswith("# Copy to .env")
    assert [block.splitlines()[-1] for block in blocks] == [
        f"MOONSKETCH_{name.upper()}={as_written(field.default)}"
        for name, field in Settings.model_fields.items()
    ]
    for block in blocks:
        comment = block.splitlines()[:-1]
        assert comment
        assert all(line.startswith("# ") for line in comment)


def test_a_copy_of_the_example_changes_nothing() -> None:
    """Who copies it and fills in nothing has the defaults."""
    assert read_settings(EXAMPLE) == read_settings(None)


def test_every_setting_can_be_changed(tmp_path: Path) -> None:
    """In the file, whatever the case of its names; quotes and spaces round a value do not count."""
    settings = read_settings(
        env_file(
            tmp_path,
            f"MOONSKETCH_TOKEN={TOKEN}\nmoonsketch_data='my data'\nMOONSKETCH_MODELS=weights\n"
            "MOONSKETCH_CATALOGUE=other.toml\nMOONSKETCH_DEVICE=cpu\nMOONSKETCH_PRECISION=float16\n"
            "MOONSKETCH_ROWS= 4 \nMOONSKETCH_SAFETY=skin\n"
            "MOONSKETCH_MESSAGE_CONTENT=true\nMOONSKETCH_SHARDS=2\nMOONSKETCH_LOG=DEBUG\n",
        )
    )

    assert settings.token is not None
    assert settings.token.get_secret_value() == TOKEN
    assert (settings.data, settings.models, settings.catalogue) == (
        Path("my data"),
        Path("weights"),
        Path("other.toml"),
    )
    assert (settings.device, settings.precision, settings.rows) == (Device.CPU, Precision.FLOAT16, 4)
    assert settings.safety == "skin"
    assert (settings.message_content, settings.shards, settings.log) == (True, 2, LogLevel.DEBUG)


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And an empty variable is none at all."""
    path = env_file(tmp_path, "MOONSKETCH_ROWS=4\nMOONSKETCH_SHARDS=2\n")
    monkeypatch.setenv("MOONSKETCH_ROWS", "8")
    monkeypatch.setenv("MOONSKETCH_SHARDS", "")

    settings = read_settings(path)

    assert (settings.rows, settings.shards) == (8, 2)


def test_no_file_means_the_defaults(tmp_path: Path) -> None:
    """The playground needs none."""
    assert read_settings(tmp_path / "nothing") == read_settings(None)


def test_every_mistake_is_said_at_once(tmp_path: Path) -> None:
    """One line per setting, by the name that stands in the file, in place of one mistake per start."""
    lines = mistakes(
        tmp_path,
        "MOONSKETCH_DEVICE=toaster\nMOONSKETCH_PRECISION=float8\nMOONSKETCH_ROWS=many\n"
        "MOONSKETCH_MESSAGE_CONTENT=perhaps\nMOONSKETCH_SHARDS=0\nMOONSKETCH_LOG=loud\n",
    )

    assert [line.split(":")[0] for line in lines] == [
        "MOONSKETCH_DEVICE",
        "MOONSKETCH_PRECISION",
        "MOONSKETCH_ROWS",
        "MOONSKETCH_MESSAGE_CONTENT",
        "MOONSKETCH_SHARDS",
        "MOONSKETCH_LOG",
    ]
    assert lines[0].endswith("'auto', 'cpu', 'cuda' or 'mps'")


@pytest.mark.parametrize("name", ["MOONSKETCH_ROOWS", "MOONSKTCH_TOKEN", "HF_TOKEN"])
def test_a_name_that_is_no_setting_is_refused_as_it_stands_there(tmp_path: Path, name: str) -> None:
    """A typo is not silently a default."""
    assert mistakes(tmp_path, f"{name}=3\n") == [f"{name}: there is no such setting"]


@pytest.mark.parametrize(
    "content",
    [
        f"MOONSKETCH_TOKEN={TOKEN}\nMOONSKETCH_ROWS=many\n",
        f"MOONSKETCH_TOKN={TOKEN}\n",
        f"MOONSKETCH_ROWS={TOKEN}\nMOONSKETCH_DEVICE={TOKEN}\nMOONSKETCH_MESSAGE_CONTENT={TOKEN}\n",
    ],
)
def test_a_mistake_never_repeats_a_value(tmp_path: Path, content: str) -> None:
    """Whichever line the token was pasted into: what is wrong may be a secret."""
    assert not any(part in line for line in mistakes(tmp_path, content) for part in TOKEN.split("."))


def test_the_token_does_not_show(tmp_path: Path) -> None:
    """Neither when settings are printed nor when they are logged."""
    settings = read_settings(env_file(tmp_path, f"MOONSKETCH_TOKEN={TOKEN}\n"))

    assert TOKEN not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    "content", ["MOONSKETCH_DATA=d\u00e4ta\n".encode("latin-1"), "MOONSKETCH_ROWS=4\n".encode("utf-16")]
)
def test_a_file_in_another_encoding_is_a_mistake_too(tmp_path: Path, content: bytes) -> None:
    """Some editors save so; the sentence says what to do."""
    assert mistakes(tmp_path, content) == [
        f"{tmp_path / '.env'} is not UTF-8 text: save it again in that encoding."
    ]


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    """Some editors put one in front."""
    assert read_settings(env_file(tmp_path, "\ufeffMOONSKETCH_ROWS=4\n")).rows == 4


def test_settings_do_not_change() -> None:
    """They are read once, at the edge."""
    settings = read_settings(None)

    with pytest.raises(ValidationError, match="frozen"):
        settings.rows = 5
