"""The venues' own SDKs on the local chain: they quote its pools as orderd does, and their swaps land."""
