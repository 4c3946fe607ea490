"""Door 3: what people press. Buttons carry their own memory (`bot.custom_ids`), so that they work after a restart."""
