"""Prices of pairs: seen in pools that are read for orders anyway, stored, and published."""
