"""News of orders to whoever follows them, each event once and in order."""
