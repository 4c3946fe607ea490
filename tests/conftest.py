"""Runs `async def` tests, each in an event loop of its own, and names the folder of the built-in model.

Tests run side by side, each with one thread: more would only stand in each other's way. Workers inherit it.
"""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Generator
from pathlib import Path

import hypothesis
import pytest

from inference.catalogue import BUILT_IN_ENTRY

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported anywhere

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take longest begin first, so that processes side by side end together: those with a browser."""
    items.sort(key=lambda item: item.path.parent.name != "playground")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Some tests log halves of surrogate pairs, as strangers send them; what goes to the process that collects the
    results must be UTF-8."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "replace").decode()) for name, text in report.sections]
    return report


@pytest.fixture(scope="session")
def builtin_model() -> Path:
    """Nobody writes into it."""
    return Path(BUILT_IN_ENTRY.folder)
