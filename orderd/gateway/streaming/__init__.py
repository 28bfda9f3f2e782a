"""News of orders for their followers, each event once and in order."""
