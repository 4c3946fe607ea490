"""Journeys log as the running bot does, so that a failing one shows what its owner would read."""

from __future__ import annotations

import pytest

from bot import logs


@pytest.fixture(autouse=True, scope="session")
def _log_as_in_production() -> None:
    logs.configure("INFO")
