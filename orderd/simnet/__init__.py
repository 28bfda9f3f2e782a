"""A local Solana chain: the JSON-RPC that a trading client needs, and native handlers for the programs that orderd
trades with.

Transactions are real and signed, and accounts have the real byte layouts, so that code which works here works on a
cluster. Blocks are durable (SQLite), faults are set by configuration, and a seeded market moves the prices.
"""
