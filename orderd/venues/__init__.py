"""The places orderd trades at. Each answers the same questions, so that routing need not know which it asks."""
