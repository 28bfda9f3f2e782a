"""The one order that tests speak of: its terms, its life as the daemon tells it, and its quotes."""
