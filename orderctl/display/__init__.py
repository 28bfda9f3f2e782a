"""How orders, quotes and the daemon look on a terminal."""
