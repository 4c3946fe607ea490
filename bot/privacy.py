"""For how long things are kept. Of Scenes each server says that itself (`Retention.days_of`)."""

USAGE_DAYS = 31
"""What /usage shows, and the day that is not over."""

LEFT_DAYS = 7
"""From the removal from a server until its data goes: people remove bots by mistake."""
