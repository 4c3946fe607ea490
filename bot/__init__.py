"""Moonsketch, the Discord side: people, the line, the history. The engine is reached through `inference` alone."""
