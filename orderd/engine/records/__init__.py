"""Records of the past: fills, profits, the wallet's movements, and traces."""
