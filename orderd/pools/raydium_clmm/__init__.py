"""Raydium's concentrated liquidity pools."""
