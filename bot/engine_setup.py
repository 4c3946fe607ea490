"""Builds the engine from the settings: the one place in the bot that knows which engine there is."""

from __future__ import annotations

from bot.settings import Settings, SettingsWrong
from inference import Catalogue, Engine, EngineConfig, Park, unparked
from inference.catalogue import ONLY_BUILT_IN, CatalogueError, read_catalogue
from inference.local import LocalEngine


def build_engine(settings: Settings, park: Park = unparked) -> Engine:
    """Raises SettingsWrong."""
    return LocalEngine(engine_config(settings), park=park)


def engine_config(settings: Settings) -> EngineConfig:
    """Raises SettingsWrong with everything that is wrong in models.toml."""
    return EngineConfig(
        catalogue=_catalogue(settings),
        models_dir=settings.models,
        device=settings.device,
        precision=settings.precision,
        max_rows=settings.rows,
        safety=settings.safety,
    )


def _catalogue(settings: Settings) -> Catalogue:
    if not settings.catalogue.exists():
        return ONLY_BUILT_IN
    try:
        return read_catalogue(settings.catalogue)
    except (CatalogueError, OSError) as error:
        raise SettingsWrong(str(error)) from None
