"""The client side of Solana: JSON-RPC, keys, transactions, and the proof that a transaction can no longer land."""
