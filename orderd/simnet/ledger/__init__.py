"""The durable chain of simnet, and what it remembers of blocks and transactions."""
