"""Renders orders, quotes and the daemon's state for a terminal."""
