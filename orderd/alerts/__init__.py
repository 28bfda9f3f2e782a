"""Alerts: what happens to orders and to the daemon, told to programs and people who do not look at a screen.

A process of its own (``orderd notifier``) sends them, so that nothing that a receiver does can hold back an order.
"""
