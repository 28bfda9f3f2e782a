"""Finds the resting orders whose condition the market meets."""
