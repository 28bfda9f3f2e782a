"""Alerts: events of orders and of the daemon, sent to programs and to people who are not at a screen.

A separate process (``orderd notifier``) sends them, so that a receiver cannot delay an order.
"""
