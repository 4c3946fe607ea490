"""Safety checkers that come with the engine; see `inference.safety`."""
