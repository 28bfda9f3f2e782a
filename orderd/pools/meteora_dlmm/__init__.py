"""Meteora's DLMM (liquidity book) pools."""
