"""orderd: the daemon, an order execution engine for Solana."""
