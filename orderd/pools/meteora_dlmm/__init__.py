"""Meteora's liquidity book (DLMM)."""
