"""Runs `async def` tests, each in an event loop of its own, and keeps the stand-in model for those that draw."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest

from inference.config import STAND_IN

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ("standin", "byte_tokenizer")
"""The modules that the stand-in's weights follow from."""

# A machine that is busy with something else is not a failure.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

DEADLOCK_SECONDS = 120
"""A guard, not an assertion: a test that waits for something that never comes fails instead of hanging."""


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = pyfuncitem._fixtureinfo.argnames
    arguments = {name: pyfuncitem.funcargs[name] for name in wanted}

    async def guarded() -> None:
        async with asyncio.timeout(DEADLOCK_SECONDS):
            await pyfuncitem.obj(**arguments)

    asyncio.run(guarded())
    return True


@pytest.fixture(scope="session")
def models_dir(request: pytest.FixtureRequest) -> Path:
    """A models folder with the stand-in in it, built once and kept between runs until its recipe changes."""
    recipe = b"".join(
        path.read_bytes() for path in sorted((ROOT / "inference").glob("*.py")) if path.stem in RECIPE
    )
    folder: Path = request.config.cache.mkdir(f"models-{hashlib.sha256(recipe).hexdigest()[:12]}")
    if not (folder / STAND_IN / "model_index.json").exists():
        subprocess.run([sys.executable, "-m", "inference.standin", folder / STAND_IN], cwd=ROOT, check=True)
    return folder
