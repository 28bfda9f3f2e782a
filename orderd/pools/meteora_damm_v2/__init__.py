"""Meteora's DAMM v2 pools."""
