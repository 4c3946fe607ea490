"""Is the simulated Discord here, and is it the one that this package was written for? Imports nothing of it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from bot import texts

SIMCORD = "3.2.1"
"""Its pages and their protocol are no public interface, and each version may change them."""

_PREVIEW_NEEDS = ("av", "linkify_it", "markdown_it", "regex")


class PlaygroundUnavailable(Exception):
    """str() is the sentence that says what is missing and what to do."""


def check_installed() -> None:
    """Raises PlaygroundUnavailable."""
    complete = all(find_spec(module) is not None for module in _PREVIEW_NEEDS)
    problem = problem_with(_installed_version() if complete else None)
    if problem is not None:
        raise PlaygroundUnavailable(problem)


def problem_with(found: str | None) -> str | None:
    """What is wrong with the version that was found, None for nothing."""
    if found is None:
        return texts.playground_not_installed(SIMCORD)
    return None if found == SIMCORD else texts.playground_version(SIMCORD, found)


def _installed_version() -> str | None:
    try:
        return version("simcord")
    except PackageNotFoundError:
        return None
