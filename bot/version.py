"""Which Moonsketch this is."""

from __future__ import annotations

from importlib import metadata


def version() -> str:
    """As it was installed; a checkout that never was has none."""
    try:
        return metadata.version("moonsketch")
    except metadata.PackageNotFoundError:
        return "(not installed)"
