"""Orders that rest: which of them the market meets."""
