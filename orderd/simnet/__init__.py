"""A local Solana: the JSON-RPC a trading client needs, over native handlers of the programs orderd trades with.

Transactions are real ones, signed, and accounts hold the real byte layouts, so that what works here works on a
cluster. Blocks are durable (SQLite), faults are played by configuration, and a seeded market moves the prices.
"""
