"""Raydium's first pools (AMM v4)."""
