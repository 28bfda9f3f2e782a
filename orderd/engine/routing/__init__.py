"""Routing: collects the pools' offers, excludes unusable pools, and finds the best route for an order."""
