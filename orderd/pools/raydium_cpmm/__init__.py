"""Raydium's CPMM (CP-Swap, constant product) pools."""
