"""The engine's command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from inference.__main__ import app
from tests.inference.hub import COMMIT, REPOSITORY, hub


def written(tmp_path: Path, text: str) -> list[str]:
    """The options that name a catalogue with that text."""
    (tmp_path / "models.toml").write_text(text)
    return ["--catalogue", str(tmp_path / "models.toml"), "--models-dir", str(tmp_path / "models")]


def test_models_lists_what_is_configured_and_what_is_wrong(tmp_path: Path) -> None:
    """The default one first, and under each a sentence if it cannot be used."""
    options = written(tmp_path, '[models.photo]\nfolder = "gone"\ntitle = "Photo"\n[models.emoji]\n')
    said = CliRunner().invoke(app, ["models", *options])

    assert said.exit_code == 0
    assert said.output.splitlines()[0].startswith("photo: Photo, 512×512, not on this machine")
    assert str(tmp_path / "gone") in said.output.replace("\n", "")
    assert "emoji: emoji art (built-in), 256×256, version " in said.output


def test_without_a_catalogue_the_built_in_model_is_what_there_is(tmp_path: Path) -> None:
    """Nothing to fetch and nothing wrong with it."""
    said = CliRunner().invoke(
        app, ["models", "--json", "--no-catalogue", "--models-dir", str(tmp_path / "none")]
    )
    (model,) = json.loads(said.output)

    assert (model["name"], model["source"], model["here"], model["problem"]) == (
        "emoji",
        "built in",
        True,
        "",
    )
    assert 10e6 < model["weights_bytes"] <= 40e6


def test_a_wrong_catalogue_is_refused_with_every_mistake(tmp_path: Path) -> None:
    """Two mistakes, two lines, and an exit status that a script notices."""
    options = written(tmp_path, '[models.a]\nsteps = 0\n[models.b]\nfolder = "b"\nstrength = 2\n')
    said = CliRunner().invoke(app, ["models", *options])

    assert said.exit_code == 2
    assert "[models.a]: steps" in said.output
    assert "[models.b]: strength" in said.output


def test_fetch_brings_a_model_of_the_catalogue(tmp_path: Path) -> None:
    """What is not in the catalogue, or has no hub id, cannot be fetched."""
    options = written(tmp_path, f'[models.photo]\nhub = "{REPOSITORY}"\n[models.own]\nfolder = "own"\n')
    with hub() as served:
        # The library reads its environment once, when it is imported: so in a process of its own.
        command = [sys.executable, "-m", "inference", "fetch", "photo", *options]
        environment = os.environ | {"HF_ENDPOINT": served.url, "HF_HUB_DISABLE_TELEMETRY": "1"}
        said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    refused = CliRunner().invoke(app, ["fetch", "own", *options])

    assert COMMIT in said.stdout
    assert refused.exit_code == 2
    assert (tmp_path / "models" / "photo" / "model_index.json").is_file()
