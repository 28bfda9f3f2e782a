"""Alerts: what happens to orders and to the daemon, sent to programs and people who do not look at a screen.

A process of its own (``orderd notifier``) sends them, so that no receiver can hold back an order.
"""
