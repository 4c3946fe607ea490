"""Picture work that needs no model: pure functions from pictures to pictures."""
