"""Solana as a client meets it: JSON-RPC, keys, transactions, and what is proved by which answers of a node."""
