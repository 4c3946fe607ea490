"""Models that several test files look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.config import STAND_IN


@pytest.fixture(scope="session")
def stand_in(models_dir: Path) -> Path:
    """The stand-in's folder. Nobody writes into it."""
    return models_dir / STAND_IN
