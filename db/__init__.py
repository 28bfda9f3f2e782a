"""Postgres, the truth: the tables, their history, and the one place where an order changes."""
