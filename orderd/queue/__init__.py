"""Dramatiq over Redis: carries the orders that are due now. Postgres decides what is due, and the content of Redis may
be lost."""
