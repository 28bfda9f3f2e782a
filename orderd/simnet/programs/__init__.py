"""The chain's programs: native handlers that check and change accounts as the real programs do."""
