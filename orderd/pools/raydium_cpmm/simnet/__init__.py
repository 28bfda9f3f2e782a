"""What the local chain needs of this kind."""
