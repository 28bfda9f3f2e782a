"""Raydium's CLMM (concentrated liquidity) pools."""
