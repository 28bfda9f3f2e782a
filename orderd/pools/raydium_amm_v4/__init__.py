"""Raydium's AMM v4 pools."""
