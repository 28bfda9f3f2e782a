"""An imaginary kind of pools: they sell one token for the other at one price. Its folder, whole."""
