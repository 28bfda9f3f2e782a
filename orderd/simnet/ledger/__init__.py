"""The durable storage of simnet: accounts, blocks and transactions in a SQLite file."""
