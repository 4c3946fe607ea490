"""The command line as a newcomer meets it: `python -m bot` in a process of its own, and what `try` says no to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.settings import Settings
from bot.try_out import try_out
from tests.bot.pictures import file_of, halves

ROOT = Path(__file__).parents[2]
TOKEN = "canary.token.nobody-may-see"


def bot(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it in `folder`, with nothing of this machine's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("MOONSKETCH_")}
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "120", "NO_COLOR": "1", **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def sketch_in(folder: Path) -> Path:
    path = folder / "sketch.png"
    path.write_bytes(file_of(halves("red", "blue"), "PNG"))
    return path


def test_help_names_every_command(tmp_path: Path) -> None:
    """Without settings, a token or a model."""
    result = bot(tmp_path, "--help")

    assert result.returncode == 0
    assert all(f" {command} " in result.stdout for command in ("run", "admin", "playground", "try"))


def test_without_a_command_there_is_help(tmp_path: Path) -> None:
    """Not a traceback, and nothing is started."""
    result = bot(tmp_path)

    assert "Usage" in result.stdout + result.stderr
    assert list(tmp_path.iterdir()) == []


def test_run_without_a_token_says_where_to_get_one(tmp_path: Path) -> None:
    """And offers the playground, which needs none; nothing is written yet."""
    result = bot(tmp_path, "run")

    assert (result.returncode, result.stdout) == (1, "")
    assert "https://discord.com/developers/applications" in result.stderr
    assert "MOONSKETCH_TOKEN" in result.stderr
    assert "moonsketch playground" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["run"], ["try", "sketch.png", "a moon"]], ids=["run", "try"])
def test_all_mistakes_in_the_settings_are_said_at_once(tmp_path: Path, command: list[str]) -> None:
    """Those of the file and of the environment together, before anything else happens, and never the token."""
    (tmp_path / ".env").write_text(f"MOONSKETCH_TOKEN={TOKEN}\nMOONSKETCH_ROWS=many\nMOONSKETCH_ROOWS=1\n")

    result = bot(tmp_path, *command, MOONSKETCH_DEVICE="toaster")

    assert result.returncode == 1
    assert result.stderr.splitlines()[0] == "These settings are wrong:"
    assert {line.split(":")[0] for line in result.stderr.splitlines()[1:]} == {
        "MOONSKETCH_DEVICE",
        "MOONSKETCH_ROWS",
        "MOONSKETCH_ROOWS",
    }
    assert "canary" not in (result.stdout + result.stderr).lower()


def test_try_without_a_sketch_fails_with_a_sentence(tmp_path: Path) -> None:
    """On stderr, with an exit code, without a traceback and without a picture."""
    result = bot(tmp_path, "try", "nothing.png", "a moon", MOONSKETCH_TOKEN=TOKEN)

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "nothing.png: No such file or directory.\n"
    assert list(tmp_path.iterdir()) == []


def test_an_option_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    """By the command line's own parser, before anything is loaded."""
    result = bot(tmp_path, "try", "sketch.png", "a moon", "--strenght", "0.5")

    assert result.returncode == 2
    assert "--strength" in result.stderr


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"strength": "2"}, "Strength is above 0 and at most 1"),
        ({"strength": ""}, "`--strength` needs a number"),
        ({"steps": "0"}, "`--steps` goes from 1 to"),
        ({"steps": "many"}, "`--steps` needs a number"),
        ({"seed": "-1"}, "`--seed` goes from 0 to 4294967295"),
        ({"candidates": "5"}, "`--n` goes from 1 to 4"),
        ({"guidance": "inf"}, "`--guidance` needs a number"),
        ({"negative": "x" * 501}, "The negative prompt has 501 characters"),
        ({"sampler": "heun"}, "I don't know the sampler"),
        ({"model": "photo"}, "I don't know the model"),
        ({"style": "crayn"}, "I don't know the style “crayn”. Did you mean `crayon`?"),
        ({"prompt": " "}, "The prompt is empty"),
        ({"prompt": "x" * 501}, "The prompt has 501 characters"),
    ],
)
async def test_try_refuses_what_discord_would_refuse(
    tmp_path: Path, options: dict[str, str], sentence: str
) -> None:
    """In the same words, before a model is loaded or a file written."""
    sketch = sketch_in(tmp_path)
    prompt = options.pop("prompt", "a moon")
    settings = Settings(models=tmp_path / "models", catalogue=tmp_path / "none.toml")

    said = await try_out(settings, sketch, prompt, options, tmp_path / "out.png")

    assert said is not None
    assert said.startswith(sentence)
    assert list(tmp_path.iterdir()) == [sketch]


@pytest.mark.parametrize(
    "content, sentence",
    [
        (b"", "That file is not a picture I can read."),
        (b"a text", "That file is not a picture I can read."),
        (file_of(halves("red", "blue"), "PNG")[:70], "That picture is damaged"),
        (file_of(halves("red", "blue", (16, 256)), "PNG"), "16×256 is too long and thin"),
        (None, "sketch: "),  # each platform has its own words for it
    ],
    ids=["empty", "text", "cut short", "long and thin", "folder"],
)
async def test_try_refuses_a_file_that_is_no_sketch(
    tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    """A damaged, a strange, an impossible file or a folder: each has its sentence."""
    sketch = tmp_path / "sketch"
    if content is None:
        sketch.mkdir()
    else:
        sketch.write_bytes(content)
    settings = Settings(models=tmp_path / "models", catalogue=tmp_path / "none.toml")

    said = await try_out(settings, sketch, "a moon", {}, tmp_path / "out.png")

    assert said is not None
    assert said.removeprefix(f"{tmp_path}{os.sep}").startswith(sentence)
    assert list(tmp_path.iterdir()) == [sketch]


async def test_try_says_everything_that_is_wrong_with_the_catalogue(tmp_path: Path) -> None:
    """A mistake in models.toml is a sentence here too."""
    catalogue = tmp_path / "models.toml"
    catalogue.write_text('[models.photo]\nsteps = 0\nsampler = "heun"\n')

    said = await try_out(
        Settings(models=tmp_path / "models", catalogue=catalogue),
        sketch_in(tmp_path),
        "a moon",
        {},
        tmp_path / "out.png",
    )

    assert said is not None
    assert len(said.splitlines()) == 3
    assert all(line.startswith("[models.photo]: ") for line in said.splitlines())
