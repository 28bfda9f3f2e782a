"""The local chain as the venues' own SDKs see it: they quote its pools as orderd does, and their swaps land."""
