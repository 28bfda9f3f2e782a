"""Dramatiq over Redis: what is due now travels here. Postgres decides what is due; all of Redis may be lost."""
