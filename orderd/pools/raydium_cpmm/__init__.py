"""Raydium's constant product pools (CP-Swap)."""
